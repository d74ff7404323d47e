//! The database in process: open it, connect, run SQL.
//!
//! ```
//! # fn main() -> cairn_query::Result<()> {
//! let database = cairn_query::Database::in_memory()?;
//! let mut session = database.connect("cairn", "cairn")?;
//! let rows = session.query("SELECT 40 + 2", &[])?;
//! assert!(matches!(rows[0][0], cairn_query::value::Value::Int4(42)));
//! # Ok(())
//! # }
//! ```

use std::path::Path;
use std::sync::Arc;

use cairn_engine::{Db, Options};

use crate::catalog::RoleDef;
use crate::catalog::store::CatalogStore;
use crate::catalog::temporary::is_temporary;
use crate::error::{Error, Result, SqlState};
use crate::session::Session;
use crate::session::plan_cache::PlanCache;
use backends::{Arrival, Backends};
use notifications::Notifications;
use sequences::Sequences;
use upkeep::{Parts, Upkeep};

pub mod backends;
pub mod notifications;
pub(crate) mod sequences;
mod upkeep;

/// One open data directory: its databases, and what all sessions share. Cheap to clone; the last
/// clone and the last session to go close it.
#[derive(Clone)]
pub struct Database {
    pub(crate) shared: Arc<Shared>,
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) db: Db,
    pub(crate) catalogs: Arc<CatalogStore>,
    pub(crate) sequences: Sequences,
    pub(crate) backends: Backends,
    pub(crate) notifications: Notifications,
    pub(crate) plans: Arc<PlanCache>,
    pub(crate) execution: Arc<crate::execute::Shared>,
    _upkeep: Upkeep,
}

impl Database {
    /// Opens a data directory, creating it when absent.
    ///
    /// # Errors
    /// XX001 for what cannot be read, 58030, 57P01 when another process holds it.
    pub fn open(dir: &Path, options: Options) -> Result<Self> {
        let database = Self::new(Db::open(dir, options)?)?;
        database.drop_leftovers()?;
        Ok(database)
    }

    /// Opens a data directory that must be there, on a machine of the caller's choice: with
    /// [`cairn_engine::Env::read_only`] and without background threads it stays as it is.
    ///
    /// # Errors
    /// As [`Database::open`]; XX000 when there is no data directory of ours.
    pub fn open_existing(env: cairn_engine::Env, dir: &Path, options: Options) -> Result<Self> {
        Self::new(Db::open_existing(env, dir, options)?)
    }

    /// A database without files. Nothing outlives it.
    ///
    /// # Errors
    /// None in practice.
    pub fn in_memory() -> Result<Self> {
        Self::new(Db::in_memory(Options::default())?)
    }

    fn new(db: Db) -> Result<Self> {
        let parts = Parts {
            catalogs: Arc::new(CatalogStore::open(&db)?),
            db: db.clone(),
            execution: Arc::default(),
            plans: Arc::default(),
        };
        upkeep::load_statistics(&parts)?;
        let upkeep = Upkeep::start(parts.clone())?;
        let shared = Shared {
            db,
            catalogs: parts.catalogs,
            sequences: Sequences::default(),
            backends: Backends::default(),
            notifications: Notifications::default(),
            plans: parts.plans,
            execution: parts.execution,
            _upkeep: upkeep,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Drops temporary relations of sessions that were cut off with the server.
    pub(crate) fn drop_leftovers(&self) -> Result<()> {
        let databases: Vec<String> =
            self.shared.catalogs.globals().databases.keys().cloned().collect();
        for name in databases {
            let Some(catalog) = self.shared.catalogs.current(&name) else { continue };
            let left = catalog.schemas.keys().filter(|name| is_temporary(name));
            let left: Vec<&String> = left.collect();
            if left.is_empty() {
                continue;
            }
            let mut session = self.operator(&name)?;
            for schema in left {
                session.drop_temporary_schema(schema)?;
            }
        }
        Ok(())
    }

    /// Begins a session.
    ///
    /// # Errors
    /// 28000 when there is no such role or it may not connect, 3D000 when there is no such
    /// database.
    pub fn connect(&self, database: &str, user: &str) -> Result<Session> {
        self.connect_from(database, user, None)
    }

    /// Begins a session for a client at an address.
    ///
    /// # Errors
    /// As [`Database::connect`].
    pub fn connect_from(
        &self,
        database: &str,
        user: &str,
        client: Option<std::net::SocketAddr>,
    ) -> Result<Session> {
        let role = self.role(user)?;
        self.begin_session(database, &role, client)
    }

    /// Begins a session for whoever holds the data directory: with the rights of a superuser,
    /// whether that role may log in or not.
    ///
    /// # Errors
    /// 3D000 when there is no such database.
    pub fn operator(&self, database: &str) -> Result<Session> {
        let globals = self.shared.catalogs.globals();
        let role = globals.roles.values().find(|role| role.is_superuser).cloned();
        let role = role.unwrap_or_else(|| RoleDef::superuser("cairn"));
        self.begin_session(database, &role, None)
    }

    fn begin_session(
        &self,
        database: &str,
        role: &RoleDef,
        client: Option<std::net::SocketAddr>,
    ) -> Result<Session> {
        let catalog = self.shared.catalogs.current(database).ok_or_else(|| {
            let message = format!("database \"{database}\" does not exist");
            Error::new(SqlState::INVALID_CATALOG_NAME, message)
        })?;
        let backend = self.shared.backends.register(Arrival {
            db: self.shared.db.clone(),
            database: Arc::from(database),
            database_oid: catalog.database_oid,
            user: Arc::from(role.name.as_str()),
            client,
            now: crate::session::clock::now(),
        });
        Ok(Session::new(self.clone(), backend, role.is_superuser))
    }

    /// A role that may connect.
    ///
    /// # Errors
    /// 28000.
    pub fn role(&self, user: &str) -> Result<RoleDef> {
        let globals = self.shared.catalogs.globals();
        let Some(role) = globals.roles.get(user) else {
            let message = format!("role \"{user}\" does not exist");
            return Err(Error::new(SqlState::INVALID_AUTHORIZATION, message));
        };
        if !role.can_login {
            let message = format!("role \"{user}\" is not permitted to log in");
            return Err(Error::new(SqlState::INVALID_AUTHORIZATION, message));
        }
        Ok(role.clone())
    }

    /// Gives space back: forgets what was dropped and no snapshot sees any more, and merges
    /// everything into the bottom level. `control` shows how far it is, and cancels it.
    ///
    /// # Errors
    /// 57014, 58030, 53100, XX001.
    pub fn compact(
        &self,
        control: &cairn_engine::lsm::CompactionControl,
    ) -> Result<cairn_engine::lsm::CompactionReport> {
        crate::define::garbage::collect(&self.shared.db)?;
        Ok(self.shared.db.compact_with(&cairn_engine::KeyRange::all(), control)?)
    }

    /// Ends orderly: everything is on disk, and sequences go on where they stand. What comes
    /// later fails.
    ///
    /// # Errors
    /// 58030, 53100.
    pub fn close(&self) -> Result<()> {
        self.shared.sequences.write_back(&self.shared.db)?;
        Ok(self.shared.db.close()?)
    }

    /// Who is connected.
    pub fn backends(&self) -> &Backends {
        &self.shared.backends
    }

    /// The engine underneath.
    pub fn engine(&self) -> &Db {
        &self.shared.db
    }
}

#[cfg(test)]
impl Database {
    /// A session of the superuser.
    pub(crate) fn session(&self) -> Session {
        self.connect("cairn", "cairn").expect("the superuser may connect")
    }
}

#[cfg(test)]
impl Shared {
    /// What the background work has.
    fn parts(&self) -> Parts {
        Parts {
            db: self.db.clone(),
            catalogs: Arc::clone(&self.catalogs),
            execution: Arc::clone(&self.execution),
            plans: Arc::clone(&self.plans),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A failure costs a gap in a sequence, which every sequence may have.
        if let Err(error) = self.sequences.write_back(&self.db) {
            tracing::warn!(%error, "sequences keep their reservations");
        }
    }
}
