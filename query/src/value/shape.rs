//! Types of arguments as a value: what binding hands to functions whose result depends on
//! declared types or on the names of a row's fields.

use super::{Type, Value};

/// A type, and of a row the names and shapes of its fields where binding knew them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The type.
    pub ty: Type,
    /// The fields of a row.
    pub fields: Option<Vec<(String, Shape)>>,
}

impl From<Type> for Shape {
    fn from(ty: Type) -> Self {
        Self { ty, fields: None }
    }
}

/// Which OIDs are not those of built-in types.
mod kind {
    pub(super) const BUILT_IN: i32 = 0;
    pub(super) const ENUM: i32 = 1;
    pub(super) const ROW: i32 = 2;
    pub(super) const ENUM_ARRAY: i32 = 3;
    pub(super) const ROW_ARRAY: i32 = 4;
}

/// The shapes as one value.
pub fn describe(shapes: &[Shape]) -> Value {
    Value::Record(shapes.iter().map(describe_one).collect())
}

fn describe_one(shape: &Shape) -> Value {
    let (kind, oid) = match &shape.ty {
        Type::Enum(oid) => (kind::ENUM, *oid),
        Type::Row(oid) => (kind::ROW, *oid),
        Type::Array(element) => match **element {
            Type::Enum(oid) => (kind::ENUM_ARRAY, oid),
            Type::Row(oid) => (kind::ROW_ARRAY, oid),
            _ => (kind::BUILT_IN, shape.ty.oid()),
        },
        ty => (kind::BUILT_IN, ty.oid()),
    };
    let fields = shape.fields.as_ref().map_or(Value::Null, |fields| {
        let pairs = fields.iter().map(|(name, shape)| {
            Value::Record([Value::text(name.as_str()), describe_one(shape)].into())
        });
        Value::Record(pairs.collect())
    });
    Value::Record([Value::Int4(kind), Value::Oid(oid), fields].into())
}

/// The shapes that [`describe`] wrote.
pub fn read(value: &Value) -> Vec<Shape> {
    match value {
        Value::Record(shapes) => shapes.iter().map(read_one).collect(),
        _ => Vec::new(),
    }
}

fn read_one(value: &Value) -> Shape {
    let Value::Record(parts) = value else { return Type::Unknown.into() };
    let [Value::Int4(kind), Value::Oid(oid), fields] = &**parts else {
        return Type::Unknown.into();
    };
    let ty = match *kind {
        kind::ENUM => Type::Enum(*oid),
        kind::ROW => Type::Row(*oid),
        kind::ENUM_ARRAY => Type::Enum(*oid).array(),
        kind::ROW_ARRAY => Type::Row(*oid).array(),
        _ => Type::from_oid(*oid).unwrap_or(Type::Unknown),
    };
    let read_field = |field: &Value| match field {
        Value::Record(pair) => match &**pair {
            [Value::Text(name), shape] => Some((name.to_string(), read_one(shape))),
            _ => None,
        },
        _ => None,
    };
    let fields = match fields {
        Value::Record(fields) => Some(fields.iter().filter_map(read_field).collect()),
        _ => None,
    };
    Shape { ty, fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_round_trip() {
        let fields = vec![
            ("a".to_owned(), Type::Int4.into()),
            ("b".to_owned(), Type::Enum(16_500).array().into()),
        ];
        let shapes = vec![
            Type::Json.into(),
            Shape { ty: Type::Record, fields: Some(fields) },
            Type::Row(9).into(),
        ];
        assert_eq!(read(&describe(&shapes)), shapes);
    }
}
