//! CREATE INDEX and ALTER INDEX: definitions of indexes, and their entries for existing rows.

use std::sync::Arc;

use cairn_engine::{Direction, Isolation, KeyRange, TableLockMode, Timestamp, Transaction};

use super::{DefineContext, Defined, missing_relation, name, not_a};
use crate::bind::ddl::{CreateIndex, IndexSpec, QualifiedName};
use crate::catalog::{IndexDef, IndexMethod, Relation, RowKeyDef, TableDef};
use crate::error::{Error, Result, SqlState};
use crate::execute::table::Entry;
use crate::execute::table::unique::shared_key;
use crate::plan::{Node, Plan, Row, ScanColumn, TableScan};
use crate::value::{Type, Value};

/// 4 MiB: how much of an index under construction is committed at a time. Large enough to amortise
/// a commit, small enough to keep the build's memory flat.
const BUILD_BATCH_LEN: usize = 4 << 20;

pub(super) fn create(cx: &mut DefineContext<'_>, create: &CreateIndex) -> Result<Defined> {
    let table = cx.table_by_oid(create.table)?;
    cx.check_owner(&table.owner, "table", &table.name)?;
    cx.check_settled(&table, "CREATE INDEX")?;
    let schema = cx.change.catalog.known_name(&table).0.to_owned();
    if let Some(name) = &create.index.name
        && cx.exists_already(&schema, name, create.if_not_exists)?
    {
        return Defined::new("CREATE INDEX");
    }
    cx.lock_table_in(table.oid, TableLockMode::Share)?;
    cx.remove_expired(&table)?;
    let index = Arc::new(self::build(cx, &table, &create.index)?);
    let mut changed = TableDef::clone(&table);
    changed.indexes.push(index.clone());
    let changed = cx.put_table(changed)?;
    fill(cx, &changed, &index)?;
    Defined::new("CREATE INDEX")
}

/// The definition of an index, with a name chosen when the statement has none.
pub(super) fn build(
    cx: &DefineContext<'_>,
    table: &TableDef,
    spec: &IndexSpec,
) -> Result<IndexDef> {
    for key in &spec.keys {
        check_key(spec, &key.ty.base, key.operator_class.as_deref())?;
    }
    let pending = table.index_names().map(|(_, name)| name.to_owned()).collect();
    let (schema, base) = cx.change.catalog.known_name(table);
    let parts = (base, &*spec.key_names.join("_"), "idx");
    let chosen = || name::choose_relation(&cx.change.catalog, schema, parts, &pending);
    let oid = cx.store.next_object_id()?;
    Ok(IndexDef {
        oid,
        storage: oid,
        name: spec.name.clone().unwrap_or_else(chosen),
        table: table.oid,
        method: spec.method,
        keys: spec.keys.clone(),
        included: spec.included.clone(),
        is_unique: spec.is_unique,
        nulls_not_distinct: spec.nulls_not_distinct,
        constraint: None,
        predicate: spec.predicate.clone(),
        declared_method: spec.declared_method.clone(),
        is_deferrable: false,
        is_deferred: false,
    })
}

fn check_key(spec: &IndexSpec, ty: &Type, class: Option<&str>) -> Result<()> {
    let fits = match spec.method {
        IndexMethod::Ordered => ty.is_orderable(),
        IndexMethod::FullText => *ty == Type::TsVector,
        IndexMethod::Geo => matches!(ty, Type::Geometry | Type::Geography),
        IndexMethod::Inverted => {
            !matches!(ty, Type::Text | Type::Varchar | Type::Char | Type::Json)
                || class.is_some_and(|class| class.ends_with("_trgm_ops"))
        }
    };
    if fits {
        return Ok(());
    }
    let method = &spec.declared_method;
    let message = format!(
        "data type {} has no default operator class for access method \"{method}\"",
        ty.name()
    );
    Err(Error::new(SqlState::UNDEFINED_OBJECT, message).with_hint(
        "You must specify an operator class for the index or define a default operator class \
         for the data type.",
    ))
}

/// Makes the entries of an index for the rows that the table has.
///
/// Nobody reads the index before its definition is published, so under READ COMMITTED the entries
/// are committed in batches of bounded size; those of a rolled-back build belong to an object that
/// no definition names. Under a fixed snapshot they are the transaction's own writes.
///
/// # Errors
/// 23505 when a unique index meets duplicates.
pub(super) fn fill(
    cx: &DefineContext<'_>,
    table: &Arc<TableDef>,
    index: &Arc<IndexDef>,
) -> Result<()> {
    let catalog = cx.catalog();
    let writer = cx.runner.table_writer(&catalog, table)?;
    let Some(part) = writer.indexes.iter().find(|part| part.index.oid == index.oid) else {
        return Err(Error::internal("an index without a writer"));
    };
    let mut sink = Sink::new(cx);
    cx.runner.run(&catalog, all_rows(table), &mut |mut row: Row| {
        let Some(Value::RowKey(row_key)) = row.pop() else {
            return Err(Error::internal("a scanned row has no key"));
        };
        let mut entries = Vec::new();
        cx.runner
            .with_eval(&mut |eval| part.push_entries(eval, 0, &row_key, &row, &mut entries))?;
        entries.iter().try_for_each(|entry| sink.put(table, part, &row, entry))
    })?;
    sink.finish()
}

/// A plan that gives all rows of a table: every column, then the row key.
pub(super) fn all_rows(table: &Arc<TableDef>) -> Plan {
    let columns = (0..table.columns.len()).map(ScanColumn::Column);
    Plan::of(Node::Scan(Box::new(TableScan {
        table: table.clone(),
        alias: table.name.clone(),
        output: columns.chain([ScanColumn::RowKey]).collect(),
        filter: None,
    })))
}

/// Makes indexes anew from the rows: those that are named, or all.
pub(super) fn rebuild(cx: &mut DefineContext<'_>, wanted: Option<&[u32]>) -> Result<Defined> {
    let tables: Vec<Arc<TableDef>> = cx.change.catalog.tables.values().cloned().collect();
    for table in tables {
        for old in &table.indexes {
            if wanted.is_none_or(|wanted| wanted.contains(&old.oid)) {
                rebuild_one(cx, table.oid, old)?;
            }
        }
    }
    Defined::new("REINDEX")
}

fn rebuild_one(cx: &mut DefineContext<'_>, table: u32, old: &Arc<IndexDef>) -> Result<()> {
    let table = cx.table_by_oid(table)?;
    cx.check_owner(&table.owner, "index", &old.name)?;
    cx.lock_table(table.oid)?;
    cx.remove_expired(&table)?;
    super::garbage::discard_index(cx.txn, old)?;
    let storage = cx.store.next_object_id()?;
    let new = Arc::new(IndexDef { storage, ..IndexDef::clone(old) });
    let mut changed = TableDef::clone(&table);
    let place = changed.indexes.iter_mut().find(|index| index.oid == old.oid);
    *place.ok_or_else(|| Error::internal("an index is gone"))? = Arc::clone(&new);
    let changed = cx.put_table(changed)?;
    fill(cx, &changed, &new)
}

/// Where the entries of an index under construction go.
struct Sink<'a> {
    cx: &'a DefineContext<'a>,
    batch: Option<Transaction>,
    batch_len: usize,
    last: Timestamp,
}

impl<'a> Sink<'a> {
    fn new(cx: &'a DefineContext<'a>) -> Self {
        let is_batched = cx.txn.isolation() == Isolation::ReadCommitted;
        let batch = is_batched.then(|| cx.db.begin(Isolation::ReadCommitted));
        Self { cx, batch, batch_len: 0, last: Timestamp(0) }
    }

    fn put(
        &mut self,
        table: &TableDef,
        part: &crate::plan::IndexWriter,
        row: &[Value],
        entry: &Entry,
    ) -> Result<()> {
        let txn = self.batch.as_ref().unwrap_or(self.cx.txn);
        let is_taken = if entry.is_unique_later {
            let shared = KeyRange::prefix(shared_key(entry, &entry.value));
            txn.scan_newest(shared, Direction::Forward)?.next().transpose()?.is_some()
        } else {
            entry.is_unique && txn.get_newest(&entry.key)?.is_some()
        };
        if is_taken {
            return Err(duplicate(self.cx, table, part, row)?);
        }
        txn.put(&entry.key, &entry.value)?;
        self.batch_len += entry.key.len() + entry.value.len();
        if self.batch_len > BUILD_BATCH_LEN
            && let Some(full) = self.batch.take()
        {
            self.last = full.commit_logged()?;
            self.batch = Some(self.cx.db.begin(Isolation::ReadCommitted));
            self.batch_len = 0;
        }
        Ok(())
    }

    /// Waits until the entries are durable, so that every later snapshot has them.
    fn finish(mut self) -> Result<()> {
        if let Some(batch) = self.batch.take() {
            self.last = batch.commit_logged()?;
            self.cx.db.wait_durable(self.last)?;
        }
        Ok(())
    }
}

fn duplicate(
    cx: &DefineContext<'_>,
    table: &TableDef,
    part: &crate::plan::IndexWriter,
    row: &[Value],
) -> Result<Error> {
    let name = &part.index.name;
    let values = part.keys.iter().map(|key| cx.runner.eval(key, row));
    let values = values.collect::<Result<Vec<_>>>()?;
    let detail = crate::execute::table::key_detail(table, &part.index, &values);
    Ok(Error::new(SqlState::UNIQUE_VIOLATION, format!("could not create unique index \"{name}\""))
        .with_detail(format!("Key {detail} is duplicated."))
        .on_table(&table.schema, &table.name)
        .on_constraint(name))
}

pub(super) fn alter(
    cx: &mut DefineContext<'_>,
    name: &QualifiedName,
    if_exists: bool,
    rename: Option<&str>,
) -> Result<Defined> {
    let (oid, table) = match cx.resolve(name) {
        Some(Relation::Index(oid, table)) => (oid, table),
        Some(_) => return Err(not_a(name, "index")),
        None if if_exists => {
            let message = format!("relation \"{}\" does not exist, skipping", name.name);
            cx.notice(SqlState::SUCCESSFUL_COMPLETION, message);
            return Defined::new("ALTER INDEX");
        }
        None => return Err(missing_relation(name)),
    };
    if let Some(rename) = rename {
        let table = cx.table_by_oid(table)?;
        let schema = cx.change.catalog.known_name(&table).0.to_owned();
        cx.exists_already(&schema, rename, false)?;
        let mut changed = TableDef::clone(&table);
        self::rename(&mut changed, oid, rename);
        cx.put_table(changed)?;
    }
    Defined::new("ALTER INDEX")
}

/// Gives the index of an OID a new name.
pub(super) fn rename(table: &mut TableDef, oid: u32, new: &str) {
    if let RowKeyDef::PrimaryKey { oid: own, name, .. } = &mut table.row_key
        && *own == oid
    {
        new.clone_into(name);
    }
    for index in table.indexes.iter_mut().filter(|index| index.oid == oid) {
        new.clone_into(&mut Arc::make_mut(index).name);
    }
}
