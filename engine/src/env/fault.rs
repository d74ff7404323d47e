//! A file system whose operations fail by rule, and whose power can go off at any of them: a full
//! disk, a dying disk, the last moments of a machine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::vfs::{File, Lock, Vfs};

/// What may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Creating a file or a directory.
    Create,
    /// Giving a file a second name.
    Link,
    /// Writing bytes.
    Write,
    /// Setting space aside.
    Allocate,
    /// Making bytes durable.
    Sync,
    /// Making names durable.
    SyncDir,
    /// Renaming a file.
    Rename,
    /// Removing a file or a directory.
    Remove,
    /// Reading a file.
    Read,
    /// Reading the names in a directory, or looking for one.
    List,
}

impl Operation {
    fn changes_disk(self) -> bool {
        !matches!(self, Self::Read | Self::List)
    }
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

/// What a failing operation does before it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Nothing,
    Half,
}

/// What is to become of an operation.
enum Verdict {
    Pass,
    Fail(Extent, io::Error),
}

#[derive(Default)]
struct Rules {
    rules: Vec<(Rule, Extent)>,
    fired: u64,
    /// Operations that change the disk and that the power still lasts for.
    power: Option<u64>,
}

impl Rules {
    fn judge(&mut self, operation: Operation, path: &Path) -> Verdict {
        match &mut self.power {
            Some(0) => return Verdict::Fail(Extent::Nothing, io::Error::other("the power is off")),
            Some(left) if operation.changes_disk() => *left -= 1,
            _ => {}
        }
        let name = path.to_string_lossy();
        let mut failure = None;
        self.rules.retain_mut(|(rule, extent)| {
            let matches = match rule.operation {
                Some(wanted) => wanted == operation,
                None => operation.changes_disk(),
            };
            if failure.is_some() || !matches || !name.contains(&rule.path_contains) {
                return true;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                return true;
            }
            failure = Some((*extent, rule.error));
            rule.lasting == Lasting::Forever
        });
        let Some((extent, kind)) = failure else { return Verdict::Pass };
        self.fired += 1;
        Verdict::Fail(extent, io::Error::new(kind, "injected fault"))
    }

    fn check(&mut self, operation: Operation, path: &Path) -> io::Result<()> {
        match self.judge(operation, path) {
            Verdict::Pass => Ok(()),
            Verdict::Fail(_, error) => Err(error),
        }
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

    /// Adds a rule: what it matches fails and does nothing.
    pub fn inject(&self, rule: Rule) {
        self.rules.lock().rules.push((rule, Extent::Nothing));
    }

    /// Adds a rule whose faults do half of the work: a write fails after the first half of its
    /// bytes, and a read gives the first half of the file and no error. Other operations fail.
    pub fn inject_short(&self, rule: Rule) {
        self.rules.lock().rules.push((rule, Extent::Half));
    }

    /// Forgets all rules: the disk works again, and so does the power.
    pub fn heal(&self) {
        let mut rules = self.rules.lock();
        rules.rules.clear();
        rules.power = None;
    }

    /// How many operations failed so far by a rule.
    pub fn fired_count(&self) -> u64 {
        self.rules.lock().fired
    }

    /// Lets the power last for so many operations that change the disk; everything after them
    /// fails.
    pub fn cut_power_after(&self, operations: u64) {
        self.rules.lock().power = Some(operations);
    }

    /// Whether the power is off.
    pub fn is_power_off(&self) -> bool {
        self.rules.lock().power == Some(0)
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
        let verdict = self.rules.lock().judge(Operation::Read, path);
        match verdict {
            Verdict::Pass => self.files.map(path),
            Verdict::Fail(Extent::Half, _) => {
                let bytes = self.files.map(path)?;
                Ok(bytes.slice(..bytes.len() / 2))
            }
            Verdict::Fail(Extent::Nothing, error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Operation::Rename, to)?;
        self.files.rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Operation::Link, to)?;
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
        self.check(Operation::List, dir)?;
        self.files.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.check(Operation::List, path)?;
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
        self.check(Operation::SyncDir, dir)?;
        self.files.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        self.check(Operation::List, path)?;
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
        let verdict = self.rules.lock().judge(Operation::Write, &self.path);
        match verdict {
            Verdict::Pass => self.file.write_at(offset, bytes),
            Verdict::Fail(extent, error) => {
                if extent == Extent::Half {
                    self.file.write_at(offset, &bytes[..bytes.len() / 2])?;
                }
                Err(error)
            }
        }
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

    fn with_file() -> (FaultFs, Arc<dyn File>, &'static Path) {
        let files = FaultFs::new(Arc::new(MemoryFs::default()));
        files.create_dir_all(Path::new("/db")).unwrap();
        let path = Path::new("/db/a.wal");
        let file = files.create(path).unwrap();
        (files, file, path)
    }

    fn rule(operation: Operation, skip: u64) -> Rule {
        Rule {
            operation: Some(operation),
            path_contains: ".wal".to_owned(),
            skip,
            lasting: Lasting::Once,
            error: io::ErrorKind::StorageFull,
        }
    }

    #[test]
    fn rules_fire_after_their_skips() {
        let (files, file, _) = with_file();
        files.inject(rule(Operation::Write, 1));
        file.write_at(0, b"x").unwrap();
        let error = file.write_at(1, b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        file.write_at(1, b"x").unwrap();
        assert_eq!(files.fired_count(), 1);
    }

    #[test]
    fn every_operation_has_its_rule() {
        let (files, file, path) = with_file();
        let (other, dir) = (Path::new("/db/b.wal"), Path::new("/db/.wal"));
        let calls: [(Operation, &dyn Fn() -> io::Result<()>); 14] = [
            (Operation::Create, &|| files.create(path).map(drop)),
            (Operation::Create, &|| files.create_dir_all(dir)),
            (Operation::Link, &|| files.hard_link(path, other)),
            (Operation::Write, &|| file.write_at(0, b"x")),
            (Operation::Allocate, &|| file.allocate(10)),
            (Operation::Sync, &|| file.sync()),
            (Operation::Sync, &|| files.sync_file(path)),
            (Operation::SyncDir, &|| files.sync_dir(dir)),
            (Operation::Rename, &|| files.rename(other, path)),
            (Operation::Read, &|| files.map(path).map(drop)),
            (Operation::List, &|| files.list(dir).map(drop)),
            (Operation::List, &|| files.exists(path).map(drop)),
            (Operation::Remove, &|| files.remove_dir_all(dir)),
            (Operation::Remove, &|| files.remove(path)),
        ];
        for (operation, call) in calls {
            files.inject(rule(operation, 0));
            assert_eq!(call().unwrap_err().kind(), io::ErrorKind::StorageFull, "{operation:?}");
            call().unwrap_or_else(|error| panic!("{operation:?}: {error}"));
        }
    }

    #[test]
    fn short_writes_and_reads_do_half() {
        let (files, file, path) = with_file();
        files.inject_short(rule(Operation::Write, 0));
        file.write_at(0, b"abcdef").unwrap_err();
        assert_eq!(&files.map(path).unwrap()[..], b"abc");
        file.write_at(0, b"abcdef").unwrap();
        files.inject_short(rule(Operation::Read, 0));
        assert_eq!(&files.map(path).unwrap()[..], b"abc");
        assert_eq!(&files.map(path).unwrap()[..], b"abcdef");
    }

    #[test]
    fn the_power_lasts_for_so_many_changes() {
        let (files, file, path) = with_file();
        files.cut_power_after(2);
        file.write_at(0, b"x").unwrap();
        files.map(path).unwrap();
        assert!(!files.is_power_off());
        file.sync().unwrap();
        assert!(files.is_power_off());
        file.sync().unwrap_err();
        files.map(path).unwrap_err();
        files.heal();
        file.sync().unwrap();
    }
}
