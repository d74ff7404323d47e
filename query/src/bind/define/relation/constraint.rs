//! Constraints: those of a table and those written behind a column.

use std::sync::Arc;

use sqlparser::ast::{
    CheckConstraint, ConstraintCharacteristics, ConstraintReferenceMatchKind, ConstraintUsingIndex,
    DeferrableInitial, ForeignKeyConstraint, Ident, IndexColumn, NullsDistinctOption,
    PrimaryKeyConstraint, ReferentialAction as AstAction, TableConstraint, UniqueConstraint,
};

use super::{index, parts, refuse};
use crate::bind::binder::Binder;
use crate::bind::ddl::{ConstraintKind, ConstraintSpec, IndexSpec};
use crate::bind::define::never_deferred;
use crate::bind::fold;
use crate::catalog::{ReferentialAction, TableDef};
use crate::error::{Error, Result};

/// What a constraint belongs to.
pub(super) struct Owner<'a> {
    /// The table as it will be.
    pub table: &'a Arc<TableDef>,
    /// The column that it is written behind.
    pub column: Option<&'a Ident>,
}

/// What stands among the columns of CREATE TABLE or behind ADD.
pub(super) enum Item {
    Constraint(ConstraintSpec),
    /// `INDEX (…)` as MySQL has it.
    Index(IndexSpec),
}

/// Binds a constraint of a table.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn bind(
    binder: &mut Binder<'_>,
    table: &Arc<TableDef>,
    ast: &TableConstraint,
) -> Result<Item> {
    let owner = Owner { table, column: None };
    Ok(Item::Constraint(match ast {
        TableConstraint::Check(check) => self::check(binder, &owner, None, check)?,
        TableConstraint::Unique(key) => unique(&owner, None, key)?,
        TableConstraint::PrimaryKey(key) => primary_key(&owner, None, key)?,
        TableConstraint::ForeignKey(key) => foreign_key(binder, &owner, None, key)?,
        TableConstraint::PrimaryKeyUsingIndex(using) => using_index(using, true)?,
        TableConstraint::UniqueUsingIndex(using) => using_index(using, false)?,
        TableConstraint::Index(ast) => {
            return index::inline(binder, table, ast).map(Item::Index);
        }
        TableConstraint::Exclude(_) => return Err(Error::unsupported("EXCLUDE")),
        other => return Err(Error::unsupported(other.to_string())),
    }))
}

/// `CHECK`
pub(super) fn check(
    binder: &mut Binder<'_>,
    owner: &Owner<'_>,
    name: Option<&Ident>,
    ast: &CheckConstraint,
) -> Result<ConstraintSpec> {
    let (expression, column) = parts::condition(binder, owner.table, &ast.expr)?;
    let kind = ConstraintKind::Check { expression, column };
    spec(name.or(ast.name.as_ref()), kind, None)
}

/// `UNIQUE`
pub(super) fn unique(
    owner: &Owner<'_>,
    name: Option<&Ident>,
    ast: &UniqueConstraint,
) -> Result<ConstraintSpec> {
    let kind = ConstraintKind::Unique {
        columns: key_of(owner, &ast.columns)?,
        included: parts::names(&ast.include),
        nulls_not_distinct: ast.nulls_distinct == NullsDistinctOption::NotDistinct,
    };
    // MySQL writes the name of a UNIQUE KEY after the words.
    let name = name.or(ast.name.as_ref()).or(ast.index_name.as_ref());
    spec(name, kind, ast.characteristics.as_ref())
}

/// `PRIMARY KEY`
pub(super) fn primary_key(
    owner: &Owner<'_>,
    name: Option<&Ident>,
    ast: &PrimaryKeyConstraint,
) -> Result<ConstraintSpec> {
    let kind = ConstraintKind::PrimaryKey {
        columns: key_of(owner, &ast.columns)?,
        included: parts::names(&ast.include),
    };
    spec(name.or(ast.name.as_ref()), kind, ast.characteristics.as_ref())
}

/// `FOREIGN KEY`, `REFERENCES`
pub(super) fn foreign_key(
    binder: &Binder<'_>,
    owner: &Owner<'_>,
    name: Option<&Ident>,
    ast: &ForeignKeyConstraint,
) -> Result<ConstraintSpec> {
    let is_full = matches!(ast.match_kind, Some(ConstraintReferenceMatchKind::Full));
    refuse(is_full && ast.columns.len() > 1, "MATCH FULL")?;
    refuse(matches!(ast.match_kind, Some(ConstraintReferenceMatchKind::Partial)), "MATCH PARTIAL")?;
    let columns = match owner.column {
        Some(column) => vec![fold(column)],
        None => parts::names(&ast.columns),
    };
    let kind = ConstraintKind::ForeignKey {
        columns,
        table: binder.qualified(&ast.foreign_table)?,
        referenced_columns: parts::names(&ast.referred_columns),
        on_delete: action(ast.on_delete.as_ref()),
        on_update: action(ast.on_update.as_ref()),
    };
    spec(name.or(ast.name.as_ref()), kind, ast.characteristics.as_ref())
}

fn using_index(ast: &ConstraintUsingIndex, is_primary: bool) -> Result<ConstraintSpec> {
    let kind = ConstraintKind::UsingIndex { index: fold(&ast.index_name), is_primary };
    spec(ast.name.as_ref(), kind, ast.characteristics.as_ref())
}

fn key_of(owner: &Owner<'_>, columns: &[IndexColumn]) -> Result<Vec<String>> {
    match owner.column {
        Some(column) => Ok(vec![fold(column)]),
        None => parts::key_columns(columns),
    }
}

fn action(ast: Option<&AstAction>) -> ReferentialAction {
    match ast {
        None | Some(AstAction::NoAction) => ReferentialAction::NoAction,
        Some(AstAction::Restrict) => ReferentialAction::Restrict,
        Some(AstAction::Cascade) => ReferentialAction::Cascade,
        Some(AstAction::SetNull) => ReferentialAction::SetNull,
        Some(AstAction::SetDefault) => ReferentialAction::SetDefault,
    }
}

fn spec(
    name: Option<&Ident>,
    kind: ConstraintKind,
    characteristics: Option<&ConstraintCharacteristics>,
) -> Result<ConstraintSpec> {
    let given = characteristics.copied().unwrap_or_default();
    let is_deferred = given.initially == Some(DeferrableInitial::Deferred);
    if is_deferred && given.deferrable == Some(false) {
        return Err(never_deferred());
    }
    let (name, is_deferrable) = (name.map(fold), given.deferrable.unwrap_or(is_deferred));
    Ok(ConstraintSpec { name, kind, is_deferrable, is_deferred, is_not_valid: false })
}
