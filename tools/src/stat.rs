//! `cairn stat`: what a data directory holds, in numbers.

use std::path::{Path, PathBuf};

use cairn::say;
use cairn_engine::lsm::events::Event;
use cairn_engine::lsm::stats::Held;
use cairn_engine::{Env, inspect};
use cairn_query::sizes::RelationSize;
use clap::Args;

use crate::offline::{open_read_only, size};
use crate::{Failure, cascade};

/// Prints levels, sizes, amplification, tables and indexes of a data directory
///
/// The directory stays as it is. Rows and bytes of tables and indexes are estimated from the
/// sstables' block indexes, and count versions that a compaction would drop.
#[derive(Args)]
pub struct Stat {
    /// The data directory; no server may hold it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Draws the last run's compaction cascade: levels over time, and which bytes went where, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

impl Stat {
    /// Prints the numbers.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let files = files(&self.dir);
        let events = inspect::events(&Env::os(), &self.dir);
        let database = open_read_only(&self.dir)?;
        let stats = database.engine().stats().lsm;
        let failed = |error: cairn_query::Error| Failure::runtime(error.message());
        let sizes = database.sizes().map_err(failed)?;
        say!("data directory  {}", self.dir.display());
        say!("format version  {}", cairn_engine::FORMAT_VERSION);
        say!("newest commit   {}", database.engine().durable_timestamp().0);
        say!("in the log      {} row versions", stats.memtable_entry_count);
        print_files(&files?);
        say!("\n{}", Held(&stats).to_string().trim_end());
        print_relations(&sizes);
        match &self.plot {
            Some(path) => self.draw(&events.map_err(|e| Failure::runtime(e.message()))?, path),
            None => Ok(()),
        }
    }

    fn draw(&self, events: &[Event], path: &Path) -> Result<(), Failure> {
        let run = cascade::last_run(events);
        if run.is_empty() {
            return Err(Failure::runtime("there is nothing to draw: no event was logged"));
        }
        cascade::draw(run, &self.dir.display().to_string(), path).map_err(|error| {
            Failure::runtime(format!("could not draw {}: {error}", path.display()))
        })
    }
}

/// The files as they lie there: opening shows what recovery makes of them.
fn files(dir: &Path) -> Result<Vec<inspect::FileSize>, Failure> {
    inspect::files(&Env::os(), dir).map_err(|error| Failure::runtime(error.message()))
}

fn print_files(files: &[inspect::FileSize]) {
    let kinds = [
        ("log segments", "wal"),
        ("sstables", "sst"),
        ("full-text segments", "fts"),
        ("geo segments", "geo"),
    ];
    say!("\n{:<20} {:>6} {:>12}", "FILES", "count", "size");
    for (name, ending) in kinds {
        let of_kind =
            files.iter().filter(|file| file.path.extension().is_some_and(|e| e == ending));
        let lengths: Vec<u64> = of_kind.map(|file| file.len_bytes).collect();
        say!("{name:<20} {:>6} {:>12}", lengths.len(), size(lengths.iter().sum()));
    }
    let all = files.iter().map(|file| file.len_bytes).sum();
    say!("{:<20} {:>6} {:>12}", "all", files.len(), size(all));
}

fn print_relations(sizes: &[RelationSize]) {
    say!(
        "\n{:<44} {:<16} {:>12} {:>12} {:>9} {:>12}",
        "TABLE OR INDEX",
        "kind",
        "entries",
        "size",
        "segments",
        "size"
    );
    for relation in sizes {
        let indent = if relation.kind == "table" { "" } else { "  " };
        let name = match relation.kind {
            "table" => format!("{}.{}.{}", relation.database, relation.schema, relation.name),
            _ => format!("{indent}{}", relation.name),
        };
        let (count, len) = match relation.segments {
            Some((count, len)) => (count.to_string(), size(len)),
            None => (String::new(), String::new()),
        };
        let line = format!(
            "{name:<44} {:<16} {:>12} {:>12} {count:>9} {len:>12}",
            relation.kind,
            relation.entry_count,
            size(relation.len_bytes)
        );
        say!("{}", line.trim_end());
    }
}
