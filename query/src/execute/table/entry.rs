//! The index entries that a row implies. Pure: writing, building an index and `verify` share it.

use cairn_engine::{Space, keyspace};

use crate::catalog::{IndexDef, IndexKey, IndexMethod};
use crate::error::Result;
use crate::expression::EvalContext;
use crate::plan::{IndexWriter, TableWriter};
use crate::value::{Type, Value, key};

/// One stored index entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The engine's key.
    pub key: Vec<u8>,
    /// The engine's value.
    pub value: Vec<u8>,
    /// The index, by position in [`TableWriter::indexes`].
    pub index: usize,
    /// Whether no other row may have this key.
    pub is_unique: bool,
    /// Whether no other row may have what stands before the row key here, once the statement or
    /// the transaction ends.
    pub is_unique_later: bool,
}

impl TableWriter {
    /// All index entries of a row.
    ///
    /// # Errors
    /// Whatever the key expressions meet.
    pub fn entries(
        &self,
        cx: &EvalContext<'_>,
        row_key: &[u8],
        row: &[Value],
    ) -> Result<Vec<Entry>> {
        let mut entries = Vec::with_capacity(self.indexes.len());
        for (position, writer) in self.indexes.iter().enumerate() {
            writer.push_entries(cx, position, row_key, row, &mut entries)?;
        }
        Ok(entries)
    }
}

impl IndexWriter {
    /// The entries of a row in this index; `position` is kept in [`Entry::index`].
    ///
    /// # Errors
    /// Whatever the key expressions meet.
    pub fn push_entries(
        &self,
        cx: &EvalContext<'_>,
        position: usize,
        row_key: &[u8],
        row: &[Value],
        entries: &mut Vec<Entry>,
    ) -> Result<()> {
        if let Some(predicate) = &self.predicate
            && !matches!(predicate.eval(cx, row)?, Value::Bool(true))
        {
            return Ok(());
        }
        let values =
            self.keys.iter().map(|key| key.eval(cx, row)).collect::<Result<Vec<Value>>>()?;
        match self.index.method {
            IndexMethod::Ordered => {
                entries.push(ordered(&self.index, position, &values, row_key)?);
            }
            IndexMethod::FullText => {
                let document = super::derived::document(values.first())?;
                let entry =
                    |document| derived(Space::Text, &self.index, position, row_key, document);
                entries.extend(document.map(entry));
            }
            IndexMethod::Geo => {
                let bounds = super::derived::bounds(values.first(), is_geography(&self.index))?;
                let entry = |bounds| derived(Space::Geo, &self.index, position, row_key, bounds);
                entries.extend(bounds.map(entry));
            }
            IndexMethod::Inverted => {
                super::inverted::push_entries(&self.index, position, &values, row_key, entries)?;
            }
        }
        Ok(())
    }
}

fn ordered(index: &IndexDef, position: usize, values: &[Value], row_key: &[u8]) -> Result<Entry> {
    let mut entry = keyspace::prefix(Space::Ordered, index.storage()).to_vec();
    for (definition, value) in index.keys.iter().zip(values) {
        key::encode(&mut entry, value, key_order(definition))?;
    }
    let has_null = values.iter().any(Value::is_null);
    let is_key = index.is_unique && (!has_null || index.nulls_not_distinct);
    let is_unique = is_key && index.is_exclusive();
    if !is_unique {
        entry.extend_from_slice(row_key);
    }
    let value = if index.is_unique { row_key.to_vec() } else { Vec::new() };
    let is_unique_later = is_key && !is_unique;
    Ok(Entry { key: entry, value, index: position, is_unique, is_unique_later })
}

fn derived(
    space: Space,
    index: &IndexDef,
    position: usize,
    row_key: &[u8],
    value: Vec<u8>,
) -> Entry {
    let key = keyspace::key(space, index.storage(), row_key);
    Entry { key, value, index: position, is_unique: false, is_unique_later: false }
}

/// Whether an R-tree is over a geography rather than a geometry.
pub(crate) fn is_geography(index: &IndexDef) -> bool {
    index.keys.first().is_some_and(|key| key.ty.base == Type::Geography)
}

/// How a column of an index is ordered.
pub(crate) fn key_order(key: &IndexKey) -> key::Order {
    key::Order { is_descending: key.is_descending, nulls_first: key.nulls_first }
}
