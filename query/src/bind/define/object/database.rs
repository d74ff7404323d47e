//! Databases, schemas, extensions.

use sqlparser::ast::Ident;

use super::once;
use crate::bind::SetStatement;
use crate::bind::binder::{Binder, locate};
use crate::bind::ddl::{AlterDatabase, Ddl};
use crate::bind::fold;
use crate::error::{Error, Result, SqlState};
use crate::parse::command::define::Setting;
use crate::parse::command::define::database::{Action, Command};

pub(super) fn bind(binder: &Binder<'_>, command: &Command) -> Result<Ddl> {
    Ok(match command {
        Command::Create { name, options } => create(binder, name, options)?,
        Command::Alter { name, action } => {
            Ddl::AlterDatabase { name: fold(name), action: alter(action)? }
        }
        Command::Drop { name, if_exists, is_forced } => {
            Ddl::DropDatabase { name: fold(name), if_exists: *if_exists, is_forced: *is_forced }
        }
        Command::CreateSchema { name, if_not_exists, owner } => Ddl::CreateSchema {
            name: name.as_ref().or(owner.as_ref()).map(fold).unwrap_or_default(),
            if_not_exists: *if_not_exists,
            owner: owner.as_ref().map(fold),
        },
        Command::AlterSchema { name, change: (is_rename, new) } => Ddl::AlterSchema {
            name: fold(name),
            rename: is_rename.then(|| fold(new)),
            owner: (!is_rename).then(|| fold(new)),
        },
        Command::CreateExtension { name, if_not_exists, schema } => Ddl::CreateExtension {
            name: fold(name),
            if_not_exists: *if_not_exists,
            schema: schema.as_ref().map(fold),
        },
        Command::DropExtension { names, if_exists, cascade } => Ddl::DropExtension {
            names: names.iter().map(fold).collect(),
            if_exists: *if_exists,
            cascade: *cascade,
        },
        Command::AlterExtension => return Err(Error::unsupported("ALTER EXTENSION")),
    })
}

fn create(binder: &Binder<'_>, name: &Ident, options: &[(Ident, Option<String>)]) -> Result<Ddl> {
    let (mut owner, mut template, mut seen) = (None, None, Vec::new());
    for (option, value) in options {
        let at = binder.at_name(option);
        let word = option.value.to_lowercase();
        if seen.contains(&word) {
            return Err(locate(super::conflicting(), at));
        }
        match (word.as_str(), value) {
            ("owner", Some(name)) => once(&mut owner, name.clone())?,
            ("template", Some(name)) => once(&mut template, name.clone())?,
            ("encoding", Some(encoding)) => check_encoding(encoding)?,
            (word, _) if is_option(word) => {}
            _ => {
                let message = format!("option \"{word}\" not recognized");
                return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), at));
            }
        }
        seen.push(word);
    }
    Ok(Ddl::CreateDatabase { name: fold(name), owner, template })
}

/// There is one encoding.
fn check_encoding(name: &str) -> Result<()> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if ["utf8", "unicode", "6"].contains(&plain.to_lowercase().as_str()) {
        return Ok(());
    }
    let message = format!("encoding \"{name}\" does not match locale \"C.UTF-8\"");
    Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
        .with_detail("The chosen LC_CTYPE setting requires encoding \"UTF8\"."))
}

/// Options that change nothing here: there is one locale and one place for data.
fn is_option(word: &str) -> bool {
    const OPTIONS: [&str; 15] = [
        "allow_connections",
        "collation_version",
        "connection",
        "encoding",
        "icu_locale",
        "is_template",
        "lc_collate",
        "lc_ctype",
        "locale",
        "locale_provider",
        "oid",
        "owner",
        "strategy",
        "tablespace",
        "template",
    ];
    OPTIONS.contains(&word)
}

fn alter(action: &Action) -> Result<AlterDatabase> {
    match action {
        Action::Rename(name) => Ok(AlterDatabase::Rename(fold(name))),
        Action::Owner(name) => Ok(AlterDatabase::Owner(fold(name))),
        Action::Set(setting) => Ok(AlterDatabase::Set(set(setting))),
        Action::Other => Err(Error::unsupported("ALTER DATABASE of connections and storage")),
    }
}

/// A setting as SET has it.
pub(super) fn set(setting: &Setting) -> SetStatement {
    let values = setting.values.clone().unwrap_or_default();
    SetStatement {
        name: setting.name.to_lowercase(),
        value: setting.values.as_ref().map(|values| values.join(", ")),
        values,
        is_local: false,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Database, Session};

    fn session() -> Session {
        Database::in_memory().unwrap().session()
    }

    fn state_of(session: &mut Session, sql: &str) -> String {
        session.execute(sql).unwrap_err().state().0.to_owned()
    }

    #[test]
    fn databases_come_and_go() {
        let mut session = session();
        let sql = "CREATE DATABASE shop WITH OWNER = cairn ENCODING 'UTF8' LC_COLLATE = 'C' \
                   TEMPLATE template0 CONNECTION LIMIT -1";
        assert_eq!(session.execute(sql).unwrap().to_string(), "CREATE DATABASE");
        assert_eq!(state_of(&mut session, "CREATE DATABASE shop"), "42P04");
        session.execute("DROP DATABASE shop WITH (FORCE)").unwrap();
        assert_eq!(state_of(&mut session, "DROP DATABASE shop"), "3D000");
        session.execute("DROP DATABASE IF EXISTS shop").unwrap();
    }

    #[test]
    fn unknown_options_are_refused() {
        let mut session = session();
        assert_eq!(state_of(&mut session, "CREATE DATABASE q foo 3"), "42601");
        assert_eq!(state_of(&mut session, "CREATE DATABASE q OWNER a OWNER b"), "42601");
        assert_eq!(state_of(&mut session, "CREATE DATABASE q ENCODING 'LATIN1'"), "22023");
    }

    #[test]
    fn schemas_and_extensions() {
        let mut session = session();
        session.execute("CREATE SCHEMA app").unwrap();
        session.execute("CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION cairn").unwrap();
        session.execute("CREATE SCHEMA AUTHORIZATION cairn").unwrap();
        assert_eq!(state_of(&mut session, "CREATE SCHEMA cairn"), "42P06");
        session.execute("ALTER SCHEMA app OWNER TO cairn").unwrap();
        session.execute("CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA public").unwrap();
        session.execute("CREATE EXTENSION postgis CASCADE").unwrap();
        assert_eq!(state_of(&mut session, "CREATE EXTENSION foo"), "0A000");
        assert_eq!(state_of(&mut session, "DROP EXTENSION foo"), "42704");
    }

    #[test]
    fn what_is_not_here_says_so() {
        let mut session = session();
        let function = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN END'";
        let trigger = "CREATE TRIGGER t AFTER INSERT ON u EXECUTE FUNCTION f()";
        for (sql, what) in [(function, "LANGUAGE plpgsql"), (trigger, "CREATE TRIGGER")] {
            let error = session.execute(sql).unwrap_err();
            assert_eq!(error.state().0, "0A000");
            assert_eq!(error.message(), format!("{what} is not supported"));
        }
    }
}
