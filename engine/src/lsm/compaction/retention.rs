//! Which row versions and tombstones may go. Pure: entries in, verdicts out.
//!
//! # Invariants
//! - C-1: for every snapshot, be it named or at or above the oldest, the newest row version it can
//!   see is kept.
//! - C-2: a tombstone is dropped only when nothing older can exist beneath it.
//! - C-3: the newest removal of a derived index's entry is kept until the index has it in a
//!   segment: after a crash the index learns of it from nowhere else.

use std::sync::Arc;

use crate::keyspace::split_derived;
use crate::lsm::version::DropMark;
use crate::timestamp::Timestamp;

/// Who may still want old entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Horizon {
    /// No snapshot is older, but for the named ones.
    pub(crate) oldest: Timestamp,
    /// The named snapshots, ascending.
    pub(crate) named: Arc<[Timestamp]>,
    /// Every derived index has the entries up to here in its segments.
    pub(crate) sealed: Timestamp,
}

impl Horizon {
    /// Nobody has said yet which snapshots there are: everything is kept.
    pub(crate) fn unknown() -> Self {
        Self { oldest: Timestamp(0), named: Arc::default(), sealed: Timestamp(0) }
    }

    /// The oldest snapshot that sees a row version unless a newer version hides it, as a number:
    /// of two versions of a key with one number the older is seen by nobody. `None` when any
    /// timestamp may be read at.
    pub(crate) fn first_reader(&self, ts: Timestamp) -> Option<usize> {
        (ts <= self.oldest).then(|| self.named.partition_point(|named| *named < ts))
    }
}

/// What becomes of an entry, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A snapshot may see it.
    KeepVisible,
    /// It is a tombstone that may hide something deeper.
    KeepTombstone,
    /// Every snapshot sees a newer version.
    DropShadowed,
    /// It is a tombstone with nothing left to hide.
    DropTombstone,
    /// Its key range was dropped.
    DropForgotten,
}

impl Verdict {
    pub(crate) fn is_keep(self) -> bool {
        matches!(self, Self::KeepVisible | Self::KeepTombstone)
    }
}

/// Judges the entries of a merge, in order.
pub(crate) struct Retention<'a> {
    horizon: Horizon,
    drops: &'a [DropMark],
    key: Vec<u8>,
    is_begun: bool,
    /// The [first reader](Horizon::first_reader) of the version of `key` met last.
    served: Option<usize>,
}

impl<'a> Retention<'a> {
    pub(crate) fn new(horizon: Horizon, drops: &'a [DropMark]) -> Self {
        Self { horizon, drops, key: Vec::new(), is_begun: false, served: None }
    }

    /// Judges the next entry. Requires: entries come in internal-key order. `is_bottom` answers
    /// whether nothing older of a key can exist outside this merge.
    pub(crate) fn judge(
        &mut self,
        key: &[u8],
        ts: Timestamp,
        is_tombstone: bool,
        is_bottom: impl FnOnce() -> bool,
    ) -> Verdict {
        if !self.is_begun || self.key != key {
            self.key.clear();
            self.key.extend_from_slice(key);
            (self.is_begun, self.served) = (true, None);
        }
        if self.drops.iter().any(|mark| mark.covers(key, ts)) {
            return Verdict::DropForgotten;
        }
        let reader = self.horizon.first_reader(ts);
        if reader.is_some() && reader == self.served {
            return Verdict::DropShadowed;
        }
        self.served = reader;
        let is_awaited = || ts > self.horizon.sealed && split_derived(key).is_some();
        match (is_tombstone, reader) {
            (false, _) => Verdict::KeepVisible,
            // Behind any other reader's a named snapshot may still see an older version.
            (true, Some(0)) if !is_awaited() && is_bottom() => Verdict::DropTombstone,
            (true, _) => Verdict::KeepTombstone,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt::Write;

    use goldenscript::{Command, Context, Runner};

    use super::*;
    use crate::lsm::golden::{key_range, number, run_all};
    use crate::lsm::internal_key::compare;

    /// Row versions written as `key@ts`, and verdicts about them.
    #[derive(Default)]
    struct Judging {
        entries: Vec<(String, Timestamp, Option<String>)>,
        drops: Vec<DropMark>,
    }

    fn parse(text: &str) -> Result<(String, Timestamp), Box<dyn Error>> {
        let (key, ts) = text.split_once('@').ok_or("not key@ts")?;
        Ok((key.to_owned(), Timestamp(ts.parse()?)))
    }

    fn because(verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::KeepVisible => "keep  a snapshot may see it",
            Verdict::KeepTombstone => "keep  it may hide something deeper",
            Verdict::DropShadowed => "drop  shadowed",
            Verdict::DropTombstone => "drop  nothing left to hide",
            Verdict::DropForgotten => "drop  in a dropped range",
        }
    }

    impl Runner for Judging {
        type Command = Command;

        fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
            let mut arguments = command.consume_args();
            let mut output = String::new();
            match command.name.as_str() {
                // put a@9=x ...
                "put" => {
                    for argument in arguments.by_ref() {
                        let goldenscript::Argument::KeyValue(key, value) = argument else {
                            return Err("not key@ts=value".into());
                        };
                        let (key, ts) = parse(key)?;
                        self.entries.push((key, ts, Some(value.clone())));
                    }
                }
                // delete a@4 ...
                "delete" => {
                    while let Some(entry) = arguments.next_pos() {
                        let (key, ts) = parse(entry)?;
                        self.entries.push((key, ts, None));
                    }
                }
                // drop_range a..c ts=N
                "drop_range" => {
                    let range = key_range(arguments.next_pos().ok_or("no range")?)?;
                    let ts = Timestamp(number(&mut arguments, "ts", 0)?);
                    self.drops.push(DropMark { range, ts });
                }
                // retain oldest=N [named=N,N] [bottom=true]: judges all entries
                "retain" => {
                    let oldest = Timestamp(number(&mut arguments, "oldest", 0)?);
                    let named = arguments.take_key("named").unwrap_or_default().split(',');
                    let named = named.filter_map(|ts| ts.parse().ok().map(Timestamp)).collect();
                    let is_bottom = arguments.take_key("bottom") == Some("true");
                    self.entries
                        .sort_by(|a, b| compare((a.0.as_bytes(), a.1), (b.0.as_bytes(), b.1)));
                    let horizon = Horizon { oldest, named, sealed: Timestamp::MAX };
                    let mut retention = Retention::new(horizon, &self.drops);
                    for (key, ts, value) in &self.entries {
                        let is_tombstone = value.is_none();
                        let verdict =
                            retention.judge(key.as_bytes(), *ts, is_tombstone, || is_bottom);
                        let value = value.as_deref().unwrap_or("deleted");
                        writeln!(output, "{key}@{} {value:8} {}", ts.0, because(verdict))?;
                    }
                }
                "clear" => *self = Self::default(),
                name => return Err(format!("unknown command {name}").into()),
            }
            arguments.reject_next()?;
            Ok(output)
        }
    }

    #[test]
    fn scripts() {
        run_all::<Judging>("compaction/retention");
    }
}
