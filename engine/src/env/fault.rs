//! A file system whose operations fail by rule: a full disk, a dying disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::vfs::{File, Lock, Vfs};

/// What may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Creating or linking a file.
    Create,
    /// Writing bytes.
    Write,
    /// Setting space aside.
    Allocate,
    /// Making bytes or names durable.
    Sync,
    /// Renaming a file.
    Rename,
    /// Removing a file.
    Remove,
    /// Reading a file.
    Read,
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// One operation fails.
    Once,
    /// All matching operations fail from then on.
    Forever,
}

/// Which operations fail, and how.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Matches this operation; `None` matches all that change the disk.
    pub operation: Option<Operation>,
    /// Matches paths that contain this.
    pub path_contains: String,
    /// Lets this many matching operations pass first.
    pub skip: u64,
    /// One failure or all.
    pub lasting: Lasting,
    /// The error.
    pub error: io::ErrorKind,
}

#[derive(Default)]
struct Rules {
    rules: Vec<Rule>,
    fired: u64,
}

impl Rules {
    fn check(&mut self, operation: Operation, path: &Path) -> io::Result<()> {
        let name = path.to_string_lossy();
        let mut failure = None;
        self.rules.retain_mut(|rule| {
            let matches = match rule.operation {
                Some(wanted) => wanted == operation,
                None => operation != Operation::Read,
            };
            if failure.is_some() || !matches || !name.contains(&rule.path_contains) {
                return true;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                return true;
            }
            failure = Some(rule.error);
            rule.lasting == Lasting::Forever
        });
        let Some(kind) = failure else { return Ok(()) };
        self.fired += 1;
        Err(io::Error::new(kind, "injected fault"))
    }
}

/// Files that fail by rule. Cheap to clone; all clones share their rules.
#[derive(Clone)]
pub struct FaultFs {
    files: Arc<dyn Vfs>,
    rules: Arc<Mutex<Rules>>,
}

impl FaultFs {
    /// Passes everything on to `files` until rules say otherwise.
    pub fn new(files: Arc<dyn Vfs>) -> Self {
        Self { files, rules: Arc::default() }
    }

    /// Adds a rule.
    pub fn inject(&self, rule: Rule) {
        self.rules.lock().rules.push(rule);
    }

    /// Forgets all rules: the disk works again.
    pub fn heal(&self) {
        self.rules.lock().rules.clear();
    }

    /// How many operations failed so far.
    pub fn fired_count(&self) -> u64 {
        self.rules.lock().fired
    }

    fn check(&self, operation: Operation, path: &Path) -> io::Result<()> {
        self.rules.lock().check(operation, path)
    }
}

impl Vfs for FaultFs {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.check(Operation::Create, path)?;
        let file = self.files.create(path)?;
        Ok(Arc::new(FaultFile { file, path: path.to_owned(), rules: self.rules.clone() }))
    }

    fn map(&self, path: &Path) -> io::Result<Bytes> {
        self.check(Operation::Read, path)?;
        self.files.map(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Operation::Rename, to)?;
        self.files.rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Operation::Create, to)?;
        self.files.hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.check(Operation::Remove, path)?;
        self.files.remove(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.check(Operation::Remove, dir)?;
        self.files.remove_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.files.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.files.exists(path)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.check(Operation::Create, dir)?;
        self.files.create_dir_all(dir)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.check(Operation::Sync, path)?;
        self.files.sync_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.check(Operation::Sync, dir)?;
        self.files.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        self.files.lock(path)
    }
}

struct FaultFile {
    file: Arc<dyn File>,
    path: PathBuf,
    rules: Arc<Mutex<Rules>>,
}

impl File for FaultFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.rules.lock().check(Operation::Write, &self.path)?;
        self.file.write_at(offset, bytes)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.rules.lock().check(Operation::Allocate, &self.path)?;
        self.file.allocate(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.rules.lock().check(Operation::Sync, &self.path)?;
        self.file.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MemoryFs;

    #[test]
    fn rules_fire_after_their_skips() {
        let files = FaultFs::new(Arc::new(MemoryFs::default()));
        files.create_dir_all(Path::new("/db")).unwrap();
        let file = files.create(Path::new("/db/a.wal")).unwrap();
        files.inject(Rule {
            operation: Some(Operation::Write),
            path_contains: ".wal".to_owned(),
            skip: 1,
            lasting: Lasting::Once,
            error: io::ErrorKind::StorageFull,
        });
        file.write_at(0, b"x").unwrap();
        let error = file.write_at(1, b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        file.write_at(1, b"x").unwrap();
        assert_eq!(files.fired_count(), 1);
    }
}
