//! The manifest: which segments there are, what ended in them, up to where they are complete.
//!
//! ```text
//!  0  "CAIRNFTM" or "CAIRNGEM": full-text or geo   8  u32 format version
//! 12  varint watermark   varint next segment number   varint number of segments
//!  …  for each segment, oldest first: varint number, u32 fingerprint of its file, varint items
//!     that ended, and for each of these, ascending: varint distance from the item before,
//!     varint timestamp of its end
//!  …  u32 CRC-32 of the directory's name and all before
//! ```
//! Little-endian. Replaced as a whole, atomically; segments that it does not name are leftovers.
//!
//! The directory's name inside the checksum makes the manifest of another index look like
//! garbage; the fingerprint does so with another segment.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use ahash::AHashMap;

use crate::encoding::checksum::checksum;
use crate::encoding::{Decoder, put_varint};
use crate::env::Env;
use crate::env::atomic_file::write_atomically;
use crate::error::{Error, Result};
use crate::timestamp::Timestamp;

const MAGIC_LEN: usize = 8;
const FILE_NAME: &str = "MANIFEST";
const CHECKSUM_LEN: usize = 4;

/// What tells the files of one kind of index from those of another.
#[derive(Clone, Copy, Debug)]
pub(in crate::index) struct Kind {
    /// In messages.
    pub name: &'static str,
    /// What the manifest begins with.
    pub magic: &'static [u8; MAGIC_LEN],
    /// Of the manifest and what it speaks of.
    pub format_version: u32,
    /// The ending of segment files.
    pub extension: &'static str,
}

/// When items ended, by number; those that are not here have not, as far as segments know.
pub(in crate::index) type Ended = AHashMap<u32, Timestamp>;

/// The list of live segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub watermark: Timestamp,
    /// The number of the next segment; numbers are never used twice.
    pub next_id: u64,
    /// Oldest first.
    pub segments: Vec<Named>,
}

/// A segment as the manifest knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub id: u64,
    /// See [`Segment::fingerprint`](super::Segment::fingerprint).
    pub fingerprint: u32,
    /// What ended in it.
    pub ended: Ended,
}

impl Kind {
    /// The path of a segment.
    pub fn segment_path(self, dir: &Path, id: u64) -> PathBuf {
        dir.join(format!("{id:06}.{}", self.extension))
    }

    /// Whether a file is a segment of this kind.
    pub fn owns(self, path: &Path) -> bool {
        path.extension().is_some_and(|ending| ending == self.extension)
    }
}

impl Manifest {
    /// Where the manifest of an index is.
    pub fn path(dir: &Path) -> PathBuf {
        dir.join(FILE_NAME)
    }

    /// Before anything was sealed.
    fn empty() -> Self {
        Self { next_id: 1, ..Self::default() }
    }

    /// Reads the manifest of `dir`; an empty one when there is none, or when it is of an older
    /// format: then the index is built anew from its entries.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is from a newer format.
    pub fn load(env: &Env, dir: &Path, kind: Kind) -> Result<Self> {
        let path = Self::path(dir);
        let exists = env.vfs.exists(&path).map_err(|error| Error::io("look for", &path, error))?;
        if !exists {
            return Ok(Self::empty());
        }
        let bytes = env.vfs.map(&path).map_err(|error| Error::unreadable(&path, error))?;
        let body_len = bytes.len().saturating_sub(CHECKSUM_LEN);
        let body = bytes.get(..body_len).unwrap_or_default();
        let stored = Decoder::at(&bytes, body_len).u32();
        if !body.starts_with(kind.magic) || stored != Some(checksum(&[name_of(dir), body])) {
            // Older formats did not have the name in their checksum.
            if is_older(body, stored, kind) {
                return Ok(Self::empty());
            }
            let expected = format!("the manifest of this {} index", kind.name);
            return Err(Error::corruption(&path, 0, expected, "something else"));
        }
        let mut decoder = Decoder::at(body, MAGIC_LEN);
        match decoder.u32().map(|version| version.cmp(&kind.format_version)) {
            Some(Ordering::Equal) => {}
            Some(Ordering::Less) | None => {
                let expected = format!("format version {}", kind.format_version);
                return Err(Error::corruption(&path, MAGIC_LEN as u64, expected, "another"));
            }
            Some(Ordering::Greater) => {
                let (name, path) = (kind.name, path.display());
                let message = format!("{name} index of a newer format file={path}");
                return Err(Error::unusable(message));
            }
        }
        Self::decode(&mut decoder)
            .filter(|_| decoder.is_empty())
            .ok_or_else(|| Error::corruption(&path, 0, "a list of segments", "something else"))
    }

    fn decode(decoder: &mut Decoder<'_>) -> Option<Self> {
        let (watermark, next_id) = (Timestamp(decoder.varint()?), decoder.varint()?);
        let count = decoder.length()?;
        let mut segments = Vec::new();
        for _ in 0..count {
            let (id, fingerprint) = (decoder.varint()?, decoder.u32()?);
            let ended_count = decoder.length()?;
            let mut ended = Ended::default();
            let mut item = 0u32;
            for _ in 0..ended_count {
                item = item.checked_add(u32::try_from(decoder.varint()?).ok()?)?;
                ended.insert(item, Timestamp(decoder.varint()?));
            }
            segments.push(Named { id, fingerprint, ended });
        }
        Some(Self { watermark, next_id, segments })
    }

    fn encode(&self, dir: &Path, kind: Kind) -> Vec<u8> {
        let mut out = kind.magic.to_vec();
        out.extend(kind.format_version.to_le_bytes());
        for number in [self.watermark.0, self.next_id, self.segments.len() as u64] {
            put_varint(&mut out, number);
        }
        for Named { id, fingerprint, ended } in &self.segments {
            put_varint(&mut out, *id);
            out.extend(fingerprint.to_le_bytes());
            put_varint(&mut out, ended.len() as u64);
            let mut ended: Vec<_> = ended.iter().collect();
            ended.sort_unstable();
            let mut last = 0;
            for (item, end) in ended {
                put_varint(&mut out, u64::from(item - last));
                put_varint(&mut out, end.0);
                last = *item;
            }
        }
        out.extend(checksum(&[name_of(dir), &out]).to_le_bytes());
        out
    }

    /// Makes this the manifest of `dir`. Requires: the segments are durable.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn store(&self, env: &Env, dir: &Path, kind: Kind) -> Result<()> {
        write_atomically(&*env.vfs, &Self::path(dir), &self.encode(dir, kind))
    }
}

/// What the checksum says of the directory.
fn name_of(dir: &Path) -> &[u8] {
    dir.file_name().unwrap_or_default().as_encoded_bytes()
}

/// Whether a manifest is whole and of a format before the name of the directory was part of the
/// checksum.
fn is_older(body: &[u8], stored: Option<u32>, kind: Kind) -> bool {
    let version = Decoder::at(body, MAGIC_LEN).u32();
    let is_older = version.is_some_and(|version| (1..kind.format_version).contains(&version));
    is_older && body.starts_with(kind.magic) && stored == Some(checksum(&[body]))
}

/// Checks the decoder on any bytes with a right frame; see [`crate::fuzzing`].
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    const KIND: Kind =
        Kind { name: "test", magic: b"CAIRNTST", format_version: 1, extension: "test" };
    let (env, dir) = (Env::memory(), Path::new("/index"));
    env.vfs.create_dir_all(dir).expect("in memory");
    let mut framed = KIND.magic.to_vec();
    framed.extend(KIND.format_version.to_le_bytes());
    framed.extend_from_slice(data);
    framed.extend(checksum(&[name_of(dir), &framed]).to_le_bytes());
    for bytes in [data, &framed] {
        write_atomically(&*env.vfs, &dir.join(FILE_NAME), bytes).expect("in memory");
        let Ok(manifest) = Manifest::load(&env, dir, KIND) else { continue };
        manifest.store(&env, dir, KIND).expect("in memory");
        assert_eq!(Manifest::load(&env, dir, KIND).ok(), Some(manifest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const KIND: Kind =
        Kind { name: "test", magic: b"CAIRNTST", format_version: 3, extension: "test" };

    #[test]
    fn round_trips_and_every_damaged_byte_is_found() {
        let env = Env::memory();
        let dir = Path::new("/index");
        env.vfs.create_dir_all(dir).unwrap();
        let ended: Ended = [(0, Timestamp(3)), (700, Timestamp(900)), (9, Timestamp(4))].into();
        let segments =
            vec![Named { id: 3, fingerprint: 77, ended }, Named { id: 8, ..Named::default() }];
        let manifest = Manifest { watermark: Timestamp(7), next_id: 9, segments };
        manifest.store(&env, dir, KIND).unwrap();
        assert_eq!(Manifest::load(&env, dir, KIND).unwrap(), manifest);
        let good = manifest.encode(dir, KIND);
        let other = Path::new("/another");
        env.vfs.create_dir_all(other).unwrap();
        write_atomically(&*env.vfs, &other.join(FILE_NAME), &good).unwrap();
        assert!(Manifest::load(&env, other, KIND).is_err(), "it belongs to another index");
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            write_atomically(&*env.vfs, &dir.join(FILE_NAME), &bytes).unwrap();
            assert!(Manifest::load(&env, dir, KIND).is_err(), "byte {at}");
        }
    }

    #[test]
    fn formats_are_told_apart() {
        let env = Env::memory();
        let dir = Path::new("/index");
        env.vfs.create_dir_all(dir).unwrap();
        let load = |version: Option<u32>, names: &[&[u8]]| {
            let mut bytes = KIND.magic.to_vec();
            bytes.extend(version.map(u32::to_le_bytes).into_iter().flatten());
            let sum = checksum(&[&names.concat(), &bytes]);
            bytes.extend(sum.to_le_bytes());
            write_atomically(&*env.vfs, &dir.join(FILE_NAME), &bytes).unwrap();
            Manifest::load(&env, dir, KIND).map_err(|error| error.kind())
        };
        assert_eq!(load(Some(2), &[]), Ok(Manifest::empty()), "built anew from its entries");
        assert_eq!(load(Some(4), &[b"index"]), Err(ErrorKind::Unusable));
        for (version, names) in [(None, &[][..]), (None, &[&b"index"[..]]), (Some(0), &[])] {
            assert_eq!(load(version, names), Err(ErrorKind::Corruption), "{version:?}");
        }
    }
}
