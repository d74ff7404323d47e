//! Damaged segments of derived indexes: built anew from their entries, whoever meets the damage.

use super::*;

/// The closed database with a damaged byte inside one segment of each index, where opening does
/// not look.
fn with_damaged_segments() -> (World, MemoryFs) {
    let (world, _) = World::new(End::Closed);
    let files = world.files.kill_image();
    for path in files_of(&files) {
        match kind(&path) {
            "fts" => files.corrupt(&path, 40, 0x10),
            "geo" => files.corrupt(&path, 2048 + 8, 0x10),
            _ => {}
        }
    }
    (world, files)
}

fn assert_sound(files: &MemoryFs, db: Db, expected: &Answers) {
    assert_eq!(&answers(&db).unwrap(), expected);
    assert_eq!(db.verify_indexes().unwrap(), [""; 0]);
    db.close().unwrap();
    let said = verify(&Env::with_files(Arc::new(files.clone())), Path::new(DIR)).unwrap();
    assert_eq!(said.findings, []);
    assert_eq!(&answers(&open(files).unwrap()).unwrap(), expected);
}

#[test]
fn a_search_that_meets_damage_has_the_index_built_anew() {
    let (world, files) = with_damaged_segments();
    let db = open(&files).unwrap();
    assert_eq!(answers(&db).unwrap_err().kind(), ErrorKind::Corruption);
    // Each pass meets the damage of one index more.
    while answers(&db).is_err() {
        db.flush().unwrap();
    }
    assert_sound(&files, db, world.history.last().unwrap());
}

#[test]
fn a_seal_that_meets_damage_builds_the_index_anew_for_old_snapshots_too() {
    let (world, files) = with_damaged_segments();
    let db = open(&files).unwrap();
    let old = db.begin(Isolation::RepeatableRead);
    assert!(old.get(b"takes a snapshot").unwrap().is_none());
    let before = world.history.last().unwrap();
    let txn = db.begin(Isolation::ReadCommitted);
    (0..4).for_each(|n| put(&txn, n, 9));
    remove(&txn, 20);
    put(&txn, 200, 9);
    txn.commit().unwrap();
    db.flush().unwrap();
    assert_eq!(&answers_of(&old).unwrap(), before, "what it saw it sees still");
    drop(old);
    let now = answers(&db).unwrap();
    assert_eq!(now.rows.len(), before.rows.len());
    assert!(now.found.iter().all(|found| found.len() == now.rows.len()));
    assert_sound(&files, db, &now);
}

#[test]
fn an_index_that_knows_more_than_the_log_is_built_anew() {
    let files = MemoryFs::default();
    let db = open(&files).unwrap();
    for n in 1..3 {
        let txn = db.begin(Isolation::ReadCommitted);
        put(&txn, n, 1);
        txn.commit().unwrap();
    }
    db.shared.maintenance.seal(1).unwrap();
    let killed = files.kill_image();
    db.close().unwrap();
    let log = files_of(&killed).into_iter().find(|path| kind(path) == "wal").unwrap();
    let end = used_len(&bytes_of(&killed, &log).unwrap());
    killed.corrupt(&log, end - 1, 1);
    let db = open(&killed).unwrap();
    let txn = db.begin(Isolation::ReadCommitted);
    put(&txn, 7, 1);
    txn.commit().unwrap();
    let now = answers(&db).unwrap();
    assert_eq!(now.found[0], [1_u32, 7].map(|n| n.to_be_bytes().to_vec()), "the second was torn");
    assert_sound(&killed, db, &now);
}
