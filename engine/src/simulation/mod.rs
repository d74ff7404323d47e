//! A whole database on a simulated machine, tried at random against a model.
//!
//! - [`machine`]: files that know what was synced, a power switch, a clock that moves when told;
//! - [`model`]: what the database should hold: every commit, in order;
//! - [`tables`]: what is written: rows, and the entries of derived indexes that follow them;
//! - [`life`]: random operations on an open database, until the power goes;
//! - [`recovery`]: what a cut left, opened and compared;
//! - [`power`]: the test: many seeds, many cuts;
//! - [`disk`]: the other test: every call fails once, or from then on, and the database goes on.
//!
//! There are no threads in a history, so a seed always does the same.

mod disk;
mod life;
mod machine;
mod model;
mod power;
mod recovery;
mod tables;
