//! The numbers as a page that an operator reads at a glance.

use std::fmt;
use std::time::Duration;

use super::{LsmStats, ReasonStats, WaitStats};
use crate::lsm::compaction::CompactionJob;

/// A length as people read it.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    #[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let mut value = self.0 as f64;
        let mut unit = "";
        for name in UNITS {
            if value < 1024.0 {
                break;
            }
            (value, unit) = (value / 1024.0, name);
        }
        f.pad(&format!("{value:.1} {unit}"))
    }
}

/// A duration as people read it.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        f.pad(&if seconds < 1.0 {
            format!("{:.1} ms", seconds * 1000.0)
        } else if seconds < 120.0 {
            format!("{seconds:.1} s")
        } else {
            format!("{:.1} min", seconds / 60.0)
        })
    }
}

impl fmt::Display for LsmStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Held(self))?;
        writeln!(f)?;
        self.write_bytes(f)?;
        writeln!(f)?;
        self.write_state(f)
    }
}

/// What is held, without what was done since opening.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a>(pub &'a LsmStats);

impl fmt::Display for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_levels(f)?;
        writeln!(f)?;
        self.0.write_amplifications(f)
    }
}

impl LsmStats {
    fn write_levels(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:>6} {:>12} {:>14} {:>12}",
            "LEVEL", "files", "size", "row versions", "tombstones"
        )?;
        writeln!(
            f,
            "{:<20} {:>6} {:>12} {:>14}",
            "memory",
            1 + self.sealed_memtable_count,
            Size(self.memtable_len_bytes),
            self.memtable_entry_count
        )?;
        for (level, held) in self.levels.iter().enumerate().filter(|(_, held)| held.file_count > 0)
        {
            writeln!(
                f,
                "{level:<20} {:>6} {:>12} {:>14} {:>12}",
                held.file_count,
                Size(held.len_bytes),
                held.entry_count,
                held.tombstone_count
            )?;
        }
        Ok(())
    }

    fn write_amplifications(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "AMPLIFICATION")?;
        let mut line = |name: &str, number: String, meaning: &str| {
            writeln!(f, "{name:<20} {number:>6}    {meaning}")
        };
        let read = self.read_amplification().to_string();
        line("read", read, "places that a lookup may have to look in")?;
        if let Some(space) = self.space_amplification() {
            let meaning = "bytes in sstables for each byte in the bottom level";
            line("space", format!("{space:.2}"), meaning)?;
        }
        if let Some(write) = self.expected_write_amplification() {
            let meaning = "bytes written for each byte committed, at these levels";
            line("write", format!("{write:.1}"), meaning)?;
        }
        if let Some(write) = self.write_amplification() {
            let meaning = "bytes written for each byte committed, since opening";
            line("write, measured", format!("{write:.1}"), meaning)?;
        }
        Ok(())
    }

    fn write_bytes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:>6} {:>12} {:>14} {:>12} {:>10}",
            "SINCE OPENING", "times", "read", "written", "moved", "time"
        )?;
        let mut line = |name: &str, times: String, written: u64| {
            writeln!(f, "{name:<20} {times:>6} {:>12} {:>14}", "", Size(written))
        };
        line("committed", String::new(), self.user_len_written)?;
        line("log", self.wal_sync_count.to_string(), self.wal_len_written)?;
        line("flush", self.flush_count.to_string(), self.flush_len_written)?;
        line("bulk load", String::new(), self.ingest_len_written)?;
        let happened = |counts: &&ReasonStats| counts.merge_count + counts.move_count > 0;
        for counts in self.compactions.iter().filter(happened) {
            writeln!(
                f,
                "{:<20} {:>6} {:>12} {:>14} {:>12} {:>10}",
                format!("for {}", counts.reason),
                counts.merge_count + counts.move_count,
                Size(counts.len_read),
                Size(counts.len_written),
                Size(counts.len_moved),
                Time(counts.time)
            )?;
        }
        Ok(())
    }

    fn write_state(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "STATE")?;
        let compaction = match (self.is_paused, self.running.len()) {
            (true, _) => "paused".to_owned(),
            (false, 0) => "idle".to_owned(),
            (false, 1) => "1 running".to_owned(),
            (false, count) => format!("{count} running"),
        };
        let backlog = Size(self.backlog_len_bytes);
        writeln!(f, "{:<20} {}, {compaction}, {backlog} to do", "compaction", self.style)?;
        for job in &self.running {
            writeln!(f, "{:<20} {job}", "")?;
        }
        writeln!(f, "{:<20} {}", "stalls", self.stalls)?;
        writeln!(f, "{:<20} {}", "slowdowns", self.slowdowns)?;
        write!(f, "{:<20} {}", "block cache", Size(self.cache_len_bytes))?;
        match self.cache_hit_ratio() {
            Some(ratio) => writeln!(f, ", {:.1} % hits", ratio * 100.0)?,
            None => writeln!(f)?,
        }
        let (name, denied) = ("filters", self.filter_denied_count);
        write!(f, "{name:<20} {denied} lookups ended")?;
        match self.filter_usefulness() {
            Some(share) => writeln!(f, ", {:.2} % of those in vain", share * 100.0),
            None => writeln!(f),
        }
    }
}

impl fmt::Display for WaitStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            0 => f.write_str("none"),
            count => {
                write!(f, "{count}, {} in all, longest {}", Time(self.total), Time(self.longest))
            }
        }
    }
}

impl fmt::Display for CompactionJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "level {} to {} for {}: {} of {}",
            self.from_level,
            self.to_level,
            self.reason,
            Size(self.done_bytes),
            Size(self.len_bytes)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short() {
        let lengths = [0, 1023, 1024, 1536, 5 << 20, 3 << 40];
        let shown = lengths.map(|len| Size(len).to_string());
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 MiB", "3.0 TiB"]);
    }

    #[test]
    fn times_are_short() {
        let shown = [0, 1_500, 2_000_000, 600_000_000]
            .map(|micros| Time(Duration::from_micros(micros)).to_string());
        assert_eq!(shown, ["0.0 ms", "1.5 ms", "2.0 s", "10.0 min"]);
    }
}
