//! The files of one index: how segments and the manifest come into their directory and leave it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::manifest::{Ended, Kind, Manifest};
use super::part::{Built, Part, Segment};
use crate::env::Env;
use crate::error::{Error, Result};
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
        for (id, ended) in manifest.segments {
            let path = S::KIND.segment_path(dir, id);
            let segment = Arc::new(S::open(&*env.vfs, &path)?);
            check_ended(&*segment, &ended, &path)?;
            parts.push(Part { id, segment, ended: Arc::new(ended) });
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
    /// them have them mapped. When it fails, the file of the one that is `new` goes.
    ///
    /// Requires: the parts are durable.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn set_live<S: Segment>(
        &self,
        parts: &[Part<S>],
        new: Option<&Part<S>>,
        watermark: Timestamp,
    ) -> Result<()> {
        let manifest = self.manifest(parts, watermark);
        let stored = manifest.store(&self.env, &self.dir, self.kind);
        if stored.is_ok() {
            // A file that stays is swept the next time.
            let _ = sweep(&self.env, &self.dir, &manifest, self.kind);
        } else if let Some(new) = new
            && !self.may_be_live(new.id)
        {
            let _ = self.env.vfs.remove(&self.kind.segment_path(&self.dir, new.id));
        }
        stored
    }

    /// Whether the stored manifest names a segment: storing one may fail after it took its place.
    fn may_be_live(&self, id: u64) -> bool {
        let stored = Manifest::load(&self.env, &self.dir, self.kind);
        stored.map_or(true, |manifest| manifest.segments.iter().any(|(named, _)| *named == id))
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
        let named = |part: &Part<S>| (part.id, (*part.ended).clone());
        Manifest { watermark, next_id, segments: parts.iter().map(named).collect() }
    }
}

/// Reads the manifest of `dir` and every segment that it names from end to end; `Ok` counts the
/// segments that are good.
pub(in crate::index) fn check_files<S: Segment>(env: &Env, dir: &Path) -> Vec<Result<usize>> {
    let segments = match Manifest::load(env, dir, S::KIND) {
        Ok(manifest) => manifest.segments,
        Err(error) => return vec![Err(error)],
    };
    let check = |(id, ended): &(u64, Ended)| {
        let path = S::KIND.segment_path(dir, *id);
        let segment = S::open(&*env.vfs, &path)?;
        segment.check()?;
        check_ended(&segment, ended, &path).map(|()| 1)
    };
    segments.iter().map(check).collect()
}

/// Checks that what ended is among a segment's items.
fn check_ended<S: Segment>(segment: &S, ended: &Ended, path: &Path) -> Result<()> {
    let count = segment.item_count();
    match ended.keys().find(|item| **item >= count) {
        Some(item) => Err(Error::corruption(path, 0, format!("an item {item}"), count)),
        None => Ok(()),
    }
}

/// Whether an index is of this kind: as its segments' names say, or, without any, its manifest.
///
/// # Errors
/// `Io`.
pub(in crate::index) fn is_kind(env: &Env, dir: &Path, kind: Kind) -> Result<bool> {
    let has_segments = names(env, dir)?.iter().any(|name| kind.owns(Path::new(name)));
    Ok(has_segments || Manifest::load(env, dir, kind).is_ok())
}

/// Removes what a crash left behind: segments that the manifest does not name, half-written files.
fn sweep(env: &Env, dir: &Path, manifest: &Manifest, kind: Kind) -> Result<()> {
    let exists = env.vfs.exists(dir).map_err(|error| Error::io("look for", dir, error))?;
    if !exists {
        return Ok(());
    }
    let live: Vec<PathBuf> =
        manifest.segments.iter().map(|(id, _)| kind.segment_path(dir, *id)).collect();
    for path in names(env, dir)?.into_iter().map(|name| dir.join(name)) {
        let is_ours = kind.owns(&path) || path.extension().is_some_and(|ending| ending == "tmp");
        if is_ours && !live.contains(&path) {
            env.vfs.remove(&path).map_err(|error| Error::io("remove", &path, error))?;
        }
    }
    Ok(())
}

fn names(env: &Env, dir: &Path) -> Result<Vec<String>> {
    env.vfs.list(dir).map_err(|error| Error::io("list", dir, error))
}
