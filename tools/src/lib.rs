//! The parts of the `cairn` binary that other crates use too.

pub mod demo;
pub mod output;
