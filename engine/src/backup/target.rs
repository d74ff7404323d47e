//! The directory that backups are in: how generations and their files come into it and leave it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manifest::{Entry, Manifest, Source};
use super::{BackupReport, is_current, no_such};
use crate::env::atomic_file::write_atomically;
use crate::env::vfs::Lock;
use crate::env::{Env, FileName};
use crate::error::{Error, Result};
use crate::lsm::Finding;
use crate::timestamp::Timestamp;

const FILES: &str = "files";

/// A backup directory, held against others.
pub(super) struct Target {
    env: Env,
    dir: PathBuf,
    files: PathBuf,
    _lock: Lock,
}

impl Target {
    /// Takes the directory, making it when absent.
    ///
    /// # Errors
    /// `Unusable` when another holds it, `Invalid` when it holds something else, `Io`.
    pub(super) fn open(env: &Env, dir: &Path) -> Result<Self> {
        let files = dir.join(FILES);
        let exists = |path: &Path| env.vfs.exists(path).map_err(|e| Error::io("look up", path, e));
        if exists(dir)? && !exists(&files)? && !names(env, dir)?.is_empty() {
            let dir = dir.display();
            return Err(Error::invalid(format!("the directory holds no backups dir={dir}")));
        }
        env.vfs.create_dir_all(&files).map_err(|e| Error::io("create directory", &files, e))?;
        let path = FileName::Lock.path(dir);
        let lock = env.vfs.lock(&path).map_err(|error| Error::io("lock", &path, error))?;
        let lock = lock.ok_or_else(|| {
            Error::unusable(format!("another backup is under way dir={}", dir.display()))
        })?;
        Ok(Self { env: env.clone(), dir: dir.to_owned(), files, _lock: lock })
    }

    /// Copies what no generation has, then names the new one (B-1).
    ///
    /// # Errors
    /// `Io`, `DiskFull`, those of `sources`.
    pub(super) fn add(
        &mut self,
        created: Duration,
        timestamp: Timestamp,
        sources: impl Iterator<Item = Result<Source>>,
    ) -> Result<BackupReport> {
        let ids = generation_ids(&self.env, &self.dir)?;
        let id = ids.last().map_or(1, |last| last + 1);
        let known = self.known(ids);
        let mut manifest = Manifest { id, timestamp, created, files: Vec::new() };
        let (mut copied_file_count, mut copied_len_bytes) = (0, 0);
        for source in sources {
            let source = source?;
            let mut of_path = known.get(source.path()).into_iter().flatten();
            let entry = of_path.find(|entry| source.is(entry)).cloned();
            let entry = entry.unwrap_or_else(|| source.to_entry());
            if !self.has(&entry)? {
                self.copy_in(&entry, &source)?;
                copied_file_count += 1;
                copied_len_bytes += entry.len;
            }
            manifest.files.push(entry);
        }
        let vfs = &*self.env.vfs;
        vfs.sync_dir(&self.files).map_err(|e| Error::io("sync directory", &self.files, e))?;
        write_atomically(vfs, &Manifest::path(&self.dir, id), &manifest.encode())?;
        Ok(BackupReport { backup: manifest.describe(), copied_file_count, copied_len_bytes })
    }

    /// The files of the generations that can be read, by path.
    fn known(&self, ids: Vec<u64>) -> HashMap<String, HashSet<Entry>> {
        let mut known: HashMap<String, HashSet<Entry>> = HashMap::new();
        for id in ids {
            match Manifest::load(&self.env, &self.dir, id) {
                Ok(manifest) => manifest.files.into_iter().for_each(|entry| {
                    known.entry(entry.path.clone()).or_default().insert(entry);
                }),
                Err(error) => tracing::warn!(%error, "a backup's manifest cannot be read"),
            }
        }
        known
    }

    /// Whether the copy of a file is there, whole (B-2).
    fn has(&self, entry: &Entry) -> Result<bool> {
        let path = self.files.join(entry.copy_name());
        let io = |error| Error::io("read", &path, error);
        if !self.env.vfs.exists(&path).map_err(io)? {
            return Ok(false);
        }
        Ok(self.env.vfs.map(&path).map_err(io)?.len() as u64 == entry.len)
    }

    fn copy_in(&self, entry: &Entry, source: &Source) -> Result<()> {
        let path = self.files.join(entry.copy_name());
        let aside = self.files.join(format!("{}.tmp", entry.copy_name()));
        write_file(&self.env, &aside, &source.bytes)?;
        self.env.vfs.rename(&aside, &path).map_err(|error| Error::io("rename", &path, error))
    }

    /// Removes a generation and the files that only it named.
    ///
    /// # Errors
    /// As [`super::remove_backup`].
    pub(super) fn remove(&self, id: u64) -> Result<()> {
        let generations = generations(&self.env, &self.dir)?;
        if !generations.iter().any(|manifest| manifest.id == id) {
            return Err(no_such(Some(id), &self.dir));
        }
        let path = Manifest::path(&self.dir, id);
        let vfs = &*self.env.vfs;
        vfs.remove(&path).map_err(|error| Error::io("remove", &path, error))?;
        // Before its files go: a generation that is named is whole.
        vfs.sync_dir(&self.dir).map_err(|e| Error::io("sync directory", &self.dir, e))?;
        let left = generations.iter().filter(|manifest| manifest.id != id);
        let named: HashSet<String> =
            left.flat_map(|manifest| manifest.files.iter().map(Entry::copy_name)).collect();
        for name in names(&self.env, &self.files)? {
            if !named.contains(&name) {
                let path = self.files.join(name);
                vfs.remove(&path).map_err(|error| Error::io("remove", &path, error))?;
            }
        }
        vfs.sync_dir(&self.files).map_err(|e| Error::io("sync directory", &self.files, e))
    }
}

/// All generations, oldest first.
pub(super) fn generations(env: &Env, dir: &Path) -> Result<Vec<Manifest>> {
    generation_ids(env, dir)?.into_iter().map(|id| Manifest::load(env, dir, id)).collect()
}

fn generation_ids(env: &Env, dir: &Path) -> Result<Vec<u64>> {
    let names = names(env, dir)?;
    let mut ids: Vec<u64> = names.iter().filter_map(|name| Manifest::parse_name(name)).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Copies the files of a generation into a new data directory, CURRENT last.
pub(super) fn copy_out(env: &Env, target: &Path, manifest: &Manifest, dir: &Path) -> Result<()> {
    let mut dirs = vec![dir.to_owned()];
    let (last, others): (Vec<_>, Vec<_>) =
        manifest.files.iter().partition(|entry| is_current(Path::new(&entry.path)));
    for entry in others.into_iter().chain(last) {
        let path = dir.join(&entry.path);
        let parent = path.parent().unwrap_or(dir);
        env.vfs.create_dir_all(parent).map_err(|e| Error::io("create directory", parent, e))?;
        if !dirs.iter().any(|known| known == parent) {
            dirs.push(parent.to_owned());
        }
        let copy = target.join(FILES).join(entry.copy_name());
        let bytes = env.vfs.map(&copy).map_err(|error| Error::io("read", &copy, error))?;
        entry.check(&copy, &bytes)?;
        if is_current(Path::new(&entry.path)) {
            sync_dirs(env, &dirs)?;
        }
        write_file(env, &path, &bytes)?;
    }
    sync_dirs(env, &dirs)
}

fn sync_dirs(env: &Env, dirs: &[PathBuf]) -> Result<()> {
    dirs.iter().try_for_each(|dir| {
        env.vfs.sync_dir(dir).map_err(|error| Error::io("sync directory", dir, error))
    })
}

/// As [`super::verify_backups`].
pub(super) fn verify(env: &Env, dir: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut checked = HashSet::new();
    for id in generation_ids(env, dir)? {
        let manifest = match Manifest::load(env, dir, id) {
            Ok(manifest) => manifest,
            Err(error) => {
                findings.push(Finding::damage(&Manifest::path(dir, id), error)?);
                continue;
            }
        };
        for entry in manifest.files {
            let copy = dir.join(FILES).join(entry.copy_name());
            if !checked.insert(entry.copy_name()) {
                continue;
            }
            let read = env.vfs.map(&copy).map_err(|error| Error::io("read", &copy, error));
            if let Err(error) = read.and_then(|bytes| entry.check(&copy, &bytes)) {
                findings.push(Finding::damage(&copy, error)?);
            }
        }
    }
    Ok(findings)
}

/// Writes a file and makes its bytes durable.
fn write_file(env: &Env, path: &Path, bytes: &[u8]) -> Result<()> {
    let file = env.vfs.create(path).map_err(|error| Error::io("create", path, error))?;
    file.write_at(0, bytes).map_err(|error| Error::io("write", path, error))?;
    file.sync().map_err(|error| Error::io("sync", path, error))
}

fn names(env: &Env, dir: &Path) -> Result<Vec<String>> {
    env.vfs.list(dir).map_err(|error| Error::io("list directory", dir, error))
}
