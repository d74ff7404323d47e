//! System catalogs and `information_schema`: tables that clients ask about.
//!
//! Each is a list of columns and a function that makes its rows out of the definitions that the
//! statement was bound against, or, for what changes by itself (`pg_stat_activity`, `pg_locks`),
//! out of the running system. Nothing of it is stored. One file holds one catalog or a close
//! family; [`CATALOGS`] lists them all.

use crate::error::{Error, Result};
use crate::expression::EvalContext;
use crate::plan::Row;
use crate::value::{SqlType, Type};
use reader::Reader;

mod activity;
mod attribute;
mod cell;
mod class;
mod constraint;
mod database;
mod depend;
mod description;
mod empty;
mod extension;
mod function;
mod index;
mod information_schema;
mod listing;
mod namespace;
mod operator;
pub(crate) mod reader;
mod rewrite;
mod role;
mod sequence;
mod spatial;
mod text_search;
mod types;

pub(crate) use database::UTF8;
pub(crate) use function::{arguments_text, listed, result_text};
pub(crate) use types::schema_of as type_schema;

/// The OID of `pg_catalog`.
pub(crate) const PG_CATALOG: u32 = 11;
/// The OID of `public`.
pub(crate) const PUBLIC: u32 = 2200;
/// The OID of `information_schema`.
pub(crate) const INFORMATION_SCHEMA: u32 = 13_000;
/// The OID of the superuser that every data directory begins with.
pub(crate) const BOOTSTRAP_ROLE: u32 = 10;
/// What catalogs without an OID of their own are counted from.
const FIRST_UNNUMBERED: u32 = 13_100;

/// One system catalog.
pub(crate) struct SystemCatalog {
    /// Postgres' OID for it, or 0 where nobody depends on the number.
    pub oid: u32,
    /// The OID of its schema.
    pub schema: u32,
    /// Its name.
    pub name: &'static str,
    /// Its columns: name and type, separated by commas.
    pub columns: &'static str,
    /// Makes its rows.
    pub rows: fn(&Reader<'_>) -> Result<Vec<Row>>,
}

/// Every system catalog; a plan refers to one by its position.
static CATALOGS: &[&[SystemCatalog]] = &[
    class::CATALOGS,
    attribute::CATALOGS,
    namespace::CATALOGS,
    types::CATALOGS,
    index::CATALOGS,
    constraint::CATALOGS,
    function::CATALOGS,
    operator::CATALOGS,
    role::CATALOGS,
    database::CATALOGS,
    sequence::CATALOGS,
    listing::CATALOGS,
    description::CATALOGS,
    depend::CATALOGS,
    extension::CATALOGS,
    rewrite::CATALOGS,
    activity::CATALOGS,
    empty::CATALOGS,
    information_schema::CATALOGS,
    spatial::CATALOGS,
    text_search::CATALOGS,
];

fn all() -> impl Iterator<Item = &'static SystemCatalog> {
    CATALOGS.iter().copied().flatten()
}

/// The name of a system schema.
pub(crate) fn schema_name(oid: u32) -> &'static str {
    match oid {
        PUBLIC => "public",
        INFORMATION_SCHEMA => "information_schema",
        _ => "pg_catalog",
    }
}

/// The position of a catalog by its name. `pg_catalog` and `public` are found without a schema.
pub(crate) fn find(schema: Option<&str>, name: &str) -> Option<usize> {
    all().position(|catalog| {
        let of = schema_name(catalog.schema);
        let is_meant = schema.map_or(of != "information_schema", |schema| schema == of);
        catalog.name == name && is_meant
    })
}

/// The OID of the catalog at a position.
pub(crate) fn oid(position: usize) -> u32 {
    let named = all().nth(position).map_or(0, |catalog| catalog.oid);
    match (named, u32::try_from(position)) {
        (0, Ok(position)) => FIRST_UNNUMBERED + position,
        (named, _) => named,
    }
}

/// Every catalog with its OID.
pub(crate) fn numbered() -> impl Iterator<Item = (u32, &'static SystemCatalog)> {
    all().enumerate().map(|(position, catalog)| (oid(position), catalog))
}

/// The catalog of an OID.
pub(crate) fn by_oid(oid: u32) -> Option<&'static SystemCatalog> {
    numbered().find(|(own, _)| *own == oid).map(|(_, catalog)| catalog)
}

/// The name of the catalog at a position.
pub(crate) fn name(position: usize) -> &'static str {
    all().nth(position).map_or("", |catalog| catalog.name)
}

/// The schema of the catalog at a position.
pub(crate) fn schema(position: usize) -> &'static str {
    all().nth(position).map_or("", |catalog| schema_name(catalog.schema))
}

/// The rows of the catalog at a position, as of now.
///
/// # Errors
/// What asking the running system meets.
pub(crate) fn rows(position: usize, cx: &EvalContext<'_>) -> Result<Vec<Row>> {
    let catalog = all().nth(position);
    let catalog = catalog.ok_or_else(|| Error::internal("no such system catalog"))?;
    (catalog.rows)(&Reader::new(cx))
}

impl SystemCatalog {
    /// Its columns.
    pub(crate) fn columns(&self) -> Vec<(String, SqlType)> {
        self.columns.split(", ").filter_map(column).collect()
    }

    /// Whether Postgres computes it too, as a view.
    pub(crate) fn is_view(&self) -> bool {
        self.oid == 0 && self.name != "spatial_ref_sys"
    }
}

/// The columns of the catalog at a position.
pub(crate) fn columns(position: usize) -> Vec<(String, SqlType)> {
    all().nth(position).map(SystemCatalog::columns).unwrap_or_default()
}

fn column(text: &str) -> Option<(String, SqlType)> {
    let (name, ty) = text.split_once(' ')?;
    let ty = match ty {
        "\"char\"" => SqlType::new(Type::Char),
        "\"char\"[]" => SqlType::new(Type::Char.array()),
        ty => Type::from_name(ty, &[]).ok()??,
    };
    Some((name.to_owned(), ty))
}

#[cfg(test)]
mod tests;
