//! Looking functions up by name.

use std::sync::Arc;

use crate::expression::{AggregateFunction, Function, Registry, SetFunction};

/// The overloads of an operator.
pub(crate) fn operators(symbol: &str) -> &'static [Arc<Function>] {
    Registry::global().operators(symbol)
}

/// The overloads of a function.
pub(crate) fn functions(name: &str) -> &'static [Arc<Function>] {
    Registry::global().functions(name)
}

/// The overloads of an aggregate.
pub(crate) fn aggregates(name: &str) -> &'static [Arc<AggregateFunction>] {
    Registry::global().aggregates(name)
}

/// The overloads of a set-returning function.
pub(crate) fn sets(name: &str) -> &'static [Arc<SetFunction>] {
    Registry::global().set_functions(name)
}
