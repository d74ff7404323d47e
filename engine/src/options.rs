//! Every knob and every hard limit of the engine: unit, default, reason.

/// The longest key, in bytes. 65,535: its length fits two bytes, and long keys make poor indexes.
pub const KEY_LEN_MAX: usize = 65_535;

/// The longest value, in bytes. 1 GiB, as a Postgres field.
pub const VALUE_LEN_MAX: usize = 1 << 30;

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of recent writes kept in memory before they are flushed to an sstable. 64 MiB.
    pub memtable_len_max: usize,
    /// Bytes of decoded blocks kept in memory. 256 MiB.
    pub block_cache_len_max: usize,
    /// Bytes of uncommitted writes that one transaction may hold in memory. 1 GiB.
    pub transaction_len_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memtable_len_max: 64 << 20,
            block_cache_len_max: 256 << 20,
            transaction_len_max: 1 << 30,
        }
    }
}
