//! The result as a Markdown table.

use std::fmt::Write;
use std::time::Duration;

use cairn::demo::{Measured, Operation, Result};

/// What one server did with one operation.
struct Score {
    measured: Measured,
    busy: Duration,
}

impl Score {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    fn busy_us(&self) -> f64 {
        self.busy.as_secs_f64() * 1e6 / self.measured.count().max(1) as f64
    }

    fn cells(&self) -> String {
        let ms = |share| self.measured.latency(share).as_secs_f64() * 1e3;
        format!(
            "{:.0} | {:.2} / {:.2} | {:.1}",
            self.measured.per_second(),
            ms(0.5),
            ms(0.99),
            self.busy_us()
        )
    }
}

/// One operation, all servers.
pub(crate) struct Line {
    operation: Operation,
    scores: Vec<Score>,
}

impl Line {
    pub(crate) fn new(operation: Operation) -> Self {
        Self { operation, scores: Vec::new() }
    }

    /// Adds a round of the server at `position`.
    pub(crate) fn add(
        &mut self,
        position: usize,
        measured: Measured,
        busy: Duration,
    ) -> Result<()> {
        match self.scores.get_mut(position) {
            Some(score) => {
                score.busy += busy;
                score.measured.add(&measured)
            }
            None => {
                self.scores.push(Score { measured, busy });
                Ok(())
            }
        }
    }
}

/// A server as a whole.
pub(crate) struct Standing {
    pub(crate) name: String,
    /// How long loading took, and the processor time it took.
    pub(crate) load: Duration,
    pub(crate) load_busy: Duration,
    /// Bytes of memory when everything was loaded, and after the last round.
    pub(crate) memory_loaded: u64,
    pub(crate) memory_after: u64,
    /// From the start of the process to the first answer, where it was measured.
    pub(crate) open: Option<Duration>,
}

/// One operation as a row.
pub(crate) fn line(line: &Line) -> String {
    let cells = line.scores.iter().map(Score::cells).collect::<Vec<_>>().join(" | ");
    let ratio = match line.scores.as_slice() {
        [ours, theirs] => format!(
            " | {:.2}× | {:.2}×",
            ours.measured.per_second() / theirs.measured.per_second(),
            ours.busy_us() / theirs.busy_us()
        ),
        _ => String::new(),
    };
    format!("| {} | {cells}{ratio} |", line.operation.name())
}

/// All of it.
pub(crate) fn print(lines: &[Line], standings: &[Standing]) -> String {
    let mut out = "| operation |".to_owned();
    for standing in standings {
        let name = &standing.name;
        // Writing to a string cannot fail.
        let _ = write!(out, " {name} per s | {name} p50 / p99 ms | {name} CPU µs |");
    }
    let ratio_columns = if standings.len() == 2 { 2 } else { 0 };
    if ratio_columns > 0 {
        out.push_str(" rate | CPU |");
    }
    out.push_str("\n| --- |");
    out.push_str(&" ---: |".repeat(3 * standings.len() + ratio_columns));
    out.push('\n');
    for each in lines {
        let _ = writeln!(out, "{}", line(each));
    }
    out.push_str(
        "\n| server | load s | load CPU s | memory loaded MB | memory after MB | open s |",
    );
    out.push_str("\n| --- | ---: | ---: | ---: | ---: | ---: |\n");
    standings.iter().for_each(|standing| summary(standing, &mut out));
    out
}

fn summary(standing: &Standing, out: &mut String) {
    let megabytes = |bytes: u64| bytes / 1_000_000;
    let open = standing.open.map_or("—".to_owned(), |open| format!("{:.2}", open.as_secs_f64()));
    let _ = writeln!(
        out,
        "| {} | {:.1} | {:.1} | {} | {} | {open} |",
        standing.name,
        standing.load.as_secs_f64(),
        standing.load_busy.as_secs_f64(),
        megabytes(standing.memory_loaded),
        megabytes(standing.memory_after),
    );
}
