//! Processor time and memory of a process and all its descendants, from `/proc`.

use std::collections::BTreeMap;
use std::time::Duration;

use cairn::demo::{Error, Result};

/// The kernel counts processor time for `/proc` in hundredths of a second on every architecture.
const TICKS_PER_SECOND: u64 = 100;

/// One line of `/proc/PID/stat`.
struct Stat {
    parent: u32,
    /// Its own time, and that of children that have ended and were waited for.
    ticks: u64,
}

/// The processor time that a tree of processes has used.
///
/// # Errors
/// When the root is gone.
pub fn processor_time(root: u32) -> Result<Duration> {
    let stats = all();
    let pids = tree(root, &stats);
    if pids.is_empty() {
        return Err(gone(root));
    }
    let ticks: u64 = pids.iter().filter_map(|pid| stats.get(pid)).map(|stat| stat.ticks).sum();
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

/// The memory of a tree of processes, in bytes. A page that several of them share counts once.
///
/// # Errors
/// When the root is gone, or belongs to somebody else.
pub fn memory(root: u32) -> Result<u64> {
    let stats = all();
    let pids = tree(root, &stats);
    let sizes = pids.iter().filter_map(|pid| proportional_set(*pid));
    let sizes = sizes.collect::<Vec<_>>();
    if sizes.is_empty() { Err(gone(root)) } else { Ok(sizes.iter().sum()) }
}

/// The process that started another one.
///
/// # Errors
/// When the process is gone.
pub fn parent(pid: u32) -> Result<u32> {
    stat(pid).map(|stat| stat.parent).ok_or_else(|| gone(pid))
}

fn gone(pid: u32) -> Error {
    Error::new(format!("process {pid} is not there"))
}

fn tree(root: u32, stats: &BTreeMap<u32, Stat>) -> Vec<u32> {
    let mut pids: Vec<u32> = stats.contains_key(&root).then_some(root).into_iter().collect();
    let mut at = 0;
    while let Some(&parent) = pids.get(at) {
        let children = stats.iter().filter(|(_, stat)| stat.parent == parent);
        pids.extend(children.map(|(pid, _)| *pid));
        at += 1;
    }
    pids
}

fn all() -> BTreeMap<u32, Stat> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name, in parentheses, may hold anything; what follows it is numbers.
fn parse_stat(line: &str) -> Option<Stat> {
    let (_, numbers) = line.rsplit_once(')')?;
    let numbers = numbers.split_ascii_whitespace().collect::<Vec<_>>();
    let number = |position: usize| numbers.get(position)?.parse::<u64>().ok();
    let parent = u32::try_from(number(1)?).ok()?;
    let ticks = (11..=14).map(number).sum::<Option<u64>>()?;
    Some(Stat { parent, ticks })
}

fn proportional_set(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kilobytes = line.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let line = "12 (a) b (c) S 7 0 0 0 0 0 0 0 0 0 100 20 3 4 20 0";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.parent, stat.ticks), (7, 127));
        assert!(parse_stat("12 (a").is_none());
        assert!(parse_stat("12 (a) S 7 0").is_none());
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(memory(std::process::id()).unwrap() > 100_000);
        assert!(processor_time(u32::MAX).is_err());
    }
}
