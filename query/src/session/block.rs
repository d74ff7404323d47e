//! The transaction block of a session: begin, savepoints, commit, rollback.
//!
//! ```text
//!                 statement                BEGIN
//!   Idle  ─────────────────────▶ Implicit ───────▶ Explicit ──error──▶ Failed
//!     ▲                             │  │              │  ▲                │
//!     └──────── end of the ─────────┘  └──error──▶    │  └─ ROLLBACK TO ──┤
//!               statement or batch       Idle         └─ COMMIT ──▶ Idle ◀┘ ROLLBACK
//! ```
//! The engine's transaction begins with the first statement that needs one, so an idle `BEGIN`
//! holds no snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_engine::{Isolation, Savepoint, Timestamp, Transaction};

use super::deferred::{Deferred, Mark};
use super::settings::Settings;
use crate::bind::{IsolationLevel, TransactionModes};
use crate::catalog::{Catalog, Deferral, Globals};
use crate::database::notifications::Notification;
use crate::error::{Error, Result, SqlState};

/// When foreign keys that may wait are checked, as SET CONSTRAINTS has it.
#[derive(Clone, Debug, Default)]
pub(super) struct ConstraintModes {
    /// Whether all wait.
    pub(super) all: Option<bool>,
    /// Whether those of these OIDs wait.
    pub(super) named: BTreeMap<u32, bool>,
}

/// Where a session is with its transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockStatus {
    /// No transaction.
    #[default]
    Idle,
    /// A transaction that a statement began and its end will end.
    Implicit,
    /// After BEGIN.
    Explicit,
    /// After an error in an explicit one.
    Failed,
}

/// Modes that a transaction runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Modes {
    pub(super) isolation: IsolationLevel,
    pub(super) is_read_only: bool,
    pub(super) is_deferrable: bool,
}

/// What is kept to go back to a savepoint.
pub(super) struct Frame {
    name: String,
    /// `None` when the engine's transaction had not begun.
    engine: Option<Savepoint>,
    settings: Settings,
    definitions: Option<Definitions>,
    notifications: usize,
    deferred: Mark,
    constraint_modes: ConstraintModes,
    /// Number of the next portal: those made later go.
    portals: u64,
}

/// Definitions that this transaction changed.
pub(super) type Definitions = (Arc<Catalog>, Arc<Globals>);

/// A change of what the session listens to, made when the transaction commits.
#[derive(Clone, Debug)]
pub(super) enum ListenChange {
    /// LISTEN
    Listen(String),
    /// UNLISTEN; `None` is all.
    Unlisten(Option<String>),
}

/// What a session knows of its transaction.
pub(super) struct Block {
    pub(super) status: BlockStatus,
    pub(super) modes: Modes,
    /// When it began: `now()`.
    pub(super) began_at: i64,
    pub(super) txn: Option<Arc<Transaction>>,
    /// Whether a statement has run: the modes are fixed then.
    pub(super) has_run: bool,
    /// Settings to go back to when it fails.
    pub(super) settings: Settings,
    pub(super) definitions: Option<Definitions>,
    pub(super) notifications: Vec<Notification>,
    pub(super) listens: Vec<ListenChange>,
    pub(super) frames: Vec<Frame>,
    /// Checks of constraints that wait for the end of the transaction.
    pub(super) deferred: Deferred,
    /// What SET CONSTRAINTS said.
    pub(super) constraint_modes: ConstraintModes,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            status: BlockStatus::Idle,
            modes: Modes {
                isolation: IsolationLevel::ReadCommitted,
                is_read_only: false,
                is_deferrable: false,
            },
            began_at: 0,
            txn: None,
            has_run: false,
            settings: Settings::default(),
            definitions: None,
            notifications: Vec::new(),
            listens: Vec::new(),
            frames: Vec::new(),
            deferred: Deferred::default(),
            constraint_modes: ConstraintModes::default(),
        }
    }
}

/// What a savepoint restores in the session.
pub(super) struct Restored {
    pub(super) settings: Settings,
    /// Portals numbered from here on go.
    pub(super) portals: u64,
}

impl Block {
    /// Whether statements run in an explicit transaction.
    pub(super) fn is_explicit(&self) -> bool {
        matches!(self.status, BlockStatus::Explicit | BlockStatus::Failed)
    }

    /// Whether a constraint is checked when the transaction ends. One statement alone is a
    /// transaction that ends with it.
    pub(super) fn is_deferred(&self, constraint: Deferral) -> bool {
        let modes = &self.constraint_modes;
        let said = modes.named.get(&constraint.constraint).copied().or(modes.all);
        let is_deferred = said.unwrap_or(constraint.is_deferred);
        constraint.is_deferrable && self.is_explicit() && is_deferred
    }

    /// Changes the modes as `SET TRANSACTION` does.
    ///
    /// # Errors
    /// 25001 when it is too late.
    pub(super) fn set_modes(&mut self, modes: TransactionModes) -> Result<()> {
        let too_late = |what: &str| {
            let message = format!("{what} must be called before any query");
            Err(Error::new(SqlState::ACTIVE_SQL_TRANSACTION, message))
        };
        if let Some(isolation) = modes.isolation {
            if self.has_run && isolation != self.modes.isolation {
                return too_late("SET TRANSACTION ISOLATION LEVEL");
            }
            self.modes.isolation = isolation;
        }
        if let Some(is_read_only) = modes.is_read_only {
            if self.has_run && !is_read_only && self.modes.is_read_only {
                let message = "transaction read-write mode must be set before any query";
                return Err(Error::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
            }
            self.modes.is_read_only = is_read_only;
        }
        if let Some(is_deferrable) = modes.is_deferrable {
            if self.has_run {
                return too_late("SET TRANSACTION [NOT] DEFERRABLE");
            }
            self.modes.is_deferrable = is_deferrable;
        }
        Ok(())
    }

    /// Marks a point to go back to.
    pub(super) fn savepoint(&mut self, name: String, settings: &Settings, portals: u64) {
        self.frames.push(Frame {
            name,
            engine: self.txn.as_ref().map(|txn| txn.savepoint()),
            settings: settings.clone(),
            definitions: self.definitions.clone(),
            notifications: self.notifications.len(),
            deferred: self.deferred.mark(),
            constraint_modes: self.constraint_modes.clone(),
            portals,
        });
    }

    /// Forgets a savepoint and those after it.
    ///
    /// # Errors
    /// 3B001
    pub(super) fn release(&mut self, name: &str) -> Result<()> {
        let position = self.find(name)?;
        self.frames.truncate(position);
        Ok(())
    }

    /// Goes back to a savepoint, which stays.
    ///
    /// # Errors
    /// 3B001
    pub(super) fn rollback_to(&mut self, name: &str) -> Result<Restored> {
        let position = self.find(name)?;
        self.frames.truncate(position + 1);
        let Some(frame) = self.frames.last() else {
            return Err(Error::internal("a savepoint was lost"));
        };
        match (frame.engine, &self.txn) {
            (Some(savepoint), Some(txn)) => txn.rollback_to(savepoint),
            // It began after the savepoint: nothing of it is to stay.
            (None, Some(_)) => self.txn = None,
            (_, None) => {}
        }
        self.definitions.clone_from(&frame.definitions);
        self.notifications.truncate(frame.notifications);
        self.deferred.back_to(frame.deferred);
        self.constraint_modes.clone_from(&frame.constraint_modes);
        self.status = BlockStatus::Explicit;
        Ok(Restored { settings: frame.settings.clone(), portals: frame.portals })
    }

    /// Notes an error in an explicit block. Without a savepoint to go back to, the transaction can
    /// only end: its locks go at once.
    pub(super) fn fail(&mut self) {
        self.status = BlockStatus::Failed;
        if self.frames.is_empty() {
            self.txn = None;
        }
    }

    /// What the transaction has read is at most this new.
    pub(super) fn depends_on(&self) -> Timestamp {
        self.txn.as_ref().map_or_else(Timestamp::default, |txn| txn.depends_on())
    }

    fn find(&self, name: &str) -> Result<usize> {
        self.frames.iter().rposition(|frame| frame.name == name).ok_or_else(|| {
            let message = format!("savepoint \"{name}\" does not exist");
            Error::new(SqlState::INVALID_SAVEPOINT, message)
        })
    }
}

/// The engine's isolation level.
pub(super) fn engine_isolation(level: IsolationLevel) -> Isolation {
    match level {
        IsolationLevel::ReadUncommitted | IsolationLevel::ReadCommitted => Isolation::ReadCommitted,
        IsolationLevel::RepeatableRead => Isolation::RepeatableRead,
        IsolationLevel::Serializable => Isolation::Serializable,
    }
}

/// A level as settings print it.
pub(super) fn isolation_name(level: IsolationLevel) -> &'static str {
    match level {
        IsolationLevel::ReadUncommitted => "read uncommitted",
        IsolationLevel::ReadCommitted => "read committed",
        IsolationLevel::RepeatableRead => "repeatable read",
        IsolationLevel::Serializable => "serializable",
    }
}

/// A level by the name that settings print.
pub(super) fn isolation_by_name(name: &str) -> IsolationLevel {
    match name {
        "read uncommitted" => IsolationLevel::ReadUncommitted,
        "repeatable read" => IsolationLevel::RepeatableRead,
        "serializable" => IsolationLevel::Serializable,
        _ => IsolationLevel::ReadCommitted,
    }
}
