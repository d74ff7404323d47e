//! Directories that the tools do not touch, and command lines that say nothing.

use std::fs;
use std::path::Path;

use crate::run::{Filled, Said, Serving, cairn, text};

/// Tools that want a directory of ours.
const READERS: [&str; 4] = ["verify", "compact", "dump", "stat"];
/// Tools that make one when there is none.
const MAKERS: [[&str; 2]; 2] = [["restore", ""], ["serve", "--data"]];

fn make(tool: [&str; 2], data: &Path) -> Said {
    let arguments = [tool[0], tool[1], text(data)];
    cairn(&arguments.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>())
}

fn refused(said: &Said, why: &str) {
    assert_eq!(said.code, Some(1), "{why}: {}{}", said.out, said.err);
    assert!(said.err.contains(why), "{why}: {}", said.err);
    assert!(
        said.err.lines().last().is_some_and(|line| line.starts_with("cairn: ")),
        "{}",
        said.err
    );
}

#[test]
fn wrong_use_is_2() {
    for wrong in [
        &[][..],
        &["frobnicate"],
        &["verify"],
        &["verify", "a", "b"],
        &["dump", "dir", "--database"],
        &["stat", "dir", "--unknown"],
        &["backup", "dir"],
        &["backups", "dir", "--remove", "one"],
        &["recover", "dir"],
        &["recover", "dir", "--from", "target", "--until", "2030-01-01"],
        &["recover", "dir", "--from", "target", "--archive", "log", "--until", "soon"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--listen", "127.0.0.1:99999"],
        &["serve", "--max-connections", "0"],
        &["serve", "--max-connections", "many"],
    ] {
        let said = cairn(wrong);
        assert_eq!(said.code, Some(2), "{wrong:?}: {}", said.err);
        assert!(!said.err.is_empty(), "{wrong:?}");
    }
    for right in [&["--help"][..], &["--version"], &["verify", "--help"]] {
        assert_eq!(cairn(right).code, Some(0), "{right:?}");
    }
}

#[test]
fn a_directory_that_a_server_holds() {
    let filled = Filled::new();
    let server = Serving::start(&filled.data);
    for tool in READERS {
        refused(&cairn(&[tool, text(&filled.data)]), "in use by another process");
    }
    for tool in MAKERS {
        refused(&make(tool, &filled.data), "in use by another process");
    }
    assert_eq!(server.terminate(), Some(0));
    filled.must(&["verify"], "");
}

#[test]
fn a_directory_that_is_not_ours_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), "keep me").unwrap();
    for tool in READERS {
        refused(&cairn(&[tool, text(dir.path())]), "not a cairn data directory");
    }
    for tool in MAKERS {
        refused(&make(tool, dir.path()), "not a cairn data directory");
    }
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["notes.txt"]);
    assert_eq!(fs::read(dir.path().join("notes.txt")).unwrap(), b"keep me");
}

#[test]
fn no_directory_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent");
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    for tool in READERS {
        refused(&cairn(&[tool, text(&absent)]), "no such directory");
        assert_eq!(cairn(&[tool, text(&file)]).code, Some(1), "{tool} of a file");
    }
    for tool in MAKERS {
        assert_eq!(make(tool, &file).code, Some(1), "{tool:?} of a file");
    }
    assert!(!absent.exists(), "looking makes nothing");
}

#[test]
fn a_directory_of_a_newer_format() {
    let filled = Filled::new();
    let names = fs::read_dir(&filled.data).unwrap().map(|entry| entry.unwrap().path());
    let manifest = names.into_iter().find(|path| text(path).contains("MANIFEST-")).unwrap();
    let mut bytes = fs::read(&manifest).unwrap();
    bytes[8..12].copy_from_slice(&99_u32.to_le_bytes());
    let sum = crc32(&bytes[..20]);
    bytes[20..24].copy_from_slice(&sum.to_le_bytes());
    fs::write(&manifest, &bytes).unwrap();
    for tool in READERS {
        refused(&cairn(&[tool, text(&filled.data)]), "newer format");
    }
    for tool in MAKERS {
        refused(&make(tool, &filled.data), "newer format");
    }
    assert_eq!(fs::read(&manifest).unwrap(), bytes, "nothing was written");
}

/// CRC-32 as everything on disk carries it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 }
        })
    })
}
