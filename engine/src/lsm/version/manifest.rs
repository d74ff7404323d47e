//! The log of edits, and the CURRENT pointer to it.
//!
//! Opening a database writes a new manifest that begins with one edit for everything, and points
//! CURRENT to it; so no manifest is appended to after a crash, and none grows without bound.
//!
//! # Layout
//! ```text
//! MANIFEST-n header, 24 bytes
//! offset len  field
//!      0   8  magic            "CairnMAN"
//!      8   4  format version   u32
//!     12   8  number           u64, n
//!     20   4  checksum         of bytes 0..20
//!
//! record
//! offset len  field
//!      0   4  checksum         of the number (8 bytes) and bytes 4..8+n
//!      4   4  payload length   u32
//!      8   n  payload          an edit
//!
//! CURRENT: the manifest's name, a space, the CRC-32 of the name as 8 hex digits, a newline
//! ```
//!
//! # Durability
//! V-3: an edit is synced before the change it names is used, and each edit before the next; so a
//! bad record that is followed by a good one is corruption, and one at the end is a torn tail.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::edit::Edit;
use super::shape::Shape;
use crate::encoding::Decoder;
use crate::encoding::checksum::checksum;
use crate::env::atomic_file::write_atomically;
use crate::env::{Env, File, FileId, FileName};
use crate::error::{Error, Result};

const MAGIC: &[u8; 8] = b"CairnMAN";
/// The format of the data directory as a whole: what this program writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;
const HEADER_CHECKSUM_AT: usize = 20;
const HEADER_LEN: usize = HEADER_CHECKSUM_AT + 4;
const RECORD_HEADER_LEN: usize = 8;
/// Bytes by which the file grows at a time. 64 KiB: hundreds of edits.
const ALLOCATION_LEN: u64 = 64 << 10;

/// The manifest in use, open for appending.
pub(crate) struct Manifest {
    file: Arc<dyn File>,
    path: PathBuf,
    id: FileId,
    offset: u64,
}

impl Manifest {
    /// Writes a manifest that says `shape` and points CURRENT to it.
    ///
    /// # Errors
    /// `Io`, `DiskFull`; the old manifest then stays in use, or the new one already is.
    pub(crate) fn create(env: &Env, dir: &Path, id: FileId, shape: &Shape) -> Result<Self> {
        let path = FileName::Manifest(id).path(dir);
        let file = env.vfs.create(&path).map_err(|error| Error::io("create", &path, error))?;
        let mut bytes = header(id).to_vec();
        encode_record(id, &shape.to_edit(), &mut bytes)?;
        file.write_at(0, &bytes).map_err(|error| Error::io("write", &path, error))?;
        file.sync().map_err(|error| Error::io("sync", &path, error))?;
        env.vfs.sync_dir(dir).map_err(|error| Error::io("sync directory", dir, error))?;
        let name = FileName::Manifest(id).to_string();
        let pointer = format!("{name} {:08x}\n", checksum(&[name.as_bytes()]));
        write_atomically(&*env.vfs, &FileName::Current.path(dir), pointer.as_bytes())?;
        Ok(Self { file, path, id, offset: bytes.len() as u64 })
    }

    /// Sets space aside for an edit, so that a full disk shows before anything changed.
    ///
    /// # Errors
    /// `Io`, `DiskFull`; the manifest is as it was.
    pub(crate) fn reserve(&self, edit: &Edit) -> Result<()> {
        let mut bytes = Vec::new();
        encode_record(self.id, edit, &mut bytes)?;
        let wanted = (self.offset + bytes.len() as u64).next_multiple_of(ALLOCATION_LEN);
        self.file.allocate(wanted).map_err(|error| Error::io("allocate", &self.path, error))
    }

    /// Appends an edit and syncs it. After an error nobody knows whether the disk has it.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub(crate) fn append(&mut self, edit: &Edit) -> Result<()> {
        let mut bytes = Vec::new();
        encode_record(self.id, edit, &mut bytes)?;
        let (file, path) = (&self.file, &self.path);
        file.write_at(self.offset, &bytes).map_err(|error| Error::io("write", path, error))?;
        file.sync().map_err(|error| Error::io("sync", path, error))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Its number.
    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    /// Bytes in it.
    pub(crate) fn len(&self) -> u64 {
        self.offset
    }
}

fn header(id: FileId) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[12..20].copy_from_slice(&id.0.to_le_bytes());
    let sum = checksum(&[&bytes[..HEADER_CHECKSUM_AT]]);
    bytes[HEADER_CHECKSUM_AT..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn encode_record(id: FileId, edit: &Edit, out: &mut Vec<u8>) -> Result<()> {
    let mut payload = Vec::new();
    edit.encode(&mut payload);
    let len = u32::try_from(payload.len()).map_err(|_| {
        Error::limit("manifest edit bytes", u64::from(u32::MAX), payload.len() as u64)
    })?;
    let sum = checksum(&[&id.0.to_le_bytes(), &len.to_le_bytes(), &payload]);
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&payload);
    Ok(())
}

/// The edit at `offset` and the offset behind it; `None` when there is no whole, correct record.
fn decode_record(id: FileId, bytes: &[u8], offset: usize) -> Option<(Edit, usize)> {
    let mut decoder = Decoder::at(bytes, offset);
    let sum = decoder.u32()?;
    let len = decoder.u32()?;
    let payload = decoder.bytes(usize::try_from(len).ok()?)?;
    if sum != checksum(&[&id.0.to_le_bytes(), &len.to_le_bytes(), payload]) {
        return None;
    }
    Some((Edit::decode(payload)?, decoder.offset()))
}

/// The manifest that CURRENT names; `None` when there is no CURRENT.
///
/// # Errors
/// `Corruption`, `Io`.
pub(crate) fn read_current(env: &Env, dir: &Path) -> Result<Option<FileId>> {
    let path = FileName::Current.path(dir);
    if !env.vfs.exists(&path).map_err(|error| Error::io("look up", &path, error))? {
        return Ok(None);
    }
    let bytes = env.vfs.map(&path).map_err(|error| Error::io("read", &path, error))?;
    parse_current(&bytes).map(Some).ok_or_else(|| {
        let found = format!("{:?}", String::from_utf8_lossy(&bytes));
        Error::corruption(&path, 0, "the name of a manifest and its checksum", found)
    })
}

fn parse_current(bytes: &[u8]) -> Option<FileId> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let (name, sum) = text.split_once(' ')?;
    if sum != format!("{:08x}", checksum(&[name.as_bytes()])) {
        return None;
    }
    match FileName::parse(name)? {
        FileName::Manifest(id) => Some(id),
        _ => None,
    }
}

/// Reads the manifest `id` to its end.
///
/// # Errors
/// `Corruption`, `Unusable` when it is of a newer format, `Io`.
pub(crate) fn read_manifest(env: &Env, dir: &Path, id: FileId) -> Result<Shape> {
    read_edits(env, dir, id).map(|(shape, ..)| shape)
}

/// The first byte behind the edits that was written all the same: what is set aside is zero. In the
/// manifest of a store that was not closed it may be a torn edit.
///
/// # Errors
/// As [`read_manifest`].
pub(crate) fn written_behind(env: &Env, dir: &Path, id: FileId) -> Result<Option<usize>> {
    let (_, bytes, end) = read_edits(env, dir, id)?;
    let unused = bytes.get(end..).unwrap_or_default();
    Ok(unused.iter().position(|&byte| byte != 0).map(|at| end + at))
}

/// What the edits say, the file, and where the edits end in it.
fn read_edits(env: &Env, dir: &Path, id: FileId) -> Result<(Shape, Bytes, usize)> {
    let path = FileName::Manifest(id).path(dir);
    let bytes = env.vfs.map(&path).map_err(|error| Error::unreadable(&path, error))?;
    check_header(&path, &bytes, id)?;
    let mut shape = Shape::default();
    let mut offset = HEADER_LEN;
    while let Some((edit, next)) = decode_record(id, &bytes, offset) {
        shape = shape
            .after(&edit)
            .map_err(|why| Error::corruption(&path, offset as u64, "an edit that fits", why))?;
        offset = next;
    }
    let is_first = offset == HEADER_LEN;
    let later = (offset + 1..bytes.len().saturating_sub(RECORD_HEADER_LEN))
        .find(|&at| decode_record(id, &bytes, at).is_some());
    if is_first || later.is_some() {
        let found = match later {
            Some(later) => format!("other bytes, then an edit at {later}"),
            None => "other bytes".to_owned(),
        };
        return Err(Error::corruption(&path, offset as u64, "an edit", found));
    }
    Ok((shape, bytes, offset))
}

fn check_header(path: &Path, bytes: &[u8], id: FileId) -> Result<()> {
    let corrupt = || Error::corruption(path, 0, "a manifest header", "other bytes");
    let found = bytes.get(..HEADER_LEN).ok_or_else(corrupt)?;
    let mut decoder = Decoder::at(found, MAGIC.len());
    let version = decoder.u32().ok_or_else(corrupt)?;
    let sum = Decoder::at(found, HEADER_CHECKSUM_AT).u32().ok_or_else(corrupt)?;
    if !found.starts_with(MAGIC) || sum != checksum(&[&found[..HEADER_CHECKSUM_AT]]) {
        return Err(corrupt());
    }
    if version > FORMAT_VERSION {
        return Err(Error::unusable(format!(
            "the data directory is of a newer format file={} version={version} supported={FORMAT_VERSION}",
            path.display()
        )));
    }
    if decoder.u64() != Some(id.0) {
        return Err(Error::corruption(path, 12, format!("number {}", id.0), "another"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MemoryFs;
    use crate::error::ErrorKind;
    use crate::lsm::version::edit::tests::example;

    const ID: FileId = FileId(7);

    fn written() -> (MemoryFs, Env, PathBuf, Shape) {
        let files = MemoryFs::default();
        let env = Env::with_files(Arc::new(files.clone()));
        let dir = PathBuf::from("/db");
        env.vfs.create_dir_all(&dir).unwrap();
        let mut manifest = Manifest::create(&env, &dir, ID, &Shape::default()).unwrap();
        let mut first = example();
        first.removed.clear();
        manifest.append(&first).unwrap();
        let second = Edit { last_ts: Some(crate::Timestamp(5000)), ..Edit::default() };
        manifest.append(&second).unwrap();
        let shape = Shape::default().after(&first).unwrap().after(&second).unwrap();
        (files, env, dir, shape)
    }

    #[test]
    fn manifests_round_trip() {
        let (_, env, dir, shape) = written();
        assert_eq!(read_current(&env, &dir).unwrap(), Some(ID));
        assert_eq!(read_manifest(&env, &dir, ID).unwrap(), shape);
    }

    #[test]
    fn every_corrupt_byte_is_noticed() {
        let (files, env, dir, shape) = written();
        let path = FileName::Manifest(ID).path(&dir);
        let len = env.vfs.map(&path).unwrap().len();
        for at in 0..len {
            files.corrupt(&path, at, 0x08);
            match read_manifest(&env, &dir, ID) {
                Err(error) => assert_eq!(error.kind(), ErrorKind::Corruption, "byte {at}"),
                // Damage of the last edit cannot be told from a torn tail.
                Ok(read) => assert_ne!(read, shape, "byte {at}"),
            }
            files.corrupt(&path, at, 0x08);
        }
        let current = FileName::Current.path(&dir);
        for at in 0..env.vfs.map(&current).unwrap().len() {
            files.corrupt(&current, at, 0x01);
            assert_eq!(read_current(&env, &dir).unwrap_err().kind(), ErrorKind::Corruption);
            files.corrupt(&current, at, 0x01);
        }
    }
}
