//! Background workers: wake-up, back-pressure, stop.
//!
//! One thread flushes, the others compact. Writers are slowed down gently when level 0 grows and
//! wait only when a hard bound is reached; readers are never held up. Without threads
//! ([`Options::background_thread_count`] = 0) writers do the work themselves, which makes a run
//! repeatable.
//!
//! [`Options::background_thread_count`]: crate::Options::background_thread_count

use std::sync::Arc;
use std::time::Duration;

use super::store::Store;
use crate::error::{Error, Result};
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Condvar, Mutex};

/// How long a worker waits after a failure before it tries again. 100 ms.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// The longest that one commit is slowed down. 1 ms: felt, not suffered.
const SLOWDOWN_MAX: Duration = Duration::from_millis(1);

/// What workers and those who wait for them tell each other.
#[derive(Default)]
pub(super) struct Background {
    signal: Mutex<Signal>,
    /// There may be work.
    work: Condvar,
    /// Work was done, or failed.
    progress: Condvar,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Signal {
    is_stopping: bool,
    /// Counts calls for work, so that none is missed.
    call_count: u64,
    /// Why the last attempt failed; gone when one succeeds.
    failure: Option<Error>,
    failure_count: u64,
    /// How often a worker looked for work.
    #[cfg(test)]
    round_count: u64,
}

#[derive(Clone, Copy)]
enum Duty {
    Flush,
    Compact,
    Both,
}

impl Background {
    /// Starts the threads.
    pub(super) fn start(store: &Arc<Store>) -> Result<()> {
        let duties: &[Duty] = match store.options.background_thread_count {
            0 => &[],
            1 => &[Duty::Both],
            _ => &[Duty::Flush, Duty::Compact],
        };
        let more = store.options.background_thread_count.saturating_sub(2);
        let duties = duties.iter().copied().chain(std::iter::repeat_n(Duty::Compact, more));
        for duty in duties {
            let worker = store.clone();
            let spawned = thread::Builder::new()
                .name("cairn-lsm".to_owned())
                .spawn(move || worker.work(duty))
                .map_err(|error| Error::io("start a thread", &store.dir, error))?;
            store.background.threads.lock().push(spawned);
        }
        Ok(())
    }

    /// Tells the workers that there may be something to do.
    pub(super) fn call(&self) {
        self.signal.lock().call_count += 1;
        self.work.notify_all();
    }

    /// Has those look again who wait for work to be done.
    pub(super) fn wake_waiting(&self) {
        let _signal = self.signal.lock();
        self.progress.notify_all();
    }

    /// Stops the workers after what they are doing now, and waits for them.
    pub(super) fn stop(&self) {
        self.signal.lock().is_stopping = true;
        self.work.notify_all();
        self.progress.notify_all();
        for thread in self.threads.lock().drain(..) {
            // A worker that panicked has poisoned the store already.
            let _ = thread.join();
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.signal.lock().is_stopping
    }
}

/// Poisons the store when a worker unwinds: what it left half-done is unknown.
struct PoisonOnPanic<'a>(&'a Store);

impl Drop for PoisonOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.wal.poison();
            let mut signal = self.0.background.signal.lock();
            signal.failure = Some(Error::closed("a background worker panicked"));
            signal.failure_count += 1;
            self.0.background.progress.notify_all();
        }
    }
}

impl Store {
    fn work(&self, duty: Duty) {
        let _guard = PoisonOnPanic(self);
        let mut seen = 0;
        let mut has_failed = false;
        loop {
            let outcome = self.do_duty(duty);
            let mut signal = self.background.signal.lock();
            #[cfg(test)]
            {
                signal.round_count += 1;
            }
            self.background.progress.notify_all();
            let has_failed_before = std::mem::replace(&mut has_failed, outcome.is_err());
            match outcome {
                _ if signal.is_stopping => return,
                Ok(did_something) => {
                    if did_something || has_failed_before {
                        signal.failure = None;
                    }
                    if did_something {
                        // A flush makes work for compaction, and the other way round for waiting
                        // writers.
                        signal.call_count += 1;
                        self.background.work.notify_all();
                    } else if signal.call_count == seen {
                        self.background.work.wait(&mut signal);
                    }
                }
                Err(error) => {
                    if signal.failure.is_none() {
                        tracing::error!(%error, "background work failed; trying again");
                    }
                    signal.failure = Some(error);
                    signal.failure_count += 1;
                    self.background.work.wait_for(&mut signal, RETRY_AFTER);
                }
            }
            seen = signal.call_count;
        }
    }

    fn do_duty(&self, duty: Duty) -> Result<bool> {
        match duty {
            Duty::Flush => self.flush_oldest(),
            Duty::Compact => self.compact_once(),
            Duty::Both => Ok(self.flush_oldest()? || self.compact_once()?),
        }
    }

    /// Does all background work there is, in this thread.
    pub(super) fn work_inline(&self) -> Result<()> {
        while self.do_duty(Duty::Both)? {}
        Ok(())
    }

    /// Makes sure that the active memtable takes another batch: seals it when it is full, slows
    /// down or waits when flushes or compactions lag behind.
    ///
    /// Requires: the `write` lock is held.
    ///
    /// # Errors
    /// `DiskFull`, `Io` when the work to wait for fails.
    pub(super) fn make_room(&self) -> Result<()> {
        self.wal.check()?;
        self.slow_down();
        while self.state.load().active.len_bytes() >= self.options.memtable_len_max as u64 {
            if self.is_backlogged() {
                self.wait_for_progress()?;
                continue;
            }
            self.check_archive()?;
            self.seal_active()?;
            self.start_work();
        }
        Ok(())
    }

    fn is_backlogged(&self) -> bool {
        let state = self.state.load();
        state.sealed.len() >= self.options.sealed_memtable_count_max
            || (state.version.level(0).len() >= self.options.level0_stop_count && !self.is_paused())
    }

    /// Calls the workers; without any, does the work now. What fails is tried again later, and
    /// told to whoever must wait for it.
    pub(super) fn start_work(&self) {
        if self.options.background_thread_count > 0 {
            self.background.call();
        } else if let Err(error) = self.work_inline() {
            tracing::warn!(%error, "a flush or a compaction failed");
        }
    }

    /// How often workers looked for work so far.
    #[cfg(test)]
    pub(super) fn round_count(&self) -> u64 {
        self.background.signal.lock().round_count
    }

    /// The more level-0 files there are beyond the bound, the longer a commit takes.
    fn slow_down(&self) {
        let count = self.state.load().version.level(0).len();
        let begin = self.options.level0_slowdown_count;
        let Some(excess) = count.checked_sub(begin).filter(|&excess| excess > 0) else { return };
        if self.options.background_thread_count == 0 || self.is_paused() {
            return;
        }
        let span = self.options.level0_stop_count.saturating_sub(begin).max(1);
        let excess = u32::try_from(excess.min(span)).unwrap_or(1);
        let delay = SLOWDOWN_MAX * excess / u32::try_from(span).unwrap_or(1);
        self.env.clock.sleep(delay);
        self.counters.slowdowns.add(delay);
    }

    /// Waits until a worker finished or failed something.
    fn wait_for_progress(&self) -> Result<()> {
        if self.options.background_thread_count == 0 {
            return self.work_inline();
        }
        let began = self.env.clock.elapsed();
        let failed = {
            let mut signal = self.background.signal.lock();
            let failures = signal.failure_count;
            signal.call_count += 1;
            self.background.work.notify_all();
            while self.is_backlogged() && signal.failure_count == failures && !signal.is_stopping {
                self.background.progress.wait(&mut signal);
            }
            match &signal.failure {
                Some(failure) if self.is_backlogged() => Err(failure.clone()),
                _ if signal.is_stopping => Err(Error::closed("the database is closing")),
                _ => Ok(()),
            }
        };
        self.counters.stalls.add(self.env.clock.elapsed().saturating_sub(began));
        failed
    }

    /// Seals the active memtable and waits until everything appended so far is in sstables.
    ///
    /// # Errors
    /// `Io`, `DiskFull`, `Closed`.
    pub(super) fn flush_all(&self) -> Result<()> {
        let target = {
            let _write = self.write.lock();
            self.wal.check()?;
            let active = self.state.load().active.clone();
            if !active.is_empty() {
                self.seal_active()?;
            }
            self.state.load().sealed.first().map(|memtable| memtable.last_ts())
        };
        let Some(target) = target else { return Ok(()) };
        // Whoever asks does the work: no need to wait for a thread to wake up.
        while self.state.load().version.shape().flushed < target {
            self.flush_oldest()?;
        }
        self.background.call();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use crate::env::fault::{FaultFs, Lasting, Operation, Rule};
    use crate::env::{Env, MemoryFs};
    use crate::lsm::{Batch, Lsm};
    use crate::{Options, Timestamp};

    #[test]
    fn memtables_are_limited_while_flushes_fail() {
        let faults = std::sync::Arc::new(FaultFs::new(std::sync::Arc::new(MemoryFs::default())));
        let options = Options {
            memtable_len_max: 1 << 10,
            sealed_memtable_count_max: 3,
            background_thread_count: 1,
            ..Options::default()
        };
        let env = Env::with_files(faults.clone());
        let lsm = Lsm::open(env, Path::new("/db"), &options).unwrap();
        faults.inject(Rule {
            operation: Some(Operation::Create),
            path_contains: ".sst".to_owned(),
            skip: 0,
            lasting: Lasting::Forever,
            error: io::ErrorKind::StorageFull,
        });
        let mut batch = Batch::new();
        batch.put(b"key", &[7; 400]);
        let refused = (1..).find_map(|ts| lsm.append(Timestamp(ts), &batch).err()).unwrap();
        assert_eq!(refused.kind(), crate::ErrorKind::DiskFull);
        assert_eq!(lsm.store.state.load().sealed.len(), options.sealed_memtable_count_max);
    }
}
