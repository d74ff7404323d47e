//! What ALTER TABLE does to columns in ways that `sqlparser` does not know: identities, generated
//! values, storage; and ALTER VIEW. A statement that does something else as well is left to it.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};

use super::sequence::{self, SequenceOption};
use super::words;
use crate::bind::ddl::ObjectKind;

/// `ALTER TABLE` or `ALTER VIEW` with actions of these kinds only.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// What the statement takes it for.
    pub kind: ObjectKind,
    /// Which table or view.
    pub name: ObjectName,
    /// `IF EXISTS`
    pub if_exists: bool,
    /// What to do, in order.
    pub actions: Vec<Action>,
}

/// One action.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// `ALTER COLUMN … SET GENERATED`, `RESTART`, `SET INCREMENT BY` …
    SetIdentity {
        /// Which column.
        column: Ident,
        /// `SET GENERATED ALWAYS` (true) or `BY DEFAULT`.
        is_always: Option<bool>,
        /// What changes in its sequence.
        options: Vec<SequenceOption>,
    },
    /// `ALTER COLUMN … DROP IDENTITY`
    DropIdentity {
        /// Which column.
        column: Ident,
        /// `IF EXISTS`
        if_exists: bool,
    },
    /// `ALTER COLUMN … DROP EXPRESSION`
    DropExpression {
        /// Which column.
        column: Ident,
        /// `IF EXISTS`
        if_exists: bool,
    },
    /// `ALTER CONSTRAINT`
    AlterConstraint {
        /// Which.
        name: Ident,
        /// `DEFERRABLE`
        is_deferrable: bool,
        /// `INITIALLY DEFERRED`
        is_deferred: bool,
    },
    /// `SET SCHEMA`
    SetSchema(Ident),
    /// `RENAME TO`
    Rename(Ident),
    /// `RENAME COLUMN … TO …`
    RenameColumn {
        /// Which column.
        from: Ident,
        /// Its new name.
        to: Ident,
    },
    /// `OWNER TO`
    Owner(Ident),
    /// `RESET (…)`: storage parameters.
    Reset(Vec<Ident>),
    /// `ALTER COLUMN … SET STORAGE`, `SET STATISTICS`, `SET COMPRESSION`: nothing here.
    Accepted,
}

/// Parses the statement if it is one of these; otherwise nothing was consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>, ParserError> {
    if parser.peek_keyword(Keyword::ALTER) { parser.maybe_parse(command) } else { Ok(None) }
}

fn command(parser: &mut Parser<'_>) -> Result<Command, ParserError> {
    parser.expect_keyword(Keyword::ALTER)?;
    let kind = if parser.parse_keyword(Keyword::VIEW) {
        ObjectKind::View
    } else if parser.parse_keywords(&[Keyword::MATERIALIZED, Keyword::VIEW]) {
        ObjectKind::MaterializedView
    } else {
        parser.expect_keyword(Keyword::TABLE)?;
        ObjectKind::Table
    };
    let if_exists = words::if_exists(parser);
    let _ = kind == ObjectKind::Table && parser.parse_keyword(Keyword::ONLY);
    let name = parser.parse_object_name(false)?;
    let actions = match kind {
        ObjectKind::Table => parser.parse_comma_separated(action)?,
        _ => vec![view_action(parser)?],
    };
    Ok(Command { kind, name, if_exists, actions })
}

fn view_action(parser: &mut Parser<'_>) -> Result<Action, ParserError> {
    if parser.parse_keywords(&[Keyword::RENAME, Keyword::TO]) {
        return parser.parse_identifier().map(Action::Rename);
    }
    if parser.parse_keywords(&[Keyword::OWNER, Keyword::TO]) {
        return parser.parse_identifier().map(Action::Owner);
    }
    if parser.parse_keyword(Keyword::RENAME) {
        let _ = parser.parse_keyword(Keyword::COLUMN);
        let from = parser.parse_identifier()?;
        parser.expect_keyword(Keyword::TO)?;
        return Ok(Action::RenameColumn { from, to: parser.parse_identifier()? });
    }
    parser.expect_keywords(&[Keyword::SET, Keyword::SCHEMA])?;
    parser.parse_identifier().map(Action::SetSchema)
}

fn action(parser: &mut Parser<'_>) -> Result<Action, ParserError> {
    if parser.parse_keywords(&[Keyword::SET, Keyword::SCHEMA]) {
        return parser.parse_identifier().map(Action::SetSchema);
    }
    if parser.parse_keyword(Keyword::RESET) {
        return words::names_in_parentheses(parser).map(Action::Reset);
    }
    parser.expect_keyword(Keyword::ALTER)?;
    if parser.parse_keyword(Keyword::CONSTRAINT) {
        return alter_constraint(parser);
    }
    let _ = parser.parse_keyword(Keyword::COLUMN);
    let column = parser.parse_identifier()?;
    if words::all_words(parser, &["DROP", "IDENTITY"]) {
        return Ok(Action::DropIdentity { column, if_exists: words::if_exists(parser) });
    }
    if words::all_words(parser, &["DROP", "EXPRESSION"]) {
        return Ok(Action::DropExpression { column, if_exists: words::if_exists(parser) });
    }
    for word in ["STORAGE", "STATISTICS", "COMPRESSION"] {
        if words::all_words(parser, &["SET", word]) {
            return words::value(parser).map(|_| Action::Accepted);
        }
    }
    set_identity(parser, column)
}

fn alter_constraint(parser: &mut Parser<'_>) -> Result<Action, ParserError> {
    let name = parser.parse_identifier()?;
    let is_not = words::all_words(parser, &["NOT", "DEFERRABLE"]);
    let is_said = !is_not && words::word(parser, "DEFERRABLE");
    let is_deferred = words::all_words(parser, &["INITIALLY", "DEFERRED"]);
    let _ = words::all_words(parser, &["INITIALLY", "IMMEDIATE"]);
    let is_deferrable = is_said || (is_deferred && !is_not);
    Ok(Action::AlterConstraint { name, is_deferrable, is_deferred })
}

/// Any number of `SET GENERATED …`, `SET option`, `RESTART …`.
fn set_identity(parser: &mut Parser<'_>, column: Ident) -> Result<Action, ParserError> {
    let (mut is_always, mut options) = (None, Vec::new());
    loop {
        if words::all_words(parser, &["SET", "GENERATED", "ALWAYS"]) {
            is_always = Some(true);
        } else if words::all_words(parser, &["SET", "GENERATED", "BY", "DEFAULT"]) {
            is_always = Some(false);
        } else {
            let is_set = parser.parse_keyword(Keyword::SET);
            match sequence::option(parser)? {
                Some(option) if is_set != matches!(option, SequenceOption::Restart(_)) => {
                    options.push(option);
                }
                None if !is_set => break,
                _ => return parser.expected_ref("an option", parser.peek_token_ref()),
            }
        }
    }
    if is_always.is_none() && options.is_empty() {
        return parser.expected_ref("an action", parser.peek_token_ref());
    }
    Ok(Action::SetIdentity { column, is_always, options })
}
