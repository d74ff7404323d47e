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

/// Where the checksum of everything before agrees with the four bytes that follow: each such place
/// in turn, in one pass.
pub fn agreements(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut hasher = crc32fast::Hasher::new();
    let ends = bytes.windows(1 + CHECKSUM_LEN).enumerate();
    ends.filter_map(move |(at, window)| {
        let (next, stated) = window.split_at(1);
        hasher.update(next);
        (stated == hasher.clone().finalize().to_le_bytes()).then_some(at + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found() {
        let text = b"123456789";
        let sealed = [&text[..], &checksum(&[text]).to_le_bytes(), b"more"].concat();
        assert_eq!(agreements(&sealed).next(), Some(text.len()));
        assert_eq!(agreements(b"1234").next(), None);
    }

    #[test]
    fn pieces_are_one() {
        assert_eq!(checksum(&[b"123456789"]), 0xcbf4_3926);
        assert_eq!(checksum(&[b"1234", b"", b"56789"]), 0xcbf4_3926);
    }
}
