//! Short URLs: the code is the id in base 62; one in ten expires.

use std::fmt::Write;

use super::super::{Dataset, Draw, words};
use super::{Source, Table, moment, tag};

/// `urls`.
pub const TABLE: Table = Table {
    name: "urls",
    copy: "COPY urls (id, short_code, original_url, created_at, expires_at, clicks) FROM STDIN",
    count: Dataset::urls,
    write,
};

const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A number in base 62.
pub fn short_code(id: u64) -> String {
    let mut rest = id;
    let mut digits = Vec::new();
    loop {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        digits.push(char::from(DIGITS[digit]));
        rest /= 62;
        if rest == 0 {
            return digits.iter().rev().collect();
        }
    }
}

fn write(source: &Source, row: u64, out: &mut String) {
    let mut draw = Draw::new(source.dataset.seed, tag::URL, row);
    let id = row + 1;
    let (code, host) = (short_code(id), draw.pick(&words::HOSTS));
    let (noun, kind) = (draw.pick(&words::NOUNS), draw.pick(&words::KINDS).0);
    let page = draw.below(1_000_000);
    let (created, clicks) = (moment(&mut draw), draw.skewed_below(1_000));
    let expires = match draw.below(10) {
        0 => format!("20{}-06-01 00:00:00+00", 40 + draw.below(50)),
        _ => "\\N".to_owned(),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{id}\t{code}\thttps://{host}/{noun}/{kind}/{page}?ref={id}\t{created}\t{expires}\t{clicks}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_base_62() {
        assert_eq!(short_code(0), "0");
        assert_eq!(short_code(61), "Z");
        assert_eq!(short_code(125), "21");
        assert_eq!(short_code(u64::MAX).len(), 11);
    }
}
