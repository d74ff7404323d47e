//! BEGIN, COMMIT, ROLLBACK, savepoints.

use std::sync::Arc;

use cairn_engine::Timestamp;

use super::Session;
use super::block::{Block, BlockStatus, Definitions, ListenChange, Restored, isolation_name};
use super::settings::SettingScope;
use crate::bind::{Transaction, TransactionModes};
use crate::database::notifications::Notification;
use crate::error::{Error, Result, SqlState};
use crate::result::CommandTag;

impl Session {
    /// Runs transaction control.
    pub(super) fn control_transaction(&mut self, control: &Transaction) -> Result<CommandTag> {
        match control {
            Transaction::Begin(modes) => self.begin(*modes),
            Transaction::Commit { is_chain } => self.end("COMMIT", *is_chain),
            Transaction::Rollback { is_chain } => self.end("ROLLBACK", *is_chain),
            Transaction::Savepoint(name) => {
                self.require_block("SAVEPOINT")?;
                let settings = self.state.settings.borrow();
                let mut block = self.state.block.borrow_mut();
                block.savepoint(name.clone(), &settings, self.next_portal + 1);
                Ok("SAVEPOINT".into())
            }
            Transaction::Release(name) => {
                self.require_block("RELEASE SAVEPOINT")?;
                self.state.block.borrow_mut().release(name)?;
                Ok("RELEASE".into())
            }
            Transaction::RollbackTo(name) => {
                self.require_block("ROLLBACK TO SAVEPOINT")?;
                let restored = self.state.block.borrow_mut().rollback_to(name)?;
                self.restore(restored);
                Ok("ROLLBACK".into())
            }
            Transaction::SetModes(modes) => {
                if self.status() == BlockStatus::Explicit {
                    self.state.block.borrow_mut().set_modes(*modes)?;
                } else {
                    let message = "SET TRANSACTION can only be used in transaction blocks";
                    self.state.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, message);
                }
                Ok("SET".into())
            }
            Transaction::SetSessionModes(modes) => self.set_session_modes(*modes),
            Transaction::SetSnapshot(_) => Err(Error::unsupported("SET TRANSACTION SNAPSHOT")),
        }
    }

    fn begin(&mut self, modes: TransactionModes) -> Result<CommandTag> {
        match self.status() {
            BlockStatus::Idle => self.state.begin(BlockStatus::Explicit),
            // What ran before BEGIN in the same message belongs to the transaction.
            BlockStatus::Implicit => {
                self.state.block.borrow_mut().status = BlockStatus::Explicit;
            }
            _ => {
                let message = "there is already a transaction in progress";
                self.state.warn(SqlState::ACTIVE_SQL_TRANSACTION, message);
            }
        }
        self.state.block.borrow_mut().set_modes(modes)?;
        Ok("BEGIN".into())
    }

    fn end(&mut self, word: &'static str, is_chain: bool) -> Result<CommandTag> {
        let status = self.status();
        if is_chain && !self.state.block.borrow().is_explicit() {
            let message = format!("{word} AND CHAIN can only be used in transaction blocks");
            return Err(Error::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, message));
        }
        let modes = self.state.block.borrow().modes;
        if !matches!(status, BlockStatus::Explicit | BlockStatus::Failed) {
            let message = "there is no transaction in progress";
            self.state.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, message);
        }
        let tag = if word == "COMMIT" && status != BlockStatus::Failed {
            self.commit()?;
            "COMMIT"
        } else {
            self.rollback();
            "ROLLBACK"
        };
        if is_chain {
            self.state.begin(BlockStatus::Explicit);
            self.state.block.borrow_mut().modes = modes;
        }
        Ok(tag.into())
    }

    fn require_block(&self, what: &str) -> Result<()> {
        if self.state.block.borrow().is_explicit() {
            return Ok(());
        }
        let message = format!("{what} can only be used in transaction blocks");
        Err(Error::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, message))
    }

    fn restore(&mut self, restored: Restored) {
        *self.state.settings.borrow_mut() = restored.settings;
        self.portals.retain(|_, portal| portal.number < restored.portals);
        self.cursors.retain(|_, cursor| cursor.number < restored.portals);
    }

    fn set_session_modes(&mut self, modes: TransactionModes) -> Result<CommandTag> {
        let mut settings = self.state.settings.borrow_mut();
        let mut set =
            |name: &str, value: &str| settings.set(name, value, SettingScope::Session).map(|_| ());
        let on_off = |flag: bool| if flag { "on" } else { "off" };
        if let Some(level) = modes.isolation {
            set("default_transaction_isolation", isolation_name(level))?;
        }
        if let Some(flag) = modes.is_read_only {
            set("default_transaction_read_only", on_off(flag))?;
        }
        if let Some(flag) = modes.is_deferrable {
            set("default_transaction_deferrable", on_off(flag))?;
        }
        Ok("SET".into())
    }

    /// Commits, if there is a transaction. When that fails it is rolled back.
    pub(super) fn commit(&mut self) -> Result<()> {
        if self.status() == BlockStatus::Idle {
            return Ok(());
        }
        let ready = self.settle_constraints(true).and_then(|()| self.hold_cursors());
        if let Err(error) = ready.and_then(|()| self.finish_temporary()) {
            self.rollback();
            return Err(error);
        }
        self.portals.clear();
        let mut block = std::mem::take(&mut *self.state.block.borrow_mut());
        match self.commit_block(&mut block) {
            Ok(()) => {
                self.state.settings.borrow_mut().end_transaction();
                Ok(())
            }
            Err(error) => {
                self.cursors.retain(|_, cursor| cursor.is_held());
                *self.state.settings.borrow_mut() = block.settings;
                Err(error)
            }
        }
    }

    fn commit_block(&self, block: &mut Block) -> Result<()> {
        let shared = &self.state.database.shared;
        let mut committed = Timestamp::default();
        let _publishing = block.definitions.as_ref().map(|_| shared.catalogs.begin_publishing());
        if let Some(txn) = block.txn.take() {
            self.state.depend_on(txn.depends_on());
            let has_writes = txn.has_writes();
            let txn = Arc::into_inner(txn);
            let txn = txn.ok_or_else(|| Error::internal("the transaction is in use"))?;
            committed = txn.commit_logged().map_err(|error| at_commit(error.into()))?;
            if has_writes {
                self.state.last_commit.set(committed);
            }
            if !has_writes || self.is_commit_synchronous() {
                self.state.depend_on(committed);
            }
        }
        if let Some((catalog, globals)) = block.definitions.take() {
            shared.catalogs.publish(catalog, globals)?;
        }
        self.apply_listens(std::mem::take(&mut block.listens));
        self.send(std::mem::take(&mut block.notifications), committed);
        Ok(())
    }

    fn is_commit_synchronous(&self) -> bool {
        let setting = self.state.settings.borrow().get("synchronous_commit");
        setting.is_none_or(|setting| &*setting != "off")
    }

    /// Notifications leave when the commit that they tell of is on disk.
    fn send(&self, notifications: Vec<Notification>, committed: Timestamp) {
        if notifications.is_empty() {
            return;
        }
        let database = self.state.backend.database_oid;
        let shared = Arc::downgrade(&self.state.database.shared);
        let deliver = move |outcome: cairn_engine::Result<()>| {
            if let (Ok(()), Some(shared)) = (outcome, shared.upgrade()) {
                shared.notifications.send(database, &notifications);
            }
        };
        self.state.database.shared.db.on_durable(committed, Box::new(deliver));
    }

    fn apply_listens(&self, changes: Vec<ListenChange>) {
        let hub = &self.state.database.shared.notifications;
        for change in changes {
            match change {
                ListenChange::Listen(channel) => {
                    hub.listen(&channel, &self.state.backend, &self.state.inbox);
                }
                ListenChange::Unlisten(channel) => {
                    hub.unlisten(channel.as_deref(), &self.state.backend);
                }
            }
        }
    }

    /// Rolls back, if there is a transaction.
    pub(super) fn rollback(&mut self) {
        if self.status() == BlockStatus::Idle {
            return;
        }
        // What was read may have been shown.
        self.state.depend_on(self.state.block.borrow().depends_on());
        self.portals.clear();
        self.cursors.retain(|_, cursor| cursor.is_held());
        let block = std::mem::take(&mut *self.state.block.borrow_mut());
        *self.state.settings.borrow_mut() = block.settings;
    }

    /// The definitions that this transaction has changed, if any.
    pub(super) fn own_definitions(&self) -> Option<Definitions> {
        self.state.block.borrow().definitions.clone()
    }
}

/// A transaction that cannot commit because of what others read and wrote is told so in Postgres'
/// words.
fn at_commit(error: Error) -> Error {
    if error.state() != SqlState::SERIALIZATION_FAILURE {
        return error;
    }
    error
        .with_detail("Reason code: Canceled on identification as a pivot, during commit attempt.")
        .with_hint("The transaction might succeed if retried.")
}
