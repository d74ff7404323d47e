//! What one statement answered, however it was asked.

use std::fmt;

/// One column of the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as `format_type` spells it.
    pub ty: String,
}

/// An error or a notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// `ERROR`, `NOTICE`, `WARNING`, `FATAL`.
    pub severity: String,
    /// SQLSTATE.
    pub state: String,
    /// The sentence.
    pub message: String,
    /// The `DETAIL` line.
    pub detail: Option<String>,
    /// The `HINT` line.
    pub hint: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity, self.state, self.message)?;
        if let Some(detail) = &self.detail {
            write!(f, "\nDETAIL: {detail}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nHINT: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

/// What one statement answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The columns of its rows; none when it answers no rows.
    pub columns: Vec<Column>,
    /// Its rows as text; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// Its command tag; `None` for a failed or an empty statement.
    pub tag: Option<String>,
    /// Why it failed.
    pub error: Option<Report>,
    /// What it said besides.
    pub notices: Vec<Report>,
}

impl Outcome {
    /// The number at the end of the tag: rows read or written.
    pub fn count(&self) -> u64 {
        let last = self.tag.as_deref().and_then(|tag| tag.rsplit(' ').next());
        last.and_then(|word| word.parse().ok()).unwrap_or(0)
    }

    /// SQLSTATE when it failed.
    pub fn state(&self) -> Option<&str> {
        self.error.as_ref().map(|error| error.state.as_str())
    }

    /// The rows, or a panic with the error.
    pub fn unwrap_rows(self) -> Vec<Vec<Option<String>>> {
        match self.error {
            None => self.rows,
            Some(error) => panic!("{error}"),
        }
    }

    /// The only value of the only row; NULL is the empty text.
    pub fn unwrap_value(self) -> String {
        let rows = self.unwrap_rows();
        assert_eq!(rows.len(), 1, "one row: {rows:?}");
        rows[0][0].clone().unwrap_or_default()
    }

    /// The tag, or a panic with the error.
    pub fn unwrap_tag(self) -> String {
        match self.error {
            None => self.tag.unwrap_or_default(),
            Some(error) => panic!("{error}"),
        }
    }
}

/// A value on one line: NULL and the empty text are told apart, line breaks are escaped.
pub fn print_value(value: Option<&String>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(text) if text.is_empty() => "(empty)".to_owned(),
        Some(text) => text.replace('\n', "\\n").trim_end().to_owned(),
    }
}
