//! In which order types, functions, tables and views can be made: each behind what it needs.
//!
//! Functions are as early as can be, because tables call them, and views as late as can be. What is
//! free to choose goes by kind, then as it was made, tables by name: a database that was loaded
//! from a dump has the same order. Functions are kept as text, so the names in them tell what they
//! need; where that goes in circles, somebody begins.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::relations::Relations;
use crate::catalog::temporary::is_temporary;
use crate::catalog::{Catalog, ColumnDefault, FunctionDef, TableDef, TypeDef, TypeKind, ViewDef};
use crate::parse::{called_names, mentioned_names};
use crate::value::{SqlType, Type};

/// Something to make.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    Type(&'a Arc<TypeDef>),
    Function(&'a Arc<FunctionDef>),
    Table(&'a Arc<TableDef>),
    View(&'a Arc<ViewDef>),
}

/// Everything, in order.
pub(super) fn ordered<'a>(catalog: &'a Catalog, relations: &Relations<'a>) -> Vec<Item<'a>> {
    let types = catalog.types.values().map(Item::Type);
    let functions = catalog.functions.values().map(Item::Function);
    let tables = relations.tables.iter().copied().map(Item::Table);
    let views = catalog.views.values().filter(|view| !is_temporary(&view.schema)).map(Item::View);
    let items = types.chain(functions).chain(tables).chain(views);
    let mut pending: Vec<(Item<'a>, BTreeSet<u32>)> =
        items.map(|item| (item, item.needs(catalog))).collect();
    let mut missing: BTreeSet<u32> = pending.iter().map(|(item, _)| item.oid()).collect();
    let mut order = Vec::with_capacity(pending.len());
    while !pending.is_empty() {
        let is_free = |(_, needs): &(Item<'_>, BTreeSet<u32>)| needs.is_disjoint(&missing);
        let next = pending.iter().position(is_free).unwrap_or(0);
        let (item, _) = pending.remove(next);
        missing.remove(&item.oid());
        order.push(item);
    }
    order
}

impl Item<'_> {
    fn oid(&self) -> u32 {
        match self {
            Self::Type(def) => def.oid,
            Self::Function(def) => def.oid,
            Self::Table(def) => def.oid,
            Self::View(def) => def.oid,
        }
    }

    /// The OIDs of what must be there before it.
    fn needs(&self, catalog: &Catalog) -> BTreeSet<u32> {
        let mut needs = Needs { catalog, oids: BTreeSet::new() };
        match self {
            Self::Type(def) => needs.of_type(&def.kind),
            Self::Function(def) => needs.of_function(def),
            Self::Table(def) => needs.of_table(def),
            Self::View(def) => {
                needs.oids.extend(&def.dependencies);
                needs.calls(&def.query);
            }
        }
        needs.oids.remove(&self.oid());
        needs.oids
    }
}

struct Needs<'a> {
    catalog: &'a Catalog,
    oids: BTreeSet<u32>,
}

impl Needs<'_> {
    /// The functions that a text calls.
    fn calls(&mut self, sql: &str) {
        let called = called_names(sql);
        let functions = self.catalog.functions.values();
        self.oids.extend(functions.filter(|def| called.contains(&def.name)).map(|def| def.oid));
    }

    fn ty(&mut self, ty: &SqlType) {
        match &ty.base {
            Type::Enum(oid) | Type::Row(oid) => self.oids.extend([*oid]),
            Type::Array(element) => self.ty(&SqlType::new((**element).clone())),
            _ => {}
        }
    }

    fn of_type(&mut self, kind: &TypeKind) {
        match kind {
            TypeKind::Enum(_) => {}
            TypeKind::Composite(fields) => fields.iter().for_each(|(_, ty)| self.ty(ty)),
            TypeKind::Domain { base, default, checks, .. } => {
                self.ty(base);
                default.iter().for_each(|sql| self.calls(sql));
                checks.iter().for_each(|(_, sql)| self.calls(sql));
            }
        }
    }

    fn of_function(&mut self, def: &FunctionDef) {
        def.params.iter().for_each(|param| self.ty(&param.ty));
        self.ty(&def.result);
        self.calls(&def.body);
        let mentioned = mentioned_names(&def.body);
        let tables = self.catalog.tables.values().map(|table| (table.oid, &table.name));
        let views = self.catalog.views.values().map(|view| (view.oid, &view.name));
        let named = tables.chain(views).filter(|(_, name)| mentioned.contains(*name));
        self.oids.extend(named.map(|(oid, _)| oid));
    }

    fn of_table(&mut self, table: &TableDef) {
        for (_, column) in table.live_columns() {
            self.ty(&column.ty);
            self.oids.extend(column.domain);
            if let Some(ColumnDefault::Expression(sql) | ColumnDefault::Generated(sql)) =
                &column.default
            {
                self.calls(sql);
            }
        }
        table.checks.iter().for_each(|check| self.calls(&check.expression));
    }
}
