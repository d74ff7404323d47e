//! Syntax tree to plan: names become positions, every expression gets a type.

use std::sync::Arc;

use sqlparser::ast::{self, Ident, SetExpr};

use self::binder::Binder;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::expression::context::{Services, StatementFacts};
use crate::parse::Command as ParsedCommand;
use crate::parse::{Statement, Syntax};
use crate::plan::{Command, Plan};
use crate::value::{SqlType, Type};

mod binder;
mod coerce;
mod conflict;
mod constant;
pub mod ddl;
mod define;
mod domain;
mod expr;
mod figure;
mod follow;
mod from;
mod group;
mod insert;
mod lock;
mod modify;
mod names;
mod overload;
mod part;
mod query;
mod registry;
mod relation;
mod scope;
mod select;
mod session;
mod statement;
mod stored;
mod stored_text;
mod system_catalog;
mod typed;
pub(crate) mod types;
mod update;
mod walk;
mod with;

pub use follow::{KeptText, columns_read, follow};
pub use statement::{
    BoundQuery, BoundStatement, Copy, CopyFormat, CopyOptions, CopySource, CopyTarget,
    DeclareCursor, Discard, ExplainFormat, ExplainOptions, FetchDirection, IsolationLevel,
    SetStatement, TableLockMode, Transaction, TransactionModes,
};
pub use stored::{bind_table_expression, column_default, table_writer};

/// What binding knows of the session.
#[derive(Clone, Copy)]
pub struct BindContext<'a> {
    /// The definitions that names are looked up in.
    pub catalog: &'a Arc<Catalog>,
    /// The search path, the user, the time zone: literals are converted while binding.
    pub facts: &'a StatementFacts,
    /// For converting literals such as `'seats'::regclass`.
    pub services: &'a dyn Services,
    /// The types of `$1`, `$2`, … that the client declared; `None` or missing ones are inferred.
    pub params: &'a [Option<SqlType>],
}

/// Resolves a statement's names against the catalog.
///
/// # Errors
/// Whatever is wrong with the statement, with its position.
pub fn bind(statement: &Statement, ctx: BindContext<'_>) -> Result<BoundStatement> {
    if let Some(query) = statement.query()
        && let Some(bound) = define::bind_into(statement, query, ctx)?
    {
        return Ok(bound);
    }
    match statement.syntax.as_ref() {
        Syntax::Sql(
            ast @ (ast::Statement::Query(_)
            | ast::Statement::Insert(_)
            | ast::Statement::Update(_)
            | ast::Statement::Delete(_)),
        ) => Ok(BoundStatement::Rows(Box::new(bind_rows(statement, ast, ctx)?))),
        Syntax::Sql(ast) => match define::bind(statement, ast, ctx)? {
            Some(bound) => Ok(bound),
            None => Err(Error::unsupported(format!("statement {ast}"))),
        },
        Syntax::Command(ParsedCommand::Session(command)) => {
            session::bind_command(statement, command, ctx)
        }
        Syntax::Command(ParsedCommand::Define(command)) => {
            define::bind_command(statement, command, ctx)
        }
    }
}

/// Binds a statement that reads or writes rows.
fn bind_rows(statement: &Statement, ast: &ast::Statement, ctx: BindContext<'_>) -> Result<Plan> {
    bind_root(Binder::new(ctx, statement), ast).map(|(plan, _)| plan)
}

/// The same with a binder that knows more; answers what it noted about the text, if it was to.
fn bind_root(
    mut binder: Binder<'_>,
    ast: &ast::Statement,
) -> Result<(Plan, Option<stored_text::StoredText>)> {
    let (bound, _) = binder.in_new_level(|binder| match ast {
        ast::Statement::Query(query) => binder.bind_query(query, None),
        other => binder.bind_modification(other),
    })?;
    let mut columns = bound.columns;
    let mut node = bound.node;
    // A modification without RETURNING shows nothing.
    let command = command_of(ast);
    if command == Command::Select {
        let described = query::BoundNode { node, columns: columns.clone(), records: Vec::new() };
        for column in columns.iter_mut().filter(|column| column.ty.base == Type::Unknown) {
            column.ty = SqlType::new(Type::Text);
        }
        node = binder.convert_columns(described, &columns)?;
    }
    let stored = binder.stored_text.take();
    Ok((binder.finish(node, columns, command)?, stored))
}

/// The word of a statement's command tag.
fn command_of(ast: &ast::Statement) -> Command {
    let of_body = |body: &SetExpr| match body {
        SetExpr::Insert(_) => Command::Insert,
        SetExpr::Update(_) => Command::Update,
        SetExpr::Delete(_) => Command::Delete,
        _ => Command::Select,
    };
    match ast {
        ast::Statement::Insert(_) => Command::Insert,
        ast::Statement::Update(_) => Command::Update,
        ast::Statement::Delete(_) => Command::Delete,
        ast::Statement::Query(query) => of_body(&query.body),
        _ => Command::Select,
    }
}

/// A name as Postgres takes it: in lower case unless quoted.
pub(crate) fn fold(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}
