//! `pg_rewrite`: the rule that makes each view a view.

use super::cell::row;
use super::reader::Reader;
use super::{PG_CATALOG, SystemCatalog};
use crate::error::Result;
use crate::plan::Row;

pub(super) const CATALOGS: &[SystemCatalog] = &[SystemCatalog {
    oid: RULES_OID,
    schema: PG_CATALOG,
    name: "pg_rewrite",
    columns: "oid oid, rulename name, ev_class oid, ev_type \"char\", ev_enabled \"char\", \
        is_instead bool, ev_qual text, ev_action text",
    rows: rules,
}];

/// The OID of `pg_rewrite`.
pub(super) const RULES_OID: u32 = 2618;

/// The rule of a view has the view's number: rules are the only rows of their catalog.
pub(crate) fn rule_oid(view: u32) -> u32 {
    view
}

fn rules(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let row = |view: &std::sync::Arc<crate::catalog::ViewDef>| {
        row![rule_oid(view.oid), "_RETURN", view.oid, '1', 'O', true, "<>", &view.query]
    };
    Ok(reader.views().map(row).collect())
}
