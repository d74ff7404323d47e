//! Every byte of a data directory that no server holds, checked. Never writes.
//!
//! What is stored is compared with its checksums and with the invariants of the levels
//! ([`mod@crate::lsm::verify`]), and the segments of derived indexes with their checksums. Whether
//! indexes agree with their entries is [`crate::Db::verify_indexes`]' question: that takes an open
//! database.

use std::path::Path;

use crate::env::Env;
use crate::error::Result;
use crate::index;
use crate::lsm::{self, Verification};

/// Checks a data directory.
///
/// # Errors
/// `Unusable` when another process holds it, it is not ours or it is from a newer format; `Io`
/// when it cannot be read at all. Damage is a finding, not an error.
pub fn verify(env: &Env, dir: &Path) -> Result<Verification> {
    let _lock = lsm::hold(env, dir)?;
    let mut result = lsm::check(env, dir)?;
    index::verify::check_files(env, dir, &mut result)?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::env::MemoryFs;
    use crate::index::fulltext::DocumentBuilder;
    use crate::index::geo::Aabb;
    use crate::keyspace::key;
    use crate::{Db, Env, ErrorKind, Isolation, ObjectId, Options, Space};

    const DIR: &str = "/db";

    /// A closed database with an sstable, a WAL, and an index of each kind.
    fn closed() -> (MemoryFs, Env) {
        let files = MemoryFs::default();
        let env = Env::with_files(Arc::new(files.clone()));
        let options = Options { background_thread_count: 0, ..Options::default() };
        let db = Db::open_in(env.clone(), Path::new(DIR), options).unwrap();
        for n in 0..200_u32 {
            let txn = db.begin(Isolation::ReadCommitted);
            let row = n.to_be_bytes();
            txn.put(&key(Space::Row, ObjectId(1), &row), b"a row of some length").unwrap();
            let place = Aabb::point([f64::from(n), 0.0, 0.0]).encode();
            txn.put(&key(Space::Geo, ObjectId(2), &row), &place).unwrap();
            let mut document = DocumentBuilder::default();
            document.push(&format!("word{n}"), []);
            let document = document.finish().encoded().clone();
            txn.put(&key(Space::Text, ObjectId(3), &row), &document).unwrap();
            txn.commit().unwrap();
            if n == 150 {
                db.flush().unwrap();
            }
        }
        db.close().unwrap();
        (files, env)
    }

    /// Every file below the directory.
    fn files_of(env: &Env) -> Vec<std::path::PathBuf> {
        let mut files = Vec::new();
        for name in env.vfs.list(Path::new(DIR)).unwrap() {
            let path = Path::new(DIR).join(name);
            match env.vfs.list(&path) {
                Ok(inside) => files.extend(inside.into_iter().map(|name| path.join(name))),
                Err(_) => files.push(path),
            }
        }
        files
    }

    #[test]
    fn a_flipped_byte_is_found_in_every_kind_of_file() {
        let (files, env) = closed();
        let before = verify(&env, Path::new(DIR)).unwrap();
        assert_eq!(before.findings, []);
        assert!(before.sstable_count > 0 && before.wal_commit_count > 0);
        assert!(before.segment_count >= 2, "one of each kind at least");
        let mut kinds = std::collections::BTreeSet::new();
        for path in files_of(&env) {
            let len = env.vfs.map(&path).unwrap().len();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let places = match name.as_str() {
                // The one is empty, the other is only there to be looked at.
                "LOCK" | "EVENTS" => vec![],
                _ => (0..len).step_by(len.div_ceil(40)).chain([len - 1]).collect(),
            };
            for at in places {
                files.corrupt(&path, at, 0x10);
                let findings = verify(&env, Path::new(DIR)).unwrap().findings;
                files.corrupt(&path, at, 0x10);
                assert!(
                    findings.iter().any(|found| found.file == path && found.offset.is_some()),
                    "{name} byte {at}: {findings:?}"
                );
                kinds.insert(path.extension().map(|kind| kind.to_owned()));
            }
        }
        assert_eq!(kinds.len(), 5, "sst, wal, fts, geo, and those without an ending: {kinds:?}");
    }

    /// The log file with commits in it, and where they end.
    fn log(env: &Env) -> (std::path::PathBuf, usize) {
        let is_log = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "wal");
        let path = files_of(env).into_iter().find(is_log).unwrap();
        let bytes = env.vfs.map(&path).unwrap();
        (path, bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1)
    }

    #[test]
    fn the_last_commit_is_cut_off_after_a_crash_and_missed_after_a_close() {
        let files = MemoryFs::default();
        let env = Env::with_files(Arc::new(files.clone()));
        let options = || Options { background_thread_count: 0, ..Options::default() };
        let db = Db::open_in(env.clone(), Path::new(DIR), options()).unwrap();
        for key in [b"first", b"last."] {
            let txn = db.begin(Isolation::ReadCommitted);
            txn.put(key, b"value").unwrap();
            txn.commit().unwrap();
        }
        let crashed = files.kill_image();
        db.close().unwrap();

        let (path, end) = log(&env);
        files.corrupt(&path, end - 1, 0x01);
        let error = Db::open_in(env, Path::new(DIR), options()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Corruption);
        assert_eq!(error.place().map(|place| place.file.clone()), Some(path));

        let env = Env::with_files(Arc::new(crashed.clone()));
        let (path, end) = log(&env);
        crashed.corrupt(&path, end - 1, 0x01);
        let db = Db::open_in(env, Path::new(DIR), options()).unwrap();
        assert!(db.snapshot().get(b"first").unwrap().is_some());
        assert!(db.snapshot().get(b"last.").unwrap().is_none(), "a torn tail is cut cleanly");
    }

    #[test]
    fn what_is_not_ours_is_refused_and_left_alone() {
        let files = MemoryFs::default();
        let env = Env::with_files(Arc::new(files));
        let absent = Path::new("/absent");
        assert_eq!(verify(&env, absent).unwrap_err().kind(), ErrorKind::Unusable);
        assert_eq!(
            Db::open_existing(env.clone(), absent, Options::default()).err().unwrap().kind(),
            ErrorKind::Unusable
        );
        assert!(!env.vfs.exists(absent).unwrap());
        env.vfs.create_dir_all(Path::new("/other")).unwrap();
        env.vfs.create(Path::new("/other/PG_VERSION")).unwrap();
        for open in [
            verify(&env, Path::new("/other")).map(drop),
            Db::open_existing(env.clone(), Path::new("/other"), Options::default()).map(drop),
        ] {
            assert_eq!(open.unwrap_err().kind(), ErrorKind::Unusable);
        }
        assert_eq!(env.vfs.list(Path::new("/other")).unwrap(), ["PG_VERSION"]);
    }
}
