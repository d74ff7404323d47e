//! `CREATE SEQUENCE`, as `pg_dump` prints it.

use super::DefinitionSql;
use crate::catalog::SequenceDef;
use crate::identifier::quote_qualified;
use crate::value::Type;

impl DefinitionSql<'_> {
    /// The statement that makes a sequence; who owns it is another statement.
    pub fn create_sequence(&self, sequence: &SequenceDef) -> String {
        let name = quote_qualified(&sequence.schema, &sequence.name);
        let mut text = format!("CREATE SEQUENCE {name}\n");
        if sequence.ty.base != Type::Int8 {
            text.push_str(&format!("    AS {}\n", self.type_name(&sequence.ty)));
        }
        text.push_str(&sequence_options(sequence));
        text
    }

    /// What `ALTER TABLE … ADD GENERATED … AS IDENTITY` says of the sequence.
    pub fn identity_options(&self, sequence: &SequenceDef) -> String {
        let name = quote_qualified(&sequence.schema, &sequence.name);
        format!("    SEQUENCE NAME {name}\n{}", sequence_options(sequence))
    }
}

/// START, INCREMENT, bounds, CACHE and CYCLE, a line each.
fn sequence_options(sequence: &SequenceDef) -> String {
    let (least, most) = default_bounds(&sequence.ty.base, sequence.increment > 0);
    let min = match sequence.min {
        min if min == least => "NO MINVALUE".to_owned(),
        min => format!("MINVALUE {min}"),
    };
    let max = match sequence.max {
        max if max == most => "NO MAXVALUE".to_owned(),
        max => format!("MAXVALUE {max}"),
    };
    let cycle = if sequence.is_cycle { "\n    CYCLE" } else { "" };
    let (start, increment, cache) = (sequence.start, sequence.increment, sequence.cache);
    format!(
        "    START WITH {start}\n    INCREMENT BY {increment}\n    {min}\n    {max}\n    \
         CACHE {cache}{cycle}"
    )
}

/// The bounds that a sequence has when none are given.
fn default_bounds(ty: &Type, is_ascending: bool) -> (i64, i64) {
    let (least, most) = match ty {
        Type::Int2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        Type::Int4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    if is_ascending { (1, most) } else { (least, -1) }
}
