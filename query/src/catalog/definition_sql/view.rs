//! `CREATE VIEW` and `CREATE MATERIALIZED VIEW`. A view's query is shown as it was written.

use super::DefinitionSql;
use crate::catalog::ViewDef;
use crate::identifier::{quote_identifier, quote_qualified};

impl DefinitionSql<'_> {
    /// The query of a view, as `pg_get_viewdef` ends it.
    pub fn view_query(&self, view: &ViewDef) -> String {
        format!(" {};", view.query.trim().trim_end_matches(';'))
    }

    /// The statement that makes a view.
    pub fn create_view(&self, view: &ViewDef) -> String {
        let word = if view.materialized.is_some() { "MATERIALIZED VIEW" } else { "VIEW" };
        let name = quote_qualified(&view.schema, &view.name);
        let columns = view.columns.iter().map(|(name, _)| quote_identifier(name));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let query = self.view_query(view);
        let query = query.trim_end_matches(';');
        let tail = if view.materialized.is_some() { "\n  WITH NO DATA" } else { "" };
        format!("CREATE {word} {name} ({columns}) AS\n{query}{tail}")
    }
}
