//! `cairn repair`: what is left of a damaged data directory, in a new one.

use std::path::{Path, PathBuf};

use cairn::say;
use cairn_engine::lsm::{Loss, LostPlace, PastDamage, Salvage};
use cairn_engine::{Env, KeyRange, Options};
use cairn_query::Database;
use clap::Args;

use crate::Failure;
use crate::offline::{close, count};

/// Salvages a damaged data directory into a new one and says what was lost
///
/// The damaged directory stays as it is. Every row version that can be read is kept; full-text and
/// geo indexes are built anew, ordered ones where they no longer agree with their rows. Printed are
/// each damaged file with offset and expectation, the tables and indexes whose keys were there, and
/// how many row versions at most are gone. Where the newest version of a row was lost, an older one
/// may show. Of the log, what comes before the first damage is kept. Exit code 0 when nothing was
/// lost, 1 when something was or may have been.
#[derive(Args)]
pub struct Repair {
    /// The damaged data directory; no server may hold it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The directory to make; it must not exist
    #[arg(long, value_name = "NEWDIR")]
    into: PathBuf,
    /// Keeps commits of the log that come after a damaged one, too
    #[arg(long)]
    past_damage: bool,
}

impl Repair {
    /// Repairs and reports.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let past_damage = if self.past_damage { PastDamage::Apply } else { PastDamage::Leave };
        let dir = self.dir.display();
        let salvage = cairn_engine::repair(&Env::os(), &self.dir, &self.into, past_damage)
            .map_err(|error| Failure::runtime(format!("could not repair {dir}: {error}")))?;
        let mut lines = Vec::new();
        let mut disagreement = Vec::new();
        match Database::open_existing(Env::os(), &self.into, options()) {
            Ok(database) => {
                report_losses(&salvage, Some(&database), &mut lines);
                disagreement = agree(&database, &self.into)?;
                close(&database)?;
            }
            Err(error) => {
                report_losses(&salvage, None, &mut lines);
                let why = error.message();
                disagreement.push(format!("the definitions cannot be read: {why}"));
            }
        }
        report_log(&salvage, past_damage, &mut lines);
        lines.iter().chain(&disagreement).for_each(|line| say!("{line}"));
        say!(
            "kept {} and {} of the log in {}",
            count(salvage.entry_count, "row version"),
            count(salvage.commit_count, "commit"),
            self.into.display()
        );
        if salvage.is_lossy() || !disagreement.is_empty() {
            return Err(Failure::runtime("something was lost, or may have been"));
        }
        say!("nothing was lost");
        Ok(())
    }
}

fn options() -> Options {
    Options { background_thread_count: 0, ..Options::default() }
}

/// Has indexes that do not agree with their rows built anew; what still does not agree then.
fn agree(database: &Database, dir: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error: cairn_query::Error| {
        Failure::runtime(format!("could not check {}: {}", dir.display(), error.message()))
    };
    if database.verify().map_err(failed)?.findings.is_empty() {
        return Ok(Vec::new());
    }
    let failures = database.reindex();
    let findings = database.verify().map_err(failed)?.findings;
    Ok(failures.into_iter().chain(findings).collect())
}

fn report_losses(salvage: &Salvage, database: Option<&Database>, lines: &mut Vec<String>) {
    for Loss { file, places, entry_count_max } in &salvage.losses {
        let lost = match entry_count_max {
            Some(0) => "no row version is lost".to_owned(),
            Some(lost) => format!("at most {} lost", count(*lost, "row version")),
            None => "nobody can say how much is lost".to_owned(),
        };
        lines.push(format!("{}: {lost}", file.display()));
        for LostPlace { offset, message, keys } in places {
            let at = offset.map_or_else(String::new, |offset| format!("at byte {offset}: "));
            lines.push(format!("  {at}{message}"));
            let keys = keys.as_ref().filter(|_| *entry_count_max != Some(0));
            if let Some(keys) = keys {
                lines.push(format!("    {}", name(keys, database)));
            }
        }
    }
    if salvage.is_manifest_lost {
        let lost = "the list of live files is lost: all were taken; what was dropped or deleted \
                    shortly before may be back";
        lines.push(lost.to_owned());
    }
}

/// The tables and indexes whose keys lie in a range, and the range itself.
fn name(keys: &KeyRange, database: Option<&Database>) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let end = keys.end.as_ref().map_or_else(|| "the end".to_owned(), |end| hex(end));
    let range = format!("keys from {} to {end}", hex(&keys.start));
    let names = database.map_or_else(Vec::new, |database| database.relations_within(keys));
    match names.as_slice() {
        [] => range,
        names => format!("{} ({range})", names.join(", ")),
    }
}

fn report_log(salvage: &Salvage, past_damage: PastDamage, lines: &mut Vec<String>) {
    let Some(behind) = salvage.behind_damage else { return };
    let done = match past_damage {
        PastDamage::Leave => "left out (--past-damage keeps them)",
        PastDamage::Apply => "kept",
    };
    lines.push(format!(
        "{} behind the first damage of the log, from {} to {}: {done}",
        count(behind.commit_count, "commit"),
        behind.first.0,
        behind.last.0
    ));
}
