//! A text with everything it names under the names that a catalog has for it.

use std::ops::Range;

use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Word};

use super::{NamedColumn, NamedRelation, StoredText};
use crate::catalog::Catalog;
use crate::identifier::{quote_identifier, quote_literal, quote_qualified};
use crate::parse::{Source, tokenize};

/// What comes in the place of what.
struct Edit {
    place: Range<usize>,
    text: String,
}

impl StoredText {
    /// A part of the text with everything written out as the catalog has it.
    pub(crate) fn rewrite(&self, source: &Source, part: Range<usize>, catalog: &Catalog) -> String {
        let mut edits: Vec<Edit> = Vec::new();
        let mut replace = |place: Option<Range<usize>>, text: String| {
            edits.extend(place.map(|place| Edit { place, text }));
        };
        for (star, names) in &self.stars {
            replace(range(source, *star), names.clone());
        }
        for relation in &self.sources {
            relation.edits(source, catalog, &mut replace);
        }
        for (span, oid) in &self.types {
            if let Some(def) = catalog.types.get(oid) {
                replace(range(source, *span), quote_qualified(&def.schema, &def.name));
            }
        }
        // An expression calls its table by its name; in a query it has an alias.
        for (span, own) in self.rows.iter().filter(|_| self.is_expression) {
            let named = self.sources.get(*own).and_then(|own| catalog.relation_name(own.oid));
            if let Some((_, name)) = named {
                replace(range(source, *span), quote_identifier(name));
            }
        }
        for column in &self.columns {
            let name = quote_identifier(self.name_of(column, catalog));
            let (span, text) = match &column.prefix {
                Some(prefix) => (column.whole, format!("{prefix}.{name}")),
                None if self.is_expression => (column.whole, name),
                None => (column.name, name),
            };
            replace(range(source, span), text);
        }
        if !self.literals.is_empty() || !self.outputs.is_empty() {
            let tokens = tokenize(source).unwrap_or_default();
            self.literal_edits(source, &tokens, catalog, &mut replace);
            self.output_edits(source, &tokens, catalog, &mut replace);
        }
        apply(&source.text, part, edits)
    }

    fn literal_edits(
        &self,
        source: &Source,
        tokens: &[TokenWithSpan],
        catalog: &Catalog,
        replace: &mut dyn FnMut(Option<Range<usize>>, String),
    ) {
        for (at, oid) in &self.literals {
            let is_it = |token: &&TokenWithSpan| {
                matches!(token.token, Token::SingleQuotedString(_))
                    && source.position(token.span.start) == Some(*at)
            };
            let found = tokens.iter().find(is_it).zip(catalog.relation_name(*oid));
            if let Some((token, (schema, name))) = found {
                let text = quote_literal(&quote_qualified(schema, name));
                replace(range(source, token.span), text);
            }
        }
    }

    /// An output column keeps its name when the column that it is called after does not.
    fn output_edits(
        &self,
        source: &Source,
        tokens: &[TokenWithSpan],
        catalog: &Catalog,
        replace: &mut dyn FnMut(Option<Range<usize>>, String),
    ) {
        for (start, name) in &self.outputs {
            let is_renamed = |column: &&NamedColumn| {
                column.whole.start == *start
                    && column.called == *name
                    && self.name_of(column, catalog) != name
            };
            if self.columns.iter().any(|column| is_renamed(&column))
                && let Some(end) = output_end(source, tokens, *start)
            {
                replace(Some(end..end), format!(" AS {}", quote_identifier(name)));
            }
        }
    }

    /// What the catalog calls a column, unless the text has its own name for it.
    fn name_of<'a>(&'a self, column: &'a NamedColumn, catalog: &'a Catalog) -> &'a str {
        let source = column.source.and_then(|(source, at)| Some((self.sources.get(source)?, at)));
        source.and_then(|(source, at)| source.column(at, catalog)).unwrap_or(&column.called)
    }
}

impl NamedRelation {
    /// What the catalog calls a column; `None` when it is gone.
    fn known<'a>(&'a self, at: usize, catalog: &'a Catalog) -> Option<&'a str> {
        let (position, called) = self.columns.get(at)?;
        match (catalog.table(self.oid), catalog.views.get(&self.oid)) {
            (Some(table), _) => {
                let column = table.columns.get(*position).filter(|column| !column.is_dropped);
                column.map(|column| column.name.as_str())
            }
            (None, Some(view)) => view.columns.get(*position).map(|(name, _)| name.as_str()),
            (None, None) => Some(called),
        }
    }

    /// What the text has to call a column; `None` when it is gone.
    fn column<'a>(&'a self, at: usize, catalog: &'a Catalog) -> Option<&'a str> {
        let known = self.known(at, catalog)?;
        let is_own = at < self.aliased || self.joined.contains(&at);
        let called = self.columns.get(at).map(|(_, called)| called.as_str());
        called.filter(|_| is_own).or(Some(known))
    }

    /// The names of columns to stand behind the alias, when others do now.
    fn column_list(&self, catalog: &Catalog) -> Option<String> {
        let columns = 0..self.columns.len();
        let is_renamed = |at: usize| self.column(at, catalog) != self.known(at, catalog);
        let is_needed = |at: &usize| *at < self.aliased || is_renamed(*at);
        let count = columns.rev().find(is_needed).map_or(0, |last| last + 1);
        let names: Vec<Option<&str>> = (0..count).map(|at| self.column(at, catalog)).collect();
        if count == self.aliased && names.iter().all(Option::is_some) {
            return None;
        }
        let names: Vec<String> = names.into_iter().flatten().map(quote_identifier).collect();
        Some(names.join(", "))
    }

    fn edits(
        &self,
        source: &Source,
        catalog: &Catalog,
        replace: &mut dyn FnMut(Option<Range<usize>>, String),
    ) {
        let Some((span, (schema, name))) = self.name.zip(catalog.relation_name(self.oid)) else {
            return;
        };
        let mut text = quote_qualified(schema, name);
        let list = self.column_list(catalog);
        if self.alias.is_none() && (list.is_some() || name != self.called) {
            text.push_str(&format!(" {}", quote_identifier(&self.called)));
        }
        match (list, self.alias, self.aliases) {
            (None, ..) => {}
            (Some(list), _, Some(aliases)) => replace(range(source, aliases), list),
            (Some(list), Some(alias), None) => {
                let end = range(source, alias).map(|alias| alias.end..alias.end);
                replace(end, format!("({list})"));
            }
            (Some(list), None, None) => text.push_str(&format!("({list})")),
        }
        replace(range(source, span), text);
    }
}

fn range(source: &Source, span: Span) -> Option<Range<usize>> {
    source.offset(span.start).zip(source.offset(span.end)).map(|(start, end)| start..end)
}

/// Carries out the edits that lie inside a part of a text. What is bound twice is noted twice.
fn apply(text: &str, part: Range<usize>, mut edits: Vec<Edit>) -> String {
    edits.sort_by(|left, right| {
        let key = |edit: &Edit| (edit.place.start, edit.place.end);
        key(left).cmp(&key(right)).then_with(|| left.text.cmp(&right.text))
    });
    edits.dedup_by(|later, earlier| later.place == earlier.place);
    let (mut written, mut done) = (String::new(), part.start);
    for Edit { place, text: new } in edits {
        if place.start < done || place.end > part.end {
            continue;
        }
        written.push_str(text.get(done..place.start).unwrap_or_default());
        written.push_str(&new);
        done = place.end;
    }
    written.push_str(text.get(done..part.end).unwrap_or_default());
    written
}

/// Words that end a select list.
const BEHIND_OUTPUTS: [&str; 14] = [
    "from",
    "where",
    "group",
    "having",
    "window",
    "union",
    "intersect",
    "except",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "into",
];

fn is_behind_outputs(word: &Word) -> bool {
    word.quote_style.is_none() && BEHIND_OUTPUTS.contains(&word.value.to_lowercase().as_str())
}

/// Where an output column that begins at a location ends.
fn output_end(source: &Source, tokens: &[TokenWithSpan], start: Location) -> Option<usize> {
    let mut depth = 0_usize;
    let mut end = None;
    for token in tokens.iter().skip_while(|token| token.span.start != start) {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket if depth > 0 => depth -= 1,
            Token::RParen | Token::RBracket | Token::Comma | Token::SemiColon if depth == 0 => {
                break;
            }
            Token::Word(word) if depth == 0 && is_behind_outputs(word) => break,
            _ => {}
        }
        end = source.offset(token.span.end);
    }
    end
}
