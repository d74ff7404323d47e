//! `cairn demo`: a data set of a URL shortener, a ticket shop and a business directory, and what
//! their users do with it.
//!
//! Everything goes over the Postgres protocol, so that the same [`Dataset`], [`load`](mod@load)
//! and [`Operation`]s run against any server that speaks it.
//!
//! - [`schema`]: the tables and indexes
//! - [`Dataset`] and [`rows`]: which rows, drawn from a seed ([`Draw`])
//! - [`load`](mod@load): the rows into the tables, by COPY
//! - [`Operation`] and [`Client`]: what one user does
//! - [`measure`](mod@measure): many users at once for a while, counted
//! - [`local`]: a server in this process to do it with

mod client;
mod command;
mod dataset;
mod draw;
mod error;
pub mod load;
pub mod local;
pub mod measure;
mod operation;
mod report;
pub mod rows;
pub mod schema;
mod words;

pub use client::{Client, Sale, fresh_sale};
pub use command::Demo;
pub use dataset::{Dataset, FIRST_EVENT};
pub use draw::Draw;
pub use error::{Error, Result};
pub use measure::{Measured, measure};
pub use operation::Operation;
