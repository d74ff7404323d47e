//! One life of a database: random operations, compared with the model, until the power goes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use super::machine::Machine;
use super::model::{Commit, Model, Unsure};
use super::recovery::{check_indexes, check_rows, recover};
use super::tables::{Table, Write, inside};
use crate::error::{ErrorKind, Result};
use crate::index::geo::Aabb;
use crate::keyspace::{Direction, KeyRange};
use crate::{
    Db, Isolation, LockOutcome, LockStrength, Options, Savepoint, Snapshot, Space, Timestamp,
    Transaction, WaitPolicy,
};

/// Rows of a table.
const ROWS: u8 = 24;
/// Tables that are written to at a time.
const TABLES: usize = 3;
/// Transactions open at a time.
const OPEN_MAX: usize = 3;
/// Snapshots held at a time, and names.
const HELD_MAX: usize = 3;

/// A transaction, and what it should see of its own.
struct Open {
    txn: Transaction,
    /// Every write so far, those of index entries included.
    writes: Vec<Write>,
    savepoints: Vec<(Savepoint, usize)>,
}

/// An open database and its users.
pub(super) struct Life<'a> {
    pub db: Db,
    pub machine: &'a Machine,
    pub options: &'a Options,
    pub model: &'a mut Model,
    pub rng: &'a mut StdRng,
    /// Numbers for tables, names and copies: each is used once.
    pub next: &'a mut u32,
    open: Vec<Open>,
    held: Vec<Snapshot>,
}

/// `None` when the power went.
type Step = Option<()>;

impl<'a> Life<'a> {
    pub fn new(
        db: Db,
        (machine, options): (&'a Machine, &'a Options),
        (model, rng, next): (&'a mut Model, &'a mut StdRng, &'a mut u32),
    ) -> Self {
        let (open, held) = (Vec::new(), Vec::new());
        Self { db, machine, options, model, rng, next, open, held }
    }

    /// Does so many things, or as many as there is power for.
    pub fn live(&mut self, steps: u32) {
        for _ in 0..steps {
            if self.machine.faults.is_power_off() || self.step().is_none() {
                return;
            }
        }
    }

    fn step(&mut self) -> Step {
        while self.model.tables.len() < TABLES {
            let table = Table(self.number());
            self.model.tables.push(table);
        }
        match self.rng.random_range(0..100) {
            0..60 => self.transact(),
            60..68 => self.write_now(),
            68..74 => self.sync(),
            74..78 => self.finish(|db| db.flush()),
            78..80 => self.compact(),
            80..84 => self.hold(),
            84..87 => self.name(),
            87..89 => self.ingest(),
            89..91 => self.drop_table(),
            91..93 => self.checkpoint(),
            93..95 => self.reopen(),
            95..97 => {
                self.machine.clock.advance(Duration::from_millis(self.rng.random_range(0..3000)));
                Some(())
            }
            _ => {
                self.check();
                Some(())
            }
        }
    }

    fn number(&mut self) -> u32 {
        *self.next += 1;
        *self.next
    }

    /// What was asked for; `None` when the power went. Nothing else may fail.
    fn must<T>(&self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                assert!(self.machine.faults.is_power_off(), "{error}");
                None
            }
        }
    }

    /// Something after which all commits so far are durable.
    fn finish<T>(&mut self, work: impl FnOnce(&Db) -> Result<T>) -> Step {
        self.must(work(&self.db))?;
        self.model.ack();
        Some(())
    }

    fn sync(&mut self) -> Step {
        let last = Timestamp(self.model.last());
        self.finish(|db| db.wait_durable(last))
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        let len = self.rng.random_range(1..60);
        self.rng.random_bool(0.75).then(|| vec![self.rng.random(); len])
    }

    fn table(&mut self) -> Table {
        self.model.tables[self.rng.random_range(0..TABLES)]
    }

    /// Begins a transaction, or goes on with one.
    fn transact(&mut self) -> Step {
        let at = self.rng.random_range(0..OPEN_MAX);
        if at >= self.open.len() {
            let level = match self.rng.random_range(0..4) {
                0 => Isolation::RepeatableRead,
                1 => Isolation::Serializable,
                _ => Isolation::ReadCommitted,
            };
            let txn = self.db.begin(level);
            self.open.push(Open { txn, writes: Vec::new(), savepoints: Vec::new() });
        }
        let at = at.min(self.open.len() - 1);
        self.open[at].txn.begin_statement();
        match self.rng.random_range(0..20) {
            0..8 => {
                for _ in 0..self.rng.random_range(1..4) {
                    if !self.write(at) {
                        self.open.swap_remove(at).txn.rollback();
                        break;
                    }
                }
            }
            8..10 => return self.read(at),
            10 => {
                let open = &mut self.open[at];
                open.savepoints.push((open.txn.savepoint(), open.writes.len()));
            }
            11 => {
                let open = &mut self.open[at];
                if let Some((savepoint, count)) = open.savepoints.pop() {
                    open.txn.rollback_to(savepoint);
                    open.writes.truncate(count);
                }
            }
            12 => self.open.swap_remove(at).txn.rollback(),
            _ => return self.commit(at),
        }
        Some(())
    }

    /// Writes a row, if nobody else does; false when the transaction must end because the row was
    /// changed behind its back.
    fn write(&mut self, at: usize) -> bool {
        let (table, row, value) = (self.table(), self.rng.random_range(0..ROWS), self.value());
        let open = &mut self.open[at];
        let key = table.row_key(row);
        // Before the lock: a snapshot taken after it would see all changes.
        let snapshot = open.txn.snapshot().0;
        let locked = open.txn.lock(&key, LockStrength::Update, WaitPolicy::NoWait).unwrap();
        if locked != LockOutcome::Granted {
            return true;
        }
        let is_changed = open.txn.is_changed_since_snapshot(&key).unwrap();
        assert_eq!(is_changed, self.model.changed(&key) > snapshot, "{key:?} after {snapshot}");
        if is_changed && open.txn.isolation() != Isolation::ReadCommitted {
            return false;
        }
        for (key, value) in table.writes(row, value.as_deref()) {
            match &value {
                Some(value) => open.txn.put(&key, value).unwrap(),
                None => open.txn.delete(&key).unwrap(),
            }
            open.writes.push((key, value));
        }
        true
    }

    /// A transaction sees its snapshot and its own writes.
    fn read(&mut self, at: usize) -> Step {
        let (table, row) = (self.table(), self.rng.random_range(0..ROWS));
        let corner = f64::from(self.rng.random::<u8>());
        let Open { txn, writes, .. } = &self.open[at];
        let mut rows = self.model.at(txn.snapshot().0);
        for (key, value) in writes {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        let key = table.row_key(row);
        assert_eq!(txn.get(&key).unwrap().map(|value| value.to_vec()), rows.get(&key).cloned());
        let scan = txn.scan(table.rows(), Direction::Forward).unwrap();
        let found: BTreeMap<_, _> =
            scan.map(Result::unwrap).map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        let window = Aabb { min: [corner, 0.0, 0.0], max: [corner + 80.0, 40.0, 0.0] };
        let wanted = inside(table, &rows, &window);
        rows.retain(|key, _| table.rows().contains(key));
        assert_eq!(found, rows);
        let hits = self.must(txn.search_geo(table.places(), &window))?;
        let hits: Vec<_> = hits.map(|hit| hit.unwrap().row_key.to_vec()).collect();
        assert!(wanted.iter().all(|row| hits.contains(row)), "{hits:?} lack some of {wanted:?}");
        Some(())
    }

    fn commit(&mut self, at: usize) -> Step {
        let Open { txn, writes, .. } = self.open.swap_remove(at);
        let (is_serializable, has_writes) =
            (txn.isolation() == Isolation::Serializable, txn.has_writes());
        let commit = Commit { writes, ..Commit::default() };
        match txn.commit_logged() {
            Ok(ts) if has_writes => self.committed(Commit { ts: ts.0, ..commit }),
            Ok(_) => Some(()),
            Err(error) if error.kind() == ErrorKind::Conflict && is_serializable => Some(()),
            Err(error) => self.cut_short(commit, Err(error)),
        }
    }

    /// Waits for a commit to be durable, or does not.
    fn committed(&mut self, commit: Commit) -> Step {
        self.model.push(commit);
        if self.rng.random_bool(0.6) { self.sync() } else { Some(()) }
    }

    fn cut_short(&mut self, commit: Commit, result: Result<()>) -> Step {
        self.model.unsure = Some(Unsure::Commit(commit));
        self.must(result)
    }

    fn write_now(&mut self) -> Step {
        let key = vec![Space::Meta as u8, self.rng.random_range(0..4)];
        let value = self.value();
        let commit = Commit { writes: vec![(key.clone(), value.clone())], ..Commit::default() };
        match self.db.write_now(&key, value.as_deref()) {
            Ok(ts) => self.committed(Commit { ts: ts.0, ..commit }),
            Err(error) => self.cut_short(commit, Err(error)),
        }
    }

    fn compact(&mut self) -> Step {
        let range = if self.rng.random() { KeyRange::all() } else { self.table().rows() };
        self.finish(|db| db.compact(&range))
    }

    /// Takes a snapshot and keeps it for a while, or looks at one.
    fn hold(&mut self) -> Step {
        if self.held.len() < HELD_MAX {
            self.held.push(self.db.snapshot());
        } else {
            let snapshot = self.held.swap_remove(self.rng.random_range(0..HELD_MAX));
            check_rows(&snapshot, self.model);
        }
        Some(())
    }

    /// Gives a snapshot a name, or a name up.
    fn name(&mut self) -> Step {
        let names = self.model.names();
        let known = names.keys().nth(self.rng.random_range(0..HELD_MAX)).cloned();
        let (name, reads_at, outcome) = match known {
            Some(name) => {
                check_rows(&self.db.open_snapshot(&name).unwrap(), self.model);
                let outcome = self.db.drop_snapshot(&name);
                (name, None, outcome)
            }
            None => {
                let (name, now) = (format!("name {}", self.number()), self.db.durable_timestamp());
                let outcome = self.db.create_snapshot(&name);
                outcome.iter().for_each(|named| assert_eq!(named.timestamp, now));
                (name, Some(now.0), outcome.map(drop))
            }
        };
        let commit = Commit { name: Some((name, reads_at)), ..Commit::default() };
        if outcome.is_err() {
            return self.cut_short(commit, outcome);
        }
        self.model.acked = self.db.durable_timestamp().0;
        self.model.push(Commit { ts: self.model.acked, ..commit });
        Some(())
    }

    /// Loads a table that is new, or one that nobody writes to.
    fn ingest(&mut self) -> Step {
        self.open.clear();
        let table = self.table();
        let mut entries = BTreeMap::new();
        for row in 0..self.rng.random_range(0..ROWS) {
            if let Some(value) = self.value() {
                entries.extend(table.writes(row, Some(&value)));
            }
        }
        let entries: BTreeMap<_, _> =
            entries.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let loaded = self.db.ingest(entries.iter().map(Ok));
        let writes = entries.into_iter().map(|(key, value)| (key, Some(value))).collect();
        let commit = Commit { writes, ..Commit::default() };
        match loaded {
            Ok(ts) => {
                self.model.push(Commit { ts: ts.0, ..commit });
                self.model.acked = ts.0;
                Some(())
            }
            Err(error) => self.cut_short(commit, Err(error)),
        }
    }

    /// Drops a table with its indexes; its number is not used again.
    fn drop_table(&mut self) -> Step {
        self.open.clear();
        let at = self.rng.random_range(0..TABLES);
        let table = self.model.tables.swap_remove(at);
        for range in table.ranges() {
            if let Err(error) = self.db.drop_range(&range) {
                self.model.unsure = Some(Unsure::Drop(range));
                return self.must(Err(error));
            }
            self.model.forget(&range);
            self.model.ack();
        }
        Some(())
    }

    /// A copy is whole from the moment on that it is said to be there.
    fn checkpoint(&mut self) -> Step {
        let dir = PathBuf::from(format!("/copy {}", self.number()));
        self.finish(|db| db.checkpoint(&dir))?;
        let cut = self.machine.after_power_cut(self.rng.random());
        assert_eq!(crate::verify(&cut.env(), &dir).unwrap().findings, []);
        let copy = Db::open_in(cut.env(), &dir, self.options.clone()).unwrap();
        assert!(copy.durable_timestamp().0 >= self.model.last());
        check_rows(&copy.snapshot(), self.model);
        check_indexes(&copy, self.model);
        self.machine.env().vfs.remove_dir_all(&dir).ok()
    }

    /// Closes the database and opens it again.
    fn reopen(&mut self) -> Step {
        self.open.clear();
        self.held.clear();
        self.finish(Db::close)?;
        // What is checked here does not depend on how much power is left.
        let closed = self.machine.after_kill();
        let mut model = self.model.clone();
        drop(recover(&closed, self.options, &mut model, self.rng));
        self.db = self.must(self.machine.open(self.options))?;
        Some(())
    }

    /// Snapshots see their commits, whenever they were taken.
    fn check(&mut self) {
        check_rows(&self.db.snapshot(), self.model);
        self.held.iter().for_each(|snapshot| check_rows(snapshot, self.model));
    }
}
