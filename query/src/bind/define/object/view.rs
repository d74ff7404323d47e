//! What a query defines: views, materialized views, CREATE TABLE … AS, SELECT … INTO.

use sqlparser::ast::{self, Expr as Ast, Ident, ObjectName, SetExpr};

use crate::bind::binder::Binder;
use crate::bind::ddl::{CreateTableAs, CreateView, Ddl, OnCommit};
use crate::bind::stored_text::StoredText;
use crate::bind::{BindContext, bind_root, fold};
use crate::error::{Error, Result, SqlState};
use crate::parse::Statement;
use crate::parse::command::define::view::{Command, Head, WrittenQuery};
use crate::plan::{self, Plan};
use crate::value::{SqlType, Type};

pub(super) fn bind(binder: Binder<'_>, command: &Command) -> Result<Ddl> {
    match command {
        Command::View { head, or_replace, query } => view(binder, head, *or_replace, query),
        Command::MaterializedView { head, query, with_data } => {
            let (created, stored) = table(binder, head, query, *with_data)?;
            if stored.reads_temporary() {
                let message = "materialized views must not use temporary tables or views";
                return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
            }
            Ok(Ddl::CreateMaterializedView(created))
        }
        Command::TableAs { head, query, with_data } => {
            let (created, _) = table(binder, head, query, *with_data)?;
            Ok(Ddl::CreateTableAs(created))
        }
        Command::Refresh { name, is_concurrent, with_data } => {
            let (is_concurrent, with_data) = (*is_concurrent, *with_data);
            Ok(Ddl::RefreshMaterializedView {
                name: binder.qualified(name)?,
                is_concurrent,
                with_data,
            })
        }
        Command::Unsupported(what) => Err(Error::unsupported(what)),
    }
}

fn view(binder: Binder<'_>, head: &Head, or_replace: bool, query: &WrittenQuery) -> Result<Ddl> {
    let name = binder.qualified(&head.name)?;
    let (plan, stored, text) = bind_query(binder, query)?;
    if plan.ctes.iter().any(|cte| cte.is_modifying) {
        let message = "views must not contain data-modifying statements in WITH";
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let too_many = "CREATE VIEW specifies more column names than columns";
    Ok(Ddl::CreateView(CreateView {
        name,
        or_replace,
        is_temporary: head.is_temporary || stored.reads_temporary(),
        says_temporary: head.is_temporary,
        columns: columns(&plan, &head.columns, too_many)?,
        text,
        dependencies: stored.relations.into_iter().collect(),
    }))
}

fn table(
    binder: Binder<'_>,
    head: &Head,
    query: &WrittenQuery,
    with_data: bool,
) -> Result<(CreateTableAs, StoredText)> {
    let name = binder.qualified(&head.name)?;
    let (plan, stored, text) = bind_query(binder, query)?;
    let created = CreateTableAs {
        name,
        if_not_exists: head.if_not_exists,
        is_temporary: head.is_temporary,
        columns: columns(&plan, &head.columns, "too many column names were specified")?,
        query: Box::new(plan),
        text,
        dependencies: stored.relations.iter().copied().collect(),
        on_commit: head.on_commit,
        with_data,
    };
    Ok((created, stored))
}

/// The query, what it names, and its text made to mean the same whatever the search path.
fn bind_query(
    mut binder: Binder<'_>,
    written: &WrittenQuery,
) -> Result<(Plan, StoredText, String)> {
    binder.stored_text = Some(StoredText::default());
    let catalog = binder.ctx.catalog;
    let source = binder.source.clone();
    let (plan, stored) = bind_root(binder, &ast::Statement::Query(written.query.clone()))?;
    if plan.command != plan::Command::Select {
        return Err(Error::new(SqlState::SYNTAX_ERROR, "the query must be a SELECT"));
    }
    let stored = stored.unwrap_or_default();
    let place = source
        .as_ref()
        .and_then(|source| source.offset(written.span.start).zip(source.offset(written.span.end)));
    let text = source
        .zip(place)
        .map(|(source, (start, end))| stored.rewrite(&source, start..end, catalog));
    let text = text.unwrap_or_default();
    Ok((plan, stored, text))
}

/// The columns, the first ones under the names given.
fn columns(plan: &Plan, names: &[Ident], too_many: &str) -> Result<Vec<(String, SqlType)>> {
    if names.len() > plan.columns.len() {
        return Err(Error::new(SqlState::SYNTAX_ERROR, too_many));
    }
    let mut columns: Vec<(String, SqlType)> = Vec::with_capacity(plan.columns.len());
    for (position, column) in plan.columns.iter().enumerate() {
        let name = names.get(position).map_or_else(|| column.name.clone(), fold);
        if columns.iter().any(|(other, _)| *other == name) {
            let message = format!("column \"{name}\" specified more than once");
            return Err(Error::new(SqlState::DUPLICATE_COLUMN, message));
        }
        if column.ty.base == Type::Record {
            let message = format!("column \"{name}\" has pseudo-type record");
            return Err(Error::new(SqlState::INVALID_TABLE_DEFINITION, message));
        }
        columns.push((name, column.ty.clone()));
    }
    Ok(columns)
}

/// `SELECT … INTO`, if the query is one: its leftmost SELECT names a table.
///
/// # Errors
/// Whatever is wrong with it.
pub(in crate::bind) fn select_into(
    statement: &Statement,
    query: &ast::Query,
    ctx: BindContext<'_>,
) -> Result<Option<Ddl>> {
    if leftmost(&query.body).is_none_or(|select| select.into.is_none()) {
        return Ok(None);
    }
    let mut query = query.clone();
    let Some(into) = take_into(&mut query.body) else { return Ok(None) };
    let binder = Binder::new(ctx, statement);
    let name = binder.qualified(&target(&into)?)?;
    let (plan, _) = bind_root(binder, &ast::Statement::Query(Box::new(query)))?;
    Ok(Some(Ddl::CreateTableAs(CreateTableAs {
        name,
        if_not_exists: false,
        is_temporary: into.temporary,
        columns: columns(&plan, &[], "")?,
        query: Box::new(plan),
        text: String::new(),
        dependencies: Vec::new(),
        on_commit: OnCommit::PreserveRows,
        with_data: true,
    })))
}

fn leftmost(body: &SetExpr) -> Option<&ast::Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::SetOperation { left, .. } => leftmost(left),
        _ => None,
    }
}

fn take_into(body: &mut SetExpr) -> Option<ast::SelectInto> {
    match body {
        SetExpr::Select(select) => select.into.take(),
        SetExpr::SetOperation { left, .. } => take_into(left),
        _ => None,
    }
}

fn target(into: &ast::SelectInto) -> Result<ObjectName> {
    match into.targets.as_slice() {
        [Ast::Identifier(name)] => Ok(ObjectName::from(vec![name.clone()])),
        [Ast::CompoundIdentifier(parts)] => Ok(ObjectName::from(parts.clone())),
        _ => Err(Error::new(SqlState::SYNTAX_ERROR, "INTO must name one table")),
    }
}

#[cfg(test)]
mod tests {
    use crate::value::Value;
    use crate::{Database, Session};

    fn session() -> Session {
        let mut session = Database::in_memory().unwrap().session();
        session.execute("CREATE SCHEMA app").unwrap();
        session.execute("SELECT 1 AS a, 'x' AS b INTO app.t UNION ALL SELECT 2, 'y'").unwrap();
        session
    }

    fn state_of(session: &mut Session, sql: &str) -> String {
        session.execute(sql).unwrap_err().state().0.to_owned()
    }

    fn ints(session: &mut Session, sql: &str) -> Vec<i32> {
        let rows = session.query(sql, &[]).unwrap();
        let ints = rows.iter().map(|row| match row[0] {
            Value::Int4(int) => int,
            ref other => panic!("{other:?} is no integer"),
        });
        ints.collect()
    }

    #[test]
    fn select_into_makes_a_table() {
        let mut session = session();
        assert_eq!(ints(&mut session, "SELECT a FROM app.t ORDER BY a"), [1, 2]);
        assert_eq!(state_of(&mut session, "SELECT 1 AS a INTO app.t"), "42P07");
        assert_eq!(state_of(&mut session, "SELECT 1 UNION SELECT 2 INTO app.u"), "42601");
    }

    #[test]
    fn create_table_as_names_columns() {
        let mut session = session();
        let tag = session.execute("CREATE TABLE u (n) AS SELECT a, b FROM app.t").unwrap();
        assert_eq!(tag.to_string(), "SELECT 2");
        assert_eq!(ints(&mut session, "SELECT n FROM u WHERE b = 'y'"), [2]);
        session.execute("CREATE TABLE w AS TABLE app.t WITH NO DATA").unwrap();
        assert_eq!(ints(&mut session, "SELECT a FROM w"), [] as [i32; 0]);
        assert_eq!(state_of(&mut session, "CREATE TABLE x (a, b) AS SELECT 1"), "42601");
        assert_eq!(state_of(&mut session, "CREATE TABLE x AS SELECT 1 a, 2 a"), "42701");
    }

    #[test]
    fn a_view_outlives_the_search_path() {
        let mut session = session();
        session.execute("SET search_path = app").unwrap();
        session
            .execute("CREATE VIEW public.v (n) AS WITH t AS (SELECT * FROM t) SELECT t.* FROM t")
            .unwrap();
        session.execute("SET search_path = public").unwrap();
        assert_eq!(ints(&mut session, "SELECT n FROM v ORDER BY n"), [1, 2]);
    }

    #[test]
    fn a_view_keeps_its_columns() {
        let mut session = session();
        session.execute("CREATE VIEW v AS SELECT *, a + 10 AS c FROM app.t /* all */").unwrap();
        session.execute("CREATE OR REPLACE VIEW v AS SELECT *, a + 20 AS c FROM app.t").unwrap();
        session.execute("ALTER TABLE app.t ADD COLUMN d int").unwrap();
        assert_eq!(ints(&mut session, "SELECT c FROM v ORDER BY c"), [21, 22]);
    }

    #[test]
    fn wrong_views_are_refused() {
        let mut session = session();
        assert_eq!(state_of(&mut session, "CREATE VIEW v (a, b) AS SELECT 1"), "42601");
        assert_eq!(state_of(&mut session, "CREATE VIEW v AS SELECT 1 a, 2 a"), "42701");
        assert_eq!(state_of(&mut session, "CREATE VIEW v AS SELECT * FROM nosuch"), "42P01");
        assert_eq!(
            state_of(&mut session, "CREATE VIEW v AS INSERT INTO app.t VALUES (1)"),
            "42601"
        );
        let sql = "CREATE VIEW v AS WITH x AS (DELETE FROM app.t RETURNING a) SELECT * FROM x";
        assert_eq!(state_of(&mut session, sql), "0A000");
    }

    #[test]
    fn materialized_views_are_refreshed() {
        let mut session = session();
        session
            .execute("CREATE MATERIALIZED VIEW m AS SELECT count(*)::int AS n FROM app.t")
            .unwrap();
        session.execute("INSERT INTO app.t VALUES (3, 'z')").unwrap();
        assert_eq!(ints(&mut session, "SELECT n FROM m"), [2]);
        session.execute("REFRESH MATERIALIZED VIEW m").unwrap();
        assert_eq!(ints(&mut session, "SELECT n FROM m"), [3]);
    }
}
