//! `CREATE TABLE`, as `pg_dump` prints it, with the constraints that the caller wants inside.

use std::sync::Arc;

use super::DefinitionSql;
use super::constraint::AnyConstraint;
use crate::catalog::{ColumnDef, ColumnDefault, TableDef};
use crate::identifier::{quote_identifier, quote_literal, quote_qualified};

impl DefinitionSql<'_> {
    /// The statement that makes a table. Inside stand its columns, its CHECK constraints (but those
    /// that are NOT VALID), and the other constraints that `inline` picks; identity columns are
    /// altered afterwards ([`DefinitionSql::identity_options`]), as the sequence's name is part of
    /// that.
    pub fn create_table(
        &self,
        table: &Arc<TableDef>,
        inline: &dyn Fn(&AnyConstraint<'_>) -> bool,
    ) -> String {
        let columns = table.live_columns();
        let columns = columns.map(|(position, column)| self.column(table, position, column));
        let constraints = super::constraint::constraints(table)
            .filter(|constraint| {
                matches!(constraint, AnyConstraint::Check(check) if !check.is_not_valid)
                    || inline(constraint)
            })
            .map(|constraint| {
                let name = quote_identifier(constraint.name());
                format!("CONSTRAINT {name} {}", self.constraint(table, &constraint))
            });
        let lines: Vec<String> =
            columns.chain(constraints).map(|line| format!("    {line}")).collect();
        let name = quote_qualified(&table.schema, &table.name);
        let mut text = match lines.is_empty() {
            true => format!("CREATE TABLE {name} (\n)"),
            false => format!("CREATE TABLE {name} (\n{}\n)", lines.join(",\n")),
        };
        if let Some((parameter, value)) = table.storage_parameter() {
            text.push_str(&format!("\nWITH ({parameter}={})", quote_literal(value)));
        }
        text
    }

    fn column(&self, table: &Arc<TableDef>, position: usize, column: &ColumnDef) -> String {
        let name = quote_identifier(&column.name);
        let ty = match column.domain {
            Some(domain) => self.user_type_name(domain),
            None => self.type_name(&column.ty),
        };
        let mut text = format!("{name} {ty}");
        if let Some(value) = self.column_default(table, position) {
            match &column.default {
                Some(ColumnDefault::Generated(_)) => {
                    text.push_str(&format!(" GENERATED ALWAYS AS ({value}) STORED"));
                }
                _ => text.push_str(&format!(" DEFAULT {value}")),
            }
        }
        if column.is_not_null {
            text.push_str(" NOT NULL");
        }
        text
    }
}
