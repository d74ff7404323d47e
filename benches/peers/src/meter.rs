//! What an operation costs: time, processor, disk, memory, of this process and all its threads.

use std::path::Path;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::engines::{Error, Result};

/// Nanoseconds; a latency beyond is counted as this. One minute.
const LATENCY_MAX: u64 = 60_000_000_000;

/// What one phase of one engine took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    pub engine: String,
    pub phase: String,
    pub cache_mib: usize,
    pub round: usize,
    pub operations: u64,
    pub per_second: f64,
    pub cpu_micros: f64,
    pub p50_micros: f64,
    pub p99_micros: f64,
    pub p999_micros: f64,
    pub max_micros: f64,
    /// Bytes handed to the disk for each byte of keys and values written; of phases that write.
    pub write_amplification: Option<f64>,
    /// Bytes on disk for each byte of keys and values that live; where the phase ends settled.
    pub space_amplification: Option<f64>,
    /// The most memory of the process in the phase, mapped files included.
    pub peak_mib: f64,
    /// Memory of its own at the end of the phase: without mapped files.
    pub own_mib: f64,
    /// What else a phase has to say: the cost of the last tenth beside the first, say.
    pub ratio: Option<f64>,
}

/// Measures from its start to its end. Time in [`Meter::aside`] does not count.
pub struct Meter {
    began: Instant,
    processor: Duration,
    written: u64,
    aside: Duration,
    aside_processor: Duration,
    latencies: Histogram<u64>,
    operations: u64,
    user_len: u64,
}

impl Meter {
    pub fn start() -> Result<Self> {
        // Forgets the peak so far.
        std::fs::write("/proc/self/clear_refs", "5")?;
        Ok(Self {
            written: disk_written()?,
            aside: Duration::ZERO,
            aside_processor: Duration::ZERO,
            latencies: Histogram::new_with_bounds(1, LATENCY_MAX, 3)?,
            operations: 0,
            user_len: 0,
            processor: processor(ClockId::ProcessCPUTime),
            began: Instant::now(),
        })
    }

    /// Does what is not to be measured, such as making the data. On this thread only.
    pub fn aside<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let (began, used) = (Instant::now(), processor(ClockId::ThreadCPUTime));
        let made = act();
        self.aside_processor += processor(ClockId::ThreadCPUTime) - used;
        self.aside += began.elapsed();
        made
    }

    /// Does operations, and notes how long they took together.
    pub fn operate<T>(&mut self, count: u64, act: impl FnOnce() -> Result<T>) -> Result<T> {
        let began = Instant::now();
        let done = act()?;
        self.note(count, began.elapsed());
        Ok(done)
    }

    /// As [`Meter::operate`], for what another thread measured.
    pub fn note(&mut self, count: u64, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(LATENCY_MAX);
        self.latencies.saturating_record(nanos);
        self.operations += count;
    }

    /// Bytes of keys and values that were written.
    pub fn wrote(&mut self, len: usize) {
        self.user_len += len as u64;
    }

    /// The end. `live` is the directory with the bytes of keys and values that live in it, when
    /// the phase ends settled.
    pub fn stop(self, live: Option<(&Path, u64)>) -> Result<Measurement> {
        let time = self.began.elapsed().saturating_sub(self.aside);
        let used = processor(ClockId::ProcessCPUTime) - self.processor;
        let used = used.saturating_sub(self.aside_processor);
        let written = disk_written()? - self.written;
        let count = self.operations.max(1) as f64;
        let quantile = |q| self.latencies.value_at_quantile(q) as f64 / 1e3;
        let space = live.map(|(dir, len)| Ok::<_, Error>(disk_len(dir)? as f64 / len as f64));
        Ok(Measurement {
            engine: String::new(),
            phase: String::new(),
            cache_mib: 0,
            round: 0,
            operations: self.operations,
            per_second: count / time.as_secs_f64(),
            cpu_micros: used.as_secs_f64() * 1e6 / count,
            p50_micros: quantile(0.5),
            p99_micros: quantile(0.99),
            p999_micros: quantile(0.999),
            max_micros: self.latencies.max() as f64 / 1e3,
            write_amplification: (self.user_len > 0).then(|| written as f64 / self.user_len as f64),
            space_amplification: space.transpose()?,
            peak_mib: status("VmHWM:")? as f64 / 1024.0,
            own_mib: status("RssAnon:")? as f64 / 1024.0,
            ratio: None,
        })
    }
}

fn processor(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Bytes that this process made the kernel write to disk.
fn disk_written() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/io")?;
    number_of(&text, "write_bytes:").ok_or_else(|| "no write_bytes in /proc/self/io".into())
}

/// Kilobytes, as the kernel counts them for this process.
fn status(name: &str) -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    number_of(&text, name).ok_or_else(|| format!("no {name} in /proc/self/status").into())
}

fn number_of(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Bytes that a directory takes on disk.
fn disk_len(dir: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut len = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        len += if about.is_dir() { disk_len(&entry.path())? } else { about.blocks() * 512 };
    }
    Ok(len)
}
