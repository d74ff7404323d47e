//! The binary format.
//!
//! ```text
//! header   "PGCOPY\n\xff\r\n\0"  flags u32  extension length u32  extension
//! tuple    number of fields i16, then per field: length i32 (-1 is NULL), bytes
//! trailer  -1 i16
//! ```

use crate::error::{Error, Result, SqlState};

/// How every binary COPY begins.
pub(super) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// What stands at the beginning of some data.
pub(super) enum Next<'a> {
    /// A whole tuple, `len` bytes from the start of the data (with the header, if it was due).
    Tuple { len: usize, fields: Vec<Option<&'a [u8]>> },
    /// The trailer.
    End,
    /// More bytes are needed.
    Incomplete,
}

/// Reads the next tuple.
///
/// # Errors
/// 22P04
pub(super) fn next_tuple(data: &[u8], with_header: bool, columns: usize) -> Result<Next<'_>> {
    let mut at = 0;
    if with_header {
        match header_len(data)? {
            Some(len) => at = len,
            None => return Ok(Next::Incomplete),
        }
    }
    let Some(count) = read::<2>(data, &mut at).map(i16::from_be_bytes) else {
        return Ok(Next::Incomplete);
    };
    if count == -1 {
        return Ok(Next::End);
    }
    if usize::try_from(count).ok() != Some(columns) {
        let message = format!("row field count is {count}, expected {columns}");
        return Err(Error::new(SqlState::BAD_COPY_FILE_FORMAT, message));
    }
    let mut fields = Vec::with_capacity(columns);
    for _ in 0..columns {
        let Some(len) = read::<4>(data, &mut at).map(i32::from_be_bytes) else {
            return Ok(Next::Incomplete);
        };
        if len == -1 {
            fields.push(None);
            continue;
        }
        let len = usize::try_from(len)
            .map_err(|_| Error::new(SqlState::BAD_COPY_FILE_FORMAT, "invalid field size"))?;
        let Some(field) = at.checked_add(len).and_then(|end| data.get(at..end)) else {
            return Ok(Next::Incomplete);
        };
        at += len;
        fields.push(Some(field));
    }
    Ok(Next::Tuple { len: at, fields })
}

fn header_len(data: &[u8]) -> Result<Option<usize>> {
    let seen = data.get(..SIGNATURE.len().min(data.len())).unwrap_or_default();
    if !SIGNATURE.starts_with(seen) {
        let message = "COPY file signature not recognized";
        return Err(Error::new(SqlState::BAD_COPY_FILE_FORMAT, message));
    }
    let mut at = SIGNATURE.len() + 4;
    let Some(extension) = read::<4>(data, &mut at).map(u32::from_be_bytes) else {
        return Ok(None);
    };
    let end = at.saturating_add(usize::try_from(extension).unwrap_or(usize::MAX));
    Ok((end <= data.len()).then_some(end))
}

fn read<const N: usize>(data: &[u8], at: &mut usize) -> Option<[u8; N]> {
    let bytes = *data.get(*at..)?.first_chunk::<N>()?;
    *at += N;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tuples_in_pieces() {
        let mut data = SIGNATURE.to_vec();
        data.extend_from_slice(&[0; 8]);
        data.extend_from_slice(&[0, 2, 0, 0, 0, 1, b'x', 0xff, 0xff, 0xff, 0xff]);
        for len in 0..data.len() {
            let next = next_tuple(&data[..len], true, 2).unwrap();
            assert!(matches!(next, Next::Incomplete), "{len}");
        }
        let Next::Tuple { len, fields } = next_tuple(&data, true, 2).unwrap() else {
            panic!("no tuple")
        };
        assert_eq!((len, fields), (data.len(), vec![Some(&b"x"[..]), None]));
        assert!(matches!(next_tuple(&[0xff, 0xff], false, 2), Ok(Next::End)));
        assert!(next_tuple(b"PGCOPX", true, 2).is_err());
        assert!(next_tuple(&[0, 3], false, 2).is_err());
    }
}
