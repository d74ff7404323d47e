//! System catalogs in FROM.

use crate::plan::Node;
use crate::system;
use crate::value::SqlType;

/// A system catalog: its rows and its columns.
pub(crate) struct SystemRelation {
    pub oid: u32,
    pub schema: &'static str,
    pub node: Node,
    pub columns: Vec<(String, SqlType)>,
}

/// The system catalog of a name.
pub(crate) fn find(schema: Option<&str>, name: &str) -> Option<SystemRelation> {
    let table = system::find(schema, name)?;
    let node = Node::SystemScan { table, name: system::name(table) };
    let schema = system::schema(table);
    Some(SystemRelation { oid: system::oid(table), schema, node, columns: system::columns(table) })
}
