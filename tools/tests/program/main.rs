//! The `cairn` program from the command line: exit codes, refusals, and what it says of a
//! directory that something damaged.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backup;
mod damage;
mod offline;
mod refusals;
mod repair;
mod run;
mod serve;
