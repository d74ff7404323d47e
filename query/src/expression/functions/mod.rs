//! The functions, operators, aggregates and set-returning functions that SQL may call.
//!
//! Each family is one file that lists its members as `(signature, properties, code)`; a signature
//! is written as the Postgres manual writes it, `"substr(text, int4, int4) -> text"`, operators as
//! `"|| (text, text) -> text"`, and is parsed once at start.

use std::fmt;
use std::sync::Arc;

mod aggregate;
mod argument;
mod array;
mod backup;
mod builder;
mod bytes;
mod datetime;
mod definition;
mod enums;
mod geo;
mod hash;
mod json;
mod json_set;
mod math;
mod numeric;
mod pattern;
mod polymorphic;
mod privilege;
mod range;
mod registry;
mod sequence;
mod set;
mod size;
mod statistics;
mod string;
mod system;
mod template;
mod text_search;
mod trigram;

pub use builder::Builder;
pub use polymorphic::{Instance, common_type, instantiate};
pub use registry::Registry;
pub(crate) use system::void;

use super::EvalContext;
use crate::error::Result;
use crate::value::{Type, Value};

/// Whether equal arguments give equal results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// Always; calls on constants are folded.
    Immutable,
    /// Within one statement.
    Stable,
    /// Never.
    Volatile,
}

/// What a parameter accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// Exactly this type.
    Exact(Type),
    /// `anyelement`: one type for all of them in a signature
    AnyElement,
    /// `anynonarray`: as `anyelement`, but no array
    AnyNonArray,
    /// `anyarray`: the array of that type
    AnyArray,
    /// `anyrange`: the range over that type
    AnyRange,
    /// `anyenum`
    AnyEnum,
    /// `anycompatible`: as `anyelement`, after finding a common type
    AnyCompatible,
    /// `anycompatiblearray`
    AnyCompatibleArray,
    /// `"any"`
    Any,
}

/// The code of a scalar function.
pub type Eval = fn(&EvalContext<'_>, &[Value]) -> Result<Value>;

/// A scalar function or operator.
pub struct Function {
    /// Its name, or its symbol.
    pub name: Arc<str>,
    /// What it takes.
    pub params: Vec<ParamType>,
    /// Whether the last parameter repeats (`VARIADIC`); then it names the element type.
    pub is_variadic: bool,
    /// How many trailing parameters may be left out (defaults are the code's business).
    pub optional: usize,
    /// What it returns; polymorphic results follow the parameters.
    pub result: ParamType,
    /// Whether a NULL argument makes the result NULL without running the code.
    pub is_strict: bool,
    /// Whether the binder hands the types of the arguments over, as one argument more at the end
    /// made by [`crate::value::shape::describe`]: for the few functions whose result depends on
    /// declared types (`pg_typeof`, `to_jsonb`, `row_to_json`).
    pub takes_types: bool,
    /// See [`Volatility`].
    pub volatility: Volatility,
    /// The code.
    pub eval: Eval,
}

impl Function {
    /// Says that equal arguments give equal results only within a statement.
    pub fn stable(&mut self) -> &mut Self {
        self.volatility = Volatility::Stable;
        self
    }

    /// Says that every call may give another result.
    pub fn volatile(&mut self) -> &mut Self {
        self.volatility = Volatility::Volatile;
        self
    }

    /// Says that the code sees NULL arguments.
    pub fn nullable(&mut self) -> &mut Self {
        self.is_strict = false;
        self
    }

    /// See [`Function::takes_types`].
    pub fn typed(&mut self) -> &mut Self {
        self.takes_types = true;
        self
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The state of one aggregate over one group.
pub trait Accumulator: Send {
    /// Takes one row's arguments in.
    ///
    /// # Errors
    /// 22003 and what the arguments give rise to.
    fn add(&mut self, ctx: &EvalContext<'_>, args: &[Value]) -> Result<()>;
    /// The result so far.
    ///
    /// # Errors
    /// 22003.
    fn finish(&mut self, ctx: &EvalContext<'_>) -> Result<Value>;
    /// Bytes held, for memory accounting.
    fn memory_len(&self) -> usize {
        64
    }
}

/// An aggregate function. `DISTINCT`, `FILTER` and `ORDER BY` are the executor's business.
pub struct AggregateFunction {
    /// Its name.
    pub name: Arc<str>,
    /// What it takes; direct arguments of ordered-set aggregates first.
    pub params: Vec<ParamType>,
    /// Whether the last parameter repeats.
    pub is_variadic: bool,
    /// What it returns.
    pub result: ParamType,
    /// Whether rows with a NULL argument are skipped.
    pub is_strict: bool,
    /// Whether it needs `WITHIN GROUP (ORDER BY …)`.
    pub is_ordered_set: bool,
    /// Makes a fresh state, given the types of the arguments.
    pub start: fn(&[Type]) -> Box<dyn Accumulator>,
}

impl fmt::Debug for AggregateFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Rows from a set-returning function.
pub type RowSet = Box<dyn Iterator<Item = Result<Vec<Value>>> + Send>;

/// A set-returning function.
pub struct SetFunction {
    /// Its name.
    pub name: Arc<str>,
    /// What it takes.
    pub params: Vec<ParamType>,
    /// Whether the last parameter repeats.
    pub is_variadic: bool,
    /// How many trailing parameters may be left out.
    pub optional: usize,
    /// Its columns; a single one is named as the function unless a name is given.
    pub columns: Vec<(Option<Arc<str>>, ParamType)>,
    /// Whether a NULL argument gives no rows.
    pub is_strict: bool,
    /// The code.
    pub eval: fn(&EvalContext<'_>, &[Value]) -> Result<RowSet>,
}

impl SetFunction {
    /// Says that the code sees NULL arguments.
    pub fn nullable(&mut self) -> &mut Self {
        self.is_strict = false;
        self
    }
}

impl AggregateFunction {
    /// Says that rows with NULL arguments count.
    pub fn nullable(&mut self) -> &mut Self {
        self.is_strict = false;
        self
    }

    /// Says that it needs `WITHIN GROUP (ORDER BY …)`.
    pub fn ordered_set(&mut self) -> &mut Self {
        self.is_ordered_set = true;
        self
    }
}

impl fmt::Debug for SetFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Asks every family for its members.
fn register_all(builder: &mut Builder) {
    let families: &[fn(&mut Builder)] = &[
        array::register,
        range::register,
        json_set::register,
        json::register,
        template::register,
        datetime::register,
        definition::register,
        privilege::register,
        backup::register,
        size::register,
        hash::register,
        system::register,
        statistics::register,
        set::register,
        numeric::register,
        aggregate::register,
        bytes::register,
        geo::register,
        math::register,
        pattern::register,
        sequence::register,
        string::register,
        text_search::register,
        trigram::register,
        enums::register,
    ];
    families.iter().for_each(|register| register(builder));
}
