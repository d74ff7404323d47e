//! SET: several values become one text.

use crate::bind::{BoundStatement, SetStatement};
use crate::error::{Error, Result, SqlState};
use crate::identifier::quote_identifier;

/// Settings that are lists of names; the names are quoted where they have to be.
const NAME_LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];
/// Settings that are lists of other things.
const LISTS: &[&str] = &["datestyle", "log_destination", "wal_consistency_checking"];

/// `SET`
pub(super) fn bind_set(
    name: &str,
    values: Option<&[String]>,
    is_local: bool,
) -> Result<BoundStatement> {
    let value = values.map(|values| joined(name, values)).transpose()?;
    let values = values.unwrap_or_default().to_vec();
    Ok(BoundStatement::Set(SetStatement { name: name.to_owned(), value, values, is_local }))
}

fn joined(name: &str, values: &[String]) -> Result<String> {
    if NAME_LISTS.contains(&name) {
        let names: Vec<String> = values.iter().map(|value| quote_identifier(value)).collect();
        return Ok(names.join(", "));
    }
    if values.len() > 1 && !LISTS.contains(&name) {
        let message = format!("SET {name} takes only one argument");
        return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    Ok(values.join(", "))
}
