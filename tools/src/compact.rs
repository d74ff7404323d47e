//! `cairn compact`: a data directory as small as it can be.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use cairn::say;
use cairn_engine::lsm::compaction::CompactionProgress;
use cairn_engine::lsm::{CompactionControl, CompactionReport};
use cairn_engine::{Env, inspect};
use cairn_query::Database;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::Failure;
use crate::offline::{close, count, open_existing, size};

/// How often the progress is drawn anew.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

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
        let report = compact(&database)
            .map_err(|error| Failure::runtime(format!("could not compact: {}", error.message())))?;
        close(&database)?;
        drop(database);
        let after = total(&self.dir)?;
        let line = |name: &str, files: usize, len: u64, entries: u64| {
            let (files, entries) = (count(files as u64, "sstable"), count(entries, "row version"));
            say!("{name:<7} {files}, {}, {entries}", size(len));
        };
        line("before", report.file_count_before, report.len_before, report.entry_count_before);
        line("after", report.file_count_after, report.len_after, report.entry_count_after);
        let saved = size(before.saturating_sub(after));
        say!("saved   {saved} of {} in all files", size(before));
        Ok(())
    }
}

/// Compacts, and shows how far it is where somebody looks.
fn compact(database: &Database) -> cairn_query::Result<CompactionReport> {
    let control = CompactionControl::default();
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {eta} left  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let (ended, end) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let end = end;
            // Until the other side is gone.
            while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(REDRAW_INTERVAL) {
                show(&bar, &control.progress());
            }
            bar.finish_and_clear();
        });
        let report = database.compact(&control);
        drop(ended);
        report
    })
}

fn show(bar: &ProgressBar, progress: &CompactionProgress) {
    bar.set_length(progress.total_bytes);
    bar.set_position(progress.done_bytes);
    bar.set_message(progress.job.map_or(String::new(), |job| job.to_string()));
}

/// Bytes of all files.
fn total(dir: &Path) -> Result<u64, Failure> {
    let files = inspect::files(&Env::os(), dir);
    let files = files.map_err(|error| Failure::runtime(error.message()))?;
    Ok(files.iter().map(|file| file.len_bytes).sum())
}
