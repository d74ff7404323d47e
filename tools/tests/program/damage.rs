//! A flipped byte and a cut end of every kind of file: reported with its place, never a panic.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Filled, Said, text};

/// Places in each file where a byte is flipped.
const FLIPS: usize = 6;

/// Every file below a directory, except the lock, which holds nothing, and the event log, on which
/// nothing depends.
fn files(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, all),
            false if path.ends_with("LOCK") || path.ends_with("EVENTS") => {}
            false => all.push(path),
        }
    }
}

fn kind(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy();
    let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
    ending.unwrap_or_else(|| name.split('-').next().unwrap_or_default().to_owned())
}

/// Ended by itself, with a message when something was wrong.
fn orderly(said: &Said, what: &str) {
    assert!(matches!(said.code, Some(0 | 1)), "{what}: {:?} {}", said.code, said.err);
    assert!(!said.err.contains("panicked"), "{what}: {}", said.err);
    assert!(said.code == Some(0) || said.err.contains("cairn: "), "{what}: {}", said.err);
}

/// Where the last byte that is not zero ends: behind it space is only set aside.
fn used_len(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)
}

#[test]
fn verify_reports_a_flipped_byte_with_file_and_offset() {
    let filled = Filled::new();
    let mut all = Vec::new();
    files(&filled.data, &mut all);
    let mut kinds = BTreeSet::new();
    for path in &all {
        let whole = fs::read(path).unwrap();
        let used = used_len(&whole);
        // In the manifest the last edit is a mark of the close; without it the log is only
        // checked as after a crash.
        let inside = if kind(path) == "MANIFEST" { used.saturating_sub(24) } else { used };
        let step = inside.div_ceil(FLIPS).max(1);
        let behind = (used + whole.len()) / 2;
        for at in (0..inside).step_by(step).chain([behind]).filter(|&at| at < whole.len()) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            fs::write(path, &bytes).unwrap();
            let said = filled.run(&["verify"], "");
            let what = format!("{} byte {at} of {}", path.display(), whole.len());
            assert_eq!(said.code, Some(1), "{what}: {}{}", said.out, said.err);
            let place = format!("{} at byte ", path.display());
            assert!(said.out.contains(&place), "{what}: {}{}", said.out, said.err);
            assert!(!said.err.contains("panicked"), "{what}: {}", said.err);
        }
        fs::write(path, &whole).unwrap();
        kinds.insert(kind(path));
    }
    assert_eq!(kinds, ["CURRENT", "MANIFEST", "fts", "geo", "sst", "wal"].map(String::from).into());
    filled.must(&["verify"], "");
}

#[test]
fn verify_reports_a_file_cut_short_or_gone() {
    let filled = Filled::new();
    let mut all = Vec::new();
    files(&filled.data, &mut all);
    for path in &all {
        let whole = fs::read(path).unwrap();
        let used = used_len(&whole);
        for len in [Some(0), Some(used / 3), Some(used - 1), None] {
            match len {
                Some(len) => fs::write(path, &whole[..len]).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            let said = filled.run(&["verify"], "");
            let what = format!("{} cut to {len:?} of {used}", path.display());
            orderly(&said, &what);
            // A manifest without the mark of the close is one of a store that crashed; an index
            // without a manifest is made again from its entries.
            let is_harmless = kind(path) == "MANIFEST" && (len.is_none() || len == Some(used - 1));
            assert!(said.code == Some(1) || is_harmless, "{what}: {}", said.out);
        }
        fs::write(path, &whole).unwrap();
    }
    filled.must(&["verify"], "");
}

#[test]
fn no_tool_panics_on_damage() {
    let filled = Filled::new();
    let mut all = Vec::new();
    files(&filled.data, &mut all);
    let mut done = BTreeSet::new();
    for path in all.iter().filter(|path| done.insert(kind(path))) {
        let whole = fs::read(path).unwrap();
        for at in [used_len(&whole) / 2, used_len(&whole) - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x01;
            fs::write(path, &bytes).unwrap();
            for tool in ["dump", "stat"] {
                let said = filled.run(&[tool], "");
                orderly(&said, &format!("{tool} with {} byte {at}", text(path)));
            }
        }
        fs::write(path, &whole).unwrap();
    }
    filled.must(&["verify"], "");
}
