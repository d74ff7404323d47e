//! `pg_type`, `pg_enum`, `pg_range`, `pg_collation`.

use super::cell::{NULL, row};
use super::reader::Reader;
use super::{BOOTSTRAP_ROLE, PG_CATALOG, PUBLIC, SystemCatalog};
use crate::catalog::{TypeDef, TypeKind};
use crate::error::Result;
use crate::plan::Row;
use crate::value::{SqlType, Type};

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: OID,
        schema: PG_CATALOG,
        name: "pg_type",
        columns: "oid oid, typname name, typnamespace oid, typowner oid, typlen int2, typbyval bool, \
        typtype \"char\", typcategory \"char\", typispreferred bool, typisdefined bool, \
        typdelim \"char\", typrelid oid, typsubscript regproc, typelem oid, typarray oid, \
        typinput regproc, typoutput regproc, typreceive regproc, typsend regproc, \
        typmodin regproc, typmodout regproc, typanalyze regproc, typalign \"char\", \
        typstorage \"char\", typnotnull bool, typbasetype oid, typtypmod int4, typndims int4, \
        typcollation oid, typdefaultbin text, typdefault text, typacl text[]",
        rows: types,
    },
    SystemCatalog {
        oid: 3501,
        schema: PG_CATALOG,
        name: "pg_enum",
        columns: "oid oid, enumtypid oid, enumsortorder float4, enumlabel name",
        rows: labels,
    },
    SystemCatalog {
        oid: 3541,
        schema: PG_CATALOG,
        name: "pg_range",
        columns: "rngtypid oid, rngsubtype oid, rngmultitypid oid, rngcollation oid, rngsubopc oid, \
        rngcanonical regproc, rngsubdiff regproc",
        rows: ranges,
    },
    SystemCatalog {
        oid: 3456,
        schema: PG_CATALOG,
        name: "pg_collation",
        columns: "oid oid, collname name, collnamespace oid, collowner oid, collprovider \"char\", \
        collisdeterministic bool, collencoding int4, collcollate text, collctype text, \
        colliculocale text, collversion text",
        rows: collations,
    },
];

/// The OID of `pg_type`.
pub(super) const OID: u32 = 1247;
/// The collation `default`.
const DEFAULT_COLLATION: u32 = 100;
/// The collation `C`.
const C_COLLATION: u32 = 950;

/// What differs between one type and the next.
struct Entry {
    oid: u32,
    name: String,
    schema: u32,
    owner: u32,
    len: i16,
    by_value: bool,
    /// b: base, c: composite, d: domain, e: enum, p: pseudo, r: range
    kind: char,
    category: char,
    is_preferred: bool,
    relation: u32,
    element: u32,
    array: u32,
    align: char,
    storage: char,
    is_not_null: bool,
    base: u32,
    modifier: i32,
    collation: u32,
    default: Option<String>,
}

impl Entry {
    fn of(ty: &Type, name: String, schema: u32) -> Self {
        let kind = match ty {
            Type::Range(_) => 'r',
            Type::Record | Type::Void | Type::Unknown => 'p',
            _ => 'b',
        };
        Self {
            oid: ty.oid(),
            name,
            schema,
            owner: BOOTSTRAP_ROLE,
            len: ty.len(),
            by_value: is_by_value(ty),
            kind,
            category: ty.category().letter(),
            is_preferred: ty.is_preferred(),
            relation: 0,
            element: ty.element().map_or(0, Type::oid),
            array: if matches!(ty, Type::Array(_)) { 0 } else { array_oid(ty) },
            align: alignment(ty),
            storage: storage(ty),
            is_not_null: false,
            base: 0,
            modifier: -1,
            collation: collation(ty),
            default: None,
        }
    }

    fn row(self) -> Row {
        // Input and output functions have no OIDs here: values are read and written by the type.
        row![
            self.oid,
            self.name,
            self.schema,
            self.owner,
            self.len,
            self.by_value,
            self.kind,
            self.category,
            self.is_preferred,
            true,
            ',',
            self.relation,
            0_u32,
            self.element,
            self.array,
            0_u32,
            0_u32,
            0_u32,
            0_u32,
            0_u32,
            0_u32,
            0_u32,
            self.align,
            self.storage,
            self.is_not_null,
            self.base,
            self.modifier,
            0_i32,
            self.collation,
            NULL,
            self.default,
            NULL
        ]
    }
}

fn array_oid(ty: &Type) -> u32 {
    ty.clone().array().oid()
}

fn types(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ty in Type::all() {
        let name = ty.internal_name();
        let schema = schema_of(&ty);
        if array_oid(&ty) != 0 {
            let array = ty.clone().array();
            rows.push(Entry::of(&array, array.internal_name(), schema).row());
        }
        rows.push(Entry::of(&ty, name, schema).row());
    }
    for def in reader.types() {
        push_user_type(reader, def, &mut rows);
    }
    let tables = reader.tables().map(|table| (table.oid, &table.name, &table.schema, &table.owner));
    let views = reader.views().map(|view| (view.oid, &view.name, &view.schema, &view.owner));
    for (oid, name, schema, owner) in tables.chain(views) {
        rows.push(row_type(reader, oid, name, (schema, owner)).row());
    }
    Ok(rows)
}

/// PostGIS' types live where its extension is: in `public`.
pub(crate) fn schema_of(ty: &Type) -> u32 {
    match ty {
        Type::Geometry | Type::Geography | Type::Box2d | Type::Box3d => PUBLIC,
        Type::Array(element) => schema_of(element),
        _ => PG_CATALOG,
    }
}

fn row_type(reader: &Reader<'_>, oid: u32, name: &str, (schema, owner): (&str, &str)) -> Entry {
    Entry {
        oid,
        owner: reader.role(owner),
        kind: 'c',
        category: 'C',
        relation: oid,
        array: 0,
        align: 'd',
        ..Entry::of(&Type::Row(oid), name.to_owned(), reader.schema(schema))
    }
}

fn push_user_type(reader: &Reader<'_>, def: &TypeDef, rows: &mut Vec<Row>) {
    let schema = reader.schema(&def.schema);
    let owner = reader.role(&def.owner);
    let plain = Entry::of(&Type::Enum(def.oid), def.name.clone(), schema);
    let entry = match &def.kind {
        TypeKind::Enum(_) => Entry { kind: 'e', ..plain },
        TypeKind::Composite(_) => {
            Entry { relation: def.oid, ..row_type(reader, def.oid, &def.name, (&def.schema, "")) }
        }
        TypeKind::Domain { base, is_not_null, default, .. } => domain(
            Entry::of(&base.base, def.name.clone(), schema),
            base,
            *is_not_null,
            default.clone(),
        ),
    };
    let array = Type::Text.array();
    let array = Entry::of(&array, format!("_{}", def.name), schema);
    rows.push(Entry { oid: def.array_oid, owner, element: def.oid, ..array }.row());
    rows.push(Entry { oid: def.oid, owner, array: def.array_oid, ..entry }.row());
}

fn domain(entry: Entry, base: &SqlType, is_not_null: bool, default: Option<String>) -> Entry {
    Entry {
        kind: 'd',
        is_preferred: false,
        element: 0,
        is_not_null,
        base: base.base.oid(),
        modifier: base.modifier,
        default,
        ..entry
    }
}

/// Whether values of a type fit a machine word.
pub(super) fn is_by_value(ty: &Type) -> bool {
    matches!(ty.len(), 1 | 2 | 4 | 8)
}

/// `pg_type.typalign`
pub(super) fn alignment(ty: &Type) -> char {
    match ty.len() {
        1 => 'c',
        2 => 's',
        8 | 16 if *ty != Type::Uuid => 'd',
        64 => 'c',
        _ if matches!(ty, Type::Uuid | Type::Unknown) => 'c',
        _ if matches!(ty, Type::Geometry | Type::Geography | Type::Row(_)) => 'd',
        _ => 'i',
    }
}

/// `pg_type.typstorage`: p plain, m main, x extended
pub(super) fn storage(ty: &Type) -> char {
    match ty {
        Type::Numeric | Type::Geometry | Type::Geography => 'm',
        Type::TsQuery | Type::Int2Vector | Type::OidVector => 'p',
        ty if ty.len() == -1 => 'x',
        _ => 'p',
    }
}

/// The collation of a type's values, 0 for those that have none.
pub(super) fn collation(ty: &Type) -> u32 {
    match ty {
        Type::Array(element) => collation(element),
        Type::Name => C_COLLATION,
        Type::Text | Type::Varchar | Type::Bpchar => DEFAULT_COLLATION,
        _ => 0,
    }
}

fn labels(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for def in reader.types() {
        let TypeKind::Enum(labels) = &def.kind else { continue };
        for (position, label) in labels.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "an enum has few labels")]
            let order = position as f32 + 1.0;
            let position = u32::try_from(position).unwrap_or_default();
            let oid = def.oid.wrapping_mul(1_024).wrapping_add(position + 1);
            rows.push(row![oid, def.oid, order, label]);
        }
    }
    Ok(rows)
}

fn ranges(_: &Reader<'_>) -> Result<Vec<Row>> {
    let ranges = Type::all().filter_map(|ty| match &ty {
        Type::Range(element) => {
            Some(row![ty.oid(), element.oid(), 0_u32, 0_u32, 0_u32, 0_u32, 0_u32])
        }
        _ => None,
    });
    Ok(ranges.collect())
}

fn collations(_: &Reader<'_>) -> Result<Vec<Row>> {
    let collation = |oid: u32, name: &str, provider: char, locale: Option<&str>| {
        let (schema, owner) = (PG_CATALOG, BOOTSTRAP_ROLE);
        row![oid, name, schema, owner, provider, true, -1_i32, locale, locale, NULL, NULL]
    };
    Ok(vec![
        collation(DEFAULT_COLLATION, "default", 'd', None),
        collation(C_COLLATION, "C", 'c', Some("C")),
        collation(951, "POSIX", 'c', Some("POSIX")),
    ])
}
