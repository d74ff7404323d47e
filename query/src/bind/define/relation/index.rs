//! CREATE INDEX, and indexes inside CREATE TABLE as MySQL has them.

use std::sync::Arc;

use sqlparser::ast::{
    self, CreateIndex as AstCreate, Expr as Ast, Ident, IndexColumn, IndexConstraint, IndexType,
};

use super::parts;
use crate::bind::binder::{Binder, locate};
use crate::bind::ddl::{CreateIndex, Ddl, IndexSpec};
use crate::bind::fold;
use crate::bind::scope::Clause;
use crate::catalog::{IndexKey, IndexMethod, Relation, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::value::{SqlType, Type};

/// Columns that an index may have, as in Postgres.
const KEY_COUNT_MAX: usize = 32;

/// Binds CREATE INDEX.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn bind(binder: &mut Binder<'_>, create: &AstCreate) -> Result<Ddl> {
    let name = binder.qualified(&create.table_name)?;
    let table = match binder.find_relation(&name) {
        Some(Relation::View(oid)) => {
            let view = binder.ctx.catalog.views.get(&oid);
            match view.and_then(|view| view.materialized) {
                Some(oid) => binder.table_of(oid)?,
                None => {
                    let message = format!("cannot create index on relation \"{}\"", name.name);
                    return Err(Error::new(SqlState::WRONG_OBJECT_TYPE, message)
                        .with_detail("This operation is not supported for views."));
                }
            }
        }
        _ => binder.named_table(&name)?,
    };
    let wanted = Wanted {
        name: create.name.as_ref().map(|name| binder.qualified(name)).transpose()?,
        using: create.using.as_ref(),
        columns: &create.columns,
        include: &create.include,
        is_unique: create.unique,
        nulls_not_distinct: create.nulls_distinct == Some(false),
        predicate: create.predicate.as_ref(),
    };
    let index = wanted.bind(binder, &table)?;
    Ok(Ddl::CreateIndex(CreateIndex {
        table: table.oid,
        index,
        if_not_exists: create.if_not_exists,
        is_concurrent: create.concurrently,
    }))
}

/// Binds `INDEX name (…)` inside CREATE TABLE.
///
/// # Errors
/// Whatever is wrong with it.
pub(super) fn inline(
    binder: &mut Binder<'_>,
    table: &Arc<TableDef>,
    ast: &IndexConstraint,
) -> Result<IndexSpec> {
    let name = ast.name.clone().map(|name| ast::ObjectName::from(vec![name]));
    let wanted = Wanted {
        name: name.as_ref().map(|name| binder.qualified(name)).transpose()?,
        using: ast.index_type.as_ref(),
        columns: &ast.columns,
        include: &[],
        is_unique: false,
        nulls_not_distinct: false,
        predicate: None,
    };
    wanted.bind(binder, table)
}

/// An index as it is written.
struct Wanted<'a> {
    name: Option<crate::bind::ddl::QualifiedName>,
    using: Option<&'a IndexType>,
    columns: &'a [IndexColumn],
    include: &'a [Ident],
    is_unique: bool,
    nulls_not_distinct: bool,
    predicate: Option<&'a Ast>,
}

impl Wanted<'_> {
    fn bind(&self, binder: &mut Binder<'_>, table: &Arc<TableDef>) -> Result<IndexSpec> {
        if self.columns.len() > KEY_COUNT_MAX {
            let message = format!("cannot use more than {KEY_COUNT_MAX} columns in an index");
            return Err(Error::new(SqlState("54011"), message));
        }
        let declared_method = declared_method(self.using);
        let mut keys = Vec::with_capacity(self.columns.len());
        let mut key_names = Vec::with_capacity(self.columns.len());
        for column in self.columns {
            keys.push(key(binder, table, column)?);
            key_names.push(key_name(&column.column.expr));
        }
        let method = method(&declared_method, &keys)?;
        if self.is_unique && method != IndexMethod::Ordered {
            let message =
                format!("access method \"{declared_method}\" does not support unique indexes");
            return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let included = self.include.iter().map(|name| parts::position(binder, table, name));
        let included = included.collect::<Result<Vec<_>>>()?;
        let predicate = self.predicate.map(|ast| predicate(binder, table, ast)).transpose()?;
        Ok(IndexSpec {
            name: self.name.as_ref().map(|name| name.name.clone()),
            method,
            declared_method,
            keys,
            key_names,
            included,
            is_unique: self.is_unique,
            nulls_not_distinct: self.nulls_not_distinct,
            predicate,
        })
    }
}

fn predicate(binder: &mut Binder<'_>, table: &Arc<TableDef>, ast: &Ast) -> Result<String> {
    let bool_type = SqlType::new(Type::Bool);
    let (expr, _) =
        binder.table_expression(table, ast, Some(&bool_type), Clause::IndexPredicate)?;
    require_immutable(&expr, "functions in index predicate must be marked IMMUTABLE")?;
    binder.kept_expression(ast, Some(table), None)
}

fn require_immutable(expr: &crate::expression::Expr, message: &str) -> Result<()> {
    if parts::is_immutable(expr) {
        return Ok(());
    }
    Err(Error::new(SqlState::INVALID_OBJECT_DEFINITION, message))
}

/// The method as written: `btree` when none was.
fn declared_method(using: Option<&IndexType>) -> String {
    match using {
        None => "btree".to_owned(),
        Some(IndexType::Custom(name)) => fold(name),
        Some(other) => other.to_string().to_lowercase(),
    }
}

fn method(declared: &str, keys: &[IndexKey]) -> Result<IndexMethod> {
    let is = |wanted: &[Type]| keys.first().is_some_and(|key| wanted.contains(&key.ty.base));
    Ok(match declared {
        "btree" | "hash" | "brin" => IndexMethod::Ordered,
        "gin" | "gist" if is(&[Type::TsVector]) => IndexMethod::FullText,
        "gist" | "spgist" if is(&[Type::Geometry, Type::Geography]) => IndexMethod::Geo,
        "gin" => IndexMethod::Inverted,
        "gist" | "spgist" => {
            let trigrams =
                keys.iter().any(|key| key.operator_class.as_deref() == Some("gist_trgm_ops"));
            if trigrams { IndexMethod::Inverted } else { IndexMethod::Ordered }
        }
        other => {
            let message = format!("access method \"{other}\" does not exist");
            return Err(Error::new(SqlState::UNDEFINED_OBJECT, message));
        }
    })
}

fn key(binder: &mut Binder<'_>, table: &Arc<TableDef>, ast: &IndexColumn) -> Result<IndexKey> {
    let is_descending = ast.column.options.sort == Some(sqlparser::ast::OrderBySort::Desc);
    let nulls_first = ast.column.options.nulls_first.unwrap_or(is_descending);
    let (column, expression, ty) = match &ast.column.expr {
        Ast::Identifier(name) => {
            let position = parts::position(binder, table, name)?;
            let ty = table.columns.get(position).map(|column| column.ty.clone());
            (Some(position), None, ty.unwrap_or_else(|| SqlType::new(Type::Text)))
        }
        other => {
            let at = binder.at_expr(other);
            let (expr, ty) = binder
                .table_expression(table, other, None, Clause::IndexExpression)
                .map_err(|error| locate(error, at))?;
            require_immutable(&expr, "functions in index expression must be marked IMMUTABLE")?;
            let sql = binder.kept_expression(bare(other), Some(table), None)?;
            (None, Some(sql), ty)
        }
    };
    let operator_class = ast.operator_class.as_ref().and_then(|name| name.0.last());
    let operator_class = operator_class.and_then(|part| part.as_ident()).map(fold);
    Ok(IndexKey { column, expression, ty, is_descending, nulls_first, operator_class })
}

/// Without the parentheses that the syntax demands.
fn bare(ast: &Ast) -> &Ast {
    match ast {
        Ast::Nested(inner) => bare(inner),
        other => other,
    }
}

/// What a key contributes to a chosen name.
fn key_name(ast: &Ast) -> String {
    match bare(ast) {
        Ast::Identifier(name) => fold(name),
        Ast::Function(function) => {
            let last = function.name.0.last().and_then(|part| part.as_ident());
            last.map_or_else(|| "expr".to_owned(), fold)
        }
        _ => "expr".to_owned(),
    }
}
