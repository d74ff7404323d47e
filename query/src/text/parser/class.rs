//! Questions about the next character.

/// What a rule asks of the next character (`None` is the end of the text).
#[derive(Clone, Copy, Debug)]
pub(super) enum Class {
    /// Anything, the end included.
    Any,
    /// The end of the text.
    End,
    /// Exactly this character.
    Is(char),
    /// `a`-`z`, `A`-`Z`
    AsciiLetter,
    /// Any letter.
    Letter,
    /// Any digit.
    Digit,
    /// Letter or digit.
    Alphanumeric,
    /// Neither letter nor digit.
    Other,
    /// A hexadecimal digit.
    HexDigit,
    /// White space.
    Space,
    /// A mark without a width of its own, which belongs to the letter before.
    Mark,
    /// A character that a URL path may have.
    UrlPath,
    /// Not a character: we are inside `<script>` or `<style>`.
    InScript,
    /// Not a character: only a host was asked for, and it ends here.
    HostEnds,
    /// Not a character: a host follows; it becomes part of the token.
    HostFollows,
    /// Not a character: a URL path follows; it becomes part of the token.
    PathFollows,
}

/// Whether a character is in one of the classes that need nothing but the character.
pub(super) fn contains(class: Class, c: Option<char>) -> bool {
    let Some(c) = c else { return matches!(class, Class::Any | Class::End) };
    match class {
        Class::Any => true,
        Class::Is(wanted) => c == wanted,
        Class::AsciiLetter => c.is_ascii_alphabetic(),
        Class::Letter => is_letter(c),
        Class::Digit => is_digit(c),
        Class::Alphanumeric => is_letter(c) || is_digit(c),
        Class::Other => !(is_letter(c) || is_digit(c)),
        Class::HexDigit => c.is_ascii_hexdigit(),
        Class::Space => is_space(c),
        Class::Mark => is_mark(c),
        Class::UrlPath => is_url_path(c),
        Class::End
        | Class::InScript
        | Class::HostEnds
        | Class::HostFollows
        | Class::PathFollows => false,
    }
}

fn is_letter(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { c.is_alphabetic() || is_foreign_digit(c) }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// The C library counts digits of other scripts as letters.
fn is_foreign_digit(c: char) -> bool {
    c.is_numeric() && !c.is_ascii() && c.to_digit(10).is_none() && is_decimal_digit(c)
}

fn is_decimal_digit(c: char) -> bool {
    matches!(u32::from(c),
        0x0660..=0x0669 | 0x06F0..=0x06F9 | 0x07C0..=0x07C9 | 0x0966..=0x096F | 0x09E6..=0x09EF
        | 0x0A66..=0x0A6F | 0x0AE6..=0x0AEF | 0x0B66..=0x0B6F | 0x0BE6..=0x0BEF
        | 0x0C66..=0x0C6F | 0x0CE6..=0x0CEF | 0x0D66..=0x0D6F | 0x0E50..=0x0E59
        | 0x0ED0..=0x0ED9 | 0x0F20..=0x0F29 | 0x1040..=0x1049 | 0x17E0..=0x17E9
        | 0x1810..=0x1819 | 0xFF10..=0xFF19)
}

fn is_space(c: char) -> bool {
    match c {
        '\t'..='\r' | ' ' => true,
        // No-break spaces are not white space to the C library.
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}' => false,
        _ => c.is_whitespace(),
    }
}

/// Combining marks and other characters of no width (Unicode, categories Mn, Me, Cf in the blocks
/// where text has them).
fn is_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05BD | 0x05BF | 0x05C1..=0x05C2
        | 0x05C4..=0x05C5 | 0x05C7 | 0x0610..=0x061A | 0x064B..=0x065F | 0x0670
        | 0x06D6..=0x06DC | 0x06DF..=0x06E4 | 0x06E7..=0x06E8 | 0x06EA..=0x06ED
        | 0x0901..=0x0903 | 0x093A..=0x093C | 0x093E..=0x094F | 0x0951..=0x0957
        | 0x0962..=0x0963 | 0x0981..=0x0983 | 0x09BC | 0x09BE..=0x09CD | 0x0A01..=0x0A03
        | 0x0A3C..=0x0A4D | 0x0A81..=0x0A83 | 0x0ABC | 0x0ABE..=0x0ACD | 0x0B01..=0x0B03
        | 0x0B3C | 0x0B3E..=0x0B4D | 0x0B82 | 0x0BBE..=0x0BCD | 0x0C01..=0x0C03
        | 0x0C3E..=0x0C4D | 0x0C82..=0x0C83 | 0x0CBC | 0x0CBE..=0x0CCD | 0x0D02..=0x0D03
        | 0x0D3E..=0x0D4D | 0x0E31 | 0x0E34..=0x0E3A | 0x0E47..=0x0E4E | 0x0EB1
        | 0x0EB4..=0x0EBC | 0x0EC8..=0x0ECD | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2063 | 0x20D0..=0x20FF
        | 0x302A..=0x302F | 0x3099..=0x309A | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0xFEFF)
}

/// RFC 3986 leaves these out.
fn is_url_path(c: char) -> bool {
    matches!(c, '!'..='~') && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
}
