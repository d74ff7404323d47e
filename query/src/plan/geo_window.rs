//! Where in space a search of an R-tree looks.

use cairn_engine::index::geo::Aabb;

use super::{GeoScan, GeoSearch};
use crate::error::{Error, Result};
use crate::expression::{EvalContext, Expr};
use crate::geo::{self, Geometry};
use crate::value::{Type, Value};

impl GeoScan {
    /// Whether the index is over `geography`: distances are metres on the sphere.
    pub(crate) fn is_geography(&self) -> bool {
        self.index.keys.first().is_some_and(|key| key.ty.base == Type::Geography)
    }

    /// The condition that the tree promises of what it finds, as Postgres sees it: an operator. A
    /// function is only helped by the tree.
    pub(crate) fn promise(&self) -> Option<&Expr> {
        let GeoSearch::Intersects(..) = &self.search else { return None };
        self.condition.as_ref().filter(|condition| match condition {
            Expr::Call { function, .. } => !function.name.starts_with(char::is_alphabetic),
            _ => false,
        })
    }

    /// The window that meeting shapes lie in; `None` when nothing can be found, or when the search
    /// has no window.
    ///
    /// # Errors
    /// What evaluating the shape or the distance meets.
    pub(crate) fn window(&self, eval: &EvalContext<'_>) -> Result<Option<Aabb>> {
        let GeoSearch::Intersects(shape, distance) = &self.search else { return Ok(None) };
        let Some(shape) = shape_of(shape, eval)? else { return Ok(None) };
        let distance = match distance {
            None => None,
            Some(distance) => match distance.eval(eval, &[])?.as_f64() {
                Some(distance) => Some(distance),
                None => return Ok(None),
            },
        };
        Ok(geo::search_box(&shape, self.is_geography(), distance))
    }
}

/// The shape that an expression gives; `None` for NULL.
///
/// # Errors
/// What evaluating it meets.
pub(crate) fn shape_of(expr: &Expr, eval: &EvalContext<'_>) -> Result<Option<Geometry>> {
    match expr.eval(eval, &[])? {
        Value::Null => Ok(None),
        Value::Geometry(shape) => Ok(Some((*shape).clone())),
        Value::Box(corners) => {
            let [x_min, y_min, _, x_max, y_max, _] = *corners;
            let bounds = geo::Box2d { min: [x_min, y_min], max: [x_max, y_max] };
            Ok(Some(Geometry::envelope(0, &bounds)))
        }
        _ => Err(Error::internal("a geo search without a shape")),
    }
}
