//! Every knob and every hard limit of the engine: unit, default, reason.

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of recent writes kept in memory before they are flushed to an sstable. 64 MiB.
    pub memtable_len_max: usize,
    /// Bytes of decoded blocks kept in memory. 256 MiB.
    pub block_cache_len_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { memtable_len_max: 64 << 20, block_cache_len_max: 256 << 20 }
    }
}
