//! CREATE FUNCTION and DROP FUNCTION.

use std::sync::Arc;

use super::{DefineContext, Defined, drop as dropping};
use crate::bind::ddl::{CreateFunction, DropFunction, QualifiedName};
use crate::catalog::{Catalog, ColumnDefault, Definition, FunctionDef, IndexDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::value::SqlType;

pub(super) fn create(cx: &mut DefineContext<'_>, create: &CreateFunction) -> Result<Defined> {
    let schema = cx.creation_schema(&create.name)?;
    let types: Vec<SqlType> = create.params.iter().map(|param| param.ty.clone()).collect();
    let functions = cx.change.catalog.functions.values();
    let mut same = functions
        .filter(|def| def.schema == schema && def.name == create.name.name && def.takes(&types));
    let oid = match same.next().cloned() {
        Some(old) => {
            check_replaced(cx, create, &old)?;
            old.oid
        }
        None => cx.store.next_object_id()?,
    };
    cx.put(Definition::Function(Arc::new(FunctionDef {
        oid,
        schema,
        name: create.name.name.clone(),
        owner: cx.user.to_owned(),
        params: create.params.clone(),
        result: create.result.clone(),
        body: create.body.clone(),
        volatility: create.volatility,
        is_strict: create.is_strict,
    })))?;
    Defined::new("CREATE FUNCTION")
}

fn check_replaced(cx: &DefineContext<'_>, new: &CreateFunction, old: &FunctionDef) -> Result<()> {
    if !new.or_replace {
        let message = format!("function \"{}\" already exists with same argument types", old.name);
        return Err(Error::new(SqlState("42723"), message));
    }
    cx.check_owner(&old.owner, "function", &old.name)?;
    if new.result != old.result {
        let message = "cannot change return type of existing function";
        let hint = format!("Use DROP FUNCTION {} first.", shown(cx, old));
        return Err(Error::new(SqlState("42P13"), message).with_hint(hint));
    }
    Ok(())
}

/// The name with the types of the parameters.
fn shown(cx: &DefineContext<'_>, def: &FunctionDef) -> String {
    let types: Vec<SqlType> = def.params.iter().map(|param| param.ty.clone()).collect();
    signature(cx, &def.name, &types)
}

fn signature(cx: &DefineContext<'_>, name: &str, types: &[SqlType]) -> String {
    let names = crate::bind::types::Names(&cx.change.catalog);
    let types: Vec<String> = types.iter().map(|ty| names.of(&ty.base)).collect();
    format!("{name}({})", types.join(","))
}

pub(super) fn drop(cx: &mut DefineContext<'_>, drop: &DropFunction) -> Result<Defined> {
    for (name, types) in &drop.functions {
        match find(cx, name, types.as_deref())? {
            Some(def) => {
                cx.check_owner(&def.owner, "function", &def.name)?;
                check_users(cx, &def)?;
                cx.change.remove(cx.txn, &Definition::Function(def))?;
            }
            None => {
                let what = match types {
                    Some(types) => format!("function {}", signature(cx, &name.name, types)),
                    None => format!("function {}()", name.name),
                };
                let message = format!("{what} does not exist");
                if !drop.if_exists {
                    return Err(missing(&name.name, types.is_some(), message));
                }
                cx.notice(SqlState::SUCCESSFUL_COMPLETION, format!("{message}, skipping"));
            }
        }
    }
    Defined::new("DROP FUNCTION")
}

fn missing(name: &str, has_types: bool, message: String) -> Error {
    let message = match has_types {
        true => message,
        false => format!("could not find a function named \"{name}\""),
    };
    Error::new(SqlState::UNDEFINED_FUNCTION, message)
}

fn find(
    cx: &DefineContext<'_>,
    name: &QualifiedName,
    types: Option<&[SqlType]>,
) -> Result<Option<Arc<FunctionDef>>> {
    let is_in_sight = |schema: &String| match &name.schema {
        Some(wanted) => wanted == schema,
        None => cx.search_path.contains(schema),
    };
    let functions = cx.change.catalog.functions.values();
    let mut found = functions.filter(|def| {
        def.name == name.name
            && is_in_sight(&def.schema)
            && types.is_none_or(|types| def.takes(types))
    });
    let first = found.next().cloned();
    if first.is_some() && found.next().is_some() {
        let message = format!("function name \"{}\" is not unique", name.name);
        return Err(Error::new(SqlState::AMBIGUOUS_FUNCTION, message)
            .with_hint("Specify the argument list to select the function unambiguously."));
    }
    Ok(first)
}

/// What is kept as text and cannot do without the function stands in the way.
fn check_users(cx: &DefineContext<'_>, def: &Arc<FunctionDef>) -> Result<()> {
    let mut without = cx.change.catalog.clone();
    without.remove(&Definition::Function(Arc::clone(def)));
    let users = Users { cx, name: &def.name, without: Arc::new(without) };
    let user = users.view().or_else(|| cx.change.catalog.tables.values().find_map(|t| users.of(t)));
    match user {
        Some(user) => Err(dropping::in_the_way(&format!("function {}", shown(cx, def)), &user)),
        None => Ok(()),
    }
}

/// Looks for what calls a function of a name and means nothing without it.
struct Users<'a, 'b> {
    cx: &'a DefineContext<'b>,
    name: &'a str,
    /// The definitions as they would be.
    without: Arc<Catalog>,
}

impl Users<'_, '_> {
    fn calls(&self, sql: &str) -> bool {
        crate::parse::called_names(sql).contains(self.name)
    }

    fn view(&self) -> Option<String> {
        let mut views = self.without.views.values();
        let is_lost = |sql: &str| self.cx.runner.bind_query(&self.without, sql).is_err();
        let view = views.find(|view| self.calls(&view.query) && is_lost(&view.query))?;
        Some(format!("view {}", view.name))
    }

    /// A part of a table.
    fn of(&self, table: &TableDef) -> Option<String> {
        let is_lost =
            |sql: &str| self.calls(sql) && self.cx.runner.bind(&self.without, table, sql).is_err();
        for (position, column) in table.live_columns() {
            let is_used = match &column.default {
                Some(ColumnDefault::Generated(sql)) => is_lost(sql),
                Some(ColumnDefault::Expression(sql)) if self.calls(sql) => {
                    self.cx.runner.bind_default(&self.without, table, position, sql).is_err()
                }
                _ => false,
            };
            if is_used {
                return Some(format!("column {} of table {}", column.name, table.name));
            }
        }
        if let Some(check) = table.checks.iter().find(|check| is_lost(&check.expression)) {
            return Some(format!("constraint {} on table {}", check.name, table.name));
        }
        let is_lost_index = |index: &&Arc<IndexDef>| {
            let keys = index.keys.iter().filter_map(|key| key.expression.as_deref());
            keys.chain(index.predicate.as_deref()).any(is_lost)
        };
        let index = table.indexes.iter().find(is_lost_index)?;
        Some(format!("index {}", index.name))
    }
}
