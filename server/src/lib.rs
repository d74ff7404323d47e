//! The Postgres wire protocol, version 3, in front of [`cairn_query`].
//!
//! # Life of a connection
//! 1. [`listener`]: accepted, counted
//! 2. [`startup`]: encryption refused, cancel requests answered, parameters read
//! 3. [`auth`]: who is it, and is that true?
//! 4. [`connection`]: message by message, decoded by [`frontend`], until it ends
//!    - [`simple_query`]: a text with any number of statements
//!    - [`extended_query`]: Parse, Bind, Describe, Execute, Sync
//!    - [`copy`]: rows in bulk
//! 5. [`outbox`]: responses are gathered and leave at once, never before what they depend on is
//!    on disk
//!
//! `pgwire` encodes messages and verifies SCRAM proofs; the loop is ours, because every write to
//! the socket that is saved counts (a point lookup costs less than the system call).

mod auth;
mod connection;
mod copy;
mod extended_query;
mod frontend;
mod listener;
mod outbox;
mod report;
mod row;
mod simple_query;
mod startup;

pub use listener::{Server, ServerOptions};
