//! COPY FROM: bytes in pieces of any size become rows, one record at a time.

use std::sync::Arc;

use super::csv::Search;
use super::format::Format;
use super::{binary, csv, text};
use crate::bind::{CopyFormat, CopyOptions};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::expression::context::StatementFacts;
use crate::plan::Plan;
use crate::value::{SqlType, Value};

/// Bytes that one record may have.
const RECORD_LEN_MAX: usize = 256 << 20;

/// A column that is read.
#[derive(Clone, Debug)]
pub struct CopyColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
}

/// A COPY FROM STDIN in the course of reading.
pub struct CopyIn {
    /// What each row runs: the columns are its parameters.
    pub(crate) plan: Arc<Plan>,
    /// Rows for which it is not true are left out.
    pub(crate) filter: Option<Expr>,
    /// Facts of the statement.
    pub(crate) facts: StatementFacts,
    /// Rows inserted so far.
    pub(crate) rows: u64,
    records: Records,
}

/// What makes a [`CopyIn`].
pub struct CopyInput {
    /// The table's name, for errors.
    pub table: String,
    /// The columns, in order.
    pub columns: Vec<CopyColumn>,
    /// How records look.
    pub options: CopyOptions,
    /// See [`CopyIn`].
    pub plan: Arc<Plan>,
    /// See [`CopyIn`].
    pub filter: Option<Expr>,
    /// Facts of the statement.
    pub facts: StatementFacts,
}

/// Takes records out of the bytes that came.
struct Records {
    table: String,
    columns: Vec<CopyColumn>,
    format: Format,
    force_not_null: Vec<bool>,
    force_null: Vec<bool>,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are done with.
    start: usize,
    searched: usize,
    search: Search,
    /// The number of the record at hand, from 1.
    line: u64,
    is_header_due: bool,
    /// Whether the end was marked: `\.` or the binary trailer.
    is_ended: bool,
}

impl CopyIn {
    /// Begins to read.
    ///
    /// # Errors
    /// 22023 and its kind for options that do not go together.
    pub fn new(input: CopyInput) -> Result<Self> {
        let format = Format::new(&input.options)?;
        let is_among = |names: &[String]| -> Vec<bool> {
            let is_named =
                |column: &CopyColumn| names.iter().any(|name| name == "*" || *name == column.name);
            input.columns.iter().map(is_named).collect()
        };
        let records = Records {
            force_not_null: is_among(&input.options.force_not_null),
            force_null: is_among(&input.options.force_null),
            table: input.table,
            columns: input.columns,
            is_header_due: format.has_header,
            format,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            search: Search::default(),
            line: 0,
            is_ended: false,
        };
        let (plan, filter, facts) = (input.plan, input.filter, input.facts);
        Ok(Self { plan, filter, facts, rows: 0, records })
    }

    /// How many columns a record has.
    pub fn columns(&self) -> usize {
        self.records.columns.len()
    }

    /// Whether the format is binary.
    pub fn is_binary(&self) -> bool {
        self.records.format.kind == CopyFormat::Binary
    }

    /// Whether each line is a record by itself, so that rows can be cut off after any.
    pub(crate) fn is_by_line(&self) -> bool {
        let format = &self.records.format;
        format.kind == CopyFormat::Text && !format.has_header
    }

    /// Takes bytes in.
    pub(crate) fn push(&mut self, data: &[u8]) {
        let records = &mut self.records;
        if records.is_ended {
            return;
        }
        if records.start > 0 {
            records.buffer.drain(..records.start);
            records.start = 0;
        }
        records.buffer.extend_from_slice(data);
    }

    /// The next row that is whole; `None` when more bytes are needed. `is_end`: no more will come.
    ///
    /// # Errors
    /// 22P04, 22021, and what makes no value of its column's type.
    pub(crate) fn next_row(&mut self, is_end: bool) -> Result<Option<Vec<Value>>> {
        self.records.next_row(is_end, &self.facts)
    }

    /// Adds where in the data an error lies.
    pub(crate) fn locate(&self, error: Error) -> Error {
        if error.fields().context.is_some() {
            return error;
        }
        error.with_context(format!("COPY {}, line {}", self.records.table, self.records.line))
    }
}

impl Records {
    fn next_row(&mut self, is_end: bool, facts: &StatementFacts) -> Result<Option<Vec<Value>>> {
        if self.format.kind == CopyFormat::Binary {
            return self.next_binary(is_end, facts);
        }
        loop {
            let Some(record) = self.next_record(is_end)? else { return Ok(None) };
            self.line += 1;
            if self.is_header_due {
                self.is_header_due = false;
                if self.format.header_match {
                    self.check_header(&record)?;
                }
                continue;
            }
            let fields = self.fields(&record)?;
            return self.values(fields, &record, facts).map(Some);
        }
    }

    /// Takes the next record out of the buffer.
    fn next_record(&mut self, is_end: bool) -> Result<Option<Vec<u8>>> {
        if self.is_ended {
            return Ok(None);
        }
        let data = self.buffer.get(self.start..).unwrap_or_default();
        let found = match self.format.kind {
            CopyFormat::Csv => csv::record_len(data, &mut self.search, &self.format),
            _ => text::line_len(data, &mut self.searched),
        };
        let (len, end_len) = match found {
            Some(found) => found,
            None if is_end && !data.is_empty() => (data.len(), 0),
            None if data.len() > RECORD_LEN_MAX => {
                let message = format!("a COPY record is limited to {RECORD_LEN_MAX} bytes");
                return Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
            }
            None => return Ok(None),
        };
        let record = data.get(..len).unwrap_or_default().to_vec();
        self.start += len + end_len;
        if record == b"\\." {
            self.is_ended = true;
            return Ok(None);
        }
        Ok(Some(record))
    }

    fn fields(&self, record: &[u8]) -> Result<Vec<Option<Vec<u8>>>> {
        if self.format.kind != CopyFormat::Csv {
            return Ok(text::split(record, &self.format));
        }
        let fields =
            csv::split(record, &self.format).map_err(|error| self.locate(error, record))?;
        let to_value = |(position, field): (usize, csv::Field)| {
            let is_null_text = field.text == self.format.null.as_bytes();
            let flag = |flags: &[bool]| flags.get(position).copied().unwrap_or(false);
            let is_null = is_null_text
                && if field.is_quoted {
                    flag(&self.force_null)
                } else {
                    !flag(&self.force_not_null)
                };
            (!is_null).then_some(field.text)
        };
        Ok(fields.into_iter().enumerate().map(to_value).collect())
    }

    fn values(
        &self,
        fields: Vec<Option<Vec<u8>>>,
        record: &[u8],
        facts: &StatementFacts,
    ) -> Result<Vec<Value>> {
        if fields.len() > self.columns.len() {
            let message = "extra data after last expected column";
            return Err(self.locate(bad_format(message), record));
        }
        if let Some(missing) = self.columns.get(fields.len()) {
            let message = format!("missing data for column \"{}\"", missing.name);
            return Err(self.locate(bad_format(message), record));
        }
        let mut values = Vec::with_capacity(fields.len());
        for (column, field) in self.columns.iter().zip(fields) {
            let Some(field) = field else {
                values.push(Value::Null);
                continue;
            };
            let value = crate::value::utf8(&field)
                .and_then(|text| crate::value::input::from_text(text, &column.ty, facts));
            values.push(value.map_err(|error| self.locate_column(error, column, &field))?);
        }
        Ok(values)
    }

    fn check_header(&self, record: &[u8]) -> Result<()> {
        let fields = self.fields(record)?;
        for (position, column) in self.columns.iter().enumerate() {
            let found = fields.get(position).cloned().flatten().unwrap_or_default();
            if found != column.name.as_bytes() {
                let message = format!(
                    "column name mismatch in header line field {}: got \"{}\", expected \"{}\"",
                    position + 1,
                    String::from_utf8_lossy(&found),
                    column.name
                );
                return Err(self.locate(bad_format(message), record));
            }
        }
        if fields.len() > self.columns.len() {
            let message = format!(
                "wrong number of fields in header line: got {}, expected {}",
                fields.len(),
                self.columns.len()
            );
            return Err(self.locate(bad_format(message), record));
        }
        Ok(())
    }

    fn next_binary(&mut self, is_end: bool, facts: &StatementFacts) -> Result<Option<Vec<Value>>> {
        if self.is_ended {
            return Ok(None);
        }
        let data = self.buffer.get(self.start..).unwrap_or_default();
        let is_first = self.line == 0;
        match binary::next_tuple(data, is_first, self.columns.len())? {
            binary::Next::Tuple { len, fields } => {
                self.line += 1;
                let mut values = Vec::with_capacity(fields.len());
                for (column, field) in self.columns.iter().zip(fields) {
                    values.push(match field {
                        Some(bytes) => crate::value::binary::decode(bytes, &column.ty, facts)?,
                        None => Value::Null,
                    });
                }
                self.start += len;
                Ok(Some(values))
            }
            binary::Next::End => {
                self.is_ended = true;
                Ok(None)
            }
            binary::Next::Incomplete if is_end => Err(bad_format("unexpected EOF in COPY data")),
            binary::Next::Incomplete => Ok(None),
        }
    }

    fn locate(&self, error: Error, record: &[u8]) -> Error {
        let shown = shortened(record);
        error.with_context(format!("COPY {}, line {}: \"{shown}\"", self.table, self.line))
    }

    fn locate_column(&self, error: Error, column: &CopyColumn, field: &[u8]) -> Error {
        let shown = shortened(field);
        error.with_context(format!(
            "COPY {}, line {}, column {}: \"{shown}\"",
            self.table, self.line, column.name
        ))
    }
}

/// Postgres shows at most a hundred characters of what it could not read.
fn shortened(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

fn bad_format(message: impl Into<String>) -> Error {
    Error::new(SqlState::BAD_COPY_FILE_FORMAT, message)
}
