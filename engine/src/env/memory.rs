//! A simulated file system in memory that knows what was synced.
//!
//! [`MemoryFs::crash_image`] answers what a power cut would leave now: every unsynced 512-byte
//! sector is kept, lost or left half-way between several writes on its own, and so is every
//! unsynced name. That is harsher than any real disk, so code that survives it does not lean on
//! luck. Each file remembers older bytes only of the sectors written since its last sync, which
//! keeps large files cheap.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::vfs::{File, Lock, Vfs};

/// The unit that a disk writes whole or not at all.
const SECTOR_LEN: usize = 512;

/// Files in memory. Cheap to clone; all clones are the same files.
#[derive(Clone, Default)]
pub struct MemoryFs {
    tree: Arc<Mutex<Tree>>,
}

type SharedInode = Arc<Mutex<Inode>>;

#[derive(Default)]
struct Tree {
    /// Names as a running program sees them.
    live: BTreeMap<PathBuf, SharedInode>,
    /// Names as the disk has them for certain.
    durable: BTreeMap<PathBuf, SharedInode>,
    /// Directories as a running program sees them.
    dirs: BTreeSet<PathBuf>,
    /// Directories as the disk has them: also those whose removal is not synced.
    durable_dirs: BTreeSet<PathBuf>,
    locked: Arc<Mutex<BTreeSet<PathBuf>>>,
}

#[derive(Clone, Default)]
struct Inode {
    bytes: Vec<u8>,
    durable_len: usize,
    /// What the disk may have in sectors that were written since the last sync, oldest first: the
    /// durable bytes, then those that later writes replaced.
    before: BTreeMap<usize, Vec<Vec<u8>>>,
}

impl Inode {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        for sector in offset / SECTOR_LEN..end.div_ceil(SECTOR_LEN) {
            let older = self.before.entry(sector).or_default();
            let len = if older.is_empty() { self.durable_len } else { self.bytes.len() };
            let (start, stop) = (sector * SECTOR_LEN, (sector + 1) * SECTOR_LEN);
            older.push(self.bytes[start.min(len)..stop.min(len)].to_vec());
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[offset..end].copy_from_slice(bytes);
    }

    fn sync(&mut self) {
        self.before.clear();
        self.durable_len = self.bytes.len();
    }

    /// The bytes after a power cut.
    fn after_crash(&self, rng: &mut StdRng) -> Self {
        let mut bytes = self.bytes.clone();
        for (sector, older) in &self.before {
            if rng.random_bool(0.5) {
                continue;
            }
            let old = &older[rng.random_range(0..older.len())];
            let start = sector * SECTOR_LEN;
            let stop = (start + SECTOR_LEN).min(bytes.len());
            bytes[start..stop].fill(0);
            bytes[start..start + old.len()].copy_from_slice(old);
        }
        let len = match rng.random_range(0..3) {
            0 => self.durable_len,
            1 => rng.random_range(self.durable_len..=bytes.len()),
            _ => bytes.len(),
        };
        bytes.truncate(len);
        Self { durable_len: len, bytes, before: BTreeMap::new() }
    }
}

impl MemoryFs {
    /// The files that a power cut at this moment would leave. The same seed gives the same cut.
    pub fn crash_image(&self, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let tree = self.tree.lock();
        let dirs = tree.dirs_after_crash(&mut rng);
        let mut left = BTreeMap::new();
        // An inode may have several names; they must still share it afterwards.
        let mut images: Vec<(SharedInode, SharedInode)> = Vec::new();
        let paths: BTreeSet<&PathBuf> = tree.live.keys().chain(tree.durable.keys()).collect();
        let is_somewhere = |path: &Path| path.parent().is_none_or(|dir| dirs.contains(dir));
        for path in paths.into_iter().filter(|path| is_somewhere(path)) {
            let (live, durable) = (tree.live.get(path), tree.durable.get(path));
            let Some(inode) = (if rng.random_bool(0.5) { live } else { durable }) else { continue };
            let known = images.iter().find(|(source, _)| Arc::ptr_eq(source, inode));
            let image = known.map(|(_, image)| image.clone()).unwrap_or_else(|| {
                let image = Arc::new(Mutex::new(inode.lock().after_crash(&mut rng)));
                images.push((inode.clone(), image.clone()));
                image
            });
            left.insert(path.clone(), image);
        }
        let (durable, durable_dirs) = (left.clone(), dirs.clone());
        let tree = Tree { live: left, durable, dirs, durable_dirs, locked: Arc::default() };
        Self { tree: Arc::new(Mutex::new(tree)) }
    }

    /// The files that `kill -9` at this moment would leave: all that was written, on disk or not,
    /// and nobody who holds a lock. What is not synced can still be lost by a power cut later.
    pub fn kill_image(&self) -> Self {
        let tree = self.tree.lock();
        let mut copies: Vec<(SharedInode, SharedInode)> = Vec::new();
        let mut copy = |names: &BTreeMap<PathBuf, SharedInode>| {
            let mut copied = BTreeMap::new();
            for (path, inode) in names {
                let known = copies.iter().find(|(source, _)| Arc::ptr_eq(source, inode));
                let image = known.map(|(_, image)| image.clone()).unwrap_or_else(|| {
                    let image = Arc::new(Mutex::new(inode.lock().clone()));
                    copies.push((inode.clone(), image.clone()));
                    image
                });
                copied.insert(path.clone(), image);
            }
            copied
        };
        let (live, durable) = (copy(&tree.live), copy(&tree.durable));
        let (dirs, durable_dirs) = (tree.dirs.clone(), tree.durable_dirs.clone());
        let tree = Tree { live, durable, dirs, durable_dirs, locked: Arc::default() };
        Self { tree: Arc::new(Mutex::new(tree)) }
    }

    /// Flips bits of one byte of a file, as decaying media would; for tests of checksums.
    ///
    /// # Panics
    /// When there is no such byte.
    pub fn corrupt(&self, path: &Path, offset: usize, mask: u8) {
        let inode = self.tree.lock().inode(path).expect("a test names a file that exists");
        inode.lock().bytes[offset] ^= mask;
    }
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no such file: {}", path.display()))
}

impl Tree {
    fn inode(&self, path: &Path) -> io::Result<SharedInode> {
        self.live.get(path).cloned().ok_or_else(|| not_found(path))
    }

    /// The directories that a power cut leaves: one whose removal is not synced may come back,
    /// with any of the files in it whose removal was not.
    fn dirs_after_crash(&self, rng: &mut StdRng) -> BTreeSet<PathBuf> {
        let mut left = self.dirs.clone();
        // A directory comes before those inside it.
        for dir in self.durable_dirs.difference(&self.dirs) {
            let is_somewhere = dir.parent().is_none_or(|parent| left.contains(parent));
            if is_somewhere && rng.random_bool(0.5) {
                left.insert(dir.clone());
            }
        }
        left
    }

    fn sync_dir(&mut self, dir: &Path) {
        let Self { live, durable, dirs, durable_dirs, .. } = self;
        let removed = |other: &PathBuf| other.parent() == Some(dir) && !dirs.contains(other);
        let gone: Vec<_> = durable_dirs.iter().filter(|other| removed(other)).cloned().collect();
        for gone in gone {
            durable_dirs.retain(|other| !other.starts_with(&gone));
            durable.retain(|path, _| !path.starts_with(&gone));
        }
        durable.retain(|path, _| path.parent() != Some(dir));
        let inside = live.iter().filter(|(path, _)| path.parent() == Some(dir));
        durable.extend(inside.map(|(path, inode)| (path.clone(), inode.clone())));
    }
}

impl Vfs for MemoryFs {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut tree = self.tree.lock();
        if !path.parent().is_none_or(|dir| tree.dirs.contains(dir)) {
            return Err(not_found(path));
        }
        let inode = Arc::new(Mutex::new(Inode::default()));
        tree.live.insert(path.to_owned(), inode.clone());
        Ok(Arc::new(MemoryFile { inode }))
    }

    fn map(&self, path: &Path) -> io::Result<Bytes> {
        let inode = self.tree.lock().inode(path)?;
        let inode = inode.lock();
        Ok(Bytes::copy_from_slice(&inode.bytes))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut tree = self.tree.lock();
        let inode = tree.live.remove(from).ok_or_else(|| not_found(from))?;
        tree.live.insert(to.to_owned(), inode);
        Ok(())
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut tree = self.tree.lock();
        let inode = tree.inode(from)?;
        if tree.live.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        tree.live.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.tree.lock().live.remove(path).map(drop).ok_or_else(|| not_found(path))
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut tree = self.tree.lock();
        if !tree.dirs.contains(dir) {
            return Err(not_found(dir));
        }
        tree.dirs.retain(|other| !other.starts_with(dir));
        tree.live.retain(|path, _| !path.starts_with(dir));
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let tree = self.tree.lock();
        if !tree.dirs.contains(dir) {
            return Err(not_found(dir));
        }
        let paths = tree.live.keys().chain(&tree.dirs);
        let inside = paths.filter(|path| path.parent() == Some(dir));
        let mut names: Vec<String> = inside
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        Ok(names)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let tree = self.tree.lock();
        Ok(tree.live.contains_key(path) || tree.dirs.contains(path))
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut tree = self.tree.lock();
        let ancestors: Vec<_> = dir.ancestors().filter(|dir| !tree.dirs.contains(*dir)).collect();
        for new in ancestors.into_iter().rev() {
            // As the real file system does; so one of that name that was removed is gone for good.
            if let Some(parent) = new.parent() {
                tree.sync_dir(parent);
            }
            tree.dirs.insert(new.to_owned());
            tree.durable_dirs.insert(new.to_owned());
        }
        Ok(())
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.tree.lock().inode(path)?.lock().sync();
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.tree.lock().sync_dir(dir);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let mut tree = self.tree.lock();
        let locked = tree.locked.clone();
        if !locked.lock().insert(path.to_owned()) {
            return Ok(None);
        }
        tree.live.entry(path.to_owned()).or_default();
        Ok(Some(Box::new(MemoryLock { path: path.to_owned(), locked })))
    }
}

struct MemoryLock {
    path: PathBuf,
    locked: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.locked.lock().remove(&self.path);
    }
}

struct MemoryFile {
    inode: Arc<Mutex<Inode>>,
}

impl File for MemoryFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.inode.lock().write(offset, bytes);
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut inode = self.inode.lock();
        if inode.bytes.len() < len {
            inode.bytes.resize(len, 0);
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.inode.lock().sync();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_dir() -> (MemoryFs, PathBuf) {
        let files = MemoryFs::default();
        files.create_dir_all(Path::new("/db")).unwrap();
        (files, PathBuf::from("/db/file"))
    }

    #[test]
    fn synced_bytes_and_names_survive_every_cut() {
        let (files, path) = with_dir();
        let file = files.create(&path).unwrap();
        file.write_at(0, &[7; 2000]).unwrap();
        file.sync().unwrap();
        files.sync_dir(Path::new("/db")).unwrap();
        for seed in 0..50 {
            assert_eq!(files.crash_image(seed).map(&path).unwrap(), vec![7; 2000]);
        }
    }

    #[test]
    fn unsynced_sectors_are_torn() {
        let (files, path) = with_dir();
        let file = files.create(&path).unwrap();
        file.write_at(0, &[1; 1024]).unwrap();
        file.sync().unwrap();
        files.sync_dir(Path::new("/db")).unwrap();
        file.write_at(256, &[2; 768]).unwrap();
        let mut images = BTreeSet::new();
        for seed in 0..50 {
            let bytes = files.crash_image(seed).map(&path).unwrap();
            assert!(bytes[..256].iter().all(|&byte| byte == 1));
            images.insert((bytes[256], bytes[512]));
        }
        assert_eq!(images, BTreeSet::from([(1, 1), (1, 2), (2, 1), (2, 2)]));
    }

    #[test]
    fn an_unsynced_sector_may_hold_any_of_its_writes() {
        let (files, path) = with_dir();
        let file = files.create(&path).unwrap();
        file.write_at(0, &[1; 512]).unwrap();
        file.sync().unwrap();
        files.sync_dir(Path::new("/db")).unwrap();
        file.write_at(100, &[2; 1]).unwrap();
        file.write_at(200, &[3; 1]).unwrap();
        let images = (0..50).map(|seed| {
            let bytes = files.crash_image(seed).map(&path).unwrap();
            (bytes[100], bytes[200])
        });
        assert_eq!(BTreeSet::from_iter(images), BTreeSet::from([(1, 1), (2, 1), (2, 3)]));
    }

    #[test]
    fn unsynced_writes_of_different_files_come_in_any_order() {
        let (files, first) = with_dir();
        let second = PathBuf::from("/db/second");
        let open = [&first, &second].map(|path| files.create(path).unwrap());
        for file in &open {
            file.allocate(512).unwrap();
            file.sync().unwrap();
        }
        files.sync_dir(Path::new("/db")).unwrap();
        open[0].write_at(0, b"1").unwrap();
        open[1].write_at(0, b"2").unwrap();
        let images = (0..50).map(|seed| {
            let image = files.crash_image(seed);
            [&first, &second].map(|path| image.map(path).unwrap()[0] != 0)
        });
        assert_eq!(BTreeSet::from_iter(images).len(), 4);
    }

    /// What is there after each of 60 power cuts, all different ones.
    fn left(files: &MemoryFs, paths: [&str; 2]) -> BTreeSet<[bool; 2]> {
        let exists = |image: &MemoryFs, path: &str| image.exists(Path::new(path)).unwrap();
        let images = (0..60).map(|seed| files.crash_image(seed));
        images.map(|image| paths.map(|path| exists(&image, path))).collect()
    }

    #[test]
    fn every_change_of_a_name_is_lost_on_its_own() {
        let any = BTreeSet::from([[false, false], [false, true], [true, false], [true, true]]);
        let (files, path) = with_dir();
        let names = ["/db/file", "/db/other"];
        let other = Path::new(names[1]);
        files.create(&path).unwrap().sync().unwrap();
        files.hard_link(&path, other).unwrap();
        assert_eq!(left(&files, names), any, "created and linked");
        files.sync_dir(Path::new("/db")).unwrap();
        assert_eq!(left(&files, names), BTreeSet::from([[true, true]]));
        files.remove(other).unwrap();
        assert_eq!(left(&files, names), BTreeSet::from([[true, false], [true, true]]), "removed");
        files.sync_dir(Path::new("/db")).unwrap();
        files.rename(&path, other).unwrap();
        assert_eq!(left(&files, names), any, "renamed");
    }

    #[test]
    fn a_removed_directory_may_come_back_in_part() {
        let (files, _) = with_dir();
        let dir = Path::new("/db/index");
        files.create_dir_all(dir).unwrap();
        let names = ["/db/index/a", "/db/index/b"];
        for name in names {
            files.create(Path::new(name)).unwrap().sync().unwrap();
        }
        files.sync_dir(dir).unwrap();
        files.remove_dir_all(dir).unwrap();
        assert_eq!(left(&files, names).len(), 4);
        let cut = (0..60).map(|seed| files.crash_image(seed));
        let is_listed = |image: MemoryFs| image.list(dir).is_ok();
        assert_eq!(BTreeSet::from_iter(cut.map(is_listed)).len(), 2);
        let again = files.kill_image();
        again.create_dir_all(dir).unwrap();
        assert_eq!(left(&again, names), BTreeSet::from([[false, false]]), "another one");
        files.sync_dir(Path::new("/db")).unwrap();
        assert_eq!(left(&files, names), BTreeSet::from([[false, false]]), "gone for good");
    }

    #[test]
    fn unsynced_names_may_go() {
        let (files, path) = with_dir();
        files.create(&path).unwrap().sync().unwrap();
        let kept = (0..50).filter(|&seed| files.crash_image(seed).exists(&path).unwrap()).count();
        assert!((1..50).contains(&kept));
    }
}
