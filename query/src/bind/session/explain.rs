//! EXPLAIN.

use std::sync::Arc;

use super::option;
use crate::bind::{BindContext, BoundStatement, ExplainFormat, ExplainOptions};
use crate::error::{Error, Result, SqlState};
use crate::parse::command::session::Choice;
use crate::parse::{Statement, Syntax};

/// `EXPLAIN`
pub(super) fn bind(
    statement: &Statement,
    choices: &[Choice],
    inner: &Arc<Syntax>,
    ctx: BindContext<'_>,
) -> Result<BoundStatement> {
    let options = options(statement, choices)?;
    let inner = crate::bind::bind(&statement.within(inner), ctx)?;
    Ok(BoundStatement::Explain { options, inner: Box::new(inner) })
}

fn options(statement: &Statement, choices: &[Choice]) -> Result<ExplainOptions> {
    let mut options = ExplainOptions {
        is_analyze: false,
        is_verbose: false,
        with_costs: true,
        with_buffers: false,
        with_timing: false,
        with_summary: false,
        with_settings: false,
        with_wal: false,
        format: ExplainFormat::Text,
    };
    let (mut timing, mut summary) = (None, None);
    for choice in choices {
        match choice.name.as_str() {
            "analyze" | "analyse" => options.is_analyze = option::switch(choice)?,
            "verbose" => options.is_verbose = option::switch(choice)?,
            "costs" => options.with_costs = option::switch(choice)?,
            "buffers" => options.with_buffers = option::switch(choice)?,
            "settings" => options.with_settings = option::switch(choice)?,
            "wal" => options.with_wal = option::switch(choice)?,
            "timing" => timing = Some(option::switch(choice)?),
            "summary" => summary = Some(option::switch(choice)?),
            "format" => options.format = format(option::text(choice)?)?,
            _ => {
                let at = option::position(statement, choice);
                return Err(option::unrecognized(at, "EXPLAIN", choice));
            }
        }
    }
    if !options.is_analyze {
        requires_analyze("WAL", options.with_wal)?;
        requires_analyze("TIMING", timing == Some(true))?;
    }
    options.with_timing = timing.unwrap_or(options.is_analyze);
    options.with_summary = summary.unwrap_or(options.is_analyze);
    Ok(options)
}

fn requires_analyze(option: &str, is_on: bool) -> Result<()> {
    if !is_on {
        return Ok(());
    }
    let message = format!("EXPLAIN option {option} requires ANALYZE");
    Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message))
}

fn format(name: &str) -> Result<ExplainFormat> {
    match name {
        "text" | "TEXT" => Ok(ExplainFormat::Text),
        "json" | "JSON" => Ok(ExplainFormat::Json),
        "yaml" | "YAML" => Ok(ExplainFormat::Yaml),
        "xml" | "XML" => Ok(ExplainFormat::Xml),
        _ => {
            let message = format!("unrecognized value for EXPLAIN option \"format\": \"{name}\"");
            Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message))
        }
    }
}
