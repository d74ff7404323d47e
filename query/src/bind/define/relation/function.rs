//! CREATE FUNCTION and DROP FUNCTION. The language is SQL.

use sqlparser::ast::{
    self, ArgMode, CreateFunctionBody, DataType, Expr as Ast, FunctionBehavior,
    FunctionCalledOnNull, FunctionReturnType, OperateFunctionArg,
};

use crate::bind::binder::{Binder, locate};
use crate::bind::ddl::{CreateFunction, Ddl, DropFunction};
use crate::bind::fold;
use crate::bind::types::resolve_type;
use crate::catalog::ParameterDef;
use crate::error::{Error, Result, SqlState};
use crate::value::{SqlType, Type};

/// Languages that Postgres has and Cairn has not.
const OTHER_LANGUAGES: [&str; 7] =
    ["plpgsql", "c", "internal", "plpython3u", "plperl", "pltcl", "plv8"];

/// Binds CREATE FUNCTION.
///
/// # Errors
/// 0A000 for other languages, sets and texts of several statements; whatever is wrong with the
/// text.
pub(super) fn create(binder: &mut Binder<'_>, create: &ast::CreateFunction) -> Result<Ddl> {
    check_language(create)?;
    let args = create.args.as_deref().unwrap_or_default();
    let params = args.iter().map(|arg| parameter(binder, arg)).collect::<Result<Vec<_>>>()?;
    let created = CreateFunction {
        name: binder.qualified(&create.name)?,
        or_replace: create.or_replace,
        result: result(binder, create)?,
        body: body(create)?,
        params,
        volatility: match create.behavior {
            Some(FunctionBehavior::Immutable) => 'i',
            Some(FunctionBehavior::Stable) => 's',
            _ => 'v',
        },
        is_strict: matches!(
            create.called_on_null,
            Some(FunctionCalledOnNull::Strict | FunctionCalledOnNull::ReturnsNullOnNullInput)
        ),
    };
    binder.check_function(&created)?;
    Ok(Ddl::CreateFunction(created))
}

fn check_language(create: &ast::CreateFunction) -> Result<()> {
    let Some(language) = create.language.as_ref().map(fold) else {
        if matches!(create.function_body, Some(CreateFunctionBody::Return(_))) {
            return Ok(());
        }
        let message = "no language specified";
        return Err(Error::new(SqlState("42P13"), message));
    };
    match language.as_str() {
        "sql" => Ok(()),
        other if OTHER_LANGUAGES.contains(&other) => {
            Err(Error::unsupported(format!("LANGUAGE {other}")))
        }
        other => {
            let message = format!("language \"{other}\" does not exist");
            Err(Error::new(SqlState::UNDEFINED_OBJECT, message))
        }
    }
}

fn parameter(binder: &mut Binder<'_>, arg: &OperateFunctionArg) -> Result<ParameterDef> {
    if !matches!(arg.mode, None | Some(ArgMode::In)) {
        return Err(Error::unsupported("a parameter that is not IN"));
    }
    let ty = type_of(binder, &arg.data_type)?;
    if let Some(default) = &arg.default_expr {
        binder.in_new_level(|binder| {
            let value = binder.bind_expr(default)?;
            binder.assign(value, "parameter", &ty)
        })?;
    }
    let default = arg.default_expr.as_ref();
    let default = default.map(|default| binder.kept_expression(default, None, Some(&ty)));
    let default = default.transpose()?;
    Ok(ParameterDef { name: arg.name.as_ref().map(fold), ty, default })
}

fn type_of(binder: &Binder<'_>, ty: &DataType) -> Result<SqlType> {
    resolve_type(binder.ctx.catalog, &binder.ctx.facts.search_path, ty)
}

fn result(binder: &Binder<'_>, create: &ast::CreateFunction) -> Result<SqlType> {
    let ty = match &create.return_type {
        Some(FunctionReturnType::DataType(DataType::Table(_)) | FunctionReturnType::SetOf(_)) => {
            return Err(Error::unsupported("a function that returns a set"));
        }
        Some(FunctionReturnType::DataType(ty)) => type_of(binder, ty)?,
        None => {
            let message = "function result type must be specified";
            return Err(Error::new(SqlState("42P13"), message));
        }
    };
    match ty.base {
        Type::Void | Type::Record | Type::Row(_) | Type::Unknown => {
            let message = format!("a function that returns {}", binder.type_name(&ty));
            Err(Error::unsupported(message))
        }
        _ => Ok(ty),
    }
}

fn body(create: &ast::CreateFunction) -> Result<String> {
    match &create.function_body {
        Some(
            CreateFunctionBody::AsBeforeOptions { body, .. }
            | CreateFunctionBody::AsAfterOptions(body),
        ) => match body {
            Ast::Value(literal) => literal.value.clone().into_string().ok_or_else(no_text),
            _ => Err(no_text()),
        },
        Some(CreateFunctionBody::Return(expr)) => Ok(format!("SELECT {expr}")),
        Some(_) => Err(Error::unsupported("this form of a function's text")),
        None => Err(Error::new(SqlState("42P13"), "no function body specified")),
    }
}

fn no_text() -> Error {
    Error::new(SqlState::SYNTAX_ERROR, "a function's text must be a string")
}

/// Binds DROP FUNCTION.
///
/// # Errors
/// 42704 for an unknown type.
pub(super) fn drop(binder: &Binder<'_>, drop: &ast::DropFunction) -> Result<Ddl> {
    let mut functions = Vec::with_capacity(drop.func_desc.len());
    for function in &drop.func_desc {
        let name = binder.qualified(&function.name)?;
        let types = function.args.as_ref().map(|args| {
            args.iter().map(|arg| type_of(binder, &arg.data_type)).collect::<Result<Vec<_>>>()
        });
        let types = types.transpose().map_err(|error| locate(error, name.position))?;
        functions.push((name, types));
    }
    Ok(Ddl::DropFunction(DropFunction { functions, if_exists: drop.if_exists }))
}
