//! `cairn verify`: is what is stored what was written, and does it agree with itself?

use std::path::PathBuf;

use cairn::say;
use cairn_engine::Env;
use clap::Args;

use crate::Failure;
use crate::offline::{count, open_read_only};

/// Checks every checksum, level invariant, index and constraint of a data directory
///
/// Reads everything and changes nothing. Findings are printed one per line, with file and offset
/// where they are known, and then a summary. What a crash leaves as well as damage does (a torn write
/// at the end of the log, a file that nothing names) is printed as a note. When files are damaged the check ends there: indexes
/// and rows are compared only when all of it can be read. Exit code 1 when there are findings.
#[derive(Args)]
pub struct Verify {
    /// The data directory; no server may hold it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

impl Verify {
    /// Prints what is wrong.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let dir = self.dir.display();
        let refused = |error| Failure::runtime(format!("could not check {dir}: {error}"));
        let stored = cairn_engine::verify(&Env::read_only(), &self.dir).map_err(refused)?;
        stored.findings.iter().for_each(|finding| say!("{finding}"));
        stored.remarks.iter().for_each(|remark| say!("note: {remark}"));
        let mut summary = vec![
            count(stored.sstable_count as u64, "sstable"),
            count(stored.entry_count, "row version"),
            format!("{} in the log", count(stored.wal_commit_count, "commit")),
            count(stored.segment_count as u64, "index segment"),
        ];
        if !stored.findings.is_empty() {
            summary.push("rows and indexes were not compared".to_owned());
            return conclude(&summary, stored.findings.len());
        }
        let database = open_read_only(&self.dir)?;
        let compared = database.verify().map_err(|error| {
            Failure::runtime(format!("could not check {dir}: {}", error.message()))
        })?;
        compared.findings.iter().for_each(|finding| say!("{finding}"));
        summary.push(count(compared.table_count, "table"));
        summary.push(count(compared.row_count, "row"));
        summary.push(count(compared.entry_count, "index entry"));
        conclude(&summary, compared.findings.len())
    }
}

fn conclude(summary: &[String], findings: usize) -> Result<(), Failure> {
    say!("checked {}", summary.join(", "));
    if findings == 0 {
        say!("all is well");
        return Ok(());
    }
    Err(Failure::runtime(count(findings as u64, "finding")))
}
