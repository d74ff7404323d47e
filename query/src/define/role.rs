//! Roles: who may connect, and as what.

use super::{DefineContext, Defined};
use crate::bind::ddl::{AlterRole, Grant, RoleOptions};
use crate::catalog::RoleDef;
use crate::error::{Error, Result, SqlState};
use crate::scram;

pub(super) fn create(
    cx: &mut DefineContext<'_>,
    name: &str,
    options: &RoleOptions,
) -> Result<Defined> {
    require_create_role(cx, options)?;
    if name == "public" || name == "none" || name.starts_with("pg_") {
        let message = format!("role name \"{name}\" is reserved");
        return Err(Error::new(SqlState::RESERVED_NAME, message));
    }
    if cx.change.globals.roles.contains_key(name) {
        let message = format!("role \"{name}\" already exists");
        return Err(Error::new(SqlState::DUPLICATE_OBJECT, message));
    }
    let blank = RoleDef {
        oid: cx.store.next_object_id()?,
        name: name.to_owned(),
        is_superuser: false,
        can_login: false,
        can_create_databases: false,
        can_create_roles: false,
        connection_limit: -1,
        password: None,
    };
    let role = with_options(blank, options)?;
    cx.change.put_role(cx.txn, role)?;
    Defined::new("CREATE ROLE")
}

fn require_create_role(cx: &DefineContext<'_>, options: &RoleOptions) -> Result<()> {
    let own = cx.change.globals.roles.get(cx.user);
    let is_superuser = own.is_some_and(|role| role.is_superuser);
    if is_superuser
        || (own.is_some_and(|role| role.can_create_roles) && options.is_superuser != Some(true))
    {
        return Ok(());
    }
    Err(Error::new(SqlState::INSUFFICIENT_PRIVILEGE, "permission denied to create role"))
}

fn with_options(mut role: RoleDef, options: &RoleOptions) -> Result<RoleDef> {
    if !options.in_roles.is_empty() || !options.members.is_empty() {
        return Err(Error::unsupported("role membership"));
    }
    if options.valid_until.is_some() {
        return Err(Error::unsupported("VALID UNTIL"));
    }
    role.is_superuser = options.is_superuser.unwrap_or(role.is_superuser);
    role.can_login = options.can_login.unwrap_or(role.can_login);
    role.can_create_databases = options.can_create_databases.unwrap_or(role.can_create_databases);
    role.can_create_roles = options.can_create_roles.unwrap_or(role.can_create_roles);
    role.connection_limit = options.connection_limit.unwrap_or(role.connection_limit);
    match &options.password {
        Some(Some(password)) if scram::is_verifier(password) => {
            role.password = Some(password.clone());
        }
        Some(Some(password)) => role.password = Some(scram::verifier(password)?),
        Some(None) => role.password = None,
        None => {}
    }
    Ok(role)
}

pub(super) fn alter(cx: &mut DefineContext<'_>, name: &str, action: &AlterRole) -> Result<Defined> {
    let role = cx.change.globals.roles.get(name).cloned().ok_or_else(|| missing(name))?;
    match action {
        AlterRole::Options(options) => {
            let only_password = RoleOptions { password: None, ..options.clone() };
            let is_own_password = name == cx.user
                && options.password.is_some()
                && with_options(role.clone(), &only_password)?.is_same_but_password(&role);
            if !is_own_password {
                require_create_role(cx, options)?;
            }
            let role = with_options(role, options)?;
            cx.change.put_role(cx.txn, role)?;
        }
        AlterRole::Rename(_) => return Err(Error::unsupported("renaming a role")),
        AlterRole::Set { .. } => return Err(Error::unsupported("ALTER ROLE SET")),
    }
    Defined::new("ALTER ROLE")
}

pub(super) fn drop(
    cx: &mut DefineContext<'_>,
    names: &[String],
    if_exists: bool,
) -> Result<Defined> {
    require_create_role(cx, &RoleOptions::default())?;
    for name in names {
        if !cx.change.globals.roles.contains_key(name) {
            if !if_exists {
                return Err(missing(name));
            }
            let message = format!("role \"{name}\" does not exist, skipping");
            cx.notice(SqlState::SUCCESSFUL_COMPLETION, message);
            continue;
        }
        if name == cx.user {
            return Err(Error::new(SqlState::OBJECT_IN_USE, "current user cannot be dropped"));
        }
        check_owns_nothing(cx, name)?;
        cx.change.remove_role(cx.txn, name)?;
    }
    Defined::new("DROP ROLE")
}

fn check_owns_nothing(cx: &DefineContext<'_>, name: &str) -> Result<()> {
    for database in cx.change.globals.databases.values() {
        let catalog = cx.store.current(&database.name);
        let owns_table = catalog
            .as_ref()
            .and_then(|catalog| catalog.tables.values().find(|table| table.owner == name).cloned());
        if database.owner != name && owns_table.is_none() {
            continue;
        }
        let what = match owns_table {
            Some(table) => format!("owner of table {}", table.name),
            None => format!("owner of database {}", database.name),
        };
        let message =
            format!("role \"{name}\" cannot be dropped because some objects depend on it");
        return Err(Error::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).with_detail(what));
    }
    Ok(())
}

/// The role of a name, or 42704.
pub(super) fn existing(cx: &DefineContext<'_>, name: &str) -> Result<String> {
    match name {
        "current_user" | "session_user" | "current_role" => Ok(cx.user.to_owned()),
        _ if cx.change.globals.roles.contains_key(name) => Ok(name.to_owned()),
        _ => Err(missing(name)),
    }
}

fn missing(name: &str) -> Error {
    Error::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"))
}

/// Rights on single objects do not exist yet: owners and superusers may do everything.
pub(super) fn grant(_cx: &DefineContext<'_>, grant: &Grant) -> Result<Defined> {
    let what = if grant.is_revoke { "REVOKE" } else { "GRANT" };
    Err(Error::unsupported(format!("{what} on objects")))
}

/// Role membership does not exist yet.
pub(super) fn grant_role(
    cx: &DefineContext<'_>,
    roles: &[String],
    grantees: &[String],
    is_revoke: bool,
) -> Result<Defined> {
    for name in roles.iter().chain(grantees) {
        existing(cx, name)?;
    }
    Err(Error::unsupported(if is_revoke { "revoking a role" } else { "granting a role" }))
}
