//! `CREATE INDEX`, as `pg_get_indexdef` prints it.

use std::sync::Arc;

use super::{AnyIndex, DefinitionSql, Style};
use crate::catalog::{IndexDef, IndexKey, IndexMethod, TableDef};
use crate::identifier::{quote_identifier, quote_qualified};

impl DefinitionSql<'_> {
    /// The statement that makes an index.
    pub fn create_index(&self, table: &Arc<TableDef>, index: &AnyIndex<'_>) -> String {
        let unique = match index {
            AnyIndex::Kept(index) if !index.is_unique => "",
            _ => "UNIQUE ",
        };
        // `psql` cuts everything before USING away; dumps want the whole name.
        let (schema, name) = self.catalog().known_name(table);
        let name = match self.style {
            Style::Plain => quote_qualified(schema, name),
            Style::Pretty => self.relation(schema, name),
        };
        let index_name = quote_identifier(index.name());
        let body = self.index_body(table, index);
        format!("CREATE {unique}INDEX {index_name} ON {name} USING {body}")
    }

    /// Method, keys, included columns and condition.
    pub(super) fn index_body(&self, table: &Arc<TableDef>, index: &AnyIndex<'_>) -> String {
        let AnyIndex::Kept(index) = index else {
            let AnyIndex::RowKey(_, _, columns) = index else { return String::new() };
            return format!("btree ({})", Self::column_list(table, columns));
        };
        let keys = index.keys.iter().map(|key| self.index_key_text(table, index, key));
        let keys = keys.collect::<Vec<_>>().join(", ");
        let mut text = format!("{} ({keys})", access_method(index));
        if !index.included.is_empty() {
            let included = Self::column_list(table, &index.included);
            text.push_str(&format!(" INCLUDE ({included})"));
        }
        if index.nulls_not_distinct {
            text.push_str(" NULLS NOT DISTINCT");
        }
        if let Some(predicate) = &index.predicate {
            text.push_str(&format!(" WHERE {}", self.expression(table, predicate)));
        }
        text
    }

    /// One key by its number, counted from 1: what `pg_get_indexdef(oid, n, …)` shows.
    pub fn index_column(
        &self,
        table: &Arc<TableDef>,
        index: &AnyIndex<'_>,
        number: usize,
    ) -> Option<String> {
        let position = number.checked_sub(1)?;
        let column = |column: &usize| Self::column_list(table, &[*column]);
        match index {
            AnyIndex::RowKey(_, _, columns) => columns.get(position).map(column),
            AnyIndex::Kept(index) => match index.keys.get(position) {
                Some(key) => Some(self.key_expression(table, key)),
                None => index.included.get(position - index.keys.len()).map(column),
            },
        }
    }

    fn key_expression(&self, table: &Arc<TableDef>, key: &IndexKey) -> String {
        match (key.column, &key.expression) {
            (Some(column), _) => Self::column_list(table, &[column]),
            (None, Some(sql)) => self.enclosed(table, sql),
            (None, None) => String::new(),
        }
    }

    fn index_key_text(&self, table: &Arc<TableDef>, index: &IndexDef, key: &IndexKey) -> String {
        let mut text = self.key_expression(table, key);
        if let Some(class) = &key.operator_class {
            text.push_str(&format!(" {class}"));
        }
        if index.method == IndexMethod::Ordered {
            if key.is_descending {
                text.push_str(" DESC");
            }
            if key.nulls_first != key.is_descending {
                text.push_str(if key.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
            }
        }
        text
    }
}

/// The access method as the user named it.
pub(crate) fn access_method(index: &IndexDef) -> &str {
    match (index.declared_method.as_str(), index.method) {
        ("", IndexMethod::Ordered) => "btree",
        ("", IndexMethod::FullText | IndexMethod::Inverted) => "gin",
        ("", IndexMethod::Geo) => "gist",
        (declared, _) => declared,
    }
}
