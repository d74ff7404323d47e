//! A sound database out of a damaged one: all that can be read, in a new directory, and an account
//! of what cannot.
//!
//! [`salvage`](mod@crate::lsm::salvage) says what is kept. Derived indexes are built anew from
//! their entries. Whether rows, constraints and ordered indexes still agree is for the layer above
//! to say: it knows what they mean.

use std::path::Path;

use crate::db::Db;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::lsm::{self, PastDamage, Salvage};
use crate::options::Options;

/// Salvages the data directory `dir`, which stays as it is, into the new directory `target`.
///
/// # Errors
/// `Invalid` when `target` exists; `Unusable` when another process holds `dir`, it is not ours or
/// it is from a newer format; `Io`, `DiskFull`. Damage is a loss, not an error.
pub fn repair(env: &Env, dir: &Path, target: &Path, past_damage: PastDamage) -> Result<Salvage> {
    let _lock = lsm::hold(env, dir)?;
    if env.vfs.exists(target).map_err(|error| Error::io("look up", target, error))? {
        let target = target.display();
        return Err(Error::invalid(format!("the directory to repair into exists dir={target}")));
    }
    let options = Options { background_thread_count: 0, ..Options::default() };
    let repaired = lsm::salvage::salvage(env, dir, target, &options, past_damage)
        .and_then(|salvage| check(env, target, options).map(|()| salvage));
    // Half a repair is of no use; its own error says more than that of the removal.
    repaired.inspect_err(|_| drop(env.vfs.remove_dir_all(target)))
}

/// Opens the new database, which builds its derived indexes, and checks all of it.
fn check(env: &Env, dir: &Path, options: Options) -> Result<()> {
    let db = Db::open_in(env.clone(), dir, options)?;
    db.flush()?;
    let disagreement = db.verify_indexes()?.into_iter().next();
    db.close()?;
    drop(db);
    let finding = crate::verify(env, dir)?.findings.first().map(ToString::to_string);
    match disagreement.or(finding) {
        Some(what) => Err(Error::internal(format!("what was salvaged is not sound: {what}"))),
        None => Ok(()),
    }
}
