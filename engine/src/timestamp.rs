//! Commit timestamps: the order in which commits became visible.

/// A position in commit order. Later commits have larger timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// After every commit: a read at this timestamp sees the newest versions.
    pub const MAX: Self = Self(u64::MAX);
}
