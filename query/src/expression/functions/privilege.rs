//! `has_table_privilege` and its family (Postgres manual, table 9.71).
//!
//! Objects have owners and no grants: a superuser and the owner may do everything with an
//! object, and everybody may look at everything.

use super::Builder;
use super::argument::arg;
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::value::Value;
use crate::value::input::{InputContext, relation_oid};

pub(super) fn register(builder: &mut Builder) {
    for kind in ["table", "sequence", "any_column"] {
        for object in ["text", "oid"] {
            let signature = format!("has_{kind}_privilege({object}, text) -> bool");
            builder.function(&signature, |ctx, args| on_relation(ctx, args.first(), None)).stable();
            let signature = format!("has_{kind}_privilege(name, {object}, text) -> bool");
            builder
                .function(&signature, |ctx, args| {
                    on_relation(ctx, args.get(1), Some(arg(args, 0)?))
                })
                .stable();
        }
    }
    for kind in ["schema", "database", "function", "language", "tablespace", "type"] {
        for object in ["text", "oid"] {
            let signature = format!("has_{kind}_privilege({object}, text) -> bool");
            builder.function(&signature, |_, _| Ok(Value::Bool(true))).stable();
            let signature = format!("has_{kind}_privilege(name, {object}, text) -> bool");
            builder.function(&signature, |ctx, args| on_anything(ctx, arg(args, 0)?)).stable();
        }
    }
    for object in ["text", "oid"] {
        for column in ["text", "int2"] {
            let signature = format!("has_column_privilege({object}, {column}, text) -> bool");
            builder.function(&signature, |ctx, args| on_relation(ctx, args.first(), None)).stable();
        }
    }
    for role in ["name", "oid"] {
        let signature = format!("pg_has_role({role}, text) -> bool");
        builder.function(&signature, |ctx, args| has_role(ctx, args.first())).stable();
    }
}

fn on_anything(ctx: &EvalContext<'_>, role: &str) -> Result<Value> {
    match ctx.services.globals().roles.contains_key(role) {
        true => Ok(Value::Bool(true)),
        false => Err(super::definition::no_role(role)),
    }
}

fn on_relation(ctx: &EvalContext<'_>, object: Option<&Value>, role: Option<&str>) -> Result<Value> {
    if let Some(role) = role {
        on_anything(ctx, role)?;
    }
    match object {
        Some(Value::Text(name)) => {
            let catalog = ctx.services.catalog();
            let input = InputContext { facts: ctx.statement, catalog: Some(catalog) };
            relation_oid(name, input)?;
            Ok(Value::Bool(true))
        }
        Some(Value::Oid(oid)) => {
            let is_known = ctx.services.catalog().relation_name(*oid).is_some()
                || crate::system::by_oid(*oid).is_some();
            Ok(if is_known { Value::Bool(true) } else { Value::Null })
        }
        _ => Err(Error::internal("not the name of a relation")),
    }
}

/// Whether the current user is a role, or may act as it.
fn has_role(ctx: &EvalContext<'_>, role: Option<&Value>) -> Result<Value> {
    let globals = ctx.services.globals();
    let user = globals.roles.get(&*ctx.statement.user);
    let named = match role {
        Some(Value::Text(name)) => {
            let role = globals.roles.get(&**name);
            Some(role.ok_or_else(|| super::definition::no_role(name))?)
        }
        Some(Value::Oid(oid)) => globals.roles.values().find(|role| role.oid == *oid),
        _ => None,
    };
    let named = named.ok_or_else(|| {
        Error::new(SqlState::UNDEFINED_OBJECT, "role with that OID does not exist")
    })?;
    let may = user.is_some_and(|user| user.is_superuser || user.oid == named.oid);
    Ok(Value::Bool(may))
}
