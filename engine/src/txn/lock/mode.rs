//! Lock modes and which of them conflict: four for rows, eight for tables.
//!
//! Both sets are Postgres' (manual, tables 13.2 and 13.3), so that `pg_locks` reads as expected.
//! One bit per mode makes "does this conflict with anything held?" one `and`.

/// Postgres' four row-lock strengths, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockStrength {
    /// `FOR KEY SHARE`: the key must not change or go.
    KeyShare,
    /// `FOR SHARE`: nothing must change.
    Share,
    /// `FOR NO KEY UPDATE`: I change it, not its key.
    NoKeyUpdate,
    /// `FOR UPDATE`: I change or delete it.
    Update,
}

impl LockStrength {
    /// Whether two different transactions may hold these on one row.
    /// (Postgres manual, table 13.3.)
    pub fn is_compatible(self, other: Self) -> bool {
        use LockStrength::{KeyShare, NoKeyUpdate, Share, Update};
        match (self, other) {
            (Update, _) | (_, Update) => false,
            (KeyShare, _) | (_, KeyShare) => true,
            (Share, Share) => true,
            (Share | NoKeyUpdate, Share | NoKeyUpdate) => false,
        }
    }
}

/// Postgres' eight table-lock modes, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableLockMode {
    /// Reading.
    AccessShare,
    /// `SELECT … FOR UPDATE` and its kin.
    RowShare,
    /// Writing rows.
    RowExclusive,
    /// `ANALYZE`, `CREATE INDEX CONCURRENTLY`.
    ShareUpdateExclusive,
    /// `CREATE INDEX`: nobody writes.
    Share,
    /// `CREATE TRIGGER` and its kin.
    ShareRowExclusive,
    /// Only readers beside me.
    Exclusive,
    /// Nobody beside me.
    AccessExclusive,
}

/// How something is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockMode {
    /// A row, or an advisory lock (which uses `Share` and `Update`).
    Row(LockStrength),
    /// A table.
    Table(TableLockMode),
}

/// Some modes, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ModeSet(u16);

/// By bit: the modes that conflict with it. Rows first, then tables.
const CONFLICTS: [u16; 12] = [
    0b0000_0000_1000, // KeyShare: Update
    0b0000_0000_1100, // Share: NoKeyUpdate, Update
    0b0000_0000_1110, // NoKeyUpdate: all but KeyShare
    0b0000_0000_1111, // Update: all
    0b1000_0000_0000, // AccessShare: AccessExclusive
    0b1100_0000_0000, // RowShare: Exclusive and up
    0b1111_0000_0000, // RowExclusive: Share and up
    0b1111_1000_0000, // ShareUpdateExclusive: itself and up
    0b1110_1100_0000, // Share: RowExclusive, ShareUpdateExclusive, ShareRowExclusive and up
    0b1111_1100_0000, // ShareRowExclusive: RowExclusive and up
    0b1111_1110_0000, // Exclusive: all but AccessShare
    0b1111_1111_0000, // AccessExclusive: all
];

impl LockMode {
    fn bit(self) -> u16 {
        match self {
            Self::Row(strength) => strength as u16,
            Self::Table(mode) => 4 + mode as u16,
        }
    }

    /// The set of this mode alone.
    pub(super) fn set(self) -> ModeSet {
        ModeSet(1 << self.bit())
    }

    /// Every mode that another transaction may not hold beside this one.
    pub(super) fn conflicts(self) -> ModeSet {
        ModeSet(CONFLICTS[usize::from(self.bit())])
    }
}

impl ModeSet {
    /// Whether a mode is in both.
    pub(super) fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Adds the modes of `other`.
    pub(super) fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether holding these modes already keeps away everybody whom `mode` would.
    pub(super) fn covers(self, mode: LockMode) -> bool {
        let mine = self.modes().fold(0, |set, held| set | held.conflicts().0);
        self.0 != 0 && mode.conflicts().0 & !mine == 0
    }

    /// The modes, weakest first.
    pub(super) fn modes(self) -> impl Iterator<Item = LockMode> {
        use LockStrength::{KeyShare, NoKeyUpdate, Share, Update};
        use TableLockMode as T;
        let rows = [KeyShare, Share, NoKeyUpdate, Update].map(LockMode::Row);
        let tables = [
            T::AccessShare,
            T::RowShare,
            T::RowExclusive,
            T::ShareUpdateExclusive,
            T::Share,
            T::ShareRowExclusive,
            T::Exclusive,
            T::AccessExclusive,
        ]
        .map(LockMode::Table);
        rows.into_iter().chain(tables).filter(move |mode| self.intersects(mode.set()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<LockMode> {
        ModeSet(0xfff).modes().collect()
    }

    #[test]
    fn conflicts_are_symmetric() {
        for a in all() {
            for b in all() {
                assert_eq!(
                    a.conflicts().intersects(b.set()),
                    b.conflicts().intersects(a.set()),
                    "{a:?} {b:?}"
                );
            }
        }
    }

    #[test]
    fn row_conflicts_agree_with_is_compatible() {
        for a in all() {
            for b in all() {
                if let (LockMode::Row(x), LockMode::Row(y)) = (a, b) {
                    assert_eq!(a.conflicts().intersects(b.set()), !x.is_compatible(y));
                }
            }
        }
    }

    #[test]
    fn stronger_covers_weaker() {
        use LockStrength::{NoKeyUpdate, Share, Update};
        let update = LockMode::Row(Update).set();
        assert!(all()[..4].iter().all(|&mode| update.covers(mode)));
        assert!(!LockMode::Row(NoKeyUpdate).set().covers(LockMode::Row(Update)));
        assert!(LockMode::Row(NoKeyUpdate).set().covers(LockMode::Row(Share)));
        assert!(!ModeSet::default().covers(LockMode::Row(Share)));
    }
}
