//! SQL on Cairn's engine: from a statement's text to its rows.
//!
//! # Life of a statement
//! 1. [`session`]: whose transaction? which settings?
//! 2. [`parse`](mod@parse): text to syntax tree (`sqlparser`)
//! 3. [`bind`]: names become positions, every expression gets a type
//! 4. [`plan`]: the tree of relational operators
//! 5. [`optimize`]: a cheaper tree with the same rows
//! 6. [`execute`]: batches of rows, pulled through operators
//! 7. down into [`cairn_engine`]: transactions, indexes, storage

pub mod bind;
pub mod catalog;
pub mod copy;
pub mod database;
pub mod define;
pub mod dump;
pub mod error;
pub mod execute;
pub mod expression;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod geo;
pub mod identifier;
pub mod optimize;
pub mod parse;
pub mod plan;
pub mod repair;
pub mod restore;
pub mod result;
pub mod scram;
pub mod session;
pub mod sizes;
pub mod statistics;
pub mod system;
pub mod text;
pub mod value;
pub mod verify;

pub use database::Database;
pub use error::{Error, Result, SqlState};
pub use session::Session;
