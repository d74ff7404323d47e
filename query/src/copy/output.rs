//! COPY TO: rows become bytes.

use super::format::Format;
use super::{binary, csv, text};
use crate::bind::{CopyFormat, CopyOptions};
use crate::error::Result;
use crate::plan::Row;
use crate::result::OutputColumn;
use crate::session::Running;
use crate::value::OutputStyle;

/// A COPY TO STDOUT in the course of writing.
pub struct CopyOut {
    pub(crate) running: Running,
    columns: Vec<OutputColumn>,
    format: Format,
    force_quote: Vec<bool>,
    is_begun: bool,
    /// Rows written so far.
    pub(crate) rows: u64,
}

impl CopyOut {
    pub(crate) fn new(
        running: Running,
        columns: Vec<OutputColumn>,
        options: &CopyOptions,
    ) -> Result<Self> {
        let is_forced = |column: &OutputColumn| {
            options.force_quote.iter().any(|name| name == "*" || *name == column.name)
        };
        let force_quote = columns.iter().map(is_forced).collect();
        let format = Format::new(options)?;
        Ok(Self { running, columns, format, force_quote, is_begun: false, rows: 0 })
    }

    /// How many columns a row has.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Whether the format is binary.
    pub fn is_binary(&self) -> bool {
        self.format.kind == CopyFormat::Binary
    }

    /// What comes before the first row.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_begun, true) {
            return;
        }
        if self.is_binary() {
            out.extend_from_slice(binary::SIGNATURE);
            out.extend_from_slice(&[0; 8]);
        } else if self.format.has_header {
            for (position, column) in self.columns.iter().enumerate() {
                if position > 0 {
                    out.push(self.format.delimiter);
                }
                self.write_text(&column.name, false, out);
            }
            out.push(b'\n');
        }
    }

    /// What comes after the last row.
    pub(crate) fn end(&self, out: &mut Vec<u8>) {
        if self.is_binary() {
            out.extend_from_slice(&(-1i16).to_be_bytes());
        }
    }

    /// One row.
    ///
    /// # Errors
    /// When a value has no binary form.
    pub(crate) fn write(
        &mut self,
        row: &Row,
        style: &OutputStyle,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.rows += 1;
        if self.is_binary() {
            return self.write_binary(row, style, out);
        }
        for (position, (column, value)) in self.columns.iter().zip(row).enumerate() {
            if position > 0 {
                out.push(self.format.delimiter);
            }
            if value.is_null() {
                out.extend_from_slice(self.format.null.as_bytes());
                continue;
            }
            let field = crate::value::output::to_text(value, &column.ty.base, style);
            let is_forced = self.force_quote.get(position).copied().unwrap_or(false);
            self.write_text(&field, is_forced, out);
        }
        out.push(b'\n');
        Ok(())
    }

    fn write_text(&self, field: &str, is_forced: bool, out: &mut Vec<u8>) {
        if self.format.kind == CopyFormat::Csv {
            csv::write_field(field, &self.format, is_forced, self.columns.len() == 1, out);
        } else {
            text::write_field(field, &self.format, out);
        }
    }

    fn write_binary(&self, row: &Row, style: &OutputStyle, out: &mut Vec<u8>) -> Result<()> {
        let mut field = bytes::BytesMut::new();
        let count = i16::try_from(row.len()).unwrap_or(i16::MAX);
        out.extend_from_slice(&count.to_be_bytes());
        for (column, value) in self.columns.iter().zip(row) {
            if value.is_null() {
                out.extend_from_slice(&(-1i32).to_be_bytes());
                continue;
            }
            field.clear();
            crate::value::binary::encode(value, &column.ty, style, &mut field)?;
            let len = i32::try_from(field.len()).unwrap_or(i32::MAX);
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(&field);
        }
        Ok(())
    }
}
