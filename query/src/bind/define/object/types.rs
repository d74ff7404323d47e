//! CREATE TYPE, ALTER TYPE, CREATE DOMAIN, ALTER DOMAIN.

use std::collections::BTreeSet;

use sqlparser::ast::{DataType, Expr as Ast, Ident};

use crate::bind::binder::Binder;
use crate::bind::ddl::{AlterType, Ddl};
use crate::bind::fold;
use crate::bind::scope::{Clause, Scope, ScopeColumn};
use crate::bind::types::resolve_type;
use crate::catalog::TypeKind;
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::parse::command::define::TextSpan;
use crate::parse::command::define::types::{Action, Command, Domain};
use crate::value::{SqlType, Value};

/// How many bytes a label may have.
const LABEL_LEN_MAX: usize = 63;

pub(super) fn bind(binder: &mut Binder<'_>, command: &Command) -> Result<Ddl> {
    match command {
        Command::Enum { name, labels } => {
            check_labels(labels)?;
            let kind = TypeKind::Enum(labels.clone());
            Ok(Ddl::CreateType { name: binder.qualified(name)?, kind })
        }
        Command::Composite { name, fields } => {
            let kind = TypeKind::Composite(bind_fields(binder, fields)?);
            Ok(Ddl::CreateType { name: binder.qualified(name)?, kind })
        }
        Command::Domain(domain) => {
            let kind = bind_domain(binder, domain)?;
            Ok(Ddl::CreateType { name: binder.qualified(&domain.name)?, kind })
        }
        Command::Alter { name, action } => {
            Ok(Ddl::AlterType { name: binder.qualified(name)?, action: bind_action(action)? })
        }
        Command::Unsupported(what) => Err(Error::unsupported(what)),
    }
}

fn check_labels(labels: &[String]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for label in labels {
        check_label(label)?;
        if !seen.insert(label) {
            let message =
                "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"";
            return Err(Error::new(SqlState::UNIQUE_VIOLATION, message)
                .with_detail(format!("The label \"{label}\" is there twice.")));
        }
    }
    Ok(())
}

fn check_label(label: &str) -> Result<()> {
    if label.len() <= LABEL_LEN_MAX && !label.is_empty() {
        return Ok(());
    }
    Err(Error::new(SqlState::INVALID_NAME, format!("invalid enum label \"{label}\""))
        .with_detail(format!("Labels must be {LABEL_LEN_MAX} bytes or less.")))
}

fn bind_fields(
    binder: &Binder<'_>,
    fields: &[(Ident, DataType)],
) -> Result<Vec<(String, SqlType)>> {
    let mut bound: Vec<(String, SqlType)> = Vec::with_capacity(fields.len());
    for (name, ty) in fields {
        let name = fold(name);
        if bound.iter().any(|(other, _)| *other == name) {
            let message = format!("column \"{name}\" specified more than once");
            return Err(Error::new(SqlState::DUPLICATE_COLUMN, message));
        }
        bound.push((name, type_of(binder, ty)?));
    }
    Ok(bound)
}

fn type_of(binder: &Binder<'_>, ty: &DataType) -> Result<SqlType> {
    resolve_type(binder.ctx.catalog, &binder.ctx.facts.search_path, ty)
}

fn bind_domain(binder: &mut Binder<'_>, domain: &Domain) -> Result<TypeKind> {
    let base = type_of(binder, &domain.base)?;
    let default = match &domain.default {
        Some((expr, _)) => Some(bind_default(binder, expr, &base)?),
        None => None,
    };
    let mut checks = Vec::with_capacity(domain.checks.len());
    for (name, expr, span) in &domain.checks {
        let name = name.as_ref().map(fold).unwrap_or_default();
        checks.push((name, bind_check(binder, expr, *span, &base)?));
    }
    Ok(TypeKind::Domain { base, is_not_null: domain.is_not_null, default, checks })
}

/// Checks that the expression fits the type; answers its text.
fn bind_default(binder: &mut Binder<'_>, expr: &Ast, base: &SqlType) -> Result<String> {
    binder.in_new_level(|binder| {
        binder.level().clause = Clause::Default;
        let value = binder.bind_expr(expr)?;
        binder.assign(value, "value", base)
    })?;
    binder.kept_expression(expr, None, Some(base))
}

/// Checks that the condition over VALUE is one; answers its text.
fn bind_check(
    binder: &mut Binder<'_>,
    expr: &Ast,
    span: TextSpan,
    base: &SqlType,
) -> Result<String> {
    let expr_of_value = Expr::Const(Value::Null);
    let value = ScopeColumn { name: "value".to_owned(), expr: expr_of_value, ty: base.clone() };
    binder.in_new_level(|binder| {
        binder.level().scope = Scope { columns: vec![value], entries: Vec::new() };
        binder.level().clause = Clause::Check;
        binder.bind_condition(expr, "CHECK")
    })?;
    Ok(text_of(binder, span))
}

fn text_of(binder: &Binder<'_>, span: TextSpan) -> String {
    binder.source.as_ref().map(|source| source.slice(span).to_owned()).unwrap_or_default()
}

fn bind_action(action: &Action) -> Result<AlterType> {
    Ok(match action {
        Action::Rename(name) => AlterType::Rename(fold(name)),
        Action::AddValue { label, if_not_exists, neighbour } => {
            check_label(label)?;
            AlterType::AddValue {
                label: label.clone(),
                if_not_exists: *if_not_exists,
                neighbour: neighbour.clone(),
            }
        }
        Action::RenameValue { from, to } => {
            check_label(to)?;
            AlterType::RenameValue { from: from.clone(), to: to.clone() }
        }
        Action::SetSchema(schema) => AlterType::SetSchema(fold(schema)),
        Action::Owner(owner) => AlterType::Owner(fold(owner)),
    })
}

#[cfg(test)]
mod tests {
    use crate::value::Value;
    use crate::{Database, Session};

    fn state_of(session: &mut Session, sql: &str) -> String {
        session.execute(sql).unwrap_err().state().0.to_owned()
    }

    #[test]
    fn enums_are_made_and_grow() {
        let mut session = Database::in_memory().unwrap().session();
        session.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')").unwrap();
        session.execute("ALTER TYPE mood ADD VALUE 'ok' BEFORE 'happy'").unwrap();
        session.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok'").unwrap();
        let rows = session.query("SELECT 'ok'::mood < 'happy'::mood", &[]).unwrap();
        assert_eq!(format!("{rows:?}"), format!("{:?}", [vec![Value::Bool(true)]]));
        assert_eq!(state_of(&mut session, "CREATE TYPE x AS ENUM ('a', 'a')"), "23505");
        assert_eq!(state_of(&mut session, "ALTER TYPE mood ADD VALUE 'ok'"), "42710");
        let long = format!("CREATE TYPE x AS ENUM ('{}')", "a".repeat(64));
        assert_eq!(state_of(&mut session, &long), "42602");
    }

    #[test]
    fn fields_have_types_and_names_of_their_own() {
        let mut session = Database::in_memory().unwrap().session();
        session.execute("CREATE TYPE point3 AS (x float8, y float8, z float8)").unwrap();
        assert_eq!(state_of(&mut session, "CREATE TYPE c AS (a int, a int)"), "42701");
        assert_eq!(state_of(&mut session, "CREATE TYPE c AS (a nosuch)"), "42704");
        assert_eq!(state_of(&mut session, "CREATE TYPE c AS RANGE (subtype = int4)"), "0A000");
    }

    #[test]
    fn domains_are_checked_when_they_are_made() {
        let mut session = Database::in_memory().unwrap().session();
        let sql = "CREATE DOMAIN age AS int DEFAULT 1 CONSTRAINT adult CHECK (VALUE > 17) NOT NULL";
        session.execute(sql).unwrap();
        assert_eq!(state_of(&mut session, "CREATE DOMAIN d AS int CHECK (foo > 1)"), "42703");
        assert_eq!(state_of(&mut session, "CREATE DOMAIN d AS int CHECK (VALUE)"), "42804");
        assert_eq!(state_of(&mut session, "CREATE DOMAIN age AS text"), "42710");
    }

    #[test]
    fn columns_keep_to_their_domains() {
        let mut session = Database::in_memory().unwrap().session();
        session
            .execute(
                "CREATE DOMAIN email AS text CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
                 CREATE DOMAIN positive AS int NOT NULL DEFAULT 7 CHECK (VALUE > 0);
                 CREATE TABLE t (value int, mail email, n positive);
                 INSERT INTO t (value, mail) VALUES (-1, 'a@b'), (-2, NULL);",
            )
            .unwrap();
        let rows = session.query("SELECT sum(n) FROM t", &[]).unwrap();
        assert!(matches!(rows[0][0], Value::Int8(14)), "{rows:?}");
        for (sql, state, message) in [
            (
                "INSERT INTO t (mail) VALUES ('nowhere')",
                "23514",
                "value for domain email violates check constraint \"has_at\"",
            ),
            (
                "UPDATE t SET n = 0 - n",
                "23514",
                "value for domain positive violates check constraint \"positive_check\"",
            ),
            ("UPDATE t SET n = NULL", "23502", "domain positive does not allow null values"),
            (
                "ALTER TABLE t ALTER value TYPE positive",
                "23514",
                "value for domain positive violates check constraint \"positive_check\"",
            ),
            (
                "DROP DOMAIN email",
                "2BP01",
                "cannot drop type email because other objects depend on it",
            ),
        ] {
            let error = session.execute(sql).unwrap_err();
            assert_eq!((error.state().0, error.message()), (state, message), "{sql}");
        }
        session.execute("ALTER TABLE t ADD more positive").unwrap();
        let rows = session.query("SELECT sum(more) FROM t", &[]).unwrap();
        assert!(matches!(rows[0][0], Value::Int8(14)), "{rows:?}");
        session.execute("ALTER TABLE t ALTER mail TYPE text; DROP DOMAIN email").unwrap();
        session.execute("INSERT INTO t (mail) VALUES ('anything')").unwrap();
    }
}
