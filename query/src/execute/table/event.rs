//! What is left to the end of the statement, or of the transaction: the checks of foreign keys, and
//! of unique keys that may be taken twice for a while.

use super::super::context::Context;
use super::super::memory::row_len;
use super::unique::{self, UniqueCheck};
use super::{foreign_key, referential_action};
use crate::catalog::{Catalog, Deferral, ReferentialAction, TableDef};
use crate::error::{Result, SqlState};
use crate::plan::ForeignKeyCheck;
use crate::value::Value;

/// Work left to the end of the statement, or of the transaction.
#[derive(Clone, Debug)]
pub enum Event {
    /// A row refers to this key, which must exist.
    Refers {
        /// The foreign key.
        check: ForeignKeyCheck,
        /// What it refers to.
        key: Vec<Value>,
    },
    /// A row with this key was deleted, or its key became `new`.
    Removed {
        /// The foreign key.
        check: ForeignKeyCheck,
        /// What was referred to.
        key: Vec<Value>,
        /// What it became.
        new: Option<Vec<Value>>,
    },
    /// Two rows had one key.
    Taken(UniqueCheck),
}

impl Event {
    /// When the constraint is checked.
    pub fn deferral(&self) -> Deferral {
        match self {
            Self::Refers { check, .. } | Self::Removed { check, .. } => check.key.deferral(),
            Self::Taken(check) => check.index.deferral(),
        }
    }

    /// The table whose change is checked.
    pub fn changed_table(&self) -> &TableDef {
        match self {
            Self::Refers { check, .. } => &check.referencing,
            Self::Removed { check, .. } => &check.referenced,
            Self::Taken(check) => &check.table,
        }
    }

    /// The same check on the tables as a catalog has them; `None` when the constraint is gone.
    pub fn in_catalog(&self, catalog: &Catalog) -> Option<Self> {
        Some(match self {
            Self::Refers { check, key } => {
                Self::Refers { check: check.in_catalog(catalog)?, key: key.clone() }
            }
            Self::Removed { check, key, new } => {
                let check = check.in_catalog(catalog)?;
                Self::Removed { check, key: key.clone(), new: new.clone() }
            }
            Self::Taken(check) => Self::Taken(check.in_catalog(catalog)?),
        })
    }

    /// Roughly how many bytes of memory it takes.
    pub fn memory_len(&self) -> usize {
        let held = match self {
            Self::Refers { key, .. } => row_len(key),
            Self::Removed { key, new, .. } => row_len(key) + new.as_deref().map_or(0, row_len),
            Self::Taken(check) => check.memory_len(),
        };
        size_of::<Self>() + held
    }

    /// Whether it only looks, so that it can wait: rows follow at once.
    fn can_wait(&self) -> bool {
        let action = match self {
            Self::Refers { .. } | Self::Taken(_) => return true,
            Self::Removed { check, new: Some(_), .. } => check.key.on_update,
            Self::Removed { check, new: None, .. } => check.key.on_delete,
        };
        action == ReferentialAction::NoAction
    }

    fn settle(&self, cx: &Context<'_>) -> Result<()> {
        match self {
            Self::Refers { check, key } => foreign_key::check_reference(check, key, cx),
            Self::Removed { check, key, new } => {
                // Another row may have taken the key over.
                if foreign_key::find_referenced(check, key, cx)?.is_some() {
                    return Ok(());
                }
                referential_action::follow(check, key, new.as_deref(), cx)
            }
            Self::Taken(check) => unique::check_taken(check, cx),
        }
    }
}

/// Leaves work to the end of the statement.
///
/// # Errors
/// 53200 when the statement has left more than it may hold.
pub(crate) fn note(event: Event, cx: &Context<'_>) -> Result<()> {
    cx.memory().grow(event.memory_len())?;
    cx.run.state.events.borrow_mut().push(event);
    Ok(())
}

/// Checks and follows everything that the statement has touched, but what waits for the end of
/// the transaction.
///
/// # Errors
/// 23503, 23505.
pub(crate) fn settle(cx: &Context<'_>) -> Result<()> {
    let services = cx.run.cx.services;
    loop {
        let events = std::mem::take(&mut *cx.run.state.events.borrow_mut());
        if events.is_empty() {
            return Ok(());
        }
        for event in events {
            cx.check_cancelled()?;
            if event.can_wait() && services.is_deferred(event.deferral()) {
                services.defer(event)?;
                continue;
            }
            event.settle(cx)?;
        }
    }
}

/// Checks what has waited.
///
/// # Errors
/// 23503, 23505.
pub(crate) fn settle_deferred(events: &[Event], cx: &Context<'_>) -> Result<()> {
    for event in events {
        cx.check_cancelled()?;
        let settled = event.settle(cx);
        // The row that referred may be gone, or refer to another by now.
        if let (Err(error), Event::Refers { check, key }) = (&settled, event)
            && error.state() == SqlState::FOREIGN_KEY_VIOLATION
            && !referential_action::is_referred_to(check, key, cx)?
        {
            continue;
        }
        settled?;
    }
    Ok(())
}
