//! The options of COPY with their defaults filled in and checked.

use crate::bind::{CopyFormat, CopyOptions};
use crate::error::{Error, Result, SqlState};

/// How records look.
#[derive(Clone, Debug)]
pub(super) struct Format {
    pub(super) kind: CopyFormat,
    pub(super) delimiter: u8,
    pub(super) null: String,
    pub(super) quote: u8,
    pub(super) escape: u8,
    pub(super) has_header: bool,
    pub(super) header_match: bool,
}

impl Format {
    /// Fills in and checks.
    ///
    /// # Errors
    /// 0A000 for what is no single byte, 42601 for options of another format, 22023 for a
    /// delimiter that cannot be.
    pub(super) fn new(options: &CopyOptions) -> Result<Self> {
        let is_csv = options.format == CopyFormat::Csv;
        let byte = |what: &str, option: Option<char>, default: u8| match option {
            None => Ok(default),
            Some(c) => u8::try_from(c).ok().filter(u8::is_ascii).ok_or_else(|| {
                let message = format!("COPY {what} must be a single one-byte character");
                Error::new(SqlState::FEATURE_NOT_SUPPORTED, message)
            }),
        };
        if !is_csv && (options.quote.is_some() || options.escape.is_some()) {
            let what = if options.quote.is_some() { "quote" } else { "escape" };
            let message = format!("COPY {what} available only in CSV mode");
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let quote = byte("quote", options.quote, b'"')?;
        let format = Self {
            kind: options.format,
            delimiter: byte("delimiter", options.delimiter, if is_csv { b',' } else { b'\t' })?,
            null: options.null.clone().unwrap_or(if is_csv { "" } else { "\\N" }.to_owned()),
            quote,
            escape: byte("escape", options.escape, quote)?,
            has_header: options.has_header || options.header_match,
            header_match: options.header_match,
        };
        format.check(is_csv)?;
        Ok(format)
    }

    fn check(&self, is_csv: bool) -> Result<()> {
        let refuse = |message: String| Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
        if matches!(self.delimiter, b'\n' | b'\r') {
            return refuse("COPY delimiter cannot be newline or carriage return".to_owned());
        }
        let is_reserved = self.delimiter.is_ascii_lowercase()
            || self.delimiter.is_ascii_digit()
            || matches!(self.delimiter, b'\\' | b'.');
        if !is_csv && is_reserved {
            let delimiter = char::from(self.delimiter);
            return refuse(format!("COPY delimiter cannot be \"{delimiter}\""));
        }
        if is_csv && self.delimiter == self.quote {
            return refuse("COPY delimiter and quote must be different".to_owned());
        }
        if self.null.contains(['\n', '\r']) {
            return refuse(
                "COPY null representation cannot use newline or carriage return".to_owned(),
            );
        }
        if self.null.as_bytes().contains(&self.delimiter) {
            return refuse("COPY delimiter must not appear in the NULL specification".to_owned());
        }
        Ok(())
    }
}
