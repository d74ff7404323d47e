//! Reads stored rows as section 9 of `docs/FORMAT.md` has them, and prints their values.

use crate::reader::Cursor;

/// The values of a row, as text.
pub fn values(row: &[u8]) -> Result<Vec<String>, String> {
    let mut cursor = Cursor { rest: row };
    let end_len = if cursor.u8()? == 0 { 2 } else { 4 };
    let count = cursor.number(2)? as usize;
    let tags = cursor.take(count)?;
    let ends = (0..count).map(|_| cursor.number(end_len)).collect::<Result<Vec<_>, _>>()?;
    let mut start = 0;
    let mut values = Vec::new();
    for (tag, end) in tags.iter().zip(ends) {
        let payload = cursor.rest.get(start..end as usize).ok_or("an end beyond the row")?;
        start = end as usize;
        values.push(value(*tag, payload)?);
    }
    Ok(values)
}

fn integer(bytes: &[u8]) -> i128 {
    let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut whole = [fill; 16];
    whole[..bytes.len()].copy_from_slice(bytes);
    i128::from_le_bytes(whole)
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())
}

fn f64_at(payload: &[u8], index: usize) -> Result<f64, String> {
    let bytes = payload.get(index * 8..index * 8 + 8).ok_or("too short")?;
    Ok(f64::from_le_bytes(bytes.try_into().map_err(|_| "not eight bytes")?))
}

fn value(tag: u8, payload: &[u8]) -> Result<String, String> {
    let mut cursor = Cursor { rest: payload };
    Ok(match tag {
        0 => "NULL".to_owned(),
        1 => "false".to_owned(),
        2 => "true".to_owned(),
        3..=6 | 12 | 13 | 15 | 16 => integer(payload).to_string(),
        7 => f32::from_bits(cursor.number(4)? as u32).to_string(),
        8 => f64_at(payload, 0)?.to_string(),
        9 => match cursor.u8()? {
            0 => {
                let scale = cursor.varint()?;
                format!("{}e-{scale}", integer(cursor.rest))
            }
            1 => "NaN".to_owned(),
            2 => "Infinity".to_owned(),
            _ => "-Infinity".to_owned(),
        },
        10 | 19 | 24 | 28 => text(payload)?,
        11 | 18 => payload.iter().map(|byte| format!("{byte:02x}")).collect(),
        14 => {
            let (micros, west) = (cursor.number(8)?, cursor.number(4)?);
            format!("{micros} {}", (west as u32).cast_signed())
        }
        17 => {
            let (months, days) = (cursor.number(4)? as u32, cursor.number(4)? as u32);
            let (months, days) = (months.cast_signed(), days.cast_signed());
            format!("{months} {days} {}", integer(cursor.rest))
        }
        20 => array(&mut cursor)?,
        21 => range(&mut cursor)?,
        22 => {
            let mut fields = Vec::new();
            while !cursor.rest.is_empty() {
                fields.push(nested(&mut cursor)?);
            }
            format!("({})", fields.join(","))
        }
        23 => document(payload)?,
        25 => geometry(&mut cursor)?,
        27 => format!("{} {}", cursor.number(4)?, text(cursor.rest)?),
        _ => return Err(format!("an unknown tag {tag}")),
    })
}

fn nested(cursor: &mut Cursor<'_>) -> Result<String, String> {
    let tag = cursor.u8()?;
    value(tag, cursor.bytes()?)
}

fn array(cursor: &mut Cursor<'_>) -> Result<String, String> {
    let element = text(cursor.bytes()?)?;
    let mut dimensions = Vec::new();
    for _ in 0..cursor.varint()? {
        let (len, lower) = (cursor.varint()?, cursor.number(4)? as u32);
        dimensions.push(format!("{len}@{}", lower.cast_signed()));
    }
    let mut elements = Vec::new();
    while !cursor.rest.is_empty() {
        elements.push(nested(cursor)?);
    }
    Ok(format!("{element} {} {}", dimensions.join("x"), elements.join(",")))
}

fn range(cursor: &mut Cursor<'_>) -> Result<String, String> {
    let element = text(cursor.bytes()?)?;
    let flags = cursor.take(3)?;
    let (lower, upper) = (nested(cursor)?, nested(cursor)?);
    Ok(format!("{element} {flags:?} {lower} {upper}"))
}

/// 7.1.
fn document(bytes: &[u8]) -> Result<String, String> {
    let mut cursor = Cursor { rest: bytes };
    let width = cursor.u8()? as usize;
    let count = cursor.number(width)? as usize;
    let ends = (0..count).map(|_| cursor.number(width)).collect::<Result<Vec<_>, _>>()?;
    let records = cursor.rest;
    let mut start = 0;
    let mut lexemes = Vec::new();
    for end in ends {
        let record = records.get(start..end as usize).ok_or("an end beyond the document")?;
        let mut cursor = Cursor { rest: record };
        start = end as usize;
        let len = cursor.number(2)? as usize;
        let lexeme = text(cursor.take(len)?)?;
        let mut positions = Vec::new();
        while !cursor.rest.is_empty() {
            let bits = cursor.number(2)?;
            positions.push(format!(
                "{}{}",
                bits & 0x3fff,
                ["", "C", "B", "A"][(bits >> 14) as usize]
            ));
        }
        lexemes.push(format!("{lexeme}:{}", positions.join(",")));
    }
    Ok(lexemes.join(" "))
}

fn geometry(cursor: &mut Cursor<'_>) -> Result<String, String> {
    let kind = cursor.u8()?;
    let srid = if kind & 0x10 == 0 { 0 } else { cursor.varint()? };
    if kind & 0x0f != 1 {
        return Err(format!("the test has points only, not {kind}"));
    }
    Ok(format!("{srid} {} {}", f64_at(cursor.rest, 0)?, f64_at(cursor.rest, 1)?))
}
