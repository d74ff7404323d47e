//! One seeded trace through both styles of compaction: what is written, read and held for each byte
//! of the user, and what that costs. The result is a Markdown table.
//!
//! - [`trace`]: the operations, the same for both
//! - [`measure`]: one style's run
//!
//! Linux only: it reads `/proc`.

mod measure;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use cairn_engine::CompactionStyle;
use clap::Parser;
use measure::Measured;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Runs one trace through levelled and tiered compaction and prints a table.
#[derive(Parser)]
#[command(name = "amplification")]
pub(crate) struct Arguments {
    /// How many keys there are
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    keys: u64,
    /// How often each is updated, on average, after all were written once
    #[arg(long, value_name = "N", default_value_t = 4)]
    updates: u64,
    /// Bytes of a value, which do not compress
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    value: usize,
    /// Bytes of a memtable, in MiB; the base level is as large
    #[arg(long, value_name = "MIB", default_value_t = 8)]
    memtable: usize,
    /// Bytes of the block cache, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 32)]
    cache: usize,
    /// Threads that flush and compact
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
    /// Where random draws begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Keeps the data in this directory, one directory for each style, for `cairn stat --plot`
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("amplification: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let root = arguments.data.as_deref().unwrap_or(temporary.path());
    let mut runs = Vec::new();
    for style in [CompactionStyle::Levelled, CompactionStyle::Tiered] {
        eprintln!("{style} …");
        runs.push(measure::run(arguments, style, &root.join(style.to_string()))?);
    }
    println!("| | levelled | tiered |\n|---|---:|---:|");
    let rows = runs.iter().map(Measured::rows).collect::<Vec<_>>();
    if let [levelled, tiered] = rows.as_slice() {
        for ((name, left), (_, right)) in levelled.iter().zip(tiered) {
            println!("| {name} | {left} | {right} |");
        }
    }
    Ok(())
}
