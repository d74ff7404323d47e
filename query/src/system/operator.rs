//! `pg_operator` and `pg_cast`.

use super::cell::row;
use super::reader::Reader;
use super::{BOOTSTRAP_ROLE, PG_CATALOG, SystemCatalog};
use crate::error::Result;
use crate::expression::cast::{CastContext, find_cast};
use crate::expression::functions::ParamType;
use crate::expression::{Function, Registry};
use crate::plan::Row;
use crate::value::Type;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 2617,
        schema: PG_CATALOG,
        name: "pg_operator",
        columns: "oid oid, oprname name, oprnamespace oid, oprowner oid, oprkind \"char\", \
        oprcanmerge bool, oprcanhash bool, oprleft oid, oprright oid, oprresult oid, \
        oprcom oid, oprnegate oid, oprcode regproc, oprrest regproc, oprjoin regproc",
        rows: operators,
    },
    SystemCatalog {
        oid: 2605,
        schema: PG_CATALOG,
        name: "pg_cast",
        columns: "oid oid, castsource oid, casttarget oid, castfunc oid, castcontext \"char\", \
        castmethod \"char\"",
        rows: casts,
    },
];

/// What operators and casts are counted from.
const FIRST_OID: u32 = 10_000;

fn operators(_: &Reader<'_>) -> Result<Vec<Row>> {
    let mut all: Vec<(&Function, Vec<u32>)> = Registry::global()
        .all_operators()
        .filter_map(|operator| Some((&**operator, exact(&operator.params)?)))
        .collect();
    all.sort_by_key(|(operator, params)| (operator.name.clone(), params.clone()));
    let row = |(oid, (operator, params)): (u32, &(&Function, Vec<u32>))| {
        let (left, right) = match params.as_slice() {
            [left, right] => (*left, *right),
            params => (0, params.first().copied().unwrap_or(0)),
        };
        let kind = if left == 0 { 'l' } else { 'b' };
        let result = match &operator.result {
            ParamType::Exact(ty) => ty.oid(),
            _ => 0,
        };
        row![
            oid,
            &*operator.name,
            PG_CATALOG,
            BOOTSTRAP_ROLE,
            kind,
            false,
            false,
            left,
            right,
            result,
            0_u32,
            0_u32,
            0_u32,
            0_u32,
            0_u32
        ]
    };
    Ok((FIRST_OID..).zip(&all).map(row).collect())
}

/// The OIDs of parameters that are plain types.
fn exact(params: &[ParamType]) -> Option<Vec<u32>> {
    let oid = |param: &ParamType| match param {
        ParamType::Exact(ty) => Some(ty.oid()),
        _ => None,
    };
    params.iter().map(oid).collect()
}

fn casts(_: &Reader<'_>) -> Result<Vec<Row>> {
    let types: Vec<Type> = Type::all().filter(|ty| *ty != Type::Unknown).collect();
    let mut rows = Vec::new();
    let mut oid = FIRST_OID;
    let contexts = [
        (CastContext::Implicit, 'i'),
        (CastContext::Assignment, 'a'),
        (CastContext::Explicit, 'e'),
    ];
    for from in &types {
        for to in types.iter().filter(|to| *to != from) {
            let mut known = contexts.iter();
            let found = known.find(|(context, _)| find_cast(from, to, *context).is_some());
            if let Some((_, letter)) = found {
                rows.push(row![oid, from.oid(), to.oid(), 0_u32, *letter, 'f']);
                oid += 1;
            }
        }
    }
    Ok(rows)
}
