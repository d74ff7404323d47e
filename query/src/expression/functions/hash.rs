//! Hashes as Postgres computes them: `hashtext` and its kind, by which applications choose
//! advisory locks and shards.
//!
//! The function is Bob Jenkins' lookup3, with Postgres' start value; words are little-endian.

use super::Builder;
use super::argument::arg;
use crate::value::Value;

/// The golden ratio, and what Postgres adds to it.
const START: u32 = 0x9e37_79b9_u32.wrapping_add(3_923_095);

pub(super) fn register(builder: &mut Builder) {
    builder.function("hashtext(text) -> int4", |_, args| {
        let text: &str = arg(args, 0)?;
        Ok(Value::Int4(hash(text.as_bytes(), 0).1.cast_signed()))
    });
    builder.function("hashtextextended(text, int8) -> int8", |_, args| {
        let (text, seed): (&str, i64) = (arg(args, 0)?, arg(args, 1)?);
        Ok(Value::Int8(both(hash(text.as_bytes(), seed.cast_unsigned()))))
    });
    builder.function("hashint4(int4) -> int4", |_, args| {
        let value: i32 = arg(args, 0)?;
        Ok(Value::Int4(hash_word(value.cast_unsigned())))
    });
    builder.function("hashint8(int8) -> int4", |_, args| {
        let value: i64 = arg(args, 0)?;
        Ok(Value::Int4(hash_word(folded(value))))
    });
}

/// Small numbers hash alike in both widths.
fn folded(value: i64) -> u32 {
    let (low, high) = (value as u32, (value >> 32) as u32);
    low ^ if value >= 0 { high } else { !high }
}

fn both((high, low): (u32, u32)) -> i64 {
    (u64::from(high) << 32 | u64::from(low)).cast_signed()
}

fn hash_word(word: u32) -> i32 {
    let start = START.wrapping_add(4);
    finish([start.wrapping_add(word), start, start]).1.cast_signed()
}

/// The two halves of the hash; the second one is the hash of 32 bits.
fn hash(bytes: &[u8], seed: u64) -> (u32, u32) {
    let start = START.wrapping_add(bytes.len() as u32);
    let mut state = [start; 3];
    if seed != 0 {
        state[0] = state[0].wrapping_add((seed >> 32) as u32);
        state[1] = state[1].wrapping_add(seed as u32);
        state = mix(state);
    }
    let mut blocks = bytes.chunks_exact(12);
    for block in blocks.by_ref() {
        state = mix(add(state, block, 0));
    }
    finish(add(state, blocks.remainder(), 8))
}

/// Adds up to twelve bytes; those of the third word begin at bit `last_shift`, as its lowest byte
/// belongs to the length in what is no whole block.
fn add(mut state: [u32; 3], bytes: &[u8], last_shift: u32) -> [u32; 3] {
    for (position, byte) in bytes.iter().enumerate() {
        let (word, place) = (position / 4, position as u32 % 4 * 8);
        let shift = if word == 2 { place + last_shift } else { place };
        if let Some(word) = state.get_mut(word) {
            *word = word.wrapping_add(u32::from(*byte) << shift);
        }
    }
    state
}

fn mix([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    for (first, second, third) in [(4, 6, 8), (16, 19, 4)] {
        a = a.wrapping_sub(c) ^ c.rotate_left(first);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(second);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(third);
        b = b.wrapping_add(a);
    }
    [a, b, c]
}

fn finish([mut a, mut b, mut c]: [u32; 3]) -> (u32, u32) {
    let stir = |x: u32, y: u32, by: u32| (x ^ y).wrapping_sub(y.rotate_left(by));
    c = stir(c, b, 14);
    a = stir(a, c, 11);
    b = stir(b, a, 25);
    c = stir(c, b, 16);
    a = stir(a, c, 4);
    b = stir(b, a, 14);
    c = stir(c, b, 24);
    (b, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_postgres() {
        let text = |text: &str| hash(text.as_bytes(), 0).1.cast_signed();
        assert_eq!(text("abc"), -785_388_649);
        assert_eq!(text(""), -1_477_818_771);
        assert_eq!(text("hello world, this is more than twelve"), -150_734_544);
        assert_eq!(both(hash(b"abc", 0)), -6_747_756_470_228_489_321);
        assert_eq!(both(hash(b"abc", 42)), 4_423_357_919_252_764_502);
        assert_eq!(hash_word(5), -1_330_264_708);
        assert_eq!(hash_word(folded(5)), -1_330_264_708);
        assert_eq!(hash_word(folded(-5)), 1_412_886_042);
    }
}
