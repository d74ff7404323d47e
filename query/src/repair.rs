//! What a repair of the files leaves to do: to say which tables and indexes lost keys, and to have
//! indexes agree with their rows again.

use cairn_engine::{KeyRange, Space, keyspace};

use crate::database::Database;
use crate::define::garbage::space;
use crate::identifier::quote_qualified;

impl Database {
    /// What has keys in a range: tables and indexes by name, and the definitions themselves.
    pub fn relations_within(&self, keys: &KeyRange) -> Vec<String> {
        let is_in = |prefix: &[u8]| KeyRange::prefix(prefix).overlaps(keys);
        let mut names = Vec::new();
        if is_in(&[Space::Meta as u8]) {
            names.push("definitions and sequences".to_owned());
        }
        for database in self.shared.catalogs.globals().databases.keys() {
            let Some(catalog) = self.shared.catalogs.current(database) else { continue };
            for table in catalog.tables.values() {
                let name = format!("{database}.{}", quote_qualified(&table.schema, &table.name));
                if is_in(&keyspace::prefix(Space::Row, table.storage())) {
                    names.push(format!("table {name}"));
                }
                let indexes = table.indexes.iter();
                let lost = indexes
                    .filter(|index| is_in(&keyspace::prefix(space(index.method), index.storage())));
                names.extend(lost.map(|index| format!("index {} of {name}", index.name)));
            }
        }
        names
    }

    /// Builds every index anew, table by table; one line for each table where that fails.
    pub fn reindex(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for database in self.shared.catalogs.globals().databases.keys() {
            let Some(catalog) = self.shared.catalogs.current(database) else { continue };
            for table in catalog.tables.values().filter(|table| !table.indexes.is_empty()) {
                let name = quote_qualified(&table.schema, &table.name);
                let outcome = self
                    .operator(database)
                    .and_then(|mut session| session.execute(&format!("REINDEX TABLE {name}")));
                if let Err(error) = outcome {
                    failures.push(format!("database {database} table {name}: {error}"));
                }
            }
        }
        failures
    }
}
