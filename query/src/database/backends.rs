//! Who is connected, what each one runs, and how to stop it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering};

use cairn_engine::{Db, LockOwner};
use parking_lot::{Mutex, RwLock};

use crate::error::{Error, Result, SqlState};

/// Why a running statement is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Interrupt {
    /// The user asked for it (`pg_cancel_backend`, a cancel request).
    Cancel = 1,
    /// `statement_timeout` ran out.
    Timeout = 2,
}

/// What a backend is doing, as `pg_stat_activity.state` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendState {
    /// Waiting for the client outside a transaction.
    #[default]
    Idle,
    /// Running a statement.
    Active,
    /// Waiting for the client inside a transaction.
    IdleInTransaction,
    /// The same, and the transaction has failed.
    IdleInFailedTransaction,
}

impl BackendState {
    /// Its name in `pg_stat_activity`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Active => "active",
            Self::IdleInTransaction => "idle in transaction",
            Self::IdleInFailedTransaction => "idle in transaction (aborted)",
        }
    }
}

/// What a backend is doing and since when (microseconds since 2000-01-01 UTC).
#[derive(Clone, Debug, Default)]
pub struct Activity {
    /// What it is doing.
    pub state: BackendState,
    /// The statement that it runs or ran last.
    pub query: Arc<str>,
    /// When that statement began.
    pub query_start: Option<i64>,
    /// When the transaction began, if there is one.
    pub transaction_start: Option<i64>,
    /// When `state` changed.
    pub state_change: i64,
    /// `application_name`
    pub application_name: Arc<str>,
}

/// Called from any thread when a backend has something to look at: notifications, or its end.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// One connected session.
pub struct Backend {
    /// Unique among the backends that live.
    pub process_id: i32,
    /// What a cancel request must know.
    pub secret: [u8; 4],
    /// The database it is connected to.
    pub database: Arc<str>,
    /// The database's OID.
    pub database_oid: u32,
    /// Who.
    pub user: Arc<str>,
    /// From where; `None` is in process.
    pub client: Option<std::net::SocketAddr>,
    /// When it connected.
    pub backend_start: i64,
    /// In whose name its transactions and its advisory locks lock.
    pub lock_owner: LockOwner,
    db: Db,
    /// Why the statement is to stop; 0 when it is not.
    interrupt: AtomicU8,
    /// Whether waits in the engine are to end: the engine's view of the above.
    is_interrupted: Arc<AtomicBool>,
    is_terminated: AtomicBool,
    activity: Mutex<Activity>,
    wake: Mutex<Option<Wake>>,
}

impl Backend {
    /// What it is doing.
    pub fn activity(&self) -> Activity {
        self.activity.lock().clone()
    }

    /// Changes what it is doing.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Activity)) {
        change(&mut self.activity.lock());
    }

    /// Stops the statement that it runs, if any.
    pub fn interrupt(&self, interrupt: Interrupt) {
        if self.activity.lock().state == BackendState::Active {
            self.interrupt.store(interrupt as u8, Ordering::Release);
            self.end_waits();
        }
    }

    fn end_waits(&self) {
        self.is_interrupted.store(true, Ordering::Release);
        self.db.wake(self.lock_owner);
    }

    /// Ends its connection.
    pub fn terminate(&self) {
        self.is_terminated.store(true, Ordering::Release);
        self.end_waits();
        self.wake();
    }

    /// Whether it is to end.
    pub fn is_terminated(&self) -> bool {
        self.is_terminated.load(Ordering::Acquire)
    }

    /// Sets what is called when there is something to look at.
    pub fn set_wake(&self, wake: Wake) {
        *self.wake.lock() = Some(wake);
    }

    /// Calls it.
    pub(crate) fn wake(&self) {
        if let Some(wake) = self.wake.lock().clone() {
            wake();
        }
    }

    /// The flag that ends waits in the engine.
    pub(crate) fn cancel_flag(&self) -> Arc<AtomicBool> {
        self.is_interrupted.clone()
    }

    /// Forgets an interrupt that came too late.
    pub(crate) fn clear_interrupt(&self) {
        if self.interrupt.swap(0, Ordering::AcqRel) != 0 && !self.is_terminated() {
            self.is_interrupted.store(false, Ordering::Release);
        }
    }

    /// Fails when the statement is to stop.
    ///
    /// # Errors
    /// 57014, 57P01.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_terminated() {
            return Err(terminated());
        }
        match self.interrupt.load(Ordering::Acquire) {
            0 => Ok(()),
            kind => Err(interrupted(kind)),
        }
    }
}

/// 57P01 as a terminated client sees it.
pub fn terminated() -> Error {
    let message = "terminating connection due to administrator command";
    Error::new(SqlState::ADMIN_SHUTDOWN, message)
}

fn interrupted(kind: u8) -> Error {
    let cause = if kind == Interrupt::Timeout as u8 { "statement timeout" } else { "user request" };
    Error::new(SqlState::QUERY_CANCELED, format!("canceling statement due to {cause}"))
}

/// All connected sessions.
pub struct Backends {
    by_process_id: RwLock<BTreeMap<i32, Arc<Backend>>>,
    next: AtomicI32,
}

impl Default for Backends {
    fn default() -> Self {
        Self { by_process_id: RwLock::default(), next: AtomicI32::new(1) }
    }
}

/// Who connects.
pub(crate) struct Arrival {
    pub(crate) db: Db,
    pub(crate) database: Arc<str>,
    pub(crate) database_oid: u32,
    pub(crate) user: Arc<str>,
    pub(crate) client: Option<std::net::SocketAddr>,
    pub(crate) now: i64,
}

impl Backends {
    /// Takes a new session in.
    pub(crate) fn register(&self, arrival: Arrival) -> Arc<Backend> {
        let mut backends = self.by_process_id.write();
        let process_id = loop {
            // Numbers come round after two billion connections; those in use are skipped.
            let next = self.next.fetch_add(1, Ordering::Relaxed) & i32::MAX;
            if next != 0 && !backends.contains_key(&next) {
                break next;
            }
        };
        let backend = Arc::new(Backend {
            process_id,
            secret: rand::random(),
            database: arrival.database,
            database_oid: arrival.database_oid,
            user: arrival.user,
            client: arrival.client,
            backend_start: arrival.now,
            lock_owner: arrival.db.new_lock_owner(),
            db: arrival.db,
            interrupt: AtomicU8::new(0),
            is_interrupted: Arc::default(),
            is_terminated: AtomicBool::new(false),
            activity: Mutex::new(Activity { state_change: arrival.now, ..Activity::default() }),
            wake: Mutex::new(None),
        });
        backends.insert(process_id, backend.clone());
        backend
    }

    /// Lets a session go.
    pub(crate) fn remove(&self, process_id: i32) {
        self.by_process_id.write().remove(&process_id);
    }

    /// The session of a process id.
    pub fn get(&self, process_id: i32) -> Option<Arc<Backend>> {
        self.by_process_id.read().get(&process_id).cloned()
    }

    /// All of them, by process id.
    pub fn all(&self) -> Vec<Arc<Backend>> {
        self.by_process_id.read().values().cloned().collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_process_id.read().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A cancel request: it does nothing, silently, unless the secret is right.
    pub fn cancel(&self, process_id: i32, secret: &[u8]) {
        if let Some(backend) = self.get(process_id).filter(|backend| backend.secret == secret) {
            backend.interrupt(Interrupt::Cancel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival() -> Arrival {
        let (database, user) = (Arc::from("cairn"), Arc::from("cairn"));
        let db = Db::in_memory(cairn_engine::Options::default()).unwrap();
        Arrival { db, database, database_oid: 5, user, client: None, now: 0 }
    }

    #[test]
    fn only_the_secret_cancels_and_only_what_runs() {
        let backends = Backends::default();
        let backend = backends.register(arrival());
        backends.cancel(backend.process_id, &backend.secret);
        assert!(backend.check().is_ok());
        backend.update(|activity| activity.state = BackendState::Active);
        backends.cancel(backend.process_id, &[0, 0, 0]);
        assert!(backend.check().is_ok());
        backends.cancel(backend.process_id, &backend.secret);
        let error = backend.check().unwrap_err();
        assert_eq!(error.message(), "canceling statement due to user request");
        backend.clear_interrupt();
        assert!(backend.check().is_ok());
        backend.terminate();
        assert_eq!(backend.check().unwrap_err().state(), SqlState::ADMIN_SHUTDOWN);
    }

    #[test]
    fn process_ids_differ() {
        let backends = Backends::default();
        let (a, b) = (backends.register(arrival()), backends.register(arrival()));
        assert_ne!(a.process_id, b.process_id);
        backends.remove(a.process_id);
        assert_eq!(backends.len(), 1);
    }
}
