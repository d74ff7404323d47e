//! ANALYZE, VACUUM, REINDEX, LOCK, DISCARD, CHECKPOINT, SET CONSTRAINTS.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::option::{Choice, Given, perhaps_options, words_in_order};
use super::words::{
    eat, eat_one_of, expect, ident, is_end, is_open, is_word, list, parenthesized, qualified,
    unexpected,
};
use super::{Command, Parsed};
use crate::bind::{BoundStatement, Discard, TableLockMode};

/// A table of ANALYZE or VACUUM.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its name.
    pub table: ObjectName,
    /// Which columns; all when empty.
    pub columns: Vec<Ident>,
}

/// What REINDEX names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReindexKind {
    Index,
    Table,
    Schema,
    /// The database, with its catalogs or these alone.
    Database,
}

/// `ANALYZE`
pub(super) fn analyze(parser: &mut Parser<'_>) -> Parsed {
    parser.advance_token();
    let options = if is_open(parser) {
        perhaps_options(parser)?
    } else {
        words_in_order(parser, &["VERBOSE"])?
    };
    Ok(Command::Analyze { options, targets: targets(parser)? })
}

/// `VACUUM`
pub(super) fn vacuum(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["VACUUM"])?;
    let options = if is_open(parser) {
        perhaps_options(parser)?
    } else {
        words_in_order(parser, &["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"])?
    };
    Ok(Command::Vacuum { options, targets: targets(parser)? })
}

fn targets(parser: &mut Parser<'_>) -> Parsed<Vec<Target>> {
    if is_end(parser) { Ok(Vec::new()) } else { list(parser, target) }
}

fn target(parser: &mut Parser<'_>) -> Parsed<Target> {
    let table = qualified(parser)?;
    let columns = if is_open(parser) { parenthesized(parser, ident)? } else { Vec::new() };
    Ok(Target { table, columns })
}

/// `REINDEX`
pub(super) fn reindex(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["REINDEX"])?;
    let mut options = perhaps_options(parser)?;
    let kind = if eat(parser, &["INDEX"]) {
        ReindexKind::Index
    } else if eat(parser, &["TABLE"]) {
        ReindexKind::Table
    } else if eat(parser, &["SCHEMA"]) {
        ReindexKind::Schema
    } else if eat_one_of(parser, &["DATABASE", "SYSTEM"]) {
        ReindexKind::Database
    } else {
        return unexpected(parser, "TABLE");
    };
    if is_word(parser, 0, "CONCURRENTLY") {
        options.push(Choice::named("concurrently", ident(parser)?, Given::Nothing));
    }
    Ok(Command::Reindex { options, kind, name: qualified(parser)? })
}

/// `LOCK [TABLE] [ONLY] names [IN … MODE] [NOWAIT]`
pub(super) fn lock(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["LOCK"])?;
    eat(parser, &["TABLE"]);
    let tables = list(parser, locked)?;
    let mode = if eat(parser, &["IN"]) { mode(parser)? } else { TableLockMode::AccessExclusive };
    let is_nowait = eat(parser, &["NOWAIT"]);
    Ok(Command::Lock { tables, mode, is_nowait })
}

/// There is no inheritance: ONLY and `*` change nothing.
fn locked(parser: &mut Parser<'_>) -> Parsed<ObjectName> {
    let is_only = eat(parser, &["ONLY"]);
    let has_parens = is_only && parser.consume_token(&Token::LParen);
    let table = qualified(parser)?;
    if has_parens {
        super::words::expect_token(parser, &Token::RParen)?;
    } else if !is_only {
        let _ = parser.consume_token(&Token::Mul);
    }
    Ok(table)
}

fn mode(parser: &mut Parser<'_>) -> Parsed<TableLockMode> {
    let modes: &[(&[&str], TableLockMode)] = &[
        (&["ACCESS", "SHARE", "MODE"], TableLockMode::AccessShare),
        (&["ROW", "SHARE", "MODE"], TableLockMode::RowShare),
        (&["ROW", "EXCLUSIVE", "MODE"], TableLockMode::RowExclusive),
        (&["SHARE", "UPDATE", "EXCLUSIVE", "MODE"], TableLockMode::ShareUpdateExclusive),
        (&["SHARE", "ROW", "EXCLUSIVE", "MODE"], TableLockMode::ShareRowExclusive),
        (&["SHARE", "MODE"], TableLockMode::Share),
        (&["EXCLUSIVE", "MODE"], TableLockMode::Exclusive),
        (&["ACCESS", "EXCLUSIVE", "MODE"], TableLockMode::AccessExclusive),
    ];
    match modes.iter().find(|(words, _)| eat(parser, words)) {
        Some((_, mode)) => Ok(*mode),
        None => unexpected(parser, "lock mode"),
    }
}

/// `DISCARD`
pub(super) fn discard(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["DISCARD"])?;
    let what = if eat(parser, &["ALL"]) {
        Discard::All
    } else if eat(parser, &["PLANS"]) {
        Discard::Plans
    } else if eat(parser, &["SEQUENCES"]) {
        Discard::Sequences
    } else if eat_one_of(parser, &["TEMP", "TEMPORARY"]) {
        Discard::Temporary
    } else {
        return unexpected(parser, "ALL");
    };
    Ok(Command::Plain(BoundStatement::Discard(what)))
}

/// `CHECKPOINT`
pub(super) fn checkpoint(parser: &mut Parser<'_>) -> Parsed {
    expect(parser, &["CHECKPOINT"])?;
    Ok(Command::Plain(BoundStatement::Checkpoint))
}

/// What follows `SET CONSTRAINTS`.
pub(super) fn set_constraints(parser: &mut Parser<'_>) -> Parsed {
    let is_all = eat(parser, &["ALL"]);
    let names = if is_all { Vec::new() } else { list(parser, qualified)? };
    let is_deferred = eat(parser, &["DEFERRED"]);
    if !is_deferred {
        expect(parser, &["IMMEDIATE"])?;
    }
    Ok(Command::SetConstraints { names, is_deferred })
}
