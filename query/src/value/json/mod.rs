//! `jsonb` documents in their normal form, and the reading and printing of JSON.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

mod build;
mod parse;
mod print;
pub mod raw;

pub use build::JsonBuilder;
pub use parse::{parse, validate};
pub use print::{escape, pretty};

use super::numeric::Numeric;

/// A JSON document in `jsonb`'s normal form: keys unique and sorted by length, then bytes.
#[derive(Clone, Debug)]
pub enum Jsonb {
    /// `null`
    Null,
    /// `true` and `false`
    Bool(bool),
    /// A number; always finite.
    Number(Numeric),
    /// A string.
    String(Arc<str>),
    /// `[…]`
    Array(Vec<Jsonb>),
    /// `{…}`
    Object(Vec<(Arc<str>, Jsonb)>),
}

/// The order of keys: shorter ones first.
pub fn compare_keys(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.as_bytes().cmp(right.as_bytes()))
}

impl Jsonb {
    /// An object of any pairs; of equal keys the last one counts.
    pub fn object(mut pairs: Vec<(Arc<str>, Self)>) -> Self {
        pairs.reverse();
        pairs.sort_by(|left, right| compare_keys(&left.0, &right.0));
        pairs.dedup_by(|later, earlier| later.0 == earlier.0);
        Self::Object(pairs)
    }

    /// A string.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(pairs) => {
                let found = pairs.binary_search_by(|pair| compare_keys(&pair.0, key));
                found.ok().map(|position| &pairs[position].1)
            }
            _ => None,
        }
    }

    /// The element at a position; negative ones count from the end.
    pub fn at(&self, position: i64) -> Option<&Self> {
        match self {
            Self::Array(elements) => {
                let position =
                    if position < 0 { position + elements.len() as i64 } else { position };
                elements.get(usize::try_from(position).ok()?)
            }
            _ => None,
        }
    }

    /// What `jsonb_typeof` says.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Whether it is neither an array nor an object.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// As `->>` and `#>>` give it: strings bare, `null` as nothing.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::String(text) => Some(text.to_string()),
            other => Some(other.to_string()),
        }
    }

    /// Whether it contains the other (`@>`).
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(_), Self::Object(pairs)) => {
                let holds = |pair: &(Arc<str>, Self)| {
                    self.get(&pair.0).is_some_and(|value| value.contains_element(&pair.1))
                };
                pairs.iter().all(holds)
            }
            (Self::Array(have), Self::Array(wanted)) => wanted
                .iter()
                .all(|element| have.iter().any(|candidate| candidate.contains_element(element))),
            // An array contains a scalar of its own; this holds at the top level only.
            (Self::Array(have), scalar) if scalar.is_scalar() => have.iter().any(|e| e == scalar),
            (left, right) => left == right,
        }
    }

    fn contains_element(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(_), scalar) if scalar.is_scalar() => false,
            _ => self.contains(other),
        }
    }

    /// Roughly how many bytes it occupies.
    pub fn memory_len(&self) -> usize {
        let held = match self {
            Self::Number(number) => number.memory_len(),
            Self::String(text) => text.len(),
            Self::Array(elements) => elements.iter().map(Self::memory_len).sum(),
            Self::Object(pairs) => {
                pairs.iter().map(|pair| 16 + pair.0.len() + pair.1.memory_len()).sum()
            }
            Self::Null | Self::Bool(_) => 0,
        };
        size_of::<Self>() + held
    }

    /// Objects are largest, then arrays, booleans, numbers, strings, null.
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::String(_) => 1,
            Self::Number(_) => 2,
            Self::Bool(_) => 3,
            Self::Array(_) => 4,
            Self::Object(_) => 5,
        }
    }
}

impl Ord for Jsonb {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Array(a), Self::Array(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            (Self::Object(a), Self::Object(b)) => a.len().cmp(&b.len()).then_with(|| {
                let mut pairs = a.iter().zip(b);
                let order = pairs.find_map(|(a, b)| {
                    let order = compare_keys(&a.0, &b.0).then_with(|| a.1.cmp(&b.1));
                    order.is_ne().then_some(order)
                });
                order.unwrap_or(Ordering::Equal)
            }),
            // An old quirk that Postgres keeps: the empty array is less than everything else.
            (Self::Array(a), b) if a.is_empty() && !matches!(b, Self::Object(_)) => Ordering::Less,
            (a, Self::Array(b)) if b.is_empty() && !matches!(a, Self::Object(_)) => {
                Ordering::Greater
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Jsonb {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Jsonb {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Jsonb {}

impl Hash for Jsonb {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Null => {}
            Self::Bool(value) => value.hash(state),
            Self::Number(value) => value.hash(state),
            Self::String(value) => value.hash(state),
            Self::Array(elements) => elements.hash(state),
            Self::Object(pairs) => pairs.hash(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Jsonb {
        parse(text).unwrap()
    }

    #[test]
    fn keys_are_unique_and_sorted() {
        assert_eq!(json(r#"{"bb":1,"a":2,"bb":3}"#).to_string(), r#"{"a": 2, "bb": 3}"#);
    }

    #[test]
    fn containment() {
        assert!(json(r#"{"a":[1,2],"b":3}"#).contains(&json(r#"{"a":[2]}"#)));
        assert!(json("[1,2]").contains(&json("1")));
        assert!(!json("[[1],2]").contains(&json("1")));
        assert!(!json("1").contains(&json("[1]")));
    }

    #[test]
    fn order() {
        assert!(json("{}") > json("[1]") && json("true") > json("5") && json("5") > json("\"x\""));
        assert!(json("1.0") == json("1.00"));
    }
}
