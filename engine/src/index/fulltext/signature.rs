//! What a document is made of, in few bytes: how `verify` compares documents that it never has in
//! one piece, because the index keeps them lexeme by lexeme.

use super::document::{Document, Position};

/// A sum over lexemes; the order in which they are added does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signature(u64);

impl Signature {
    /// The signature of a document.
    pub fn of(document: &Document) -> Self {
        let mut signature = Self::default();
        for lexeme in document.iter() {
            signature.add(lexeme.text, lexeme.positions.iter());
        }
        signature
    }

    /// Adds a lexeme with its positions: FNV-1a (Fowler, Noll, Vo) over their bytes.
    pub fn add(&mut self, text: &str, positions: impl Iterator<Item = Position>) {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut take = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        text.bytes().for_each(&mut take);
        take(0xff); // no text has it
        positions.flat_map(|position| position.bits().to_le_bytes()).for_each(&mut take);
        self.0 = self.0.wrapping_add(hash);
    }
}
