//! System catalogs in FROM.

use crate::plan::Node;
use crate::value::SqlType;

/// A system catalog: its rows and its columns.
pub(crate) struct SystemRelation {
    pub node: Node,
    pub columns: Vec<(String, SqlType)>,
}

/// The system catalog of a name.
pub(crate) fn find(_schema: Option<&str>, _name: &str) -> Option<SystemRelation> {
    None
}
