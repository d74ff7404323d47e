//! A file system laid over another one that is only read: changes stay in memory.
//!
//! Offline tools open a data directory on it. Opening recovers, and recovery writes; through an
//! overlay it may, and the directory stays as it was found, to the last byte.
//!
//! # Locking
//! Locks are taken below, so that whoever serves the directory is noticed.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::memory::MemoryFs;
use super::vfs::{File, Lock, Vfs};

/// See the module.
pub struct Overlay {
    below: Arc<dyn Vfs>,
    above: MemoryFs,
    /// Names below that were removed: each with everything in it.
    hidden: Mutex<BTreeSet<PathBuf>>,
}

impl Overlay {
    /// Lays a file system over another one.
    pub fn new(below: Arc<dyn Vfs>) -> Self {
        Self { below, above: MemoryFs::default(), hidden: Mutex::default() }
    }

    fn is_hidden(&self, path: &Path) -> bool {
        let hidden = self.hidden.lock();
        path.ancestors().any(|above| hidden.contains(above))
    }

    /// Makes the directory of a new name known above.
    fn prepare(&self, path: &Path) -> io::Result<()> {
        match path.parent() {
            Some(dir) if self.exists(dir)? => self.above.create_dir_all(dir),
            _ => Ok(()),
        }
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let bytes = self.map(from)?;
        self.create(to)?.write_at(0, &bytes)
    }
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no such file: {}", path.display()))
}

impl Vfs for Overlay {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.prepare(path)?;
        self.above.create(path)
    }

    fn map(&self, path: &Path) -> io::Result<Bytes> {
        if self.above.exists(path)? {
            return self.above.map(path);
        }
        if self.is_hidden(path) { Err(not_found(path)) } else { self.below.map(path) }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.copy(from, to)?;
        self.remove(from)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.exists(to)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.copy(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if !self.exists(path)? {
            return Err(not_found(path));
        }
        self.hidden.lock().insert(path.to_owned());
        if self.above.exists(path)? { self.above.remove(path) } else { Ok(()) }
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        if !self.exists(dir)? {
            return Err(not_found(dir));
        }
        self.hidden.lock().insert(dir.to_owned());
        if self.above.exists(dir)? { self.above.remove_dir_all(dir) } else { Ok(()) }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let is_above = self.above.exists(dir)?;
        let mut names = if is_above { self.above.list(dir)? } else { Vec::new() };
        let is_below = !self.is_hidden(dir) && self.below.exists(dir)?;
        if is_below || !is_above {
            let below = self.below.list(dir)?;
            names.extend(below.into_iter().filter(|name| !self.is_hidden(&dir.join(name))));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.above.exists(path)? || !self.is_hidden(path) && self.below.exists(path)?)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.above.create_dir_all(dir)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        if self.above.exists(path)? { self.above.sync_file(path) } else { Ok(()) }
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        // Where there is no lock file nobody holds it, and none is to be made.
        if self.below.exists(path)? { self.below.lock(path) } else { self.above.lock(path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below() -> (MemoryFs, Overlay) {
        let files = MemoryFs::default();
        files.create_dir_all(Path::new("/db/index")).unwrap();
        for name in ["/db/a", "/db/b", "/db/index/c"] {
            files.create(Path::new(name)).unwrap().write_at(0, name.as_bytes()).unwrap();
        }
        (files.clone(), Overlay::new(Arc::new(files)))
    }

    #[test]
    fn changes_stay_above() {
        let (files, overlay) = below();
        let (a, b, dir) = (Path::new("/db/a"), Path::new("/db/b"), Path::new("/db"));
        overlay.create(Path::new("/db/new")).unwrap().write_at(0, b"new").unwrap();
        overlay.rename(Path::new("/db/new"), a).unwrap();
        overlay.remove(b).unwrap();
        overlay.remove_dir_all(Path::new("/db/index")).unwrap();
        assert_eq!(&overlay.map(a).unwrap()[..], b"new");
        assert!(overlay.map(b).is_err());
        assert!(overlay.map(Path::new("/db/index/c")).is_err());
        assert_eq!(overlay.list(dir).unwrap(), ["a"]);

        assert_eq!(&files.map(a).unwrap()[..], b"/db/a");
        assert_eq!(files.list(dir).unwrap(), ["a", "b", "index"]);
    }

    #[test]
    fn what_comes_back_is_new() {
        let (_, overlay) = below();
        let dir = Path::new("/db/index");
        overlay.remove_dir_all(dir).unwrap();
        overlay.create_dir_all(dir).unwrap();
        assert_eq!(overlay.list(dir).unwrap(), [""; 0]);
        overlay.create(Path::new("/db/index/d")).unwrap();
        assert_eq!(overlay.list(dir).unwrap(), ["d"]);
    }

    #[test]
    fn a_lock_below_is_noticed() {
        let (files, overlay) = below();
        let held = files.lock(Path::new("/db/LOCK")).unwrap();
        assert!(overlay.lock(Path::new("/db/LOCK")).unwrap().is_none());
        drop(held);
        assert!(overlay.lock(Path::new("/db/LOCK")).unwrap().is_some());
        assert!(overlay.list(Path::new("/nowhere")).is_err());
    }
}
