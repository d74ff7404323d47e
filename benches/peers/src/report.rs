//! Medians of the rounds as a table.

use std::fmt::Write;

use crate::meter::Measurement;

/// What the others are compared with.
pub const BASE: &str = "rocksdb";

/// The median over the rounds of one engine, phase and cache size.
pub struct Median<'a> {
    rounds: Vec<&'a Measurement>,
}

impl<'a> Median<'a> {
    pub fn of(results: &'a [Measurement], engine: &str, phase: &str, cache_mib: usize) -> Self {
        let is_wanted =
            |m: &&Measurement| m.engine == engine && m.phase == phase && m.cache_mib == cache_mib;
        Self { rounds: results.iter().filter(is_wanted).collect() }
    }

    /// The median of one figure; none when no round has it.
    pub fn get(&self, figure: impl Fn(&Measurement) -> Option<f64>) -> Option<f64> {
        let mut values: Vec<f64> = self.rounds.iter().filter_map(|m| figure(m)).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }
}

/// Whether a phase waits for the disk, so that its rate is what counts; for all others it is the
/// processor's time.
fn is_rate(phase: &str) -> bool {
    phase.starts_with("durable") || phase.starts_with("reopen")
}

/// How many times as well as the [`BASE`] an engine does.
pub fn ratio(results: &[Measurement], engine: &str, phase: &str, cache_mib: usize) -> Option<f64> {
    let own = Median::of(results, engine, phase, cache_mib);
    let base = Median::of(results, BASE, phase, cache_mib);
    if is_rate(phase) {
        let rate = |m: &Measurement| Some(m.per_second);
        return Some(own.get(rate)? / base.get(rate)?);
    }
    let cost = |m: &Measurement| Some(m.cpu_micros);
    Some(base.get(cost)? / own.get(cost)?)
}

/// The distinct values of a field, in the order in which they first come.
pub fn distinct<'a, T: PartialEq>(
    results: &'a [Measurement],
    field: impl Fn(&'a Measurement) -> T,
) -> Vec<T> {
    let mut found = Vec::new();
    for measured in results {
        let value = field(measured);
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// One table for each cache size.
pub fn table(results: &[Measurement]) -> String {
    let mut out = String::new();
    for cache_mib in distinct(results, |m| m.cache_mib) {
        let rounds = results.iter().map(|m| m.round + 1).max().unwrap_or(0);
        let _ = writeln!(out, "Cache {cache_mib} MiB, medians of {rounds} rounds.\n");
        out.push_str("| phase | engine | per s | CPU us | to RocksDB | p50 us | p99 us | p999 us | longest ms | write amp. | space amp. | peak MiB | own MiB | last : first |\n");
        out.push_str("| --- | --- |");
        out.push_str(&" ---: |".repeat(12));
        out.push('\n');
        for phase in distinct(results, |m| m.phase.as_str()) {
            for engine in distinct(results, |m| m.engine.as_str()) {
                row(&mut out, results, engine, phase, cache_mib);
            }
        }
        out.push('\n');
    }
    out
}

fn row(out: &mut String, results: &[Measurement], engine: &str, phase: &str, cache_mib: usize) {
    let median = Median::of(results, engine, phase, cache_mib);
    let Some(cpu) = median.get(|m| Some(m.cpu_micros)) else { return };
    let ratio = ratio(results, engine, phase, cache_mib);
    let figure = |value: Option<f64>, digits: usize| {
        value.map_or(String::new(), |value| format!("{value:.digits$}"))
    };
    let _ = writeln!(
        out,
        "| {phase} | {engine} | {} | {cpu:.2} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        figure(median.get(|m| Some(m.per_second)), if is_rate(phase) { 1 } else { 0 }),
        figure(ratio, 2),
        figure(median.get(|m| Some(m.p50_micros)), 1),
        figure(median.get(|m| Some(m.p99_micros)), 1),
        figure(median.get(|m| Some(m.p999_micros)), 1),
        figure(median.get(|m| Some(m.max_micros / 1e3)), 1),
        figure(median.get(|m| m.write_amplification), 2),
        figure(median.get(|m| m.space_amplification), 2),
        figure(median.get(|m| Some(m.peak_mib)), 0),
        figure(median.get(|m| Some(m.own_mib)), 0),
        figure(median.get(|m| m.ratio), 2),
    );
}
