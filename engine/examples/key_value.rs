//! The engine without SQL: transactions, a snapshot, scans both ways, a checkpoint.

use cairn_engine::{Db, Direction, Isolation, KeyRange, Options, Result};

fn main() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("cairn-example-{}", std::process::id()));
    let db = Db::open(&dir, Options::default())?;

    let txn = db.begin(Isolation::ReadCommitted);
    for (name, height) in [("Elbrus", "5642"), ("Kazbek", "5054"), ("Shkhara", "5193")] {
        txn.put(name.as_bytes(), height.as_bytes())?;
    }
    txn.commit()?; // on disk now

    let before = db.snapshot();
    let txn = db.begin(Isolation::RepeatableRead);
    txn.update(b"Kazbek", Some(b"5047"))?; // locks, and refuses when somebody else changed it
    txn.update(b"Shkhara", None)?;
    txn.commit()?;

    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("forward, as it was:");
    for row in before.scan(&KeyRange::all(), Direction::Forward)? {
        let (name, height) = row?;
        println!("  {} {}", text(&name), text(&height));
    }
    println!("reverse, as it is:");
    for row in db.snapshot().scan(&KeyRange::all(), Direction::Reverse)? {
        let (name, height) = row?;
        println!("  {} {}", text(&name), text(&height));
    }

    let copy = dir.with_extension("copy");
    db.checkpoint(&copy)?; // a complete database, by hard links
    println!("a copy is in {}", copy.display());
    db.close()
}
