//! Plans for all texts of one shape: literals beside columns are parameters, the others must be as
//! they were.
//!
//! Only plans that look rows up by a whole unique key, or write rows of a VALUES list, become
//! templates: for these no value of a parameter asks for another plan. A literal takes its type
//! from the column that it stands beside, as a parameter does; where a number would take another
//! type than the literal has (`numeric` beside an integer column), it is not exchanged.

use std::sync::Arc;

use super::shape::{Literal, LiteralKind, Shape};
use crate::catalog::Catalog;
use crate::session::prepared::Prepared;
use crate::value::{SqlType, Type};

/// So many sets of fixed literals are kept per shape; more are not worth searching.
const TEMPLATES_MAX: usize = 8;

/// What is known of the texts of one shape.
#[derive(Clone)]
pub(crate) struct Family {
    /// The definitions under which this holds.
    pub(crate) catalog: Arc<Catalog>,
    /// Empty when one text was seen; `None` when there is no use in trying.
    pub(crate) templates: Option<Vec<Arc<Template>>>,
}

/// A plan for texts of one shape.
pub(crate) struct Template {
    /// The statement with parameters.
    pub(crate) prepared: Arc<Prepared>,
    /// Which literal each parameter is.
    pub(crate) parameters: Vec<usize>,
    /// The other literals as they are written, by position.
    pub(crate) fixed: Vec<(usize, Box<str>)>,
}

impl Family {
    /// The template of a text of this shape.
    pub(crate) fn template(&self, sql: &str, shape: &Shape) -> Option<&Arc<Template>> {
        self.templates.as_ref()?.iter().find(|template| template.serves(sql, shape))
    }

    /// With one template more. `None`: it could not be made.
    pub(crate) fn with(&self, template: Option<Template>) -> Self {
        let catalog = Arc::clone(&self.catalog);
        let mut templates = self.templates.clone().unwrap_or_default();
        let is_open = template.is_some() && templates.len() < TEMPLATES_MAX;
        templates.extend(template.map(Arc::new));
        Self { catalog, templates: is_open.then_some(templates) }
    }
}

impl Template {
    fn serves(&self, sql: &str, shape: &Shape) -> bool {
        self.fixed.iter().all(|(position, written)| {
            let literal = shape.literals.get(*position);
            literal.and_then(|literal| sql.get(literal.range.clone())) == Some(&**written)
        })
    }
}

/// A text with some of its literals turned into parameters.
pub(crate) struct Draft {
    /// The text.
    pub(crate) text: String,
    /// Which literal each parameter is.
    pub(crate) parameters: Vec<usize>,
    fixed: Vec<(usize, Box<str>)>,
}

impl Draft {
    /// Turns the literals for which `is_parameter` says so.
    pub(crate) fn new(sql: &str, shape: &Shape, is_parameter: impl Fn(usize) -> bool) -> Self {
        let (mut text, mut parameters, mut fixed) = (String::new(), Vec::new(), Vec::new());
        let mut done = 0;
        for (position, Literal { range, .. }) in shape.literals.iter().enumerate() {
            if is_parameter(position) {
                parameters.push(position);
                text.push_str(sql.get(done..range.start).unwrap_or_default());
                text.push_str(&format!("${}", parameters.len()));
                done = range.end;
            } else {
                fixed.push((position, sql.get(range.clone()).unwrap_or_default().into()));
            }
        }
        text.push_str(sql.get(done..).unwrap_or_default());
        Self { text, parameters, fixed }
    }

    /// The literals that take another type as a parameter than they have.
    pub(crate) fn misfits(&self, shape: &Shape, types: &[SqlType]) -> Vec<usize> {
        let pairs = self.parameters.iter().zip(types);
        let misfits = pairs.filter(|(position, ty)| {
            let kind = shape.literals.get(**position).map(|literal| literal.kind);
            !kind.is_some_and(|kind| fits(kind, &ty.base))
        });
        misfits.map(|(position, _)| *position).collect()
    }

    /// The template, when the statement is bound.
    pub(crate) fn finish(self, prepared: Arc<Prepared>) -> Template {
        Template { prepared, parameters: self.parameters, fixed: self.fixed }
    }
}

/// Whether a literal of this kind means the same beside a column of this type as a parameter does.
fn fits(kind: LiteralKind, ty: &Type) -> bool {
    match kind {
        LiteralKind::Integer => {
            matches!(ty, Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric)
        }
        LiteralKind::Decimal => matches!(ty, Type::Numeric),
        LiteralKind::Text => !matches!(ty, Type::Unknown),
    }
}
