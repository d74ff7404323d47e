//! Facts of a statement, kept ready as long as the settings that they come from stay.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::block::{Modes, isolation_by_name};
use super::settings::{Settings, parse_time_zone};
use crate::catalog::temporary;
use crate::database::backends::Backend;
use crate::expression::context::StatementFacts;
use crate::value::OutputStyle;

/// Settings that change what binding a text gives.
const BINDING_SETTINGS: &[&str] = &[
    "search_path",
    "TimeZone",
    "DateStyle",
    "IntervalStyle",
    "default_text_search_config",
    "bytea_output",
    "extra_float_digits",
    "transform_null_equals",
    "role",
    "enable_seqscan",
    "enable_indexscan",
    "enable_hashjoin",
    "enable_nestloop",
];

/// Facts that hold until a setting changes.
pub(super) struct Facts {
    settings: Settings,
    has_temporary: bool,
    facts: StatementFacts,
    environment: u64,
    defaults: Defaults,
}

/// What every statement asks the settings.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    /// Of a transaction that does not say.
    pub(super) modes: Modes,
    pub(super) limits: Limits,
}

/// Settings that limit statements and sessions.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a statement may run.
    pub(super) statement_timeout: Option<Duration>,
    /// How long a statement may wait for a lock.
    pub(super) lock_timeout: Option<Duration>,
    /// How long a session may be silent outside a transaction.
    pub idle_session_timeout: Option<Duration>,
    /// How long a session may be silent inside a transaction.
    pub idle_in_transaction_session_timeout: Option<Duration>,
    /// How long a statement takes that is worth a line in the log.
    pub log_min_duration_statement: Option<Duration>,
    /// Bytes that one operation may take before it sorts on disk.
    pub(super) work_mem: usize,
}

impl Defaults {
    fn new(settings: &Settings) -> Self {
        let level = settings.get("default_transaction_isolation").unwrap_or_default();
        let modes = Modes {
            isolation: isolation_by_name(&level),
            is_read_only: settings.is_on("default_transaction_read_only"),
            is_deferrable: settings.is_on("default_transaction_deferrable"),
        };
        Self { modes, limits: Limits::new(settings) }
    }
}

impl Limits {
    fn new(settings: &Settings) -> Self {
        let milliseconds =
            |name| u64::try_from(settings.number(name)).ok().map(Duration::from_millis);
        // A timeout of zero is none.
        let timeout = |name| milliseconds(name).filter(|limit| !limit.is_zero());
        let work_mem = usize::try_from(settings.number("work_mem")).unwrap_or(4096);
        Self {
            statement_timeout: timeout("statement_timeout"),
            lock_timeout: timeout("lock_timeout"),
            idle_session_timeout: timeout("idle_session_timeout"),
            idle_in_transaction_session_timeout: timeout("idle_in_transaction_session_timeout"),
            log_min_duration_statement: milliseconds("log_min_duration_statement"),
            work_mem: work_mem.saturating_mul(1024),
        }
    }
}

/// Who asks: what facts need besides settings.
pub(super) struct Identity<'a> {
    pub(super) user: &'a Arc<str>,
    pub(super) database: &'a Arc<str>,
    pub(super) process_id: i32,
    /// Whether the session has made temporary relations.
    pub(super) has_temporary: bool,
}

impl<'a> Identity<'a> {
    /// Who has connected.
    pub(super) fn of(backend: &'a Backend, has_temporary: bool) -> Self {
        let (user, database) = (&backend.user, &backend.database);
        Self { user, database, process_id: backend.process_id, has_temporary }
    }

    /// Where names are looked for: among temporary relations first, unless the setting says when.
    fn search_path(&self, mut path: Vec<String>) -> Vec<String> {
        let own = temporary::schema(self.process_id);
        let place = path.iter().position(|schema| *schema == temporary::ALIAS);
        match place.and_then(|place| path.get_mut(place)) {
            Some(alias) => *alias = own,
            None if self.has_temporary => path.insert(0, own),
            None => {}
        }
        path
    }
}

impl Facts {
    /// Derives facts from settings.
    pub(super) fn new(settings: &Settings, identity: &Identity<'_>) -> Self {
        let get = |name: &str| settings.get(name).unwrap_or_default();
        let time_zone = parse_time_zone(&get("TimeZone")).map(|(_, zone)| zone);
        let time_zone = time_zone.unwrap_or(jiff::tz::TimeZone::UTC);
        let role = get("role");
        let user = match &*role {
            "none" => settings.get("session_authorization"),
            _ => Some(role),
        };
        let user = user.unwrap_or_else(|| identity.user.clone());
        let output = OutputStyle {
            time_zone: time_zone.clone(),
            is_bytea_escape: &*get("bytea_output") == "escape",
            extra_float_digits: i32::try_from(settings.number("extra_float_digits")).unwrap_or(1),
            catalog: None,
        };
        let mut hasher = ahash::AHasher::default();
        for name in BINDING_SETTINGS {
            get(name).hash(&mut hasher);
        }
        user.hash(&mut hasher);
        let search_path = identity.search_path(settings.search_path(&user));
        search_path.hash(&mut hasher);
        let facts = StatementFacts {
            transaction_time: 0,
            statement_time: 0,
            time_zone,
            search_path: search_path.into(),
            user,
            database: identity.database.clone(),
            text_config: get("default_text_search_config"),
            output,
            process_id: identity.process_id,
        };
        let has_temporary = identity.has_temporary;
        let (environment, defaults) = (hasher.finish(), Defaults::new(settings));
        Self { settings: settings.clone(), has_temporary, facts, environment, defaults }
    }

    /// Whether they still hold.
    pub(super) fn is_current(&self, settings: &Settings, has_temporary: bool) -> bool {
        self.settings.is_same(settings) && self.has_temporary == has_temporary
    }

    /// The facts of a statement that begins now.
    pub(super) fn at(&self, transaction_time: i64, statement_time: i64) -> StatementFacts {
        StatementFacts { transaction_time, statement_time, ..self.facts.clone() }
    }

    /// What every statement asks the settings.
    pub(super) fn defaults(&self) -> Defaults {
        self.defaults
    }

    /// Stands for everything that binding depends on besides the definitions.
    pub(super) fn environment(&self) -> u64 {
        self.environment
    }
}
