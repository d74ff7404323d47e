//! The options of COPY.

use super::option;
use crate::bind::binder::locate;
use crate::bind::{CopyFormat, CopyOptions, fold};
use crate::error::{Error, Result, SqlState};
use crate::parse::Statement;
use crate::parse::command::session::{Choice, Given};

/// Reads the options; `columns` are those that are copied.
pub(super) fn bind(
    statement: &Statement,
    choices: &[Choice],
    columns: &[String],
    is_from: bool,
) -> Result<CopyOptions> {
    let mut options = CopyOptions {
        format: CopyFormat::Text,
        delimiter: None,
        null: None,
        has_header: false,
        header_match: false,
        quote: None,
        escape: None,
        force_quote: Vec::new(),
        force_not_null: Vec::new(),
        force_null: Vec::new(),
    };
    for (index, choice) in choices.iter().enumerate() {
        let at = option::position(statement, choice);
        if choices.iter().take(index).any(|earlier| earlier.name == choice.name) {
            let message = "conflicting or redundant options";
            return Err(locate(Error::new(SqlState::SYNTAX_ERROR, message), at));
        }
        apply(&mut options, choice, is_from, at)?;
    }
    check(&options, is_from)?;
    check_columns("FORCE_QUOTE", &options.force_quote, columns)?;
    check_columns("FORCE_NOT_NULL", &options.force_not_null, columns)?;
    check_columns("FORCE_NULL", &options.force_null, columns)?;
    Ok(options)
}

fn apply(
    options: &mut CopyOptions,
    choice: &Choice,
    is_from: bool,
    at: Option<usize>,
) -> Result<()> {
    let located = |error| locate(error, at);
    match choice.name.as_str() {
        "format" => options.format = format(option::text(choice)?).map_err(located)?,
        "freeze" => {
            option::switch(choice)?;
        }
        "delimiter" => options.delimiter = Some(character(choice, "delimiter")?),
        "null" => options.null = Some(option::text(choice)?.to_owned()),
        "header" => {
            options.header_match = is_match(choice, is_from)?;
            options.has_header = options.header_match || header(choice)?;
        }
        "quote" => options.quote = Some(character(choice, "quote")?),
        "escape" => options.escape = Some(character(choice, "escape")?),
        "force_quote" => options.force_quote = names(choice, true).map_err(located)?,
        "force_not_null" => options.force_not_null = names(choice, false).map_err(located)?,
        "force_null" => options.force_null = names(choice, false).map_err(located)?,
        "encoding" => check_encoding(option::text(choice)?)?,
        name => {
            let message = format!("option \"{name}\" not recognized");
            return Err(located(Error::new(SqlState::SYNTAX_ERROR, message)));
        }
    }
    Ok(())
}

fn format(name: &str) -> Result<CopyFormat> {
    match name {
        "text" => Ok(CopyFormat::Text),
        "csv" => Ok(CopyFormat::Csv),
        "binary" => Ok(CopyFormat::Binary),
        _ => {
            let message = format!("COPY format \"{name}\" not recognized");
            Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message))
        }
    }
}

fn character(choice: &Choice, what: &str) -> Result<char> {
    let mut chars = option::text(choice)?.chars();
    match (chars.next(), chars.next()) {
        (Some(character), None) => Ok(character),
        _ => {
            let message = format!("COPY {what} must be a single one-byte character");
            Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message))
        }
    }
}

fn is_match(choice: &Choice, is_from: bool) -> Result<bool> {
    let is_match = matches!(&choice.given, Given::Text(word) if word.eq_ignore_ascii_case("match"));
    if is_match && !is_from {
        let message = "cannot use \"match\" with HEADER in COPY TO";
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    Ok(is_match)
}

fn header(choice: &Choice) -> Result<bool> {
    option::switch(choice).map_err(|_| {
        let message = format!("{} requires a Boolean value or \"match\"", choice.name);
        Error::new(SqlState::SYNTAX_ERROR, message)
    })
}

fn names(choice: &Choice, takes_star: bool) -> Result<Vec<String>> {
    match &choice.given {
        Given::Names(names) => Ok(names.iter().map(fold).collect()),
        Given::Star if takes_star => Ok(vec!["*".to_owned()]),
        _ => {
            let name = &choice.name;
            let message = format!("argument to option \"{name}\" must be a list of column names");
            Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message))
        }
    }
}

/// All text is UTF-8.
fn check_encoding(name: &str) -> Result<()> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_lowercase().as_str() {
        "utf8" | "unicode" | "sqlascii" => Ok(()),
        _ => Err(Error::unsupported(format!("COPY with encoding \"{name}\""))),
    }
}

/// What the format and the direction allow.
fn check(options: &CopyOptions, is_from: bool) -> Result<()> {
    let refuse = |message: String| Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    let is_binary = options.format == CopyFormat::Binary;
    let syntax = |what: &str| {
        let message = format!("cannot specify {what} in BINARY mode");
        Err(Error::new(SqlState::SYNTAX_ERROR, message))
    };
    if is_binary && options.delimiter.is_some() {
        return syntax("DELIMITER");
    }
    if is_binary && options.null.is_some() {
        return syntax("NULL");
    }
    if is_binary && options.has_header {
        return refuse("cannot specify HEADER in BINARY mode".to_owned());
    }
    let forced = [
        ("force quote", &options.force_quote, false),
        ("force not null", &options.force_not_null, true),
        ("force null", &options.force_null, true),
    ];
    for (what, columns, needs_from) in forced {
        if columns.is_empty() {
            continue;
        }
        if options.format != CopyFormat::Csv {
            return refuse(format!("COPY {what} available only in CSV mode"));
        }
        if needs_from != is_from {
            let direction = if needs_from { "FROM" } else { "TO" };
            return refuse(format!("COPY {what} only available using COPY {direction}"));
        }
    }
    Ok(())
}

fn check_columns(option: &str, named: &[String], columns: &[String]) -> Result<()> {
    let missing = named.iter().find(|name| *name != "*" && !columns.contains(name));
    let Some(name) = missing else { return Ok(()) };
    let message = format!("{option} column \"{name}\" not referenced by COPY");
    Err(Error::new(SqlState::INVALID_COLUMN_REFERENCE, message))
}
