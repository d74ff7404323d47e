//! The last 56 bytes of an sstable: where everything else is.
//!
//! # Layout
//! ```text
//! offset len  field
//!      0  12  block index      offset u64, len u32
//!     12  12  filter           offset u64, len u32; len 0 = no filter
//!     24  12  properties       offset u64, len u32
//!     36   4  reserved         zero
//!     40   4  format version   u32
//!     44   4  checksum         of bytes 0..44
//!     48   8  magic            "CairnSST"
//! ```
//! All integers little-endian. Readers check magic, then checksum, then version.

use crate::encoding::Decoder;
use crate::encoding::checksum::checksum;

const MAGIC: &[u8; 8] = b"CairnSST";
/// The format that this program writes, and the newest that it reads.
pub(super) const FORMAT_VERSION: u32 = 1;

const INDEX_AT: usize = 0;
const FILTER_AT: usize = INDEX_AT + BlockHandle::LEN;
const PROPERTIES_AT: usize = FILTER_AT + BlockHandle::LEN;
const RESERVED_AT: usize = PROPERTIES_AT + BlockHandle::LEN;
const VERSION_AT: usize = RESERVED_AT + size_of::<u32>();
const CHECKSUM_AT: usize = VERSION_AT + size_of::<u32>();
const MAGIC_AT: usize = CHECKSUM_AT + size_of::<u32>();
/// Bytes that a footer takes.
pub(super) const FOOTER_LEN: usize = MAGIC_AT + MAGIC.len();
const _: () = assert!(FOOTER_LEN == 56);

/// Where a sealed block lies in its file, trailer included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockHandle {
    pub(crate) offset: u64,
    pub(crate) len: u32,
}

impl BlockHandle {
    const LEN: usize = size_of::<u64>() + size_of::<u32>();

    fn put(self, out: &mut [u8; FOOTER_LEN], at: usize) {
        out[at..at + 8].copy_from_slice(&self.offset.to_le_bytes());
        out[at + 8..at + 12].copy_from_slice(&self.len.to_le_bytes());
    }

    fn read(decoder: &mut Decoder<'_>) -> Option<Self> {
        Some(Self { offset: decoder.u64()?, len: decoder.u32()? })
    }
}

/// Where the parts of an sstable are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) index: BlockHandle,
    pub(super) filter: Option<BlockHandle>,
    pub(super) properties: BlockHandle,
}

/// Why a footer cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadFooter {
    Malformed,
    Newer(u32),
}

impl Footer {
    pub(super) fn encode(&self) -> [u8; FOOTER_LEN] {
        let mut out = [0; FOOTER_LEN];
        self.index.put(&mut out, INDEX_AT);
        self.filter.unwrap_or_default().put(&mut out, FILTER_AT);
        self.properties.put(&mut out, PROPERTIES_AT);
        out[VERSION_AT..CHECKSUM_AT].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        let sum = checksum(&[&out[..CHECKSUM_AT]]);
        out[CHECKSUM_AT..MAGIC_AT].copy_from_slice(&sum.to_le_bytes());
        out[MAGIC_AT..].copy_from_slice(MAGIC);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadFooter> {
        Self::read(bytes).ok_or(BadFooter::Malformed)?
    }

    fn read(bytes: &[u8]) -> Option<Result<Self, BadFooter>> {
        if bytes.len() != FOOTER_LEN || !bytes.ends_with(MAGIC) {
            return None;
        }
        let mut decoder = Decoder::new(bytes);
        let index = BlockHandle::read(&mut decoder)?;
        let filter = BlockHandle::read(&mut decoder)?;
        let properties = BlockHandle::read(&mut decoder)?;
        decoder.u32()?;
        let version = decoder.u32()?;
        if decoder.u32()? != checksum(&[bytes.get(..CHECKSUM_AT)?]) {
            return None;
        }
        if version > FORMAT_VERSION {
            return Some(Err(BadFooter::Newer(version)));
        }
        let filter = (filter.len > 0).then_some(filter);
        Some(Ok(Self { index, filter, properties }))
    }
}

/// The first bytes of `data` as a footer with a right checksum and magic; `None` when there are
/// too few.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn with_checksum(data: &[u8]) -> Option<[u8; FOOTER_LEN]> {
    let mut out = [0; FOOTER_LEN];
    out[..CHECKSUM_AT].copy_from_slice(data.get(..CHECKSUM_AT)?);
    let sum = checksum(&[&out[..CHECKSUM_AT]]);
    out[CHECKSUM_AT..MAGIC_AT].copy_from_slice(&sum.to_le_bytes());
    out[MAGIC_AT..].copy_from_slice(MAGIC);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footer_detects_every_corrupt_byte() {
        let footer = Footer {
            index: BlockHandle { offset: 1 << 40, len: 77 },
            filter: Some(BlockHandle { offset: 5, len: 6 }),
            properties: BlockHandle { offset: 9, len: 10 },
        };
        let bytes = footer.encode();
        assert_eq!(Footer::decode(&bytes), Ok(footer));
        for at in 0..bytes.len() {
            let mut bad = bytes;
            bad[at] ^= 0x04;
            assert_eq!(Footer::decode(&bad), Err(BadFooter::Malformed), "byte {at}");
            assert_eq!(Footer::decode(&bytes[..at]), Err(BadFooter::Malformed));
        }
    }
}
