//! SET, RESET, SHOW.

use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::words::{
    eat, expect, ident, is_end, is_string, is_word, list, name, string, unexpected, value,
};
use super::{Command, Parsed, maintenance, stored, transaction};
use crate::bind::BoundStatement;

/// `SET`
pub(super) fn set(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["SET"])?;
    if eat(parser, &["TRANSACTION"]) {
        return transaction::set_modes(parser);
    }
    if eat(parser, &["SESSION", "CHARACTERISTICS", "AS", "TRANSACTION"]) {
        return transaction::set_session_modes(parser);
    }
    if eat(parser, &["CONSTRAINTS"]) {
        return maintenance::set_constraints(parser);
    }
    let is_local = eat(parser, &["LOCAL"]);
    if !is_local && !is_word(parser, 1, "AUTHORIZATION") {
        eat(parser, &["SESSION"]);
    }
    set_value(parser, is_local)
}

fn set_value(parser: &mut Parser<'_>, is_local: bool) -> Parsed {
    let set = |name: &str, values| Command::Set { name: name.to_owned(), values, is_local };
    if eat(parser, &["TIME", "ZONE"]) {
        return Ok(set("timezone", time_zone(parser)?));
    }
    if eat(parser, &["SESSION", "AUTHORIZATION"]) {
        return Ok(set_role(role(parser, "DEFAULT")?, is_local, true));
    }
    if is_word(parser, 0, "ROLE") && !is_assignment(parser, 1) {
        parser.advance_token();
        return Ok(set_role(role(parser, "NONE")?, is_local, false));
    }
    if is_word(parser, 0, "SCHEMA") && !is_assignment(parser, 1) {
        parser.advance_token();
        return Ok(set("search_path", Some(vec![string(parser)?])));
    }
    if is_word(parser, 0, "NAMES") && !is_assignment(parser, 1) {
        parser.advance_token();
        let is_default = is_end(parser) || eat(parser, &["DEFAULT"]);
        let encoding = if is_default { None } else { Some(vec![value(parser)?]) };
        return Ok(set("client_encoding", encoding));
    }
    if eat(parser, &["XML", "OPTION"]) {
        return Ok(set("xmloption", Some(vec![name(parser)?])));
    }
    assignment(parser, is_local)
}

/// `name = values`, `name TO values`
fn assignment(parser: &mut Parser<'_>, is_local: bool) -> Parsed {
    let name = setting_name(parser)?;
    if !parser.consume_token(&Token::Eq) {
        expect(parser, &["TO"])?;
    }
    let is_default = eat(parser, &["DEFAULT"]);
    let values = if is_default { None } else { Some(list(parser, value)?) };
    Ok(match (name.as_str(), values) {
        ("role", None) => set_role(None, is_local, false),
        ("role", Some(mut role)) if role.len() == 1 => {
            set_role(role.pop().filter(|role| role != "none"), is_local, false)
        }
        (_, values) => Command::Set { name, values, is_local },
    })
}

fn is_assignment(parser: &Parser<'_>, ahead: usize) -> bool {
    parser.peek_nth_token_ref(ahead).token == Token::Eq || is_word(parser, ahead, "TO")
}

/// The name of a setting; those of applications have a prefix.
fn setting_name(parser: &mut Parser<'_>) -> Parsed<String> {
    let mut full = stored(&ident(parser)?);
    while parser.consume_token(&Token::Period) {
        full = format!("{full}.{}", name(parser)?);
    }
    Ok(full.to_lowercase())
}

/// A time zone: a name, hours from UTC, an interval; `None` is the one that the session began
/// with.
fn time_zone(parser: &mut Parser<'_>) -> Parsed<Option<Vec<String>>> {
    if eat(parser, &["DEFAULT"]) || eat(parser, &["LOCAL"]) {
        return Ok(None);
    }
    if eat(parser, &["INTERVAL"]) {
        let offset = string(parser)?;
        if eat(parser, &["HOUR"]) && eat(parser, &["TO"]) {
            expect(parser, &["MINUTE"])?;
        }
        return Ok(Some(vec![offset]));
    }
    Ok(Some(vec![value(parser)?]))
}

/// A role; `None` for the word that means none.
fn role(parser: &mut Parser<'_>, none: &str) -> Parsed<Option<String>> {
    if eat(parser, &[none]) {
        return Ok(None);
    }
    let role = if is_string(parser) { string(parser)? } else { name(parser)? };
    // As in Postgres, the word counts inside quotes too.
    Ok((none != "NONE" || role != "none").then_some(role))
}

fn set_role(role: Option<String>, is_local: bool, is_authorization: bool) -> Command {
    Command::Plain(BoundStatement::SetRole { role, is_local, is_authorization })
}

/// `RESET`
pub(super) fn reset(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["RESET"])?;
    if eat(parser, &["SESSION", "AUTHORIZATION"]) {
        let name = "session_authorization".to_owned();
        return Ok(Command::Plain(BoundStatement::Reset(Some(name))));
    }
    let name = named(parser)?;
    Ok(match name.as_str() {
        "all" => Command::Plain(BoundStatement::Reset(None)),
        _ => Command::Plain(BoundStatement::Reset(Some(name))),
    })
}

/// `SHOW`
pub(super) fn show(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["SHOW"])?;
    if eat(parser, &["SESSION", "AUTHORIZATION"]) {
        return Ok(Command::Plain(BoundStatement::Show("session_authorization".to_owned())));
    }
    Ok(Command::Plain(BoundStatement::Show(named(parser)?)))
}

/// The setting that RESET or SHOW names; some have names in words.
fn named(parser: &mut Parser<'_>) -> Parsed<String> {
    if is_end(parser) {
        return unexpected(parser, "name");
    }
    if eat(parser, &["TIME", "ZONE"]) {
        return Ok("timezone".to_owned());
    }
    if eat(parser, &["TRANSACTION", "ISOLATION", "LEVEL"]) {
        return Ok("transaction_isolation".to_owned());
    }
    setting_name(parser)
}
