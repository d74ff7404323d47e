//! Functions that describe definitions (Postgres manual, tables 9.72 to 9.78): names of types,
//! definitions as SQL, comments, what is visible, who owns what.

use std::sync::Arc;

use super::Builder;
use super::argument::{arg, optional};
use crate::catalog::definition_sql::{DefinitionSql, Style};
use crate::catalog::temporary::is_temporary;
use crate::catalog::{TypeKind, ViewDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::identifier::{quote_identifier, quote_qualified};
use crate::system::reader::bind_context;
use crate::value::input::{InputContext, relation_oid};
use crate::value::{SqlType, Type, Value};

pub(super) fn register(builder: &mut Builder) {
    register_types(builder);
    register_expressions(builder);
    register_views(builder);
    register_functions(builder);
    register_comments(builder);
    register_visibility(builder);
    register_names(builder);
    for (name, params) in ABSENT {
        builder.function(&format!("{name}({params}) -> text"), |_, _| Ok(Value::Null)).stable();
    }
}

/// Definitions of what Cairn does not have: no OID leads to one.
const ABSENT: &[(&str, &str)] = &[
    ("pg_get_triggerdef", "oid, [bool]"),
    ("pg_get_statisticsobjdef", "oid"),
    ("pg_get_statisticsobjdef_columns", "oid"),
    ("pg_get_partkeydef", "oid"),
    ("pg_get_partition_constraintdef", "oid"),
    ("pg_get_functiondef", "oid"),
    ("shobj_description", "oid, name"),
    ("pg_tablespace_location", "oid"),
];

fn shown(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::text)
}

/// The printer that a call asks for by its last argument.
fn printer<'a>(ctx: &'a EvalContext<'_>, is_pretty: Option<bool>) -> DefinitionSql<'a> {
    let style = if is_pretty.unwrap_or(false) { Style::Pretty } else { Style::Plain };
    DefinitionSql::new(bind_context(ctx), style)
}

fn register_types(builder: &mut Builder) {
    builder
        .function("format_type(oid, int4) -> text", |ctx, args| {
            let Some(oid) = optional::<u32>(args, 0)? else { return Ok(Value::Null) };
            Ok(Value::text(format_type(ctx, oid, optional(args, 1)?)))
        })
        .stable()
        .nullable();
}

fn format_type(ctx: &EvalContext<'_>, oid: u32, modifier: Option<i32>) -> String {
    match (Type::from_oid(oid), modifier) {
        (_, _) if oid == 0 => "-".to_owned(),
        (Some(Type::Bpchar), None) => "character".to_owned(),
        (Some(base), modifier) => SqlType { base, modifier: modifier.unwrap_or(-1) }.name(),
        (None, _) => user_type(ctx, oid).unwrap_or_else(|| "???".to_owned()),
    }
}

fn user_type(ctx: &EvalContext<'_>, oid: u32) -> Option<String> {
    let catalog = ctx.services.catalog();
    let qualified = |schema: &String, name: &str| match ctx.statement.search_path.contains(schema) {
        true => quote_identifier(name),
        false => quote_qualified(schema, name),
    };
    if let Some(table) = catalog.table(oid) {
        return Some(qualified(&table.schema, &table.name));
    }
    if let Some(view) = catalog.views.get(&oid) {
        return Some(qualified(&view.schema, &view.name));
    }
    catalog.types.values().find_map(|def| match oid {
        _ if def.oid == oid => Some(qualified(&def.schema, &def.name)),
        _ if def.array_oid == oid => Some(format!("{}[]", qualified(&def.schema, &def.name))),
        _ => None,
    })
}

fn register_expressions(builder: &mut Builder) {
    builder
        .function("pg_get_expr(text, oid, [bool]) -> text", |ctx, args| {
            let (sql, oid): (&str, u32) = (arg(args, 0)?, arg(args, 1)?);
            let printer = printer(ctx, optional(args, 2)?);
            Ok(match ctx.services.catalog().table(oid) {
                Some(table) => Value::text(printer.stored_expression(table, sql)),
                None => Value::text(sql),
            })
        })
        .stable();
    builder
        .function("pg_get_constraintdef(oid, [bool]) -> text", |ctx, args| {
            let (oid, is_pretty): (u32, _) = (arg(args, 0)?, optional(args, 1)?);
            let printer = printer(ctx, is_pretty);
            let found = printer.find_constraint(oid);
            let text = found.map(|(table, constraint)| printer.constraint(table, &constraint));
            let is_pretty = is_pretty.unwrap_or(false);
            Ok(shown(text.or_else(|| domain_check(ctx, oid, is_pretty))))
        })
        .stable();
    builder
        .function("pg_get_indexdef(oid) -> text", |ctx, args| {
            index_definition(ctx, arg(args, 0)?, 0, false)
        })
        .stable();
    builder
        .function("pg_get_indexdef(oid, int4, bool) -> text", |ctx, args| {
            index_definition(ctx, arg(args, 0)?, arg(args, 1)?, arg(args, 2)?)
        })
        .stable();
}

/// The CHECK of a domain, whose OIDs are made from the domain's.
fn domain_check(ctx: &EvalContext<'_>, oid: u32, is_pretty: bool) -> Option<String> {
    ctx.services.catalog().types.values().find_map(|def| {
        let TypeKind::Domain { checks, .. } = &def.kind else { return None };
        let position = usize::try_from(oid.checked_sub(def.oid.wrapping_mul(64))?).ok()?;
        let (_, condition) = checks.get(position)?;
        let condition = with_capital_value(condition);
        Some(match is_pretty {
            true => format!("CHECK ({condition})"),
            false => format!("CHECK (({condition}))"),
        })
    })
}

/// The condition with the word that stands for the value written as Postgres writes it. What is in
/// quotes stays.
fn with_capital_value(condition: &str) -> String {
    let mut parts = Vec::new();
    let (mut word, mut quote) = (String::new(), None);
    for c in condition.chars().chain([' ']) {
        if quote.is_none() && (c.is_alphanumeric() || c == '_') {
            word.push(c);
            continue;
        }
        let is_value = word.eq_ignore_ascii_case("value");
        parts.push(if is_value { "VALUE".to_owned() } else { std::mem::take(&mut word) });
        word.clear();
        parts.push(c.to_string());
        quote = match quote {
            Some(open) if open == c => None,
            None if matches!(c, '\'' | '"') => Some(c),
            other => other,
        };
    }
    parts.concat().trim_end().to_owned()
}

fn index_definition(
    ctx: &EvalContext<'_>,
    oid: u32,
    column: i32,
    is_pretty: bool,
) -> Result<Value> {
    let printer = printer(ctx, Some(is_pretty));
    let Some((table, index)) = printer.find_index(oid) else { return Ok(Value::Null) };
    Ok(match usize::try_from(column) {
        Ok(0) | Err(_) => Value::text(printer.create_index(table, &index)),
        Ok(number) => Value::text(printer.index_column(table, &index, number).unwrap_or_default()),
    })
}

fn register_views(builder: &mut Builder) {
    builder
        .function("pg_get_viewdef(oid, [bool]) -> text", |ctx, args| {
            let view = ctx.services.catalog().views.get(&arg::<u32>(args, 0)?);
            let printer = printer(ctx, optional(args, 1)?);
            Ok(shown(view.map(|view| printer.view_query(view))))
        })
        .stable();
    builder
        .function("pg_get_viewdef(text, [bool]) -> text", |ctx, args| {
            let input =
                InputContext { facts: ctx.statement, catalog: Some(ctx.services.catalog()) };
            let oid = relation_oid(arg(args, 0)?, input)?;
            let view = ctx.services.catalog().views.get(&oid);
            let printer = printer(ctx, optional(args, 1)?);
            Ok(shown(view.map(|view| printer.view_query(view))))
        })
        .stable();
    builder
        .function("pg_get_ruledef(oid, [bool]) -> text", |ctx, args| {
            let view = ctx.services.catalog().views.get(&arg::<u32>(args, 0)?);
            let printer = printer(ctx, optional(args, 1)?);
            Ok(shown(view.map(|view| rule(&printer, view))))
        })
        .stable();
}

/// The rule that makes a view a view.
fn rule(printer: &DefinitionSql<'_>, view: &Arc<ViewDef>) -> String {
    let name = quote_qualified(&view.schema, &view.name);
    let query = printer.view_query(view);
    format!("CREATE RULE \"_RETURN\" AS\n    ON SELECT TO {name} DO INSTEAD {query}")
}

fn register_functions(builder: &mut Builder) {
    for name in ["pg_get_function_arguments", "pg_get_function_identity_arguments"] {
        builder
            .function(&format!("{name}(oid) -> text"), |_, args| {
                let oid: u32 = arg(args, 0)?;
                let mut all = crate::system::listed().iter();
                let found = all.find(|function| function.oid == oid);
                Ok(shown(found.map(crate::system::arguments_text)))
            })
            .stable();
    }
    builder
        .function("pg_get_function_result(oid) -> text", |_, args| {
            let oid: u32 = arg(args, 0)?;
            let found = crate::system::listed().iter().find(|function| function.oid == oid);
            Ok(shown(found.map(crate::system::result_text)))
        })
        .stable();
    builder.set_function("pg_partition_ancestors(regclass) -> regclass", |_, _| {
        Ok(Box::new(std::iter::empty()))
    });
}

fn register_comments(builder: &mut Builder) {
    builder
        .function("obj_description(oid, [name]) -> text", |ctx, args| {
            Ok(comment(ctx, arg(args, 0)?, 0))
        })
        .stable();
    builder
        .function("col_description(oid, int4) -> text", |ctx, args| {
            let column: i32 = arg(args, 1)?;
            Ok(comment(ctx, arg(args, 0)?, i16::try_from(column).unwrap_or(-1)))
        })
        .stable();
}

fn comment(ctx: &EvalContext<'_>, oid: u32, column: i16) -> Value {
    let found = ctx.services.catalog().comments.get(&(oid, column));
    found.map_or(Value::Null, |text| Value::text(text.as_str()))
}

/// Kinds of objects that nobody can make: what is built in is always in sight.
const BUILT_IN: [&str; 11] = [
    "collation",
    "conversion",
    "function",
    "opclass",
    "operator",
    "opfamily",
    "statistics_obj",
    "ts_config",
    "ts_dict",
    "ts_parser",
    "ts_template",
];

fn register_visibility(builder: &mut Builder) {
    for kind in BUILT_IN {
        let signature = format!("pg_{kind}_is_visible(oid) -> bool");
        builder.function(&signature, |_, _| Ok(Value::Bool(true))).stable();
    }
    builder
        .function("pg_table_is_visible(oid) -> bool", |ctx, args| {
            Ok(is_table_visible(ctx, arg(args, 0)?).map_or(Value::Null, Value::Bool))
        })
        .stable();
}

fn register_names(builder: &mut Builder) {
    builder
        .function("pg_my_temp_schema() -> oid", |ctx, _| {
            let own = ctx.statement.search_path.iter().find(|schema| is_temporary(schema));
            let schema = own.and_then(|own| ctx.services.catalog().schemas.get(own));
            Ok(Value::Oid(schema.map_or(0, |schema| schema.oid)))
        })
        .stable();
    builder
        .function("pg_is_other_temp_schema(oid) -> bool", |ctx, args| {
            let oid: u32 = arg(args, 0)?;
            let mut schemas = ctx.services.catalog().schemas.values();
            let schema = schemas.find(|schema| schema.oid == oid && is_temporary(&schema.name));
            let path = &ctx.statement.search_path;
            Ok(Value::Bool(schema.is_some_and(|schema| !path.contains(&schema.name))))
        })
        .stable();
    builder
        .function("pg_type_is_visible(oid) -> bool", |ctx, args| {
            let oid: u32 = arg(args, 0)?;
            let path = &ctx.statement.search_path;
            let mut types = ctx.services.catalog().types.values();
            let own = types.find(|def| def.oid == oid || def.array_oid == oid);
            let of_table = is_table_visible(ctx, oid).unwrap_or(true);
            Ok(Value::Bool(own.map_or(of_table, |def| path.contains(&def.schema))))
        })
        .stable();
    builder
        .function("pg_get_userbyid(oid) -> name", |ctx, args| {
            let oid: u32 = arg(args, 0)?;
            let globals = ctx.services.globals();
            let found = globals.roles.values().find(|role| role.oid == oid);
            let unknown = || format!("unknown (OID={oid})");
            Ok(Value::text(found.map_or_else(unknown, |role| role.name.clone())))
        })
        .stable();
    builder
        .function("pg_encoding_to_char(int4) -> name", |_, args| {
            let is_utf8 = arg::<i32>(args, 0)? == crate::system::UTF8;
            Ok(Value::text(if is_utf8 { "UTF8" } else { "" }))
        })
        .stable();
    builder.function("getdatabaseencoding() -> name", |_, _| Ok(Value::text("UTF8"))).stable();
    builder.function("pg_client_encoding() -> name", |_, _| Ok(Value::text("UTF8"))).stable();
    builder
        .function("pg_char_to_encoding(name) -> int4", |_, args| {
            let name: &str = arg(args, 0)?;
            let is_utf8 = matches!(name.to_ascii_uppercase().as_str(), "UTF8" | "UTF-8");
            Ok(Value::Int4(if is_utf8 { crate::system::UTF8 } else { -1 }))
        })
        .stable();
    builder
        .function("pg_relation_is_publishable(regclass) -> bool", |ctx, args| {
            let table = ctx.services.catalog().table(arg(args, 0)?);
            Ok(Value::Bool(table.is_some_and(|table| !table.is_temporary)))
        })
        .stable();
    builder
        .function("to_regclass(text) -> regclass", |ctx, args| {
            let input =
                InputContext { facts: ctx.statement, catalog: Some(ctx.services.catalog()) };
            Ok(found(relation_oid(arg(args, 0)?, input))?.map_or(Value::Null, Value::Oid))
        })
        .stable();
}

/// An object that may be missing.
fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.state() == SqlState::UNDEFINED_TABLE => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a relation is found by its bare name; `None` when there is no such relation.
fn is_table_visible(ctx: &EvalContext<'_>, oid: u32) -> Option<bool> {
    let catalog = ctx.services.catalog();
    let path = &ctx.statement.search_path;
    if let Some(system) = crate::system::by_oid(oid) {
        return Some(crate::system::schema_name(system.schema) != "information_schema");
    }
    if let Some(own) = catalog.types.get(&oid) {
        return Some(path.contains(&own.schema));
    }
    let (schema, name) = catalog.relation_name(oid)?;
    let first = path
        .iter()
        .find(|schema| catalog.relations.contains_key(&((*schema).clone(), name.to_owned())));
    Some(first.is_some_and(|first| first == schema))
}

/// 42704 for an object that a privilege is asked about.
pub(super) fn no_role(name: &str) -> Error {
    Error::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"))
}
