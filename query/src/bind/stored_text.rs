//! The text of a view, made to mean the same later.
//!
//! The catalog keeps a view as the text of its query. While the query is bound, names without a
//! schema and `*` are noted here with what they stood for, and are written out in the text that is
//! kept: it means the same under another search path, and when its tables get more columns.
//! Functions and types are not written out; they are found by the search path of whoever reads.

use std::collections::BTreeSet;

use sqlparser::ast::{Ident, ObjectName, SelectItemQualifiedWildcardKind};
use sqlparser::tokenizer::Span;

use super::binder::Binder;
use super::scope::ScopeColumn;
use super::walk::is_same;
use crate::catalog::Relation;
use crate::catalog::temporary::is_temporary;
use crate::identifier::{quote_identifier, quote_qualified};
use crate::parse::Source;

/// What binding noted about a query's text.
#[derive(Debug, Default)]
pub(crate) struct StoredText {
    /// OIDs of the relations that the text names.
    pub relations: BTreeSet<u32>,
    /// Whether one of them is temporary.
    is_temporary: bool,
    /// What to write in the place of what.
    rewrites: Vec<(Span, String)>,
}

impl StoredText {
    /// Whether the text names a temporary relation.
    pub(crate) fn reads_temporary(&self) -> bool {
        self.is_temporary
    }

    /// The text of a span with everything written out.
    pub(crate) fn rewrite(&self, source: &Source, span: Span) -> String {
        let Some((start, end)) = source.offset(span.start).zip(source.offset(span.end)) else {
            return String::new();
        };
        let mut rewrites: Vec<(usize, usize, &str)> = Vec::new();
        for (span, text) in &self.rewrites {
            let place = source.offset(span.start).zip(source.offset(span.end));
            rewrites.extend(place.map(|(start, end)| (start, end, text.as_str())));
        }
        rewrites.sort_unstable();
        let (mut written, mut done) = (String::new(), start);
        for (from, to, text) in rewrites {
            if from < done || to > end {
                continue;
            }
            written.push_str(source.text.get(done..from).unwrap_or_default());
            written.push_str(text);
            done = to;
        }
        written.push_str(source.text.get(done..end).unwrap_or_default());
        written
    }
}

impl Binder<'_> {
    /// Notes what a name in FROM stands for, if the text is to be kept.
    pub(crate) fn note_relation(&mut self, written: &ObjectName, found: Option<&Relation>) {
        if self.source.is_none() || self.stored_text.is_none() {
            return;
        }
        let catalog = self.ctx.catalog;
        let named = match found {
            Some(Relation::Table(oid)) => catalog.table(*oid).map(|t| (t.oid, &t.schema, &t.name)),
            Some(Relation::View(oid)) => {
                catalog.views.get(oid).map(|view| (view.oid, &view.schema, &view.name))
            }
            _ => None,
        };
        let Some((oid, schema, name)) = named else { return };
        let ident = match written.0.as_slice() {
            [part] => part.as_ident().filter(|ident| self.stands_there(ident)),
            _ => None,
        };
        let rewrite = ident.map(|ident| (ident.span, quote_qualified(schema, name)));
        let is_temporary = is_temporary(schema);
        if let Some(stored) = &mut self.stored_text {
            stored.relations.insert(oid);
            stored.is_temporary |= is_temporary;
            stored.rewrites.extend(rewrite);
        }
    }

    /// Whether a name was written in the text: some are made by binding itself.
    fn stands_there(&self, ident: &Ident) -> bool {
        self.source.as_ref().is_some_and(|source| source.slice(ident.span) == ident.to_string())
    }

    /// Notes what `*` stands for, if the text is to be kept.
    pub(crate) fn note_wildcard(&mut self, star: Span, columns: &[ScopeColumn]) {
        if self.source.is_none() || self.stored_text.is_none() || star == Span::empty() {
            return;
        }
        let names: Option<Vec<String>> =
            columns.iter().map(|column| self.written_column(columns, column)).collect();
        if let (Some(stored), Some(names)) = (&mut self.stored_text, names)
            && !names.is_empty()
        {
            stored.rewrites.push((star, names.join(", ")));
        }
    }

    /// A column by its name alone when no other has it, otherwise with its table.
    fn written_column(&mut self, all: &[ScopeColumn], column: &ScopeColumn) -> Option<String> {
        let name = quote_identifier(&column.name);
        if all.iter().filter(|other| other.name == column.name).count() == 1 {
            return Some(name);
        }
        let has = |own: &ScopeColumn| own.name == column.name && is_same(&own.expr, &column.expr);
        let mut entries = self.level().scope.entries.iter();
        let entry = entries.find(|entry| entry.columns.iter().any(has))?;
        Some(format!("{}.{name}", quote_identifier(&entry.name)))
    }

    /// Notes what `table.*` stands for, if the text is to be kept.
    pub(crate) fn note_table_wildcard(
        &mut self,
        kind: &SelectItemQualifiedWildcardKind,
        star: Span,
        columns: &[ScopeColumn],
    ) {
        let SelectItemQualifiedWildcardKind::ObjectName(table) = kind else { return };
        let first = table.0.first().and_then(|part| part.as_ident());
        let first = first.filter(|ident| self.stands_there(ident)).map(|ident| ident.span.start);
        let Some((start, stored)) = first.zip(self.stored_text.as_mut()) else { return };
        let table = table.to_string();
        let names =
            columns.iter().map(|column| format!("{table}.{}", quote_identifier(&column.name)));
        let names: Vec<String> = names.collect();
        if self.source.is_some() && star != Span::empty() && !names.is_empty() {
            stored.rewrites.push((Span::new(start, star.end), names.join(", ")));
        }
    }
}
