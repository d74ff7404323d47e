//! Roles: `pg_authid`, and the views over it that hide passwords.

use super::cell::{NULL, row};
use super::reader::Reader;
use super::{PG_CATALOG, SystemCatalog};
use crate::catalog::RoleDef;
use crate::error::Result;
use crate::plan::Row;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: OID,
        schema: PG_CATALOG,
        name: "pg_authid",
        columns: "oid oid, rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, \
        rolcreatedb bool, rolcanlogin bool, rolreplication bool, rolbypassrls bool, \
        rolconnlimit int4, rolpassword text, rolvaliduntil timestamptz",
        rows: identities,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_roles",
        columns: "rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, \
        rolcanlogin bool, rolreplication bool, rolconnlimit int4, rolpassword text, \
        rolvaliduntil timestamptz, rolbypassrls bool, rolconfig text[], oid oid",
        rows: roles,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_user",
        columns: "usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, \
        usebypassrls bool, passwd text, valuntil timestamptz, useconfig text[]",
        rows: users,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_shadow",
        columns: "usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, \
        usebypassrls bool, passwd text, valuntil timestamptz, useconfig text[]",
        rows: shadows,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_group",
        columns: "groname name, grosysid oid, grolist oid[]",
        rows: groups,
    },
];

/// The OID of `pg_authid`.
pub(super) const OID: u32 = 1260;
/// What stands for a password where it must not be seen.
const HIDDEN: &str = "********";

/// A verifier is shown to superusers only, as Postgres lets nobody else read `pg_authid`.
fn password(reader: &Reader<'_>, role: &RoleDef) -> Option<String> {
    let user = reader.globals.roles.get(&*reader.cx.statement.user);
    let may_see = user.is_some_and(|user| user.is_superuser);
    role.password.clone().map(|verifier| if may_see { verifier } else { HIDDEN.to_owned() })
}

fn identities(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let row = |role: &RoleDef| {
        row![
            role.oid,
            &role.name,
            role.is_superuser,
            true,
            role.can_create_roles,
            role.can_create_databases,
            role.can_login,
            role.is_superuser,
            role.is_superuser,
            role.connection_limit,
            password(reader, role),
            NULL
        ]
    };
    Ok(reader.globals.roles.values().map(row).collect())
}

fn roles(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let row = |role: &RoleDef| {
        row![
            &role.name,
            role.is_superuser,
            true,
            role.can_create_roles,
            role.can_create_databases,
            role.can_login,
            role.is_superuser,
            role.connection_limit,
            HIDDEN,
            NULL,
            role.is_superuser,
            NULL,
            role.oid
        ]
    };
    Ok(reader.globals.roles.values().map(row).collect())
}

fn user(role: &RoleDef, password: Option<String>) -> Row {
    row![
        &role.name,
        role.oid,
        role.can_create_databases,
        role.is_superuser,
        role.is_superuser,
        role.is_superuser,
        password,
        NULL,
        NULL
    ]
}

fn users(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let users = reader.globals.roles.values().filter(|role| role.can_login);
    Ok(users.map(|role| user(role, Some(HIDDEN.to_owned()))).collect())
}

fn shadows(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let users = reader.globals.roles.values().filter(|role| role.can_login);
    Ok(users.map(|role| user(role, password(reader, role))).collect())
}

fn groups(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let groups = reader.globals.roles.values().filter(|role| !role.can_login);
    let none = || crate::value::Value::array(crate::value::Type::Oid, Vec::new());
    Ok(groups.map(|role| row![&role.name, role.oid, none()]).collect())
}
