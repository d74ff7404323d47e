//! Postgres' text search: `tsvector`, `tsquery`, configurations, ranking.

/// A sorted list of lexemes with positions and weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TsVector {}

/// A boolean query over lexemes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TsQuery {}
