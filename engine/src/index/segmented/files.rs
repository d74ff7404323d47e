//! The files of one index: how segments and the manifest come into their directory and leave it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::manifest::{Kind, Manifest, Named};
use super::part::{Built, Part, Segment};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;

/// The directory of an index.
pub(super) struct Files {
    env: Env,
    dir: PathBuf,
    kind: Kind,
    next_id: AtomicU64,
}

impl Files {
    /// Opens what is in `dir`; without a directory there are no parts, at watermark 0.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is from a newer format.
    pub fn open<S: Segment>(env: &Env, dir: &Path) -> Result<(Self, Vec<Part<S>>, Timestamp)> {
        let manifest = Manifest::load(env, dir, S::KIND)?;
        sweep(env, dir, &manifest, S::KIND)?;
        let next_id = AtomicU64::new(manifest.next_id);
        let files = Self { env: env.clone(), dir: dir.to_owned(), kind: S::KIND, next_id };
        let mut parts = Vec::with_capacity(manifest.segments.len());
        for named in manifest.segments {
            let segment = Arc::new(open_segment(env, dir, &named)?);
            parts.push(Part { id: named.id, segment, ended: Arc::new(named.ended) });
        }
        Ok((files, parts, manifest.watermark))
    }

    /// Writes a segment and makes it and its name durable. Leaves nothing behind when it fails.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn write<S: Segment>(&self, built: Built) -> Result<Part<S>> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let path = self.kind.segment_path(&self.dir, id);
        let segment =
            self.write_file(&path, &built.bytes).and_then(|()| S::open(&*self.env.vfs, &path));
        let segment = segment.inspect_err(|_| drop(self.env.vfs.remove(&path)))?;
        Ok(Part { id, segment: Arc::new(segment), ended: Arc::new(built.ended) })
    }

    fn write_file(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let vfs = &*self.env.vfs;
        let file = vfs.create(path).map_err(|error| Error::io("create", path, error))?;
        file.write_at(0, bytes).map_err(|error| Error::io("write", path, error))?;
        file.sync().map_err(|error| Error::io("sync", path, error))?;
        drop(file);
        vfs.sync_dir(&self.dir).map_err(|error| Error::io("sync directory", &self.dir, error))
    }

    /// Makes sure that the directory is there.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn create_dir(&self) -> Result<()> {
        let vfs = &*self.env.vfs;
        vfs.create_dir_all(&self.dir).map_err(|error| Error::io("create", &self.dir, error))?;
        let parent = self.dir.parent().unwrap_or(Path::new("."));
        vfs.sync_dir(parent).map_err(|error| Error::io("sync directory", parent, error))
    }

    /// Makes these the parts that count, and removes the files of others: searches that still read
    /// them have them mapped. When it fails, the files of those that are `new` go.
    ///
    /// Requires: the parts are durable.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn set_live<S: Segment>(
        &self,
        parts: &[Part<S>],
        new: &[Part<S>],
        watermark: Timestamp,
    ) -> Result<()> {
        let manifest = self.manifest(parts, watermark);
        let stored = manifest.store(&self.env, &self.dir, self.kind);
        if stored.is_ok() {
            // A file that stays is swept the next time.
            let _ = sweep(&self.env, &self.dir, &manifest, self.kind);
        } else if !new.iter().any(|part| self.may_be_live(part.id)) {
            self.discard(new);
        }
        stored
    }

    /// Removes the files of parts that will never count.
    pub fn discard<S>(&self, parts: &[Part<S>]) {
        for part in parts {
            // What stays is swept when the index is opened.
            let _ = self.env.vfs.remove(&self.kind.segment_path(&self.dir, part.id));
        }
    }

    /// Whether the stored manifest names a segment: storing one may fail after it took its place.
    fn may_be_live(&self, id: u64) -> bool {
        let stored = Manifest::load(&self.env, &self.dir, self.kind);
        stored.map_or(true, |manifest| manifest.segments.iter().any(|named| named.id == id))
    }

    /// Puts the parts into another directory by hard links.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn link<S: Segment>(
        &self,
        parts: &[Part<S>],
        watermark: Timestamp,
        dir: &Path,
    ) -> Result<()> {
        let vfs = &*self.env.vfs;
        vfs.create_dir_all(dir).map_err(|error| Error::io("create", dir, error))?;
        for part in parts {
            let from = self.kind.segment_path(&self.dir, part.id);
            let to = self.kind.segment_path(dir, part.id);
            vfs.hard_link(&from, &to).map_err(|error| Error::io("link", &to, error))?;
        }
        self.manifest(parts, watermark).store(&self.env, dir, self.kind)
    }

    fn manifest<S: Segment>(&self, parts: &[Part<S>], watermark: Timestamp) -> Manifest {
        let next_id = self.next_id.load(Ordering::Relaxed);
        let named = |part: &Part<S>| Named {
            id: part.id,
            fingerprint: part.segment.fingerprint(),
            ended: (*part.ended).clone(),
        };
        Manifest { watermark, next_id, segments: parts.iter().map(named).collect() }
    }
}

/// What reading all files of an index brought to light.
#[derive(Default)]
pub(in crate::index) struct Checked {
    /// Segments that are good.
    pub segment_count: usize,
    pub damages: Vec<Error>,
    /// Files that the manifest does not name.
    pub orphans: Vec<PathBuf>,
}

/// Reads the manifest of `dir` and every segment that it names from end to end.
///
/// # Errors
/// `Io`, `Unusable` when it is of a newer format.
pub(in crate::index) fn check_files<S: Segment>(env: &Env, dir: &Path) -> Result<Checked> {
    let mut checked = Checked::default();
    let manifest = match Manifest::load(env, dir, S::KIND) {
        Ok(manifest) => manifest,
        Err(error) if error.kind() == ErrorKind::Corruption => {
            checked.damages.push(error);
            return Ok(checked);
        }
        Err(error) => return Err(error),
    };
    checked.orphans = orphans(env, dir, &manifest, S::KIND)?;
    for named in &manifest.segments {
        match open_segment::<S>(env, dir, named).and_then(|segment| segment.check()) {
            Ok(()) => checked.segment_count += 1,
            Err(error) => checked.damages.push(error),
        }
    }
    Ok(checked)
}

/// Opens a segment and makes sure that it is the one that the manifest names.
fn open_segment<S: Segment>(env: &Env, dir: &Path, named: &Named) -> Result<S> {
    let path = S::KIND.segment_path(dir, named.id);
    let segment = S::open(&*env.vfs, &path)?;
    let (expected, found) = (named.fingerprint, segment.fingerprint());
    if found != expected {
        let expected = format!("the segment of fingerprint {expected:08x}");
        return Err(Error::corruption(&path, 0, expected, format!("{found:08x}")));
    }
    let count = segment.item_count();
    match named.ended.keys().find(|item| **item >= count) {
        Some(item) => Err(Error::corruption(&path, 0, format!("an item {item}"), count)),
        None => Ok(segment),
    }
}

/// Whether an index is of this kind: as its segments' names say, or, without any, its manifest.
///
/// # Errors
/// `Io`.
pub(in crate::index) fn is_kind(env: &Env, dir: &Path, kind: Kind) -> Result<bool> {
    let names = names(env, dir)?;
    let mut endings = names.iter().filter_map(|name| Path::new(name).extension());
    match endings.find(|ending| *ending != "tmp") {
        Some(ending) => Ok(ending == kind.extension),
        None => Ok(Manifest::load(env, dir, kind).is_ok()),
    }
}

/// Removes the directory of an index, if there is one. The manifest goes first and for good: a power
/// cut may bring back any part of the rest, and without a manifest that part is nothing.
///
/// # Errors
/// `Io`.
pub(in crate::index) fn remove_dir(env: &Env, dir: &Path) -> Result<()> {
    let io = |error| Error::io("remove the directory", dir, error);
    if !env.vfs.exists(dir).map_err(io)? {
        return Ok(());
    }
    let manifest = Manifest::path(dir);
    if env.vfs.exists(&manifest).map_err(io)? {
        env.vfs.remove(&manifest).map_err(io)?;
        env.vfs.sync_dir(dir).map_err(io)?;
    }
    env.vfs.remove_dir_all(dir).map_err(io)
}

/// Removes what a crash left behind.
fn sweep(env: &Env, dir: &Path, manifest: &Manifest, kind: Kind) -> Result<()> {
    let exists = env.vfs.exists(dir).map_err(|error| Error::io("look for", dir, error))?;
    let orphans = if exists { orphans(env, dir, manifest, kind)? } else { Vec::new() };
    for path in orphans {
        env.vfs.remove(&path).map_err(|error| Error::io("remove", &path, error))?;
    }
    Ok(())
}

/// Segments that the manifest does not name, half-written files.
fn orphans(env: &Env, dir: &Path, manifest: &Manifest, kind: Kind) -> Result<Vec<PathBuf>> {
    let live: Vec<PathBuf> =
        manifest.segments.iter().map(|named| kind.segment_path(dir, named.id)).collect();
    let is_orphan = |path: &PathBuf| {
        let is_ours = kind.owns(path) || path.extension().is_some_and(|ending| ending == "tmp");
        is_ours && !live.contains(path)
    };
    let names = names(env, dir)?.into_iter();
    Ok(names.map(|name| dir.join(name)).filter(is_orphan).collect())
}

fn names(env: &Env, dir: &Path) -> Result<Vec<String>> {
    env.vfs.list(dir).map_err(|error| Error::io("list", dir, error))
}
