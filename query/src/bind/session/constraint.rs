//! SET CONSTRAINTS: foreign keys and unique keys are the constraints that can wait.

use sqlparser::ast::ObjectName;

use crate::bind::BoundStatement;
use crate::bind::binder::Binder;
use crate::bind::ddl::QualifiedName;
use crate::catalog::TableDef;
use crate::error::{Error, Result, SqlState};

impl Binder<'_> {
    /// `SET CONSTRAINTS`
    pub(super) fn bind_constraints(
        &self,
        names: &[ObjectName],
        is_deferred: bool,
    ) -> Result<BoundStatement> {
        let mut checked = Vec::with_capacity(names.len());
        for name in names {
            let name = self.qualified(name)?;
            self.check_deferrable(&name)?;
            checked.push(name);
        }
        Ok(BoundStatement::SetConstraints { names: checked, is_deferred })
    }

    fn check_deferrable(&self, name: &QualifiedName) -> Result<()> {
        let tables = self.ctx.catalog.tables.values().filter(|table| self.is_in_sight(table, name));
        let mut exists = false;
        for table in tables {
            if table.deferrable(&name.name).is_some() {
                return Ok(());
            }
            exists |= table.has_constraint(&name.name);
        }
        let (state, what) = match exists {
            true => (SqlState::WRONG_OBJECT_TYPE, "is not deferrable"),
            false => (SqlState::UNDEFINED_OBJECT, "does not exist"),
        };
        let message = format!("constraint \"{}\" {what}", name.name);
        Err(Error::new(state, message))
    }

    fn is_in_sight(&self, table: &TableDef, name: &QualifiedName) -> bool {
        match &name.schema {
            Some(schema) => table.schema == *schema,
            None => self.ctx.facts.search_path.contains(&table.schema),
        }
    }
}
