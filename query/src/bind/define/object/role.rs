//! CREATE, ALTER and DROP of ROLE, USER and GROUP.

use sqlparser::ast::Ident;

use super::{conflicting, database, once};
use crate::bind::binder::{Binder, locate};
use crate::bind::ddl::{AlterRole, Ddl, RoleOptions};
use crate::bind::fold;
use crate::error::{Error, Result, SqlState};
use crate::parse::command::define::role::{Action, Command, RoleOption};

pub(super) fn bind(binder: &Binder<'_>, command: &Command) -> Result<Ddl> {
    Ok(match command {
        Command::Create { name, is_user, options } => {
            let mut options = bind_options(binder, options)?;
            let _ = options.can_login.get_or_insert(*is_user);
            Ddl::CreateRole { name: fold(name), options }
        }
        Command::Alter { name, action } => {
            let action = match action {
                Action::Options(options) => AlterRole::Options(bind_options(binder, options)?),
                Action::Rename(name) => AlterRole::Rename(fold(name)),
                Action::Set { database, setting } => AlterRole::Set {
                    database: database.as_ref().map(fold),
                    setting: database::set(setting),
                },
            };
            Ddl::AlterRole { name: fold(name), action }
        }
        Command::AlterGroup { name, is_drop, members } => Ddl::GrantRole {
            roles: vec![fold(name)],
            grantees: folded(members),
            is_revoke: *is_drop,
            with_admin: false,
        },
        Command::Drop { names, if_exists } => {
            Ddl::DropRole { names: folded(names), if_exists: *if_exists }
        }
    })
}

fn folded(names: &[Ident]) -> Vec<String> {
    names.iter().map(fold).collect()
}

fn bind_options(binder: &Binder<'_>, options: &[RoleOption]) -> Result<RoleOptions> {
    let mut bound = RoleOptions::default();
    for option in options {
        bind_option(binder, option, &mut bound)?;
    }
    Ok(bound)
}

fn bind_option(binder: &Binder<'_>, option: &RoleOption, bound: &mut RoleOptions) -> Result<()> {
    match option {
        RoleOption::Flag(word) => {
            bind_flag(&fold(word), bound).map_err(|error| locate(error, binder.at_name(word)))
        }
        RoleOption::Password(password) => once(&mut bound.password, password.clone()),
        RoleOption::ConnectionLimit(text) => {
            let limit = text.parse::<i32>().ok().filter(|limit| *limit >= -1);
            let invalid = || {
                let message = format!("invalid connection limit: {text}");
                Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
            };
            once(&mut bound.connection_limit, limit.ok_or_else(invalid)?)
        }
        RoleOption::ValidUntil(moment) => once(&mut bound.valid_until, moment.clone()),
        RoleOption::In(roles) => add(&mut bound.in_roles, roles),
        RoleOption::Members(roles) => add(&mut bound.members, roles),
        RoleOption::Admins => Err(Error::unsupported("ADMIN of a role")),
        // Postgres ignores it as well.
        RoleOption::SystemId => Ok(()),
    }
}

fn add(names: &mut Vec<String>, more: &[Ident]) -> Result<()> {
    if !names.is_empty() {
        return Err(conflicting());
    }
    names.extend(folded(more));
    Ok(())
}

/// `login` and its like, with or without `no` before it.
fn bind_flag(word: &str, bound: &mut RoleOptions) -> Result<()> {
    let (name, value) = match word.strip_prefix("no") {
        Some(name) => (name, false),
        None => (word, true),
    };
    let slot = match name {
        "superuser" => &mut bound.is_superuser,
        "createdb" => &mut bound.can_create_databases,
        "createrole" => &mut bound.can_create_roles,
        "login" => &mut bound.can_login,
        "inherit" => &mut bound.inherits,
        "replication" => &mut bound.can_replicate,
        "bypassrls" => &mut bound.bypasses_row_security,
        _ => {
            let message = format!("unrecognized role option \"{word}\"");
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
    };
    once(slot, value)
}

#[cfg(test)]
mod tests {
    use crate::{Database, Session};

    fn state_of(session: &mut Session, sql: &str) -> String {
        session.execute(sql).unwrap_err().state().0.to_owned()
    }

    #[test]
    fn roles_come_and_go() {
        let mut session = Database::in_memory().unwrap().session();
        let sql =
            "CREATE ROLE app WITH NOSUPERUSER ENCRYPTED PASSWORD 'x' CONNECTION LIMIT 3 LOGIN";
        assert_eq!(session.execute(sql).unwrap().to_string(), "CREATE ROLE");
        session.execute("CREATE USER other CREATEDB").unwrap();
        session.execute("ALTER USER app PASSWORD NULL").unwrap();
        assert_eq!(state_of(&mut session, "CREATE GROUP app"), "42710");
        session.execute("DROP ROLE app, other").unwrap();
        session.execute("DROP USER IF EXISTS app").unwrap();
        assert_eq!(state_of(&mut session, "DROP ROLE app"), "42704");
    }

    #[test]
    fn wrong_options_are_refused() {
        let mut session = Database::in_memory().unwrap().session();
        assert_eq!(state_of(&mut session, "CREATE ROLE r LOGIN NOLOGIN"), "42601");
        assert_eq!(state_of(&mut session, "CREATE ROLE r CONNECTION LIMIT -2"), "22023");
        let error = session.execute("CREATE ROLE r2 foo").unwrap_err();
        assert_eq!(error.message(), "unrecognized role option \"foo\"");
        assert_eq!(error.fields().position, Some(16));
    }
}
