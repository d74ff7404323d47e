//! WITH: common table expressions, recursive and modifying ones among them.

use sqlparser::ast::{self, CteAsMaterialized, SetExpr, SetOperator, SetQuantifier, TableAlias};

use super::binder::{Binder, locate};
use super::fold;
use super::from::FromItem;
use super::query::{BoundNode, Outputs};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Cte, Node, OutputColumn, Recursion};

/// A common table expression in sight.
#[derive(Clone, Debug)]
pub(crate) struct CteBinding {
    /// Its name.
    name: String,
    /// Its columns.
    columns: Vec<OutputColumn>,
    /// Where its rows come from.
    rows: CteRows,
    /// How many levels deep it was defined.
    depth: usize,
}

/// Where the rows of a common table expression come from.
#[derive(Clone, Debug)]
enum CteRows {
    /// From its own node, put where it is referred to.
    Inline(Node),
    /// From the plan's list.
    Shared(usize),
    /// From the previous round of its own recursion.
    Working(usize),
}

impl Binder<'_> {
    /// Binds WITH; its names are in sight afterwards.
    pub(crate) fn bind_with(&mut self, with: &ast::With, query: &ast::Query) -> Result<()> {
        for (index, cte) in with.cte_tables.iter().enumerate() {
            let name = fold(&cte.alias.name);
            if with.cte_tables[..index].iter().any(|other| fold(&other.alias.name) == name) {
                let message = format!("WITH query name \"{name}\" specified more than once");
                let at = self.at_name(&cte.alias.name);
                return Err(locate(Error::new(SqlState::DUPLICATE_ALIAS, message), at));
            }
            let binding = if with.recursive && references(&cte.query, &name) > 0 {
                self.bind_recursive(cte, name)?
            } else {
                let uses = references(query, &name);
                self.bind_cte(cte, name, uses)?
            };
            self.visible_ctes.push(binding);
        }
        Ok(())
    }

    fn bind_cte(&mut self, cte: &ast::Cte, name: String, uses: usize) -> Result<CteBinding> {
        let is_modifying = is_modification(&cte.query.body);
        if is_modifying && self.levels.len() > 1 {
            let message =
                "WITH clause containing a data-modifying statement must be at the top level";
            let at = self.at_name(&cte.alias.name);
            return Err(locate(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message), at));
        }
        // The plan's order is the order of writing: modifying ones run in it.
        let position = self.ctes.len();
        self.ctes.push(None);
        let volatile_before = self.volatile;
        let scope = std::mem::take(&mut self.level().scope);
        let bound = self.in_inline_level(|binder| binder.bind_query(&cte.query, None));
        self.level().scope = scope;
        let (mut bound, level) = bound?;
        rename(&mut bound.columns, &cte.alias, &name)?;
        let is_volatile = self.volatile != volatile_before;
        let depth = self.levels.len();
        let is_correlated = depth > 1 && level_reads_outside(&level, self.levels.last());
        let is_inline = match cte.materialized {
            Some(CteAsMaterialized::Materialized) => false,
            Some(CteAsMaterialized::NotMaterialized) => !is_volatile,
            None => uses == 1 && !is_volatile,
        };
        let rows = if (is_inline || is_correlated) && !is_modifying {
            if position + 1 == self.ctes.len() {
                self.ctes.pop();
                CteRows::Inline(bound.node)
            } else {
                // Inner ones came behind it in the list: its place stays, unread.
                let empty = Node::Values { rows: Vec::new() };
                self.ctes[position] = Some(plain_cte(&name, empty, false));
                CteRows::Inline(bound.node)
            }
        } else {
            self.ctes[position] = Some(plain_cte(&name, bound.node, is_modifying));
            CteRows::Shared(position)
        };
        Ok(CteBinding { name, columns: bound.columns, rows, depth })
    }

    /// `WITH RECURSIVE name AS (first UNION [ALL] second)`
    fn bind_recursive(&mut self, cte: &ast::Cte, name: String) -> Result<CteBinding> {
        let at = self.at_name(&cte.alias.name);
        let wrong = |message: String| locate(Error::new(SqlState::INVALID_RECURSION, message), at);
        let SetExpr::SetOperation { left, op: SetOperator::Union, set_quantifier, right } =
            cte.query.body.as_ref()
        else {
            return Err(wrong(format!(
                "recursive query \"{name}\" does not have the form non-recursive-term UNION [ALL] recursive-term"
            )));
        };
        if references_in(left, &name) > 0 {
            return Err(wrong(format!(
                "recursive reference to query \"{name}\" must not appear within its non-recursive term"
            )));
        }
        let position = self.ctes.len();
        self.ctes.push(None);
        let visible = self.visible_ctes.len();
        if let Some(with) = &cte.query.with {
            self.bind_with(with, &cte.query)?;
        }
        let scope = std::mem::take(&mut self.level().scope);
        let first =
            self.in_inline_level(|binder| binder.bind_query_as(&body_query(left), Outputs::Settle));
        let (mut first, _) = first?;
        rename(&mut first.columns, &cte.alias, &name)?;
        let depth = self.levels.len();
        self.visible_ctes.push(CteBinding {
            name: name.clone(),
            columns: first.columns.clone(),
            rows: CteRows::Working(position),
            depth,
        });
        let expected: Vec<_> = first.columns.iter().map(|column| column.ty.clone()).collect();
        let second = self.in_inline_level(|binder| {
            binder.bind_query_as(&body_query(right), Outputs::Expect(&expected))
        });
        self.visible_ctes.truncate(visible);
        self.level().scope = scope;
        let (second, _) = second?;
        let node = self.recursive_term(second, &first, &name)?;
        let is_distinct = *set_quantifier != SetQuantifier::All;
        self.ctes[position] = Some(Cte {
            name: name.clone(),
            node: first.node,
            recursive: Some(Recursion { node, is_distinct }),
            is_modifying: false,
        });
        let rows = CteRows::Shared(position);
        Ok(CteBinding { name, columns: first.columns, rows, depth })
    }

    /// The second term must give what the first one gives.
    fn recursive_term(&mut self, second: BoundNode, first: &BoundNode, name: &str) -> Result<Node> {
        if second.columns.len() != first.columns.len() {
            let message = "each UNION query must have the same number of columns";
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        }
        for (index, (mine, theirs)) in first.columns.iter().zip(&second.columns).enumerate() {
            let becomes = super::types::is_implicit(&theirs.ty.base, &mine.ty.base);
            if mine.ty.base != theirs.ty.base && !becomes {
                let (mine, theirs) = (self.type_name(&mine.ty), self.type_name(&theirs.ty));
                let message = format!(
                    "recursive query \"{name}\" column {} has type {mine} in non-recursive term but type {theirs} overall",
                    index + 1
                );
                return Err(Error::new(SqlState::DATATYPE_MISMATCH, message)
                    .with_hint("Cast the output of the non-recursive term to the correct type."));
            }
        }
        self.convert_columns(second, &first.columns)
    }

    /// A name in FROM that is a common table expression.
    pub(crate) fn bind_cte_reference(
        &mut self,
        name: &str,
        alias: Option<&TableAlias>,
    ) -> Result<Option<FromItem>> {
        let found = self.visible_ctes.iter().rev().find(|cte| cte.name == name).cloned();
        let Some(found) = found else { return Ok(None) };
        let width = found.columns.len();
        let node = match found.rows {
            CteRows::Shared(cte) => Node::CteScan { cte, width },
            CteRows::Working(cte) => Node::WorkingTable { cte, width },
            CteRows::Inline(node) => {
                self.pass_slots(found.depth);
                node
            }
        };
        let shown = alias.map_or_else(|| name.to_owned(), |alias| fold(&alias.name));
        self.rows_item(node, &found.columns, shown, alias, Vec::new()).map(Some)
    }

    /// An inlined expression reads the slots of the level that defined it: levels in between
    /// depend on these too.
    fn pass_slots(&mut self, depth: usize) {
        let Some(owner) = depth.checked_sub(1).and_then(|owner| self.levels.get(owner)) else {
            return;
        };
        let slots: Vec<usize> = owner.arguments.iter().map(|(slot, _)| *slot).collect();
        for level in self.levels.iter_mut().skip(depth).filter(|level| !level.is_inline) {
            for slot in &slots {
                if !level.arguments.iter().any(|(known, _)| known == slot) {
                    level.arguments.push((*slot, Expr::Slot(*slot)));
                }
            }
        }
    }
}

/// Whether a level reads values from outside of the query that it is part of.
fn level_reads_outside(level: &super::scope::Level, outer: Option<&super::scope::Level>) -> bool {
    !level.arguments.is_empty() || outer.is_some_and(|outer| !outer.arguments.is_empty())
}

fn plain_cte(name: &str, node: Node, is_modifying: bool) -> Cte {
    Cte { name: name.to_owned(), node, recursive: None, is_modifying }
}

/// Gives columns the names that the expression's head lists.
fn rename(columns: &mut [OutputColumn], alias: &TableAlias, name: &str) -> Result<()> {
    if alias.columns.len() > columns.len() {
        let (has, given) = (columns.len(), alias.columns.len());
        let message = format!(
            "WITH query \"{name}\" has {has} columns available but {given} columns specified"
        );
        return Err(Error::new(SqlState::INVALID_COLUMN_REFERENCE, message));
    }
    for (column, alias) in columns.iter_mut().zip(&alias.columns) {
        column.name = fold(&alias.name);
    }
    Ok(())
}

/// Whether a query's body writes.
pub(crate) fn is_modification(body: &SetExpr) -> bool {
    matches!(body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_))
}

/// A query that is only this body.
fn body_query(body: &SetExpr) -> ast::Query {
    super::query::bare_query(body.clone())
}

/// How often a query refers to a relation by an unqualified name.
fn references(query: &ast::Query, name: &str) -> usize {
    count(query, name)
}

fn references_in(body: &SetExpr, name: &str) -> usize {
    count(body, name)
}

fn count<V: ast::Visit>(part: &V, name: &str) -> usize {
    let mut count = 0;
    let _ = ast::visit_relations(part, |relation| {
        if let [only] = relation.0.as_slice()
            && only.as_ident().is_some_and(|ident| fold(ident) == name)
        {
            count += 1;
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    count
}
