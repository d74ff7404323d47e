//! What an inverted index keeps of a value: its elements, each in an entry of its own.
//!
//! | type | elements |
//! | --- | --- |
//! | array | its elements, without NULL |
//! | `jsonb` | keys and strings, numbers, booleans and nulls, however deep |
//! | text | its trigrams |
//! | others | the value |
//!
//! An entry is the key's position, the element, the row key. Rows with an element are found by a
//! scan of an ordered range; what else is asked of them is checked on the rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use cairn_engine::{Bytes, Space, keyspace};

use super::entry::Entry;
use crate::catalog::IndexDef;
use crate::error::Result;
use crate::text::trigram;
use crate::value::json::Jsonb;
use crate::value::{Value, key};

/// Values before the row key in an entry.
const VALUES_BEFORE_ROW_KEY: usize = 2;

/// The entries of a row; `position` is kept in [`Entry::index`].
///
/// # Errors
/// 0A000 for elements that have no order.
pub(super) fn push_entries(
    index: &IndexDef,
    position: usize,
    values: &[Value],
    row_key: &[u8],
    entries: &mut Vec<Entry>,
) -> Result<()> {
    let mut keys = BTreeSet::new();
    for (at, value) in values.iter().enumerate() {
        for element in elements(value) {
            let mut entry = entry_prefix(index, at, &element)?;
            entry.extend_from_slice(row_key);
            keys.insert(entry);
        }
    }
    let entry = |key| {
        let value = Vec::new();
        Entry { key, value, index: position, is_unique: false, is_unique_later: false }
    };
    entries.extend(keys.into_iter().map(entry));
    Ok(())
}

/// What the entries of all rows with an element begin with.
///
/// # Errors
/// 0A000 for elements that have no order.
pub(crate) fn entry_prefix(index: &IndexDef, at: usize, element: &Value) -> Result<Vec<u8>> {
    let mut prefix = keyspace::prefix(Space::Ordered, index.storage()).to_vec();
    for part in [&key_number(at), element] {
        key::encode(&mut prefix, part, key::Order::default())?;
    }
    Ok(prefix)
}

/// What entries of the index' key at a position begin with.
pub(crate) fn key_number(at: usize) -> Value {
    Value::Int4(i32::try_from(at).unwrap_or(i32::MAX))
}

/// The elements of a value, some perhaps more than once.
pub(crate) fn elements(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(array) => {
            array.elements.iter().filter(|element| !element.is_null()).cloned().collect()
        }
        Value::Jsonb(document) => {
            let mut found = Vec::new();
            push_parts(document, &mut found);
            found
        }
        Value::Text(text) => trigram::shown(text).into_iter().map(Value::text).collect(),
        other => vec![other.clone()],
    }
}

/// A key or a string of a document as an element.
pub(crate) fn json_text(text: &str) -> Value {
    Value::text(format!("s{text}"))
}

fn push_parts(document: &Jsonb, found: &mut Vec<Value>) {
    match document {
        Jsonb::Null => found.push(Value::text("n")),
        Jsonb::Bool(value) => found.push(Value::Bool(*value)),
        Jsonb::Number(number) => found.push(Value::Numeric(Arc::new(number.clone()))),
        Jsonb::String(text) => found.push(json_text(text)),
        Jsonb::Array(elements) => elements.iter().for_each(|part| push_parts(part, found)),
        Jsonb::Object(pairs) => {
            for (key, part) in pairs {
                found.push(json_text(key));
                push_parts(part, found);
            }
        }
    }
}

/// The row key that an entry holds.
///
/// # Errors
/// XX001 when it is no entry.
pub(super) fn row_key(entry: &Bytes) -> Result<Bytes> {
    let mut rest = entry.get(keyspace::PREFIX_LEN..).unwrap_or_default();
    for _ in 0..VALUES_BEFORE_ROW_KEY {
        rest = key::skip(rest, key::Order::default())?;
    }
    Ok(entry.slice(entry.len() - rest.len()..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Array, Type, json};

    fn texts(value: &Value) -> Vec<String> {
        elements(value).iter().map(|element| format!("{element:?}")).collect()
    }

    #[test]
    fn values_are_taken_apart() {
        let array = Array::new(Type::Int4, vec![Value::Int4(1), Value::Null, Value::Int4(1)]);
        assert_eq!(elements(&Value::Array(array.into())).len(), 2);
        let document = json::parse(r#"{"a": [1, "a", {"b": null}], "c": true}"#).unwrap();
        assert_eq!(elements(&Value::Jsonb(document.into())).len(), 7);
        assert_eq!(texts(&Value::text("at")), texts(&Value::text("AT,at")));
        assert!(elements(&Value::Null).is_empty());
    }

    #[test]
    fn equal_numbers_are_equal_elements() {
        let encoded = |text: &str| {
            let mut bytes = Vec::new();
            let document = json::parse(text).unwrap();
            for element in elements(&Value::Jsonb(document.into())) {
                key::encode(&mut bytes, &element, key::Order::default()).unwrap();
            }
            bytes
        };
        assert_eq!(encoded("[1.0, 100]"), encoded("[1, 1e2]"));
    }
}
