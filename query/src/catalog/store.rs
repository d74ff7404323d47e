//! Definitions kept as rows of the engine, and the pictures of them that statements use.
//!
//! Every definition is one row in [`Space::Meta`], written inside the transaction that defines, so
//! DDL is as transactional and as durable as any write. Next to the rows the store keeps the
//! newest committed [`Catalog`] of each database; a statement takes the one that is current when
//! it is bound.
//!
//! # Keys
//! ```text
//! 0x01 'v'                               the version: u64, grows with every DDL commit
//! 0x01 'o'                               the first object id that no process has reserved: u32
//! 0x01 'd' name                          a database
//! 0x01 'r' name                          a role
//! 0x01 'c' database u32 kind u8 oid u32  a definition of a database; kinds: see [`Kind`]
//! ```
//! Values are JSON: definitions are few, and an operator can read them with `cairn stat`.
//!
//! # Invariants
//! - Two transactions never define at once: [`CatalogStore::begin_change`] takes one lock, held to
//!   the end of the transaction.
//! - A change starts from every change committed before it: after the lock is granted, it waits
//!   until the version that the log shows is published.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cairn_engine::{Bytes, Db, Direction, KeyRange, LockStrength, Space, Transaction, WaitPolicy};
use parking_lot::{Condvar, Mutex, RwLock, RwLockWriteGuard};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Catalog, DatabaseDef, Definition, FunctionDef, Globals, Relation, RoleDef, SchemaDef,
    SequenceDef, TableDef, TypeDef, ViewDef,
};
use crate::error::{Error, Result, SqlState};

/// The first object id that users' objects get; Postgres' own and ours lie below.
const FIRST_OBJECT_ID: u32 = 20_000;
/// How many object ids a process reserves at once.
const OBJECT_ID_BATCH: u32 = 256;
/// How long publishing a committed change may take before we call it a bug of ours.
const PUBLISH_WAIT_MAX: Duration = Duration::from_secs(30);

/// What a row of a database's definitions is. Stored; never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Schema = 1,
    Table = 2,
    View = 3,
    Sequence = 4,
    Type = 5,
    Comment = 6,
    Function = 7,
}

/// Keeps definitions and hands out pictures of them.
pub struct CatalogStore {
    db: Db,
    published: RwLock<Published>,
    /// Held alone while a change of definitions is committed and published: its locks go in
    /// between.
    publishing: RwLock<()>,
    version: Mutex<u64>,
    is_published: Condvar,
    object_ids: Mutex<std::ops::Range<u32>>,
}

struct Published {
    globals: Arc<Globals>,
    catalogs: BTreeMap<String, Arc<Catalog>>,
}

impl CatalogStore {
    /// Reads all definitions; a new data directory gets the database and the role `cairn`.
    ///
    /// # Errors
    /// XX001 when a definition cannot be read, and the engine's.
    pub fn open(db: &Db) -> Result<Self> {
        let txn = db.begin(cairn_engine::Isolation::RepeatableRead);
        if txn.get(&version_key())?.is_none() {
            create_first_definitions(&txn)?;
            txn.commit()?;
        }
        let txn = db.begin(cairn_engine::Isolation::RepeatableRead);
        let version = read_u64(txn.get(&version_key())?)?;
        let globals = read_globals(&txn)?;
        let mut catalogs = BTreeMap::new();
        for database in globals.databases.values() {
            let catalog = read_catalog(&txn, database, version)?;
            catalogs.insert(database.name.clone(), Arc::new(catalog));
        }
        let globals = Arc::new(globals);
        Ok(Self {
            db: db.clone(),
            published: RwLock::new(Published { globals, catalogs }),
            publishing: RwLock::new(()),
            version: Mutex::new(version),
            is_published: Condvar::new(),
            object_ids: Mutex::new(0..0),
        })
    }

    /// The newest committed definitions of a database.
    pub fn current(&self, database: &str) -> Option<Arc<Catalog>> {
        self.published.read().catalogs.get(database).cloned()
    }

    /// The newest committed databases and roles.
    pub fn globals(&self) -> Arc<Globals> {
        self.published.read().globals.clone()
    }

    /// An object id that was never used.
    ///
    /// # Errors
    /// The engine's, and 54000 when all are used up.
    pub fn next_object_id(&self) -> Result<u32> {
        let mut ids = self.object_ids.lock();
        if ids.is_empty() {
            let txn = self.db.begin(cairn_engine::Isolation::ReadCommitted);
            let key = meta_key(b"o");
            let _ = txn.lock(&key, LockStrength::Update, WaitPolicy::Wait(None))?;
            let first = match txn.get_newest(&key)? {
                Some(bytes) => u32::from_be_bytes(fixed(&bytes)?),
                None => FIRST_OBJECT_ID,
            };
            let end = first.checked_add(OBJECT_ID_BATCH).ok_or_else(|| {
                Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "out of object identifiers")
            })?;
            txn.put(&key, &end.to_be_bytes())?;
            txn.commit_logged()?;
            *ids = first..end;
        }
        ids.next().ok_or_else(|| Error::internal("no object identifiers"))
    }

    /// Begins a change of definitions in `txn`: waits for other changes, and gives the newest
    /// definitions to start from. `own` are the definitions that this transaction has changed
    /// already, if any.
    ///
    /// # Errors
    /// 40P01, 55P03, 57014.
    pub fn begin_change(
        &self,
        txn: &Transaction,
        database: &str,
        own: Option<(Arc<Catalog>, Arc<Globals>)>,
        policy: WaitPolicy,
    ) -> Result<Change> {
        if let Some((catalog, globals)) = own {
            return Ok(Change { catalog: Arc::unwrap_or_clone(catalog), globals });
        }
        let _ = txn.lock(&version_key(), LockStrength::Update, policy)?;
        let version = read_u64(txn.get_newest(&version_key())?)?;
        self.wait_published(version)?;
        let catalog = self.current(database).ok_or_else(|| missing_database(database))?;
        let mut catalog = Arc::unwrap_or_clone(catalog);
        catalog.version = version + 1;
        txn.put(&version_key(), &catalog.version.to_be_bytes())?;
        Ok(Change { catalog, globals: self.globals() })
    }

    /// Keeps those who wait for the locks of a change until it is published. Held from before its
    /// transaction commits.
    pub fn begin_publishing(&self) -> RwLockWriteGuard<'_, ()> {
        self.publishing.write()
    }

    /// Returns when every change whose locks are gone is published.
    pub fn wait_settled(&self) {
        drop(self.publishing.read());
    }

    /// Makes a committed change the current definitions.
    ///
    /// Requires: the transaction that made it is in the log.
    pub fn publish(&self, catalog: Arc<Catalog>, globals: Arc<Globals>) -> Result<()> {
        let version = catalog.version;
        let mut published = self.published.write();
        for database in globals.databases.values() {
            if !published.catalogs.contains_key(&database.name) {
                let empty = Arc::new(Catalog::new(database, version));
                published.catalogs.insert(database.name.clone(), empty);
            }
        }
        published.catalogs.retain(|name, _| globals.databases.contains_key(name));
        if globals.databases.contains_key(&catalog.database) {
            published.catalogs.insert(catalog.database.clone(), catalog);
        }
        published.globals = globals;
        drop(published);
        *self.version.lock() = version;
        self.is_published.notify_all();
        Ok(())
    }

    fn wait_published(&self, version: u64) -> Result<()> {
        let mut published = self.version.lock();
        while *published < version {
            if self.is_published.wait_for(&mut published, PUBLISH_WAIT_MAX).timed_out() {
                return Err(Error::internal("a committed definition was not published"));
            }
        }
        Ok(())
    }
}

/// Definitions in the course of being changed by one transaction.
pub struct Change {
    /// The changed definitions of the database.
    pub catalog: Catalog,
    /// The changed databases and roles.
    pub globals: Arc<Globals>,
}

impl Change {
    /// Writes a definition, new or changed.
    ///
    /// # Errors
    /// The engine's.
    pub fn put(&mut self, txn: &Transaction, definition: Definition) -> Result<()> {
        let database = self.catalog.database_oid;
        match &definition {
            Definition::Schema(def) => write(txn, database, Kind::Schema, def.oid, def)?,
            Definition::Table(def) => write(txn, database, Kind::Table, def.oid, def.as_ref())?,
            Definition::View(def) => write(txn, database, Kind::View, def.oid, def.as_ref())?,
            Definition::Sequence(def) => {
                write(txn, database, Kind::Sequence, def.oid, def.as_ref())?;
            }
            Definition::Type(def) => write(txn, database, Kind::Type, def.oid, def.as_ref())?,
            Definition::Function(def) => {
                write(txn, database, Kind::Function, def.oid, def.as_ref())?;
            }
        }
        self.catalog.insert(definition);
        Ok(())
    }

    /// Removes a definition.
    ///
    /// # Errors
    /// The engine's.
    pub fn remove(&mut self, txn: &Transaction, definition: &Definition) -> Result<()> {
        let (kind, oid) = match definition {
            Definition::Schema(def) => (Kind::Schema, def.oid),
            Definition::Table(def) => (Kind::Table, def.oid),
            Definition::View(def) => (Kind::View, def.oid),
            Definition::Sequence(def) => (Kind::Sequence, def.oid),
            Definition::Type(def) => (Kind::Type, def.oid),
            Definition::Function(def) => (Kind::Function, def.oid),
        };
        txn.delete(&definition_key(self.catalog.database_oid, kind, oid))?;
        self.catalog.remove(definition);
        self.put_comments(txn, oid, None)
    }

    /// Sets (`Some`) or removes the comment on an object (column 0) or one of its columns.
    ///
    /// # Errors
    /// The engine's.
    pub fn comment(
        &mut self,
        txn: &Transaction,
        oid: u32,
        column: i16,
        text: Option<String>,
    ) -> Result<()> {
        match text {
            Some(text) => self.catalog.comments.insert((oid, column), text),
            None => self.catalog.comments.remove(&(oid, column)),
        };
        let all = self.catalog.comments.range((oid, 0)..=(oid, i16::MAX));
        let all: Vec<(i16, String)> =
            all.map(|((_, column), text)| (*column, text.clone())).collect();
        self.put_comments(txn, oid, Some(all))
    }

    /// Writes a database, new or changed.
    ///
    /// # Errors
    /// The engine's.
    pub fn put_database(&mut self, txn: &Transaction, database: DatabaseDef) -> Result<()> {
        txn.put(&named_key(b'd', &database.name), &encode(&database)?)?;
        Arc::make_mut(&mut self.globals).databases.insert(database.name.clone(), database);
        Ok(())
    }

    /// Removes a database's own row. Its definitions and rows are dropped by the caller.
    ///
    /// # Errors
    /// The engine's.
    pub fn remove_database(&mut self, txn: &Transaction, name: &str) -> Result<()> {
        txn.delete(&named_key(b'd', name))?;
        Arc::make_mut(&mut self.globals).databases.remove(name);
        Ok(())
    }

    /// Removes every definition that a database has.
    ///
    /// # Errors
    /// The engine's.
    pub fn remove_definitions(&mut self, txn: &Transaction, database: u32) -> Result<()> {
        for entry in txn.scan(definitions_of(database), Direction::Forward)? {
            txn.delete(&entry?.0)?;
        }
        Ok(())
    }

    /// Writes a role, new or changed.
    ///
    /// # Errors
    /// The engine's.
    pub fn put_role(&mut self, txn: &Transaction, role: RoleDef) -> Result<()> {
        txn.put(&named_key(b'r', &role.name), &encode(&role)?)?;
        Arc::make_mut(&mut self.globals).roles.insert(role.name.clone(), role);
        Ok(())
    }

    /// Removes a role.
    ///
    /// # Errors
    /// The engine's.
    pub fn remove_role(&mut self, txn: &Transaction, name: &str) -> Result<()> {
        txn.delete(&named_key(b'r', name))?;
        Arc::make_mut(&mut self.globals).roles.remove(name);
        Ok(())
    }

    fn put_comments(
        &mut self,
        txn: &Transaction,
        oid: u32,
        comments: Option<Vec<(i16, String)>>,
    ) -> Result<()> {
        let key = definition_key(self.catalog.database_oid, Kind::Comment, oid);
        match comments.filter(|comments| !comments.is_empty()) {
            Some(comments) => txn.put(&key, &encode(&comments)?)?,
            None => {
                self.catalog.comments.retain(|(object, _), _| *object != oid);
                txn.delete(&key)?;
            }
        }
        Ok(())
    }
}

fn create_first_definitions(txn: &Transaction) -> Result<()> {
    let role = RoleDef::superuser("cairn");
    let database = DatabaseDef { oid: 5, name: "cairn".to_owned(), owner: "cairn".to_owned() };
    txn.put(&version_key(), &1u64.to_be_bytes())?;
    txn.put(&named_key(b'r', &role.name), &encode(&role)?)?;
    txn.put(&named_key(b'd', &database.name), &encode(&database)?)?;
    Ok(())
}

fn read_globals(txn: &Transaction) -> Result<Globals> {
    let mut globals = Globals::default();
    for entry in txn.scan(KeyRange::prefix(&meta_key(b"d")), Direction::Forward)? {
        let database: DatabaseDef = decode(&entry?.1)?;
        globals.databases.insert(database.name.clone(), database);
    }
    for entry in txn.scan(KeyRange::prefix(&meta_key(b"r")), Direction::Forward)? {
        let role: RoleDef = decode(&entry?.1)?;
        globals.roles.insert(role.name.clone(), role);
    }
    Ok(globals)
}

fn read_catalog(txn: &Transaction, database: &DatabaseDef, version: u64) -> Result<Catalog> {
    let mut catalog = Catalog::new(database, version);
    let prefix_len = definitions_of(database.oid).start.len();
    for entry in txn.scan(definitions_of(database.oid), Direction::Forward)? {
        let (key, value) = entry?;
        let (&[kind, ref oid @ ..], rest) = key
            .get(prefix_len..)
            .and_then(<[u8]>::split_first_chunk::<5>)
            .ok_or_else(|| unreadable("key"))?;
        if !rest.is_empty() {
            return Err(unreadable("key"));
        }
        let oid = u32::from_be_bytes(*oid);
        match kind {
            kind if kind == Kind::Schema as u8 => {
                catalog.insert(Definition::Schema(decode::<SchemaDef>(&value)?));
            }
            kind if kind == Kind::Table as u8 => {
                catalog.insert(Definition::Table(Arc::new(decode::<TableDef>(&value)?)));
            }
            kind if kind == Kind::View as u8 => {
                catalog.insert(Definition::View(Arc::new(decode::<ViewDef>(&value)?)));
            }
            kind if kind == Kind::Sequence as u8 => {
                catalog.insert(Definition::Sequence(Arc::new(decode::<SequenceDef>(&value)?)));
            }
            kind if kind == Kind::Type as u8 => {
                catalog.insert(Definition::Type(Arc::new(decode::<TypeDef>(&value)?)));
            }
            kind if kind == Kind::Function as u8 => {
                catalog.insert(Definition::Function(Arc::new(decode::<FunctionDef>(&value)?)));
            }
            kind if kind == Kind::Comment as u8 => {
                for (column, text) in decode::<Vec<(i16, String)>>(&value)? {
                    catalog.comments.insert((oid, column), text);
                }
            }
            _ => return Err(unreadable("kind")),
        }
    }
    Ok(catalog)
}

fn write<T: Serialize>(
    txn: &Transaction,
    database: u32,
    kind: Kind,
    oid: u32,
    definition: &T,
) -> Result<()> {
    Ok(txn.put(&definition_key(database, kind, oid), &encode(definition)?)?)
}

fn encode<T: Serialize>(definition: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(definition).map_err(|error| Error::internal(error.to_string()))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(what: &str) -> Error {
    Error::new(SqlState::DATA_CORRUPTED, format!("a stored definition cannot be read: {what}"))
}

fn missing_database(name: &str) -> Error {
    Error::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{name}\" does not exist"))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| unreadable("number"))
}

fn read_u64(bytes: Option<Bytes>) -> Result<u64> {
    Ok(u64::from_be_bytes(fixed(&bytes.ok_or_else(|| unreadable("version"))?)?))
}

fn meta_key(rest: &[u8]) -> Vec<u8> {
    [&[Space::Meta as u8], rest].concat()
}

fn version_key() -> Vec<u8> {
    meta_key(b"v")
}

fn named_key(kind: u8, name: &str) -> Vec<u8> {
    meta_key(&[&[kind], name.as_bytes()].concat())
}

fn definitions_of(database: u32) -> KeyRange {
    KeyRange::prefix(&meta_key(&[&b"c"[..], &database.to_be_bytes()].concat()))
}

fn definition_key(database: u32, kind: Kind, oid: u32) -> Vec<u8> {
    let mut key = definitions_of(database).start;
    key.push(kind as u8);
    key.extend_from_slice(&oid.to_be_bytes());
    key
}

impl Catalog {
    /// The definitions that every new database has.
    pub fn new(database: &DatabaseDef, version: u64) -> Self {
        let mut catalog = Self {
            version,
            database: database.name.clone(),
            database_oid: database.oid,
            ..Self::default()
        };
        for (oid, name) in [(11, "pg_catalog"), (2200, "public"), (13_000, "information_schema")] {
            let owner = database.owner.clone();
            catalog.insert(Definition::Schema(SchemaDef { oid, name: name.to_owned(), owner }));
        }
        catalog
    }

    /// Adds a definition, or puts it in the place of the one with its OID.
    pub fn insert(&mut self, definition: Definition) {
        match definition {
            Definition::Schema(def) => {
                self.schemas.insert(def.name.clone(), def);
            }
            Definition::Table(def) => {
                self.name_table(&def);
                self.tables.insert(def.oid, def);
            }
            Definition::View(def) => {
                self.forget_relations(def.oid);
                let name = (def.schema.clone(), def.name.clone());
                self.relations.insert(name, Relation::View(def.oid));
                let rows = def.materialized.and_then(|oid| self.tables.get(&oid).cloned());
                self.views.insert(def.oid, def);
                rows.iter().for_each(|table| self.name_table(table));
            }
            Definition::Sequence(def) => {
                self.forget_relations(def.oid);
                let name = (def.schema.clone(), def.name.clone());
                self.relations.insert(name, Relation::Sequence(def.oid));
                self.sequences.insert(def.oid, def);
            }
            Definition::Type(def) => {
                self.types.insert(def.oid, def);
            }
            Definition::Function(def) => {
                self.functions.insert(def.oid, def);
            }
        }
    }

    /// Takes a definition out.
    pub fn remove(&mut self, definition: &Definition) {
        match definition {
            Definition::Schema(def) => {
                self.schemas.remove(&def.name);
            }
            Definition::Table(def) => {
                self.forget_relations(def.oid);
                self.tables.remove(&def.oid);
            }
            Definition::View(def) => {
                self.forget_relations(def.oid);
                self.views.remove(&def.oid);
            }
            Definition::Sequence(def) => {
                self.forget_relations(def.oid);
                self.sequences.remove(&def.oid);
            }
            Definition::Type(def) => {
                self.types.remove(&def.oid);
            }
            Definition::Function(def) => {
                self.functions.remove(&def.oid);
            }
        }
    }

    /// Enters a table and its indexes under their names.
    fn name_table(&mut self, table: &TableDef) {
        self.forget_relations(table.oid);
        let own = (table.schema.clone(), table.name.clone());
        self.relations.insert(own, Relation::Table(table.oid));
        let schema = self.known_name(table).0.to_owned();
        for (index, name) in table.index_names() {
            let name = (schema.clone(), name.to_owned());
            self.relations.insert(name, Relation::Index(index, table.oid));
        }
    }

    fn forget_relations(&mut self, oid: u32) {
        self.relations.retain(|_, relation| match relation {
            Relation::Table(own) | Relation::View(own) | Relation::Sequence(own) => *own != oid,
            Relation::Index(_, table) => *table != oid,
        });
    }
}

#[cfg(test)]
mod tests {
    use cairn_engine::{Isolation, Options};

    use super::*;

    fn sequence(oid: u32, name: &str) -> Definition {
        Definition::Sequence(Arc::new(SequenceDef {
            oid,
            schema: "public".to_owned(),
            name: name.to_owned(),
            owner: "cairn".to_owned(),
            ty: crate::value::Type::Int8.into(),
            start: 1,
            increment: 1,
            min: 1,
            max: i64::MAX,
            cache: 1,
            is_cycle: false,
            owned_by: None,
        }))
    }

    #[test]
    fn definitions_survive_reopening() {
        let db = Db::in_memory(Options::default()).unwrap();
        let store = CatalogStore::open(&db).unwrap();
        let txn = db.begin(Isolation::ReadCommitted);
        let mut change = store.begin_change(&txn, "cairn", None, WaitPolicy::NoWait).unwrap();
        change.put(&txn, sequence(store.next_object_id().unwrap(), "s")).unwrap();
        change.comment(&txn, FIRST_OBJECT_ID, 0, Some("numbers".to_owned())).unwrap();
        txn.commit().unwrap();
        store.publish(Arc::new(change.catalog), change.globals).unwrap();

        let reopened = CatalogStore::open(&db).unwrap().current("cairn").unwrap();
        let relation = reopened.resolve(None, "s", &["public".to_owned()]);
        assert_eq!(relation, Some(Relation::Sequence(FIRST_OBJECT_ID)));
        assert_eq!(reopened.comments[&(FIRST_OBJECT_ID, 0)], "numbers");
        assert_eq!(reopened.version, store.current("cairn").unwrap().version);
    }

    #[test]
    fn a_rolled_back_change_leaves_nothing() {
        let db = Db::in_memory(Options::default()).unwrap();
        let store = CatalogStore::open(&db).unwrap();
        let txn = db.begin(Isolation::ReadCommitted);
        let mut change = store.begin_change(&txn, "cairn", None, WaitPolicy::NoWait).unwrap();
        change.put(&txn, sequence(store.next_object_id().unwrap(), "s")).unwrap();
        txn.rollback();
        assert!(store.current("cairn").unwrap().sequences.is_empty());
        assert!(CatalogStore::open(&db).unwrap().current("cairn").unwrap().sequences.is_empty());
        assert!(store.next_object_id().unwrap() > FIRST_OBJECT_ID, "ids are never given twice");
    }

    #[test]
    fn changes_wait_for_each_other() {
        let db = Db::in_memory(Options::default()).unwrap();
        let store = CatalogStore::open(&db).unwrap();
        let first = db.begin(Isolation::ReadCommitted);
        let _change = store.begin_change(&first, "cairn", None, WaitPolicy::NoWait).unwrap();
        let second = db.begin(Isolation::ReadCommitted);
        let policy = WaitPolicy::Wait(Some(Duration::from_millis(1)));
        let Err(error) = store.begin_change(&second, "cairn", None, policy) else {
            panic!("two changes at once");
        };
        assert_eq!(error.state(), SqlState::LOCK_NOT_AVAILABLE);
    }

    #[test]
    fn databases_come_and_go() {
        let db = Db::in_memory(Options::default()).unwrap();
        let store = CatalogStore::open(&db).unwrap();
        let txn = db.begin(Isolation::ReadCommitted);
        let mut change = store.begin_change(&txn, "cairn", None, WaitPolicy::NoWait).unwrap();
        let shop = DatabaseDef { oid: 77, name: "shop".to_owned(), owner: "cairn".to_owned() };
        change.put_database(&txn, shop).unwrap();
        txn.commit().unwrap();
        store.publish(Arc::new(change.catalog), change.globals).unwrap();
        assert!(store.current("shop").unwrap().schemas.contains_key("public"));
        assert!(CatalogStore::open(&db).unwrap().current("shop").is_some());
    }
}
