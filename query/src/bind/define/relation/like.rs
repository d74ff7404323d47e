//! `LIKE` in CREATE TABLE: columns of another table, and what goes with them.

use std::sync::Arc;

use sqlparser::ast;

use crate::bind::binder::Binder;
use crate::bind::ddl::{
    ColumnSpec, ColumnValue, ConstraintKind, ConstraintSpec, IndexSpec, SequenceOptions,
};
use crate::catalog::{
    ColumnDef, ColumnDefault, IndexConstraint, IndexDef, IndexKey, RowKeyDef, TableDef,
};
use crate::error::Result;
use crate::parse::Including;

/// A table whose columns were copied.
pub(super) struct Copied {
    source: Arc<TableDef>,
    including: Including,
}

/// Puts the copied columns among those of the statement.
///
/// # Errors
/// 42P01 when there is no such table.
pub(super) fn bind(
    binder: &Binder<'_>,
    create: &ast::CreateTable,
    columns: &mut Vec<ColumnSpec>,
) -> Result<Vec<Copied>> {
    let mut wanted: Vec<(&ast::ObjectName, usize, Including)> = Vec::new();
    let likes = binder.extensions.likes().iter();
    wanted.extend(likes.map(|like| (&like.name, like.position, like.including)));
    if let Some(ast::CreateTableLikeKind::Plain(like)) = &create.like {
        wanted.push((&like.name, 0, Including::default()));
    }
    let (mut copied, mut before) = (Vec::new(), 0);
    for (name, position, including) in wanted {
        let source = binder.named_table(&binder.qualified(name)?)?;
        let specs = source.live_columns().map(|(_, column)| spec(binder, column, including));
        let specs: Vec<ColumnSpec> = specs.collect();
        let at = (before + position).min(columns.len());
        before += specs.len();
        columns.splice(at..at, specs);
        copied.push(Copied { source, including });
    }
    Ok(copied)
}

fn spec(binder: &Binder<'_>, column: &ColumnDef, including: Including) -> ColumnSpec {
    let value = match &column.default {
        Some(ColumnDefault::Expression(sql)) if including.defaults => {
            Some(ColumnValue::Expression(sql.clone()))
        }
        Some(ColumnDefault::Generated(sql)) if including.generated => {
            Some(ColumnValue::Generated(sql.clone()))
        }
        Some(ColumnDefault::Identity { sequence, is_always }) if including.identity => {
            let options = sequence_options(binder, *sequence);
            Some(ColumnValue::Identity { is_always: *is_always, options })
        }
        _ => None,
    };
    ColumnSpec {
        name: column.name.clone(),
        ty: column.ty.clone(),
        domain: column.domain,
        is_not_null: column.is_not_null,
        value,
    }
}

fn sequence_options(binder: &Binder<'_>, oid: u32) -> SequenceOptions {
    let sequence = binder.ctx.catalog.sequences.get(&oid);
    sequence.map_or_else(SequenceOptions::default, |sequence| SequenceOptions {
        start: Some(sequence.start),
        increment: Some(sequence.increment),
        min: Some(Some(sequence.min)),
        max: Some(Some(sequence.max)),
        cache: Some(sequence.cache),
        is_cycle: Some(sequence.is_cycle),
        ..SequenceOptions::default()
    })
}

impl Copied {
    /// Adds the constraints and indexes that are copied, over the columns of the new table.
    pub(super) fn push_parts(
        &self,
        columns: &[ColumnSpec],
        constraints: &mut Vec<ConstraintSpec>,
        indexes: &mut Vec<IndexSpec>,
    ) {
        if self.including.checks {
            let checks = self.source.checks.iter().map(|check| {
                let expression = check.expression.clone();
                let kind = ConstraintKind::Check { expression, column: None };
                ConstraintSpec { name: Some(check.name.clone()), ..unnamed(kind) }
            });
            constraints.extend(checks);
        }
        if !self.including.indexes {
            return;
        }
        if let RowKeyDef::PrimaryKey { columns, .. } = &self.source.row_key {
            let (columns, included) = (self.names(columns), Vec::new());
            constraints.push(unnamed(ConstraintKind::PrimaryKey { columns, included }));
        }
        for index in &self.source.indexes {
            match index.constraint {
                Some(constraint) => {
                    let (is_deferrable, is_deferred) = (index.is_deferrable, index.is_deferred);
                    let copy = unnamed(self.key(index, constraint));
                    constraints.push(ConstraintSpec { is_deferrable, is_deferred, ..copy });
                }
                None => indexes.push(self.index(index, columns)),
            }
        }
    }

    fn names(&self, positions: &[usize]) -> Vec<String> {
        let columns = positions.iter().filter_map(|position| self.source.columns.get(*position));
        columns.map(|column| column.name.clone()).collect()
    }

    fn key(&self, index: &IndexDef, constraint: IndexConstraint) -> ConstraintKind {
        let keys: Vec<usize> = index.keys.iter().filter_map(|key| key.column).collect();
        let (columns, included) = (self.names(&keys), self.names(&index.included));
        if constraint == IndexConstraint::PrimaryKey {
            return ConstraintKind::PrimaryKey { columns, included };
        }
        let nulls_not_distinct = index.nulls_not_distinct;
        ConstraintKind::Unique { columns, included, nulls_not_distinct }
    }

    fn index(&self, index: &IndexDef, columns: &[ColumnSpec]) -> IndexSpec {
        let place = |position: usize| {
            let name = self.source.columns.get(position).map(|column| &column.name);
            columns.iter().position(|column| Some(&column.name) == name)
        };
        let key = |key: &IndexKey| IndexKey { column: key.column.and_then(place), ..key.clone() };
        let name = |key: &IndexKey| match key.column.and_then(|at| self.source.columns.get(at)) {
            Some(column) => column.name.clone(),
            None => "expr".to_owned(),
        };
        IndexSpec {
            name: None,
            method: index.method,
            declared_method: index.declared_method.clone(),
            keys: index.keys.iter().map(key).collect(),
            key_names: index.keys.iter().map(name).collect(),
            included: index.included.iter().filter_map(|at| place(*at)).collect(),
            is_unique: index.is_unique,
            nulls_not_distinct: index.nulls_not_distinct,
            predicate: index.predicate.clone(),
        }
    }
}

fn unnamed(kind: ConstraintKind) -> ConstraintSpec {
    ConstraintSpec {
        name: None,
        kind,
        is_deferrable: false,
        is_deferred: false,
        is_not_valid: false,
    }
}
