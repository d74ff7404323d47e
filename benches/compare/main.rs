//! The demo's workloads on Cairn and on Postgres + PostGIS, side by side: rates, latencies, and
//! what the server's processors were busy for.
//!
//! Both servers are started on directories of this run, loaded with the same data, and asked in
//! turns, so that a busy machine slows both alike. The result is a Markdown table.
//!
//! - [`arguments`]: the command line
//! - [`contestant`]: one of the servers, whichever it is
//! - [`cairn`] and [`postgres`]: how each is started and stopped
//! - [`contest`]: loading, rounds
//! - [`table`]: the result
//!
//! Linux only: it reads `/proc`.

mod arguments;
mod cairn;
mod contest;
mod contestant;
mod postgres;
mod table;

use std::process::ExitCode;

use ::cairn::demo::Result;
use arguments::Arguments;
use clap::Parser;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    // One thread for all clients: the servers are to be busy, not we.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    print!("{}", runtime.block_on(contest::hold(arguments))?);
    Ok(())
}
