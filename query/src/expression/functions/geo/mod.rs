//! PostGIS' functions, operators and aggregates over [`crate::geo`].
//!
//! Every family registers its own; a function that exists for `geometry` and for `geography` is
//! two functions, told apart by the types of their parameters.

mod access;
mod aggregate;
mod args;
mod construct;
mod linear;
mod measure;
mod operator;
mod output;
mod predicate;
mod process;

#[cfg(test)]
mod golden;

use super::Builder;

/// Registers all of them.
pub(super) fn register(builder: &mut Builder) {
    construct::register(builder);
    output::register(builder);
    access::register(builder);
    measure::register(builder);
    linear::register(builder);
    predicate::register(builder);
    process::register(builder);
    operator::register(builder);
    aggregate::register(builder);
}
