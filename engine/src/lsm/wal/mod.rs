//! The write-ahead log: every commit, in timestamp order, before it is anywhere else on disk.
//!
//! The log is a chain of segment files. A new segment begins with each memtable, and the segments
//! of a memtable are removed when its sstable is in the manifest.

pub(crate) mod reader;
mod record;
pub(crate) mod writer;

pub(crate) use reader::{Log, Segment};
pub(crate) use writer::Writer;
