//! The manifest: which segments there are, and up to where they are complete.
//!
//! ```text
//!  0  "CAIRNGEM"    8  u32 format version    12  u32 number of segments
//! 16  u64 watermark    24  u64 next segment number    32  u64 number of each, oldest first
//! …   u32 CRC-32 of all before
//! ```
//! Little-endian. Replaced as a whole, atomically; segments that it does not name are leftovers.

use std::path::{Path, PathBuf};

use crate::encoding::Decoder;
use crate::encoding::checksum::checksum;
use crate::env::Env;
use crate::env::atomic_file::write_atomically;
use crate::error::{Error, Result};
use crate::timestamp::Timestamp;

const MAGIC: &[u8; 8] = b"CAIRNGEM";
const FORMAT_VERSION: u32 = 1;
const FILE_NAME: &str = "MANIFEST";

/// The list of live segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub watermark: Timestamp,
    /// The number of the next segment; numbers are never used twice.
    pub next_id: u64,
    /// Oldest first.
    pub segments: Vec<u64>,
}

/// The path of a segment.
pub(super) fn segment_path(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("{id:06}.geo"))
}

impl Manifest {
    /// Reads the manifest of `dir`; the default when there is none.
    ///
    /// # Errors
    /// `Io`, `Corruption`, `Unusable` when it is from a newer format.
    pub fn load(env: &Env, dir: &Path) -> Result<Self> {
        let path = dir.join(FILE_NAME);
        let exists = env.vfs.exists(&path).map_err(|error| Error::io("look for", &path, error))?;
        if !exists {
            return Ok(Self { next_id: 1, ..Self::default() });
        }
        let bytes = env.vfs.map(&path).map_err(|error| Error::io("map", &path, error))?;
        let body_len = bytes.len().saturating_sub(4);
        let body = bytes.get(..body_len).unwrap_or_default();
        let stored = Decoder::at(&bytes, body_len).u32();
        if !body.starts_with(MAGIC) || stored != Some(checksum(&[body])) {
            return Err(Error::corruption(&path, 0, "a geo manifest", "something else"));
        }
        let mut decoder = Decoder::at(body, MAGIC.len());
        if decoder.u32() != Some(FORMAT_VERSION) {
            let name = path.display();
            return Err(Error::unusable(format!("geo manifest of a newer format file={name}")));
        }
        Self::decode(&mut decoder)
            .filter(|_| decoder.is_empty())
            .ok_or_else(|| Error::corruption(&path, 0, "a list of segments", "something else"))
    }

    fn decode(decoder: &mut Decoder<'_>) -> Option<Self> {
        let count = decoder.u32()?;
        let (watermark, next_id) = (Timestamp(decoder.u64()?), decoder.u64()?);
        let segments = (0..count).map(|_| decoder.u64()).collect::<Option<_>>()?;
        Some(Self { watermark, next_id, segments })
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(FORMAT_VERSION.to_le_bytes());
        // Merging keeps segments few.
        out.extend(u32::try_from(self.segments.len()).unwrap_or(u32::MAX).to_le_bytes());
        for number in [self.watermark.0, self.next_id].iter().chain(&self.segments) {
            out.extend(number.to_le_bytes());
        }
        out.extend(checksum(&[&out]).to_le_bytes());
        out
    }

    /// Makes this the manifest of `dir`. Requires: the segments are durable.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub fn store(&self, env: &Env, dir: &Path) -> Result<()> {
        write_atomically(&*env.vfs, &dir.join(FILE_NAME), &self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_every_damaged_byte_is_found() {
        let env = Env::memory();
        let dir = Path::new("/geo");
        env.vfs.create_dir_all(dir).unwrap();
        let manifest = Manifest { watermark: Timestamp(7), next_id: 9, segments: vec![3, 8] };
        manifest.store(&env, dir).unwrap();
        assert_eq!(Manifest::load(&env, dir).unwrap(), manifest);
        let good = manifest.encode();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            write_atomically(&*env.vfs, &dir.join(FILE_NAME), &bytes).unwrap();
            assert!(Manifest::load(&env, dir).is_err(), "byte {at}");
        }
    }
}
