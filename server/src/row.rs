//! Rows and their descriptions as messages.

use bytes::{BufMut, BytesMut};
use cairn_query::Result;
use cairn_query::result::OutputColumn;
use cairn_query::value::{OutputStyle, Type, Value};
use pgwire::messages::data::{FieldDescription, RowDescription};

use crate::outbox::Outbox;

/// The format of one item: none given is text, one given is for all.
pub(crate) fn format_at(formats: &[i16], position: usize) -> i16 {
    match formats {
        [] => 0,
        [format] => *format,
        formats => formats.get(position).copied().unwrap_or(0),
    }
}

/// The OID of a type, as clients know it.
pub(crate) fn type_oid(ty: &Type) -> u32 {
    ty.oid()
}

/// Describes rows.
pub(crate) fn push_description(
    outbox: &mut Outbox,
    columns: &[OutputColumn],
    formats: &[i16],
) -> Result<()> {
    let field = |(position, column): (usize, &OutputColumn)| {
        let (table, attribute) = column.origin.unwrap_or((0, 0));
        FieldDescription::new(
            column.name.replace('\0', ""),
            table.cast_signed(),
            attribute,
            type_oid(&column.ty.base),
            column.ty.base.len(),
            column.ty.modifier,
            format_at(formats, position),
        )
    };
    let fields = columns.iter().enumerate().map(field).collect();
    outbox.push(&RowDescription::new(fields));
    Ok(())
}

/// Describes rows, or says that there will be none.
pub(crate) fn push_description_or_none(
    outbox: &mut Outbox,
    columns: &[OutputColumn],
    formats: &[i16],
) -> Result<()> {
    if columns.is_empty() {
        outbox.push_empty(b'n');
        return Ok(());
    }
    push_description(outbox, columns, formats)
}

/// Adds one row.
pub(crate) fn push_row(
    outbox: &mut Outbox,
    values: &[Value],
    columns: &[OutputColumn],
    formats: &[i16],
    style: &OutputStyle,
) -> Result<()> {
    outbox.push_with(b'D', |bytes| {
        bytes.put_i16(i16::try_from(columns.len()).unwrap_or(i16::MAX));
        for (position, (column, value)) in columns.iter().zip(values).enumerate() {
            if value.is_null() {
                bytes.put_i32(-1);
                continue;
            }
            push_value(bytes, value, column, format_at(formats, position), style)?;
        }
        Ok(())
    })
}

fn push_value(
    bytes: &mut BytesMut,
    value: &Value,
    column: &OutputColumn,
    format: i16,
    style: &OutputStyle,
) -> Result<()> {
    let start = bytes.len();
    bytes.put_i32(0);
    if format == 1 {
        cairn_query::value::binary::encode(value, &column.ty, style, bytes)?;
    } else {
        match (value, &column.ty.base) {
            (Value::Text(text), Type::Text | Type::Varchar | Type::Name) => {
                bytes.put_slice(text.as_bytes());
            }
            (value, ty) => {
                bytes.put_slice(cairn_query::value::output::to_text(value, ty, style).as_bytes());
            }
        }
    }
    let len = i32::try_from(bytes.len() - start - 4).unwrap_or(i32::MAX);
    if let Some(place) = bytes.get_mut(start..start + 4) {
        place.copy_from_slice(&len.to_be_bytes());
    }
    Ok(())
}
