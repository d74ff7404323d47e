//! The state of binding one statement: query levels, slots, subplans, parameters.

use std::sync::Arc;

use sqlparser::ast::{Expr as Ast, Ident, Spanned};
use sqlparser::tokenizer::{Location, Span};

use super::scope::{Clause, Level, Scope, ScopeColumn};
use super::stored_text::StoredText;
use super::typed::Typed;
use super::types::Names;
use super::walk;
use super::{BindContext, with::CteBinding};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::parse::{Source, Statement};
use crate::plan::{Command, Cte, Node, OutputColumn, Plan};
use crate::value::{SqlType, Type};

/// How deeply views may refer to views.
const MAX_VIEW_DEPTH: usize = 64;

/// Binds one statement.
pub(crate) struct Binder<'a> {
    /// The session.
    pub ctx: BindContext<'a>,
    /// The text that positions count in; `None` inside views and stored expressions.
    pub source: Option<Arc<Source>>,
    /// What the parser put aside; see [`crate::parse::extension`].
    pub extensions: Arc<crate::parse::Extensions>,
    /// The types of the parameters, as far as known.
    pub params: Vec<Option<SqlType>>,
    /// The levels, outermost first.
    pub levels: Vec<Level>,
    /// The plan's common table expressions; `None` while one is bound.
    pub ctes: Vec<Option<Cte>>,
    /// The common table expressions in sight, innermost last.
    pub visible_ctes: Vec<CteBinding>,
    /// The plan's subqueries.
    pub subplans: Vec<Node>,
    /// How many slots are in use.
    pub slots: usize,
    /// How many views deep this is.
    pub view_depth: usize,
    /// Counts what must not run twice or not at all: volatile calls, locks, writes.
    pub volatile: usize,
    /// What the text's names mean, when it is to be kept.
    pub stored_text: Option<StoredText>,
}

impl<'a> Binder<'a> {
    /// Begins to bind a statement.
    pub(crate) fn new(ctx: BindContext<'a>, statement: &Statement) -> Self {
        Self {
            source: Some(Arc::clone(&statement.source)),
            extensions: Arc::clone(&statement.extensions),
            ..Self::without_text(ctx)
        }
    }

    /// Begins to bind something that is no client's text: a stored expression.
    pub(crate) fn without_text(ctx: BindContext<'a>) -> Self {
        Self {
            ctx,
            source: None,
            extensions: Arc::default(),
            params: ctx.params.to_vec(),
            levels: Vec::new(),
            ctes: Vec::new(),
            visible_ctes: Vec::new(),
            subplans: Vec::new(),
            slots: 0,
            view_depth: 0,
            volatile: 0,
            stored_text: None,
        }
    }

    /// Names types in messages.
    pub(crate) fn names(&self) -> Names<'a> {
        Names(self.ctx.catalog)
    }

    /// A type's name.
    pub(crate) fn type_name(&self, ty: &SqlType) -> String {
        self.names().of(&ty.base)
    }

    /// The innermost level.
    pub(crate) fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::new());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// Whether this is directly inside a clause.
    pub(crate) fn is_in(&self, clause: Clause) -> bool {
        self.levels.last().is_some_and(|level| level.clause == clause)
    }

    /// Binds inside a clause.
    pub(crate) fn within<T>(
        &mut self,
        clause: Clause,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let outside = std::mem::replace(&mut self.level().clause, clause);
        let result = bind(self);
        self.level().clause = outside;
        result
    }

    /// Binds with other names in sight.
    pub(crate) fn with_scope<T>(
        &mut self,
        scope: Scope,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> (Result<T>, Scope) {
        let outside = std::mem::replace(&mut self.level().scope, scope);
        let result = bind(self);
        let scope = std::mem::replace(&mut self.level().scope, outside);
        (result, scope)
    }

    /// The position of a location.
    pub(crate) fn at(&self, location: Location) -> Option<usize> {
        self.source.as_ref()?.position(location)
    }

    /// The position of a name.
    pub(crate) fn at_name(&self, name: &Ident) -> Option<usize> {
        self.at(name.span.start)
    }

    /// The position of a span's start.
    pub(crate) fn at_span(&self, span: Span) -> Option<usize> {
        self.at(span.start)
    }

    /// The position of an expression's first token. The parser keeps no position for what does
    /// not begin with a name, literal or keyword that it keeps; then there is none.
    pub(crate) fn at_expr(&self, expr: &Ast) -> Option<usize> {
        self.source.as_ref()?;
        self.at(expr.span().start)
    }

    /// A new slot.
    pub(crate) fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    /// An expression over the level at `depth`, for use in the innermost level: it comes inwards
    /// through a slot of each level in between.
    pub(crate) fn pass_inward(&mut self, depth: usize, expr: Expr) -> Expr {
        if let Some(level) = self.levels.get_mut(depth) {
            level.mark_used(&expr);
        }
        let mut value = expr;
        for inner in depth + 1..self.levels.len() {
            if self.levels[inner].is_inline && matches!(value, Expr::Slot(_)) {
                continue;
            }
            let known = self.levels[inner].arguments.iter();
            let known = known.into_iter().find(|(_, argument)| walk::is_same(argument, &value));
            let slot = match known {
                Some((slot, _)) => *slot,
                None => {
                    let slot = self.slot();
                    self.levels[inner].arguments.push((slot, value));
                    slot
                }
            };
            value = Expr::Slot(slot);
        }
        value
    }

    /// A column of the level at `depth`.
    pub(crate) fn column(&mut self, depth: usize, column: ScopeColumn) -> Typed {
        let fields = match &column.expr {
            Expr::Column(variable) => {
                let level = self.levels.get(depth);
                level.and_then(|level| level.variables.get(*variable)?.fields.clone())
            }
            _ => None,
        };
        Typed { fields, ..Typed::new(self.pass_inward(depth, column.expr), column.ty) }
    }

    /// Notes where a column was named, unless inside an aggregate's arguments.
    pub(crate) fn mention(&mut self, column: &Typed, at: Option<usize>) {
        let level = self.level();
        if let (Expr::Column(variable), Some(at)) = (&column.expr, at)
            && !matches!(level.clause, Clause::Aggregate | Clause::Filter)
            && !level.mentions.iter().any(|(known, _)| known == variable)
        {
            level.mentions.push((*variable, at));
        }
    }

    /// Notes what a parameter's type is.
    ///
    /// # Errors
    /// 42P08 when it was another one before.
    pub(crate) fn decide_param(&mut self, param: usize, ty: &SqlType) -> Result<()> {
        let known = self.params.get(param).cloned().flatten();
        match known {
            Some(known) if known.base != ty.base => {
                let names = self.names();
                let message = format!("inconsistent types deduced for parameter ${}", param + 1);
                let (new, old) = (names.of(&ty.base), names.of(&known.base));
                Err(Error::new(SqlState::AMBIGUOUS_PARAMETER, message)
                    .with_detail(format!("{new} versus {old}")))
            }
            Some(_) => Ok(()),
            None => {
                if let Some(entry) = self.params.get_mut(param) {
                    *entry = Some(SqlType::new(ty.base.clone()));
                }
                Ok(())
            }
        }
    }

    /// Enters a view's text.
    ///
    /// # Errors
    /// 54001 when views nest too deeply.
    pub(crate) fn within_stored<T>(
        &mut self,
        statement: &Statement,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        if self.view_depth >= MAX_VIEW_DEPTH {
            return Err(Error::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.view_depth += 1;
        let source = self.source.take();
        let extensions = std::mem::replace(&mut self.extensions, Arc::clone(&statement.extensions));
        let ctes = std::mem::take(&mut self.visible_ctes);
        let levels = std::mem::take(&mut self.levels);
        let result = bind(self);
        self.levels = levels;
        self.visible_ctes = ctes;
        self.extensions = extensions;
        self.source = source;
        self.view_depth -= 1;
        result
    }

    /// The finished plan.
    ///
    /// # Errors
    /// 42P18 when a parameter's type cannot be told.
    pub(crate) fn finish(
        self,
        root: Node,
        columns: Vec<OutputColumn>,
        command: Command,
    ) -> Result<Plan> {
        let params = self.params.into_iter().enumerate().map(|(index, ty)| match ty {
            Some(ty) if ty.base != Type::Unknown => Ok(ty),
            _ => {
                let message = format!("could not determine data type of parameter ${}", index + 1);
                Err(Error::new(SqlState::INDETERMINATE_DATATYPE, message))
            }
        });
        let params = params.collect::<Result<Vec<_>>>()?;
        let ctes = self.ctes.into_iter().map(|cte| {
            cte.ok_or_else(|| Error::internal("a common table expression was left unbound"))
        });
        let ctes = ctes.collect::<Result<Vec<_>>>()?;
        let (subplans, slots) = (self.subplans, self.slots);
        Ok(Plan { root, columns, ctes, subplans, slots, once: 0, command, params })
    }
}

/// Puts a position on an error that has none.
pub(crate) fn locate(error: Error, at: Option<usize>) -> Error {
    match at {
        Some(at) => error.at(at),
        None => error,
    }
}
