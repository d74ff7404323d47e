//! ALTER VIEW, and ALTER TABLE's actions on identities, generated values and storage; see
//! [`crate::parse::command::define::alter`].

use super::sequence;
use crate::bind::binder::Binder;
use crate::bind::ddl::{AlterAction, AlterTable, Ddl};
use crate::bind::define::never_deferred;
use crate::bind::fold;
use crate::error::Result;
use crate::parse::command::define::alter::{Action, Command};

pub(super) fn bind(binder: &Binder<'_>, command: &Command) -> Result<Ddl> {
    let actions = command.actions.iter().map(|action| bind_action(binder, action));
    Ok(Ddl::AlterTable(AlterTable {
        name: binder.qualified(&command.name)?,
        kind: command.kind,
        if_exists: command.if_exists,
        actions: actions.collect::<Result<_>>()?,
    }))
}

fn bind_action(binder: &Binder<'_>, action: &Action) -> Result<AlterAction> {
    Ok(match action {
        Action::SetIdentity { column, is_always, options } => AlterAction::SetIdentity {
            column: fold(column),
            is_always: *is_always,
            options: sequence::bind_options(binder, options)?,
        },
        Action::DropIdentity { column, if_exists } => {
            AlterAction::DropIdentity { column: fold(column), if_exists: *if_exists }
        }
        Action::DropExpression { column, if_exists } => {
            AlterAction::DropExpression { column: fold(column), if_exists: *if_exists }
        }
        Action::AlterConstraint { is_deferrable: false, is_deferred: true, .. } => {
            return Err(never_deferred());
        }
        Action::AlterConstraint { name, is_deferrable, is_deferred } => {
            AlterAction::AlterConstraint {
                name: fold(name),
                is_deferrable: *is_deferrable,
                is_deferred: *is_deferred,
            }
        }
        Action::SetSchema(schema) => AlterAction::SetSchema(fold(schema)),
        Action::Rename(name) => AlterAction::Rename(fold(name)),
        Action::RenameColumn { from, to } => {
            AlterAction::RenameColumn { from: fold(from), to: fold(to) }
        }
        Action::Owner(owner) => AlterAction::Owner(fold(owner)),
        Action::Reset(names) => {
            AlterAction::SetOptions(names.iter().map(|name| (fold(name), None)).collect())
        }
        Action::Accepted => AlterAction::Accepted,
    })
}
