//! `cairn restore`: SQL from standard input into a data directory.

use std::io::BufReader;
use std::path::PathBuf;

use cairn::say;
use cairn_engine::Options;
use cairn_query::Database;
use clap::Args;

use crate::Failure;
use crate::offline::{close, count, refused};

/// Bytes that are read at once. 1 MiB.
const BUFFER_LEN: usize = 1 << 20;

/// Runs SQL from standard input: what `cairn dump` or `pg_dump` wrote
///
/// Statements run one after the other as psql runs them, each its own transaction unless the
/// script says BEGIN; rows of COPY are committed in pieces of 16 MiB. The first error ends it and
/// names the line; what was committed before stays, so begin again in a new directory or database.
/// Statements that fail only because they name a role that is not here (ALTER … OWNER TO, GRANT)
/// are left out and reported.
#[derive(Args)]
pub struct Restore {
    /// The data directory; it is made when there is none. No server may hold it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The database to restore into; it is made when there is none
    #[arg(long, value_name = "NAME", default_value = "cairn")]
    database: String,
}

impl Restore {
    /// Runs the script.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let database = Database::open(&self.dir, Options::default())
            .map_err(|error| refused(&self.dir, &error))?;
        let input = BufReader::with_capacity(BUFFER_LEN, std::io::stdin().lock());
        let restored = database.restore(&self.database, input).map_err(|failed| {
            let fields = failed.error.fields();
            let mut message = format!("line {}: {}", failed.line, failed.error);
            for more in [&fields.detail, &fields.hint, &fields.context].into_iter().flatten() {
                message.push_str(&format!("\n  {more}"));
            }
            Failure::runtime(message)
        })?;
        close(&database)?;
        for (line, why) in &restored.skipped {
            eprintln!("cairn: line {line} was left out: {why}");
        }
        let (statements, rows) = (restored.statement_count, restored.row_count);
        say!("restored {}, {}", count(statements, "statement"), count(rows, "copied row"));
        Ok(())
    }
}
