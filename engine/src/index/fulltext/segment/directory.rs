//! A tantivy directory in memory: where a segment is built before it becomes one file, and how its
//! sections are read out of the mapped file.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use stable_deref_trait::StableDeref;
use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, FileHandle, OwnedBytes, TerminatingWrite, WatchCallback, WatchHandle,
    WritePtr,
};

/// Files by name. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoryDirectory {
    files: Arc<Mutex<BTreeMap<PathBuf, Bytes>>>,
}

impl MemoryDirectory {
    /// A directory with these files.
    pub fn new(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        let files = files.into_iter().map(|(name, bytes)| (PathBuf::from(name), bytes));
        Self { files: Arc::new(Mutex::new(files.collect())) }
    }

    /// All files, by name.
    pub fn into_files(self) -> Vec<(String, Bytes)> {
        let files = self.files.lock();
        let named = |(path, bytes): (&PathBuf, &Bytes)| {
            (path.to_string_lossy().into_owned(), bytes.clone())
        };
        files.iter().map(named).collect()
    }

    fn find(&self, path: &Path) -> Result<Bytes, OpenReadError> {
        let found = self.files.lock().get(path).cloned();
        found.ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))
    }
}

impl Directory for MemoryDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        Ok(Arc::new(OpenFile(self.find(path)?)))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let removed = self.files.lock().remove(path);
        removed.map(|_| ()).ok_or_else(|| DeleteError::FileDoesNotExist(path.to_owned()))
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.files.lock().contains_key(path))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let mut files = self.files.lock();
        if files.contains_key(path) {
            return Err(OpenWriteError::FileAlreadyExists(path.to_owned()));
        }
        files.insert(path.to_owned(), Bytes::new());
        let writer = Writer { directory: self.clone(), path: path.to_owned(), bytes: Vec::new() };
        Ok(BufWriter::new(Box::new(writer)))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        Ok(self.find(path)?.to_vec())
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.files.lock().insert(path.to_owned(), Bytes::copy_from_slice(data));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

/// A file being written; it gets its bytes when it is terminated.
struct Writer {
    directory: MemoryDirectory,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for Writer {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        self.directory.files.lock().insert(self.path.clone(), bytes.into());
        Ok(())
    }
}

#[derive(Debug)]
struct OpenFile(Bytes);

impl HasLen for OpenFile {
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl FileHandle for OpenFile {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if self.0.get(range.clone()).is_none() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(OwnedBytes::new(Shared(self.0.slice(range))))
    }
}

/// Bytes of a mapped file, without a copy.
struct Shared(Bytes);

impl Deref for Shared {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

// SAFETY: `Bytes` is a pointer and a length into a buffer that it shares and that nobody moves or
// changes while a `Bytes` refers to it; moving the `Bytes` moves the pointer, not the buffer. So
// `deref` yields the same address for as long as the value lives.
unsafe impl StableDeref for Shared {}
