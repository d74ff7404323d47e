//! A range of keys as one transaction sees it: the committed rows merged with its own writes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::oracle::Pin;
use super::read_set::Reached;
use super::state::State;
use super::write_set::Statement;
use crate::error::Result;
use crate::keyspace::{Direction, KeyRange};
use crate::lsm::{Lsm, LsmScan};
use crate::sync::Mutex;

/// Own writes are fetched from the write set in pieces, so that its mutex is taken seldom.
const OWN_ROWS_PER_FETCH: usize = 64;

/// Keys and values of a range, in order.
///
/// It shows one moment: later writes of the transaction do not change it. It may outlive the
/// statement that made it, and it holds its snapshot until it is dropped.
pub struct Scan {
    committed: LsmScan,
    next_committed: Option<(Bytes, Bytes)>,
    is_exhausted: bool,
    own: Option<OwnRows>,
    direction: Direction,
    watch: Option<RangeWatch>,
    _pin: Arc<Pin>,
}

/// The writes of earlier statements that lie in the range.
struct OwnRows {
    state: Arc<Mutex<State>>,
    statement: Statement,
    remaining: Option<KeyRange>,
    fetched: VecDeque<(Bytes, Option<Bytes>)>,
}

/// Tells a serializable transaction how far its scan went.
struct RangeWatch {
    state: Arc<Mutex<State>>,
    number: u64,
    reached: Reached,
}

impl Scan {
    /// A scan of committed rows only.
    pub(super) fn committed(
        lsm: &Lsm,
        pin: Arc<Pin>,
        range: &KeyRange,
        direction: Direction,
    ) -> Result<Self> {
        let committed = lsm.scan(range, pin.ts(), direction)?;
        Ok(Self {
            committed,
            next_committed: None,
            is_exhausted: false,
            own: None,
            direction,
            watch: None,
            _pin: pin,
        })
    }

    /// Merges in what statements before `statement` wrote.
    pub(super) fn with_own(
        mut self,
        state: &Arc<Mutex<State>>,
        range: KeyRange,
        statement: Statement,
    ) -> Self {
        self.own = Some(OwnRows {
            state: Arc::clone(state),
            statement,
            remaining: Some(range),
            fetched: VecDeque::new(),
        });
        self
    }

    /// Reports to the read set how far it went, under the number that the set gave it.
    pub(super) fn watched(mut self, state: &Arc<Mutex<State>>, number: u64) -> Self {
        let state = Arc::clone(state);
        self.watch = Some(RangeWatch { state, number, reached: Reached::Nothing });
        self
    }

    fn step(&mut self) -> Result<Option<(Bytes, Bytes)>> {
        if self.own.is_none() {
            // The common case: nothing to merge.
            return self.pull_committed();
        }
        loop {
            if self.next_committed.is_none() && !self.is_exhausted {
                self.next_committed = self.pull_committed()?;
                self.is_exhausted = self.next_committed.is_none();
            }
            let own_key = match &mut self.own {
                Some(own) => own.peek(self.direction).cloned(),
                None => None,
            };
            let Some(own_key) = own_key else { return Ok(self.next_committed.take()) };
            let order = match (&self.next_committed, self.direction) {
                (None, _) => std::cmp::Ordering::Less,
                (Some((key, _)), Direction::Forward) => own_key.cmp(key),
                (Some((key, _)), Direction::Reverse) => key.cmp(&own_key),
            };
            if order.is_gt() {
                return Ok(self.next_committed.take());
            }
            if order.is_eq() {
                // Its own write hides the committed row.
                self.next_committed = None;
            }
            let own = self.own.as_mut().and_then(|own| own.fetched.pop_front());
            if let Some((key, Some(value))) = own {
                return Ok(Some((key, value)));
            }
        }
    }

    fn pull_committed(&mut self) -> Result<Option<(Bytes, Bytes)>> {
        let row = self.committed.next().transpose()?;
        Ok(row.map(|(key, _, value)| (key, value)))
    }
}

impl Iterator for Scan {
    type Item = Result<(Bytes, Bytes)>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.step().transpose();
        if let Some(watch) = &mut self.watch {
            match &row {
                Some(Ok((key, _))) => watch.reached = Reached::Key(key.clone()),
                Some(Err(_)) => {}
                None => watch.reached = Reached::End,
            }
        }
        row
    }
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("direction", &self.direction).finish_non_exhaustive()
    }
}

impl OwnRows {
    fn peek(&mut self, direction: Direction) -> Option<&Bytes> {
        if self.fetched.is_empty() {
            self.fetch(direction);
        }
        self.fetched.front().map(|(key, _)| key)
    }

    fn fetch(&mut self, direction: Direction) {
        let Some(range) = self.remaining.take() else { return };
        let rows = {
            let state = self.state.lock();
            state.writes.range(&range, self.statement, direction, OWN_ROWS_PER_FETCH)
        };
        if rows.len() == OWN_ROWS_PER_FETCH {
            self.remaining = rows.last().map(|(last, _)| range.after(last, direction));
        }
        self.fetched = rows.into();
    }
}

impl Drop for RangeWatch {
    fn drop(&mut self) {
        let reached = std::mem::replace(&mut self.reached, Reached::Nothing);
        if let Some(reads) = &mut self.state.lock().reads {
            reads.end_scan(self.number, reached);
        }
    }
}
