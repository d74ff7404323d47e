//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Runs the demo's workloads on Cairn and on Postgres with `PostGIS` and prints a table.
#[derive(Parser)]
#[command(name = "compare")]
pub(crate) struct Arguments {
    /// A Postgres on this machine to compare with, a superuser's URL; without it a private one is
    /// started, where Postgres is installed
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
    /// Compares with nothing
    #[arg(long, conflicts_with = "postgres")]
    pub(crate) alone: bool,
    /// How much data: 1 is a million URLs
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(crate) scale: f64,
    /// Seconds of each round of an operation
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub(crate) seconds: f64,
    /// Rounds of each operation, servers taking turns
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) rounds: u32,
    /// How many clients at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) clients: u32,
    /// Where random draws begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The program to measure; without it, it is built and found beside this one
    #[arg(long, value_name = "PATH")]
    pub(crate) cairn: Option<PathBuf>,
    /// Keeps Cairn's data in this directory; one that holds the data set already is used as it is
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}
