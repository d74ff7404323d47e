//! The types that SQL names, their OIDs and modifiers.

/// A type without its modifier. OIDs are Postgres'; PostGIS' and user types' are ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Type {
    /// A string literal or parameter whose type is not known yet.
    Unknown,
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `oid`
    Oid,
    /// `regclass`
    RegClass,
    /// `regtype`
    RegType,
    /// `regproc`
    RegProc,
    /// `regnamespace`
    RegNamespace,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric`
    Numeric,
    /// `text`
    Text,
    /// `character varying`
    Varchar,
    /// `character(n)`
    Bpchar,
    /// `name`
    Name,
    /// `"char"`
    Char,
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `time with time zone`
    TimeTz,
    /// `timestamp`
    Timestamp,
    /// `timestamp with time zone`
    TimestampTz,
    /// `interval`
    Interval,
    /// `uuid`
    Uuid,
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// `jsonpath`
    JsonPath,
    /// `tsvector`
    TsVector,
    /// `tsquery`
    TsQuery,
    /// `regconfig`
    RegConfig,
    /// `geometry`
    Geometry,
    /// `geography`
    Geography,
    /// `box2d`
    Box2d,
    /// `box3d`
    Box3d,
    /// `int4range`, `numrange`, `tstzrange`, …: the range over this type
    Range(Box<Type>),
    /// The array of this type
    Array(Box<Type>),
    /// A user's enum, by its OID in the catalog
    Enum(u32),
    /// `record`: an anonymous row
    Record,
    /// The row type of a table, by the table's OID
    Row(u32),
    /// `void`: what a function called for its effect returns
    Void,
}

/// A type with its modifier: `varchar(10)`, `numeric(10,2)`, `geography(Point,4326)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct SqlType {
    /// The type.
    pub base: Type,
    /// Postgres' `atttypmod`; -1 when there is none.
    pub modifier: i32,
}

impl SqlType {
    /// A type without a modifier.
    pub fn new(base: Type) -> Self {
        Self { base, modifier: -1 }
    }
}

impl From<Type> for SqlType {
    fn from(base: Type) -> Self {
        Self::new(base)
    }
}
