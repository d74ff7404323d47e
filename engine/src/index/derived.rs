//! What the transaction layer asks of every derived index.
//!
//! # Life of an entry
//! 1. A commit with timestamp `ts` writes a key of [`Space::Text`](crate::Space::Text) or
//!    [`Space::Geo`](crate::Space::Geo). Under the commit mutex, before the commit becomes
//!    visible, the index hears of it by [`DerivedIndex::apply`]: it enters the delta.
//! 2. When the delta has grown, a background thread calls [`Life::seal`] with a durable
//!    timestamp: what the delta holds up to there becomes a segment on disk, and the watermark
//!    moves up.
//! 3. After a crash the delta is gone. The index opens its segments and is given, in commit order
//!    and again by `apply`, every stored entry that is newer than its watermark. An index whose
//!    directory is missing starts at watermark 0 and so is rebuilt from nothing but its entries.
//!
//! Every kind also has `open(env, dir) -> Result<Self>`, which reads the segments in `dir`
//! (absent: an empty index at watermark 0; the first seal creates it), and its own typed searches.
//!
//! # Damage
//! Entries are the truth, so a damaged index is built anew from them: when it is opened, and later
//! by background work, once a search, a seal or a merge met the damage. Until then searches that
//! come upon it answer `Corruption`.
//!
//! # Visibility
//! A search runs at a snapshot and returns candidates: row keys. It may return rows that the
//! snapshot does not contain (the caller fetches each row at the same snapshot and checks again),
//! but it must not miss one that it does. So a replaced or removed entry stays findable until
//! [`Life::set_oldest_snapshot`] says that no reader is older than its end.

use std::path::Path;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::txn::Timestamp;

/// Versions of entries: row key, commit, and the entry unless it was removed.
pub type Entries<'a> = &'a mut dyn Iterator<Item = Result<(Bytes, Timestamp, Option<Bytes>)>>;

/// What is known of an index's segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Nobody met damage.
    #[default]
    Sound,
    /// A segment is damaged: the index has to be built anew.
    Damaged,
    /// The entries are damaged as well: only a repair of the whole database helps.
    Lost,
}

/// A searchable structure that is derived from the entries of one object.
///
/// # Locking
/// `apply` and `set_oldest_snapshot` are called by one thread at a time, in timestamp order (all
/// entries of one commit share a timestamp). `seal`, `merge` and `checkpoint` are called by one
/// background thread at a time. Searches run at any time, from any thread, and must not block
/// `apply` for long: the commit mutex is held.
pub trait DerivedIndex: Send + Sync {
    /// Takes in one committed entry; `None` is its removal. Never fails: an entry that cannot be
    /// decoded is left out of the index and reported by [`DerivedIndex::verify`].
    ///
    /// An entry at or below the watermark is already in a segment and is ignored.
    fn apply(&self, ts: Timestamp, row_key: &[u8], entry: Option<&Bytes>);

    /// Compares the index, as a search at `snapshot` sees it, with the stored `entries` (row key
    /// and entry, in key order), and checks its own files. Returns one line per disagreement.
    ///
    /// # Errors
    /// `Io`; `Corruption` only when nothing can be said about the rest.
    fn verify(
        &self,
        snapshot: Timestamp,
        entries: &mut dyn Iterator<Item = Result<(Bytes, Bytes)>>,
    ) -> Result<Vec<String>>;

    /// Builds the index anew, from the entries up to `upto` in key order, each row's versions
    /// newest first. Searches and commits go on meanwhile.
    ///
    /// # Errors
    /// Those of `entries`, `Io`, `DiskFull`; the index is as it was.
    fn rebuild(&self, upto: Timestamp, entries: Entries<'_>) -> Result<()>;

    /// What comes of its changes in the course of time.
    fn life(&self) -> &dyn Life;
}

/// The life of a derived index's entries, from the delta to merged segments: the same for every
/// kind.
///
/// # Locking
/// As [`DerivedIndex`] says.
pub trait Life: Send + Sync {
    /// Every entry at or before this timestamp is in a segment on disk.
    fn watermark(&self) -> Timestamp;

    /// Roughly how many bytes the delta occupies in memory.
    fn delta_len(&self) -> usize;

    /// Writes all delta entries at or before `upto` into a segment, syncs it and makes `upto` the
    /// watermark. Newer entries stay in the delta. With nothing to write only the watermark moves
    /// (in memory is enough).
    ///
    /// Requires: every commit at or before `upto` is durable in the WAL, so that a segment never
    /// knows more than the log does after a crash.
    ///
    /// # Errors
    /// `Io`, `DiskFull`; `Corruption` of an older segment, in which changed rows are looked up. The
    /// index stays usable: the delta still holds the entries.
    fn seal(&self, upto: Timestamp) -> Result<()>;

    /// Does one step of background work: merges some segments, drops what no snapshot can see.
    /// Returns whether there was anything to do. `is_quiet`: nothing changes now, so it pays to
    /// merge more.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Corruption`. The old segments stay in place.
    fn merge(&self, is_quiet: bool) -> Result<bool>;

    /// No search will use a snapshot before `ts` any more: entries that ended at or before it may
    /// be forgotten.
    fn set_oldest_snapshot(&self, ts: Timestamp);

    /// What is known of its segments.
    fn health(&self) -> Health;

    /// Takes note of an error: was it damage, the index has to be built anew.
    fn note_damage(&self, error: &Error);

    /// The entries are damaged too: nothing more is tried before the database is opened again.
    fn give_up(&self);

    /// Puts the sealed segments into `dir` (which does not exist yet) by hard links, in the layout
    /// that the index opens.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    fn checkpoint(&self, dir: &Path) -> Result<()>;
}
