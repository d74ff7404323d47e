//! Repairing: what is left is kept, what is lost is named.

use std::collections::BTreeSet;

use super::*;
use crate::lsm::{PastDamage, Salvage};
use crate::repair;

const NEW: &str = "/new";

/// Repairs the files and answers what was said and what the result answers.
fn repaired(files: &MemoryFs, past_damage: PastDamage) -> (Salvage, Answers) {
    let env = Env::with_files(Arc::new(files.clone()));
    let before: Vec<_> = files_of(files).iter().map(|path| bytes_of(files, path)).collect();
    let salvage = repair(&env, Path::new(DIR), Path::new(NEW), past_damage).unwrap();
    let after: Vec<_> = files_of(files).iter().map(|path| bytes_of(files, path)).collect();
    assert_eq!(before, after, "the damaged directory stays as it is");
    assert_eq!(verify(&env, Path::new(NEW)).unwrap().findings, []);
    let db = Db::open_in(env, Path::new(NEW), options()).unwrap();
    let answers = answers(&db).unwrap();
    db.close().unwrap();
    (salvage, answers)
}

#[test]
fn whatever_is_damaged_the_rest_is_kept() {
    for end in [End::Closed, End::Killed] {
        let (world, _) = World::new(end);
        let all: BTreeSet<_> = world.history.iter().flat_map(|then| then.rows.clone()).collect();
        let mut lossy = BTreeSet::new();
        for path in files_of(&world.files) {
            let used = used_len(&bytes_of(&world.files, &path).unwrap());
            let flips = [0, used / 5, used / 2, used.saturating_sub(1)];
            let flips = flips.into_iter().filter(|at| *at < used).map(|at| Damage::Flip(at, 4));
            for damage in flips.chain([Damage::Cut(used / 2), Damage::Cut(0), Damage::Gone]) {
                let files = world.damaged(&path, &damage);
                let (salvage, answers) = repaired(&files, PastDamage::Leave);
                let what = format!("{} {damage:?}: {:?}", path.display(), salvage.losses);
                assert!(
                    answers
                        .rows
                        .iter()
                        .all(|(key, value)| { all.contains(&(key.clone(), value.clone())) }),
                    "{what}"
                );
                if salvage.is_lossy() {
                    assert!(salvage.losses.iter().any(|loss| loss.file == path), "{what}");
                    lossy.insert(kind(&path).to_owned());
                } else if Some(&answers) != world.history.last() {
                    // A torn write at the end of the log looks like this.
                    assert!(end == End::Killed && kind(&path) == "wal", "{what}");
                    assert!(world.history.contains(&answers), "{what}");
                }
            }
        }
        assert_eq!(lossy, ["MANIFEST", "sst", "wal"].map(String::from).into(), "{end:?}");
    }
}

#[test]
fn without_manifest_the_files_speak_for_themselves() {
    let (world, _) = World::new(End::Closed);
    let files = world.damaged(Path::new("/db/CURRENT"), &Damage::Gone);
    let (salvage, answers) = repaired(&files, PastDamage::Leave);
    assert_eq!(Some(&answers), world.history.last());
    assert!(!salvage.is_lossy(), "{salvage:?}");
    for path in files_of(&files).iter().filter(|path| kind(path) == "MANIFEST") {
        Env::with_files(Arc::new(files.clone())).vfs.remove(path).unwrap();
    }
    Env::with_files(Arc::new(files.clone())).vfs.remove_dir_all(Path::new(NEW)).unwrap();
    let (salvage, answers) = repaired(&files, PastDamage::Leave);
    assert_eq!(Some(&answers), world.history.last());
    assert!(salvage.is_manifest_lost && salvage.is_lossy());
}

#[test]
fn a_lost_block_is_counted_and_its_keys_are_named() {
    let (world, _) = World::new(End::Closed);
    let path = files_of(&world.files).into_iter().find(|path| kind(path) == "sst").unwrap();
    let (_, whole) = repaired(&world.files.kill_image(), PastDamage::Leave);
    let (salvage, left) = repaired(&world.damaged(&path, &Damage::Flip(10, 1)), PastDamage::Leave);
    let [loss] = salvage.losses.as_slice() else { panic!("{salvage:?}") };
    let [place] = loss.places.as_slice() else { panic!("{salvage:?}") };
    assert_eq!((&loss.file, place.offset), (&path, Some(0)));
    let keys = place.keys.as_ref().unwrap();
    let gone: Vec<_> = whole.rows.keys().filter(|key| !left.rows.contains_key(*key)).collect();
    assert!(gone.iter().all(|key| keys.contains(key)), "{keys:?} {gone:?}");
    let (sound, _) = repaired(&world.files.kill_image(), PastDamage::Leave);
    assert_eq!(loss.entry_count_max, Some(sound.entry_count - salvage.entry_count));
    assert!(loss.entry_count_max > Some(0));
    // The index of blocks is behind them: its loss costs nothing.
    let end = bytes_of(&world.files, &path).unwrap().len();
    let (salvage, left) = repaired(&world.damaged(&path, &Damage::Cut(end - 1)), PastDamage::Leave);
    assert_eq!(left, whole);
    assert!(!salvage.is_lossy() && salvage.losses.len() == 1, "{salvage:?}");
}

#[test]
fn commits_behind_a_damaged_one_are_left_out_unless_asked_for() {
    let (world, _) = World::new(End::Closed);
    let log = files_of(&world.files).into_iter().rfind(|path| kind(path) == "wal").unwrap();
    let damaged = || world.damaged(&log, &Damage::Flip(50, 1));
    let (salvage, answers) = repaired(&damaged(), PastDamage::Leave);
    let behind = salvage.behind_damage.unwrap();
    assert_eq!((behind.commit_count, behind.last.0 - behind.first.0), (2, 1));
    assert_eq!(answers, world.history[world.history.len() - 4], "a prefix");
    let (salvage, answers) = repaired(&damaged(), PastDamage::Apply);
    assert_eq!(salvage.behind_damage, Some(behind));
    let last = world.history.last().unwrap();
    assert_eq!(answers.rows.len() + 1, last.rows.len(), "all but the damaged commit");
}
