//! Arrays.

use super::{Type, Value};

/// The most dimensions that an array has.
pub const DIMENSIONS_MAX: usize = 6;

/// An array of any number of dimensions.
#[derive(Clone, Debug)]
pub struct Array {
    /// The type of every element.
    pub element: Type,
    /// Length and lower bound of each dimension, outermost first; empty for `{}`.
    pub dimensions: Vec<(usize, i32)>,
    /// The elements, in row-major order.
    pub elements: Vec<Value>,
}

impl Array {
    /// A one-dimensional array that counts from 1.
    pub fn new(element: Type, elements: Vec<Value>) -> Self {
        let dimensions = if elements.is_empty() { Vec::new() } else { vec![(elements.len(), 1)] };
        Self { element, dimensions, elements }
    }

    /// `{}`
    pub fn empty(element: Type) -> Self {
        Self { element, dimensions: Vec::new(), elements: Vec::new() }
    }

    /// The element at an index per dimension; `None` outside.
    pub fn get(&self, indexes: &[i32]) -> Option<&Value> {
        if indexes.len() != self.dimensions.len() {
            return None;
        }
        let mut position = 0_usize;
        for (index, (len, lower)) in indexes.iter().zip(&self.dimensions) {
            let offset = usize::try_from(i64::from(*index) - i64::from(*lower)).ok()?;
            if offset >= *len {
                return None;
            }
            position = position * len + offset;
        }
        self.elements.get(position)
    }

    /// The part between two bounds per dimension; `None` is the array's own bound. Dimensions
    /// that are not named are taken whole. The result counts from 1.
    #[must_use]
    pub fn slice(&self, bounds: &[(Option<i32>, Option<i32>)]) -> Self {
        if bounds.len() > self.dimensions.len() {
            return Self::empty(self.element.clone());
        }
        let mut spans = Vec::with_capacity(self.dimensions.len());
        for (position, (len, lower)) in self.dimensions.iter().enumerate() {
            let last = i64::from(*lower) + *len as i64 - 1;
            let (from, to) = bounds.get(position).copied().unwrap_or((None, None));
            let from = from.map_or(i64::from(*lower), i64::from).max(i64::from(*lower));
            let to = to.map_or(last, i64::from).min(last);
            if from > to {
                return Self::empty(self.element.clone());
            }
            let start = (from - i64::from(*lower)) as usize;
            spans.push((start, (to - from + 1) as usize, *len));
        }
        let mut elements = Vec::new();
        self.collect(&spans, 0, &mut elements);
        let dimensions = spans.iter().map(|(_, len, _)| (*len, 1)).collect();
        Self { element: self.element.clone(), dimensions, elements }
    }

    fn collect(&self, spans: &[(usize, usize, usize)], base: usize, out: &mut Vec<Value>) {
        let Some(((start, count, len), rest)) = spans.split_first() else {
            out.extend(self.elements.get(base).cloned());
            return;
        };
        for offset in *start..start + count {
            self.collect(rest, base * len + offset, out);
        }
    }

    /// The parts along the outermost dimension: elements, or arrays of one dimension less.
    pub fn outer_parts(&self) -> Vec<Value> {
        if self.dimensions.len() < 2 {
            return self.elements.clone();
        }
        let inner = self.dimensions[1..].to_vec();
        let width = inner.iter().map(|dimension| dimension.0).product::<usize>().max(1);
        let parts = self.elements.chunks(width).map(|chunk| {
            let elements = chunk.to_vec();
            let part = Self { element: self.element.clone(), dimensions: inner.clone(), elements };
            Value::Array(part.into())
        });
        parts.collect()
    }

    /// The element type with as many `[]` as there are dimensions is one type in SQL.
    pub fn sql_type(&self) -> Type {
        self.element.clone().array()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Array {
        let elements = (1..=6).map(Value::Int4).collect();
        Array { element: Type::Int4, dimensions: vec![(2, 1), (3, 1)], elements }
    }

    #[test]
    fn elements_are_found_by_index() {
        assert_eq!(grid().get(&[2, 1]).and_then(Value::as_i32), Some(4));
        assert!(grid().get(&[3, 1]).is_none());
        assert!(grid().get(&[1]).is_none());
    }

    #[test]
    fn slices_are_cut_to_the_bounds() {
        let slice = grid().slice(&[(Some(2), Some(9)), (Some(2), Some(3))]);
        assert_eq!(slice.dimensions, [(1, 1), (2, 1)]);
        let values: Vec<_> = slice.elements.iter().filter_map(Value::as_i32).collect();
        assert_eq!(values, [5, 6]);
        assert!(grid().slice(&[(Some(5), None)]).elements.is_empty());
        assert_eq!(grid().outer_parts().len(), 2);
    }
}
