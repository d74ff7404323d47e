//! Power cuts at any moment: between two calls, in the middle of one, while opening.
//!
//! A history is one seed: lives that each go on with what the last cut left. The power goes after a
//! random number of changes to the disk; several pictures of what that may leave are opened and
//! compared. A failing seed prints the command that repeats it.
//!
//! - `CAIRN_POWER_CUTS`: how many cuts (20,000);
//! - `CAIRN_POWER_SECONDS`: for how long instead; 0 is for ever;
//! - `CAIRN_POWER_FIRST`: the first seed (0);
//! - `CAIRN_POWER_SEED`: this seed alone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::life::Life;
use super::machine::Machine;
use super::model::Model;
use super::recovery::recover;
use crate::Options;
use crate::env::Env;
use crate::lsm::compaction::Style;

/// Cuts in one history.
const CUTS: u64 = 40;
/// Pictures of one cut, besides the one that the history goes on with.
const MORE_PICTURES: u64 = 2;

/// Small, so that a short life goes through every kind of file; without threads, so that it is the
/// same each time.
fn options(rng: &mut StdRng) -> Options {
    let style = if rng.random() { Style::Levelled } else { Style::Tiered };
    let retention = if rng.random_bool(0.3) { Duration::from_secs(10) } else { Duration::ZERO };
    Options {
        memtable_len_max: rng.random_range(1..5) << 10,
        sstable_len_max: 1 << 10,
        block_len: 128,
        block_cache_len_max: 4 << 10,
        delta_len_max: rng.random_range(100..2000),
        level_base_len_max: 2 << 10,
        level_len_multiplier: 3,
        level0_compaction_count: 2,
        wal_allocation_len: rng.random_range(1..4) << 9,
        background_thread_count: 0,
        compaction_style: style,
        history_retention: retention,
        ..Options::default()
    }
}

/// One seed's history.
fn history(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let options = options(&mut rng);
    let (mut machine, mut model, mut next) = (Machine::new(), Model::default(), 0);
    let mut cuts = 0;
    while cuts < CUTS {
        if rng.random_bool(0.3) {
            machine = cut_while_opening(&machine, &options, &mut rng);
        }
        let db = recover(&machine, &options, &mut model, &mut rng);
        if rng.random_bool(0.8) {
            machine.faults.cut_power_after(rng.random_range(0..100));
        }
        let steps = rng.random_range(1..50);
        let mut life = Life::new(db, (&machine, &options), (&mut model, &mut rng, &mut next));
        life.live(steps);
        let is_clean = life.rng.random_bool(0.05);
        if is_clean && life.db.close().is_ok() {
            life.model.ack();
        }
        let db = life.db.clone();
        drop(life);
        for _ in 0..MORE_PICTURES {
            let picture = machine.after_power_cut(rng.random());
            let after = recover(&picture, &options, &mut model.clone(), &mut rng);
            let is_closed = rng.random_bool(0.2);
            if is_closed {
                after.close().unwrap();
                picture.verify();
            }
        }
        let is_kill = rng.random_bool(0.15);
        let left =
            if is_kill { machine.after_kill() } else { machine.after_power_cut(rng.random()) };
        drop(db);
        machine = left;
        cuts += 1 + MORE_PICTURES;
    }
    // The last one is looked at as well.
    recover(&machine, &options, &mut model, &mut rng).close().unwrap();
    machine.verify();
}

/// The power goes while what an earlier cut left is opened, or soon after.
fn cut_while_opening(machine: &Machine, options: &Options, rng: &mut StdRng) -> Machine {
    machine.faults.cut_power_after(rng.random_range(0..40));
    let opened = machine.open(options);
    assert!(opened.is_ok() || machine.faults.is_power_off(), "{:?}", opened.err());
    machine.after_power_cut(rng.random())
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Says how to repeat a seed, should it fail.
struct Repeat<'a> {
    seed: u64,
    has_failed: &'a AtomicBool,
}

impl Drop for Repeat<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.has_failed.store(true, Ordering::Relaxed);
            eprintln!(
                "repeat it with: CAIRN_POWER_SEED={} cargo test --locked -p cairn-engine --lib \
                 simulation::power -- --nocapture",
                self.seed
            );
        }
    }
}

#[test]
fn what_was_acknowledged_survives_every_power_cut() {
    let clock = Env::os().clock;
    let first = variable("CAIRN_POWER_SEED").or(variable("CAIRN_POWER_FIRST")).unwrap_or(0);
    let count = match (variable("CAIRN_POWER_SEED"), variable("CAIRN_POWER_CUTS")) {
        (Some(_), _) => 1,
        (None, cuts) => cuts.unwrap_or(20_000).div_ceil(CUTS),
    };
    let (next, has_failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let is_over = |seed: u64| match variable("CAIRN_POWER_SECONDS") {
        Some(0) => false,
        Some(seconds) => clock.elapsed() >= Duration::from_secs(seconds),
        None => seed - first >= count,
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !has_failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if is_over(seed) {
                        return;
                    }
                    let _repeat = Repeat { seed, has_failed: &has_failed };
                    history(seed);
                }
            });
        }
    });
}
