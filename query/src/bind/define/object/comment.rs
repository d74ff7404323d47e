//! COMMENT ON.

use sqlparser::ast::ObjectName;

use crate::bind::binder::Binder;
use crate::bind::ddl::{Ddl, ObjectKind, QualifiedName};
use crate::bind::fold;
use crate::error::{Error, Result, SqlState};
use crate::parse::command::define::comment::Command;

pub(super) fn bind(binder: &Binder<'_>, command: &Command) -> Result<Ddl> {
    let kind = kind(&command.kind)?;
    let (name, part) = match kind {
        ObjectKind::Column => column(binder, &command.name)?,
        _ => (binder.qualified(&command.name)?, command.part.as_ref().map(fold)),
    };
    Ok(Ddl::Comment { kind, name, part, text: command.text.clone() })
}

/// A column's name is its table's with one part more.
fn column(binder: &Binder<'_>, name: &ObjectName) -> Result<(QualifiedName, Option<String>)> {
    match name.0.as_slice() {
        [table @ .., column] if !table.is_empty() => {
            let table = binder.qualified(&ObjectName(table.to_vec()))?;
            Ok((table, column.as_ident().map(fold)))
        }
        _ => Err(Error::new(SqlState::SYNTAX_ERROR, "column name must be qualified")),
    }
}

fn kind(written: &str) -> Result<ObjectKind> {
    Ok(match written {
        "TABLE" => ObjectKind::Table,
        "VIEW" => ObjectKind::View,
        "MATERIALIZED VIEW" => ObjectKind::MaterializedView,
        "INDEX" => ObjectKind::Index,
        "SEQUENCE" => ObjectKind::Sequence,
        "SCHEMA" => ObjectKind::Schema,
        "TYPE" => ObjectKind::Type,
        "DOMAIN" => ObjectKind::Domain,
        "COLUMN" => ObjectKind::Column,
        "CONSTRAINT" => ObjectKind::Constraint,
        "DATABASE" => ObjectKind::Database,
        "ROLE" => ObjectKind::Role,
        "EXTENSION" => ObjectKind::Extension,
        "FUNCTION" | "PROCEDURE" | "ROUTINE" => ObjectKind::Function,
        other => return Err(Error::unsupported(format!("COMMENT ON {other}"))),
    })
}

#[cfg(test)]
mod tests {
    use crate::{Database, Session};

    fn state_of(session: &mut Session, sql: &str) -> String {
        session.execute(sql).unwrap_err().state().0.to_owned()
    }

    #[test]
    fn anything_takes_a_comment() {
        let mut session = Database::in_memory().unwrap().session();
        session.execute("CREATE TABLE t AS SELECT 1 AS a").unwrap();
        session.execute("CREATE TYPE mood AS ENUM ('ok')").unwrap();
        for target in ["TABLE t", "COLUMN public.t.a", "COLUMN t.a", "TYPE mood", "SCHEMA public"] {
            let tag = session.execute(&format!("COMMENT ON {target} IS 'it''s'")).unwrap();
            assert_eq!(tag.to_string(), "COMMENT");
            session.execute(&format!("COMMENT ON {target} IS NULL")).unwrap();
        }
    }

    #[test]
    fn wrong_comments_are_refused() {
        let mut session = Database::in_memory().unwrap().session();
        assert_eq!(state_of(&mut session, "COMMENT ON COLUMN a IS 'x'"), "42601");
        assert_eq!(state_of(&mut session, "COMMENT ON TABLE nosuch IS 'x'"), "42P01");
        assert_eq!(state_of(&mut session, "COMMENT ON TABLE t IS 3"), "42601");
        assert_eq!(state_of(&mut session, "COMMENT ON TRIGGER g ON t IS 'x'"), "0A000");
    }
}
