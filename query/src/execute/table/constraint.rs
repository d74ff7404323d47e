//! NOT NULL and CHECK, generated columns, and how a failing row is shown.

use super::super::context::Context;
use crate::catalog::TableDef;
use crate::error::{Error, Result, SqlState};
use crate::plan::TableWriter;
use crate::value::{SqlType, Value};

/// How many characters of a value an error report shows (Postgres: `ExecBuildSlotValueDescription`).
const SHOWN_CHARS: usize = 64;

/// Computes the generated columns of a row and checks its constraints.
///
/// # Errors
/// 23502, 23514, and what the expressions meet.
pub(crate) fn complete(writer: &TableWriter, cx: &Context<'_>, row: &mut [Value]) -> Result<()> {
    for (column, expr) in &writer.generated {
        let value = expr.eval(&cx.eval, row)?;
        if let Some(place) = row.get_mut(*column) {
            *place = value;
        }
    }
    check_domains(writer, cx, row)?;
    check_not_null(&writer.table, cx, row)?;
    for (name, check) in &writer.checks {
        // A CHECK fails only when it is false; unknown passes.
        if matches!(check.eval(&cx.eval, row)?, Value::Bool(false)) {
            return Err(check_violation(&writer.table, name, cx, row));
        }
    }
    Ok(())
}

fn check_domains(writer: &TableWriter, cx: &Context<'_>, row: &[Value]) -> Result<()> {
    let mut domains = writer.domains.iter();
    domains.try_for_each(|(column, domain)| {
        domain.admit(&cx.eval, row.get(*column).unwrap_or(&Value::Null))
    })
}

fn check_not_null(table: &TableDef, cx: &Context<'_>, row: &[Value]) -> Result<()> {
    for (column, value) in table.columns.iter().zip(row) {
        if column.is_not_null && value.is_null() && !column.is_dropped {
            let message = format!(
                "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                column.name, table.name
            );
            return Err(Error::new(SqlState::NOT_NULL_VIOLATION, message)
                .with_detail(failing_row(table, cx, row))
                .on_table(&table.schema, &table.name)
                .on_column(&column.name));
        }
    }
    Ok(())
}

fn check_violation(table: &TableDef, name: &str, cx: &Context<'_>, row: &[Value]) -> Error {
    let message =
        format!("new row for relation \"{}\" violates check constraint \"{name}\"", table.name);
    Error::new(SqlState::CHECK_VIOLATION, message)
        .with_detail(failing_row(table, cx, row))
        .on_table(&table.schema, &table.name)
        .on_constraint(name)
}

fn failing_row(table: &TableDef, cx: &Context<'_>, row: &[Value]) -> String {
    let shown = table.live_columns().map(|(position, column)| {
        let value = row.get(position).unwrap_or(&Value::Null);
        let text = shown(value, &column.ty, cx);
        match text.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
            None => text,
        }
    });
    format!("Failing row contains ({}).", shown.collect::<Vec<_>>().join(", "))
}

/// A value as error reports print it.
pub(crate) fn shown(value: &Value, ty: &SqlType, cx: &Context<'_>) -> String {
    if value.is_null() {
        return "null".to_owned();
    }
    crate::value::output::to_text(value, &ty.base, &cx.eval.statement.output)
}
