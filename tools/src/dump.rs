//! `cairn dump`: a database as SQL on standard output.

use std::io::BufWriter;
use std::path::PathBuf;

use clap::Args;

use crate::Failure;
use crate::offline::open_read_only;

/// Bytes that are written at once. 1 MiB.
const BUFFER_LEN: usize = 1 << 20;

/// Writes a database as SQL to standard output
///
/// `cairn restore` loads it to an identical database, and `psql -v ON_ERROR_STOP=1` loads it into
/// Postgres 15 with PostGIS. The directory stays as it is. Roles, owners and privileges are left
/// out, as by `pg_dump --no-owner --no-privileges`.
#[derive(Args)]
pub struct Dump {
    /// The data directory; no server may hold it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The database to dump
    #[arg(long, value_name = "NAME", default_value = "cairn")]
    database: String,
}

impl Dump {
    /// Writes the dump.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let database = open_read_only(&self.dir)?;
        let mut out = BufWriter::with_capacity(BUFFER_LEN, cairn::output::output());
        database
            .dump(&self.database, &mut out)
            .map_err(|error| Failure::runtime(format!("could not dump: {}", error.message())))
    }
}
