//! Bytes that should be text.

use crate::error::{Error, Result, SqlState};

/// The bytes as text.
///
/// # Errors
/// 22021 with the bytes at fault, as Postgres words it.
pub fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let rest = bytes.get(error.valid_up_to()..).unwrap_or_default();
        let expected = match rest.first() {
            Some(0xf0..=0xf7) => 4,
            Some(0xe0..=0xef) => 3,
            Some(0xc0..=0xdf) => 2,
            _ => 1,
        };
        let shown: Vec<String> =
            rest.iter().take(expected).map(|byte| format!("0x{byte:02x}")).collect();
        let message = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
        Error::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_shown() {
        assert_eq!(utf8("grün".as_bytes()).unwrap(), "grün");
        for (bytes, shown) in [(&b"a\xff"[..], "0xff"), (b"\xc3(", "0xc3 0x28"), (b"\xe2", "0xe2")]
        {
            let message = format!("invalid byte sequence for encoding \"UTF8\": {shown}");
            assert_eq!(utf8(bytes).unwrap_err().message(), message);
        }
    }
}
