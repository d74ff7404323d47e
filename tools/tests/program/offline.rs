//! The tools on a directory that is well, and on one whose index lies.

use cairn_engine::{Db, Direction, Isolation, KeyRange, Options, Space};

use crate::run::{Filled, cairn};

#[test]
fn verify_counts_what_it_checked() {
    let filled = Filled::new();
    let said = filled.must(&["verify"], "");
    assert!(said.contains("all is well"), "{said}");
    for part in ["sstable", "in the log", "index segment", "1 table,", "1348 rows", "index entr"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn verify_finds_an_index_that_disagrees_with_its_rows() {
    for space in [Space::Ordered, Space::Text, Space::Geo] {
        let filled = Filled::new();
        lose_an_entry(&filled, space);
        let said = filled.run(&["verify"], "");
        assert_eq!(said.code, Some(1), "{space:?}: {}", said.out);
        assert!(said.out.contains("places"), "{space:?}: {}", said.out);
        assert!(said.err.contains("1 finding"), "{space:?}: {}", said.err);
    }
}

/// Takes one entry of an index away behind SQL's back.
fn lose_an_entry(filled: &Filled, space: Space) {
    let db = Db::open(&filled.data, Options::default()).unwrap();
    let txn = db.begin(Isolation::ReadCommitted);
    let entries = KeyRange::prefix(&[space as u8]);
    let (key, _) = txn.scan(entries, Direction::Forward).unwrap().next().unwrap().unwrap();
    txn.delete(&key).unwrap();
    txn.commit().unwrap();
    db.close().unwrap();
}

#[test]
fn compact_says_what_it_saved() {
    let filled = Filled::new();
    let said = filled.must(&["compact"], "");
    let lines: Vec<&str> = said.lines().collect();
    let [before, after, saved] = lines.as_slice() else { panic!("{said}") };
    assert!(before.starts_with("before ") && before.contains("row versions"), "{said}");
    assert!(after.starts_with("after ") && after.contains("sstable"), "{said}");
    assert!(saved.starts_with("saved ") && saved.contains("in all files"), "{said}");
    let versions = |line: &str| -> u64 {
        let count = line.rsplit(", ").next().unwrap().split(' ').next().unwrap();
        count.parse().unwrap()
    };
    assert!(versions(after) < versions(before), "deleted rows go: {said}");
    filled.must(&["verify"], "");
}

#[test]
fn stat_shows_levels_sizes_and_amplification() {
    let filled = Filled::new();
    let before = filled.must(&["dump"], "");
    let said = filled.must(&["stat"], "");
    for part in [
        "FILES",
        "log segments",
        "full-text segments",
        "geo segments",
        "LEVEL",
        "row versions",
        "AMPLIFICATION",
        "read ",
        "space ",
        "write ",
        "cairn.public.places",
        "places_price",
        "places_spot",
        "places_doc",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(filled.must(&["dump"], ""), before, "looking changes nothing");
}

#[test]
fn stat_draws_what_became_of_the_files() {
    let filled = Filled::new();
    let plot = filled.data.with_extension("svg");
    filled.must(&["stat", "--plot", crate::run::text(&plot)], "");
    let svg = std::fs::read_to_string(&plot).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("Compaction cascade"), "{svg}");
    std::fs::remove_file(&plot).unwrap();
    std::fs::remove_file(filled.data.join("EVENTS")).unwrap();
    let said = filled.run(&["stat", "--plot", crate::run::text(&plot)], "");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("nothing to draw"), "{}", said.err);
}

#[test]
fn what_was_dumped_is_restored_to_the_same() {
    let filled = Filled::new();
    let dump = filled.must(&["dump"], "");
    let other = tempfile::tempdir().unwrap();
    let data = other.path().join("copy");
    let copy = crate::run::text(&data);
    let restored = crate::run::cairn_reading(&["restore", copy], &dump);
    assert_eq!(restored.code, Some(0), "{}", restored.err);
    assert!(restored.out.contains("1348 copied rows"), "{}", restored.out);
    assert_eq!(cairn(&["dump", copy]).out, dump);
    assert_eq!(cairn(&["verify", copy]).code, Some(0));
}

#[test]
fn a_restore_that_fails_names_the_line() {
    let filled = Filled::new();
    let said = filled.run(&["restore"], "SELECT 1;\n\nSELECT nothing;\n");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("line 3: 42703"), "{}", said.err);
    let said = filled.run(&["dump", "--database", "absent"], "");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("database \"absent\" does not exist"), "{}", said.err);
}
