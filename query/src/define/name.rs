//! Names that the system chooses, as Postgres chooses them: `urls_pkey`, `seats_event_id_fkey`.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, TableDef};

/// Bytes that a name may have (Postgres' NAMEDATALEN - 1).
const NAME_LEN_MAX: usize = 63;

/// `base_part_label`, shortened to fit, with a number behind it when `is_taken`.
pub(super) fn choose(
    base: &str,
    part: &str,
    label: &str,
    is_taken: impl Fn(&str) -> bool,
) -> String {
    let first = compose(base, part, label);
    if !is_taken(&first) {
        return first;
    }
    (1u32..)
        .map(|number| compose(base, part, &format!("{label}{number}")))
        .find(|name| !is_taken(name))
        .unwrap_or(first)
}

/// A free relation name in a schema; `pending` are names that the same statement will use.
pub(super) fn choose_relation(
    catalog: &Catalog,
    schema: &str,
    (base, part, label): (&str, &str, &str),
    pending: &BTreeSet<String>,
) -> String {
    choose(base, part, label, |name| {
        pending.contains(name)
            || catalog.relations.contains_key(&(schema.to_owned(), name.to_owned()))
    })
}

/// A free constraint name on a table.
pub(super) fn choose_constraint(table: &TableDef, part: &str, label: &str) -> String {
    choose(&table.name, part, label, |name| table.has_constraint(name))
}

/// The longest of base and part gives way, a character at a time, as `makeObjectName` does.
fn compose(base: &str, part: &str, label: &str) -> String {
    let separators = usize::from(!part.is_empty()) + usize::from(!label.is_empty());
    let available = NAME_LEN_MAX.saturating_sub(label.len() + separators);
    let (mut base, mut part) = (base.to_owned(), part.to_owned());
    while base.len() + part.len() > available {
        let longest = if base.len() > part.len() { &mut base } else { &mut part };
        if longest.pop().is_none() {
            break;
        }
    }
    let pieces = [base.as_str(), part.as_str(), label];
    pieces.into_iter().filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_composed_numbered_and_cut() {
        assert_eq!(choose("urls", "", "pkey", |_| false), "urls_pkey");
        assert_eq!(choose("urls", "a_b", "idx", |name| name == "urls_a_b_idx"), "urls_a_b_idx1");
        let long = "x".repeat(70);
        assert_eq!(choose(&long, "col", "key", |_| false).len(), NAME_LEN_MAX);
        assert!(choose(&long, "col", "key", |_| false).ends_with("_col_key"));
    }
}
