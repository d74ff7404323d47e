//! The text of a view or of an expression over a table, made to mean the same later.
//!
//! The catalog keeps such things as text. While one is bound, what its names stand for is noted
//! here; the text that is kept has them written out, so that it means the same under another search
//! path and when its tables get more columns. When something is renamed, the text is bound once
//! more and written with the names of the changed catalog: it follows what it names, as if it had
//! been kept by numbers. Functions are not written out; they are found by the search path of
//! whoever reads.

use std::collections::BTreeSet;

use sqlparser::ast::{
    ArrayElemTypeDef, DataType, Expr as Ast, Ident, ObjectName, SelectItemQualifiedWildcardKind,
    Spanned, TableAlias,
};
use sqlparser::tokenizer::{Location, Span};

use super::binder::Binder;
use super::fold;
use super::from::FromItem;
use super::scope::{Entry, Scope, ScopeColumn};
use super::typed::Typed;
use super::types::user_type_of;
use super::walk::is_same;
use crate::catalog::temporary::is_temporary;
use crate::catalog::{Relation, TableDef};
use crate::identifier::quote_identifier;
use crate::value::Type;
use crate::value::input::{InputContext, relation_oid};

mod rewrite;

/// What binding noted about a text.
#[derive(Debug, Default)]
pub(crate) struct StoredText {
    /// OIDs of the relations that the text names.
    pub relations: BTreeSet<u32>,
    /// Whether one of them is temporary.
    is_temporary: bool,
    /// The text is an expression over one table: columns need no table before them.
    is_expression: bool,
    /// Only names are asked for: what functions say matters nothing.
    pub is_about_names: bool,
    /// Relations whose columns the text names.
    sources: Vec<NamedRelation>,
    /// Columns that it names.
    columns: Vec<NamedColumn>,
    /// The rows of relations that it names: where, and by position in `sources`.
    rows: Vec<(Span, usize)>,
    /// Types that it names.
    types: Vec<(Span, u32)>,
    /// Literals that name relations: where they begin, in characters from 1.
    literals: Vec<(usize, u32)>,
    /// Output columns without an alias: where they begin and what they are called.
    outputs: Vec<(Location, String)>,
    /// What `*` stands for.
    stars: Vec<(Span, String)>,
}

/// A relation, by one of the names that it has in a text.
#[derive(Debug)]
struct NamedRelation {
    oid: u32,
    /// The name; an expression does not name its table.
    name: Option<Span>,
    /// What the rest of the text calls it.
    called: String,
    /// The alias.
    alias: Option<Span>,
    /// The columns: positions in the relation, and names in the text.
    columns: Vec<(usize, String)>,
    /// How many of them are named behind the alias, and where.
    aliased: usize,
    aliases: Option<Span>,
    /// Columns that a join goes by: they keep their names in the text.
    joined: BTreeSet<usize>,
}

/// A column as a text names it.
#[derive(Debug)]
struct NamedColumn {
    /// The name with what stands before it.
    whole: Span,
    /// The name.
    name: Span,
    /// What comes to stand before it.
    prefix: Option<String>,
    /// What it is called in the text.
    called: String,
    /// The relation, by position in [`StoredText::sources`], and its column there.
    source: Option<(usize, usize)>,
}

impl StoredText {
    /// For an expression over one table.
    pub(crate) fn of_expression() -> Self {
        Self { is_expression: true, ..Self::default() }
    }

    /// The columns that the text names: the relation and the position there.
    pub(crate) fn columns_read(&self) -> BTreeSet<(u32, usize)> {
        let named = self.columns.iter().filter_map(|column| column.source);
        let joined = self.sources.iter().enumerate();
        let joined =
            joined.flat_map(|(index, source)| source.joined.iter().map(move |at| (index, *at)));
        let place = |(source, at): (usize, usize)| {
            let source = self.sources.get(source)?;
            Some((source.oid, source.columns.get(at)?.0))
        };
        named.chain(joined).filter_map(place).collect()
    }

    /// For a text that is kept already.
    pub(crate) fn of_kept(self) -> Self {
        Self { is_about_names: true, ..self }
    }

    /// Whether the text names a temporary relation.
    pub(crate) fn reads_temporary(&self) -> bool {
        self.is_temporary
    }
}

impl Binder<'_> {
    /// The notes, when a text is to be kept and this is it.
    fn notes(&mut self) -> Option<&mut StoredText> {
        self.source.as_ref()?;
        self.stored_text.as_mut()
    }

    /// Notes what a name in FROM stands for, if the text is to be kept.
    pub(crate) fn note_relation(
        &mut self,
        written: &ObjectName,
        alias: Option<&TableAlias>,
        found: Relation,
        item: &mut FromItem,
    ) {
        let catalog = self.ctx.catalog;
        let (oid, positions) = match found {
            Relation::Table(oid) => {
                (oid, catalog.table(oid).map_or_else(Vec::new, |table| positions(table)))
            }
            Relation::View(oid) | Relation::Sequence(oid) => (oid, Vec::new()),
            Relation::Index(..) => return,
        };
        let name = self.written_span(written);
        let schema = catalog.relation_name(oid).map(|(schema, _)| schema.to_owned());
        let aliases = alias.map(|alias| alias.columns.as_slice()).unwrap_or_default();
        let (Some(entry), Some(stored)) = (item.scope.entries.first_mut(), self.notes()) else {
            return;
        };
        let positions =
            if positions.is_empty() { (0..entry.columns.len()).collect() } else { positions };
        stored.relations.insert(oid);
        stored.is_temporary |= schema.is_some_and(|schema| is_temporary(&schema));
        entry.noted = Some(stored.sources.len());
        stored.sources.push(NamedRelation {
            oid,
            name,
            called: entry.name.clone(),
            alias: alias.map(|alias| alias.name.span),
            columns: named_columns(positions, entry),
            aliased: aliases.len(),
            aliases: span_of(aliases.iter().map(|column| &column.name)),
            joined: BTreeSet::new(),
        });
    }

    /// Notes the table of an expression, if the text is to be kept.
    pub(crate) fn note_table(&mut self, table: &TableDef, scope: &mut Scope) {
        let (Some(entry), Some(stored)) = (scope.entries.first_mut(), self.notes()) else { return };
        entry.noted = Some(stored.sources.len());
        stored.sources.push(NamedRelation {
            oid: table.oid,
            name: None,
            called: entry.name.clone(),
            alias: None,
            columns: named_columns(positions(table), entry),
            aliased: 0,
            aliases: None,
            joined: BTreeSet::new(),
        });
    }

    /// Notes that a join goes by a column of one of its sides.
    pub(crate) fn note_joined(&mut self, side: &Scope, column: &ScopeColumn) {
        let Some((entry, at)) = place_of(&side.entries, column) else { return };
        let noted = side.entries.get(entry).and_then(|entry| entry.noted);
        if let (Some(noted), Some(stored)) = (noted, self.notes())
            && let Some(source) = stored.sources.get_mut(noted)
        {
            source.joined.insert(at);
        }
    }

    /// Notes which column of the level at `depth` a name stands for.
    pub(crate) fn note_column(&mut self, parts: &[Ident], depth: usize, column: &ScopeColumn) {
        if self.source.is_none() || self.stored_text.is_none() {
            return;
        }
        let (Some(whole), Some(name)) = (self.spelled(parts), parts.last()) else { return };
        let entries = self.levels.get(depth).map(|level| level.scope.entries.as_slice());
        let Some((index, at)) = entries.and_then(|entries| place_of(entries, column)) else {
            return;
        };
        let prefix = self.name_of_entry(depth, index);
        let noted = entries.and_then(|entries| entries.get(index)?.noted);
        let name = name.span;
        if let Some(stored) = self.notes() {
            let prefix = prefix.filter(|_| !stored.is_expression);
            let (called, source) = (column.name.clone(), noted.map(|noted| (noted, at)));
            stored.columns.push(NamedColumn { whole, name, prefix, called, source });
        }
    }

    /// Notes a FROM entry that is named as a row.
    pub(crate) fn note_row(&mut self, name: &Ident, entry: &Entry) {
        let span = self.spelled(std::slice::from_ref(name));
        if let (Some(span), Some(noted), Some(stored)) = (span, entry.noted, self.notes()) {
            stored.rows.push((span, noted));
        }
    }

    /// Notes a field of a table's row.
    pub(crate) fn note_field(&mut self, row: &Typed, field: &Ident) {
        let Type::Row(oid) = row.ty.base else { return };
        let (Some(span), Some(table)) =
            (self.spelled(std::slice::from_ref(field)), self.ctx.catalog.table(oid).cloned())
        else {
            return;
        };
        let columns: Vec<(usize, String)> =
            table.live_columns().map(|(at, column)| (at, column.name.clone())).collect();
        let called = fold(field);
        let at = columns.iter().position(|(_, name)| *name == called);
        // A row of FROM may have names of its own.
        let own = row.fields.as_ref().map(|fields| fields.iter().position(|own| own.0 == called));
        let Some(at) = at.filter(|at| own.is_none_or(|own| own == Some(*at))) else { return };
        let Some(stored) = self.notes() else { return };
        let source = Some((stored.sources.len(), at));
        stored.columns.push(NamedColumn { whole: span, name: span, prefix: None, called, source });
        stored.sources.push(NamedRelation {
            oid,
            name: None,
            called: String::new(),
            alias: None,
            columns,
            aliased: 0,
            aliases: None,
            joined: BTreeSet::new(),
        });
    }

    /// The name of a FROM entry, quoted, if it means that entry here.
    fn name_of_entry(&self, depth: usize, index: usize) -> Option<String> {
        let name = &self.levels.get(depth)?.scope.entries.get(index)?.name;
        let mut levels = self.levels.iter().enumerate().rev();
        let found = levels.find_map(|(depth, level)| {
            let mut entries = level.scope.entries.iter();
            entries.position(|entry| entry.name == *name).map(|index| (depth, index))
        });
        (found == Some((depth, index))).then(|| quote_identifier(name))
    }

    /// Notes a type that the text names.
    pub(crate) fn note_type(&mut self, ty: &DataType) {
        if self.source.is_none() || self.stored_text.is_none() {
            return;
        }
        let ty = element_type(ty);
        let found = user_type_of(self.ctx.catalog, &self.ctx.facts.search_path, ty);
        let oid = found.map(|found| found.oid);
        let DataType::Custom(name, _) = ty else { return };
        let span = self.written_span(name);
        if let (Some(oid), Some(span), Some(stored)) = (oid, span, self.notes()) {
            stored.types.push((span, oid));
        }
    }

    /// Notes a literal that is read as the name of a relation.
    pub(crate) fn note_literal(&mut self, text: &str, at: Option<usize>) {
        let input = InputContext { facts: self.ctx.facts, catalog: Some(self.ctx.catalog) };
        let oid = relation_oid(text, input).ok();
        if let (Some(oid), Some(at), Some(stored)) = (oid, at, self.notes()) {
            stored.literals.push((at, oid));
        }
    }

    /// Notes an output column without an alias, if it is called like a column.
    pub(crate) fn note_output(&mut self, expr: &Ast, name: &str) {
        if let Some(stored) = self.notes()
            && begins_bare(expr)
        {
            stored.outputs.push((expr.span().start, name.to_owned()));
        }
    }

    /// Where a name stands, if it was written in the text: some are made by binding itself.
    fn written_span(&self, name: &ObjectName) -> Option<Span> {
        let parts: Option<Vec<Ident>> =
            name.0.iter().map(|part| part.as_ident().cloned()).collect();
        self.spelled(&parts?)
    }

    fn spelled(&self, parts: &[Ident]) -> Option<Span> {
        let source = self.source.as_ref()?;
        let stands = |ident: &Ident| source.slice(ident.span) == ident.to_string();
        parts.iter().all(stands).then(|| span_of(parts.iter()))?
    }

    /// Notes what `*` stands for, if the text is to be kept.
    pub(crate) fn note_wildcard(&mut self, star: Span, columns: &[ScopeColumn]) {
        if self.notes().is_none() || star == Span::empty() {
            return;
        }
        let names: Option<Vec<String>> =
            columns.iter().map(|column| self.written_column(columns, column)).collect();
        // `TABLE name` has the star in its one word.
        let written = self.source.as_ref().map_or("", |source| source.slice(star));
        let is_table = written.eq_ignore_ascii_case("table");
        if let (Some(stored), Some(names)) = (self.notes(), names)
            && !names.is_empty()
        {
            let names = names.join(", ");
            let text = if is_table { format!("SELECT {names} FROM") } else { names };
            stored.stars.push((star, text));
        }
    }

    /// A column with its table; by its name alone when it is of several.
    fn written_column(&mut self, all: &[ScopeColumn], column: &ScopeColumn) -> Option<String> {
        let name = quote_identifier(&column.name);
        let depth = self.levels.len().checked_sub(1)?;
        let place = place_of(&self.levels.get(depth)?.scope.entries, column);
        let prefix = place.and_then(|(index, _)| self.name_of_entry(depth, index));
        match prefix {
            Some(prefix) => Some(format!("{prefix}.{name}")),
            None => {
                let mut same = all.iter().filter(|other| other.name == column.name);
                (same.next().is_some() && same.next().is_none()).then_some(name)
            }
        }
    }

    /// Notes what `table.*` stands for, if the text is to be kept.
    pub(crate) fn note_table_wildcard(
        &mut self,
        kind: &SelectItemQualifiedWildcardKind,
        star: Span,
        columns: &[ScopeColumn],
    ) {
        let SelectItemQualifiedWildcardKind::ObjectName(table) = kind else { return };
        let start = self.written_span(table).map(|span| span.start);
        let (Some(start), Some(stored)) = (start, self.notes()) else { return };
        let table = table.to_string();
        let names =
            columns.iter().map(|column| format!("{table}.{}", quote_identifier(&column.name)));
        let names: Vec<String> = names.collect();
        if star != Span::empty() && !names.is_empty() {
            stored.stars.push((Span::new(start, star.end), names.join(", ")));
        }
    }
}

/// Positions of the columns that a table shows.
fn positions(table: &TableDef) -> Vec<usize> {
    table.live_columns().map(|(position, _)| position).collect()
}

fn named_columns(positions: Vec<usize>, entry: &Entry) -> Vec<(usize, String)> {
    let names = entry.columns.iter().map(|column| column.name.clone());
    positions.into_iter().zip(names).collect()
}

/// The entry that a column in sight is of, and which of its columns it is.
fn place_of(entries: &[Entry], column: &ScopeColumn) -> Option<(usize, usize)> {
    let is_it = |own: &ScopeColumn| own.name == column.name && is_same(&own.expr, &column.expr);
    let mut entries = entries.iter().enumerate();
    entries.find_map(|(index, entry)| Some((index, entry.columns.iter().position(is_it)?)))
}

/// From the first name to the last.
fn span_of<'a>(mut idents: impl Iterator<Item = &'a Ident>) -> Option<Span> {
    let first = idents.next()?;
    let last = idents.last().unwrap_or(first);
    Some(Span::new(first.span.start, last.span.end))
}

/// The type of the elements in the end.
fn element_type(ty: &DataType) -> &DataType {
    match ty {
        DataType::Array(
            ArrayElemTypeDef::SquareBracket(element, _)
            | ArrayElemTypeDef::AngleBracket(element)
            | ArrayElemTypeDef::Parenthesis(element)
            | ArrayElemTypeDef::Qualified(element, _),
        ) => element_type(element),
        other => other,
    }
}

/// Whether an expression takes its name from a column and begins with it, not with a parenthesis.
fn begins_bare(expr: &Ast) -> bool {
    match expr {
        Ast::Identifier(_) | Ast::CompoundIdentifier(_) => true,
        Ast::Collate { expr, .. } | Ast::CompoundFieldAccess { root: expr, .. } => {
            begins_bare(expr)
        }
        Ast::Cast { kind: sqlparser::ast::CastKind::DoubleColon, expr, .. } => begins_bare(expr),
        _ => false,
    }
}
