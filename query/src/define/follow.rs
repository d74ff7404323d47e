//! Views, defaults, checks and index expressions follow what they name when it gets another name,
//! and views when a table that they read loses a column.
//!
//! They are kept as text (see [`crate::bind::KeptText`]): each that mentions the old name is bound
//! in the catalog as it was and written with the names of the catalog as it is.

use std::sync::Arc;

use super::DefineContext;
use crate::bind::KeptText;
use crate::catalog::{
    Catalog, ColumnDefault, Definition, FunctionDef, TableDef, TypeDef, TypeKind, ViewDef,
};
use crate::error::{Error, Result};
use crate::value::SqlType;

/// Lets every text that mentions `name`, the name as it was, follow the change since `before`.
///
/// # Errors
/// 0A000 when a text would not mean the same.
pub(super) fn follow(cx: &mut DefineContext<'_>, before: &Arc<Catalog>, name: &str) -> Result<()> {
    let after = cx.catalog();
    let texts = Texts { cx, before, after: &after, name: name.to_lowercase() };
    let views: Vec<ViewDef> = after.views.values().filter_map(|view| texts.view(view)).collect();
    let tables: Vec<TableDef> = after.tables.values().filter_map(|own| texts.table(own)).collect();
    let types: Vec<TypeDef> = after.types.values().filter_map(|own| texts.domain(own)).collect();
    let functions = after.functions.values().filter_map(|own| texts.function(own));
    let functions: Vec<FunctionDef> = functions.collect();
    let tables: Vec<Arc<TableDef>> = tables.into_iter().map(Arc::new).collect();
    let changed = tables.iter().cloned().map(Definition::Table);
    let changed = changed.chain(views.iter().cloned().map(Arc::new).map(Definition::View));
    let changed = changed.chain(types.into_iter().map(Arc::new).map(Definition::Type));
    let changed = changed.chain(functions.into_iter().map(Arc::new).map(Definition::Function));
    for definition in changed.collect::<Vec<_>>() {
        cx.put(definition)?;
    }
    check(cx, &tables, &views)
}

/// Nothing is kept that means nothing. What a function that is called says does not matter: its
/// text follows nothing.
fn check(cx: &DefineContext<'_>, tables: &[Arc<TableDef>], views: &[ViewDef]) -> Result<()> {
    let catalog = cx.catalog();
    for table in tables {
        each_text(&mut TableDef::clone(table), &mut |sql, is_over, ty| {
            let table = is_over.then_some(table);
            cx.runner.follow(&catalog, KeptText::Expression { sql, table, ty }, &catalog)?;
            Ok(())
        })
        .map_err(|error| lost(&table.name, &error))?;
    }
    for view in views {
        let read = cx.runner.follow(&catalog, KeptText::Query(&view.query), &catalog);
        read.map_err(|error| lost(&view.name, &error))?;
        let Ok(plan) = cx.runner.bind_query(&catalog, &view.query) else { continue };
        let types = plan.columns.iter().map(|column| &column.ty);
        if !types.eq(view.columns.iter().map(|(_, ty)| ty)) {
            let message = format!("a name that \"{}\" would read otherwise", view.name);
            return Err(Error::unsupported(message));
        }
    }
    Ok(())
}

/// Shows each text that is kept with a table to `visit`: whether it is over the table's columns,
/// and the type that it takes.
fn each_text(
    table: &mut TableDef,
    visit: &mut dyn FnMut(&mut String, bool, Option<&SqlType>) -> Result<()>,
) -> Result<()> {
    for column in &mut table.columns {
        match &mut column.default {
            Some(ColumnDefault::Expression(sql)) => visit(sql, false, Some(&column.ty))?,
            Some(ColumnDefault::Generated(sql)) => visit(sql, true, Some(&column.ty))?,
            _ => {}
        }
    }
    for check in &mut table.checks {
        visit(&mut check.expression, true, None)?;
    }
    for index in &mut table.indexes {
        let index = Arc::make_mut(index);
        let keys = index.keys.iter_mut().filter_map(|key| key.expression.as_mut());
        keys.chain(index.predicate.as_mut()).try_for_each(|sql| visit(sql, true, None))?;
    }
    Ok(())
}

fn lost(name: &str, error: &Error) -> Error {
    Error::unsupported(format!("a name under which \"{name}\" cannot be read"))
        .with_detail(error.message().to_owned())
}

/// What is to be written anew.
struct Texts<'a, 'b> {
    cx: &'a DefineContext<'b>,
    before: &'a Arc<Catalog>,
    after: &'a Arc<Catalog>,
    /// The name that the texts mention, in small letters.
    name: String,
}

impl Texts<'_, '_> {
    /// A text that mentions the name, as it has to be from now on. One that was broken stays so.
    fn followed(&self, text: KeptText<'_>) -> Option<String> {
        let (KeptText::Query(sql) | KeptText::Expression { sql, .. }) = text;
        // A name with quotes in it is written otherwise.
        let is_mentioned = self.name.contains('"') || sql.to_lowercase().contains(&self.name);
        let follow = || self.cx.runner.follow(self.before, text, self.after).ok();
        is_mentioned.then(follow).flatten()
    }

    /// As [`Texts::followed`], when it is another text.
    fn changed(&self, text: KeptText<'_>) -> Option<String> {
        let (KeptText::Query(sql) | KeptText::Expression { sql, .. }) = text;
        self.followed(text).filter(|changed| changed != sql)
    }

    /// A view as it has to be from now on, changed or not: it may be lost.
    fn view(&self, view: &ViewDef) -> Option<ViewDef> {
        let query = self.followed(KeptText::Query(&view.query))?;
        Some(ViewDef { query, ..view.clone() })
    }

    fn table(&self, table: &TableDef) -> Option<TableDef> {
        let before = self.before.table(table.oid)?;
        let mut changed = table.clone();
        let mut is_changed = false;
        let visited = each_text(&mut changed, &mut |sql, is_over, ty| {
            let table = is_over.then_some(before);
            if let Some(new) = self.changed(KeptText::Expression { sql, table, ty }) {
                *sql = new;
                is_changed = true;
            }
            Ok(())
        });
        (visited.is_ok() && is_changed).then_some(changed)
    }

    fn domain(&self, def: &TypeDef) -> Option<TypeDef> {
        let mut changed = def.clone();
        let TypeKind::Domain { base, default: Some(sql), .. } = &mut changed.kind else {
            return None;
        };
        *sql = self.changed(KeptText::Expression { sql, table: None, ty: Some(base) })?;
        Some(changed)
    }

    fn function(&self, def: &FunctionDef) -> Option<FunctionDef> {
        let mut changed = def.clone();
        let mut is_changed = false;
        for param in &mut changed.params {
            let Some(sql) = &mut param.default else { continue };
            let text = KeptText::Expression { sql, table: None, ty: Some(&param.ty) };
            if let Some(new) = self.changed(text) {
                *sql = new;
                is_changed = true;
            }
        }
        is_changed.then_some(changed)
    }
}
