//! Simple queries: a text with any number of statements, answered in text format.

use std::sync::Arc;

use cairn_query::session::{Prepared, Step};
use pgwire::messages::response::CommandComplete;

use crate::connection::{Connection, Failure};
use crate::row;

/// Rows asked for at once.
pub(crate) const BATCH_ROWS: usize = 1024;

impl Connection {
    /// Runs a text.
    pub(crate) async fn simple_query(&mut self, text: &Arc<str>) -> Result<(), Failure> {
        let statements = self.session.batch(text)?;
        if statements.is_empty() {
            self.outbox.push_empty(b'I');
            return Ok(());
        }
        let count = statements.len();
        for (position, statement) in statements.iter().enumerate() {
            let prepared = self.session.open(text, statement)?;
            self.run_simple(&prepared, position + 1 == count).await?;
        }
        Ok(())
    }

    async fn run_simple(&mut self, prepared: &Arc<Prepared>, is_last: bool) -> Result<(), Failure> {
        let formats: &[i16] = if prepared.is_binary { &[1] } else { &[] };
        if !prepared.columns.is_empty() {
            row::push_description(&mut self.outbox, &prepared.columns, formats)?;
        }
        let tag = loop {
            match self.advance("", BATCH_ROWS, prepared)? {
                Step::Rows(rows) => {
                    let style = self.session.output_style();
                    for values in &rows {
                        row::push_row(
                            &mut self.outbox,
                            values,
                            &prepared.columns,
                            formats,
                            &style,
                        )?;
                    }
                    self.flush_if_full().await?;
                }
                Step::Complete(tag) => break tag,
                Step::Empty => {
                    self.outbox.push_empty(b'I');
                    self.session.finish(is_last)?;
                    return Ok(());
                }
                Step::CopyIn { columns, is_binary } => {
                    break self.copy_in("", columns, is_binary).await?;
                }
                Step::CopyOut { columns, is_binary } => {
                    break self.copy_out("", columns, is_binary).await?;
                }
            }
        };
        // The tag says that it is done, so it must be: the commit comes first.
        self.session.finish(is_last)?;
        self.push_notices();
        self.outbox.push(&CommandComplete::new(tag.to_string()));
        Ok(())
    }

    /// Runs a portal a little further. What may take long does not keep other connections from
    /// this thread.
    pub(crate) fn advance(
        &mut self,
        portal: &str,
        max: usize,
        prepared: &Prepared,
    ) -> cairn_query::Result<Step> {
        if prepared.is_short() {
            return self.session.advance(portal, max);
        }
        tokio::task::block_in_place(|| self.session.advance(portal, max))
    }
}
