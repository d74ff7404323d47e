//! The types that SQL names, their OIDs and modifiers.

use super::interval_fields;
use crate::error::{Error, Result, SqlState};

/// A type without its modifier. OIDs are Postgres'; PostGIS' and user types' are ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Type {
    /// A string literal or parameter whose type is not known yet.
    Unknown,
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `oid`
    Oid,
    /// `regclass`
    RegClass,
    /// `regtype`
    RegType,
    /// `regproc`
    RegProc,
    /// `regnamespace`
    RegNamespace,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric`
    Numeric,
    /// `text`
    Text,
    /// `character varying`
    Varchar,
    /// `character(n)`
    Bpchar,
    /// `name`
    Name,
    /// `"char"`
    Char,
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `time with time zone`
    TimeTz,
    /// `timestamp`
    Timestamp,
    /// `timestamp with time zone`
    TimestampTz,
    /// `interval`
    Interval,
    /// `uuid`
    Uuid,
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// `jsonpath`
    JsonPath,
    /// `tsvector`
    TsVector,
    /// `tsquery`
    TsQuery,
    /// `regconfig`
    RegConfig,
    /// `geometry`
    Geometry,
    /// `geography`
    Geography,
    /// `box2d`
    Box2d,
    /// `box3d`
    Box3d,
    /// `int4range`, `numrange`, `tstzrange`, …: the range over this type
    Range(Box<Type>),
    /// The array of this type
    Array(Box<Type>),
    /// A user's enum, by its OID in the catalog
    Enum(u32),
    /// `record`: an anonymous row
    Record,
    /// The row type of a table, by the table's OID
    Row(u32),
    /// `void`: what a function called for its effect returns
    Void,
    /// `int2vector`: an array of `smallint` that counts from 0, of system catalogs
    Int2Vector,
    /// `oidvector`: an array of `oid` that counts from 0, of system catalogs
    OidVector,
}

/// A type with its modifier: `varchar(10)`, `numeric(10,2)`, `geography(Point,4326)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct SqlType {
    /// The type.
    pub base: Type,
    /// Postgres' `atttypmod`; -1 when there is none.
    pub modifier: i32,
}

/// Postgres' type categories (manual, `pg_type.typcategory`), which overload resolution uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Arrays
    Array,
    /// Boolean
    Boolean,
    /// Dates and times
    DateTime,
    /// Enums
    Enum,
    /// Numbers
    Numeric,
    /// Pseudo-types
    Pseudo,
    /// Rows
    Composite,
    /// Ranges
    Range,
    /// Strings
    String,
    /// Time spans
    Timespan,
    /// Everything else
    User,
    /// `unknown`
    Unknown,
    /// Types for internal use
    Internal,
}

impl Category {
    /// Its letter in `pg_type.typcategory`.
    pub fn letter(self) -> char {
        match self {
            Self::Array => 'A',
            Self::Boolean => 'B',
            Self::DateTime => 'D',
            Self::Enum => 'E',
            Self::Numeric => 'N',
            Self::Pseudo => 'P',
            Self::Composite => 'C',
            Self::Range => 'R',
            Self::String => 'S',
            Self::Timespan => 'T',
            Self::User => 'U',
            Self::Unknown => 'X',
            Self::Internal => 'Z',
        }
    }
}

/// What `pg_type` says of a built-in type.
struct Entry {
    ty: Type,
    oid: u32,
    array_oid: u32,
    /// Bytes, -1 for variable length.
    len: i16,
    category: Category,
    is_preferred: bool,
    /// `pg_type.typname`
    internal_name: &'static str,
    /// As `format_type` prints it.
    name: &'static str,
}

macro_rules! entries {
    ($($ty:ident $oid:literal $array:literal $len:literal $category:ident $preferred:literal
       $internal:literal $name:literal;)*) => {
        &[$(Entry { ty: Type::$ty, oid: $oid, array_oid: $array, len: $len,
            category: Category::$category, is_preferred: $preferred, internal_name: $internal,
            name: $name }),*]
    };
}

/// Every built-in type but arrays and ranges. PostGIS has no fixed OIDs; 16390 to 16399 are kept
/// for it here.
const ENTRIES: &[Entry] = entries! {
    Bool 16 1000 1 Boolean true "bool" "boolean";
    Bytea 17 1001 -1 User false "bytea" "bytea";
    Char 18 1002 1 Internal false "char" "\"char\"";
    Name 19 1003 64 String false "name" "name";
    Int8 20 1016 8 Numeric false "int8" "bigint";
    Int2 21 1005 2 Numeric false "int2" "smallint";
    Int2Vector 22 1006 -1 Array false "int2vector" "int2vector";
    Int4 23 1007 4 Numeric false "int4" "integer";
    RegProc 24 1008 4 Numeric false "regproc" "regproc";
    Text 25 1009 -1 String true "text" "text";
    Oid 26 1028 4 Numeric true "oid" "oid";
    OidVector 30 1013 -1 Array false "oidvector" "oidvector";
    Json 114 199 -1 User false "json" "json";
    Float4 700 1021 4 Numeric false "float4" "real";
    Float8 701 1022 8 Numeric true "float8" "double precision";
    Unknown 705 0 -2 Unknown false "unknown" "unknown";
    Bpchar 1042 1014 -1 String false "bpchar" "character";
    Varchar 1043 1015 -1 String false "varchar" "character varying";
    Date 1082 1182 4 DateTime false "date" "date";
    Time 1083 1183 8 DateTime false "time" "time without time zone";
    Timestamp 1114 1115 8 DateTime false "timestamp" "timestamp without time zone";
    TimestampTz 1184 1185 8 DateTime true "timestamptz" "timestamp with time zone";
    Interval 1186 1187 16 Timespan true "interval" "interval";
    TimeTz 1266 1270 12 DateTime false "timetz" "time with time zone";
    Numeric 1700 1231 -1 Numeric false "numeric" "numeric";
    RegClass 2205 2210 4 Numeric false "regclass" "regclass";
    RegType 2206 2211 4 Numeric false "regtype" "regtype";
    Record 2249 2287 -1 Pseudo false "record" "record";
    Void 2278 0 4 Pseudo false "void" "void";
    Uuid 2950 2951 16 User false "uuid" "uuid";
    TsVector 3614 3643 -1 User false "tsvector" "tsvector";
    TsQuery 3615 3645 -1 User false "tsquery" "tsquery";
    RegConfig 3734 3735 4 Numeric false "regconfig" "regconfig";
    Jsonb 3802 3807 -1 User false "jsonb" "jsonb";
    JsonPath 4072 4073 -1 User false "jsonpath" "jsonpath";
    RegNamespace 4089 4090 4 Numeric false "regnamespace" "regnamespace";
    Geometry 16390 16391 -1 User false "geometry" "geometry";
    Geography 16392 16393 -1 User false "geography" "geography";
    Box2d 16394 16395 65 User false "box2d" "box2d";
    Box3d 16396 16397 52 User false "box3d" "box3d";
};

/// The first OID that user types may have.
pub const FIRST_USER_OID: u32 = 16_400;

/// Ranges: element type, OID, array OID, name.
const RANGES: &[(Type, u32, u32, &str)] = &[
    (Type::Int4, 3904, 3905, "int4range"),
    (Type::Numeric, 3906, 3907, "numrange"),
    (Type::Timestamp, 3908, 3909, "tsrange"),
    (Type::TimestampTz, 3910, 3911, "tstzrange"),
    (Type::Date, 3912, 3913, "daterange"),
    (Type::Int8, 3926, 3927, "int8range"),
];

/// Names that SQL allows beside those of `format_type` and `pg_type`.
const ALIASES: &[(&str, Type)] = &[
    ("int", Type::Int4),
    ("decimal", Type::Numeric),
    ("dec", Type::Numeric),
    ("double", Type::Float8),
    ("char varying", Type::Varchar),
    ("nvarchar", Type::Varchar),
    ("time", Type::Time),
    ("timestamp", Type::Timestamp),
    ("bytes", Type::Bytea),
];

fn entry(ty: &Type) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.ty == *ty)
}

impl Type {
    /// The array of this type.
    pub fn array(self) -> Self {
        Self::Array(Box::new(self))
    }

    /// The type's OID, as `pg_type` shows it. The array of a user's type has the OID after it.
    pub fn oid(&self) -> u32 {
        match self {
            Self::Array(element) => element.array_oid(),
            Self::Range(element) => {
                RANGES.iter().find(|range| range.0 == **element).map_or(0, |range| range.1)
            }
            Self::Enum(oid) | Self::Row(oid) => *oid,
            _ => entry(self).map_or(0, |entry| entry.oid),
        }
    }

    /// The OID of the array of this type; 0 when there is none.
    pub fn array_oid(&self) -> u32 {
        match self {
            // Arrays have any number of dimensions: the array of an array is the array.
            Self::Array(element) => element.array_oid(),
            Self::Range(element) => {
                RANGES.iter().find(|range| range.0 == **element).map_or(0, |range| range.2)
            }
            Self::Enum(oid) | Self::Row(oid) => oid + 1,
            _ => entry(self).map_or(0, |entry| entry.array_oid),
        }
    }

    /// The built-in type of an OID.
    pub fn from_oid(oid: u32) -> Option<Self> {
        if oid == 0 {
            return None;
        }
        let plain = ENTRIES.iter().find_map(|entry| match oid {
            _ if entry.oid == oid => Some(entry.ty.clone()),
            _ if entry.array_oid == oid => Some(entry.ty.clone().array()),
            _ => None,
        });
        plain.or_else(|| {
            RANGES.iter().find_map(|(element, range, array, _)| {
                let ty = Self::Range(Box::new(element.clone()));
                match oid {
                    _ if *range == oid => Some(ty),
                    _ if *array == oid => Some(ty.array()),
                    _ => None,
                }
            })
        })
    }

    /// Every built-in type: for `pg_type`.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = ENTRIES.iter().map(|entry| entry.ty.clone());
        let ranges = RANGES.iter().map(|range| Self::Range(Box::new(range.0.clone())));
        plain.chain(ranges)
    }

    /// As `format_type` prints it, without modifier. User types print as their OID: the catalog
    /// knows their names.
    pub fn name(&self) -> String {
        SqlType::new(self.clone()).name()
    }

    /// `pg_type.typname`
    pub fn internal_name(&self) -> String {
        match self {
            Self::Array(element) => format!("_{}", element.internal_name()),
            Self::Range(element) => RANGES
                .iter()
                .find(|range| range.0 == **element)
                .map_or_else(|| "anyrange".to_owned(), |range| range.3.to_owned()),
            Self::Enum(oid) | Self::Row(oid) => oid.to_string(),
            _ => entry(self).map_or("???", |entry| entry.internal_name).to_owned(),
        }
    }

    /// Its category.
    pub fn category(&self) -> Category {
        match self {
            Self::Array(_) => Category::Array,
            Self::Range(_) => Category::Range,
            Self::Enum(_) => Category::Enum,
            Self::Row(_) => Category::Composite,
            _ => entry(self).map_or(Category::User, |entry| entry.category),
        }
    }

    /// Whether it is the type of its category that others are turned into when in doubt.
    pub fn is_preferred(&self) -> bool {
        entry(self).is_some_and(|entry| entry.is_preferred)
    }

    /// `pg_type.typlen`: bytes, or -1 for variable length.
    #[expect(clippy::len_without_is_empty, reason = "Postgres' word for a type's size")]
    pub fn len(&self) -> i16 {
        match self {
            Self::Enum(_) => 4,
            _ => entry(self).map_or(-1, |entry| entry.len),
        }
    }

    /// Whether its values are strings without structure.
    pub fn is_string(&self) -> bool {
        self.category() == Category::String
    }

    /// Whether it is `smallint`, `integer` or `bigint`.
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8)
    }

    /// The type of an array's elements.
    pub fn element(&self) -> Option<&Self> {
        match self {
            Self::Array(element) => Some(element),
            Self::Int2Vector => Some(&Self::Int2),
            Self::OidVector => Some(&Self::Oid),
            _ => None,
        }
    }

    /// Whether it is `int2vector` or `oidvector`.
    pub fn is_vector(&self) -> bool {
        matches!(self, Self::Int2Vector | Self::OidVector)
    }

    /// Whether values have an order (and so can be sorted, grouped and kept in ordered indexes).
    pub fn is_orderable(&self) -> bool {
        match self {
            Self::Json | Self::JsonPath | Self::Box2d | Self::Box3d | Self::Void => false,
            Self::Array(element) | Self::Range(element) => element.is_orderable(),
            _ => true,
        }
    }

    /// The type of a name that SQL may write, without modifiers or `[]`.
    fn from_plain_name(name: &str) -> Option<Self> {
        if let Some(element) = name.strip_prefix('_') {
            return Self::from_plain_name(element).map(Self::array);
        }
        let found = ENTRIES
            .iter()
            .find(|entry| entry.name == name || entry.internal_name == name)
            .map(|entry| entry.ty.clone());
        let aliased = || ALIASES.iter().find(|alias| alias.0 == name).map(|alias| alias.1.clone());
        let range = || {
            let range = RANGES.iter().find(|range| range.3 == name)?;
            Some(Self::Range(Box::new(range.0.clone())))
        };
        // Unquoted `char` is `character(1)`; `"char"` is written with its quotes.
        if name == "char" {
            return Some(Self::Bpchar);
        }
        found.or_else(aliased).or_else(range)
    }

    /// The built-in type that a name and modifiers stand for: `from_name("varchar", &["10"])`,
    /// `("numeric", &["10", "2"])`, `("int4[]", &[])`, `("geography", &["Point", "4326"])`.
    /// `None`: there is no built-in type of that name.
    ///
    /// # Errors
    /// 22023 when the type does not take such modifiers.
    pub fn from_name(name: &str, modifiers: &[&str]) -> Result<Option<SqlType>> {
        let name = name.trim();
        let lower = if name.starts_with('"') { name.to_owned() } else { name.to_ascii_lowercase() };
        let plain = lower.strip_prefix("pg_catalog.").unwrap_or(&lower);
        let (plain, is_array) = match plain.find('[') {
            Some(at) => (plain[..at].trim_end(), true),
            None => (plain, false),
        };
        let (plain, inline) = split_modifiers(plain);
        let modifiers = if modifiers.is_empty() { inline.as_slice() } else { modifiers };
        let ty = match plain.as_str() {
            "float" => return float_type(modifiers, is_array).map(Some),
            plain => match Self::from_plain_name(plain) {
                Some(ty) => ty,
                None => return Ok(None),
            },
        };
        let (ty, is_array) = match ty {
            Self::Array(element) => (*element, true),
            ty => (ty, is_array),
        };
        let modifier = parse_modifier(&ty, plain.as_str(), modifiers)?;
        let base = if is_array { ty.array() } else { ty };
        Ok(Some(SqlType { base, modifier }))
    }
}

/// Takes the modifiers out of `varchar(10)`, `timestamp(3) with time zone`.
fn split_modifiers(name: &str) -> (String, Vec<&str>) {
    match (name.find('('), name.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let modifiers = name[open + 1..close].split(',').map(str::trim).collect();
            let words = format!("{} {}", name[..open].trim(), name[close + 1..].trim());
            (words.trim().to_owned(), modifiers)
        }
        _ => (name.to_owned(), Vec::new()),
    }
}

fn bad_modifier(message: impl Into<String>) -> Error {
    Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn float_type(modifiers: &[&str], is_array: bool) -> Result<SqlType> {
    let base = match modifiers {
        [] => Type::Float8,
        [bits, ..] => match bits.parse::<i32>() {
            Ok(1..=24) => Type::Float4,
            Ok(25..=53) => Type::Float8,
            Ok(..=0) => {
                return Err(bad_modifier("precision for type float must be at least 1 bit"));
            }
            _ => return Err(bad_modifier("precision for type float must be less than 54 bits")),
        },
    };
    Ok(SqlType::new(if is_array { base.array() } else { base }))
}

fn number(text: &str) -> Result<i32> {
    text.trim()
        .parse()
        .map_err(|_| bad_modifier("type modifiers must be simple constants or identifiers"))
}

fn parse_modifier(ty: &Type, name: &str, modifiers: &[&str]) -> Result<i32> {
    match (ty, modifiers) {
        (Type::Bpchar, []) => Ok(if name == "bpchar" { -1 } else { 5 }),
        (Type::Geometry | Type::Geography, _) => geo_modifier(ty, modifiers),
        (_, []) => Ok(-1),
        (Type::Bpchar | Type::Varchar, [length]) => {
            let word = if *ty == Type::Bpchar { "char" } else { "varchar" };
            match number(length)? {
                ..=0 => Err(bad_modifier(format!("length for type {word} must be at least 1"))),
                10_485_761.. => {
                    Err(bad_modifier(format!("length for type {word} cannot exceed 10485760")))
                }
                length => Ok(length + 4),
            }
        }
        (Type::Numeric, [precision]) => numeric_modifier(number(precision)?, 0),
        (Type::Numeric, [precision, scale]) => numeric_modifier(number(precision)?, number(scale)?),
        (
            Type::Time | Type::TimeTz | Type::Timestamp | Type::TimestampTz | Type::Interval,
            [digits],
        ) => match (number(digits)?, ty) {
            (..0, _) => Err(bad_modifier(format!("invalid {} precision", ty.name()))),
            // More digits than there are are a warning in Postgres.
            (digits, Type::Interval) => Ok((0x7FFF << 16) | digits.min(6)),
            (digits, _) => Ok(digits.min(6)),
        },
        _ => {
            let message = format!("type modifier is not allowed for type \"{name}\"");
            Err(Error::new(SqlState::SYNTAX_ERROR, message))
        }
    }
}

fn geo_modifier(ty: &Type, modifiers: &[&str]) -> Result<i32> {
    if modifiers.is_empty() {
        return Ok(-1);
    }
    crate::geo::parse_modifier(modifiers, *ty == Type::Geography)
}

fn numeric_modifier(precision: i32, scale: i32) -> Result<i32> {
    if !(1..=1000).contains(&precision) {
        let message = format!("NUMERIC precision {precision} must be between 1 and 1000");
        return Err(bad_modifier(message));
    }
    if !(-1000..=1000).contains(&scale) {
        let message = format!("NUMERIC scale {scale} must be between -1000 and 1000");
        return Err(bad_modifier(message));
    }
    Ok(((precision << 16) | (scale & 0x7FF)) + 4)
}

impl SqlType {
    /// A type without a modifier.
    pub fn new(base: Type) -> Self {
        Self { base, modifier: -1 }
    }

    /// As `format_type` prints it: `character varying(10)`, `numeric(10,2)`, `integer[]`.
    pub fn name(&self) -> String {
        match &self.base {
            Type::Array(element) => {
                let element = Self { base: (**element).clone(), modifier: self.modifier };
                format!("{}[]", element.name())
            }
            Type::Time | Type::TimeTz | Type::Timestamp | Type::TimestampTz
                if self.modifier >= 0 =>
            {
                let name = entry(&self.base).map_or("", |entry| entry.name);
                let (word, zone) = name.split_once(' ').unwrap_or((name, ""));
                format!("{word}({}) {zone}", self.modifier)
            }
            base => {
                let name = match entry(base) {
                    Some(_) if *base == Type::Bpchar && self.modifier < 0 => "bpchar".to_owned(),
                    Some(entry) => entry.name.to_owned(),
                    None => base.internal_name(),
                };
                format!("{name}{}", self.modifier_text())
            }
        }
    }

    fn modifier_text(&self) -> String {
        match &self.base {
            _ if self.modifier < 0 => String::new(),
            Type::Bpchar | Type::Varchar => format!("({})", self.modifier - 4),
            Type::Numeric => match self.numeric_limits() {
                Some((precision, scale)) => format!("({precision},{scale})"),
                None => String::new(),
            },
            Type::Interval => {
                let fields = interval_fields::name_of(self.modifier >> 16);
                let fields = fields.map(|name| format!(" {name}")).unwrap_or_default();
                let precision = self.time_precision().map(|digits| format!("({digits})"));
                format!("{fields}{}", precision.unwrap_or_default())
            }
            Type::Geometry | Type::Geography => crate::geo::format_modifier(self.modifier),
            _ => String::new(),
        }
    }

    /// The length of a `varchar(n)` or `char(n)`, in characters.
    pub fn char_limit(&self) -> Option<usize> {
        match self.base {
            Type::Varchar | Type::Bpchar if self.modifier >= 4 => {
                usize::try_from(self.modifier - 4).ok()
            }
            _ => None,
        }
    }

    /// Precision and scale of a `numeric(p,s)`.
    pub fn numeric_limits(&self) -> Option<(i32, i32)> {
        if self.base != Type::Numeric || self.modifier < 4 {
            return None;
        }
        let packed = self.modifier - 4;
        let scale = packed & 0x7FF;
        Some((packed >> 16, (scale ^ 1024) - 1024))
    }

    /// Digits after the seconds' point of a time type.
    pub fn time_precision(&self) -> Option<u32> {
        match self.base {
            Type::Time | Type::TimeTz | Type::Timestamp | Type::TimestampTz => {
                u32::try_from(self.modifier).ok()
            }
            Type::Interval if self.modifier >= 0 && self.modifier & 0xFFFF <= 6 => {
                Some((self.modifier & 0xFFFF) as u32)
            }
            _ => None,
        }
    }
}

impl From<Type> for SqlType {
    fn from(base: Type) -> Self {
        Self::new(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_name_their_fields() {
        let name = |mask: i32, digits: i32| {
            SqlType { base: Type::Interval, modifier: mask << 16 | digits }.name()
        };
        assert_eq!(name(interval_fields::ALL, 3), "interval(3)");
        let day_to_second = interval_fields::mask_of("day to second").unwrap();
        assert_eq!(name(day_to_second, 3), "interval day to second(3)");
        assert_eq!(name(interval_fields::mask_of("YEAR").unwrap(), 0xFFFF), "interval year");
    }

    fn name_of(name: &str, modifiers: &[&str]) -> String {
        Type::from_name(name, modifiers).unwrap().unwrap().name()
    }

    #[test]
    fn names_and_aliases_print_as_format_type() {
        assert_eq!(name_of("int", &[]), "integer");
        assert_eq!(name_of("VARCHAR", &["10"]), "character varying(10)");
        assert_eq!(name_of("decimal", &["10", "2"]), "numeric(10,2)");
        assert_eq!(name_of("numeric", &["5", "-2"]), "numeric(5,-2)");
        assert_eq!(name_of("timestamptz", &["3"]), "timestamp(3) with time zone");
        assert_eq!(name_of("_text", &[]), "text[]");
        assert_eq!(name_of("varchar(3)[]", &[]), "character varying(3)[]");
        assert_eq!(name_of("char", &[]), "character(1)");
        assert_eq!(name_of("\"char\"", &[]), "\"char\"");
        assert_eq!(name_of("float", &["10"]), "real");
        assert_eq!(name_of("timestamp(2) with time zone", &[]), "timestamp(2) with time zone");
        assert!(Type::from_name("nosuch", &[]).unwrap().is_none());
        assert!(Type::from_name("integer", &["3"]).is_err());
        assert!(Type::from_name("varchar", &["0"]).is_err());
    }

    #[test]
    fn oids_lead_back_to_types() {
        for ty in Type::all() {
            assert_eq!(Type::from_oid(ty.oid()), Some(ty.clone()));
            if ty.array_oid() != 0 {
                assert_eq!(Type::from_oid(ty.array_oid()), Some(ty.clone().array()));
            }
        }
        assert_eq!(Type::from_oid(1007).unwrap().name(), "integer[]");
    }
}
