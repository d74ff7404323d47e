//! Settings that keep the planner from a way of doing things: `enable_indexscan` and its kind.
//!
//! As in Postgres, what is switched off is still done when there is no other way.

use super::access::Access;
use crate::expression::context::Services;

/// Ways that may be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switches {
    /// `enable_seqscan`
    table_scans: bool,
    /// `enable_indexscan`, which stands for the searches of every kind of index: none of them
    /// makes a bitmap.
    index_scans: bool,
    /// `enable_nestloop`
    pub nested_loops: bool,
    /// `enable_hashjoin`
    pub hash_joins: bool,
}

impl Switches {
    /// As the session has them.
    pub fn new(services: &dyn Services) -> Self {
        let is_on = |name: &str| services.setting(name).is_none_or(|value| value != "off");
        Self {
            table_scans: is_on("enable_seqscan"),
            index_scans: is_on("enable_indexscan"),
            nested_loops: is_on("enable_nestloop"),
            hash_joins: is_on("enable_hashjoin"),
        }
    }

    /// Leaves the ways to read a table that may be taken; reading it in passing is the first.
    pub fn narrow(self, accesses: &mut Vec<Access>) {
        if !self.index_scans {
            accesses.truncate(1);
        }
        if !self.table_scans && accesses.len() > 1 {
            accesses.remove(0);
        }
    }
}
