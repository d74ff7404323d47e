//! GRANT and REVOKE, of rights on objects and of roles.

use sqlparser::ast::Ident;

use crate::bind::binder::Binder;
use crate::bind::ddl::{Ddl, Grant, ObjectKind, QualifiedName};
use crate::bind::fold;
use crate::error::{Error, Result, SqlState};
use crate::parse::command::define::grant::{Command, Objects};

pub(super) fn bind(binder: &Binder<'_>, command: &Command) -> Result<Ddl> {
    match &command.on {
        Some(objects) => bind_rights(binder, command, objects),
        None => bind_roles(command),
    }
}

fn bind_roles(command: &Command) -> Result<Ddl> {
    if command.what.iter().any(|(_, columns)| !columns.is_empty()) {
        let message = "column names cannot be included in GRANT/REVOKE ROLE";
        return Err(Error::new(SqlState::INVALID_GRANT_OPERATION, message));
    }
    if command.what.is_empty() {
        return Err(Error::new(SqlState::SYNTAX_ERROR, "ALL PRIVILEGES are on an object"));
    }
    Ok(Ddl::GrantRole {
        roles: command.what.iter().map(|(role, _)| fold(role)).collect(),
        grantees: command.grantees.iter().map(fold).collect(),
        is_revoke: command.is_revoke,
        with_admin: command.with_option,
    })
}

fn bind_rights(binder: &Binder<'_>, command: &Command, objects: &Objects) -> Result<Ddl> {
    let kind = kind(objects)?;
    let rights = command.what.iter().map(|(right, columns)| right_on(objects.kind, right, columns));
    let names = objects.names.iter().map(|name| binder.qualified(name));
    Ok(Ddl::Grant(Grant {
        is_revoke: command.is_revoke,
        privileges: rights.collect::<Result<Vec<_>>>()?,
        kind,
        is_all_in_schema: objects.is_all_in_schema,
        objects: names.collect::<Result<Vec<QualifiedName>>>()?,
        grantees: command.grantees.iter().map(fold).collect(),
        with_grant_option: command.with_option,
        cascade: command.cascade,
    }))
}

fn kind(objects: &Objects) -> Result<ObjectKind> {
    Ok(match objects.kind {
        "TABLE" => ObjectKind::Table,
        "SEQUENCE" => ObjectKind::Sequence,
        "DATABASE" => ObjectKind::Database,
        "SCHEMA" => ObjectKind::Schema,
        "TYPE" => ObjectKind::Type,
        "DOMAIN" => ObjectKind::Domain,
        "FUNCTION" => ObjectKind::Function,
        other => return Err(Error::unsupported(format!("GRANT and REVOKE on {other}"))),
    })
}

/// The right in capitals, if there is such a one on this kind of object.
fn right_on(kind: &str, right: &Ident, columns: &[Ident]) -> Result<(String, Vec<String>)> {
    const RIGHTS: [&str; 13] = [
        "CONNECT",
        "CREATE",
        "DELETE",
        "EXECUTE",
        "INSERT",
        "REFERENCES",
        "SELECT",
        "TEMP",
        "TEMPORARY",
        "TRIGGER",
        "TRUNCATE",
        "UPDATE",
        "USAGE",
    ];
    let name = fold(right).to_uppercase();
    if !RIGHTS.contains(&name.as_str()) {
        let message = format!("unrecognized privilege type \"{}\"", fold(right));
        return Err(Error::new(SqlState::SYNTAX_ERROR, message));
    }
    if !rights_of(kind).contains(&name.as_str()) {
        let message = format!("invalid privilege type {name} for {}", kind.to_lowercase());
        return Err(Error::new(SqlState::INVALID_GRANT_OPERATION, message));
    }
    Ok((name, columns.iter().map(fold).collect()))
}

fn rights_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "TABLE" => &["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"],
        "SEQUENCE" => &["USAGE", "SELECT", "UPDATE"],
        "DATABASE" => &["CREATE", "CONNECT", "TEMPORARY", "TEMP"],
        "SCHEMA" => &["CREATE", "USAGE"],
        "FUNCTION" => &["EXECUTE"],
        _ => &["USAGE"],
    }
}

#[cfg(test)]
mod tests {
    use crate::Database;
    use crate::bind::BoundStatement;
    use crate::bind::ddl::{Ddl, ObjectKind};

    /// What a statement says.
    fn bind(sql: &str) -> Result<Ddl, String> {
        let database = Database::in_memory().unwrap();
        let mut session = database.connect("cairn", "cairn").unwrap();
        let prepared = session.prepare(sql, &[]);
        match prepared.map_err(|error| error.state().0.to_owned())?.bound() {
            Some(BoundStatement::Define(ddl)) => Ok((**ddl).clone()),
            _ => panic!("{sql} is no GRANT"),
        }
    }

    #[test]
    fn rights_on_objects() {
        let sql = "GRANT SELECT, UPDATE (a, b) ON TABLE app.t, u TO PUBLIC WITH GRANT OPTION";
        let Ok(Ddl::Grant(grant)) = bind(sql) else { panic!("no rights") };
        assert_eq!(grant.privileges[1].0, "UPDATE");
        assert_eq!(grant.privileges[1].1, ["a", "b"]);
        assert_eq!(grant.objects[0].to_string(), "app.t");
        assert_eq!(grant.grantees, ["public"]);
        assert!(grant.with_grant_option && !grant.is_revoke);
        let sql = "REVOKE ALL PRIVILEGES ON ALL SEQUENCES IN SCHEMA app FROM GROUP g CASCADE";
        let Ok(Ddl::Grant(grant)) = bind(sql) else { panic!("no rights") };
        assert_eq!(grant.kind, ObjectKind::Sequence);
        assert!(grant.is_all_in_schema && grant.is_revoke && grant.cascade);
        assert!(grant.privileges.is_empty());
    }

    #[test]
    fn roles_are_granted() {
        let Ok(Ddl::GrantRole { roles, grantees, with_admin, .. }) =
            bind("GRANT a, b TO c, d WITH ADMIN OPTION")
        else {
            panic!("no roles")
        };
        assert_eq!((roles, grantees), (vec!["a".into(), "b".into()], vec!["c".into(), "d".into()]));
        assert!(with_admin);
    }

    #[test]
    fn wrong_rights_are_refused() {
        assert_eq!(bind("GRANT foo ON t TO r").unwrap_err(), "42601");
        assert_eq!(bind("GRANT USAGE ON t TO r").unwrap_err(), "0LP01");
        assert_eq!(bind("GRANT SELECT (a) TO r").unwrap_err(), "0LP01");
        assert_eq!(bind("GRANT USAGE ON LANGUAGE sql TO r").unwrap_err(), "0A000");
        assert_eq!(bind("GRANT SELECT ON t FROM r").unwrap_err(), "42601");
    }
}
