//! Models: the engine's own code under a scheduler that tries interleavings of its threads.
//!
//! Each model is a few threads with little to do and the invariants that must hold at every step;
//! [`crate::sync`] makes every lock and atomic operation of the code a point where another thread
//! may go on. Schedules are random, with a bias to few preemptions (Burckhardt et al., "A
//! Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010), which is where bugs
//! are. A failing schedule is printed, and repeated by `shuttle::replay` in place of [`check`].
//! Operations are ordered as they are scheduled: weaker orders of memory are not modelled.
//!
//! `cargo test -p cairn-engine --features shuttle --lib models`; the variable
//! `CAIRN_MODEL_SCHEDULES` says how many schedules each model is tried under.

mod cache;
mod commit;
mod lock;
mod memtable;
mod store;

use crate::options::Options;

/// Schedules per model unless the variable says otherwise. 3,000: seconds for all models.
const SCHEDULE_COUNT: usize = 3_000;
/// How many preemptions a schedule is built around.
const DEPTH: usize = 3;

/// Runs a model under many schedules.
///
/// # Panics
/// When one of them breaks an assertion or ends with everyone waiting.
fn check(model: impl Fn() + Send + Sync + Clone + 'static) {
    check_one_in(1, model);
}

/// As [`check`], under fewer schedules, for a model in which much is done.
fn check_one_in(divisor: usize, model: impl Fn() + Send + Sync + Clone + 'static) {
    let count = std::env::var("CAIRN_MODEL_SCHEDULES").ok();
    let count = count.map_or(SCHEDULE_COUNT, |count| count.parse().unwrap()) / divisor;
    shuttle::check_pct(model.clone(), count.div_ceil(2), DEPTH);
    shuttle::check_random(model, count.div_ceil(2));
}

/// No thread but the model's, and memtables that are sealed after a few commits.
fn options() -> Options {
    Options {
        background_thread_count: 0,
        memtable_len_max: 1 << 10,
        block_cache_len_max: 16 << 10,
        block_len: 64,
        wal_allocation_len: 512,
        ..Options::default()
    }
}
