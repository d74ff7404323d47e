//! Sequences: numbers that grow whatever becomes of the transactions that take them.
//!
//! The stored state is ahead of what was handed out, so that one small write serves many numbers;
//! after a crash the rest of a reservation is skipped, as in Postgres. The write goes through
//! [`Db::write_now`]: it is durable no later than the commit that uses the number.
//!
//! # Stored state
//! ```text
//! key    0x01 's' oid u32
//! value  value i64, is_called u8     big-endian; the next number handed out after opening is
//!                                    `value`, or the one after it when is_called is 1
//! ```

use std::sync::Arc;

use ahash::AHashMap;
use cairn_engine::{Db, Isolation, Space};
use parking_lot::Mutex;

use crate::catalog::SequenceDef;
use crate::error::{Error, Result, SqlState};

/// How many numbers one write reserves. Postgres reserves 32; our gap after a crash is as small.
const RESERVED: i64 = 32;
const VALUE_LEN: usize = 9;

/// A sequence's place: the number handed out last, or first when none was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The number.
    pub(crate) value: i64,
    /// Whether it was handed out.
    pub(crate) is_called: bool,
}

/// One sequence in use.
#[derive(Debug)]
struct State {
    position: Position,
    /// Numbers from here on need no write: how many are left of the reservation.
    reserved: i64,
}

/// All sequences in use.
#[derive(Default)]
pub(crate) struct Sequences(Mutex<AHashMap<u32, Arc<Mutex<Option<State>>>>>);

impl Sequences {
    /// The next number.
    ///
    /// # Errors
    /// 2200H when there is none, and the engine's.
    pub(crate) fn next(&self, db: &Db, def: &SequenceDef) -> Result<i64> {
        let cell = self.cell(def.oid);
        let mut slot = cell.lock();
        let state = load(&mut slot, db, def)?;
        let value = successor(state.position, def)?;
        if state.reserved == 0 {
            write(db, def.oid, reserved_position(value, def))?;
            state.reserved = RESERVED;
        }
        state.reserved -= 1;
        state.position = Position { value, is_called: true };
        Ok(value)
    }

    /// Sets the sequence's place.
    ///
    /// # Errors
    /// 22003 out of bounds, and the engine's.
    pub(crate) fn set(&self, db: &Db, def: &SequenceDef, position: Position) -> Result<i64> {
        let value = position.value;
        if !(def.min..=def.max).contains(&value) {
            let message = format!(
                "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                def.name, def.min, def.max
            );
            return Err(Error::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
        }
        let cell = self.cell(def.oid);
        let mut slot = cell.lock();
        write(db, def.oid, position)?;
        *slot = Some(State { position, reserved: 0 });
        Ok(value)
    }

    /// Makes `value` the next number.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn restart(&self, db: &Db, oid: u32, value: i64) -> Result<()> {
        let position = Position { value, is_called: false };
        let cell = self.cell(oid);
        let mut slot = cell.lock();
        write(db, oid, position)?;
        *slot = Some(State { position, reserved: 0 });
        Ok(())
    }

    /// The sequence's place.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn position(&self, db: &Db, def: &SequenceDef) -> Result<Position> {
        let cell = self.cell(def.oid);
        let mut slot = cell.lock();
        Ok(load(&mut slot, db, def)?.position)
    }

    /// Gives reservations back, so that an orderly end leaves no gap.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn write_back(&self, db: &Db) -> Result<()> {
        for (oid, cell) in self.0.lock().drain() {
            if let Some(state) = cell.lock().take().filter(|state| state.reserved > 0) {
                write(db, oid, state.position)?;
            }
        }
        Ok(())
    }

    fn cell(&self, oid: u32) -> Arc<Mutex<Option<State>>> {
        self.0.lock().entry(oid).or_default().clone()
    }
}

fn load<'a>(slot: &'a mut Option<State>, db: &Db, def: &SequenceDef) -> Result<&'a mut State> {
    let loaded = match slot.take() {
        Some(state) => state,
        None => State { position: read(db, def)?, reserved: 0 },
    };
    Ok(slot.insert(loaded))
}

fn key(oid: u32) -> Vec<u8> {
    let mut key = vec![Space::Meta as u8, b's'];
    key.extend_from_slice(&oid.to_be_bytes());
    key
}

fn read(db: &Db, def: &SequenceDef) -> Result<Position> {
    let stored = db.begin(Isolation::ReadCommitted).get_newest(&key(def.oid))?;
    let Some(bytes) = stored else {
        return Ok(Position { value: def.start, is_called: false });
    };
    let unreadable = || {
        let message = format!("the state of sequence \"{}\" cannot be read", def.name);
        Error::new(SqlState::DATA_CORRUPTED, message)
    };
    let bytes: [u8; VALUE_LEN] = bytes.as_ref().try_into().map_err(|_| unreadable())?;
    let [value @ .., is_called] = bytes;
    match is_called {
        0 | 1 => Ok(Position { value: i64::from_be_bytes(value), is_called: is_called == 1 }),
        _ => Err(unreadable()),
    }
}

fn write(db: &Db, oid: u32, position: Position) -> Result<()> {
    let mut value = [0; VALUE_LEN];
    let (number, flag) = value.split_at_mut(8);
    number.copy_from_slice(&position.value.to_be_bytes());
    flag.fill(u8::from(position.is_called));
    db.write_now(&key(oid), Some(&value))?;
    Ok(())
}

/// The number after a place.
fn successor(position: Position, def: &SequenceDef) -> Result<i64> {
    if !position.is_called {
        return Ok(position.value);
    }
    let next = position.value.checked_add(def.increment);
    match next.filter(|next| (def.min..=def.max).contains(next)) {
        Some(next) => Ok(next),
        None if def.is_cycle => Ok(if def.increment > 0 { def.min } else { def.max }),
        None => {
            let (end, bound) =
                if def.increment > 0 { ("maximum", def.max) } else { ("minimum", def.min) };
            let name = &def.name;
            let message = format!("nextval: reached {end} value of sequence \"{name}\" ({bound})");
            Err(Error::new(SqlState("2200H"), message))
        }
    }
}

/// Where a sequence goes on after a crash that came right after `value` was handed out and its
/// reservation written: behind the reservation, but never past the end.
fn reserved_position(value: i64, def: &SequenceDef) -> Position {
    let ahead = def.increment.saturating_mul(RESERVED - 1);
    let value = value.saturating_add(ahead).clamp(def.min, def.max);
    Position { value, is_called: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{SqlType, Type};

    fn def(min: i64, max: i64, increment: i64, is_cycle: bool) -> SequenceDef {
        SequenceDef {
            oid: 7,
            schema: "public".into(),
            name: "s".into(),
            owner: "cairn".into(),
            ty: SqlType::new(Type::Int8),
            start: if increment > 0 { min } else { max },
            increment,
            min,
            max,
            cache: 1,
            is_cycle,
            owned_by: None,
        }
    }

    fn db() -> Db {
        Db::in_memory(cairn_engine::Options::default()).unwrap()
    }

    #[test]
    fn counts_and_ends() {
        let (db, def, sequences) = (db(), def(1, 3, 1, false), Sequences::default());
        let numbers: Vec<i64> = (0..3).map(|_| sequences.next(&db, &def).unwrap()).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let error = sequences.next(&db, &def).unwrap_err();
        assert_eq!(error.state().0, "2200H");
        assert_eq!(error.message(), "nextval: reached maximum value of sequence \"s\" (3)");
    }

    #[test]
    fn cycles_downward() {
        let (db, def, sequences) = (db(), def(-2, -1, -1, true), Sequences::default());
        let numbers: Vec<i64> = (0..4).map(|_| sequences.next(&db, &def).unwrap()).collect();
        assert_eq!(numbers, [-1, -2, -1, -2]);
    }

    #[test]
    fn a_crash_skips_and_a_close_does_not() {
        let (db, def) = (db(), def(1, 1000, 1, false));
        let crashed = Sequences::default();
        assert_eq!(crashed.next(&db, &def).unwrap(), 1);
        let closed = Sequences::default();
        assert_eq!(closed.next(&db, &def).unwrap(), 1 + RESERVED);
        closed.write_back(&db).unwrap();
        assert_eq!(Sequences::default().next(&db, &def).unwrap(), 2 + RESERVED);
    }

    #[test]
    fn set_moves() {
        let (db, def, sequences) = (db(), def(1, 100, 1, false), Sequences::default());
        let position = Position { value: 42, is_called: false };
        sequences.set(&db, &def, position).unwrap();
        assert_eq!(sequences.next(&db, &def).unwrap(), 42);
        let outside = Position { value: 101, is_called: true };
        assert!(sequences.set(&db, &def, outside).is_err());
    }
}
