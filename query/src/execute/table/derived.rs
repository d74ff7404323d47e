//! What full-text and geo indexes store per row.

use crate::error::{Error, Result};
use crate::value::Value;

/// The document of a `tsvector`; none for NULL.
pub(super) fn document(value: Option<&Value>) -> Result<Option<Vec<u8>>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::TsVector(vector)) => Ok(Some(vector.encoded().to_vec())),
        Some(_) => Err(Error::internal("a full-text index over no tsvector")),
    }
}

/// The box of a shape; none for NULL and for what is empty.
pub(super) fn bounds(value: Option<&Value>, _is_geography: bool) -> Result<Option<Vec<u8>>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err(Error::unsupported("a geo index")),
    }
}
