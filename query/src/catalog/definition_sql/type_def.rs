//! `CREATE TYPE` and `CREATE DOMAIN`, as `pg_dump` prints them.

use super::DefinitionSql;
use crate::catalog::{TypeDef, TypeKind};
use crate::identifier::{quote_identifier, quote_literal, quote_qualified};

impl DefinitionSql<'_> {
    /// The statement that makes a type.
    pub fn create_type(&self, def: &TypeDef) -> String {
        let name = quote_qualified(&def.schema, &def.name);
        let lines = |lines: Vec<String>| lines.join(",\n");
        match &def.kind {
            TypeKind::Enum(labels) => {
                let labels = labels.iter().map(|label| format!("    {}", quote_literal(label)));
                format!("CREATE TYPE {name} AS ENUM (\n{}\n)", lines(labels.collect()))
            }
            TypeKind::Composite(fields) => {
                let field = |(name, ty): &(String, _)| {
                    format!("    {} {}", quote_identifier(name), self.type_name(ty))
                };
                let fields = fields.iter().map(field).collect();
                format!("CREATE TYPE {name} AS (\n{}\n)", lines(fields))
            }
            TypeKind::Domain { base, is_not_null, default, checks } => {
                let mut text = format!("CREATE DOMAIN {name} AS {}", self.type_name(base));
                if *is_not_null {
                    text.push_str(" NOT NULL");
                }
                if let Some(default) = default {
                    text.push_str(&format!(" DEFAULT {default}"));
                }
                for (check, condition) in checks {
                    let check = quote_identifier(check);
                    text.push_str(&format!("\n    CONSTRAINT {check} CHECK ({condition})"));
                }
                text
            }
        }
    }
}
