//! What a data directory looks like from outside: its files and their lengths, and what became of
//! them.

use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::error::{Error, Result};
use crate::lsm::events::Event;

/// One file of a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSize {
    /// Its path, from the data directory on.
    pub path: PathBuf,
    /// Its length.
    pub len_bytes: u64,
}

/// The files of a data directory and of the directories in it, by name.
///
/// # Errors
/// `Io`.
pub fn files(env: &Env, dir: &Path) -> Result<Vec<FileSize>> {
    let names = env.vfs.list(dir).map_err(|error| Error::io("list directory", dir, error))?;
    let mut files = Vec::new();
    for name in names {
        // What cannot be listed is a file.
        match env.vfs.list(&dir.join(&name)) {
            Ok(inside) => {
                for inner in inside {
                    files.push(file(env, dir, Path::new(&name).join(inner))?);
                }
            }
            Err(_) => files.push(file(env, dir, PathBuf::from(name))?),
        }
    }
    Ok(files)
}

/// The last flushes, compactions and bulk loads, oldest first.
///
/// # Errors
/// `Io`.
pub fn events(env: &Env, dir: &Path) -> Result<Vec<Event>> {
    crate::lsm::events::read(env, dir)
}

fn file(env: &Env, dir: &Path, path: PathBuf) -> Result<FileSize> {
    let whole = dir.join(&path);
    let bytes = env.vfs.map(&whole).map_err(|error| Error::io("read", &whole, error))?;
    Ok(FileSize { path, len_bytes: bytes.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_indexes_are_listed_too() {
        let env = Env::memory();
        env.vfs.create_dir_all(Path::new("/db/index-7")).unwrap();
        env.vfs.create(Path::new("/db/b")).unwrap().write_at(0, b"xyz").unwrap();
        env.vfs.create(Path::new("/db/index-7/a")).unwrap().write_at(0, b"x").unwrap();
        let found = files(&env, Path::new("/db")).unwrap();
        let found: Vec<_> =
            found.iter().map(|file| (file.path.to_str().unwrap(), file.len_bytes)).collect();
        assert_eq!(found, [("b", 3), ("index-7/a", 1)]);
    }
}
