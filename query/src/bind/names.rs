//! What names in expressions mean: columns, qualified columns, whole rows, `*`.

use sqlparser::ast::{Ident, ObjectName};

use super::binder::{Binder, locate};
use super::ddl::QualifiedName;
use super::fold;
use super::scope::{Entry, Scope, ScopeColumn};
use super::typed::Typed;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::value::{SqlType, Type};

impl Binder<'_> {
    /// An unqualified name: a column, or a whole row.
    pub(crate) fn bind_name(&mut self, name: &Ident) -> Result<Typed> {
        let folded = fold(name);
        let at = self.at_name(name);
        for depth in (0..self.levels.len()).rev() {
            let scope = &self.levels[depth].scope;
            let mut found = scope.columns.iter().filter(|column| column.name == folded);
            if let Some(column) = found.next().cloned() {
                if found.next().is_some() {
                    let message = format!("column reference \"{folded}\" is ambiguous");
                    return Err(locate(Error::new(SqlState::AMBIGUOUS_COLUMN, message), at));
                }
                self.note_column(std::slice::from_ref(name), depth, &column);
                let column = self.column(depth, column).at(at);
                self.mention(&column, at);
                return Ok(column);
            }
            let hidden = scope.entries.iter().flat_map(|entry| &entry.hidden);
            if let Some(column) = hidden.clone().find(|column| column.name == folded).cloned() {
                return Ok(self.column(depth, column).at(at));
            }
        }
        for depth in (0..self.levels.len()).rev() {
            let entries = &self.levels[depth].scope.entries;
            if let Some(entry) = entries.iter().find(|entry| entry.name == folded).cloned() {
                self.note_row(name, &entry);
                return Ok(self.whole_row(depth, &entry).at(at));
            }
        }
        let message = format!("column \"{folded}\" does not exist");
        let error = Error::new(SqlState::UNDEFINED_COLUMN, message);
        Err(locate(self.hint_column(error, None, &folded), at))
    }

    /// A name with a table, and perhaps a schema, before it.
    pub(crate) fn bind_qualified(&mut self, parts: &[Ident]) -> Result<Typed> {
        let at = parts.first().and_then(|part| self.at_name(part));
        let folded: Vec<String> = parts.iter().map(fold).collect();
        let (schema, table, column) = match folded.as_slice() {
            [table, column] => (None, table, column),
            [schema, table, column] => (Some(schema.as_str()), table, column),
            [_, schema, table, column] => (Some(schema.as_str()), table, column),
            _ => {
                let message = format!(
                    "improper qualified name (too many dotted names): {}",
                    folded.join(".")
                );
                return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), at));
            }
        };
        let Some((depth, entry)) = self.find_entry(schema, table) else {
            return self.missing_entry(schema, table, column, at);
        };
        let columns = entry.columns.iter().chain(&entry.hidden);
        let mut found = columns.filter(|candidate| candidate.name == *column);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => {
                let message = format!("column reference \"{column}\" is ambiguous");
                Err(locate(Error::new(SqlState::AMBIGUOUS_COLUMN, message), at))
            }
            (Some(found), None) => {
                let found = found.clone();
                self.note_column(parts, depth, &found);
                let column = self.column(depth, found).at(at);
                self.mention(&column, at);
                Ok(column)
            }
            _ => {
                let message = format!("column {table}.{column} does not exist");
                let error = Error::new(SqlState::UNDEFINED_COLUMN, message);
                Err(locate(self.hint_column(error, Some(table), column), at))
            }
        }
    }

    /// The FROM entry of a name, innermost level first.
    pub(crate) fn find_entry(&self, schema: Option<&str>, table: &str) -> Option<(usize, Entry)> {
        (0..self.levels.len()).rev().find_map(|depth| {
            let entries = &self.levels[depth].scope.entries;
            let found = entries.iter().find(|entry| {
                entry.name == table
                    && schema.is_none_or(|schema| entry.schema.as_deref() == Some(schema))
            });
            found.map(|entry| (depth, entry.clone()))
        })
    }

    /// `a.b` where there is no table `a`: a field of a column `a`, or an error.
    fn missing_entry(
        &mut self,
        schema: Option<&str>,
        table: &str,
        column: &str,
        at: Option<usize>,
    ) -> Result<Typed> {
        if schema.is_none() {
            let row = self.bind_name(&Ident::new(table)).ok();
            if let Some(row) =
                row.filter(|row| row.fields.is_some() || matches!(row.ty.base, Type::Row(_)))
            {
                return self.field(row, column).map_err(|error| locate(error, at));
            }
        }
        Err(locate(self.unknown_entry(table), at))
    }

    /// The error of a name that no FROM entry goes by: a table may go by its alias.
    fn unknown_entry(&self, table: &str) -> Error {
        let mut entries = self.levels.iter().rev().flat_map(|level| &level.scope.entries);
        let is_it = |entry: &&Entry| entry.table.as_ref().is_some_and(|def| def.name == table);
        let Some(aliased) = entries.find(is_it) else {
            let message = format!("missing FROM-clause entry for table \"{table}\"");
            return Error::new(SqlState::UNDEFINED_TABLE, message);
        };
        let message = format!("invalid reference to FROM-clause entry for table \"{table}\"");
        let hint = format!("Perhaps you meant to reference the table alias \"{}\".", aliased.name);
        Error::new(SqlState::UNDEFINED_TABLE, message).with_hint(hint)
    }

    /// Fails with 42601 for a reserved word where a name should be.
    pub(crate) fn check_word(&self, name: &Ident) -> Result<()> {
        // Stored text was read by us when it was written.
        if self.source.is_none() || !crate::parse::is_reserved(name) {
            return Ok(());
        }
        let message = format!("syntax error at or near \"{}\"", name.value);
        Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), self.at_name(name)))
    }

    /// The row of a FROM entry as one value.
    pub(crate) fn whole_row(&mut self, depth: usize, entry: &Entry) -> Typed {
        if let ([column], true) = (entry.columns.as_slice(), entry.is_scalar) {
            return self.column(depth, column.clone());
        }
        let columns: Vec<Expr> = entry.columns.iter().map(|column| column.expr.clone()).collect();
        let fields = entry.columns.iter().map(|column| (column.name.clone(), column.ty.clone()));
        let ty = entry.table.as_ref().map_or(Type::Record, |table| Type::Row(table.oid));
        let parts = columns.into_iter().map(|column| self.pass_inward(depth, column)).collect();
        let fields = Some(fields.collect());
        Typed { expr: Expr::Record(parts), ty: SqlType::new(ty), at: None, fields }
    }

    /// A field of a row value.
    ///
    /// # Errors
    /// 42703 when it has none of that name, 42809 when it is no row.
    pub(crate) fn field(&mut self, row: Typed, name: &str) -> Result<Typed> {
        let fields = match (&row.fields, &row.ty.base) {
            (Some(fields), _) => fields.clone(),
            (None, Type::Row(oid)) => self.ctx.catalog.row_fields(*oid).unwrap_or_default(),
            _ => {
                let ty = self.type_name(&row.ty);
                let message = format!(
                    "column notation .{name} applied to type {ty}, which is not a composite type"
                );
                return Err(locate(Error::new(SqlState::WRONG_OBJECT_TYPE, message), row.at));
            }
        };
        let Some(position) = fields.iter().position(|(field, _)| field == name) else {
            let message = match &row.ty.base {
                Type::Row(_) => {
                    let ty = self.type_name(&row.ty);
                    format!("column \"{name}\" not found in data type {ty}")
                }
                _ => format!("could not identify column \"{name}\" in record data type"),
            };
            return Err(locate(Error::new(SqlState::UNDEFINED_COLUMN, message), row.at));
        };
        let ty = fields[position].1.clone();
        let is_read = |part: &Expr| matches!(part, Expr::Column(_) | Expr::Slot(_));
        let expr = match row.expr {
            // A field of a row in FROM is its column.
            Expr::Record(mut parts) if parts.iter().all(is_read) && position < parts.len() => {
                parts.swap_remove(position)
            }
            row => Expr::Field(Box::new(row), position),
        };
        Ok(Typed::new(expr, ty).at(row.at))
    }

    /// Suggests a column whose name is near.
    fn hint_column(&self, error: Error, table: Option<&str>, name: &str) -> Error {
        let mut best: Option<(usize, String)> = None;
        let entries = self.levels.iter().rev().flat_map(|level| &level.scope.entries);
        for entry in entries.filter(|entry| table.is_none_or(|table| entry.name == table)) {
            for column in &entry.columns {
                let distance = edit_distance(name, &column.name);
                let limit = name.chars().count() / 2;
                if distance <= limit.min(3)
                    && best.as_ref().is_none_or(|(other, _)| distance < *other)
                {
                    best = Some((distance, format!("{}.{}", entry.name, column.name)));
                }
            }
        }
        match best {
            Some((_, column)) => {
                error.with_hint(format!("Perhaps you meant to reference the column \"{column}\"."))
            }
            None => error,
        }
    }

    /// The columns that `table.*` stands for, with the depth of their level.
    ///
    /// # Errors
    /// 42P01 when no such table is in sight.
    pub(crate) fn wildcard_of(&self, name: &ObjectName) -> Result<(usize, Vec<ScopeColumn>)> {
        let name = self.qualified(name)?;
        match self.find_entry(name.schema.as_deref(), &name.name) {
            Some((depth, entry)) => Ok((depth, entry.columns)),
            None => {
                let message = format!("missing FROM-clause entry for table \"{}\"", name.name);
                Err(locate(Error::new(SqlState::UNDEFINED_TABLE, message), name.position))
            }
        }
    }

    /// A name of an object, with its schema if one was written.
    ///
    /// # Errors
    /// 42601 for a name with too many parts, 0A000 for another database's.
    pub(crate) fn qualified(&self, name: &ObjectName) -> Result<QualifiedName> {
        let idents: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let position = idents.first().and_then(|ident| self.at_name(ident));
        idents.iter().take(1).try_for_each(|ident| self.check_word(ident))?;
        let parts: Vec<String> = idents.into_iter().map(fold).collect();
        let (schema, name) = match parts.as_slice() {
            [name] => (None, name.clone()),
            [schema, name] => (Some(schema.clone()), name.clone()),
            [database, schema, name] if *database == self.ctx.catalog.database => {
                (Some(schema.clone()), name.clone())
            }
            [_, _, _] => {
                let message = format!(
                    "cross-database references are not implemented: \"{}\"",
                    parts.join(".")
                );
                return Err(locate(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message), position));
            }
            _ => {
                let message =
                    format!("improper relation name (too many dotted names): {}", parts.join("."));
                return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), position));
            }
        };
        Ok(QualifiedName { schema, name, position })
    }
}

impl Scope {
    /// Whether two entries go by one name; that name.
    pub(crate) fn duplicate(&self) -> Option<&str> {
        let entries = &self.entries;
        let same =
            |left: &Entry, right: &Entry| left.name == right.name && left.schema == right.schema;
        let pairs = entries.iter().enumerate();
        let mut found =
            pairs.filter(|(index, entry)| entries[..*index].iter().any(|other| same(other, entry)));
        found.next().map(|(_, entry)| entry.name.as_str())
    }
}

/// How many letters must be added, dropped or changed to make one word the other.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(edit_distance("title", "titel"), 2);
        assert_eq!(edit_distance("", "ab"), 2);
        assert_eq!(edit_distance("same", "same"), 0);
    }
}
