//! `cairn compact`: a data directory as small as it can be.

use std::path::{Path, PathBuf};

use cairn_engine::{Env, inspect};
use clap::Args;

use crate::Failure;
use crate::offline::{close, count, open_existing, size};

/// Compacts a data directory fully and says what that saved
///
/// Flushes what is in memory, forgets what was dropped, and merges everything into the bottom
/// level, where only the newest version of each row is kept.
#[derive(Args)]
pub struct Compact {
    /// The data directory; no server may hold it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

impl Compact {
    /// Compacts and prints sizes.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let database = open_existing(&self.dir)?;
        let before = total(&self.dir)?;
        let report = database
            .compact()
            .map_err(|error| Failure::runtime(format!("could not compact: {}", error.message())))?;
        close(&database)?;
        drop(database);
        let after = total(&self.dir)?;
        let line = |name: &str, files: usize, len: u64, entries: u64| {
            let (files, entries) = (count(files as u64, "sstable"), count(entries, "row version"));
            println!("{name:<7} {files}, {}, {entries}", size(len));
        };
        line("before", report.file_count_before, report.len_before, report.entry_count_before);
        line("after", report.file_count_after, report.len_after, report.entry_count_after);
        let saved = size(before.saturating_sub(after));
        println!("saved   {saved} of {} in all files", size(before));
        Ok(())
    }
}

/// Bytes of all files.
fn total(dir: &Path) -> Result<u64, Failure> {
    let files = inspect::files(&Env::os(), dir);
    let files = files.map_err(|error| Failure::runtime(error.message()))?;
    Ok(files.iter().map(|file| file.len_bytes).sum())
}
