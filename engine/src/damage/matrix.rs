//! Every kind of file, damaged in every way: what `verify` says, and what opening and reading do.
//!
//! One small database has all kinds of files, once closed and once killed. Each damage is tried on
//! a copy of it. Then [`verify`] must name the damage, and the database must open and answer
//! right, or fail with `Corruption`; it never panics and never answers wrong.
//!
//! What cannot be told apart is not asked for: space set aside that is shorter or longer than it
//! was, what the lock file holds, and the event log, which nothing depends on. At the end of the log of a database that was killed, damage
//! looks like a write that a power cut tore: there the last commits may be missing, and `verify`
//! says so in a remark.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::lsm::{Finding, Verification};

/// Files of at most so many bytes are damaged in every one of them.
const SMALL_LEN: usize = 150;
/// Stretches of a larger file that are damaged in one place each.
const STRETCHES: usize = 40;
/// Bytes at the ends of a larger file that are all damaged.
const HEADER_LEN: usize = 16;
const FOOTER_LEN: usize = 24;

/// What is tried on a file.
fn damages(world: &World, older: &[MemoryFs], path: &Path, rng: &mut StdRng) -> Vec<Damage> {
    let whole = bytes_of(&world.files, path).unwrap();
    let used = used_len(&whole);
    let mut all = vec![Damage::Gone];
    let others = files_of(&world.files).into_iter();
    let alike = others.filter(|other| other != path && kind(other) == kind(path));
    all.extend(alike.map(Damage::Swap));
    let is_of = |id: &ObjectId| path.starts_with(format!("{DIR}/index-{}", id.0));
    if OTHERS.iter().any(is_of) {
        return all;
    }
    for at in places(used, rng) {
        all.push(Damage::Flip(at, 1 << rng.random_range(0..8)));
    }
    let behind = [used, (used + whole.len()) / 2, whole.len().saturating_sub(1)];
    let behind = behind.into_iter().filter(|at| *at < whole.len());
    all.extend(behind.map(|at| Damage::Flip(at, 0x40)));
    let mut cuts = vec![0, 1, used / 2, used.saturating_sub(1), whole.len().saturating_sub(1)];
    cuts.extend((0..4).map(|_| rng.random_range(0..=used)));
    cuts.retain(|len| *len < whole.len());
    all.extend(cuts.into_iter().map(Damage::Cut));
    let noise = (0..50).map(|_| rng.random_range(1..=255)).collect();
    all.extend([vec![0], vec![0; 600], vec![7], noise, whole.clone()].map(Damage::Extend));
    let old = older.iter().filter_map(|files| bytes_of(files, path));
    all.extend(old.filter(|old| *old != whole).map(Damage::Old));
    all
}

/// Where bytes are flipped: everywhere in a small file, in a larger one where headers and footers
/// are, and somewhere in each stretch between.
fn places(used: usize, rng: &mut StdRng) -> Vec<usize> {
    if used <= SMALL_LEN {
        return (0..used).collect();
    }
    let step = used / STRETCHES;
    let between = (0..STRETCHES).map(|stretch| stretch * step + rng.random_range(0..step));
    (0..HEADER_LEN).chain(between).chain(used - FOOTER_LEN..used).collect()
}

/// Whether nothing that was written is hurt.
fn is_harmless(whole: &[u8], path: &Path, damage: &Damage) -> bool {
    let is_set_aside = match damage {
        Damage::Cut(len) => *len >= used_len(whole),
        Damage::Extend(more) => more.iter().all(|byte| *byte == 0),
        _ => false,
    };
    matches!(kind(path), "LOCK" | "EVENTS")
        || matches!(kind(path), "wal" | "MANIFEST") && is_set_aside
}

/// Tries one damage; what went wrong.
fn judge(world: &World, end: End, path: &Path, damage: &Damage) -> std::result::Result<(), String> {
    let files = world.damaged(path, damage);
    let env = || Env::with_files(Arc::new(files.clone()));
    let said = verify(&env(), Path::new(DIR)).map_err(|error| format!("verify: {error}"))?;
    let whole = bytes_of(&world.files, path).unwrap();
    let is_harmless = is_harmless(&whole, path, damage);
    let is_named = names(&said, path, damage);
    if !is_harmless && !is_named {
        return Err(format!("verify says {:?} {:?}", said.findings, said.remarks));
    }
    let db = match open(&files) {
        Ok(db) => db,
        Err(error) => return refused(&error),
    };
    match answers(&db) {
        Ok(answers) if Some(&answers) == world.history.last() => Ok(()),
        Ok(answers) if end == End::Killed && is_named && world.history.contains(&answers) => Ok(()),
        Ok(_) => Err("wrong answers".to_owned()),
        Err(error) => refused(&error),
    }
}

/// Whether the report speaks of the damage: of a byte of the file, or, where files changed as a
/// whole, of what does not fit any more.
fn names(said: &Verification, path: &Path, damage: &Damage) -> bool {
    let all = said.findings.iter().chain(&said.remarks);
    match damage {
        Damage::Flip(..) | Damage::Cut(_) | Damage::Extend(_) => {
            all.into_iter().any(|found: &Finding| found.file == path && found.offset.is_some())
        }
        Damage::Gone | Damage::Swap(_) | Damage::Old(_) => all.into_iter().next().is_some(),
    }
}

/// A refusal must be about the damage.
fn refused(error: &crate::Error) -> std::result::Result<(), String> {
    if error.kind() == ErrorKind::Corruption && error.place().is_some() {
        return Ok(());
    }
    Err(format!("{:?}: {error}", error.kind()))
}

fn try_all(end: End) {
    let (world, older) = World::new(end);
    let mut rng = StdRng::seed_from_u64(1);
    let said = verify(&Env::with_files(Arc::new(world.files.kill_image())), Path::new(DIR));
    assert_eq!(said.unwrap().findings, []);
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for path in files_of(&world.files) {
        for damage in damages(&world, &older, &path, &mut rng) {
            *tried.entry(kind(&path).to_owned()).or_default() += 1;
            let attempt = || judge(&world, end, &path, &damage);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt));
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(why)) => wrong.push(format!("{} {damage:?}: {why}", path.display())),
                Err(_) => wrong.push(format!("{} {damage:?}: panic", path.display())),
            }
        }
    }
    let kinds: Vec<&str> = tried.keys().map(String::as_str).collect();
    assert_eq!(
        kinds,
        ["CURRENT", "EVENTS", "LOCK", "MANIFEST", "fts", "geo", "index manifest", "sst", "wal"]
    );
    assert!(wrong.is_empty(), "{} of {tried:?}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_closed_database() {
    try_all(End::Closed);
}

#[test]
fn a_killed_database() {
    try_all(End::Killed);
}
