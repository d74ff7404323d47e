//! Definitions as SQL, in the form that Postgres' `pg_get_…def` functions and `pg_dump` print.
//!
//! The catalog keeps expressions as the text that they were written in. To print them with their
//! casts and parentheses they are bound anew over their table; what cannot be bound or printed
//! that way is given as it was written.

use std::sync::Arc;

use crate::bind::{BindContext, bind_table_expression};
use crate::catalog::{Catalog, ColumnDefault, IndexDef, Relation, TableDef};
use crate::identifier::{quote_identifier, quote_qualified};
use crate::value::input::{InputContext, relation_oid};
use crate::value::{SqlType, Type};

pub mod constraint;
mod expression;
mod function;
pub(crate) mod index;
mod sequence;
mod table;
mod type_def;
mod view;

/// How many parentheses expressions get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Around every operator, as `pg_dump` needs it.
    Plain,
    /// Where precedence asks for them, as `psql` shows it.
    Pretty,
}

/// Prints definitions of one catalog.
pub struct DefinitionSql<'a> {
    ctx: BindContext<'a>,
    style: Style,
    search_path: &'a [String],
}

/// One index of a table, whether or not it is kept apart from the rows.
pub enum AnyIndex<'a> {
    /// The key that rows are stored by: its OID, its name, its columns.
    RowKey(u32, &'a str, &'a [usize]),
    /// An index with entries of its own.
    Kept(&'a Arc<IndexDef>),
}

impl AnyIndex<'_> {
    /// Its OID.
    pub fn oid(&self) -> u32 {
        match self {
            Self::RowKey(oid, ..) => *oid,
            Self::Kept(index) => index.oid,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::RowKey(_, name, _) => name,
            Self::Kept(index) => &index.name,
        }
    }
}

/// All indexes of a table, the key of its rows first.
pub fn indexes(table: &TableDef) -> impl Iterator<Item = AnyIndex<'_>> {
    let own = match &table.row_key {
        super::RowKeyDef::PrimaryKey { columns, name, oid } => {
            Some(AnyIndex::RowKey(*oid, name, columns))
        }
        super::RowKeyDef::Hidden => None,
    };
    own.into_iter().chain(table.indexes.iter().map(AnyIndex::Kept))
}

impl<'a> DefinitionSql<'a> {
    /// Prints names with their schema unless the search path leads to them.
    pub fn new(ctx: BindContext<'a>, style: Style) -> Self {
        Self { ctx, style, search_path: &ctx.facts.search_path }
    }

    /// Prints every name with its schema, whatever the search path: for dumps.
    pub fn qualified(ctx: BindContext<'a>) -> Self {
        Self { ctx, style: Style::Plain, search_path: &[] }
    }

    fn catalog(&self) -> &'a Arc<Catalog> {
        self.ctx.catalog
    }

    /// A relation's name, with its schema unless the search path finds it without.
    pub fn relation(&self, schema: &str, name: &str) -> String {
        let found = self.catalog().resolve(None, name, self.search_path);
        let own = self.catalog().resolve(Some(schema), name, &[]);
        if found.is_some() && found == own {
            quote_identifier(name)
        } else {
            quote_qualified(schema, name)
        }
    }

    /// A relation that a text names, by the name that this printer would give it.
    fn named_relation(&self, text: &str) -> Option<String> {
        let input = InputContext { facts: self.ctx.facts, catalog: Some(self.catalog()) };
        let oid = relation_oid(text, input).ok()?;
        let (schema, name) = self.catalog().relation_name(oid)?;
        Some(self.relation(schema, name))
    }

    /// The name of a table by its OID.
    pub fn table_name(&self, oid: u32) -> String {
        match self.catalog().table(oid) {
            Some(table) => self.relation(&table.schema, &table.name),
            None => oid.to_string(),
        }
    }

    /// A type as `format_type` prints it; user types by their names.
    pub fn type_name(&self, ty: &SqlType) -> String {
        match &ty.base {
            Type::Array(element) => {
                let element = SqlType { base: (**element).clone(), modifier: ty.modifier };
                format!("{}[]", self.type_name(&element))
            }
            Type::Enum(oid) | Type::Row(oid) => self.user_type_name(*oid),
            // PostGIS lives in `public`, so an empty path must name its types in full.
            Type::Geometry | Type::Geography | Type::Box2d | Type::Box3d
                if self.search_path.is_empty() =>
            {
                format!("public.{}", ty.name())
            }
            _ => ty.name(),
        }
    }

    pub(super) fn user_type_name(&self, oid: u32) -> String {
        match self.catalog().types.get(&oid) {
            Some(def) if self.search_path.contains(&def.schema) => quote_identifier(&def.name),
            Some(def) => quote_qualified(&def.schema, &def.name),
            None => self.table_name(oid),
        }
    }

    /// An expression over a table's columns.
    pub fn expression(&self, table: &Arc<TableDef>, sql: &str) -> String {
        let bound = bind_table_expression(self.ctx, table, sql, None);
        let printed = bound.ok().and_then(|bound| expression::print_typed(self, table, &bound));
        printed.map_or_else(|| sql.to_owned(), |printed| printed.text)
    }

    /// An expression that stands where SQL wants parentheses around anything but a call.
    pub(crate) fn enclosed(&self, table: &Arc<TableDef>, sql: &str) -> String {
        let bound = bind_table_expression(self.ctx, table, sql, None);
        match bound.ok().and_then(|(expr, _)| expression::print(self, table, &expr)) {
            Some(printed) if printed.is_call => printed.text,
            Some(printed) => format!("({})", printed.text),
            None => format!("({sql})"),
        }
    }

    /// The DEFAULT or generation expression of a column; identity columns have none.
    pub fn column_default(&self, table: &Arc<TableDef>, column: usize) -> Option<String> {
        let def = table.columns.get(column)?;
        match def.default.as_ref()? {
            ColumnDefault::Expression(sql) => Some(self.default_text(table, sql, &def.ty)),
            ColumnDefault::Generated(sql) => Some(self.expression(table, sql)),
            ColumnDefault::Identity { .. } => None,
        }
    }

    fn default_text(&self, table: &Arc<TableDef>, sql: &str, ty: &SqlType) -> String {
        match is_string_literal(sql) {
            true => self.typed_literal(sql, ty),
            false => self.expression(table, sql),
        }
    }

    /// A default as `pg_attrdef` keeps it: a bare string says that it is of the column's type.
    pub(crate) fn typed_literal(&self, sql: &str, ty: &SqlType) -> String {
        match is_string_literal(sql) {
            true => format!("{sql}::{}", self.type_name(&SqlType::new(ty.base.clone()))),
            false => sql.to_owned(),
        }
    }

    /// What `pg_get_expr` makes of a text out of a catalog.
    pub fn stored_expression(&self, table: &Arc<TableDef>, sql: &str) -> String {
        let literal = sql.rfind("'::").and_then(|end| sql.get(..=end));
        match literal.is_some_and(is_string_literal) {
            true => sql.to_owned(),
            false => self.expression(table, sql),
        }
    }

    /// The table that an index belongs to, and the index.
    pub fn find_index(&self, oid: u32) -> Option<(&'a Arc<TableDef>, AnyIndex<'a>)> {
        let catalog = self.catalog();
        catalog.tables.values().find_map(|table| {
            indexes(table).find(|index| index.oid() == oid).map(|index| (table, index))
        })
    }

    /// The columns of a table by position, quoted and separated by commas.
    pub(crate) fn column_list(table: &TableDef, columns: &[usize]) -> String {
        let name = |position: &usize| {
            table.columns.get(*position).map(|column| quote_identifier(&column.name))
        };
        columns.iter().filter_map(name).collect::<Vec<_>>().join(", ")
    }

    /// What a name stands for is visible without its schema.
    pub fn is_visible(&self, relation: Relation, name: &str) -> bool {
        self.catalog().resolve(None, name, self.search_path) == Some(relation)
    }
}

/// One literal, with nothing before or behind it.
fn is_string_literal(sql: &str) -> bool {
    let Some(inner) = sql.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) else {
        return false;
    };
    !inner.replace("''", "").contains('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lone_string_is_a_literal() {
        assert!(is_string_literal("'it''s'"));
        assert!(!is_string_literal("'a' || 'b'"));
        assert!(!is_string_literal("now()"));
        assert!(!is_string_literal("'"));
    }
}
