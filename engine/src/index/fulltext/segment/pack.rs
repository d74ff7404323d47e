//! The bytes of a segment file: named sections in one immutable file.
//!
//! ```text
//!  0  "CAIRNFTS"   8  u32 format version
//! 12  the sections, one after the other
//!  …  the table: varint count, then for each section its name (varint length and bytes),
//!     varint offset, varint length, u32 CRC-32
//!  …  u64 offset of the table, u32 CRC-32 of the table and of this offset, "CAIRNFTS"
//! ```
//! Little-endian. Most sections are the files of a one-segment tantivy index; the section
//! [`super::rows`] is ours.

use std::path::Path;

use bytes::Bytes;

use crate::encoding::checksum::checksum;
use crate::encoding::{Decoder, put_bytes, put_varint};
use crate::error::{Error, Result};

const MAGIC: &[u8; 8] = b"CAIRNFTS";
/// The version that is read and written.
pub(super) const FORMAT_VERSION: u32 = 2;
const HEADER_LEN: usize = 12;
const FOOTER_LEN: usize = 20;

/// One section of a file.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub name: String,
    pub offset: u64,
    pub bytes: Bytes,
    checksum: u32,
}

/// Puts sections into one file.
pub(super) fn pack(sections: &[(String, Bytes)]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(FORMAT_VERSION.to_le_bytes());
    let mut table = Vec::new();
    put_varint(&mut table, sections.len() as u64);
    for (name, bytes) in sections {
        put_bytes(&mut table, name.as_bytes());
        put_varint(&mut table, out.len() as u64);
        put_varint(&mut table, bytes.len() as u64);
        table.extend(checksum(&[bytes]).to_le_bytes());
        out.extend_from_slice(bytes);
    }
    let offset = (out.len() as u64).to_le_bytes();
    let table_checksum = checksum(&[&table, &offset]);
    out.extend(table);
    out.extend(offset);
    out.extend(table_checksum.to_le_bytes());
    out.extend(MAGIC);
    out
}

/// The checksum of the table, which has those of all sections: no two files share it.
pub(super) fn fingerprint(file: &[u8]) -> u32 {
    let at = file.len().saturating_sub(FOOTER_LEN) + size_of::<u64>();
    Decoder::at(file, at).u32().unwrap_or_default()
}

/// The sections of a file. Checks the table; the sections are checked by [`check`].
///
/// # Errors
/// `Corruption`.
pub(super) fn unpack(path: &Path, file: &Bytes) -> Result<Vec<Section>> {
    let damaged = |what| Error::corruption(path, 0, what, "something else");
    if !file.starts_with(MAGIC) || !file.ends_with(MAGIC) {
        return Err(damaged("a full-text segment"));
    }
    // The manifest that names the file has said already that its format is ours.
    let version = Decoder::at(file, MAGIC.len()).u32().unwrap_or_default();
    if version != FORMAT_VERSION {
        let expected = format!("format version {FORMAT_VERSION}");
        return Err(Error::corruption(path, MAGIC.len() as u64, expected, version));
    }
    let footer_at = file.len().saturating_sub(FOOTER_LEN);
    let mut footer = Decoder::at(file, footer_at);
    let (offset, stored) = (footer.u64(), footer.u32());
    let table_at = offset.and_then(|offset| usize::try_from(offset).ok());
    let table = table_at.and_then(|at| file.get(at..footer_at));
    let (Some(table), Some(offset)) = (table, offset) else {
        return Err(damaged("a table of sections"));
    };
    if stored != Some(checksum(&[table, &offset.to_le_bytes()])) {
        return Err(Error::corruption(path, offset, "a checksum of the table", "another"));
    }
    read_table(table, file).ok_or_else(|| damaged("a table of sections"))
}

fn read_table(table: &[u8], file: &Bytes) -> Option<Vec<Section>> {
    let mut decoder = Decoder::new(table);
    let count = decoder.length()?;
    let mut sections = Vec::new();
    for _ in 0..count {
        let name = std::str::from_utf8(decoder.length_prefixed()?).ok()?.to_owned();
        let (start, len) = (decoder.length()?, decoder.length()?);
        let end = start.checked_add(len)?;
        if start < HEADER_LEN || end > file.len() {
            return None;
        }
        let (offset, bytes) = (start as u64, file.slice(start..end));
        sections.push(Section { name, offset, bytes, checksum: decoder.u32()? });
    }
    decoder.is_empty().then_some(sections)
}

/// Checks the bytes of a section.
///
/// # Errors
/// `Corruption`.
pub(super) fn check(path: &Path, section: &Section) -> Result<()> {
    let found = checksum(&[&section.bytes]);
    if found == section.checksum {
        return Ok(());
    }
    let (expected, found) = (format!("{:08x}", section.checksum), format!("{found:08x}"));
    Err(Error::corruption(path, section.offset, expected, found))
}

/// Any bytes as the table of a file with a right frame.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn framed(table: &[u8]) -> Vec<u8> {
    let mut out = pack(&[]);
    out.truncate(HEADER_LEN);
    let offset = (out.len() as u64).to_le_bytes();
    out.extend_from_slice(table);
    out.extend(offset);
    out.extend(checksum(&[table, &offset]).to_le_bytes());
    out.extend(MAGIC);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_every_damaged_byte_is_found() {
        let path = Path::new("/segment");
        let sections =
            [("one".to_owned(), Bytes::from_static(b"abc")), ("two".to_owned(), Bytes::new())];
        let good = pack(&sections);
        let read = |bytes: Vec<u8>| -> Result<Vec<(String, Bytes)>> {
            let found = unpack(path, &bytes.into())?;
            found.iter().try_for_each(|section| check(path, section))?;
            Ok(found.into_iter().map(|section| (section.name, section.bytes)).collect())
        };
        assert_eq!(read(good.clone()).unwrap(), sections);
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            assert!(read(bytes).is_err(), "byte {at}");
            assert!(read(good[..at].to_vec()).is_err(), "cut at {at}");
        }
    }
}
