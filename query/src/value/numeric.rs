//! `numeric`: exact decimal numbers.

/// An exact decimal number, or NaN or an infinity.
#[derive(Clone, Debug)]
pub enum Numeric {
    /// A finite number; the scale is the number of digits shown after the point.
    Finite(bigdecimal::BigDecimal),
    /// Not a number: equal to itself and larger than everything.
    NaN,
    /// `Infinity`
    Infinity,
    /// `-Infinity`
    NegativeInfinity,
}
