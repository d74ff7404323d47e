//! A document: sorted lexemes with positions and weights, and its bytes.
//!
//! The bytes are the same in rows, in index entries and in memory; a decoded [`Document`] is the
//! checked bytes themselves, so reading one costs a walk and no allocation.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | `w`, the width of the numbers that follow: 2 or 4 |
//! | `w` | how many lexemes |
//! | `w` each | where each lexeme's record ends, counted from the first record |
//! | rest | the records |
//!
//! A record is the length of its text (2 bytes), the text (UTF-8, not longer than
//! [`LEXEME_LEN_MAX`]) and its positions, 2 bytes each: the weight in the upper two bits, the place
//! in the lower fourteen. Numbers are little-endian. Lexemes ascend in byte order, each once;
//! places ascend within a lexeme, each once. Example: `'a':1A 'bc'` is
//! `02 0200 0500 0900 · 0100 61 01c0 · 0200 6263`.

use bytes::Bytes;

/// The longest lexeme in bytes (Postgres' limit).
pub const LEXEME_LEN_MAX: usize = 2046;
/// The largest place; later words count as being there (Postgres' limit).
pub const PLACE_MAX: u16 = 16383;
/// The most positions that one lexeme keeps (Postgres' limit).
pub const POSITIONS_MAX: usize = 256;

/// How much an occurrence counts, from D (least, the default) to A.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Weight {
    /// The default.
    #[default]
    D = 0,
    /// The second.
    C = 1,
    /// The third.
    B = 2,
    /// The most important.
    A = 3,
}

impl Weight {
    /// The weight of two bits.
    pub fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::D,
            1 => Self::C,
            2 => Self::B,
            _ => Self::A,
        }
    }

    /// The weight that a letter names, in either case.
    pub fn from_letter(letter: char) -> Option<Self> {
        match letter {
            'A' | 'a' => Some(Self::A),
            'B' | 'b' => Some(Self::B),
            'C' | 'c' => Some(Self::C),
            'D' | 'd' => Some(Self::D),
            _ => None,
        }
    }

    /// Its letter.
    pub fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::C => 'C',
            Self::D => 'D',
        }
    }
}

/// Where a lexeme occurs, and with what weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position(u16);

impl Position {
    /// A position; places past the limit are at the limit.
    pub fn new(place: u32, weight: Weight) -> Self {
        let place = u16::try_from(place).map_or(PLACE_MAX, |place| place.min(PLACE_MAX));
        Self(place | (weight as u16) << 14)
    }

    /// From its two bytes.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// Its two bytes.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The place: words counted from 1.
    pub fn place(self) -> u16 {
        self.0 & PLACE_MAX
    }

    /// The weight.
    pub fn weight(self) -> Weight {
        Weight::from_bits((self.0 >> 14) as u8)
    }
}

/// A lexeme of a document.
#[derive(Clone, Copy, Debug)]
pub struct Lexeme<'a> {
    /// Its text.
    pub text: &'a str,
    /// Where it occurs; empty when the document does not say.
    pub positions: Positions<'a>,
}

/// The positions of one lexeme, ascending.
#[derive(Clone, Copy, Debug)]
pub struct Positions<'a>(&'a [u8]);

impl<'a> Positions<'a> {
    /// How many.
    pub fn len(self) -> usize {
        self.0.len() / 2
    }

    /// Whether the document does not say where the lexeme occurs.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The last one.
    pub fn last(self) -> Option<Position> {
        self.0.last_chunk().map(|bytes| Position(u16::from_le_bytes(*bytes)))
    }

    /// One after the other.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Position> + DoubleEndedIterator + 'a {
        let (pairs, _) = self.0.as_chunks::<2>();
        pairs.iter().map(|pair| Position(u16::from_le_bytes(*pair)))
    }
}

/// A document whose bytes have been checked.
#[derive(Clone, Debug)]
pub struct Document {
    bytes: Bytes,
    lexeme_count: usize,
    is_wide: bool,
    /// Lexemes and positions of the whole document, when this is a cutting of it.
    whole: Option<(u32, u32)>,
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Default for Document {
    fn default() -> Self {
        Self { bytes: Bytes::from_static(&[2, 0, 0]), lexeme_count: 0, is_wide: false, whole: None }
    }
}

impl Document {
    /// Checks bytes; `None` when they are not a document.
    pub fn decode(bytes: Bytes) -> Option<Self> {
        let is_wide = match *bytes.first()? {
            2 => false,
            4 => true,
            _ => return None,
        };
        let mut document = Self { bytes, lexeme_count: 0, is_wide, whole: None };
        document.lexeme_count = document.number(0)?;
        document.check()?;
        Some(document)
    }

    /// The bytes.
    pub fn encoded(&self) -> &Bytes {
        &self.bytes
    }

    /// How many different lexemes it has.
    pub fn len(&self) -> usize {
        self.lexeme_count
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.lexeme_count == 0
    }

    /// How many different lexemes the document has that this was cut from.
    pub fn whole_len(&self) -> usize {
        self.whole.map_or(self.lexeme_count, |(lexemes, _)| lexemes as usize)
    }

    /// How many positions the document has that this was cut from; a lexeme without any counts as
    /// one.
    pub fn whole_position_count(&self) -> usize {
        match self.whole {
            Some((_, positions)) => positions as usize,
            None => self.iter().map(|lexeme| lexeme.positions.len().max(1)).sum(),
        }
    }

    /// This document as a cutting of one with that many lexemes and positions.
    #[must_use]
    pub fn cut_from(mut self, lexemes: u32, positions: u32) -> Self {
        self.whole = Some((lexemes, positions));
        self
    }

    /// The lexemes in byte order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Lexeme<'_>> + ExactSizeIterator + '_ {
        (0..self.lexeme_count).map(|index| self.lexeme(index))
    }

    /// The lexeme with exactly this text.
    pub fn find(&self, text: &str) -> Option<Lexeme<'_>> {
        let lexeme = self.lexemes_from(self.lower_bound(text)).next()?;
        (lexeme.text == text).then_some(lexeme)
    }

    /// The lexemes that begin with `prefix`.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Lexeme<'a>> + 'a {
        self.lexemes_from(self.lower_bound(prefix))
            .take_while(move |lexeme| lexeme.text.starts_with(prefix))
    }

    /// The largest place; 0 without positions.
    pub fn last_place(&self) -> u16 {
        let places = self.iter().filter_map(|lexeme| lexeme.positions.last());
        places.map(Position::place).max().unwrap_or(0)
    }

    fn lexemes_from(&self, index: usize) -> impl Iterator<Item = Lexeme<'_>> + '_ {
        (index..self.lexeme_count).map(|index| self.lexeme(index))
    }

    fn lower_bound(&self, text: &str) -> usize {
        let (mut low, mut high) = (0, self.lexeme_count);
        while low < high {
            let middle = low.midpoint(high);
            if self.lexeme(middle).text < text {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Requires: `index < self.len()` and checked bytes; anything else yields an empty lexeme.
    fn lexeme(&self, index: usize) -> Lexeme<'_> {
        let parts = self.record(index).and_then(split_record);
        let (text, positions) = parts.unwrap_or((&[], &[]));
        debug_assert!(std::str::from_utf8(text).is_ok());
        // SAFETY: every `Document` is made by `decode`, whose `check` validated each record's
        // text as UTF-8 at the same record bounds, or by the builder from `str`s, or is empty; the
        // bytes are immutable. `split_record` failing yields the empty slice, which is UTF-8.
        let text = unsafe { std::str::from_utf8_unchecked(text) };
        Lexeme { text, positions: Positions(positions) }
    }

    /// The `index`th number after the width byte: the count, then the ends.
    fn number(&self, index: usize) -> Option<usize> {
        if self.is_wide {
            let bytes = self.bytes.get(1..)?.get(index.checked_mul(4)?..)?.first_chunk::<4>()?;
            Some(u32::from_le_bytes(*bytes) as usize)
        } else {
            let bytes = self.bytes.get(1..)?.get(index.checked_mul(2)?..)?.first_chunk::<2>()?;
            Some(u16::from_le_bytes(*bytes) as usize)
        }
    }

    fn records_start(&self) -> Option<usize> {
        let width = if self.is_wide { 4 } else { 2 };
        self.lexeme_count.checked_add(1)?.checked_mul(width)?.checked_add(1)
    }

    fn record(&self, index: usize) -> Option<&[u8]> {
        let start = if index == 0 { 0 } else { self.number(index)? };
        let end = self.number(index.checked_add(1)?)?;
        self.bytes.get(self.records_start()?..)?.get(start..end)
    }

    fn check(&self) -> Option<()> {
        let mut previous: Option<&[u8]> = None;
        for index in 0..self.lexeme_count {
            let (text, positions) = split_record(self.record(index)?)?;
            if text.len() > LEXEME_LEN_MAX || previous.is_some_and(|previous| previous >= text) {
                return None;
            }
            std::str::from_utf8(text).ok()?;
            if !positions.len().is_multiple_of(2) {
                return None;
            }
            let places = || Positions(positions).iter().map(Position::place);
            if places().zip(places().skip(1)).any(|(one, next)| one >= next) {
                return None;
            }
            previous = Some(text);
        }
        let records_len = if self.lexeme_count == 0 { 0 } else { self.number(self.lexeme_count)? };
        let expected_len = self.records_start()?.checked_add(records_len)?;
        (self.bytes.len() == expected_len).then_some(())
    }
}

fn split_record(record: &[u8]) -> Option<(&[u8], &[u8])> {
    let (text_len, rest) = record.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*text_len)))
}

/// Puts a document's bytes together, lexeme after lexeme in byte order.
#[derive(Debug, Default)]
pub struct DocumentBuilder {
    ends: Vec<u32>,
    records: Vec<u8>,
}

impl DocumentBuilder {
    /// Adds a lexeme.
    ///
    /// Requires: `text` is not longer than [`LEXEME_LEN_MAX`] and greater than the one before;
    /// places ascend strictly.
    pub fn push(&mut self, text: &str, positions: impl IntoIterator<Item = Position>) {
        debug_assert!(text.len() <= LEXEME_LEN_MAX);
        self.records.extend_from_slice(&(text.len() as u16).to_le_bytes());
        self.records.extend_from_slice(text.as_bytes());
        for position in positions {
            self.records.extend_from_slice(&position.bits().to_le_bytes());
        }
        self.ends.push(self.records.len() as u32);
    }

    /// Bytes of the records so far.
    pub fn records_len(&self) -> usize {
        self.records.len()
    }

    /// The document; what follows begins another one.
    pub fn finish(&mut self) -> Document {
        let is_wide = u16::try_from(self.records.len().max(self.ends.len())).is_err();
        let width = if is_wide { 4 } else { 2 };
        let mut bytes = Vec::with_capacity(1 + width * (self.ends.len() + 1) + self.records.len());
        bytes.push(width as u8);
        for number in std::iter::once(self.ends.len() as u32).chain(self.ends.iter().copied()) {
            if is_wide {
                bytes.extend_from_slice(&number.to_le_bytes());
            } else {
                bytes.extend_from_slice(&(number as u16).to_le_bytes());
            }
        }
        bytes.extend_from_slice(&self.records);
        let lexeme_count = self.ends.len();
        self.records.clear();
        self.ends.clear();
        Document { bytes: bytes.into(), lexeme_count, is_wide, whole: None }
    }
}

/// Checks the decoder; see [`crate::fuzzing`].
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let Some(document) = Document::decode(Bytes::copy_from_slice(data)) else { return };
    let mut builder = DocumentBuilder::default();
    for lexeme in document.iter() {
        assert!(std::str::from_utf8(lexeme.text.as_bytes()).is_ok());
        assert!(document.find(lexeme.text).is_some());
        builder.push(lexeme.text, lexeme.positions.iter());
    }
    assert_eq!(document.iter().count(), document.len());
    let again = Document::decode(builder.finish().encoded().clone()).expect("it was built");
    assert!(again.iter().map(|lexeme| lexeme.text).eq(document.iter().map(|lexeme| lexeme.text)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Document {
        let mut builder = DocumentBuilder::default();
        builder.push("a", [Position::new(1, Weight::A)]);
        builder.push("bc", []);
        builder.finish()
    }

    #[test]
    fn bytes_are_as_the_header_shows() {
        let hex: String =
            example().encoded().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex, "0202000500090001006101c002006263");
    }

    #[test]
    fn round_trip_and_lookup() {
        let document = Document::decode(example().encoded().clone()).unwrap();
        assert_eq!(document, example());
        assert_eq!(document.find("a").unwrap().positions.last().unwrap().weight(), Weight::A);
        assert!(document.find("b").is_none());
        assert_eq!(document.with_prefix("b").count(), 1);
        assert_eq!(document.with_prefix("").count(), 2);
        assert_eq!(document.whole_position_count(), 2);
        assert!(Document::decode(Document::default().encoded().clone()).unwrap().is_empty());
    }

    #[test]
    fn wide_documents() {
        let mut builder = DocumentBuilder::default();
        let texts: Vec<String> = (0..9000).map(|n| format!("lexeme{n:06}")).collect();
        for text in &texts {
            builder.push(text, [Position::new(7, Weight::B)]);
        }
        let document = Document::decode(builder.finish().encoded().clone()).unwrap();
        assert_eq!(document.len(), 9000);
        assert!(texts.iter().all(|text| document.find(text).is_some()));
    }

    #[test]
    fn every_corrupted_byte_is_refused_or_still_a_document() {
        let bytes = example().encoded().to_vec();
        for at in 0..bytes.len() {
            for flip in 1..=255u8 {
                let mut corrupt = bytes.clone();
                corrupt[at] ^= flip;
                if let Some(document) = Document::decode(corrupt.into()) {
                    assert_eq!(document.iter().count(), document.len());
                }
            }
            assert!(Document::decode(bytes[..at].to_vec().into()).is_none());
        }
    }
}
