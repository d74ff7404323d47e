//! All functions, by name.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::{AggregateFunction, Builder, Function, SetFunction};

type ByName<T> = HashMap<Arc<str>, Vec<Arc<T>>>;

/// All functions, operators, aggregates and set-returning functions, by name.
pub struct Registry {
    pub(super) functions: ByName<Function>,
    pub(super) operators: ByName<Function>,
    pub(super) aggregates: ByName<AggregateFunction>,
    pub(super) set_functions: ByName<SetFunction>,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut builder = Builder::default();
    super::register_all(&mut builder);
    builder.finish()
});

fn lookup<'a, T>(map: &'a ByName<T>, name: &str) -> &'a [Arc<T>] {
    map.get(name).map_or(&[], Vec::as_slice)
}

impl Registry {
    /// The one registry, built at its first use.
    pub fn global() -> &'static Self {
        &REGISTRY
    }

    /// The functions of a name.
    pub fn functions(&self, name: &str) -> &[Arc<Function>] {
        lookup(&self.functions, name)
    }

    /// The operators of a symbol; prefix operators have one parameter.
    pub fn operators(&self, symbol: &str) -> &[Arc<Function>] {
        lookup(&self.operators, symbol)
    }

    /// The aggregates of a name.
    pub fn aggregates(&self, name: &str) -> &[Arc<AggregateFunction>] {
        lookup(&self.aggregates, name)
    }

    /// The set-returning functions of a name.
    pub fn set_functions(&self, name: &str) -> &[Arc<SetFunction>] {
        lookup(&self.set_functions, name)
    }

    /// Every operator: for `pg_operator`.
    pub fn all_operators(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.operators.values().flatten()
    }

    /// Every function: for `pg_proc`.
    pub fn all_functions(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.functions.values().flatten()
    }

    /// Every aggregate: for `pg_proc`.
    pub fn all_aggregates(&self) -> impl Iterator<Item = &Arc<AggregateFunction>> {
        self.aggregates.values().flatten()
    }

    /// Every set-returning function: for `pg_proc`.
    pub fn all_set_functions(&self) -> impl Iterator<Item = &Arc<SetFunction>> {
        self.set_functions.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_well_formed() {
        let registry = Registry::global();
        assert!(registry.functions("no such function").is_empty());
    }
}
