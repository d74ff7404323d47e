//! What a power cut left: opened, compared with the model, and verified.

use std::collections::BTreeMap;

use rand::Rng;
use rand::rngs::StdRng;

use super::machine::Machine;
use super::model::{Model, modelled};
use super::tables::inside;
use crate::error::ErrorKind;
use crate::index::geo::Aabb;
use crate::keyspace::Direction;
use crate::{Db, Isolation, Options, Snapshot, Timestamp};

/// Opens what is left and checks all of it; the model then says what came back.
pub(super) fn recover(
    machine: &Machine,
    options: &Options,
    model: &mut Model,
    rng: &mut StdRng,
) -> Db {
    machine.verify();
    let db = machine.open(options).unwrap_or_else(|error| panic!("cannot open: {error}"));
    let recovered = db.durable_timestamp().0;
    let found = rows(&db.snapshot(), Direction::Forward);
    let candidates = std::mem::take(model).recovered(recovered);
    let names = names(&db);
    let fits = |candidate: &Model| candidate.at(recovered) == found && candidate.names() == names;
    *model = match candidates.iter().find(|candidate| fits(candidate)) {
        Some(candidate) => candidate.clone(),
        None => {
            let wanted = candidates.iter().map(|candidate| candidate.at(recovered));
            panic!(
                "at {recovered} found {found:?} {names:?}\nwanted {:?}",
                wanted.collect::<Vec<_>>()
            )
        }
    };
    check_names(&db, model);
    check_past(&db, options, model, rng);
    check_indexes(&db, model);
    db
}

/// All that a snapshot sees of what the model knows.
pub(super) fn rows(snapshot: &Snapshot, direction: Direction) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let scan = snapshot.scan(&modelled(), direction).unwrap();
    scan.map(Result::unwrap).map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

/// A snapshot sees what the model does.
pub(super) fn check_rows(snapshot: &Snapshot, model: &Model) {
    let ts = snapshot.timestamp().0;
    assert_eq!(rows(snapshot, Direction::Reverse), model.at(ts), "as of {ts}");
}

fn names(db: &Db) -> BTreeMap<String, u64> {
    db.snapshots().into_iter().map(|named| (named.name, named.timestamp.0)).collect()
}

/// Every name still reads what it did.
fn check_names(db: &Db, model: &Model) {
    for name in model.names().into_keys() {
        check_rows(&db.open_snapshot(&name).unwrap(), model);
    }
}

/// What is kept of the past is what it was.
fn check_past(db: &Db, options: &Options, model: &Model, rng: &mut StdRng) {
    if options.history_retention.is_zero() {
        return;
    }
    let last = db.durable_timestamp().0;
    match db.snapshot_at(Timestamp(rng.random_range(last.saturating_sub(20)..=last))) {
        Ok(snapshot) => check_rows(&snapshot, model),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid),
    }
}

/// The indexes agree with their entries, and those with the rows.
pub(super) fn check_indexes(db: &Db, model: &Model) {
    assert_eq!(db.verify_indexes().unwrap(), [""; 0]);
    let rows = model.at(db.durable_timestamp().0);
    let everywhere = Aabb { min: [f64::MIN; 3], max: [f64::MAX; 3] };
    for &table in &model.tables {
        let txn = db.begin(Isolation::ReadCommitted);
        let hits = txn.search_geo(table.places(), &everywhere).unwrap();
        let mut found: Vec<_> = hits.map(|hit| hit.unwrap().row_key.to_vec()).collect();
        found.sort();
        assert_eq!(found, inside(table, &rows, &everywhere), "places of {table:?}");
    }
}
