//! A disk that is full or fails, under a whole database: what cannot be done is refused cleanly,
//! reads go on, and once the disk works again so does the database, without being opened anew.
//! Only after a failed sync, or a failed write to what was set aside, does it have to be.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::machine::{DIR, Machine};
use super::recovery;
use super::tables::{Table, Write, inside};
use crate::env::Vfs;
use crate::env::fault::{Lasting, Operation, Rule};
use crate::error::{ErrorKind, Result};
use crate::index::geo::Aabb;
use crate::keyspace::{Direction, KeyRange};
use crate::{Db, Isolation, Options, Space};

/// Tables whose rows have places, and documents as well or not.
const WITH_TEXTS: Table = Table(16);
const WITHOUT_TEXTS: Table = Table(17);
/// A key that nobody reads.
const PROBE: [u8; 2] = [Space::Meta as u8, 0];
const WHOLE: Aabb = Aabb { min: [f64::MIN; 3], max: [f64::MAX; 3] };

fn options(background_thread_count: usize) -> Options {
    Options {
        memtable_len_max: 2 << 10,
        sstable_len_max: 2 << 10,
        block_len: 256,
        block_cache_len_max: 8 << 10,
        delta_len_max: 300,
        level_base_len_max: 4 << 10,
        level0_compaction_count: 2,
        wal_allocation_len: 1 << 10,
        background_thread_count,
        ..Options::default()
    }
}

/// A database and the rows that it must have.
struct Trial {
    machine: Machine,
    db: Db,
    table: Table,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What was refused: after a failed sync it may come back all the same.
    refused: Vec<Write>,
    /// Numbers for values and copies.
    next: u8,
    errors: Vec<ErrorKind>,
    when: String,
}

impl Trial {
    fn new(options: &Options, table: Table, when: String) -> Self {
        let machine = Machine::new();
        let db = machine.open(options).unwrap();
        let (rows, refused, errors) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut trial = Self { machine, db, table, rows, refused, next: 0, errors, when };
        trial.work();
        assert_eq!(trial.errors, [], "{}", trial.when);
        trial
    }

    /// Everything that a database does to its files.
    fn work(&mut self) {
        for row in 0..20 {
            let value = [self.number(); 60];
            let writes = self.table.writes(row, (row % 5 != 4).then_some(&value[..]));
            let committed = commit(&self.db, &writes);
            self.note(committed, &writes);
        }
        self.ingest();
        for outcome in [
            self.db.flush(),
            self.db.compact(&KeyRange::all()).map(drop),
            self.name(),
            self.checkpoint(),
            self.drop_nothing(),
        ] {
            self.errors.extend(outcome.err().map(|error| error.kind()));
        }
        self.check();
    }

    fn number(&mut self) -> u8 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    /// What was committed is there from now on; what was refused is not.
    fn note(&mut self, outcome: Result<()>, writes: &[Write]) {
        if let Err(error) = outcome {
            self.errors.push(error.kind());
            self.refused.extend_from_slice(writes);
            return;
        }
        for (key, value) in writes.iter().filter(|(key, _)| self.table.rows().contains(key)) {
            match value {
                Some(value) => self.rows.insert(key.clone(), value.clone()),
                None => self.rows.remove(key),
            };
        }
    }

    fn ingest(&mut self) {
        let value = vec![self.number(); 30];
        let mut writes: Vec<Write> =
            (30..40).flat_map(|row| self.table.writes(row, Some(&value))).collect();
        writes.sort();
        let entries = writes.iter().map(|(key, value)| Ok((key, value.as_deref().unwrap())));
        let loaded = self.db.ingest(entries).map(drop);
        self.note(loaded, &writes);
    }

    fn name(&self) -> Result<()> {
        match self.db.create_snapshot("name") {
            Ok(_) => self.db.drop_snapshot("name"),
            // One that could not be given up before.
            Err(error) if error.kind() == ErrorKind::Invalid => self.db.drop_snapshot("name"),
            Err(error) => Err(error),
        }
    }

    fn checkpoint(&self) -> Result<()> {
        let copy = Path::new("/copy");
        let made = self.db.checkpoint(copy);
        let env = self.machine.after_kill().env();
        match &made {
            Ok(()) => assert_eq!(crate::verify(&env, copy).unwrap().findings, [], "{}", self.when),
            Err(error) => assert_ne!(error.kind(), ErrorKind::Invalid, "{}: {error}", self.when),
        }
        // Left behind only when it could not be removed either.
        let _ = self.machine.memory.remove_dir_all(copy);
        made
    }

    fn drop_nothing(&self) -> Result<()> {
        Table(3).ranges().iter().try_for_each(|range| self.db.drop_range(range))
    }

    /// Reads go on, and see what was acknowledged and nothing else.
    fn check(&self) {
        let snapshot = self.db.snapshot();
        let scan = snapshot.scan(&self.table.rows(), Direction::Forward).unwrap();
        let found: BTreeMap<_, _> =
            scan.map(Result::unwrap).map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        assert_eq!(found, self.rows, "{}", self.when);
        let txn = self.db.begin(Isolation::ReadCommitted);
        let hits = txn.search_geo(self.table.places(), &WHOLE).unwrap();
        let hits: Vec<_> = hits.map(|hit| hit.unwrap().row_key.to_vec()).collect();
        let wanted = inside(self.table, &self.rows, &WHOLE);
        assert!(wanted.iter().all(|row| hits.contains(row)), "{}", self.when);
    }

    /// What was acknowledged came back, but for what was refused later.
    fn take_over(&mut self) {
        let found = recovery::rows(&self.db.snapshot(), Direction::Forward);
        for key in found.keys().chain(self.rows.keys()) {
            let write = (key.clone(), found.get(key).cloned());
            let is_acknowledged = self.rows.get(key) == write.1.as_ref();
            assert!(is_acknowledged || self.refused.contains(&write), "{}: {write:?}", self.when);
        }
        self.rows = found;
    }

    /// The disk works again, and so does everything else.
    fn go_on(mut self, options: &Options, may_be_closed: bool) {
        self.machine.faults.heal();
        let failed = std::mem::take(&mut self.errors);
        assert!(!failed.contains(&ErrorKind::Corruption), "{}: {failed:?}", self.when);
        if self.db.write_now(&PROBE, None).is_err_and(|error| error.kind() == ErrorKind::Closed) {
            assert!(may_be_closed, "{}: {failed:?}", self.when);
            let _ = self.db.close();
            self.db = self.machine.open(options).unwrap();
            self.take_over();
        }
        self.work();
        assert_eq!(self.errors, [], "{}", self.when);
        assert_eq!(self.db.verify_indexes().unwrap(), [""; 0], "{}", self.when);
        self.db.close().unwrap();
        self.machine.verify();
        let again = self.machine.open(options).unwrap();
        self.db = again;
        self.check();
    }
}

fn commit(db: &Db, writes: &[Write]) -> Result<()> {
    let txn = db.begin(Isolation::ReadCommitted);
    for (key, value) in writes {
        match value {
            Some(value) => txn.put(key, value)?,
            None => txn.delete(key)?,
        }
    }
    txn.commit().map(drop)
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    operation: Operation,
    lasting: Lasting,
    error: io::ErrorKind,
    is_short: bool,
}

/// One trial, with a fault at the `skip`th call of a kind; whether there was one.
fn try_with(fault: Fault, skip: u64, threads: usize) -> bool {
    let Fault { operation, lasting, error, is_short } = fault;
    let options = options(threads);
    let when = format!("{fault:?} skip {skip} threads {threads}");
    // Documents cost more than all the rest.
    let table = if skip.is_multiple_of(3) { WITH_TEXTS } else { WITHOUT_TEXTS };
    let mut trial = Trial::new(&options, table, when);
    let faults = trial.machine.faults.clone();
    let path_contains = String::new();
    let rule = Rule { operation: Some(operation), path_contains, skip, lasting, error };
    if is_short {
        faults.inject_short(rule)
    } else {
        faults.inject(rule)
    }
    trial.work();
    let fired = faults.fired_count() > 0;
    // Where space was set aside a full disk does not show; a disk that fails there is as bad as a
    // failed sync.
    let may_be_closed =
        matches!(operation, Operation::Write | Operation::Sync | Operation::SyncDir);
    trial.go_on(&options, may_be_closed);
    fired
}

fn faults(operations: &[Operation], error: io::ErrorKind) -> Vec<Fault> {
    let both = |&operation: &Operation| {
        [Lasting::Once, Lasting::Forever].map(|lasting| Fault {
            operation,
            lasting,
            error,
            is_short: false,
        })
    };
    operations.iter().flat_map(both).collect()
}

/// Tries every call until none is left to fail; there must have been some.
fn try_every_call(fault: Fault, step: usize, threads: usize) {
    let calls = (0..2000).step_by(step);
    let fired = calls.take_while(|&skip| try_with(fault, skip, threads)).count();
    assert!(fired >= 1, "{fault:?}: {fired}");
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    use Operation::{Allocate, Create, Link, Rename, Write};
    for fault in faults(&[Create, Link, Allocate, Rename, Write], io::ErrorKind::StorageFull) {
        try_every_call(fault, 5, 0);
        try_every_call(fault, 40, 2);
    }
}

#[test]
fn a_failing_disk_refuses_writes_and_nothing_else() {
    use Operation::{List, Read, Remove, Sync, SyncDir, Write};
    for fault in faults(&[Sync, SyncDir, Remove, Read, List], io::ErrorKind::Other) {
        try_every_call(fault, 5, 0);
        try_every_call(fault, 40, 2);
    }
    for lasting in [Lasting::Once, Lasting::Forever] {
        let (operation, error) = (Write, io::ErrorKind::Other);
        try_every_call(Fault { operation, lasting, error, is_short: true }, 5, 0);
    }
}

/// A closed database, for those who open it.
fn closed() -> Machine {
    let trial = Trial::new(&options(0), WITH_TEXTS, "before".to_owned());
    trial.db.close().unwrap();
    trial.machine
}

/// Tries to open a database and to read all of it.
fn read_all(machine: &Machine) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let db = machine.open(&options(0))?;
    let scan = db.snapshot().scan(&WITH_TEXTS.rows(), Direction::Forward)?;
    let rows = scan.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())));
    let rows = rows.collect::<Result<_>>()?;
    let found = db.verify_indexes()?;
    assert_eq!(found, [""; 0]);
    Ok(rows)
}

#[test]
fn opening_fails_cleanly_on_a_disk_that_cannot_be_read() {
    let closed = closed();
    let rows = read_all(&closed.after_kill()).unwrap();
    for operation in [Operation::Read, Operation::List] {
        for is_short in [false, true] {
            let mut failed = 0;
            for skip in 0.. {
                let machine = closed.after_kill();
                let (lasting, error) = (Lasting::Once, io::ErrorKind::Other);
                let path_contains = DIR.to_owned();
                let rule = Rule { operation: Some(operation), path_contains, skip, lasting, error };
                let faults = &machine.faults;
                if is_short {
                    faults.inject_short(rule)
                } else {
                    faults.inject(rule)
                }
                match read_all(&machine) {
                    // What was not read whole was not needed.
                    Ok(found) => assert_eq!(found, rows, "{operation:?} {skip} {is_short}"),
                    Err(error) if is_short && operation == Operation::Read => {
                        assert_eq!(error.kind(), ErrorKind::Corruption, "{skip}: {error}");
                        failed += 1;
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Io, "{operation:?} {skip}: {error}");
                        failed += 1;
                    }
                }
                if faults.fired_count() == 0 {
                    break;
                }
                faults.heal();
                assert_eq!(read_all(&machine).unwrap(), rows, "{operation:?} {skip} {is_short}");
                machine.verify();
            }
            assert!(failed > 1, "{operation:?} {is_short}");
        }
    }
}
