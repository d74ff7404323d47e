//! `pg_sequence` and `pg_sequences`.

use super::cell::row;
use super::reader::Reader;
use super::{PG_CATALOG, SystemCatalog};
use crate::catalog::SequenceDef;
use crate::error::Result;
use crate::plan::Row;
use crate::value::Value;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 2224,
        schema: PG_CATALOG,
        name: "pg_sequence",
        columns: "seqrelid oid, seqtypid oid, seqstart int8, seqincrement int8, seqmax int8, seqmin int8, \
        seqcache int8, seqcycle bool",
        rows: definitions,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_sequences",
        columns: "schemaname name, sequencename name, sequenceowner name, data_type regtype, \
        start_value int8, min_value int8, max_value int8, increment_by int8, cycle bool, \
        cache_size int8, last_value int8",
        rows: positions,
    },
];

fn definitions(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let row = |sequence: &std::sync::Arc<SequenceDef>| {
        row![
            sequence.oid,
            sequence.ty.base.oid(),
            sequence.start,
            sequence.increment,
            sequence.max,
            sequence.min,
            sequence.cache,
            sequence.is_cycle
        ]
    };
    Ok(reader.sequences().map(row).collect())
}

fn positions(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for sequence in reader.sequences() {
        let oid = Value::Oid(sequence.oid);
        let last = reader.cx.services.system_call("pg_sequence_last_value", &[oid])?;
        rows.push(row![
            &sequence.schema,
            &sequence.name,
            &sequence.owner,
            sequence.ty.base.oid(),
            sequence.start,
            sequence.min,
            sequence.max,
            sequence.increment,
            sequence.is_cycle,
            sequence.cache,
            last
        ]);
    }
    Ok(rows)
}
