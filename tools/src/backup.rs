//! `cairn backup`, `cairn backups`, `cairn recover`: copies of a data directory and the way back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn::say;
use cairn_engine::backup::{self, Backup, Until};
use cairn_engine::{Env, Options, Timestamp};
use cairn_query::value::datetime::format::write_timestamptz;
use cairn_query::value::datetime::parse::{Clock, parse_timestamptz};
use cairn_query::value::datetime::zone::fixed;
use cairn_query::value::datetime::{MICROS_PER_SECOND, UNIX_EPOCH_OFFSET};
use clap::Args;

use crate::Failure;
use crate::offline::{close, count, open_existing, size};

/// From 1970 to 2000, where SQL's times begin, in microseconds.
const EPOCH_OFFSET: i64 = UNIX_EPOCH_OFFSET * MICROS_PER_SECOND;

/// Copies a data directory into a backup directory
///
/// Each backup is a generation of its own; files that an earlier one has are not copied again. A
/// server backs itself up while it runs: SELECT cairn_backup('TARGET').
#[derive(Args)]
pub struct Make {
    /// The data directory; no server may hold it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The backup directory; it is made when there is none
    #[arg(long, value_name = "TARGET")]
    to: PathBuf,
}

/// Lists, checks or removes the backups in a backup directory
#[derive(Args)]
pub struct List {
    /// The backup directory
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// Reads every file and compares it with its checksum; exit code 1 when one is damaged
    #[arg(long)]
    verify: bool,
    /// Removes a backup, and the files that no other one needs
    #[arg(long, value_name = "N", conflicts_with = "verify")]
    remove: Option<u64>,
}

/// Makes a data directory of a backup, and of the archived log up to a moment
///
/// Without --archive it is what the backup holds. With it, the commits that were archived after the
/// newest backup before the moment are added; everything later is left out. The directory appears
/// when all is done.
#[derive(Args)]
pub struct Recover {
    /// The data directory to make; it must not exist
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The backup directory
    #[arg(long, value_name = "TARGET")]
    from: PathBuf,
    /// Which backup; the newest one when not said
    #[arg(long, value_name = "N", conflicts_with = "archive")]
    backup: Option<u64>,
    /// Where `cairn serve --archive` put the log
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// The moment, such as '2030-01-31 12:00:00+01'; UTC without a zone. All that is archived when
    /// not said
    #[arg(long, value_name = "TIME", requires = "archive")]
    until: Option<String>,
    /// The moment as the number of the last commit
    #[arg(long, value_name = "N", requires = "archive", conflicts_with = "until")]
    until_commit: Option<u64>,
}

impl Make {
    /// Makes a backup.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let database = open_existing(&self.dir)?;
        let report = database.engine().backup(&self.to);
        let report = report.map_err(|error| failed("back up", &self.dir, &error))?;
        close(&database)?;
        print(&report.backup);
        let copied = count(report.copied_file_count as u64, "file");
        say!("copied {copied}, {}", size(report.copied_len_bytes));
        Ok(())
    }
}

impl List {
    /// Prints the backups.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let env = Env::os();
        let refused = |error| failed("use", &self.target, &error);
        if let Some(id) = self.remove {
            return backup::remove_backup(&env, &self.target, id).map_err(refused);
        }
        if !self.verify {
            backup::backups(&env, &self.target).map_err(refused)?.iter().for_each(print);
            return Ok(());
        }
        let findings = backup::verify_backups(&env, &self.target).map_err(refused)?;
        findings.iter().for_each(|finding| say!("{finding}"));
        if findings.is_empty() {
            say!("all is well");
            return Ok(());
        }
        Err(Failure::runtime(count(findings.len() as u64, "finding")))
    }
}

impl Recover {
    /// Makes the data directory.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let (env, options) = (Env::os(), Options::default());
        let refused = |error| failed("recover", &self.dir, &error);
        let Some(archive) = &self.archive else {
            let restored = backup::restore(&env, &self.from, self.backup, &self.dir);
            print(&restored.map_err(refused)?);
            return Ok(());
        };
        let until = self.until()?;
        let recovered = backup::recover(&env, &self.from, archive, until, &self.dir, &options);
        let recovered = recovered.map_err(refused)?;
        print(&recovered.backup);
        let time = recovered.time.map_or(String::new(), |time| format!(" of {}", moment(time)));
        let commits = count(recovered.commit_count, "commit");
        say!("added {commits} of the log, up to number {}{time}", recovered.timestamp.0);
        Ok(())
    }

    fn until(&self) -> Result<Until, Failure> {
        match (&self.until, self.until_commit) {
            (Some(time), _) => parse_moment(time).map(Until::Time),
            (None, Some(ts)) => Ok(Until::Timestamp(Timestamp(ts))),
            (None, None) => Ok(Until::Latest),
        }
    }
}

fn failed(action: &str, dir: &Path, error: &cairn_engine::Error) -> Failure {
    Failure::runtime(format!("could not {action} {}: {error}", dir.display()))
}

fn print(backup: &Backup) {
    say!(
        "backup {} of {}: {}, {}, up to commit {}",
        backup.id,
        moment(backup.created),
        count(backup.file_count as u64, "file"),
        size(backup.len_bytes),
        backup.timestamp.0
    );
}

/// A time as people read it, in UTC.
fn moment(unix: Duration) -> String {
    let micros = i64::try_from(unix.as_micros()).unwrap_or(i64::MAX);
    let mut out = String::new();
    if let Some(utc) = fixed(0) {
        write_timestamptz(&mut out, micros.saturating_sub(EPOCH_OFFSET), &utc, ' ');
    }
    out
}

fn parse_moment(text: &str) -> Result<Duration, Failure> {
    let utc = fixed(0).ok_or_else(|| Failure::runtime("there is no UTC"))?;
    let now = i64::try_from(Env::os().clock.unix_time().as_micros()).unwrap_or(i64::MAX);
    let clock = Clock { zone: &utc, now: now.saturating_sub(EPOCH_OFFSET) };
    let micros = parse_timestamptz(text, clock).map_err(|error| Failure::usage(error.message()))?;
    let unix = micros.saturating_add(EPOCH_OFFSET);
    let unix = u64::try_from(unix).map_err(|_| Failure::usage("that time is before 1970"))?;
    Ok(Duration::from_micros(unix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_round_trip() {
        for text in ["2026-12-01 15:04:05.25+00", "1970-01-01 00:00:00+00"] {
            assert_eq!(parse_moment(text).ok().map(moment).as_deref(), Some(text));
        }
        let [east, utc] = ["2026-12-01 15:00:00+01", "2026-12-01 14:00"];
        assert_eq!(parse_moment(east).ok(), parse_moment(utc).ok());
        assert!(parse_moment("yesterday-ish").is_err());
        assert!(parse_moment("1960-01-01").is_err());
    }
}
