//! Postgres' text search.
//!
//! Text is cut into tokens ([`parser`]), a configuration ([`config`]) lets dictionaries turn them
//! into lexemes ([`dictionary`]); the result is a [`TsVector`]. A [`TsQuery`] says which lexemes a
//! vector must have, [`rank`](mod@rank) and [`cover`] how well it answers. What both look like inside
//! ([`Document`](cairn_engine::index::fulltext::Document),
//! [`TextQuery`](cairn_engine::index::fulltext::TextQuery)) and whether they match is decided in
//! the engine, whose index must agree.

pub mod config;
pub mod cover;
pub mod dictionary;
pub mod parser;
mod query_builder;
mod query_parser;
pub mod rank;
mod reader;
pub mod trigram;
mod ts_query;
mod vector;

pub use config::TextConfig;
pub use ts_query::TsQuery;
pub use vector::TsVector;
