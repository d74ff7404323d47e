//! `pg_proc` and `pg_language`: the functions that SQL may call.

use std::sync::LazyLock;

use super::cell::{NULL, row, small};
use super::reader::Reader;
use super::{BOOTSTRAP_ROLE, PG_CATALOG, PUBLIC, SystemCatalog};
use crate::catalog::FunctionDef;
use crate::error::Result;
use crate::expression::Registry;
use crate::expression::functions::{ParamType, Volatility};
use crate::plan::Row;
use crate::value::{Type, Value};

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 1255,
        schema: PG_CATALOG,
        name: "pg_proc",
        columns: "oid oid, proname name, pronamespace oid, proowner oid, prolang oid, procost float4, \
        prorows float4, provariadic oid, prosupport regproc, prokind \"char\", prosecdef bool, \
        proleakproof bool, proisstrict bool, proretset bool, provolatile \"char\", \
        proparallel \"char\", pronargs int2, pronargdefaults int2, prorettype oid, \
        proargtypes oidvector, proallargtypes oid[], proargmodes \"char\"[], proargnames text[], \
        proargdefaults text, protrftypes oid[], prosrc text, probin text, prosqlbody text, \
        proconfig text[], proacl text[]",
        rows: functions,
    },
    SystemCatalog {
        oid: 2612,
        schema: PG_CATALOG,
        name: "pg_language",
        columns: "oid oid, lanname name, lanowner oid, lanispl bool, lanpltrusted bool, \
        lanplcallfoid oid, laninline oid, lanvalidator oid, lanacl text[]",
        rows: languages,
    },
];

/// What functions are counted from. Their numbers are not stored anywhere.
const FIRST_OID: u32 = 10_000;
/// The language `internal`.
const INTERNAL: u32 = 12;

/// A function as `pg_proc` knows it.
pub(crate) struct Listed {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: &'static str,
    /// f: function, a: aggregate
    pub kind: char,
    /// What it takes.
    pub params: &'static [ParamType],
    /// Whether the last parameter repeats.
    pub is_variadic: bool,
    /// How many trailing parameters may be left out.
    pub optional: usize,
    /// What it returns: one value, or the columns of its rows.
    pub result: Returned,
    is_strict: bool,
    volatility: char,
}

/// What a function returns.
pub(crate) enum Returned {
    /// One value.
    Value(&'static ParamType),
    /// Values of one type.
    Set(&'static ParamType),
    /// Rows: names and types of their columns.
    Rows(Vec<(String, &'static ParamType)>),
}

/// Every function by name and parameters; the OID is the place in that order.
static LISTED: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let registry = Registry::global();
    let mut all: Vec<Listed> = scalars(registry).chain(aggregates(registry)).collect();
    all.extend(sets(registry));
    all.sort_by_cached_key(|function| (function.name, arguments_text(function)));
    let oids = (FIRST_OID..).zip(&mut all);
    oids.for_each(|(oid, function)| function.oid = oid);
    all
});

/// Every function.
pub(crate) fn listed() -> &'static [Listed] {
    &LISTED
}

fn scalars(registry: &'static Registry) -> impl Iterator<Item = Listed> {
    // Those with a blank in their name are called by what SQL means, not by SQL.
    let named = registry.all_functions().filter(|function| !function.name.contains(' '));
    named.map(|function| Listed {
        oid: 0,
        name: &function.name,
        kind: 'f',
        params: &function.params,
        is_variadic: function.is_variadic,
        optional: function.optional,
        result: Returned::Value(&function.result),
        is_strict: function.is_strict,
        volatility: match function.volatility {
            Volatility::Immutable => 'i',
            Volatility::Stable => 's',
            Volatility::Volatile => 'v',
        },
    })
}

fn aggregates(registry: &'static Registry) -> impl Iterator<Item = Listed> {
    registry.all_aggregates().map(|function| Listed {
        oid: 0,
        name: &function.name,
        kind: 'a',
        params: &function.params,
        is_variadic: function.is_variadic,
        optional: 0,
        result: Returned::Value(&function.result),
        is_strict: false,
        volatility: 'i',
    })
}

fn sets(registry: &'static Registry) -> impl Iterator<Item = Listed> {
    registry.all_set_functions().map(|function| Listed {
        oid: 0,
        name: &function.name,
        kind: 'f',
        params: &function.params,
        is_variadic: function.is_variadic,
        optional: function.optional,
        result: match function.columns.as_slice() {
            [(_, only)] => Returned::Set(only),
            columns => Returned::Rows(
                columns
                    .iter()
                    .map(|(name, ty)| (name.as_deref().unwrap_or_default().to_owned(), ty))
                    .collect(),
            ),
        },
        is_strict: function.is_strict,
        volatility: 'i',
    })
}

/// A parameter's type as `format_type` prints it.
fn param_name(param: &ParamType) -> String {
    match param {
        ParamType::Exact(ty) => ty.name(),
        ParamType::AnyElement => "anyelement".to_owned(),
        ParamType::AnyNonArray => "anynonarray".to_owned(),
        ParamType::AnyArray => "anyarray".to_owned(),
        ParamType::AnyRange => "anyrange".to_owned(),
        ParamType::AnyEnum => "anyenum".to_owned(),
        ParamType::AnyCompatible => "anycompatible".to_owned(),
        ParamType::AnyCompatibleArray => "anycompatiblearray".to_owned(),
        ParamType::Any => "\"any\"".to_owned(),
    }
}

fn param_oid(param: &ParamType) -> u32 {
    match param {
        ParamType::Exact(ty) => ty.oid(),
        ParamType::AnyElement => 2283,
        ParamType::AnyNonArray => 2776,
        ParamType::AnyArray => 2277,
        ParamType::AnyRange => 3831,
        ParamType::AnyEnum => 3500,
        ParamType::AnyCompatible => 5077,
        ParamType::AnyCompatibleArray => 5078,
        ParamType::Any => 2276,
    }
}

/// `pg_get_function_arguments`
pub(crate) fn arguments_text(function: &Listed) -> String {
    let last = function.params.len().wrapping_sub(1);
    let text = |(position, param): (usize, &ParamType)| {
        let variadic = if function.is_variadic && position == last { "VARIADIC " } else { "" };
        format!("{variadic}{}", param_name(param))
    };
    function.params.iter().enumerate().map(text).collect::<Vec<_>>().join(", ")
}

/// `pg_get_function_result`
pub(crate) fn result_text(function: &Listed) -> String {
    match &function.result {
        Returned::Value(ty) => param_name(ty),
        Returned::Set(ty) => format!("SETOF {}", param_name(ty)),
        Returned::Rows(columns) => {
            let column = |(name, ty): &(String, &ParamType)| format!("{name} {}", param_name(ty));
            let columns: Vec<String> = columns.iter().map(column).collect();
            format!("TABLE({})", columns.join(", "))
        }
    }
}

/// PostGIS' functions live where its extension is.
fn schema_of(name: &str) -> u32 {
    if name.starts_with("st_") || name.starts_with("postgis") { PUBLIC } else { PG_CATALOG }
}

/// The language `sql`.
const SQL: u32 = 14;

/// A function that a user wrote.
fn user_function(reader: &Reader<'_>, def: &FunctionDef) -> Row {
    let params = def.params.iter().map(|param| Value::Oid(param.ty.base.oid())).collect();
    let names =
        def.params.iter().map(|param| Value::text(param.name.as_deref().unwrap_or_default()));
    let names = match def.params.iter().any(|param| param.name.is_some()) {
        true => Value::array(Type::Text, names.collect()),
        false => NULL,
    };
    let defaults = def.params.iter().filter(|param| param.default.is_some()).count();
    row![
        def.oid,
        def.name.as_str(),
        reader.schema(&def.schema),
        reader.role(&def.owner),
        SQL,
        100_f32,
        0_f32,
        0_u32,
        0_u32,
        'f',
        false,
        false,
        def.is_strict,
        false,
        def.volatility,
        'u',
        small(def.params.len()),
        small(defaults),
        def.result.base.oid(),
        Value::vector(Type::Oid, params),
        NULL,
        NULL,
        names,
        NULL,
        NULL,
        def.body.as_str(),
        NULL,
        NULL,
        NULL,
        NULL
    ]
}

fn functions(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(listed().len());
    for function in listed() {
        let (result, is_set) = match &function.result {
            Returned::Value(ty) => (param_oid(ty), false),
            Returned::Set(ty) => (param_oid(ty), true),
            Returned::Rows(_) => (Type::Record.oid(), true),
        };
        let params = function.params.iter().map(|param| Value::Oid(param_oid(param))).collect();
        let variadic = function.params.last().filter(|_| function.is_variadic).map_or(0, param_oid);
        let rows_expected = if is_set { 1000_f32 } else { 0.0 };
        rows.push(row![
            function.oid,
            function.name,
            schema_of(function.name),
            BOOTSTRAP_ROLE,
            INTERNAL,
            1_f32,
            rows_expected,
            variadic,
            0_u32,
            function.kind,
            false,
            false,
            function.is_strict,
            is_set,
            function.volatility,
            's',
            small(function.params.len()),
            small(function.optional),
            result,
            Value::vector(Type::Oid, params),
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            function.name,
            NULL,
            NULL,
            NULL,
            NULL
        ]);
    }
    rows.extend(reader.catalog().functions.values().map(|def| user_function(reader, def)));
    Ok(rows)
}

fn languages(_: &Reader<'_>) -> Result<Vec<Row>> {
    let language = |oid: u32, name: &str, is_trusted: bool| {
        row![oid, name, BOOTSTRAP_ROLE, false, is_trusted, 0_u32, 0_u32, 0_u32, NULL]
    };
    Ok(vec![language(INTERNAL, "internal", false), language(SQL, "sql", true)])
}
