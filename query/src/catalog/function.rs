//! Functions that users write in SQL.

use serde::{Deserialize, Serialize};

use crate::value::SqlType;

/// A function: a query over its parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FunctionDef {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// What it takes.
    pub params: Vec<ParameterDef>,
    /// What it returns.
    pub result: SqlType,
    /// Its text: one query.
    pub body: String,
    /// `i`: immutable, `s`: stable, `v`: volatile.
    pub volatility: char,
    /// Whether a NULL argument makes the result NULL.
    pub is_strict: bool,
}

/// A parameter of a function.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ParameterDef {
    /// Its name.
    pub name: Option<String>,
    /// Its type.
    pub ty: SqlType,
    /// What it is when it is not given, as SQL.
    pub default: Option<String>,
}

impl FunctionDef {
    /// Whether it takes exactly these types.
    pub fn takes(&self, types: &[SqlType]) -> bool {
        self.params.len() == types.len()
            && self.params.iter().zip(types).all(|(param, ty)| param.ty.base == ty.base)
    }
}
