//! `pg_index`, `pg_am`, `pg_opclass`, `pg_opfamily`: indexes and how they are kept.

use super::cell::{NULL, row, small};
use super::reader::{Reader, number};
use super::{BOOTSTRAP_ROLE, PG_CATALOG, SystemCatalog};
use crate::catalog::definition_sql::{self, AnyIndex, index::access_method};
use crate::catalog::{IndexConstraint, IndexDef, IndexKey, TableDef};
use crate::error::Result;
use crate::plan::Row;
use crate::value::{Type, Value};

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 2610,
        schema: PG_CATALOG,
        name: "pg_index",
        columns: "indexrelid oid, indrelid oid, indnatts int2, indnkeyatts int2, indisunique bool, \
        indnullsnotdistinct bool, indisprimary bool, indisexclusion bool, indimmediate bool, \
        indisclustered bool, indisvalid bool, indcheckxmin bool, indisready bool, \
        indislive bool, indisreplident bool, indkey int2vector, \
        indcollation oidvector, indclass oidvector, indoption int2vector, indexprs text, indpred text",
        rows: indexes,
    },
    SystemCatalog {
        oid: 2601,
        schema: PG_CATALOG,
        name: "pg_am",
        columns: "oid oid, amname name, amhandler regproc, amtype \"char\"",
        rows: methods,
    },
    SystemCatalog {
        oid: 2616,
        schema: PG_CATALOG,
        name: "pg_opclass",
        columns: "oid oid, opcmethod oid, opcname name, opcnamespace oid, opcowner oid, opcfamily oid, \
        opcintype oid, opcdefault bool, opckeytype oid",
        rows: classes,
    },
    SystemCatalog {
        oid: 2753,
        schema: PG_CATALOG,
        name: "pg_opfamily",
        columns: "oid oid, opfmethod oid, opfname name, opfnamespace oid, opfowner oid",
        rows: families,
    },
];

/// Access methods: OID, name, kind.
const METHODS: &[(u32, &str, char)] = &[
    (2, "heap", 't'),
    (403, "btree", 'i'),
    (405, "hash", 'i'),
    (783, "gist", 'i'),
    (2742, "gin", 'i'),
    (4000, "spgist", 'i'),
    (3580, "brin", 'i'),
];

/// Operator classes: OID, method, name, family's OID, family's name, type.
const CLASSES: &[(u32, &str, &str, u32, &str, Type)] = &[
    (424, "btree", "bool_ops", 424, "bool_ops", Type::Bool),
    (428, "btree", "bytea_ops", 428, "bytea_ops", Type::Bytea),
    (1979, "btree", "int2_ops", 1976, "integer_ops", Type::Int2),
    (1978, "btree", "int4_ops", 1976, "integer_ops", Type::Int4),
    (3124, "btree", "int8_ops", 1976, "integer_ops", Type::Int8),
    (3126, "btree", "text_ops", 1994, "text_ops", Type::Text),
    (3125, "btree", "numeric_ops", 1988, "numeric_ops", Type::Numeric),
    (3123, "btree", "float8_ops", 1970, "float_ops", Type::Float8),
    (3122, "btree", "date_ops", 434, "datetime_ops", Type::Date),
    (3128, "btree", "timestamp_ops", 434, "datetime_ops", Type::Timestamp),
    (3127, "btree", "timestamptz_ops", 434, "datetime_ops", Type::TimestampTz),
    (2968, "btree", "uuid_ops", 2968, "uuid_ops", Type::Uuid),
    (2222, "hash", "bool_ops", 2222, "bool_ops", Type::Bool),
    (1977, "hash", "int4_ops", 1977, "integer_ops", Type::Int4),
    (10_021, "hash", "int8_ops", 1977, "integer_ops", Type::Int8),
    (1995, "hash", "text_ops", 1995, "text_ops", Type::Text),
    (3132, "hash", "date_ops", 435, "date_ops", Type::Date),
    (2969, "hash", "uuid_ops", 2969, "uuid_ops", Type::Uuid),
    (2595, "gin", "tsvector_ops", 3659, "tsvector_ops", Type::TsVector),
    (2596, "gin", "jsonb_ops", 4036, "jsonb_ops", Type::Jsonb),
    (2597, "gin", "jsonb_path_ops", 4037, "jsonb_path_ops", Type::Jsonb),
    (16_380, "gin", "gin_trgm_ops", 16_381, "gin_trgm_ops", Type::Text),
    (16_382, "gist", "gist_geometry_ops_2d", 16_383, "gist_geometry_ops_2d", Type::Geometry),
    (16_384, "gist", "gist_geography_ops", 16_385, "gist_geography_ops", Type::Geography),
];

/// The OID of the class of arrays in gin indexes, and of its family.
const ARRAYS: u32 = 2745;
/// The OID of `anyarray`.
const ANY_ARRAY: u32 = 2277;

/// The OID of an access method.
pub(super) fn method_oid(name: &str) -> u32 {
    METHODS.iter().find(|method| method.1 == name).map_or(0, |method| method.0)
}

fn indexes(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let of_table = |(oid, table): (u32, &TableDef)| {
        let indexes = definition_sql::indexes(table);
        indexes.map(|index| index_row(oid, table, &index)).collect::<Vec<_>>()
    };
    Ok(reader.indexed().flat_map(|(oid, table)| of_table((oid, table))).collect())
}

fn index_row(relation: u32, table: &TableDef, index: &AnyIndex<'_>) -> Row {
    let kept = match index {
        AnyIndex::RowKey(_, _, columns) => return row_key(table, index.oid(), columns),
        AnyIndex::Kept(kept) => kept,
    };
    let is = |constraint| kept.constraint == Some(constraint);
    let keys = kept.keys.iter().map(|key| key.column.map_or(0, number));
    let included = kept.included.iter().map(|position| number(*position));
    let numbers = keys.chain(included).map(Value::Int2).collect();
    let options = kept.keys.iter().map(|key| Value::Int2(options(key))).collect();
    let expressions: Vec<&str> =
        kept.keys.iter().filter_map(|key| key.expression.as_deref()).collect();
    let expressions = (!expressions.is_empty()).then(|| expressions.join(", "));
    let method = access_method(kept);
    let classes = kept.keys.iter().map(|key| Value::Oid(class_of(method, &key.ty.base)));
    let collations = kept.keys.iter().map(|key| super::types::collation(&key.ty.base));
    row![
        kept.oid,
        relation,
        small(kept.keys.len() + kept.included.len()),
        small(kept.keys.len()),
        kept.is_unique,
        kept.nulls_not_distinct,
        is(IndexConstraint::PrimaryKey),
        is(IndexConstraint::Exclusion),
        !kept.is_deferrable,
        false,
        true,
        false,
        true,
        true,
        false,
        Value::vector(Type::Int2, numbers),
        Value::vector(Type::Oid, collations.map(Value::Oid).collect()),
        Value::vector(Type::Oid, classes.collect()),
        Value::vector(Type::Int2, options),
        expressions,
        predicate(kept)
    ]
}

fn predicate(index: &IndexDef) -> Option<&String> {
    index.predicate.as_ref()
}

/// The key that rows are stored by looks like any primary key's index.
fn row_key(table: &TableDef, oid: u32, columns: &[usize]) -> Row {
    let count = small(columns.len());
    let types: Vec<&Type> =
        columns.iter().filter_map(|at| Some(&table.columns.get(*at)?.ty.base)).collect();
    let numbers = columns.iter().map(|position| Value::Int2(number(*position))).collect();
    let collations = types.iter().map(|ty| Value::Oid(super::types::collation(ty))).collect();
    let classes = types.iter().map(|ty| Value::Oid(class_of("btree", ty))).collect();
    let options = columns.iter().map(|_| Value::Int2(0)).collect();
    row![
        oid,
        table.oid,
        count,
        count,
        true,
        false,
        true,
        false,
        true,
        false,
        true,
        false,
        true,
        true,
        false,
        Value::vector(Type::Int2, numbers),
        Value::vector(Type::Oid, collations),
        Value::vector(Type::Oid, classes),
        Value::vector(Type::Int2, options),
        NULL,
        NULL
    ]
}

/// Bit 0: largest first; bit 1: NULLs first.
fn options(key: &IndexKey) -> i16 {
    i16::from(key.is_descending) | (i16::from(key.nulls_first) << 1)
}

/// The usual operator class of a type.
fn class_of(method: &str, ty: &Type) -> u32 {
    if matches!((method, ty), ("gin", Type::Array(_))) {
        return ARRAYS;
    }
    let ty = if *ty == Type::Varchar { &Type::Text } else { ty };
    let found = CLASSES.iter().find(|class| class.1 == method && class.5 == *ty);
    found.map_or(0, |class| class.0)
}

fn methods(_: &Reader<'_>) -> Result<Vec<Row>> {
    Ok(METHODS.iter().map(|(oid, name, kind)| row![*oid, *name, 0_u32, *kind]).collect())
}

fn classes(_: &Reader<'_>) -> Result<Vec<Row>> {
    let row = |(oid, method, name, family, _, ty): &(u32, &str, &str, u32, &str, Type)| {
        let schema = super::types::schema_of(ty);
        let is_default = !matches!(*name, "jsonb_path_ops" | "gin_trgm_ops");
        row![
            *oid,
            method_oid(method),
            *name,
            schema,
            BOOTSTRAP_ROLE,
            *family,
            ty.oid(),
            is_default,
            0_u32
        ]
    };
    let arrays = row![
        ARRAYS,
        method_oid("gin"),
        "array_ops",
        PG_CATALOG,
        BOOTSTRAP_ROLE,
        ARRAYS,
        ANY_ARRAY,
        true,
        0_u32
    ];
    Ok(CLASSES.iter().map(row).chain([arrays]).collect())
}

fn families(_: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut last = 0;
    for (_, method, _, family, name, ty) in CLASSES {
        if *family != last {
            let schema = super::types::schema_of(ty);
            rows.push(row![*family, method_oid(method), *name, schema, BOOTSTRAP_ROLE]);
        }
        last = *family;
    }
    Ok(rows)
}
