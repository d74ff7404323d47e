//! The manifest of one generation: when it was made, up to which commit, and which files it has.
//!
//! # Layout
//! ```text
//!  0  "CairnBKP"   8  u32 format version
//! 12  varint generation   varint commit timestamp   varint microseconds since 1970
//!  …  varint number of files, and for each of these:
//!     path from the data directory on, length-prefixed   varint length
//!     u32 checksum of all bytes   u32 checksum of the last 64 KiB
//!  …  u32 checksum of all before
//! ```
//! Little-endian; checksums are CRC-32. Written once, atomically.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::{Backup, sums, tail_sum};
use crate::encoding::checksum::checksum;
use crate::encoding::{Decoder, put_bytes, put_varint};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::history::micros;
use crate::timestamp::Timestamp;

const MAGIC: &[u8; 8] = b"CairnBKP";
const FORMAT_VERSION: u32 = 1;
const CHECKSUM_LEN: usize = 4;
/// What comes before a generation's number in its manifest's name.
const NAME_PREFIX: &str = "backup-";

/// One generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) id: u64,
    pub(super) timestamp: Timestamp,
    pub(super) created: Duration,
    pub(super) files: Vec<Entry>,
}

/// A file of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    /// Relative to the data directory.
    pub(super) path: String,
    pub(super) len: u64,
    pub(super) sum: u32,
    pub(super) tail_sum: u32,
}

/// A file to back up.
pub(super) struct Source {
    path: String,
    pub(super) bytes: Bytes,
}

impl Source {
    /// Maps the file `path` of `dir`.
    ///
    /// # Errors
    /// `Io`; `Internal` when its name is none of ours.
    pub(super) fn read(env: &Env, dir: &Path, path: PathBuf) -> Result<Self> {
        let whole = dir.join(&path);
        let bytes = env.vfs.map(&whole).map_err(|error| Error::io("read", &whole, error))?;
        let path = path.into_os_string().into_string();
        let path = path.map_err(|_| Error::internal("a file's name is not UTF-8"))?;
        Ok(Self { path, bytes })
    }

    /// Relative to the data directory.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Whether this is that file. Its end tells: reading all of every file would take as long as
    /// copying it.
    pub(super) fn is(&self, entry: &Entry) -> bool {
        self.path == entry.path
            && self.bytes.len() as u64 == entry.len
            && tail_sum(&self.bytes) == entry.tail_sum
    }

    /// The file, described.
    pub(super) fn to_entry(&self) -> Entry {
        let (sum, tail_sum) = sums(&self.bytes);
        Entry { path: self.path.clone(), len: self.bytes.len() as u64, sum, tail_sum }
    }
}

impl Entry {
    /// The name of the copy.
    pub(super) fn copy_name(&self) -> String {
        format!("{:08x}-{}-{}", self.sum, self.len, self.path.replace('/', "-"))
    }

    /// Whether these are the file's bytes.
    pub(super) fn check(&self, copy: &Path, bytes: &[u8]) -> Result<()> {
        if bytes.len() as u64 != self.len {
            let expected = format!("{} bytes", self.len);
            return Err(Error::corruption(copy, 0, expected, format!("{}", bytes.len())));
        }
        let found = checksum(&[bytes]);
        if found != self.sum {
            let expected = format!("checksum {:08x}", self.sum);
            return Err(Error::corruption(copy, 0, expected, format!("{found:08x}")));
        }
        Ok(())
    }
}

impl Manifest {
    /// What users are told of it.
    pub(super) fn describe(&self) -> Backup {
        let len_bytes = self.files.iter().map(|file| file.len).sum();
        let (id, created, timestamp) = (self.id, self.created, self.timestamp);
        Backup { id, created, timestamp, file_count: self.files.len(), len_bytes }
    }

    /// Where the manifest of a generation is.
    pub(super) fn path(target: &Path, id: u64) -> PathBuf {
        target.join(format!("{NAME_PREFIX}{id:06}"))
    }

    /// The generation whose manifest has this name.
    pub(super) fn parse_name(name: &str) -> Option<u64> {
        let digits = name.strip_prefix(NAME_PREFIX)?;
        let is_number = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok())?
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(FORMAT_VERSION.to_le_bytes());
        for number in [self.id, self.timestamp.0, micros(self.created), self.files.len() as u64] {
            put_varint(&mut out, number);
        }
        for file in &self.files {
            put_bytes(&mut out, file.path.as_bytes());
            put_varint(&mut out, file.len);
            out.extend(file.sum.to_le_bytes());
            out.extend(file.tail_sum.to_le_bytes());
        }
        out.extend(checksum(&[&out]).to_le_bytes());
        out
    }

    /// Reads the manifest of generation `id`.
    ///
    /// # Errors
    /// `Corruption`, `Unusable` when it is of a newer format, `Io`.
    pub(super) fn load(env: &Env, target: &Path, id: u64) -> Result<Self> {
        let path = Self::path(target, id);
        let bytes = env.vfs.map(&path).map_err(|error| Error::io("read", &path, error))?;
        let corrupt = || Error::corruption(&path, 0, "a backup's manifest", "other bytes");
        let body_len = bytes.len().checked_sub(CHECKSUM_LEN).ok_or_else(corrupt)?;
        let body = bytes.get(..body_len).unwrap_or_default();
        let stored = Decoder::at(&bytes, body_len).u32();
        if !body.starts_with(MAGIC) || stored != Some(checksum(&[body])) {
            return Err(corrupt());
        }
        let mut decoder = Decoder::at(body, MAGIC.len());
        let version = decoder.u32().ok_or_else(corrupt)?;
        if version > FORMAT_VERSION {
            return Err(Error::unusable(format!(
                "the backup is of a newer format file={} version={version} supported={FORMAT_VERSION}",
                path.display()
            )));
        }
        let manifest = Self::decode(&mut decoder).filter(|_| decoder.is_empty());
        manifest.filter(|manifest| manifest.id == id).ok_or_else(corrupt)
    }

    fn decode(decoder: &mut Decoder<'_>) -> Option<Self> {
        let (id, timestamp) = (decoder.varint()?, Timestamp(decoder.varint()?));
        let created = Duration::from_micros(decoder.varint()?);
        let mut files = Vec::new();
        for _ in 0..decoder.varint()? {
            let path = std::str::from_utf8(decoder.length_prefixed()?).ok()?.to_owned();
            let is_inside =
                Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
            let (len, sum, tail_sum) = (decoder.varint()?, decoder.u32()?, decoder.u32()?);
            if !is_inside || path.is_empty() {
                return None;
            }
            files.push(Entry { path, len, sum, tail_sum });
        }
        Some(Self { id, timestamp, created, files })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::atomic_file::write_atomically;

    fn entry(path: &str) -> Entry {
        Entry { path: path.to_owned(), len: 300, sum: 0x0102_0304, tail_sum: 7 }
    }

    #[test]
    fn round_trips_and_every_damaged_byte_is_found() {
        let env = Env::memory();
        let target = Path::new("/backups");
        env.vfs.create_dir_all(target).unwrap();
        let files = vec![entry("CURRENT"), entry("index-7/000001.geo")];
        let created = Duration::from_micros(1_700_000_000_000_001);
        let manifest = Manifest { id: 3, timestamp: Timestamp(900), created, files };
        let good = manifest.encode();
        let path = Manifest::path(target, 3);
        write_atomically(&*env.vfs, &path, &good).unwrap();
        assert_eq!(Manifest::load(&env, target, 3).unwrap(), manifest);
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            write_atomically(&*env.vfs, &path, &bytes).unwrap();
            assert!(Manifest::load(&env, target, 3).is_err(), "byte {at}");
            write_atomically(&*env.vfs, &path, &good[..at]).unwrap();
            assert!(Manifest::load(&env, target, 3).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn paths_that_lead_outside_are_refused() {
        for path in ["../x", "/etc/x", "", "a/../../x"] {
            let files = vec![entry(path)];
            let created = Duration::ZERO;
            let manifest = Manifest { id: 1, timestamp: Timestamp(1), created, files };
            let bytes = manifest.encode();
            let body = &bytes[MAGIC.len() + 4..bytes.len() - CHECKSUM_LEN];
            assert!(Manifest::decode(&mut Decoder::new(body)).is_none(), "{path}");
        }
        assert_eq!(Manifest::parse_name("backup-000012"), Some(12));
        assert_eq!(Manifest::parse_name("backup-000012.tmp"), None);
    }
}
