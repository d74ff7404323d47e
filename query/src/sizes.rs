//! How much room each table and each index takes: what `cairn stat` prints.

use cairn_engine::{KeyRange, Space, keyspace};

use crate::catalog::{Catalog, IndexDef, IndexMethod, TableDef};
use crate::database::Database;
use crate::define::garbage::space;
use crate::error::Result;

/// One table or index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationSize {
    /// Its database.
    pub database: String,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is: `table`, or how the index is kept.
    pub kind: &'static str,
    /// About how many rows or entries it has, counted with their old versions.
    pub entry_count: u64,
    /// About how many bytes they take in sstables.
    pub len_bytes: u64,
    /// Segments of a full-text or geo index, and their bytes.
    pub segments: Option<(usize, u64)>,
}

impl Database {
    /// Every table and index of every database, by name, each table before its indexes.
    ///
    /// # Errors
    /// XX001.
    pub fn sizes(&self) -> Result<Vec<RelationSize>> {
        let mut sizes = Vec::new();
        for name in self.shared.catalogs.globals().databases.keys() {
            let Some(catalog) = self.shared.catalogs.current(name) else { continue };
            let mut tables: Vec<_> = catalog.tables.values().collect();
            tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
            for table in tables {
                sizes.push(self.table_size(&catalog, table)?);
                for index in &table.indexes {
                    sizes.push(self.index_size(&catalog, table, index)?);
                }
            }
        }
        Ok(sizes)
    }

    /// Bytes of all indexes of a table, segments included.
    ///
    /// # Errors
    /// XX001.
    pub(crate) fn indexes_len(&self, catalog: &Catalog, table: &TableDef) -> Result<u64> {
        table.indexes.iter().try_fold(0, |len: u64, index| {
            let size = self.index_size(catalog, table, index)?;
            let segments = size.segments.map_or(0, |(_, bytes)| bytes);
            Ok(len.saturating_add(size.len_bytes).saturating_add(segments))
        })
    }

    fn table_size(&self, catalog: &Catalog, table: &TableDef) -> Result<RelationSize> {
        let range = KeyRange::prefix(&keyspace::prefix(Space::Row, table.storage()));
        let size = self.engine().measure(&range)?;
        Ok(RelationSize {
            database: catalog.database.clone(),
            schema: table.schema.clone(),
            name: table.name.clone(),
            kind: "table",
            entry_count: size.entry_count,
            len_bytes: size.len_bytes,
            segments: None,
        })
    }

    fn index_size(
        &self,
        catalog: &Catalog,
        table: &TableDef,
        index: &IndexDef,
    ) -> Result<RelationSize> {
        let range = KeyRange::prefix(&keyspace::prefix(space(index.method), index.storage()));
        let size = self.engine().measure(&range)?;
        let (kind, segments) = match index.method {
            IndexMethod::Ordered => ("ordered index", None),
            IndexMethod::Inverted => ("inverted index", None),
            IndexMethod::FullText => {
                let index = self.engine().text_index(index.storage())?;
                ("full-text index", Some(index.segments()))
            }
            IndexMethod::Geo => {
                let index = self.engine().geo_index(index.storage())?;
                ("geo index", Some(index.segments()))
            }
        };
        Ok(RelationSize {
            database: catalog.database.clone(),
            schema: table.schema.clone(),
            name: index.name.clone(),
            kind,
            entry_count: size.entry_count,
            len_bytes: size.len_bytes,
            segments,
        })
    }
}
