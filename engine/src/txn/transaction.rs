//! One transaction: reads through its write set and snapshot, locks, writes, ends.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;

use super::Isolation;
use super::commit::Committed;
use super::lock::{
    Acquired, LockMode, LockOutcome, LockOwner, LockScope, LockStrength, LockTarget, Request,
    TableLockMode, WaitPolicy,
};
use super::oracle::Pin;
use super::read_set::ReadSet;
use super::scan::Scan;
use super::search::{GeoNearest, GeoSearch, OwnEntry, TextSearch};
use super::snapshot::Snapshot;
use super::state::State;
use super::write_set::Statement;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::index::fulltext::{Give, TextQuery};
use crate::index::geo::Aabb;
use crate::keyspace::{self, Direction, KeyRange, ObjectId, PREFIX_LEN, Space};
use crate::lsm::Lsm;
use crate::options::check_entry;
use crate::sync::{Mutex, MutexGuard};
use crate::timestamp::Timestamp;

/// A point in a transaction to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(usize);

/// One transaction. Dropping it rolls it back.
pub struct Transaction {
    db: Db,
    id: u64,
    owner: LockOwner,
    isolation: Isolation,
    /// The snapshot sees at least this commit, durable or not.
    after: Timestamp,
    state: Arc<Mutex<State>>,
}

/// A way to read a version of a key.
type LsmGet = fn(&Lsm, &[u8], Timestamp) -> Result<Option<(Timestamp, Option<Bytes>)>>;

impl Transaction {
    pub(crate) fn new(db: Db, id: u64, isolation: Isolation, after: Timestamp) -> Self {
        let mut state = State { statement: 1, ..State::default() };
        if isolation == Isolation::Serializable {
            state.reads = Some(ReadSet::default());
        }
        let owner = LockOwner(id);
        Self { db, id, owner, isolation, after, state: Arc::new(Mutex::new(state)) }
    }

    /// A number that no other transaction of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The isolation level it began with.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// In whose name it locks: its own, unless [`Transaction::set_lock_owner`] was called.
    pub fn lock_owner(&self) -> LockOwner {
        self.owner
    }

    /// Makes it lock in the name of a session ([`Db::new_lock_owner`]), so that the session's
    /// locks and its transaction's do not stand in each other's way.
    ///
    /// Requires: it holds no lock yet, and the session runs one transaction at a time.
    pub fn set_lock_owner(&mut self, owner: LockOwner) {
        self.owner = owner;
    }

    /// Gives it a flag that ends its waits for locks once it is true. Whoever sets the flag calls
    /// [`Db::wake`] then, so that a sleeper notices at once.
    pub fn set_cancel(&self, cancel: Arc<AtomicBool>) {
        self.state.lock().cancel = Some(cancel);
    }

    /// The timestamp up to which commits of others are seen.
    pub fn snapshot(&self) -> Timestamp {
        self.pinned().1.ts()
    }

    /// Makes it see what a snapshot does. Requires: it has read nothing yet and keeps one snapshot
    /// for all statements.
    pub(crate) fn set_snapshot(&self, snapshot: &Snapshot) {
        assert_eq!(self.isolation, Isolation::RepeatableRead, "one snapshot for all statements");
        self.state.lock().pin = Some(Arc::clone(snapshot.pin()));
    }

    /// The newest commit that something read here came from, if that commit was not yet durable
    /// when it was read; otherwise a timestamp that is durable. Nothing that was read, and no
    /// error, may leave the process before [`Db::wait_durable`] returned for it.
    pub fn depends_on(&self) -> Timestamp {
        self.state.lock().depends_on
    }

    /// Begins the next statement: writes so far become readable, and under
    /// [`Isolation::ReadCommitted`] a new snapshot is taken.
    pub fn begin_statement(&self) {
        let mut state = self.state.lock();
        state.statement += 1;
        let is_stale = state.pin.as_ref().is_some_and(|pin| {
            self.isolation == Isolation::ReadCommitted && pin.ts() < self.db.shared.oracle.durable()
        });
        if is_stale {
            state.pin = None;
        }
        drop(self.pin(state));
    }

    /// Ends the statement: under [`Isolation::ReadCommitted`] its snapshot is given back, so that
    /// an idle transaction does not keep old row versions. Optional.
    pub fn end_statement(&self) {
        if self.isolation == Isolation::ReadCommitted {
            self.state.lock().pin = None;
        }
    }

    /// Reads a key: own writes of earlier statements, else the snapshot.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.read(key, Lsm::get)
    }

    /// As [`Transaction::get`], for a key that an index names: it is there with few exceptions,
    /// which makes it cheaper.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn get_likely(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.read(key, Lsm::get_likely)
    }

    fn read(&self, key: &[u8], get: LsmGet) -> Result<Option<Bytes>> {
        let (mut state, pin) = self.pinned();
        if !state.writes.is_empty()
            && let Some(own) = state.writes.get(key, state.statement)
        {
            return Ok(own);
        }
        if let Some(reads) = &mut state.reads {
            reads.add_key(key);
        }
        drop(state);
        let version = get(&self.db.shared.lsm, key, pin.ts())?;
        Ok(version.and_then(|(_, value)| value))
    }

    /// Reads a key's newest state: all own writes, else the newest commit, even one after the
    /// snapshot. Meaningful when the key is locked.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn get_newest(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let own = self.state.lock().writes.get_newest(key);
        match own {
            Some(value) => Ok(value),
            None => Ok(self.newest_committed(key)?.and_then(|(_, value)| value)),
        }
    }

    /// Whether another transaction committed a change of `key` after this one's snapshot.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn is_changed_since_snapshot(&self, key: &[u8]) -> Result<bool> {
        let snapshot = self.snapshot();
        Ok(self.newest_committed(key)?.is_some_and(|(ts, _)| ts > snapshot))
    }

    /// Whether what the snapshot shows under `key` was committed at or before `ts`. Not so when
    /// it shows nothing.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn committed_before(&self, key: &[u8], ts: Timestamp) -> Result<bool> {
        let (state, pin) = self.pinned();
        drop(state);
        let version = self.db.shared.lsm.get(key, pin.ts())?;
        Ok(version.is_some_and(|(committed, value)| committed <= ts && value.is_some()))
    }

    /// Iterates a key range as of the snapshot, own writes of earlier statements included.
    /// The iterator stays as it is when the transaction writes on.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn scan(&self, range: KeyRange, direction: Direction) -> Result<Scan> {
        let (mut state, pin) = self.pinned();
        let (has_writes, statement) = (!state.writes.is_empty(), state.statement);
        let watch = state.reads.as_mut().map(|reads| reads.begin_scan(range.clone(), direction));
        drop(state);
        let mut scan = Scan::committed(&self.db.shared.lsm, pin, &range, direction)?;
        if has_writes {
            scan = scan.with_own(&self.state, range, statement);
        }
        Ok(match watch {
            Some(number) => scan.watched(&self.state, number),
            None => scan,
        })
    }

    /// Finds the rows whose boxes in a geo index meet `window`, own entries of earlier statements
    /// included. Candidates: the caller fetches each row and checks it.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn search_geo(&self, index: ObjectId, window: &Aabb) -> Result<GeoSearch> {
        let found = self.db.geo_index(index)?;
        let (own, pin) = self.own_entries(Space::Geo, index);
        let found = found.search(window, pin.ts());
        Ok(GeoSearch::new(pin, own, window, found))
    }

    /// Finds the rows of a full-text index that match, as [`Transaction::search_geo`]; `None` when
    /// the query demands no word and every row may match.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn search_text(
        &self,
        index: ObjectId,
        query: &TextQuery,
        give: Give,
    ) -> Result<Option<TextSearch>> {
        let found = self.db.text_index(index)?;
        let (own, pin) = self.own_entries(Space::Text, index);
        let found = found.search(query, pin.ts(), give);
        Ok(found.map(|found| TextSearch::new(pin, own, query, found)))
    }

    /// Walks the rows of a geo index outward from `origin`, as [`Transaction::search_geo`].
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn nearest_geo(&self, index: ObjectId, origin: &Aabb) -> Result<GeoNearest> {
        let found = self.db.geo_index(index)?;
        let (own, pin) = self.own_entries(Space::Geo, index);
        let found = found.nearest(origin, pin.ts());
        Ok(GeoNearest::new(pin, own, origin, found))
    }

    /// Iterates the newest state of a key range: all commits so far, even after the snapshot, and
    /// all own writes. What a foreign key needs to find every row that refers to a locked one.
    ///
    /// # Errors
    /// `Corruption`, `Io`.
    pub fn scan_newest(&self, range: KeyRange, direction: Direction) -> Result<Scan> {
        let oracle = &self.db.shared.oracle;
        let pin = Arc::new(oracle.pin(oracle.published()));
        let mut state = self.state.lock();
        state.depend_on(pin.ts(), oracle.durable());
        let watch = state.reads.as_mut().map(|reads| reads.begin_scan(range.clone(), direction));
        drop(state);
        let scan = Scan::committed(&self.db.shared.lsm, pin, &range, direction)?;
        let scan = scan.with_own(&self.state, range, Statement::MAX);
        Ok(match watch {
            Some(number) => scan.watched(&self.state, number),
            None => scan,
        })
    }

    /// Locks a key until the transaction ends.
    ///
    /// # Errors
    /// `Deadlock`, `LockNotAvailable` after the time limit, `Cancelled`.
    pub fn lock(
        &self,
        key: &[u8],
        strength: LockStrength,
        policy: WaitPolicy,
    ) -> Result<LockOutcome> {
        self.acquire(LockTarget::Key(key), LockMode::Row(strength), policy)
    }

    /// Locks a table until the transaction ends. The engine takes no table locks by itself.
    ///
    /// # Errors
    /// As [`Transaction::lock`].
    pub fn lock_table(
        &self,
        table: ObjectId,
        mode: TableLockMode,
        policy: WaitPolicy,
    ) -> Result<LockOutcome> {
        self.acquire(LockTarget::Table(table), LockMode::Table(mode), policy)
    }

    /// Locks an advisory key until the transaction ends: [`LockStrength::Share`] to share it,
    /// [`LockStrength::Update`] to have it alone. [`Db::lock_session`] is the other kind.
    ///
    /// # Errors
    /// As [`Transaction::lock`].
    pub fn lock_advisory(
        &self,
        key: &[u8],
        strength: LockStrength,
        policy: WaitPolicy,
    ) -> Result<LockOutcome> {
        self.acquire(LockTarget::Advisory(key), LockMode::Row(strength), policy)
    }

    /// Writes a key. The caller has locked whatever guards it; see [`Transaction::update`] for a
    /// write that locks and checks for itself.
    ///
    /// # Errors
    /// `Limit` when the key, the value or the transaction is too large.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        check_entry(key.len(), value.len())?;
        self.record(key, Some(Bytes::copy_from_slice(value)))
    }

    /// Removes a key. As [`Transaction::put`].
    ///
    /// # Errors
    /// `Limit`.
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        self.record(key, None)
    }

    /// Locks `key`, checks that nobody changed it since the snapshot, and writes it
    /// (`None` removes it).
    ///
    /// # Errors
    /// `Conflict` when it changed, and as [`Transaction::lock`] and [`Transaction::put`].
    pub fn update(&self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        // The snapshot comes first: one taken after the wait would see no change.
        let snapshot = self.snapshot();
        let _ = self.lock(key, LockStrength::Update, WaitPolicy::Wait(None))?;
        let is_own = self.state.lock().writes.get_newest(key).is_some();
        if !is_own
            && let Some((ts, _)) = self.newest_committed(key)?
            && ts > snapshot
        {
            // A transaction that begins after this error sees the change and can succeed.
            self.db.wait_durable(ts)?;
            return Err(Error::conflict("could not serialize access due to concurrent update"));
        }
        match value {
            Some(value) => self.put(key, value),
            None => self.delete(key),
        }
    }

    /// Marks a point to go back to.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.state.lock().writes.count())
    }

    /// Takes back every write since `savepoint`. Locks stay.
    pub fn rollback_to(&self, savepoint: Savepoint) {
        self.state.lock().writes.truncate(savepoint.0);
    }

    /// Whether there is anything to commit.
    pub fn has_writes(&self) -> bool {
        !self.state.lock().writes.is_empty()
    }

    /// Commits and waits until the commit is on disk.
    ///
    /// # Errors
    /// `Conflict` under [`Isolation::Serializable`], `Io`, `DiskFull`, `Closed`.
    pub fn commit(self) -> Result<Timestamp> {
        let db = self.db.clone();
        let ts = self.commit_logged()?;
        db.wait_durable(ts)?;
        Ok(ts)
    }

    /// Commits without waiting for the disk: on return the commit is in the log's order and its
    /// locks are free. Nothing that depends on it may leave the process before
    /// [`Db::wait_durable`] returned for the timestamp. A transaction that wrote nothing returns
    /// what it [depends on](Transaction::depends_on).
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn commit_logged(self) -> Result<Timestamp> {
        let mut state = std::mem::take(&mut *self.state.lock());
        let result = self.publish(&mut state);
        self.db.shared.locks.release(self.owner, std::mem::take(&mut state.locks));
        let committed = result?;
        if committed.has_derived {
            self.db.shared.maintenance.after_commit();
        }
        Ok(committed.ts)
    }

    /// Gives everything up.
    pub fn rollback(self) {}

    fn publish(&self, state: &mut State) -> Result<Committed> {
        if state.writes.is_empty() {
            return Ok(Committed { ts: state.depends_on, has_derived: false });
        }
        let reads = match (&mut state.reads, &state.pin) {
            (Some(reads), Some(pin)) => {
                reads.close_scans();
                Some((&*reads, pin.ts()))
            }
            _ => None,
        };
        self.db.shared.committer.commit(&state.writes, reads)
    }

    fn record(&self, key: &[u8], value: Option<Bytes>) -> Result<()> {
        check_entry(key.len(), 0)?;
        let len_max = self.db.shared.options.transaction_len_max;
        let mut state = self.state.lock();
        let statement: Statement = state.statement;
        state.writes.record(statement, key, value, len_max)
    }

    /// What statements before this one wrote to an index, by row key; and the snapshot. A
    /// serializable transaction counts as having read the whole index.
    fn own_entries(&self, space: Space, index: ObjectId) -> (Vec<OwnEntry>, Arc<Pin>) {
        let range = KeyRange::prefix(&keyspace::prefix(space, index));
        let (mut state, pin) = self.pinned();
        let statement = state.statement;
        let writes = state.writes.range(&range, statement, Direction::Forward, usize::MAX);
        if let Some(reads) = &mut state.reads {
            reads.add_range(range);
        }
        let own = writes.into_iter().map(|(key, entry)| (key.slice(PREFIX_LEN..), entry));
        (own.collect(), pin)
    }

    fn newest_committed(&self, key: &[u8]) -> Result<Option<(Timestamp, Option<Bytes>)>> {
        let version = self.db.shared.lsm.get(key, Timestamp::MAX)?;
        let mut state = self.state.lock();
        if let Some(reads) = &mut state.reads {
            reads.add_key(key);
        }
        if let Some((ts, _)) = &version {
            state.depend_on(*ts, self.db.shared.oracle.durable());
        }
        Ok(version)
    }

    fn acquire(
        &self,
        target: LockTarget<'_>,
        mode: LockMode,
        policy: WaitPolicy,
    ) -> Result<LockOutcome> {
        let cancel = self.state.lock().cancel.clone();
        let acquired = self.db.shared.locks.acquire(Request {
            owner: self.owner,
            target,
            mode,
            scope: LockScope::Transaction,
            policy,
            cancel: cancel.as_deref(),
        })?;
        match acquired {
            Acquired::New(lock) => self.state.lock().locks.push(lock),
            Acquired::Again => {}
            Acquired::WouldBlock => return Ok(LockOutcome::WouldBlock),
        }
        Ok(LockOutcome::Granted)
    }

    fn pinned(&self) -> (MutexGuard<'_, State>, Arc<Pin>) {
        self.pin(self.state.lock())
    }

    /// The snapshot, taken now if there is none.
    fn pin<'a>(&'a self, mut state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, Arc<Pin>) {
        if let Some(pin) = &state.pin {
            let pin = Arc::clone(pin);
            return (state, pin);
        }
        let shared = &self.db.shared;
        if self.isolation == Isolation::Serializable {
            let guard = shared.committer.enter_serializable();
            // Commits before the guard were not remembered, so the snapshot must have seen them.
            // When this fails the database is poisoned, and nothing will be committed any more.
            let _ = self.db.wait_durable(guard.from());
            state.serializable = Some(guard);
        }
        let pin = Arc::new(shared.oracle.pin(self.after));
        state.depend_on(pin.ts(), shared.oracle.durable());
        state.pin = Some(Arc::clone(&pin));
        (state, pin)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let state = std::mem::take(&mut *self.state.lock());
        self.db.shared.locks.release(self.owner, state.locks);
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction")
            .field("id", &self.id)
            .field("isolation", &self.isolation)
            .finish_non_exhaustive()
    }
}
