//! Looking functions up by name.

use std::sync::Arc;

use crate::expression::{AggregateFunction, Function, SetFunction};

/// The overloads of an operator.
pub(crate) fn operators(_symbol: &str) -> &'static [Arc<Function>] {
    &[]
}

/// The overloads of a function.
pub(crate) fn functions(_name: &str) -> &'static [Arc<Function>] {
    &[]
}

/// The overloads of an aggregate.
pub(crate) fn aggregates(_name: &str) -> &'static [Arc<AggregateFunction>] {
    &[]
}

/// The overloads of a set-returning function.
pub(crate) fn sets(_name: &str) -> &'static [Arc<SetFunction>] {
    &[]
}
