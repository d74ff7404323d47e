//! Checks of constraints that wait for the end of the transaction, in the order in which they
//! arose.
//!
//! Nothing is forgotten before the end: going back to a savepoint brings back the checks that were
//! made since, as it may undo what they found. A check that was made stays made otherwise:
//! whatever could break its constraint again arises anew.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::execute::{Event, check_memory};

/// What waits, and what has waited.
#[derive(Default)]
pub(super) struct Deferred {
    checks: Vec<Check>,
    /// How often checks were made in the transaction.
    rounds: u64,
}

struct Check {
    event: Event,
    /// The round in which it was made.
    made_in: Option<u64>,
    /// Bytes of memory that this and those before it take.
    total_len: usize,
}

/// A point to go back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    count: usize,
    rounds: u64,
}

impl Deferred {
    /// Adds a check.
    ///
    /// # Errors
    /// 53200 when all together take more memory than a statement may (`work_mem`).
    pub(super) fn push(&mut self, event: Event, work_mem: usize) -> Result<()> {
        let before = self.checks.last().map_or(0, |check| check.total_len);
        let total_len = check_memory(before, event.memory_len(), work_mem)?;
        self.checks.push(Check { event, made_in: None, total_len });
        Ok(())
    }

    /// Checks that are to be made.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Event> {
        self.checks.iter().filter(|check| check.made_in.is_none()).map(|check| &check.event)
    }

    /// Tables with a change that is to be checked.
    pub(super) fn changed_tables(&self) -> BTreeSet<u32> {
        self.pending().map(|event| event.changed_table().oid).collect()
    }

    /// Takes note that those among the pending checks were made.
    pub(super) fn note_made(&mut self, was_made: impl Fn(&Event) -> bool) {
        self.rounds += 1;
        for check in self.checks.iter_mut().filter(|check| check.made_in.is_none()) {
            check.made_in = was_made(&check.event).then_some(self.rounds);
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { count: self.checks.len(), rounds: self.rounds }
    }

    /// Forgets the checks after a point; those made after it are to be made again.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.checks.truncate(mark.count);
        for check in &mut self.checks {
            check.made_in = check.made_in.filter(|round| *round <= mark.rounds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use crate::error::SqlState;
    use crate::plan::ForeignKeyCheck;
    use crate::value::Value;

    fn check() -> ForeignKeyCheck {
        let database = Database::in_memory().unwrap();
        let mut session = database.connect("cairn", "cairn").unwrap();
        session.execute("CREATE TABLE a (id int PRIMARY KEY, other int REFERENCES a)").unwrap();
        let catalog = database.shared.catalogs.current("cairn").unwrap();
        let table = catalog.tables.values().next().unwrap().clone();
        let (key, referenced) = (table.foreign_keys[0].clone(), table.clone());
        ForeignKeyCheck { key, referencing: table, referenced }
    }

    fn refers(check: &ForeignKeyCheck, to: i32) -> Event {
        Event::Refers { check: check.clone(), key: vec![Value::Int4(to)] }
    }

    fn pending(deferred: &Deferred) -> Vec<i32> {
        let number = |event: &Event| match event {
            Event::Refers { key, .. } => match key[0] {
                Value::Int4(number) => number,
                _ => unreachable!(),
            },
            _ => unreachable!(),
        };
        deferred.pending().map(number).collect()
    }

    #[test]
    fn going_back_forgets_what_came_and_unmakes_what_was_made_since() {
        let (check, mut deferred) = (check(), Deferred::default());
        deferred.push(refers(&check, 1), 0).unwrap();
        deferred.note_made(|_| true);
        assert!(deferred.changed_tables().is_empty());
        deferred.push(refers(&check, 2), 0).unwrap();
        let mark = deferred.mark();
        deferred.push(refers(&check, 3), 0).unwrap();
        assert_eq!(pending(&deferred), [2, 3]);
        deferred.note_made(
            |event| matches!(event, Event::Refers { key, .. } if key[0].as_i64() == Some(2)),
        );
        assert_eq!(pending(&deferred), [3]);
        deferred.back_to(mark);
        assert_eq!(pending(&deferred), [2]);
        assert_eq!(deferred.changed_tables(), [check.referencing.oid].into());
    }

    #[test]
    fn what_waits_is_bounded() {
        let (check, mut deferred) = (check(), Deferred::default());
        let big = Value::Text("x".repeat(100 << 20).into());
        let event = || Event::Refers { check: check.clone(), key: vec![big.clone()] };
        for _ in 0..5 {
            deferred.push(event(), 0).unwrap();
        }
        let mark = deferred.mark();
        let error = deferred.push(event(), 0).unwrap_err();
        assert_eq!(error.state(), SqlState::OUT_OF_MEMORY);
        deferred.back_to(mark);
        deferred.push(event(), 800 << 20).unwrap();
        deferred.back_to(Deferred::default().mark());
        deferred.push(event(), 0).unwrap();
    }
}
