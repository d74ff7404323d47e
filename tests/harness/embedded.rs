//! A session in process that answers in the same form as the wire.

use cairn_query::result::{Notice, OutputColumn, Row};
use cairn_query::session::Step;
use cairn_query::value::output::to_text;
use cairn_query::{Database, Error, Result, Session};

use crate::outcome::{Column, Outcome, Report};

/// Rows asked for at once: few, so that statements are resumed.
const BATCH_ROWS: usize = 7;

/// A session.
pub struct Embedded(Session);

impl Embedded {
    /// Begins a session of the superuser.
    ///
    /// # Panics
    /// When the database does not let it in.
    pub fn connect(database: &Database) -> Self {
        let mut session = database.connect("cairn", "cairn").expect("a session");
        session.set_at_startup("TimeZone", "UTC").expect("a setting");
        Self(session)
    }

    /// Runs one statement.
    pub fn run(&mut self, sql: &str) -> Outcome {
        let mut outcome = Outcome::default();
        self.0.begin_message(&sql.into());
        if let Err(error) = self.statements(sql, &mut outcome) {
            outcome.error = Some(report("ERROR", &self.0.fail(error)));
        }
        self.0.end_message();
        outcome.notices.extend(self.0.take_notices().iter().map(notice));
        outcome
    }

    fn statements(&mut self, sql: &str, outcome: &mut Outcome) -> Result<()> {
        let statements = self.0.batch(sql)?;
        let count = statements.len();
        for (position, statement) in statements.iter().enumerate() {
            let prepared = self.0.open(sql, statement)?;
            outcome.columns = prepared.columns.iter().map(column).collect();
            let tag = self.rows(&prepared.columns, &mut outcome.rows)?;
            self.0.finish(position + 1 == count)?;
            outcome.tag = tag;
        }
        Ok(())
    }

    fn rows(
        &mut self,
        columns: &[OutputColumn],
        rows: &mut Vec<Vec<Option<String>>>,
    ) -> Result<Option<String>> {
        loop {
            match self.0.advance("", BATCH_ROWS)? {
                Step::Rows(batch) => rows.extend(batch.iter().map(|row| self.text(columns, row))),
                Step::Complete(tag) => return Ok(Some(tag.to_string())),
                Step::Empty => return Ok(None),
                Step::CopyIn { .. } | Step::CopyOut { .. } => {
                    return Err(Error::unsupported("COPY in process"));
                }
            }
        }
    }

    fn text(&self, columns: &[OutputColumn], row: &Row) -> Vec<Option<String>> {
        let style = self.0.output_style();
        let values = columns.iter().zip(row.iter());
        let text = values.map(|(column, value)| {
            (!value.is_null()).then(|| to_text(value, &column.ty.base, &style))
        });
        text.collect()
    }
}

fn column(column: &OutputColumn) -> Column {
    Column { name: column.name.clone(), ty: column.ty.name() }
}

fn notice(notice: &Notice) -> Report {
    report(notice.severity.name(), &notice.report)
}

fn report(severity: &str, error: &Error) -> Report {
    let fields = error.fields();
    Report {
        severity: severity.to_owned(),
        state: error.state().0.to_owned(),
        message: error.message().to_owned(),
        detail: fields.detail.clone(),
        hint: fields.hint.clone(),
    }
}
