//! `cairn repair` on directories that are well, damaged, or without a list of their files.

use std::fs;
use std::path::PathBuf;

use crate::run::{Filled, Said, cairn, text};

/// Repairs into a new directory beside the damaged one.
fn repair(filled: &Filled, more: &[&str]) -> (Said, PathBuf) {
    let new = filled.data.with_file_name("new");
    let mut arguments = vec!["repair", text(&filled.data), "--into", text(&new)];
    arguments.extend(more);
    (cairn(&arguments), new)
}

fn the(filled: &Filled, ending: &str) -> PathBuf {
    let mut found: Vec<_> = fs::read_dir(&filled.data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    found.sort();
    found.pop().unwrap()
}

fn flip(path: &PathBuf, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_directory_loses_nothing() {
    let filled = Filled::new();
    let (said, new) = repair(&filled, &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("nothing was lost"), "{}", said.out);
    let dump = |dir| cairn(&["dump", text(dir)]).out;
    assert_eq!(dump(&new), dump(&filled.data));
    let (again, _) = repair(&filled, &[]);
    assert_eq!(again.code, Some(1), "{}", again.out);
    assert!(again.err.contains("exists"), "{}", again.err);
}

#[test]
fn a_lost_block_is_named_by_table_and_indexes_agree_afterwards() {
    let filled = Filled::new();
    let path = the(&filled, "sst");
    let middle = fs::read(&path).unwrap().len() / 3;
    flip(&path, middle);
    let (said, new) = repair(&filled, &[]);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with(text(&path)) && lines[0].contains("at most"), "{}", said.out);
    assert!(lines[1].contains("at byte"), "{}", said.out);
    assert!(lines[2].contains("cairn.public.places"), "{}", said.out);
    let verified = cairn(&["verify", text(&new)]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
}

#[test]
fn commits_behind_a_damaged_one_are_counted() {
    let filled = Filled::new();
    flip(&the(&filled, "wal"), 60);
    let (said, new) = repair(&filled, &[]);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    assert!(said.out.contains("behind the first damage of the log"), "{}", said.out);
    assert_eq!(cairn(&["verify", text(&new)]).code, Some(0));
}

#[test]
fn without_a_manifest_all_files_are_taken() {
    let filled = Filled::new();
    let names = fs::read_dir(&filled.data).unwrap().map(|entry| entry.unwrap().path());
    let lists = |path: &PathBuf| text(path).contains("MANIFEST") || text(path).contains("CURRENT");
    names.filter(lists).for_each(|path| fs::remove_file(path).unwrap());
    let (said, new) = repair(&filled, &[]);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    assert!(said.out.contains("the list of live files is lost"), "{}", said.out);
    let verified = cairn(&["verify", text(&new)]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    assert!(verified.out.contains("1348 rows"), "{}", verified.out);
}

#[test]
fn tools_end_quietly_when_nobody_reads_on() {
    let filled = Filled::new();
    for tool in ["stat", "verify", "dump"] {
        let said = filled.unread(tool);
        assert_eq!((said.code, said.err.as_str()), (Some(141), ""), "{tool}");
    }
}
