//! What options of EXPLAIN, COPY, VACUUM and their kind say.

use crate::bind::binder::locate;
use crate::error::{Error, Result, SqlState};
use crate::parse::Statement;
use crate::parse::command::session::{Choice, Given};

/// A switch: on when it has no value.
///
/// # Errors
/// 42601 for a value that is no truth value.
pub(super) fn switch(choice: &Choice) -> Result<bool> {
    let word = match &choice.given {
        Given::Nothing => return Ok(true),
        Given::Text(word) => word.to_ascii_lowercase(),
        Given::Star | Given::Names(_) => String::new(),
    };
    match word.as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => {
            let message = format!("{} requires a Boolean value", choice.name);
            Err(Error::new(SqlState::SYNTAX_ERROR, message))
        }
    }
}

/// A text.
///
/// # Errors
/// 42601 when there is none.
pub(super) fn text(choice: &Choice) -> Result<&str> {
    match &choice.given {
        Given::Text(text) => Ok(text),
        Given::Star => Ok("*"),
        Given::Nothing | Given::Names(_) => {
            let message = format!("{} requires a parameter", choice.name);
            Err(Error::new(SqlState::SYNTAX_ERROR, message))
        }
    }
}

/// The error of an option that nobody knows.
pub(super) fn unrecognized(position: Option<usize>, command: &str, choice: &Choice) -> Error {
    let message = format!("unrecognized {command} option \"{}\"", choice.name);
    locate(Error::new(SqlState::SYNTAX_ERROR, message), position)
}

/// Where an option stands.
pub(super) fn position(statement: &Statement, choice: &Choice) -> Option<usize> {
    statement.source.position(choice.written.span.start)
}
