//! Sstable: one sorted, immutable file of row versions.
//!
//! ```text
//! data block ...       sorted row versions            block.rs
//! filter block         Bloom filter over user keys    filter.rs
//! properties block     counts and bounds              properties.rs
//! block index          key to data block              block_index.rs
//! footer               where the above are            footer.rs
//! ```
//!
//! # Invariants
//! - S-1: keys strictly increase in internal-key order.
//! - S-2: the stated key range and counts are exactly the content's.

pub(crate) mod block;
mod block_index;
pub(crate) mod builder;
pub(crate) mod filter;
mod footer;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub(crate) mod properties;
pub(crate) mod reader;
mod remains;

pub use block::Compression;
pub use builder::FileMeta;
pub(crate) use builder::SstableBuilder;
pub use properties::Properties;
pub(crate) use reader::{Sstable, SstableCursor};
pub(crate) use remains::{Hole, Remains};
