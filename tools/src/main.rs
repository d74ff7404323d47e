//! The `cairn` binary: one subcommand per file.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod backup;
mod cascade;
mod compact;
mod dump;
mod offline;
mod repair;
mod restore;
mod serve;
mod stat;
mod verify;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A database in one program: SQL, full-text search and maps, spoken to as Postgres is.
#[derive(Parser)]
#[command(name = "cairn", version, about)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Serves a data directory to psql, drivers and GIS tools
    Serve(serve::Serve),
    /// Loads sample data and runs three workloads on it
    Demo(cairn::demo::Demo),
    /// Checks a data directory: checksums, levels, indexes, constraints
    Verify(verify::Verify),
    /// Compacts a data directory fully
    Compact(compact::Compact),
    /// Writes a database as SQL to standard output
    Dump(dump::Dump),
    /// Salvages a damaged data directory into a new one
    Repair(repair::Repair),
    /// Runs SQL from standard input in a data directory
    Restore(restore::Restore),
    /// Copies a data directory into a backup directory, what is new of it
    Backup(backup::Make),
    /// Lists, checks or removes backups
    Backups(backup::List),
    /// Makes a data directory of a backup and the archived log, as it was at a moment
    Recover(backup::Recover),
    /// Prints levels, sizes and amplification of a data directory
    Stat(stat::Stat),
}

/// What went wrong, and the exit code that says so.
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The machine or the data would not have it: exit code 1.
    fn runtime(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// The command line is wrong: exit code 2.
    fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Serve(serve) => serve.run(),
        Verb::Demo(demo) => demo.run().map_err(|error| Failure::runtime(error.to_string())),
        Verb::Verify(verify) => verify.run(),
        Verb::Compact(compact) => compact.run(),
        Verb::Dump(dump) => dump.run(),
        Verb::Repair(repair) => repair.run(),
        Verb::Restore(restore) => restore.run(),
        Verb::Backup(make) => make.run(),
        Verb::Backups(list) => list.run(),
        Verb::Recover(recover) => recover.run(),
        Verb::Stat(stat) => stat.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("cairn: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}
