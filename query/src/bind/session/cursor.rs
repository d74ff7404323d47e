//! DECLARE … CURSOR.

use crate::bind::{BindContext, BoundStatement, DeclareCursor};
use crate::error::{Error, Result, SqlState};
use crate::parse::Statement;
use crate::parse::command::session::Declare;

/// `DECLARE`
pub(super) fn bind(
    statement: &Statement,
    declare: &Declare,
    ctx: BindContext<'_>,
) -> Result<BoundStatement> {
    check_words(declare)?;
    let inner = statement.within(&declare.query);
    check_locks(declare, &inner)?;
    let BoundStatement::Rows(plan) = crate::bind::bind(&inner, ctx)? else {
        return Err(Error::internal("a cursor's query is no query"));
    };
    if plan.ctes.iter().any(|cte| cte.is_modifying) {
        let message = "DECLARE CURSOR must not contain data-modifying statements in WITH";
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let scroll = match (declare.is_scroll, declare.is_no_scroll) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    Ok(BoundStatement::Declare(Box::new(DeclareCursor {
        name: declare.name.clone(),
        is_hold: declare.is_hold,
        is_binary: declare.is_binary,
        scroll,
        columns: plan.columns.clone(),
        plan,
    })))
}

fn check_words(declare: &Declare) -> Result<()> {
    let both = |one: &str, other: &str| {
        let message = format!("cannot specify both {one} and {other}");
        Err(Error::new(SqlState::INVALID_CURSOR_DEFINITION, message))
    };
    if declare.is_scroll && declare.is_no_scroll {
        return both("SCROLL", "NO SCROLL");
    }
    if declare.is_asensitive && declare.is_insensitive {
        return both("ASENSITIVE", "INSENSITIVE");
    }
    Ok(())
}

/// A cursor that locks rows reads them once, in its transaction.
fn check_locks(declare: &Declare, inner: &Statement) -> Result<()> {
    if inner.query().is_none_or(|query| query.locks.is_empty()) {
        return Ok(());
    }
    let (kind, detail) = if declare.is_hold {
        ("CURSOR WITH HOLD", "Holdable cursors must be READ ONLY.")
    } else if declare.is_scroll {
        ("SCROLL CURSOR", "Scrollable cursors must be READ ONLY.")
    } else if declare.is_insensitive {
        ("INSENSITIVE CURSOR", "Insensitive cursors must be READ ONLY.")
    } else {
        return Ok(());
    };
    let message = format!("DECLARE {kind} ... FOR UPDATE is not supported");
    Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message).with_detail(detail))
}
