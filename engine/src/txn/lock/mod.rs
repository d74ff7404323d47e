//! The lock table: who may touch which row, table or advisory key, and who waits for whom.
//!
//! Locks live in memory only; a crash releases them all. The table is split into shards by key, so
//! that uncontended locks cost one short mutex. Waiting is the slow path: waits begin under one
//! mutex, which lets [`deadlock`] see every cycle.
//!
//! # Locking
//! The mutex of the waits before a shard's, a shard's before a waiter's. Never two shards at once.

mod deadlock;
mod entry;
mod mode;
mod waiter;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ahash::{HashMap, RandomState};

use crate::error::{Error, Result};
use crate::keyspace::ObjectId;
use crate::sync::Mutex;
use crate::txn::blocking::BlockingHook;

use deadlock::{Edges, Wait, Waits};
use entry::{Answer, Entry};
use waiter::{Waiter, Wakeup};

pub use entry::LockScope;
pub use mode::{LockMode, LockStrength, TableLockMode};

/// Shards per kind of target: enough that threads on different keys rarely meet.
const SHARDS_PER_SPACE: usize = 64;
const SPACES: usize = 3;

/// Who holds a lock: a transaction, or the session that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockOwner(pub u64);

/// What is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockTarget<'a> {
    /// A key, such as a row's.
    Key(&'a [u8]),
    /// A whole table.
    Table(ObjectId),
    /// A number or name that only the application understands.
    Advisory(&'a [u8]),
}

/// What to do when a lock is held by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitPolicy {
    /// Wait in the queue, for at most this long.
    Wait(Option<Duration>),
    /// Do not wait.
    NoWait,
}

/// Whether a lock was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum LockOutcome {
    /// The lock is held now.
    Granted,
    /// Another holds it and the policy was [`WaitPolicy::NoWait`].
    WouldBlock,
}

/// One line of `pg_locks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockInfo {
    /// Who holds or wants it.
    pub owner: LockOwner,
    /// What kind of thing: compare with the variants of [`LockTarget`].
    pub space: LockSpace,
    /// The key; a table's number in big-endian order.
    pub key: Vec<u8>,
    /// How.
    pub mode: LockMode,
    /// For how long it was asked.
    pub scope: LockScope,
    /// `None`: held. Otherwise how long it has been waiting.
    pub waiting: Option<Duration>,
}

/// The kinds of [`LockTarget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockSpace {
    /// [`LockTarget::Key`].
    Key,
    /// [`LockTarget::Table`].
    Table,
    /// [`LockTarget::Advisory`].
    Advisory,
}

/// What is asked of the lock table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) owner: LockOwner,
    pub(crate) target: LockTarget<'a>,
    pub(crate) mode: LockMode,
    pub(crate) scope: LockScope,
    pub(crate) policy: WaitPolicy,
    pub(crate) cancel: Option<&'a AtomicBool>,
}

/// Names a lock that its owner has to release.
#[derive(Clone, Debug)]
pub(crate) struct HeldLock {
    shard: usize,
    key: Arc<[u8]>,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Acquired {
    /// Granted, and the owner must remember to release it.
    New(HeldLock),
    /// Granted; the owner knew this lock already.
    Again,
    /// Held by another, and the policy was not to wait.
    WouldBlock,
}

type Shard = HashMap<Arc<[u8]>, Entry>;

/// All locks of a database.
pub(crate) struct LockTable {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    waits: Mutex<Waits>,
    blocking: Arc<BlockingHook>,
}

impl LockTable {
    pub(crate) fn new(blocking: Arc<BlockingHook>) -> Self {
        let shards = (0..SPACES * SHARDS_PER_SPACE).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new(), waits: Mutex::default(), blocking }
    }

    /// Grants a lock, waits for it, or says why not.
    ///
    /// # Errors
    /// `Deadlock`; `LockNotAvailable` when the time is over; `Cancelled`.
    pub(crate) fn acquire(&self, request: Request<'_>) -> Result<Acquired> {
        let table_key;
        let (space, key) = match request.target {
            LockTarget::Key(key) => (LockSpace::Key, key),
            LockTarget::Advisory(key) => (LockSpace::Advisory, key),
            LockTarget::Table(ObjectId(id)) => {
                table_key = id.to_be_bytes();
                (LockSpace::Table, &table_key[..])
            }
        };
        let shard = self.shard_of(space, key);
        if let Some(acquired) = self.try_acquire(shard, key, request) {
            return Ok(acquired);
        }
        match request.policy {
            WaitPolicy::NoWait => Ok(Acquired::WouldBlock),
            WaitPolicy::Wait(limit) => self.wait(shard, key, request, limit),
        }
    }

    /// Releases what a transaction holds.
    pub(crate) fn release(&self, owner: LockOwner, locks: Vec<HeldLock>) {
        for lock in locks {
            self.change(&lock, |entry| entry.release(owner));
        }
    }

    /// Releases every session-scoped lock of `owner`.
    pub(crate) fn release_session(&self, owner: LockOwner) {
        for shard in &self.shards {
            shard.lock().retain(|_, entry| {
                entry.release_session(owner);
                !entry.is_idle()
            });
        }
    }

    /// Takes back one session-scoped lock; whether it was held.
    pub(crate) fn unlock_session(
        &self,
        owner: LockOwner,
        key: &[u8],
        strength: LockStrength,
    ) -> bool {
        let shard = self.shard_of(LockSpace::Advisory, key);
        let mut entries = self.shards[shard].lock();
        let Some(entry) = entries.get_mut(key) else { return false };
        let was_held = entry.unlock_session(owner, LockMode::Row(strength));
        if entry.is_idle() {
            entries.remove(key);
        }
        was_held
    }

    /// Makes `owner`, if it waits, look at its cancel flag.
    pub(crate) fn wake(&self, owner: LockOwner) {
        if let Some(wait) = self.waits.lock().get(&owner) {
            wait.waiter.wake();
        }
    }

    /// Whom `owner` waits for, conflicting holders and earlier requests, each once.
    pub(crate) fn blocking(&self, owner: LockOwner) -> Vec<LockOwner> {
        let Some(wait) = self.waits.lock().get(&owner).cloned() else { return Vec::new() };
        let mut blockers = self.edges(&wait).map(|edges| edges.blockers).unwrap_or_default();
        blockers.sort_unstable();
        blockers.dedup();
        blockers
    }

    /// Every lock that is held or wanted. Shards are read one after the other, so this is not one
    /// instant's picture.
    pub(crate) fn list(&self) -> Vec<LockInfo> {
        let mut list = Vec::new();
        for (index, shard) in self.shards.iter().enumerate() {
            let space = [LockSpace::Key, LockSpace::Table, LockSpace::Advisory]
                [(index / SHARDS_PER_SPACE).min(SPACES - 1)];
            for (key, entry) in shard.lock().iter() {
                list.extend(entry_infos(space, key, entry));
            }
        }
        list
    }

    fn try_acquire(&self, shard: usize, key: &[u8], request: Request<'_>) -> Option<Acquired> {
        let mut entries = self.shards[shard].lock();
        let Request { owner, mode, scope, .. } = request;
        if let Some(entry) = entries.get_mut(key) {
            return match entry.request(owner, mode, scope) {
                Answer::Blocked => None,
                Answer::Again => Some(Acquired::Again),
                Answer::New => {
                    let (key, _) = entries.get_key_value(key)?;
                    Some(Acquired::New(HeldLock { shard, key: Arc::clone(key) }))
                }
            };
        }
        let key: Arc<[u8]> = key.into();
        let _ = entries.entry(Arc::clone(&key)).or_default().request(owner, mode, scope);
        Some(Acquired::New(HeldLock { shard, key }))
    }

    fn wait(
        &self,
        shard: usize,
        key: &[u8],
        request: Request<'_>,
        limit: Option<Duration>,
    ) -> Result<Acquired> {
        let wait = self.begin_wait(shard, key, request)?;
        let mut wakeup = Wakeup::TimedOut;
        self.blocking.run(&mut || wakeup = wait.waiter.sleep(limit, request.cancel));
        self.waits.lock().remove(&request.owner);
        let grant = match &wakeup {
            Wakeup::Granted(grant) => Some(*grant),
            // It may have been granted in the last moment: then the lock is held, and the caller
            // must learn of it to release it. A cancelled caller finds its flag at its next check.
            Wakeup::TimedOut | Wakeup::Cancelled => self.withdraw(&wait),
        };
        match (grant, wakeup) {
            (Some(grant), _) if grant.is_new => {
                Ok(Acquired::New(HeldLock { shard, key: wait.key }))
            }
            (Some(_), _) => Ok(Acquired::Again),
            (None, Wakeup::Cancelled) => {
                Err(Error::cancelled("canceling statement due to user request"))
            }
            (None, _) => Err(Error::lock_not_available("canceling statement due to lock timeout")),
        }
    }

    /// Joins the queue; refuses when that would close a cycle.
    fn begin_wait(&self, shard: usize, key: &[u8], request: Request<'_>) -> Result<Wait> {
        let mut waits = self.waits.lock();
        let waiter = Arc::new(Waiter::new(request.owner, request.mode, request.scope));
        let wait = {
            let mut entries = self.shards[shard].lock();
            let key: Arc<[u8]> = match entries.get_key_value(key) {
                Some((key, _)) => Arc::clone(key),
                None => key.into(),
            };
            entries.entry(Arc::clone(&key)).or_default().enqueue(Arc::clone(&waiter));
            Wait { shard, key, waiter }
        };
        waits.insert(request.owner, wait.clone());
        let is_deadlock = deadlock::closes_cycle(&waits, request.owner, |wait| self.edges(wait));
        if is_deadlock && self.withdraw(&wait).is_none() {
            waits.remove(&request.owner);
            return Err(Error::deadlock("deadlock detected"));
        }
        Ok(wait)
    }

    /// Leaves the queue; the grant, when it came first.
    fn withdraw(&self, wait: &Wait) -> Option<waiter::Grant> {
        let lock = HeldLock { shard: wait.shard, key: Arc::clone(&wait.key) };
        self.change(&lock, |entry| {
            entry.withdraw(&wait.waiter);
        });
        wait.waiter.granted()
    }

    fn edges(&self, wait: &Wait) -> Option<Edges> {
        let entries = self.shards[wait.shard].lock();
        let entry = entries.get(&wait.key)?;
        let position = entry.position_in_queue(&wait.waiter)?;
        let is_holder = entry.is_held_by(wait.waiter.owner);
        Some(Edges { blockers: entry.blockers(&wait.waiter), position, is_holder })
    }

    fn change(&self, lock: &HeldLock, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.shards[lock.shard].lock();
        if let Some(entry) = entries.get_mut(&lock.key) {
            change(entry);
            if entry.is_idle() {
                entries.remove(&lock.key);
            }
        }
    }

    fn shard_of(&self, space: LockSpace, key: &[u8]) -> usize {
        let hash = self.hasher.hash_one(key) as usize;
        space as usize * SHARDS_PER_SPACE + hash % SHARDS_PER_SPACE
    }
}

fn entry_infos(space: LockSpace, key: &[u8], entry: &Entry) -> Vec<LockInfo> {
    let held = entry.holders().iter().flat_map(|holder| {
        holder.modes.modes().map(move |mode| (holder.owner, mode, holder.scope, None))
    });
    let wanted = entry
        .queue()
        .map(|waiter| (waiter.owner, waiter.mode, waiter.scope, Some(waiter.began.elapsed())));
    held.chain(wanted)
        .map(|(owner, mode, scope, waiting)| LockInfo {
            owner,
            space,
            key: key.to_vec(),
            mode,
            scope,
            waiting,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::thread;

    use super::LockStrength::{Share, Update};
    use super::*;
    use crate::ErrorKind;

    const FOREVER: WaitPolicy = WaitPolicy::Wait(None);

    fn table() -> Arc<LockTable> {
        Arc::new(LockTable::new(Arc::default()))
    }

    fn request(owner: u64, key: &[u8], strength: LockStrength, policy: WaitPolicy) -> Request<'_> {
        Request {
            owner: LockOwner(owner),
            target: LockTarget::Key(key),
            mode: LockMode::Row(strength),
            scope: LockScope::Transaction,
            policy,
            cancel: None,
        }
    }

    /// Locks, expecting to be the first to hold it.
    fn lock(table: &LockTable, owner: u64, key: &[u8], strength: LockStrength) -> HeldLock {
        match table.acquire(request(owner, key, strength, FOREVER)).unwrap() {
            Acquired::New(lock) => lock,
            other => panic!("{other:?}"),
        }
    }

    fn until_waiting(table: &LockTable, owner: u64) {
        while table.blocking(LockOwner(owner)).is_empty() {
            thread::yield_now();
        }
    }

    #[test]
    fn spaces_are_apart_and_nothing_is_left_behind() {
        let table = table();
        let row = lock(&table, 1, &7_u32.to_be_bytes(), Update);
        let target = LockTarget::Table(ObjectId(7));
        let mode = LockMode::Table(TableLockMode::AccessExclusive);
        let other = Request { target, mode, ..request(2, b"", Update, WaitPolicy::NoWait) };
        let Acquired::New(other) = table.acquire(other).unwrap() else { panic!("it is free") };
        assert_eq!(table.list().len(), 2);
        table.release(LockOwner(1), vec![row]);
        table.release(LockOwner(2), vec![other]);
        assert!(table.list().is_empty());
        assert!(table.shards.iter().all(|shard| shard.lock().is_empty()));
    }

    #[test]
    fn nowait_and_timeout() {
        let table = table();
        let held = lock(&table, 1, b"k", Update);
        let blocked = table.acquire(request(2, b"k", Share, WaitPolicy::NoWait)).unwrap();
        assert!(matches!(blocked, Acquired::WouldBlock));
        let short = WaitPolicy::Wait(Some(Duration::from_millis(1)));
        let error = table.acquire(request(2, b"k", Share, short)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LockNotAvailable);
        assert_eq!(table.list().len(), 1, "the waiter is gone");
        table.release(LockOwner(1), vec![held]);
    }

    #[test]
    fn two_in_opposite_order_deadlock() {
        let table = table();
        let _a = lock(&table, 1, b"a", Update);
        let b = lock(&table, 2, b"b", Update);
        let other = Arc::clone(&table);
        let thread = thread::spawn(move || lock(&other, 1, b"b", Update));
        until_waiting(&table, 1);
        let error = table.acquire(request(2, b"a", Update, FOREVER)).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Deadlock, "deadlock detected"));
        table.release(LockOwner(2), vec![b]);
        thread.join().unwrap();
    }

    #[test]
    fn two_upgrades_deadlock() {
        let table = table();
        let _first = lock(&table, 1, b"k", Share);
        let second = lock(&table, 2, b"k", Share);
        let other = Arc::clone(&table);
        let thread = thread::spawn(move || other.acquire(request(1, b"k", Update, FOREVER)));
        until_waiting(&table, 1);
        let error = table.acquire(request(2, b"k", Update, FOREVER)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        table.release(LockOwner(2), vec![second]);
        assert!(matches!(thread.join().unwrap().unwrap(), Acquired::Again));
    }

    #[test]
    fn a_cycle_through_a_queue_is_found() {
        // 1 holds a; 2 shares b; 3 waits for b alone; 1 waits for b behind 3; 2 waits for a.
        let table = table();
        let a = lock(&table, 1, b"a", Update);
        let b = lock(&table, 2, b"b", Share);
        let spawn = |owner, strength| {
            let other = Arc::clone(&table);
            let thread = thread::spawn(move || {
                let lock = lock(&other, owner, b"b", strength);
                other.release(LockOwner(owner), vec![lock]);
            });
            until_waiting(&table, owner);
            thread
        };
        let threads = [spawn(3, Update), spawn(1, Share)];
        assert_eq!(table.blocking(LockOwner(1)), [LockOwner(3)]);
        let error = table.acquire(request(2, b"a", Share, FOREVER)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        table.release(LockOwner(2), vec![b]);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        table.release(LockOwner(1), vec![a]);
    }

    #[test]
    fn a_queue_is_served_in_order() {
        let table = table();
        let held = lock(&table, 0, b"k", Update);
        let order = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (1..=8)
            .map(|owner| {
                let (other, order) = (Arc::clone(&table), Arc::clone(&order));
                let thread = thread::spawn(move || {
                    let lock = lock(&other, owner, b"k", Update);
                    order.lock().push(owner);
                    other.release(LockOwner(owner), vec![lock]);
                });
                until_waiting(&table, owner);
                thread
            })
            .collect();
        table.release(LockOwner(0), vec![held]);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*order.lock(), (1..=8).collect::<Vec<_>>());
    }

    #[test]
    fn a_waiter_is_cancelled() {
        let table = table();
        let held = lock(&table, 1, b"k", Update);
        let flag = Arc::new(AtomicBool::new(false));
        let (other, cancel) = (Arc::clone(&table), Arc::clone(&flag));
        let thread = thread::spawn(move || {
            let request = request(2, b"k", Update, FOREVER);
            other.acquire(Request { cancel: Some(&cancel), ..request }).unwrap_err().kind()
        });
        until_waiting(&table, 2);
        flag.store(true, Ordering::Release);
        table.wake(LockOwner(2));
        assert_eq!(thread.join().unwrap(), ErrorKind::Cancelled);
        table.release(LockOwner(1), vec![held]);
        assert!(table.list().is_empty());
    }
}
