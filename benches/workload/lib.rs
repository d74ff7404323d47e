//! What is measured against: the demo's data set and operations, shared by benches and the
//! comparison.

pub use cairn::demo::{Client, Dataset, Draw, Measured, Operation, load, measure, rows, schema};

pub mod process;
