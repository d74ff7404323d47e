//! Type names: from syntax to type, and back for error messages.

use sqlparser::ast::{
    ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, IntervalFields, ObjectName,
    TimezoneInfo,
};

use crate::catalog::{Catalog, TypeKind};
use crate::error::{Error, Result, SqlState};
use crate::value::{SqlType, Type};

/// Names types for messages; user types need the catalog.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a>(pub &'a Catalog);

impl Names<'_> {
    /// A type's name as `format_type` gives it.
    pub(crate) fn of(&self, ty: &Type) -> String {
        match ty {
            Type::Range(element) => range_name(element).to_owned(),
            Type::Array(element) => format!("{}[]", self.of(element)),
            Type::Enum(oid) => self.0.types.get(oid).map_or("???", |ty| &ty.name).to_owned(),
            Type::Row(oid) => self.0.table(*oid).map_or("record", |table| &table.name).to_owned(),
            _ => plain_name(ty).to_owned(),
        }
    }
}

/// The name of a type without parts.
fn plain_name(ty: &Type) -> &'static str {
    match ty {
        Type::Unknown => "unknown",
        Type::Bool => "boolean",
        Type::Int2 => "smallint",
        Type::Int4 => "integer",
        Type::Int8 => "bigint",
        Type::Oid => "oid",
        Type::RegClass => "regclass",
        Type::RegType => "regtype",
        Type::RegProc => "regproc",
        Type::RegNamespace => "regnamespace",
        Type::RegConfig => "regconfig",
        Type::Float4 => "real",
        Type::Float8 => "double precision",
        Type::Numeric => "numeric",
        Type::Text => "text",
        Type::Varchar => "character varying",
        Type::Bpchar => "character",
        Type::Name => "name",
        Type::Char => "\"char\"",
        Type::Bytea => "bytea",
        Type::Date => "date",
        Type::Time => "time without time zone",
        Type::TimeTz => "time with time zone",
        Type::Timestamp => "timestamp without time zone",
        Type::TimestampTz => "timestamp with time zone",
        Type::Interval => "interval",
        Type::Uuid => "uuid",
        Type::Json => "json",
        Type::Jsonb => "jsonb",
        Type::JsonPath => "jsonpath",
        Type::TsVector => "tsvector",
        Type::TsQuery => "tsquery",
        Type::Geometry => "geometry",
        Type::Geography => "geography",
        Type::Box2d => "box2d",
        Type::Box3d => "box3d",
        Type::Void => "void",
        _ => "record",
    }
}

/// The name of the range over a type.
fn range_name(element: &Type) -> &'static str {
    match element {
        Type::Int4 => "int4range",
        Type::Int8 => "int8range",
        Type::Numeric => "numrange",
        Type::Date => "daterange",
        Type::Timestamp => "tsrange",
        Type::TimestampTz => "tstzrange",
        _ => "anyrange",
    }
}

/// A type of this name without a modifier, when it is built in.
fn builtin(name: &str) -> Option<Type> {
    let range = |element| Type::Range(Box::new(element));
    Some(match name {
        "bool" | "boolean" => Type::Bool,
        "int2" | "smallint" => Type::Int2,
        "int4" | "int" | "integer" => Type::Int4,
        "int8" | "bigint" => Type::Int8,
        "oid" => Type::Oid,
        "regclass" => Type::RegClass,
        "regtype" => Type::RegType,
        "regproc" | "regprocedure" => Type::RegProc,
        "regnamespace" => Type::RegNamespace,
        "regconfig" => Type::RegConfig,
        "float4" | "real" => Type::Float4,
        "float8" => Type::Float8,
        "numeric" | "decimal" => Type::Numeric,
        "text" => Type::Text,
        "varchar" => Type::Varchar,
        "bpchar" => Type::Bpchar,
        "name" => Type::Name,
        "bytea" => Type::Bytea,
        "date" => Type::Date,
        "time" => Type::Time,
        "timetz" => Type::TimeTz,
        "timestamp" => Type::Timestamp,
        "timestamptz" => Type::TimestampTz,
        "interval" => Type::Interval,
        "uuid" => Type::Uuid,
        "json" => Type::Json,
        "jsonb" => Type::Jsonb,
        "jsonpath" => Type::JsonPath,
        "tsvector" => Type::TsVector,
        "tsquery" => Type::TsQuery,
        "geometry" => Type::Geometry,
        "geography" => Type::Geography,
        "box2d" => Type::Box2d,
        "box3d" => Type::Box3d,
        "int4range" => range(Type::Int4),
        "int8range" => range(Type::Int8),
        "numrange" => range(Type::Numeric),
        "daterange" => range(Type::Date),
        "tsrange" => range(Type::Timestamp),
        "tstzrange" => range(Type::TimestampTz),
        "record" => Type::Record,
        "void" => Type::Void,
        _ => return None,
    })
}

/// The type that syntax names.
///
/// # Errors
/// 42704 when there is no such type, 22023 for a modifier out of range.
pub(crate) fn resolve_type(
    catalog: &Catalog,
    search_path: &[String],
    ty: &DataType,
) -> Result<SqlType> {
    let plain = |ty: Type| Ok(SqlType::new(ty));
    match ty {
        DataType::Character(length) | DataType::Char(length) => string(Type::Bpchar, length, 1),
        DataType::CharacterVarying(length)
        | DataType::CharVarying(length)
        | DataType::Varchar(length)
        | DataType::Nvarchar(length) => string(Type::Varchar, length, -1),
        DataType::Uuid => plain(Type::Uuid),
        DataType::Bytea => plain(Type::Bytea),
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => numeric(info),
        DataType::Float(ExactNumberInfo::Precision(bits)) if *bits <= 24 => plain(Type::Float4),
        DataType::Float(_) | DataType::Float8 | DataType::Double(_) | DataType::DoublePrecision => {
            plain(Type::Float8)
        }
        DataType::Float4 | DataType::Real => plain(Type::Float4),
        DataType::TinyInt(_) | DataType::Int2(_) | DataType::SmallInt(_) => plain(Type::Int2),
        DataType::MediumInt(_) | DataType::Int(_) | DataType::Int4(_) | DataType::Integer(_) => {
            plain(Type::Int4)
        }
        DataType::Int8(_) | DataType::BigInt(_) => plain(Type::Int8),
        DataType::Bool | DataType::Boolean => plain(Type::Bool),
        DataType::Date => plain(Type::Date),
        DataType::Time(precision, zone) => timed(Type::Time, Type::TimeTz, *precision, zone),
        DataType::Timestamp(precision, zone) => {
            timed(Type::Timestamp, Type::TimestampTz, *precision, zone)
        }
        DataType::Datetime(precision) => {
            timed(Type::Timestamp, Type::TimestampTz, *precision, &TimezoneInfo::None)
        }
        DataType::Interval { fields, precision } => Ok(interval(fields.as_ref(), *precision)),
        DataType::JSON => plain(Type::Json),
        DataType::JSONB => plain(Type::Jsonb),
        DataType::Regclass => plain(Type::RegClass),
        DataType::Text | DataType::TinyText | DataType::MediumText | DataType::LongText => {
            plain(Type::Text)
        }
        DataType::TsVector => plain(Type::TsVector),
        DataType::TsQuery => plain(Type::TsQuery),
        DataType::Array(element) => array(catalog, search_path, element),
        DataType::Custom(name, modifiers) => named(catalog, search_path, name, modifiers),
        other => Err(missing(&other.to_string().to_lowercase())),
    }
}

fn missing(name: &str) -> Error {
    Error::new(SqlState::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"))
}

fn out_of_range(message: String) -> Error {
    Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// `varchar(n)`, `char(n)`: Postgres' modifier is the length plus 4.
fn string(base: Type, length: &Option<CharacterLength>, default: i32) -> Result<SqlType> {
    let name = if base == Type::Bpchar { "char" } else { "varchar" };
    let length = match length {
        None if default < 0 => return Ok(SqlType::new(base)),
        None => default,
        Some(CharacterLength::Max) => return Ok(SqlType::new(base)),
        Some(CharacterLength::IntegerLength { length, .. }) => match i32::try_from(*length) {
            Ok(0) => return Err(out_of_range(format!("length for type {name} must be at least 1"))),
            Ok(length) if length <= 10_485_760 => length,
            _ => {
                let message = format!("length for type {name} cannot exceed 10485760");
                return Err(out_of_range(message));
            }
        },
    };
    Ok(SqlType { base, modifier: length + 4 })
}

/// `numeric(precision, scale)`: packed as Postgres packs it.
fn numeric(info: &ExactNumberInfo) -> Result<SqlType> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Ok(SqlType::new(Type::Numeric)),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let Some(precision) = i32::try_from(precision).ok().filter(|p| (1..=1000).contains(p)) else {
        let message = format!("NUMERIC precision {precision} must be between 1 and 1000");
        return Err(out_of_range(message));
    };
    let Some(scale) = i32::try_from(scale).ok().filter(|s| (-1000..=1000).contains(s)) else {
        let message = format!("NUMERIC scale {scale} must be between -1000 and 1000");
        return Err(out_of_range(message));
    };
    Ok(SqlType { base: Type::Numeric, modifier: ((precision << 16) | (scale & 0x7ff)) + 4 })
}

/// `time` and `timestamp` with their precision.
fn timed(local: Type, zoned: Type, precision: Option<u64>, zone: &TimezoneInfo) -> Result<SqlType> {
    let is_zoned = matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz);
    let base = if is_zoned { zoned } else { local };
    // Postgres reduces what is larger than it keeps, with a warning.
    let modifier = precision.map_or(-1, |precision| i32::try_from(precision.min(6)).unwrap_or(6));
    Ok(SqlType { base, modifier })
}

/// `interval` with its fields: Postgres' mask of fields above, the precision below.
fn interval(fields: Option<&IntervalFields>, precision: Option<u64>) -> SqlType {
    const MONTH: i32 = 1 << 1;
    const YEAR: i32 = 1 << 2;
    const DAY: i32 = 1 << 3;
    const HOUR: i32 = 1 << 10;
    const MINUTE: i32 = 1 << 11;
    const SECOND: i32 = 1 << 12;
    let mask = fields.map(|fields| match fields {
        IntervalFields::Year => YEAR,
        IntervalFields::Month => MONTH,
        IntervalFields::Day => DAY,
        IntervalFields::Hour => HOUR,
        IntervalFields::Minute => MINUTE,
        IntervalFields::Second => SECOND,
        IntervalFields::YearToMonth => YEAR | MONTH,
        IntervalFields::DayToHour => DAY | HOUR,
        IntervalFields::DayToMinute => DAY | HOUR | MINUTE,
        IntervalFields::DayToSecond => DAY | HOUR | MINUTE | SECOND,
        IntervalFields::HourToMinute => HOUR | MINUTE,
        IntervalFields::HourToSecond => HOUR | MINUTE | SECOND,
        IntervalFields::MinuteToSecond => MINUTE | SECOND,
    });
    let modifier = match (mask, precision) {
        (None, None) => -1,
        (mask, precision) => {
            let precision = precision.map_or(0xffff, |precision| precision.min(6));
            (mask.unwrap_or(0x7fff) << 16) | i32::try_from(precision).unwrap_or(0xffff)
        }
    };
    SqlType { base: Type::Interval, modifier }
}

fn array(catalog: &Catalog, path: &[String], element: &ArrayElemTypeDef) -> Result<SqlType> {
    let element = match element {
        ArrayElemTypeDef::SquareBracket(element, _)
        | ArrayElemTypeDef::AngleBracket(element)
        | ArrayElemTypeDef::Parenthesis(element)
        | ArrayElemTypeDef::Qualified(element, _) => resolve_type(catalog, path, element)?,
        ArrayElemTypeDef::None => return Err(missing("array")),
    };
    // `int[][]` is the same type as `int[]`.
    match element.base {
        Type::Array(_) => Ok(element),
        base => Ok(SqlType { base: Type::Array(Box::new(base)), modifier: element.modifier }),
    }
}

/// A type by its name: built in, or the user's.
fn named(
    catalog: &Catalog,
    search_path: &[String],
    name: &ObjectName,
    modifiers: &[String],
) -> Result<SqlType> {
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident().map(super::super::fold)).collect();
    let (schema, name) = match parts.as_slice() {
        [name] => (None, name),
        [schema, name] => (Some(schema.as_str()), name),
        _ => return Err(missing(&name.to_string())),
    };
    if let Some(element) = name.strip_prefix('_').and_then(builtin) {
        return Ok(SqlType::new(Type::Array(Box::new(element))));
    }
    if matches!(schema, None | Some("pg_catalog" | "public"))
        && let Some(base) = builtin(name)
    {
        return match base {
            Type::Geometry | Type::Geography => shape(base, modifiers),
            _ => with_modifiers(base, modifiers),
        };
    }
    if schema == Some("pg_catalog") && name == "char" {
        return Ok(SqlType::new(Type::Char));
    }
    let found = catalog.types.values().find(|ty| {
        ty.name == *name
            && schema.map_or_else(|| search_path.contains(&ty.schema), |schema| schema == ty.schema)
    });
    if let Some(ty) = found {
        return Ok(match &ty.kind {
            TypeKind::Enum(_) => SqlType::new(Type::Enum(ty.oid)),
            TypeKind::Domain { base, .. } => base.clone(),
            TypeKind::Composite(_) => SqlType::new(Type::Record),
        });
    }
    match catalog.resolve(schema, name, search_path) {
        Some(crate::catalog::Relation::Table(oid)) => Ok(SqlType::new(Type::Row(oid))),
        _ => Err(missing(&name.clone())),
    }
}

/// Modifiers of types that the parser takes for custom ones.
fn with_modifiers(base: Type, modifiers: &[String]) -> Result<SqlType> {
    let number = |index: usize| modifiers.get(index).and_then(|text| text.trim().parse::<i64>().ok());
    match (&base, number(0)) {
        (_, None) => Ok(SqlType::new(base)),
        (Type::Varchar | Type::Bpchar, Some(length)) => {
            let length = u64::try_from(length).unwrap_or(0);
            string(base, &Some(CharacterLength::IntegerLength { length, unit: None }), -1)
        }
        (Type::Numeric, Some(precision)) => {
            let precision = u64::try_from(precision).unwrap_or(0);
            numeric(&ExactNumberInfo::PrecisionAndScale(precision, number(1).unwrap_or(0)))
        }
        (_, Some(precision)) => {
            Ok(SqlType { base, modifier: i32::try_from(precision.clamp(0, 6)).unwrap_or(6) })
        }
    }
}

/// `geometry(Point, 4326)`: PostGIS' modifier has the SRID in bits 8–28, the kind of shape in
/// bits 2–7, and whether there are Z and M in bits 1 and 0.
fn shape(base: Type, modifiers: &[String]) -> Result<SqlType> {
    let Some(kind) = modifiers.first() else { return Ok(SqlType::new(base)) };
    let lower = kind.trim().trim_matches(['\'', '"']).to_lowercase();
    let (word, flags) = match lower.as_str() {
        word if word.ends_with("zm") => (&word[..word.len() - 2], 3),
        word if word.ends_with('z') => (&word[..word.len() - 1], 2),
        word if word.ends_with('m') && word != "geom" => (&word[..word.len() - 1], 1),
        word => (word, 0),
    };
    let code = match word {
        "geometry" => 0,
        "point" => 1,
        "linestring" => 2,
        "polygon" => 3,
        "multipoint" => 4,
        "multilinestring" => 5,
        "multipolygon" => 6,
        "geometrycollection" => 7,
        _ => {
            let message = format!("Invalid geometry type modifier: {}", kind.trim());
            return Err(out_of_range(message));
        }
    };
    let default = if base == Type::Geography { 4326 } else { 0 };
    let srid = match modifiers.get(1) {
        None => default,
        Some(text) => match text.trim().parse::<i32>() {
            Ok(srid) if (0..=999_999).contains(&srid) => srid,
            _ => return Err(out_of_range(format!("invalid SRID \"{}\"", text.trim()))),
        },
    };
    Ok(SqlType { base, modifier: (srid << 8) | (code << 2) | flags })
}
