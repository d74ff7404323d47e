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
pub(super) fn bounds(value: Option<&Value>, is_geography: bool) -> Result<Option<Vec<u8>>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Geometry(shape)) => {
            Ok(crate::geo::index_box(shape, is_geography).map(|bounds| bounds.encode().to_vec()))
        }
        Some(_) => Err(Error::internal("an R-tree over no shape")),
    }
}
