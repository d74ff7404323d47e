//! The checksum of everything on disk: CRC-32 (IEEE), 4 bytes, little-endian.
//!
//! Where one sits and what it covers is said by the owner of each structure.

/// Bytes that a checksum takes.
pub const CHECKSUM_LEN: usize = 4;

/// The checksum of several pieces, as if they were one.
#[inline]
pub fn checksum(pieces: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_one() {
        assert_eq!(checksum(&[b"123456789"]), 0xcbf4_3926);
        assert_eq!(checksum(&[b"1234", b"", b"56789"]), 0xcbf4_3926);
    }
}
