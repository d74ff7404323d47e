//! `SET a[1] = …`: a part of an array or of a document as the target of an assignment.

use std::sync::Arc;

use sqlparser::ast::{AccessExpr, Expr as Ast, Ident, ObjectName, Subscript};

use super::binder::{Binder, locate};
use super::typed::Typed;
use crate::catalog::TableDef;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::value::{SqlType, Type, Value};

/// The column and its new value, over what was assigned to it before.
type Assigned = Vec<(usize, Expr)>;

impl Binder<'_> {
    /// Assigns to the part of a column that a marker stands for. Several parts of one column may
    /// be assigned to, one after the other.
    ///
    /// # Errors
    /// 42804 for a column without parts, 42601 when the whole column was assigned to before.
    pub(super) fn assign_part(
        &mut self,
        marker: &ObjectName,
        value: &Ast,
        table: &Arc<TableDef>,
        assigned: &mut Assigned,
    ) -> Result<()> {
        let extensions = Arc::clone(&self.extensions);
        let Some(Ast::CompoundFieldAccess { root, access_chain }) = extensions.subscript(marker)
        else {
            return Err(Error::unsupported("this target of an assignment"));
        };
        let Ast::Identifier(column) = root.as_ref() else {
            return Err(Error::unsupported("this target of an assignment"));
        };
        let position = self.target_column(table, &ObjectName::from(vec![column.clone()]))?;
        let at = assigned.iter().position(|(known, _)| *known == position);
        let before = match at.and_then(|at| assigned.get(at)) {
            Some((_, expr)) if is_part_assigned(expr) => expr.clone(),
            Some(_) => return Err(self.assigned_twice(&table.columns[position].name, None)),
            None => self.target_value(column, table, position)?,
        };
        let ty = table.columns[position].ty.clone();
        let before = Typed::new(before, ty);
        let changed = self.changed_part(before, access_chain, value, column)?;
        let changed = self.updated_value(changed, position, table)?;
        match at.and_then(|at| assigned.get_mut(at)) {
            Some(place) => place.1 = changed,
            None => assigned.push((position, changed)),
        }
        Ok(())
    }

    /// What the column of the changed row holds.
    fn target_value(&mut self, name: &Ident, table: &TableDef, position: usize) -> Result<Expr> {
        let depth = self.levels.len().saturating_sub(1);
        let entries = &self.level().scope.entries;
        let is_it = |def: &Arc<TableDef>| def.oid == table.oid;
        let entry = entries.iter().find(|entry| entry.table.as_ref().is_some_and(is_it));
        let wanted = &table.columns[position].name;
        let column =
            entry.and_then(|entry| entry.columns.iter().find(|own| own.name == *wanted)).cloned();
        match column {
            Some(column) => Ok(self.column(depth, column).expr),
            None => self.bind_name(name).map(|typed| typed.expr),
        }
    }

    fn changed_part(
        &mut self,
        before: Typed,
        steps: &[AccessExpr],
        value: &Ast,
        column: &Ident,
    ) -> Result<Typed> {
        let mut indexes = Vec::with_capacity(steps.len());
        for step in steps {
            match step {
                AccessExpr::Subscript(Subscript::Index { index }) => indexes.push(index),
                _ => return Err(Error::unsupported("assigning to this part of a column")),
            }
        }
        let name = super::fold(column);
        let value = self.bind_expr(value)?;
        let at = self.at_name(column);
        match before.ty.base.clone() {
            Type::Jsonb => {
                let value = self.assign(value, &name, &SqlType::new(Type::Jsonb))?;
                self.changed_document(before, &indexes, value)
            }
            Type::Array(element) => {
                let element = SqlType::new(element.as_ref().clone());
                let value = Typed::new(self.assign(value, &name, &element)?, element);
                let mut args = vec![before, value];
                for index in indexes {
                    let index = self.bind_expr(index)?;
                    args.push(self.cast(index, &SqlType::new(Type::Int4))?);
                }
                self.call("with element", args, at)
            }
            _ => {
                let ty = self.type_name(&before.ty);
                let message =
                    format!("cannot subscript type {ty} because it does not support subscripting");
                Err(locate(Error::new(SqlState::DATATYPE_MISMATCH, message), at))
            }
        }
    }

    fn changed_document(&mut self, before: Typed, indexes: &[&Ast], value: Expr) -> Result<Typed> {
        let text = SqlType::new(Type::Text);
        let mut path = Vec::with_capacity(indexes.len());
        for index in indexes {
            let index = self.bind_expr(index)?;
            path.push(self.cast(index, &text)?.expr);
        }
        let empty = Expr::Const(Value::Jsonb(crate::value::json::Jsonb::object(Vec::new()).into()));
        let before = Typed::new(Expr::Coalesce(vec![before.expr, empty]), before.ty);
        let path = Expr::Array { elements: path, element: Type::Text };
        let args =
            vec![before, Typed::new(path, Type::Text.array()), Typed::new(value, Type::Jsonb)];
        self.call("jsonb_set", args, None)
    }
}

/// Whether an assigned value is a column with parts of it changed.
fn is_part_assigned(expr: &Expr) -> bool {
    match expr {
        Expr::Call { function, .. } => matches!(&*function.name, "with element" | "jsonb_set"),
        Expr::Cast { expr, .. } => is_part_assigned(expr),
        _ => false,
    }
}
