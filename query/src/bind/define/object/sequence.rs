//! CREATE SEQUENCE, ALTER SEQUENCE; the options of sequences anywhere.

use std::num::IntErrorKind;

use sqlparser::ast::{self, ObjectName};

use super::once;
use crate::bind::binder::Binder;
use crate::bind::ddl::{AlterSequence, CreateSequence, Ddl, QualifiedName, SequenceOptions};
use crate::bind::fold;
use crate::bind::types::resolve_type;
use crate::error::{Error, Result, SqlState};
use crate::parse::command::define::sequence::{Action, Command, SequenceOption};

pub(super) fn bind(binder: &Binder<'_>, command: &Command) -> Result<Ddl> {
    match command {
        Command::Create { name, if_not_exists, is_temporary, options } => {
            Ok(Ddl::CreateSequence(CreateSequence {
                name: binder.qualified(name)?,
                if_not_exists: *if_not_exists,
                is_temporary: *is_temporary,
                options: bind_options(binder, options)?,
            }))
        }
        Command::Alter { name, if_exists, action } => Ok(Ddl::AlterSequence {
            name: binder.qualified(name)?,
            if_exists: *if_exists,
            action: match action {
                Action::Options(options) => AlterSequence::Options(bind_options(binder, options)?),
                Action::Rename(name) => AlterSequence::Rename(fold(name)),
                Action::SetSchema(schema) => AlterSequence::SetSchema(fold(schema)),
                Action::Owner(owner) => AlterSequence::Owner(fold(owner)),
                Action::Accepted => AlterSequence::Options(SequenceOptions::default()),
            },
        }),
    }
}

/// Options as our grammar has them.
pub(super) fn bind_options(
    binder: &Binder<'_>,
    options: &[SequenceOption],
) -> Result<SequenceOptions> {
    let mut bound = SequenceOptions::default();
    for option in options {
        bind_option(binder, option, &mut bound)?;
    }
    Ok(bound)
}

fn bind_option(
    binder: &Binder<'_>,
    option: &SequenceOption,
    bound: &mut SequenceOptions,
) -> Result<()> {
    let maybe = |text: &Option<String>| text.as_deref().map(number).transpose();
    match option {
        SequenceOption::Type(ty) => {
            let ty = resolve_type(binder.ctx.catalog, &binder.ctx.facts.search_path, ty)?;
            once(&mut bound.ty, ty)
        }
        SequenceOption::Increment(text) => once(&mut bound.increment, number(text)?),
        SequenceOption::Min(text) => once(&mut bound.min, maybe(text)?),
        SequenceOption::Max(text) => once(&mut bound.max, maybe(text)?),
        SequenceOption::Start(text) => once(&mut bound.start, number(text)?),
        SequenceOption::Restart(text) => once(&mut bound.restart, maybe(text)?),
        SequenceOption::Cache(text) => once(&mut bound.cache, number(text)?),
        SequenceOption::Cycle(is_cycle) => once(&mut bound.is_cycle, *is_cycle),
        SequenceOption::OwnedBy(name) => once(&mut bound.owned_by, owner(binder, name)?),
        SequenceOption::Name(name) => once(&mut bound.name, binder.qualified(name)?),
    }
}

/// The options of an identity column: `sqlparser` has a number in their place.
///
/// # Errors
/// 42601 when one is said twice, 22003 and 22P02 for numbers.
pub(in crate::bind::define) fn identity_options(
    binder: &Binder<'_>,
    options: &[ast::SequenceOptions],
) -> Result<SequenceOptions> {
    match options {
        [] => Ok(SequenceOptions::default()),
        [ast::SequenceOptions::Cache(number)] => {
            let options = binder.extensions.identity(&number.to_string());
            bind_options(binder, options.unwrap_or_default())
        }
        _ => Err(Error::internal("options of an identity column were not cut out")),
    }
}

fn number(text: &str) -> Result<i64> {
    text.parse::<i64>().map_err(|error| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => Error::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("value \"{text}\" is out of range for type bigint"),
        ),
        _ => Error::new(
            SqlState::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type bigint: \"{text}\""),
        ),
    })
}

/// `table.column`, or `NONE`.
fn owner(binder: &Binder<'_>, name: &ObjectName) -> Result<Option<(QualifiedName, String)>> {
    let (column, table) = match name.0.as_slice() {
        [none] if none.as_ident().is_some_and(|none| fold(none) == "none") => return Ok(None),
        [table @ .., column] if !table.is_empty() => (column, table),
        _ => {
            return Err(Error::new(SqlState::SYNTAX_ERROR, "invalid OWNED BY option")
                .with_hint("Specify OWNED BY table.column or OWNED BY NONE."));
        }
    };
    let column = column.as_ident().map(fold).unwrap_or_default();
    Ok(Some((binder.qualified(&ObjectName(table.to_vec()))?, column)))
}

#[cfg(test)]
mod tests {
    use crate::Database;
    use crate::value::Value;

    fn state_of(sql: &str) -> String {
        let mut session = Database::in_memory().unwrap().session();
        session.execute(sql).unwrap_err().state().0.to_owned()
    }

    #[test]
    fn options_come_in_any_order() {
        let mut session = Database::in_memory().unwrap().session();
        session
            .execute("CREATE SEQUENCE s AS int START WITH 10 NO MAXVALUE INCREMENT 5 CACHE 1 CYCLE")
            .unwrap();
        let rows = session.query("SELECT nextval('s'), nextval('s')", &[]).unwrap();
        assert_eq!(format!("{rows:?}"), format!("{:?}", [vec![Value::Int8(10), Value::Int8(15)]]));
        session.execute("ALTER SEQUENCE IF EXISTS s RESTART WITH 3 INCREMENT BY -1").unwrap_err();
        session.execute("ALTER SEQUENCE s RESTART WITH 3").unwrap();
        let rows = session.query("SELECT nextval('s')", &[]).unwrap();
        assert_eq!(format!("{rows:?}"), format!("{:?}", [vec![Value::Int8(3)]]));
    }

    #[test]
    fn identity_options_come_in_any_order() {
        let mut session = Database::in_memory().unwrap().session();
        session
            .execute(
                "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY (START WITH 5 NO CYCLE CACHE 1 \
                 NO MINVALUE SEQUENCE NAME \"Own\" MAXVALUE 9 INCREMENT BY -2), b int);
                 INSERT INTO t (b) VALUES (1), (2)",
            )
            .unwrap();
        let rows = session.query("SELECT a FROM t ORDER BY b", &[]).unwrap();
        let expected = [vec![Value::Int4(5)], vec![Value::Int4(3)]];
        assert_eq!(format!("{rows:?}"), format!("{expected:?}"));
        session.query("SELECT nextval('\"Own\"')", &[]).unwrap();
        let table = |options: &str| {
            format!("CREATE TABLE u (a int GENERATED ALWAYS AS IDENTITY ({options}))")
        };
        assert_eq!(state_of(&table("START 1 START 2")), "42601");
        assert_eq!(state_of(&table("START 1 nonsense")), "42601");
        let again = session.execute(&table("SEQUENCE NAME \"Own\"")).unwrap_err();
        assert_eq!(again.message(), "relation \"Own\" already exists");
    }

    #[test]
    fn wrong_options_are_refused() {
        assert_eq!(state_of("CREATE SEQUENCE s INCREMENT 1 INCREMENT 2"), "42601");
        assert_eq!(state_of("CREATE SEQUENCE s OWNED BY foo"), "42601");
        assert_eq!(state_of("CREATE SEQUENCE s MAXVALUE 99999999999999999999999"), "22003");
        assert_eq!(state_of("CREATE SEQUENCE s START 1.5"), "22P02");
        assert_eq!(state_of("CREATE SEQUENCE s AS text"), "22023");
        assert_eq!(state_of("CREATE SEQUENCE s AS nosuch"), "42704");
        assert_eq!(state_of("ALTER SEQUENCE s"), "42601");
    }
}
