//! System catalogs in FROM.

use crate::plan::Node;
use crate::system;
use crate::value::SqlType;

/// A system catalog: its rows and its columns.
pub(crate) struct SystemRelation {
    pub node: Node,
    pub columns: Vec<(String, SqlType)>,
}

/// The system catalog of a name.
pub(crate) fn find(schema: Option<&str>, name: &str) -> Option<SystemRelation> {
    let table = system::find(schema, name)?;
    let node = Node::SystemScan { table, name: system::name(table) };
    Some(SystemRelation { node, columns: system::columns(table) })
}
