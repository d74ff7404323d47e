//! Tables as the executor sees them: rows and index entries on the engine's keys, and everything
//! that writing a row entails.
//!
//! | what | key | value |
//! | --- | --- | --- |
//! | row | `Space::Row`, storage, row key | [`crate::value::row`] |
//! | unique index | `Space::Ordered`, index, key columns (and the row key when one is NULL) | row key |
//! | other ordered index | `Space::Ordered`, index, key columns, row key | nothing |
//! | inverted index | `Space::Ordered`, index, key number, element, row key | nothing |
//! | full-text index | `Space::Text`, index, row key | the document |
//! | R-tree | `Space::Geo`, index, row key | the box |
//!
//! The row key is the primary key's columns ([`crate::value::key`]) or a number that grows.

pub mod constraint;
mod derived;
pub mod entry;
pub mod event;
pub(crate) mod expiry;
pub mod foreign_key;
pub(crate) mod inverted;
pub mod lock;
pub mod range;
pub mod referential_action;
pub mod row;
pub mod row_numbers;
pub mod unique;
pub mod write;

pub use entry::Entry;
pub use unique::key_detail;
