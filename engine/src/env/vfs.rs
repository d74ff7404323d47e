//! The file system as the engine sees it, and what each call promises after a power cut.
//!
//! # Durability
//! Nothing is durable because it was written. [`File::sync`] makes a file's bytes and length
//! durable; [`Vfs::sync_dir`] makes the names in a directory durable. A file survives a power cut
//! when both were called after it was written. Unsynced bytes may be lost in units of a disk
//! sector, in any combination; unsynced names may be lost one by one.

use std::any::Any;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

/// What a held directory lock is: dropping it releases the lock.
pub type Lock = Box<dyn Any + Send + Sync>;

/// A file system.
pub trait Vfs: Send + Sync {
    /// Creates a file, or empties the one that is there, for writing.
    ///
    /// # Errors
    /// As the operating system reports them; so for every method here.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// All bytes of a file. They stay readable after the file was removed; the caller never
    /// changes a file that it has mapped.
    fn map(&self, path: &Path) -> io::Result<Bytes>;

    /// Gives a file a new name, replacing a file of that name in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a name.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and all that is in it. Until the directory above is synced, a power cut
    /// may bring it back with any part of what was in it.
    fn remove_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// The names in a directory, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Whether a file or directory of this name exists.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Creates a directory and those above it, durably; nothing when it is there.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Makes the bytes and the length of a file durable that may have been written by an earlier
    /// process: what is read after a crash of the process alone need not be on disk yet.
    fn sync_file(&self, path: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes an exclusive lock on a file, creating it when absent; `None` when another holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>>;
}

/// A file open for writing.
pub trait File: Send + Sync {
    /// Writes all bytes at an offset, extending the file when needed.
    ///
    /// # Errors
    /// As the operating system reports them; so for every method here. After one, any part of the
    /// bytes may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file at least `len` bytes long with space set aside on disk, so that writing
    /// below `len` cannot run out of space. New bytes are zero.
    fn allocate(&self, len: u64) -> io::Result<()>;

    /// Makes bytes and length durable.
    fn sync(&self) -> io::Result<()>;
}
