//! Statements about the session and the upkeep of the database.
//!
//! `sqlparser` reads many of them into less than they say, and some not at all, so that all of
//! them have their grammar here. What names nothing that has to be looked up is finished at once:
//! [`Command::Plain`].

use std::sync::Arc;

use sqlparser::ast::{DataType, Expr, Ident, ObjectName};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Location;

use self::words::{is_end, is_word};
use crate::bind::{BoundStatement, TableLockMode};
use crate::parse::Syntax;

mod copy;
mod cursor;
mod explain;
mod maintenance;
mod notify;
mod option;
mod prepared;
mod setting;
mod transaction;
mod words;

pub(crate) use copy::{Copy, CopyObject};
pub(crate) use cursor::Declare;
pub(crate) use maintenance::{ReindexKind, Target};
pub(crate) use option::{Choice, Given};

/// Such a statement.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// It says everything itself.
    Plain(BoundStatement),
    /// `SET name = values`; `None` is DEFAULT.
    Set {
        /// The setting, in lower case.
        name: String,
        /// The values.
        values: Option<Vec<String>>,
        /// `LOCAL`
        is_local: bool,
    },
    /// `EXPLAIN`
    Explain {
        /// The options.
        options: Vec<Choice>,
        /// What is explained.
        inner: Arc<Syntax>,
    },
    /// `COPY`
    Copy(Box<Copy>),
    /// `PREPARE`
    Prepare {
        /// Its name.
        name: String,
        /// The declared types of the parameters.
        types: Vec<DataType>,
        /// The statement.
        inner: Arc<Syntax>,
        /// Where the statement begins.
        start: Location,
    },
    /// `EXECUTE`
    Execute {
        /// The prepared statement.
        name: String,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// `DECLARE … CURSOR`
    Declare(Box<Declare>),
    /// `LOCK TABLE`
    Lock {
        /// The tables.
        tables: Vec<ObjectName>,
        /// How.
        mode: TableLockMode,
        /// `NOWAIT`
        is_nowait: bool,
    },
    /// `ANALYZE`
    Analyze {
        /// The options.
        options: Vec<Choice>,
        /// Of which tables.
        targets: Vec<Target>,
    },
    /// `VACUUM`
    Vacuum {
        /// The options.
        options: Vec<Choice>,
        /// Which tables.
        targets: Vec<Target>,
    },
    /// `REINDEX`
    Reindex {
        /// The options.
        options: Vec<Choice>,
        /// What the name names.
        kind: ReindexKind,
        /// Whose indexes.
        name: ObjectName,
    },
    /// `SET CONSTRAINTS`
    SetConstraints {
        /// Which; all when empty.
        names: Vec<ObjectName>,
        /// DEFERRED rather than IMMEDIATE.
        is_deferred: bool,
    },
    /// What Cairn does not have.
    Refused(&'static str),
}

type Parsed<T = Command> = Result<T, ParserError>;

/// The grammars, by the statement's first word, which is still to be read.
const GRAMMARS: &[(&str, fn(&mut Parser<'_>) -> Parsed)] = &[
    ("BEGIN", transaction::begin),
    ("START", transaction::begin),
    ("COMMIT", transaction::commit),
    ("END", transaction::commit),
    ("ROLLBACK", transaction::rollback),
    ("ABORT", transaction::rollback),
    ("SAVEPOINT", transaction::savepoint),
    ("RELEASE", transaction::release),
    ("SET", setting::set),
    ("RESET", setting::reset),
    ("SHOW", setting::show),
    ("EXPLAIN", explain::explain),
    ("COPY", copy::copy),
    ("PREPARE", prepared::prepare),
    ("EXECUTE", prepared::execute),
    ("DEALLOCATE", prepared::deallocate),
    ("DECLARE", cursor::declare),
    ("FETCH", cursor::fetch),
    ("MOVE", cursor::fetch),
    ("CLOSE", cursor::close),
    ("LISTEN", notify::listen),
    ("UNLISTEN", notify::unlisten),
    ("NOTIFY", notify::notify),
    ("LOCK", maintenance::lock),
    ("ANALYZE", maintenance::analyze),
    ("ANALYSE", maintenance::analyze),
    ("VACUUM", maintenance::vacuum),
    ("REINDEX", maintenance::reindex),
    ("DISCARD", maintenance::discard),
    ("CHECKPOINT", maintenance::checkpoint),
    ("CLUSTER", |parser| Ok(refuse(parser, "CLUSTER"))),
    ("DO", |parser| Ok(refuse(parser, "DO: there are no procedural languages"))),
    ("CALL", |parser| Ok(refuse(parser, "CALL: there are no procedures"))),
];

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Parsed<Option<Command>> {
    let known = GRAMMARS.iter().find(|(word, _)| is_word(parser, 0, word));
    known.map(|(_, grammar)| grammar(parser)).transpose()
}

/// Reads over the rest of a statement that is not there.
fn refuse(parser: &mut Parser<'_>, what: &'static str) -> Command {
    while !is_end(parser) {
        parser.advance_token();
    }
    Command::Refused(what)
}

/// A name as it is stored.
fn stored(name: &Ident) -> String {
    crate::bind::fold(name)
}
