//! `jsonb` documents.

/// A parsed JSON document in `jsonb`'s normal form.
#[derive(Clone, Debug, PartialEq)]
pub struct Jsonb(pub serde_json::Value);
