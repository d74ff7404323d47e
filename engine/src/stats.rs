//! What a database does and holds: the store's numbers, and those of transactions.

use std::fmt;

use crate::lsm::LsmStats;
use crate::timestamp::Timestamp;

/// What a database has done since it was opened, and what it holds. Printed, it is a page to look
/// at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DbStats {
    /// What lies below the transactions.
    pub lsm: LsmStats,
    /// Snapshots in use, those of transactions among them.
    pub snapshot_count: usize,
    /// No snapshot is older. Row versions that were replaced before it are not kept.
    pub oldest_snapshot: Timestamp,
    /// The newest commit on disk.
    pub durable: Timestamp,
}

impl fmt::Display for DbStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.lsm)?;
        let behind = self.durable.0.saturating_sub(self.oldest_snapshot.0);
        let (name, count) = ("snapshots", self.snapshot_count);
        writeln!(f, "{name:<20} {count} in use, the oldest {behind} commits back")
    }
}

#[cfg(test)]
mod tests {
    use crate::lsm::compaction::Style;
    use crate::{Db, Isolation, KeyRange, Options};

    /// A database that has flushed and compacted.
    fn filled(style: Style) -> Db {
        let options = Options {
            memtable_len_max: 8 << 10,
            level0_compaction_count: 2,
            background_thread_count: 0,
            compaction_style: style,
            ..Options::default()
        };
        let db = Db::in_memory(options).unwrap();
        for n in 0..400_u32 {
            let txn = db.begin(Isolation::ReadCommitted);
            txn.put(&n.to_be_bytes(), &[7; 100]).unwrap();
            txn.commit().unwrap();
        }
        db
    }

    #[test]
    fn numbers_agree_with_what_was_done() {
        for style in [Style::Levelled, Style::Tiered] {
            let db = filled(style);
            let snapshot = db.snapshot();
            assert!(snapshot.get(&7_u32.to_be_bytes()).unwrap().is_some());
            let stats = db.stats();
            assert_eq!((stats.snapshot_count, stats.lsm.style), (1, style));
            let lsm = &stats.lsm;
            assert!(lsm.user_len_written >= 400 * 104, "{lsm:?}");
            assert!(lsm.flush_count > 2 && lsm.compaction_count() > 0, "{lsm:?}");
            let by_reason: u64 = lsm.compactions.iter().map(|counts| counts.len_written).sum();
            assert_eq!(by_reason, lsm.compaction_len_written());
            assert!(lsm.write_amplification().unwrap() > 1.0, "{lsm:?}");
            assert!(lsm.cache_hit_ratio().is_some());
            // Between two keys, so that only a filter can say that it is absent.
            (0..50_u32).for_each(|n| {
                let mut key = n.to_be_bytes().to_vec();
                key.push(0);
                assert!(snapshot.get(&key).unwrap().is_none());
            });
            let after = db.stats().lsm;
            let ended = after.filter_denied_count - lsm.filter_denied_count;
            assert!(ended >= 40 && after.filter_usefulness().unwrap() > 0.5, "{after:?}");
            db.compact(&KeyRange::all()).unwrap();
            assert_eq!(db.stats().lsm.backlog_len_bytes, 0);
            db.close().unwrap();
        }
    }

    #[test]
    fn the_page_names_what_matters() {
        let db = filled(Style::Tiered);
        let page = db.stats().to_string();
        for part in [
            "LEVEL",
            "memory",
            "AMPLIFICATION",
            "write, measured",
            "SINCE OPENING",
            "flush",
            "for level 0",
            "compaction           tiered, idle, 0 B to do",
            "stalls               none",
            "block cache",
            "filters",
            "snapshots            0 in use, the oldest 0 commits back",
        ] {
            assert!(page.contains(part), "{part}:\n{page}");
        }
        assert!(page.lines().all(|line| line.len() <= 100 && line == line.trim_end()), "{page}");
    }
}
