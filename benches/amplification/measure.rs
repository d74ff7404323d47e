//! One style's run of the trace.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use cairn_benches::process::processor_time;
use cairn_engine::lsm::stats::Size;
use cairn_engine::lsm::{Batch, CompactionControl, Lsm, LsmStats};
use cairn_engine::{CompactionStyle, Direction, Env, KeyRange, Options, Timestamp};

use crate::trace::{Operation, Trace};
use crate::{Arguments, Result};

/// Commits between two syncs: the log is not what is measured.
const SYNC_INTERVAL: u64 = 1_000;
/// Operations between two looks at the levels.
const SAMPLE_INTERVAL: u64 = 5_000;
/// Lookups after the trace, for what one of them costs.
const LOOKUP_COUNT: u64 = 200_000;
/// What no commit should take.
const STALL: Duration = Duration::from_millis(100);

/// What a run showed.
pub(crate) struct Measured {
    took: Duration,
    busy: Duration,
    /// Longest commits first.
    commits: Vec<Duration>,
    stats: LsmStats,
    /// Places to look in, on average over the trace, and at worst.
    places: (f64, usize),
    /// Bytes of sstables at the end and at worst, and of live keys and values at the end.
    held: (u64, u64, u64),
    lookup: Duration,
    blocks_per_lookup: f64,
    full_compaction: Duration,
}

fn options(arguments: &Arguments, style: CompactionStyle) -> Options {
    Options {
        compaction_style: style,
        memtable_len_max: arguments.memtable << 20,
        level_base_len_max: (arguments.memtable as u64) << 20,
        sstable_len_max: (arguments.memtable as u64) << 19,
        block_cache_len_max: arguments.cache << 20,
        background_thread_count: arguments.threads,
        ..Options::default()
    }
}

fn key(n: u64) -> [u8; 16] {
    let mut key = *b"key-\0\0\0\0\0\0\0\0\0\0\0\0";
    key[8..].copy_from_slice(&n.to_be_bytes());
    key
}

/// The samples taken while the trace runs.
#[derive(Default)]
struct Samples {
    places: Vec<usize>,
    held_most: u64,
}

impl Samples {
    fn take(&mut self, lsm: &Lsm) {
        let stats = lsm.stats();
        self.places.push(stats.read_amplification());
        self.held_most = self.held_most.max(held(&stats));
    }
}

fn held(stats: &LsmStats) -> u64 {
    stats.levels.iter().map(|level| level.len_bytes).sum()
}

/// Runs the trace in a new directory.
///
/// # Errors
/// Those of the store.
#[expect(clippy::cast_precision_loss, reason = "ratios for people to read")]
pub(crate) fn run(arguments: &Arguments, style: CompactionStyle, dir: &Path) -> Result<Measured> {
    let lsm = Lsm::open(Env::os(), dir, &options(arguments, style))?;
    let mut trace = Trace::new(arguments.seed, arguments.keys, arguments.updates);
    let (mut live, mut commits, mut samples) = (BTreeSet::new(), Vec::new(), Samples::default());
    let mut value = vec![0; arguments.value];
    let busy_before = processor_time(std::process::id())?;
    let began = Instant::now();
    let mut count = 0;
    while let Some(operation) = trace.next() {
        let mut batch = Batch::new();
        match operation {
            Operation::Put(n) => {
                trace.fill(&mut value);
                batch.put(&key(n), &value);
                live.insert(n);
            }
            Operation::Delete(n) => {
                batch.delete(&key(n));
                live.remove(&n);
            }
            Operation::Get(n) => drop(lsm.get(&key(n), Timestamp::MAX)?),
            Operation::Scan(n) => {
                let range = KeyRange { start: key(n).to_vec(), end: None };
                let scan = lsm.scan(&range, Timestamp::MAX, Direction::Forward)?;
                scan.take(50).try_for_each(|row| row.map(drop))?;
            }
        }
        if !batch.is_empty() {
            commits.push(commit(&lsm, &batch)?);
        }
        count += 1;
        if count % SAMPLE_INTERVAL == 0 {
            samples.take(&lsm);
        }
    }
    lsm.flush()?;
    samples.take(&lsm);
    let took = began.elapsed();
    let busy = processor_time(std::process::id())?.saturating_sub(busy_before);
    let stats = lsm.stats();
    let (lookup, blocks_per_lookup) = look_up(&lsm, &mut trace, arguments.keys)?;
    let began = Instant::now();
    lsm.compact_range(&KeyRange::all(), &CompactionControl::default())?;
    let full_compaction = began.elapsed();
    lsm.close()?;
    commits.sort_unstable_by(|a, b| b.cmp(a));
    let sum: usize = samples.places.iter().sum();
    let places = sum as f64 / samples.places.len().max(1) as f64;
    Ok(Measured {
        took,
        busy,
        commits,
        places: (places, samples.places.iter().copied().max().unwrap_or_default()),
        held: (held(&stats), samples.held_most, live.len() as u64 * (16 + value.len() as u64)),
        stats,
        lookup,
        blocks_per_lookup,
        full_compaction,
    })
}

fn commit(lsm: &Lsm, batch: &Batch) -> Result<Duration> {
    let ts = Timestamp(lsm.last_timestamp().0 + 1);
    let began = Instant::now();
    lsm.append(ts, batch)?;
    let took = began.elapsed();
    lsm.set_oldest_snapshot(ts);
    if ts.0.is_multiple_of(SYNC_INTERVAL) {
        lsm.sync()?;
    }
    Ok(took)
}

/// What a lookup costs at the end: time, and blocks asked for.
#[expect(clippy::cast_precision_loss, reason = "ratios for people to read")]
fn look_up(lsm: &Lsm, trace: &mut Trace, key_count: u64) -> Result<(Duration, f64)> {
    let blocks = |stats: &LsmStats| stats.cache_hit_count + stats.cache_miss_count;
    let before = blocks(&lsm.stats());
    let began = Instant::now();
    for _ in 0..LOOKUP_COUNT {
        let mut bytes = [0; 8];
        trace.fill(&mut bytes);
        lsm.get(&key(u64::from_le_bytes(bytes) % key_count), Timestamp::MAX)?;
    }
    let each = began.elapsed() / u32::try_from(LOOKUP_COUNT).unwrap_or(u32::MAX);
    Ok((each, (blocks(&lsm.stats()) - before) as f64 / LOOKUP_COUNT as f64))
}

impl Measured {
    /// Lines of the table.
    #[expect(clippy::cast_precision_loss, reason = "ratios for people to read")]
    pub(crate) fn rows(&self) -> Vec<(&'static str, String)> {
        let (stats, user) = (&self.stats, self.stats.user_len_written.max(1) as f64);
        let ms = |duration: Duration| format!("{:.1} ms", duration.as_secs_f64() * 1e3);
        let (end, most, live) = self.held;
        let ratio = |len: u64| format!("{:.2}", len as f64 / live.max(1) as f64);
        let stalled = self.commits.iter().filter(|took| **took > STALL).count();
        let rank = self.commits.len() / 1000;
        vec![
            ("bytes of the user", Size(stats.user_len_written).to_string()),
            (
                "write amplification, with the log",
                format!("{:.2}", stats.write_amplification().unwrap_or_default()),
            ),
            (
                "… by compaction alone",
                format!("{:.2}", stats.compaction_len_written() as f64 / user),
            ),
            ("read amplification: places, mean", format!("{:.1}", self.places.0)),
            ("… at worst", self.places.1.to_string()),
            ("… blocks for a lookup at the end", format!("{:.2}", self.blocks_per_lookup)),
            ("… time of a lookup at the end", format!("{:.2} µs", self.lookup.as_secs_f64() * 1e6)),
            ("space amplification at the end", ratio(end)),
            ("… at worst, of live bytes at the end", ratio(most)),
            ("time", format!("{:.1} s", self.took.as_secs_f64())),
            ("processor time", format!("{:.1} s", self.busy.as_secs_f64())),
            ("commits, 99.9th percentile", ms(self.commits.get(rank).copied().unwrap_or_default())),
            ("longest commit", ms(self.commits.first().copied().unwrap_or_default())),
            ("commits over 100 ms", stalled.to_string()),
            ("stalls", stats.stalls.to_string()),
            ("slowdowns", stats.slowdowns.to_string()),
            ("full compaction afterwards", ms(self.full_compaction)),
        ]
    }
}
