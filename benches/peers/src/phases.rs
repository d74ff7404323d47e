//! The phases: what every engine is asked to do, one after the other.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engines::{Direction, Engine, Kind, Result, Session};
use crate::meter::{Measurement, Meter};
use crate::workload::{Draws, Workload};

/// Records in a commit of the random load.
const LOAD_BATCH_COUNT: u64 = 100;
/// Records that a scan reads.
const SCAN_COUNT: usize = 100;
/// Operations whose data is made ahead, so that making it is not measured.
const CHUNK_COUNT: u64 = 1_000;
/// Elements in the queue of the queue phase.
const QUEUE_LEN: u64 = 1_000;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub workload: Workload,
    pub cache_len: usize,
    /// Point reads and operations of a mix.
    pub operations: u64,
    /// Pushes and pops of the queue, updates of the hot key.
    pub turns: u64,
    /// How long each number of threads commits durably.
    pub commit_time: Duration,
}

type Named = (&'static str, Measurement);
type Phase = fn(&Plan, &dyn Engine) -> Result<Measurement>;

/// The phases that work on the loaded records, in this order: those that change them come last.
const ON_RECORDS: [(&str, Phase); 12] = [
    ("get hit", |plan, engine| reads(plan, engine, |work, draws| work.key(draws.uniform()))),
    ("get zipfian", |plan, engine| reads(plan, engine, |work, draws| work.key(draws.zipfian()))),
    ("get miss", |plan, engine| {
        reads(plan, engine, |work, draws| work.missing_key(draws.uniform()))
    }),
    ("scan 100 forward", |plan, engine| scans(plan, engine, Direction::Forward)),
    ("scan 100 reverse", |plan, engine| scans(plan, engine, Direction::Reverse)),
    ("full scan", full_scan),
    ("mix 95/5", |plan, engine| mix(plan, engine, 5)),
    ("mix 50/50", |plan, engine| mix(plan, engine, 50)),
    ("durable commit, 1 thread", |plan, engine| commits(plan, engine, 1)),
    ("durable commit, 8 threads", |plan, engine| commits(plan, engine, 8)),
    ("durable commit, 32 threads", |plan, engine| commits(plan, engine, 32)),
    ("hot key update", hot_updates),
];

/// All phases but those of reopening; leaves the loaded records in `dir/records`. `wanted` says
/// which are run; loading always is.
pub fn run(
    kind: Kind,
    plan: &Plan,
    dir: &Path,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Named>> {
    let mut done = Vec::new();
    if wanted("sorted load") {
        done.push(("sorted load", fresh(kind, plan, &dir.join("sorted"), sorted_load)?));
    }
    let records = dir.join("records");
    let engine = kind.open(&records, plan.cache_len)?;
    done.push(("random load", random_load(plan, &*engine, &records)?));
    for (name, phase) in ON_RECORDS {
        if wanted(name) {
            done.push((name, phase(plan, &*engine)?));
            if name == "hot key update" {
                done.push(("hot key read", hot_reads(plan, &*engine)?));
            }
            engine.settle()?;
        }
    }
    drop(engine);
    if wanted("queue") {
        done.push(("queue", fresh(kind, plan, &dir.join("queue"), queue)?));
    }
    Ok(done)
}

/// Opens what [`run`] left, and reads one record.
pub fn reopen(kind: Kind, plan: &Plan, dir: &Path) -> Result<Measurement> {
    let mut meter = Meter::start()?;
    let key = plan.workload.key(0);
    let engine = meter.operate(1, || {
        let engine = kind.open(&dir.join("records"), plan.cache_len)?;
        engine.session()?.get(&key, &mut |_| {})?;
        Ok(engine)
    })?;
    let measured = meter.stop(None);
    drop(engine);
    measured
}

/// Opens what [`run`] left, updates, and ends without closing anything.
pub fn crash(kind: Kind, plan: &Plan, dir: &Path) -> Result<()> {
    let engine = kind.open(&dir.join("records"), plan.cache_len)?;
    let mut session = engine.session()?;
    let mut draws = plan.workload.draws(77);
    for _ in 0..plan.operations / 10 {
        update(plan, &mut *session, &mut draws, 9)?;
    }
    std::process::abort()
}

fn update(plan: &Plan, session: &mut dyn Session, draws: &mut Draws, turn: u64) -> Result<()> {
    let record = draws.uniform();
    let (key, value) = (plan.workload.key(record), plan.workload.value(record, turn));
    session.commit(&[(key, Some(value))], false)
}

type InDir = fn(&Plan, &dyn Engine, &Path) -> Result<Measurement>;

/// A phase with a database of its own.
fn fresh(kind: Kind, plan: &Plan, dir: &Path, phase: InDir) -> Result<Measurement> {
    let engine = kind.open(dir, plan.cache_len)?;
    let measured = phase(plan, &*engine, dir);
    drop(engine);
    std::fs::remove_dir_all(dir)?;
    measured
}

fn sorted_load(plan: &Plan, engine: &dyn Engine, dir: &Path) -> Result<Measurement> {
    let work = plan.workload;
    let order = work.sorted();
    let mut meter = Meter::start()?;
    meter.wrote(usize::try_from(work.len_bytes())?);
    // The data is made while it is loaded; what making it takes alone is subtracted.
    let making = |n: &u64| (work.key(*n), work.value(*n, 0));
    meter.operate(work.count, || {
        engine.load_sorted(&mut order.iter().map(making))?;
        engine.settle()
    })?;
    let mut measured = meter.stop(Some((dir, work.len_bytes())))?;
    let mut alone = Meter::start()?;
    alone.operate(work.count, || {
        order.iter().map(making).for_each(|record| drop(std::hint::black_box(record)));
        Ok(())
    })?;
    let alone = alone.stop(None)?;
    measured.cpu_micros -= alone.cpu_micros;
    measured.per_second = 1.0 / (1.0 / measured.per_second - 1.0 / alone.per_second);
    Ok(measured)
}

fn random_load(plan: &Plan, engine: &dyn Engine, dir: &Path) -> Result<Measurement> {
    let work = plan.workload;
    let mut session = engine.session()?;
    let mut meter = Meter::start()?;
    let mut record = 0;
    while record < work.count {
        let end = (record + LOAD_BATCH_COUNT).min(work.count);
        let writes: Vec<_> =
            meter.aside(|| (record..end).map(|n| (work.key(n), Some(work.value(n, 0)))).collect());
        meter.operate(end - record, || session.commit(&writes, false))?;
        record = end;
    }
    drop(session);
    meter.wrote(usize::try_from(work.len_bytes())?);
    engine.settle()?;
    meter.stop(Some((dir, work.len_bytes())))
}

fn reads(
    plan: &Plan,
    engine: &dyn Engine,
    next: fn(&Workload, &mut Draws) -> Vec<u8>,
) -> Result<Measurement> {
    let mut session = engine.session()?;
    let mut draws = plan.workload.draws(1);
    // What the cache holds is what such reads put there.
    for _ in 0..plan.operations / 2 {
        session.get(&next(&plan.workload, &mut draws), &mut |_| {})?;
    }
    let mut meter = Meter::start()?;
    let mut len = 0;
    for _ in 0..plan.operations / CHUNK_COUNT {
        let keys: Vec<_> =
            meter.aside(|| (0..CHUNK_COUNT).map(|_| next(&plan.workload, &mut draws)).collect());
        for key in &keys {
            meter.operate(1, || session.get(key, &mut |value| len += value.len()))?;
        }
    }
    std::hint::black_box(len);
    meter.stop(None)
}

fn scans(plan: &Plan, engine: &dyn Engine, direction: Direction) -> Result<Measurement> {
    let mut session = engine.session()?;
    let mut draws = plan.workload.draws(2);
    let mut meter = Meter::start()?;
    let mut len = 0;
    for _ in 0..plan.operations / 20 {
        let key = meter.aside(|| plan.workload.key(draws.uniform()));
        meter.operate(1, || {
            session.scan(&key, direction, SCAN_COUNT, &mut |key, value| {
                len += key.len() + value.len();
            })
        })?;
    }
    std::hint::black_box(len);
    meter.stop(None)
}

/// One operation is one record.
fn full_scan(plan: &Plan, engine: &dyn Engine) -> Result<Measurement> {
    let mut session = engine.session()?;
    let mut meter = Meter::start()?;
    let mut len = 0;
    let count = meter.operate(plan.workload.count, || {
        let show = &mut |key: &[u8], value: &[u8]| len += key.len() + value.len();
        session.scan(b"", Direction::Forward, usize::MAX, show)
    })?;
    std::hint::black_box(len);
    if count as u64 != plan.workload.count {
        return Err(format!("a full scan of {} records found {count}", plan.workload.count).into());
    }
    meter.stop(None)
}

fn mix(plan: &Plan, engine: &dyn Engine, write_percent: u32) -> Result<Measurement> {
    let work = plan.workload;
    let mut session = engine.session()?;
    let mut draws = work.draws(3);
    let mut meter = Meter::start()?;
    let mut len = 0;
    for turn in 0..plan.operations / CHUNK_COUNT {
        let steps: Vec<_> = meter.aside(|| {
            let mut step = || {
                let record = draws.uniform();
                let is_write = draws.percent(write_percent);
                let value = is_write.then(|| work.value(record, turn + 1));
                [(work.key(record), value)]
            };
            (0..CHUNK_COUNT).map(|_| step()).collect()
        });
        for step in &steps {
            if let [(key, Some(value))] = step {
                meter.wrote(key.len() + value.len());
            }
            meter.operate(1, || match step {
                [(key, None)] => session.get(key, &mut |value| len += value.len()).map(drop),
                writes => session.commit(writes, false),
            })?;
        }
    }
    std::hint::black_box(len);
    drop(session);
    engine.settle()?;
    meter.stop(None)
}

/// Durable updates of one record each.
fn commits(plan: &Plan, engine: &dyn Engine, threads: u64) -> Result<Measurement> {
    let mut meter = Meter::start()?;
    let until = Instant::now() + plan.commit_time;
    let commit = |thread: u64| -> Result<Vec<Duration>> {
        let mut session = engine.session()?;
        let mut draws = plan.workload.draws(100 + thread);
        let mut took = Vec::new();
        while Instant::now() < until {
            let record = draws.uniform();
            let value = plan.workload.value(record, took.len() as u64 + 50);
            let writes = [(plan.workload.key(record), Some(value))];
            let began = Instant::now();
            session.commit(&writes, true)?;
            took.push(began.elapsed());
        }
        Ok(took)
    };
    let all = std::thread::scope(|scope| {
        let commit = &commit;
        let threads: Vec<_> = (0..threads).map(|n| scope.spawn(move || commit(n))).collect();
        let ended =
            threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?);
        ended.collect::<Result<Vec<_>>>()
    })?;
    for took in all.into_iter().flatten() {
        meter.note(1, took);
    }
    meter.stop(None)
}

fn hot_key() -> Vec<u8> {
    b"hot".to_vec()
}

fn hot_updates(plan: &Plan, engine: &dyn Engine) -> Result<Measurement> {
    let mut session = engine.session()?;
    let mut meter = Meter::start()?;
    for turn in 0..plan.turns {
        let writes = meter.aside(|| [(hot_key(), Some(plan.workload.value(0, turn)))]);
        meter.operate(1, || session.commit(&writes, false))?;
    }
    meter.stop(None)
}

/// Reads of the key that was just updated so often; the ratio is to those of a fresh key.
fn hot_reads(plan: &Plan, engine: &dyn Engine) -> Result<Measurement> {
    let mut session = engine.session()?;
    let fresh = b"fresh".to_vec();
    session.commit(&[(fresh.clone(), Some(plan.workload.value(1, 0)))], true)?;
    let mut read = |key: &[u8]| {
        let mut meter = Meter::start()?;
        for _ in 0..plan.operations / 4 {
            meter.operate(1, || session.get(key, &mut |_| {}))?;
        }
        meter.stop(None)
    };
    read(&fresh)?;
    let beside = read(&fresh)?;
    let mut hot = read(&hot_key())?;
    hot.ratio = Some(hot.cpu_micros / beside.cpu_micros);
    Ok(hot)
}

/// A queue table: push at the tail, pop at the head. The ratio is the cost of the last tenth to
/// that of the first.
fn queue(plan: &Plan, engine: &dyn Engine, _: &Path) -> Result<Measurement> {
    let mut session = engine.session()?;
    let pushed = AtomicU64::new(0);
    let push = |session: &mut dyn Session| {
        let number = pushed.fetch_add(1, Ordering::Relaxed);
        let value = plan.workload.value(number, 0);
        session.commit(&[(number.to_be_bytes().to_vec(), Some(value))], false)
    };
    for _ in 0..QUEUE_LEN {
        push(&mut *session)?;
    }
    let mut meter = Meter::start()?;
    let tenth = (plan.turns / 10).max(1);
    let mut times = Vec::new();
    let mut began = Instant::now();
    for turn in 1..=plan.turns {
        push(&mut *session)?;
        meter.operate(1, || {
            let mut head = None;
            let show = &mut |key: &[u8], _: &[u8]| head = Some(key.to_vec());
            session.scan(b"", Direction::Forward, 1, show)?;
            let head = head.ok_or("the queue is empty")?;
            session.commit(&[(head, None)], false)
        })?;
        if turn.is_multiple_of(tenth) {
            times.push(began.elapsed());
            began = Instant::now();
        }
    }
    let mut measured = meter.stop(None)?;
    if let [first, .., last] = times.as_slice() {
        measured.ratio = Some(last.as_secs_f64() / first.as_secs_f64());
    }
    Ok(measured)
}
