//! The fields that an interval's type may be limited to, with Postgres' bits in its modifier.

const MONTH: i32 = 1 << 1;
const YEAR: i32 = 1 << 2;
const DAY: i32 = 1 << 3;
const HOUR: i32 = 1 << 10;
const MINUTE: i32 = 1 << 11;
const SECOND: i32 = 1 << 12;

/// The bits of an interval that is not limited.
pub(crate) const ALL: i32 = 0x7FFF;

const NAMES: [(&str, i32); 13] = [
    ("year", YEAR),
    ("month", MONTH),
    ("day", DAY),
    ("hour", HOUR),
    ("minute", MINUTE),
    ("second", SECOND),
    ("year to month", YEAR | MONTH),
    ("day to hour", DAY | HOUR),
    ("day to minute", DAY | HOUR | MINUTE),
    ("day to second", DAY | HOUR | MINUTE | SECOND),
    ("hour to minute", HOUR | MINUTE),
    ("hour to second", HOUR | MINUTE | SECOND),
    ("minute to second", MINUTE | SECOND),
];

/// The bits of fields as SQL names them, in any case.
pub(crate) fn mask_of(name: &str) -> Option<i32> {
    NAMES.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, mask)| *mask)
}

/// What SQL calls the fields of these bits; `None` for all of them.
pub(crate) fn name_of(mask: i32) -> Option<&'static str> {
    NAMES.iter().find(|(_, own)| *own == mask).map(|(name, _)| *name)
}
