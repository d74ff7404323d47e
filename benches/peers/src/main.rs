//! Cairn's storage engine beside RocksDB, Fjall, LMDB, redb and SQLite: the same seeded work, the
//! same bytes of cache, interleaved rounds, each engine and round in a process of its own.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --out target/peers
//! ```
//! writes `table.md`, `plot.svg` and the raw `results.jsonl` to the directory given.

mod engines;
mod meter;
mod phases;
mod plot;
mod report;
mod workload;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::{Parser, ValueEnum};

use engines::{Kind, Result};
use meter::Measurement;
use phases::Plan;
use workload::Workload;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the same work on several storage engines and compares them.
#[derive(Parser)]
struct Arguments {
    /// Where results, table and plot are written.
    #[arg(long)]
    out: PathBuf,
    /// Where the databases are kept meanwhile: a directory of this program's own inside it.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    scratch: PathBuf,
    #[arg(long, default_value_t = 5_000_000)]
    records: u64,
    /// Cache sizes in MiB, one comparison for each.
    #[arg(long, value_delimiter = ',', default_value = "256,26")]
    cache_mib: Vec<usize>,
    /// Point reads, and operations of a mix.
    #[arg(long, default_value_t = 1_000_000)]
    operations: u64,
    /// Pushes and pops of the queue; updates of the hot key.
    #[arg(long, default_value_t = 1_000_000)]
    turns: u64,
    /// Seconds of durable commits for each number of threads.
    #[arg(long, default_value_t = 3.0)]
    commit_seconds: f64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[arg(long, default_value_t = 20_261_201)]
    seed: u64,
    /// Engines, all when none is named.
    #[arg(long, value_delimiter = ',')]
    engines: Vec<Kind>,
    /// Only the phases whose names contain one of these; the random load always is.
    #[arg(long, value_delimiter = ',')]
    phases: Vec<String>,
    /// Makes table and plot anew from the results there are.
    #[arg(long)]
    report_only: bool,
    /// What a process of its own is started for.
    #[arg(long, hide = true)]
    child: Option<Child>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Child {
    Run,
    Reopen,
    Crash,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.child {
        Some(child) => arguments.work(child),
        None => arguments.compare(),
    }
}

impl Arguments {
    fn plan(&self, cache_mib: usize) -> Plan {
        Plan {
            workload: Workload { count: self.records, seed: self.seed },
            cache_len: cache_mib << 20,
            operations: self.operations,
            turns: self.turns,
            commit_time: Duration::from_secs_f64(self.commit_seconds),
        }
    }

    fn is_wanted(&self, phase: &str) -> bool {
        self.phases.is_empty() || self.phases.iter().any(|wanted| phase.contains(wanted.as_str()))
    }

    /// A child's work: one engine, one cache size; its measurements go to standard output.
    fn work(&self, child: Child) -> Result<()> {
        let (&[kind], &[cache_mib]) = (self.engines.as_slice(), self.cache_mib.as_slice()) else {
            return Err("a child works for one engine and one cache size".into());
        };
        let (plan, dir) = (self.plan(cache_mib), &self.scratch);
        let done = match child {
            Child::Run => phases::run(kind, &plan, dir, &|phase| self.is_wanted(phase))?,
            Child::Reopen => vec![("reopen", phases::reopen(kind, &plan, dir)?)],
            Child::Crash => return phases::crash(kind, &plan, dir),
        };
        for (phase, measured) in done {
            let (engine, phase) = (kind.name().to_owned(), phase.to_owned());
            let measured = Measurement { engine, phase, cache_mib, ..measured };
            println!("{}", serde_json::to_string(&measured)?);
        }
        Ok(())
    }

    fn compare(&self) -> Result<()> {
        std::fs::create_dir_all(&self.out)?;
        let path = self.out.join("results.jsonl");
        if !self.report_only {
            self.measure(&mut std::fs::File::create(&path)?)?;
        }
        let text = std::fs::read_to_string(&path)?;
        let results =
            text.lines().map(serde_json::from_str).collect::<serde_json::Result<Vec<_>>>()?;
        let table = report::table(&results);
        print!("{table}");
        std::fs::write(self.out.join("table.md"), table)?;
        plot::draw(&results, &self.out.join("plot.svg"))
    }

    fn measure(&self, results: &mut std::fs::File) -> Result<()> {
        let kinds = match self.engines.as_slice() {
            [] => Kind::value_variants(),
            some => some,
        };
        for &cache_mib in &self.cache_mib {
            for round in 0..self.rounds {
                for &kind in kinds {
                    let name = format!("cairn-peers-{}", std::process::id());
                    let scratch = self.scratch.join(name);
                    std::fs::create_dir_all(&scratch)?;
                    let outcome = self.round(kind, cache_mib, &scratch);
                    std::fs::remove_dir_all(&scratch)?;
                    for measured in outcome? {
                        let measured = Measurement { round, ..measured };
                        writeln!(results, "{}", serde_json::to_string(&measured)?)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// One engine's turn.
    fn round(&self, kind: Kind, cache_mib: usize, scratch: &Path) -> Result<Vec<Measurement>> {
        let mut done = self.spawn(kind, cache_mib, scratch, Child::Run)?;
        if self.is_wanted("reopen") {
            let mut reopen = |phase: &str| -> Result<()> {
                let measured = self.spawn(kind, cache_mib, scratch, Child::Reopen)?;
                let phase = phase.to_owned();
                done.extend(
                    measured.into_iter().map(|m| Measurement { phase: phase.clone(), ..m }),
                );
                Ok(())
            };
            reopen("reopen after a clean stop")?;
            self.spawn(kind, cache_mib, scratch, Child::Crash)?;
            reopen("reopen after a crash")?;
        }
        Ok(done)
    }

    fn spawn(
        &self,
        kind: Kind,
        cache_mib: usize,
        scratch: &Path,
        child: Child,
    ) -> Result<Vec<Measurement>> {
        let value = |child: Child| child.to_possible_value().map(|v| v.get_name().to_owned());
        eprintln!("{} {cache_mib} MiB: {}", kind.name(), value(child).unwrap_or_default());
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--out").arg(&self.out).arg("--scratch").arg(scratch);
        command.arg("--child").arg(value(child).unwrap_or_default());
        for (name, value) in [
            ("--engines", kind.name().to_owned()),
            ("--cache-mib", cache_mib.to_string()),
            ("--records", self.records.to_string()),
            ("--operations", self.operations.to_string()),
            ("--turns", self.turns.to_string()),
            ("--commit-seconds", self.commit_seconds.to_string()),
            ("--seed", self.seed.to_string()),
        ] {
            command.arg(name).arg(value);
        }
        if !self.phases.is_empty() {
            command.arg("--phases").arg(self.phases.join(","));
        }
        let output = command.stderr(Stdio::inherit()).output()?;
        let is_crash = matches!(child, Child::Crash);
        if output.status.success() == is_crash {
            return Err(format!("{} ended with {}", kind.name(), output.status).into());
        }
        let text = String::from_utf8(output.stdout)?;
        let lines = text.lines().map(serde_json::from_str);
        Ok(lines.collect::<serde_json::Result<Vec<_>>>()?)
    }
}
