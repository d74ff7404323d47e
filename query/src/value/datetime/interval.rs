//! `interval`: months, days and microseconds.

use super::{MICROS_PER_DAY, interval_out_of_range};
use crate::error::Result;

/// Months, days and microseconds, kept apart as Postgres does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

impl Interval {
    /// So many microseconds.
    pub fn from_micros(micros: i64) -> Self {
        Self { micros, ..Self::default() }
    }

    /// So many days.
    pub fn from_days(days: i32) -> Self {
        Self { days, ..Self::default() }
    }

    /// Its length with months of 30 days and days of 24 hours: what comparing goes by.
    pub fn span(&self) -> i128 {
        let days = i128::from(self.months) * 30 + i128::from(self.days);
        days * i128::from(MICROS_PER_DAY) + i128::from(self.micros)
    }

    /// The sum.
    ///
    /// # Errors
    /// 22008
    pub fn add(&self, other: &Self) -> Result<Self> {
        let sum = || {
            Some(Self {
                months: self.months.checked_add(other.months)?,
                days: self.days.checked_add(other.days)?,
                micros: self.micros.checked_add(other.micros)?,
            })
        };
        sum().ok_or_else(interval_out_of_range)
    }

    /// With the other sign.
    ///
    /// # Errors
    /// 22008
    pub fn neg(&self) -> Result<Self> {
        let negated = || {
            Some(Self {
                months: self.months.checked_neg()?,
                days: self.days.checked_neg()?,
                micros: self.micros.checked_neg()?,
            })
        };
        negated().ok_or_else(interval_out_of_range)
    }

    /// The difference.
    ///
    /// # Errors
    /// 22008
    pub fn sub(&self, other: &Self) -> Result<Self> {
        self.add(&other.neg()?)
    }

    /// Times a number: fractions of months become days, fractions of days microseconds.
    ///
    /// # Errors
    /// 22008
    pub fn mul(&self, factor: f64) -> Result<Self> {
        self.scale(|value| value * factor, factor)
    }

    /// Divided by a number that is not zero.
    ///
    /// # Errors
    /// 22008
    pub fn div(&self, divisor: f64) -> Result<Self> {
        self.scale(|value| value / divisor, divisor)
    }

    fn scale(&self, apply: impl Fn(f64) -> f64, number: f64) -> Result<Self> {
        if number.is_nan() {
            return Err(interval_out_of_range());
        }
        let months_exact = apply(f64::from(self.months));
        let months = to_i32(months_exact)?;
        let days_exact = apply(f64::from(self.days));
        let mut days = to_i32(days_exact)?;
        // Cascade downward: a month is 30 days. Rounding to microseconds hides the float's noise.
        let month_rest = round_to_micro((months_exact - f64::from(months)) * 30.0);
        let mut seconds_rest = round_to_micro(
            (days_exact - f64::from(days) + month_rest - month_rest.trunc()) * 86_400.0,
        );
        if seconds_rest.abs() >= 86_400.0 {
            let whole = (seconds_rest / 86_400.0).trunc();
            days = days.checked_add(whole as i32).ok_or_else(interval_out_of_range)?;
            seconds_rest -= whole * 86_400.0;
        }
        days = days.checked_add(month_rest as i32).ok_or_else(interval_out_of_range)?;
        let micros = (apply(self.micros as f64) + seconds_rest * 1e6).round_ties_even();
        if micros.abs() >= i64::MAX as f64 || micros.is_nan() {
            return Err(interval_out_of_range());
        }
        Ok(Self { months, days, micros: micros as i64 })
    }

    /// Whole days out of the hours.
    ///
    /// # Errors
    /// 22008
    pub fn justify_hours(&self) -> Result<Self> {
        let carried = i32::try_from(self.micros / MICROS_PER_DAY);
        let carried = carried.map_err(|_| interval_out_of_range())?;
        let mut days = self.days.checked_add(carried).ok_or_else(interval_out_of_range)?;
        let mut micros = self.micros % MICROS_PER_DAY;
        if days > 0 && micros < 0 {
            micros += MICROS_PER_DAY;
            days -= 1;
        } else if days < 0 && micros > 0 {
            micros -= MICROS_PER_DAY;
            days += 1;
        }
        Ok(Self { months: self.months, days, micros })
    }

    /// Whole months out of the days.
    ///
    /// # Errors
    /// 22008
    pub fn justify_days(&self) -> Result<Self> {
        let months = self.months.checked_add(self.days / 30);
        let mut months = months.ok_or_else(interval_out_of_range)?;
        let mut days = self.days % 30;
        if months > 0 && days < 0 {
            days += 30;
            months -= 1;
        } else if months < 0 && days > 0 {
            days -= 30;
            months += 1;
        }
        Ok(Self { months, days, micros: self.micros })
    }

    /// Both, with one sign throughout.
    ///
    /// # Errors
    /// 22008
    pub fn justify(&self) -> Result<Self> {
        let (mut months, mut days, mut micros) =
            (i64::from(self.months), i64::from(self.days), self.micros);
        days += micros / MICROS_PER_DAY;
        micros %= MICROS_PER_DAY;
        months += days / 30;
        days %= 30;
        if months > 0 && (days < 0 || (days == 0 && micros < 0)) {
            days += 30;
            months -= 1;
        } else if months < 0 && (days > 0 || (days == 0 && micros > 0)) {
            days -= 30;
            months += 1;
        }
        if days > 0 && micros < 0 {
            micros += MICROS_PER_DAY;
            days -= 1;
        } else if days < 0 && micros > 0 {
            micros -= MICROS_PER_DAY;
            days += 1;
        }
        let months = i32::try_from(months).map_err(|_| interval_out_of_range())?;
        Ok(Self { months, days: days as i32, micros })
    }
}

fn round_to_micro(value: f64) -> f64 {
    (value * 1e6).round_ties_even() / 1e6
}

fn to_i32(value: f64) -> Result<i32> {
    if value.is_nan() || value > f64::from(i32::MAX) || value < f64::from(i32::MIN) {
        return Err(interval_out_of_range());
    }
    Ok(value as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_cascade_downward() {
        let month = Interval { months: 1, ..Interval::default() };
        assert_eq!(month.div(2.0).unwrap(), Interval { months: 0, days: 15, micros: 0 });
        let day = Interval::from_days(1);
        assert_eq!(
            day.mul(1.5).unwrap(),
            Interval { months: 0, days: 1, micros: MICROS_PER_DAY / 2 }
        );
        assert!(month.mul(1e300).is_err());
    }

    #[test]
    fn justifying_keeps_one_sign() {
        let mixed = Interval { months: 1, days: -1, micros: 0 };
        assert_eq!(mixed.justify().unwrap(), Interval { months: 0, days: 29, micros: 0 });
        assert_eq!(Interval::from_days(35).justify_days().unwrap().months, 1);
    }
}
