//! The extended protocol: Parse, Bind, Describe, Execute, Close.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use cairn_query::Error;
use cairn_query::session::{Prepared, Step};
use cairn_query::value::{SqlType, Value, utf8};
use pgwire::messages::data::ParameterDescription;
use pgwire::messages::response::CommandComplete;

use crate::connection::{Connection, Failure};
use crate::frontend::{Bind, Frontend, Parse, Target, protocol};
use crate::row;
use crate::simple_query::BATCH_ROWS;

impl Connection {
    /// Answers one message.
    pub(crate) async fn extended(&mut self, message: Frontend) -> Result<(), Failure> {
        match message {
            Frontend::Parse(parse) => Ok(self.parse(parse)?),
            Frontend::Bind(bind) => Ok(self.bind(bind)?),
            Frontend::Describe(target) => Ok(self.describe(&target)?),
            Frontend::Execute { portal, max_rows } => self.execute(&portal, max_rows).await,
            Frontend::Close(target) => {
                match target {
                    Target::Statement(name) => self.session.close_statement(&name),
                    Target::Portal(name) => self.session.close_portal(&name),
                }
                self.outbox.push_empty(b'3');
                Ok(())
            }
            _ => Err(protocol("unexpected message").into()),
        }
    }

    fn parse(&mut self, parse: Parse) -> cairn_query::Result<()> {
        let text: Arc<str> = Arc::from(parse.query.as_str());
        self.begin_round(&text);
        let mut types = Vec::with_capacity(parse.types.len());
        for oid in parse.types {
            types.push(self.session.type_of_oid(oid)?);
        }
        self.session.parse(&parse.name, &text, &types)?;
        self.outbox.push_empty(b'1');
        Ok(())
    }

    fn bind(&mut self, bind: Bind) -> cairn_query::Result<()> {
        let prepared = self.session.statement(&bind.statement)?;
        self.begin_round(&prepared.text);
        let params = self.decode_params(&bind, &prepared)?;
        let (formats, columns) = (bind.result_formats.len(), prepared.columns.len());
        if formats > 1 && formats != columns {
            let message = format!(
                "bind message has {formats} result formats but query has {columns} columns"
            );
            return Err(protocol(message));
        }
        if let Some(format) = bind.result_formats.iter().find(|format| !(0..=1).contains(*format)) {
            return Err(unsupported_format(*format));
        }
        if bind.portal.is_empty() {
            self.session.close_portal("");
        }
        self.session.bind(&bind.portal, prepared, params, bind.result_formats)?;
        self.outbox.push_empty(b'2');
        Ok(())
    }

    fn decode_params(&self, bind: &Bind, prepared: &Prepared) -> cairn_query::Result<Vec<Value>> {
        let (given, wanted) = (bind.params.len(), prepared.params.len());
        if given != wanted {
            return Err(protocol(format!(
                "bind message supplies {given} parameters, but prepared statement \"{}\" \
                 requires {wanted}",
                bind.statement
            )));
        }
        if bind.formats.len() > 1 && bind.formats.len() != given {
            return Err(protocol(format!(
                "bind message has {} parameter formats but {given} parameters",
                bind.formats.len()
            )));
        }
        let mut params = Vec::with_capacity(given);
        for (position, (param, ty)) in bind.params.iter().zip(prepared.params.iter()).enumerate() {
            let format = row::format_at(&bind.formats, position);
            params.push(self.decode_param(param.as_ref(), ty, format)?);
        }
        Ok(params)
    }

    fn decode_param(
        &self,
        param: Option<&Bytes>,
        ty: &SqlType,
        format: i16,
    ) -> cairn_query::Result<Value> {
        let Some(bytes) = param else { return Ok(Value::Null) };
        match format {
            0 => self.session.value_from_text(utf8(bytes)?, ty),
            1 => self.session.value_from_binary(bytes, ty),
            format => Err(unsupported_format(format)),
        }
    }

    fn describe(&mut self, target: &Target) -> cairn_query::Result<()> {
        match target {
            Target::Statement(name) => {
                let prepared = self.session.statement(name)?;
                self.begin_round(&prepared.text);
                let types = prepared.params.iter().map(|ty| row::type_oid(&ty.base)).collect();
                self.outbox.push(&ParameterDescription::new(types));
                row::push_description_or_none(&mut self.outbox, &prepared.columns, &[])
            }
            Target::Portal(name) => {
                let portal = self.session.portal(name)?;
                let (prepared, formats) = (portal.prepared().clone(), portal.formats().to_vec());
                row::push_description_or_none(&mut self.outbox, &prepared.columns, &formats)
            }
        }
    }

    async fn execute(&mut self, name: &str, max_rows: usize) -> Result<(), Failure> {
        let portal = self.session.portal(name)?;
        let (prepared, formats) = (portal.prepared().clone(), portal.formats().to_vec());
        self.begin_round(&prepared.text);
        let began = Instant::now();
        let style = self.session.output_style();
        let mut left = if max_rows == 0 { usize::MAX } else { max_rows };
        let tag = loop {
            match self.advance(name, left.min(BATCH_ROWS), &prepared)? {
                Step::Rows(rows) => {
                    left = left.saturating_sub(rows.len());
                    for values in &rows {
                        let columns = &prepared.columns;
                        row::push_row(&mut self.outbox, values, columns, &formats, &style)?;
                    }
                    self.flush_if_full().await?;
                    if left == 0 {
                        self.session.suspend(name);
                        self.outbox.push_empty(b's');
                        return Ok(());
                    }
                }
                Step::Complete(tag) => break tag,
                Step::Empty => {
                    self.outbox.push_empty(b'I');
                    return Ok(());
                }
                Step::CopyIn { columns, is_binary } => {
                    break self.copy_in(name, columns, is_binary).await?;
                }
                Step::CopyOut { columns, is_binary } => {
                    break self.copy_out(name, columns, is_binary).await?;
                }
            }
        };
        self.log_if_slow(&prepared.text, began.elapsed());
        self.push_notices();
        self.outbox.push(&CommandComplete::new(tag.to_string()));
        Ok(())
    }
}

fn unsupported_format(format: i16) -> Error {
    let message = format!("unsupported format code: {format}");
    Error::new(cairn_query::SqlState::INVALID_PARAMETER_VALUE, message)
}
