//! BEGIN, COMMIT, ROLLBACK, savepoints, transaction modes.

use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::words::{eat, eat_one_of, expect, is_end, name, string, unexpected};
use super::{Command, Parsed, refuse};
use crate::bind::{BoundStatement, IsolationLevel, Transaction, TransactionModes};

/// `BEGIN`, `START TRANSACTION`
pub(super) fn begin(parser: &mut Parser<'_>) -> Parsed {
    if eat(parser, &["START"]) {
        expect(parser, &["TRANSACTION"])?;
    } else {
        expect(parser, &["BEGIN"])?;
        eat_block_word(parser);
    }
    let modes = if is_end(parser) { TransactionModes::default() } else { modes(parser)? };
    Ok(control(Transaction::Begin(modes)))
}

/// `COMMIT`, `END`
pub(super) fn commit(parser: &mut Parser<'_>) -> Parsed {
    parser.advance_token();
    if eat(parser, &["PREPARED"]) {
        return Ok(refuse(parser, PREPARED));
    }
    eat_block_word(parser);
    Ok(control(Transaction::Commit { is_chain: chain(parser)? }))
}

/// `ROLLBACK`, `ABORT`, `ROLLBACK TO`
pub(super) fn rollback(parser: &mut Parser<'_>) -> Parsed {
    let is_rollback = eat(parser, &["ROLLBACK"]);
    if !is_rollback {
        expect(parser, &["ABORT"])?;
    }
    if is_rollback && eat(parser, &["PREPARED"]) {
        return Ok(refuse(parser, PREPARED));
    }
    eat_block_word(parser);
    if is_rollback && eat(parser, &["TO"]) {
        return Ok(control(Transaction::RollbackTo(savepoint_name(parser)?)));
    }
    Ok(control(Transaction::Rollback { is_chain: chain(parser)? }))
}

/// What two-phase commit is called when it is refused.
pub(super) const PREPARED: &str = "two-phase commit";

/// `SAVEPOINT`
pub(super) fn savepoint(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["SAVEPOINT"])?;
    Ok(control(Transaction::Savepoint(name(parser)?)))
}

/// `RELEASE [SAVEPOINT]`
pub(super) fn release(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["RELEASE"])?;
    Ok(control(Transaction::Release(savepoint_name(parser)?)))
}

/// What follows `SET TRANSACTION`.
pub(super) fn set_modes(parser: &mut Parser<'_>) -> Parsed {
    if eat(parser, &["SNAPSHOT"]) {
        return Ok(control(Transaction::SetSnapshot(string(parser)?)));
    }
    Ok(control(Transaction::SetModes(modes(parser)?)))
}

/// What follows `SET SESSION CHARACTERISTICS AS TRANSACTION`.
pub(super) fn set_session_modes(parser: &mut Parser<'_>) -> Parsed {
    Ok(control(Transaction::SetSessionModes(modes(parser)?)))
}

fn control(transaction: Transaction) -> Command {
    Command::Plain(BoundStatement::Transaction(transaction))
}

fn eat_block_word(parser: &mut Parser<'_>) {
    eat_one_of(parser, &["WORK", "TRANSACTION"]);
}

/// The word SAVEPOINT may be left out.
fn savepoint_name(parser: &mut Parser<'_>) -> Parsed<String> {
    let first = name(parser)?;
    if first == "savepoint" && !is_end(parser) { name(parser) } else { Ok(first) }
}

/// `AND [NO] CHAIN`
fn chain(parser: &mut Parser<'_>) -> Parsed<bool> {
    if !eat(parser, &["AND"]) {
        return Ok(false);
    }
    let is_chain = !eat(parser, &["NO"]);
    expect(parser, &["CHAIN"])?;
    Ok(is_chain)
}

/// One or more modes; commas between them may be left out.
fn modes(parser: &mut Parser<'_>) -> Parsed<TransactionModes> {
    let mut modes = TransactionModes::default();
    loop {
        mode(parser, &mut modes)?;
        let is_comma = parser.consume_token(&Token::Comma);
        if !is_comma && is_end(parser) {
            return Ok(modes);
        }
    }
}

fn mode(parser: &mut Parser<'_>, modes: &mut TransactionModes) -> Parsed<()> {
    if eat(parser, &["ISOLATION"]) {
        expect(parser, &["LEVEL"])?;
        modes.isolation = Some(isolation(parser)?);
    } else if eat(parser, &["READ", "ONLY"]) {
        modes.is_read_only = Some(true);
    } else if eat(parser, &["READ", "WRITE"]) {
        modes.is_read_only = Some(false);
    } else if eat(parser, &["DEFERRABLE"]) {
        modes.is_deferrable = Some(true);
    } else if eat(parser, &["NOT", "DEFERRABLE"]) {
        modes.is_deferrable = Some(false);
    } else {
        return unexpected(parser, "transaction mode");
    }
    Ok(())
}

fn isolation(parser: &mut Parser<'_>) -> Parsed<IsolationLevel> {
    if eat(parser, &["READ", "UNCOMMITTED"]) {
        Ok(IsolationLevel::ReadUncommitted)
    } else if eat(parser, &["READ", "COMMITTED"]) {
        Ok(IsolationLevel::ReadCommitted)
    } else if eat(parser, &["REPEATABLE", "READ"]) {
        Ok(IsolationLevel::RepeatableRead)
    } else if eat(parser, &["SERIALIZABLE"]) {
        Ok(IsolationLevel::Serializable)
    } else {
        unexpected(parser, "isolation level")
    }
}
