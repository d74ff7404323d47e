//! The manifest: which segments there are, what ended in them, up to where they are complete.
//!
//! ```text
//!  0  "CAIRNFTM" or "CAIRNGEM": full-text or geo   8  u32 format version
//! 12  varint watermark   varint next segment number   varint number of segments
//!  …  for each segment, oldest first: varint number, varint items that ended, and for each of
//!     these, ascending: varint distance from the item before, varint timestamp of its end
//!  …  u32 CRC-32 of all before
//! ```
//! Little-endian. Replaced as a whole, atomically; segments that it does not name are leftovers.

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
    /// Oldest first, with what ended in each.
    pub segments: Vec<(u64, Ended)>,
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
        let path = dir.join(FILE_NAME);
        let exists = env.vfs.exists(&path).map_err(|error| Error::io("look for", &path, error))?;
        if !exists {
            return Ok(Self::empty());
        }
        let bytes = env.vfs.map(&path).map_err(|error| Error::io("map", &path, error))?;
        let body_len = bytes.len().saturating_sub(CHECKSUM_LEN);
        let body = bytes.get(..body_len).unwrap_or_default();
        let stored = Decoder::at(&bytes, body_len).u32();
        if !body.starts_with(kind.magic) || stored != Some(checksum(&[body])) {
            let expected = format!("a manifest of a {} index", kind.name);
            return Err(Error::corruption(&path, 0, expected, "something else"));
        }
        let mut decoder = Decoder::at(body, MAGIC_LEN);
        match decoder.u32().unwrap_or_default().cmp(&kind.format_version) {
            Ordering::Equal => {}
            Ordering::Less => return Ok(Self::empty()),
            Ordering::Greater => {
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
            let (id, ended_count) = (decoder.varint()?, decoder.length()?);
            let mut ended = Ended::default();
            let mut item = 0u32;
            for _ in 0..ended_count {
                item = item.checked_add(u32::try_from(decoder.varint()?).ok()?)?;
                ended.insert(item, Timestamp(decoder.varint()?));
            }
            segments.push((id, ended));
        }
        Some(Self { watermark, next_id, segments })
    }

    fn encode(&self, kind: Kind) -> Vec<u8> {
        let mut out = kind.magic.to_vec();
        out.extend(kind.format_version.to_le_bytes());
        for number in [self.watermark.0, self.next_id, self.segments.len() as u64] {
            put_varint(&mut out, number);
        }
        for (id, ended) in &self.segments {
            put_varint(&mut out, *id);
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
        out.extend(checksum(&[&out]).to_le_bytes());
        out
    }

    /// Makes this the manifest of `dir`. Requires: the segments are durable.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn store(&self, env: &Env, dir: &Path, kind: Kind) -> Result<()> {
        write_atomically(&*env.vfs, &dir.join(FILE_NAME), &self.encode(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind =
        Kind { name: "test", magic: b"CAIRNTST", format_version: 1, extension: "test" };

    #[test]
    fn round_trips_and_every_damaged_byte_is_found() {
        let env = Env::memory();
        let dir = Path::new("/index");
        env.vfs.create_dir_all(dir).unwrap();
        let ended: Ended = [(0, Timestamp(3)), (700, Timestamp(900)), (9, Timestamp(4))].into();
        let segments = vec![(3, ended), (8, Ended::default())];
        let manifest = Manifest { watermark: Timestamp(7), next_id: 9, segments };
        manifest.store(&env, dir, KIND).unwrap();
        assert_eq!(Manifest::load(&env, dir, KIND).unwrap(), manifest);
        let good = manifest.encode(KIND);
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            write_atomically(&*env.vfs, &dir.join(FILE_NAME), &bytes).unwrap();
            assert!(Manifest::load(&env, dir, KIND).is_err(), "byte {at}");
        }
        for (format_version, found) in [(0, Some(Manifest::empty())), (2, None)] {
            manifest.store(&env, dir, Kind { format_version, ..KIND }).unwrap();
            assert_eq!(Manifest::load(&env, dir, KIND).ok(), found);
        }
    }
}
