//! Names in FROM: common table expressions, tables, views, system catalogs, functions.

use std::sync::Arc;

use sqlparser::ast::{self, Expr as Ast, FunctionArg, FunctionArgExpr, ObjectName, TableAlias};

use super::binder::{Binder, locate};
use super::ddl::QualifiedName;
use super::fold;
use super::from::FromItem;
use super::registry;
use super::scope::{Clause, ScopeColumn};
use super::system_catalog::SystemRelation;
use super::typed::Typed;
use super::types::resolve_type;
use crate::catalog::{Relation, TableDef, ViewDef};
use crate::error::{Error, Result, SqlState};
use crate::expression::Expr;
use crate::plan::{Node, OutputColumn};
use crate::value::{SqlType, Type, Value};

impl Binder<'_> {
    /// A name in FROM.
    pub(crate) fn bind_relation(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let written = name;
        let name = self.qualified(written)?;
        if name.schema.is_none()
            && let Some(item) = self.bind_cte_reference(&name.name, alias)?
        {
            return Ok(item);
        }
        let found = self.find_relation(&name);
        let mut item = self.relation_item(found, &name, alias)?;
        if let Some(found) = found {
            self.note_relation(written, alias, found, &mut item);
        }
        Ok(item)
    }

    fn relation_item(
        &mut self,
        found: Option<Relation>,
        name: &QualifiedName,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        match found {
            Some(Relation::Table(oid)) => {
                let table = self.table_of(oid)?;
                self.check_own(&table)?;
                self.live_table_item(&table, alias)
            }
            Some(Relation::View(oid)) => {
                let view = self.ctx.catalog.views.get(&oid).cloned();
                let view = view.ok_or_else(|| Error::internal("a view is not in the catalog"))?;
                self.bind_view(&view, alias)
            }
            Some(Relation::Sequence(oid)) => self.sequence_item(oid, name, alias),
            Some(Relation::Index(..)) => {
                let message = format!("cannot open relation \"{}\"", name.name);
                Err(locate(Error::new(SqlState::WRONG_OBJECT_TYPE, message), name.position))
            }
            None => match super::system_catalog::find(name.schema.as_deref(), &name.name) {
                Some(system) => self.system_item(system, name, alias),
                None => Err(self.no_relation(name)),
            },
        }
    }

    fn system_item(
        &mut self,
        system: SystemRelation,
        name: &QualifiedName,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let columns = system.columns.into_iter();
        let columns: Vec<OutputColumn> =
            columns.map(|(name, ty)| OutputColumn { name, ty, origin: None }).collect();
        let shown = alias.map_or_else(|| name.name.clone(), |a| fold(&a.name));
        let mut item = self.rows_item(system.node, &columns, shown, alias, Vec::new())?;
        for entry in &mut item.scope.entries {
            entry.schema = alias.is_none().then(|| system.schema.to_owned());
            entry.hidden.push(ScopeColumn {
                name: "tableoid".to_owned(),
                expr: Expr::Const(Value::Oid(system.oid)),
                ty: SqlType::new(Type::Oid),
            });
        }
        Ok(item)
    }

    /// What a name stands for. `pg_catalog` comes before the search path.
    pub(crate) fn find_relation(&self, name: &QualifiedName) -> Option<Relation> {
        let catalog = self.ctx.catalog;
        catalog.resolve(name.schema.as_deref(), &name.name, &self.ctx.facts.search_path)
    }

    /// The table of an OID.
    pub(crate) fn table_of(&self, oid: u32) -> Result<Arc<TableDef>> {
        let table = self.ctx.catalog.table(oid).cloned();
        table.ok_or_else(|| Error::internal(format!("table {oid} is not in the catalog")))
    }

    /// The table of a name, for what only tables allow.
    ///
    /// # Errors
    /// 42P01, 42809.
    pub(crate) fn named_table(&self, name: &QualifiedName) -> Result<Arc<TableDef>> {
        match self.find_relation(name) {
            Some(Relation::Table(oid)) => {
                let table = self.table_of(oid)?;
                self.check_own(&table)?;
                Ok(table)
            }
            Some(_) => {
                let message = format!("\"{}\" is not a table", name.name);
                Err(locate(Error::new(SqlState::WRONG_OBJECT_TYPE, message), name.position))
            }
            None => Err(self.no_relation(name)),
        }
    }

    /// Fails with 0A000 when a table is another session's.
    fn check_own(&self, table: &TableDef) -> Result<()> {
        if !table.is_temporary || self.ctx.facts.search_path.contains(&table.schema) {
            return Ok(());
        }
        let message = "cannot access temporary tables of other sessions";
        Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message))
    }

    /// The error of a relation that does not exist.
    pub(crate) fn no_relation(&self, name: &QualifiedName) -> Error {
        let message = format!("relation \"{name}\" does not exist");
        locate(Error::new(SqlState::UNDEFINED_TABLE, message), name.position)
    }

    /// A sequence is a table of one row: where it stands.
    fn sequence_item(
        &mut self,
        oid: u32,
        name: &QualifiedName,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let sequence = || Typed::new(Expr::Const(Value::Oid(oid)), Type::Oid);
        let last = self.call("last value of sequence", vec![sequence()], None)?;
        let is_called = self.call("is sequence called", vec![sequence()], None)?;
        // How many numbers are logged ahead is Postgres' business.
        let logged = Expr::Const(Value::Int8(0));
        let columns = [
            ("last_value", last.ty),
            ("log_cnt", SqlType::new(Type::Int8)),
            ("is_called", is_called.ty),
        ];
        let columns =
            columns.map(|(name, ty)| OutputColumn { name: name.to_owned(), ty, origin: None });
        let node = Node::Values { rows: vec![vec![last.expr, logged, is_called.expr]] };
        let shown = alias.map_or_else(|| name.name.clone(), |alias| fold(&alias.name));
        self.rows_item(node, &columns, shown, alias, Vec::new())
    }

    /// A view is its query; a materialized one, its table.
    fn bind_view(&mut self, view: &ViewDef, alias: Option<&TableAlias>) -> Result<FromItem> {
        if let Some(oid) = view.materialized {
            let table = self.table_of(oid)?;
            let mut item = self.table_item(&table, alias)?;
            if alias.is_none() {
                for entry in &mut item.scope.entries {
                    entry.name.clone_from(&view.name);
                    entry.schema = Some(view.schema.clone());
                }
            }
            return Ok(item);
        }
        let statement = crate::parse::parse(&view.query)?.pop();
        let Some(statement) = statement else { return Err(Error::internal("an empty view")) };
        let query = statement.query().ok_or_else(|| Error::internal("a view is no query"))?;
        let bound = self.within_stored(&statement, |binder| {
            binder.in_new_level(|binder| binder.bind_query(query, None)).map(|(bound, _)| bound)
        })?;
        let columns: Vec<OutputColumn> = view
            .columns
            .iter()
            .zip(&bound.columns)
            .map(|((name, ty), column)| OutputColumn {
                name: name.clone(),
                ty: ty.clone(),
                origin: column.origin,
            })
            .collect();
        let name = alias.map_or_else(|| view.name.clone(), |alias| fold(&alias.name));
        let mut item = self.rows_item(bound.node, &columns, name, alias, Vec::new())?;
        if alias.is_none() {
            for entry in &mut item.scope.entries {
                entry.schema = Some(view.schema.clone());
            }
        }
        Ok(item)
    }

    /// A function in FROM. Its arguments may read what stands before it.
    pub(super) fn bind_function_scan(
        &mut self,
        name: &ObjectName,
        args: &[FunctionArg],
        with_ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let at =
            name.0.first().and_then(|part| part.as_ident()).and_then(|name| self.at_name(name));
        let function = name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
        let mut exprs = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => exprs.push(expr),
                FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. } => exprs.push(expr),
                other => return Err(Error::unsupported(format!("argument {other}"))),
            }
        }
        if registry::sets(&function).is_empty() {
            return self.bind_scalar_scan(&function, &exprs, with_ordinality, alias, at);
        }
        let exprs: Vec<Ast> = exprs.into_iter().cloned().collect();
        let calls = vec![(function, exprs, at)];
        self.bind_set_scan(calls, with_ordinality, alias)
    }

    /// `unnest(a, b, …)`: one set per array, side by side.
    pub(super) fn bind_unnest(
        &mut self,
        arrays: &[Ast],
        with_ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let calls = arrays.iter().map(|array| ("unnest".to_owned(), vec![array.clone()], None));
        self.bind_set_scan(calls.collect(), with_ordinality, alias)
    }

    /// `ROWS FROM (…)`, and `LATERAL f(…)` as the parser gives it.
    pub(super) fn bind_table_function(
        &mut self,
        expr: &Ast,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let Ast::Function(call) = expr else {
            return Err(Error::unsupported(format!("{expr} in FROM")));
        };
        let args = match &call.args {
            ast::FunctionArguments::List(list) => list.args.as_slice(),
            _ => &[],
        };
        self.bind_function_scan(&call.name, args, false, alias)
    }

    /// Set-returning functions side by side.
    fn bind_set_scan(
        &mut self,
        calls: Vec<(String, Vec<Ast>, Option<usize>)>,
        with_ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let first = calls.first().map(|(name, _, _)| name.clone()).unwrap_or_default();
        let (bound, level) = self.in_inline_level(|binder| {
            binder.level().clause = Clause::From;
            let mut functions = Vec::with_capacity(calls.len());
            let mut columns = Vec::new();
            for (name, args, at) in &calls {
                let args = args.iter().map(|arg| binder.bind_expr(arg));
                let args = args.collect::<Result<Vec<_>>>()?;
                let (function, args, shown) = binder.resolve_set(name, args, *at)?;
                functions.push((function, args));
                columns.extend(shown);
            }
            Ok((functions, columns))
        })?;
        let (functions, mut columns) = bound;
        let is_record = matches!(columns.as_slice(), [(_, ty)] if ty.base == Type::Record);
        if is_record && let Some(alias) = alias {
            columns = self.declared_columns(alias, columns)?;
        }
        // A function's only column goes by the alias.
        let is_scalar = columns.len() == 1 && !with_ordinality;
        if let ([(column, _)], Some(alias)) = (columns.as_mut_slice(), alias)
            && alias.columns.is_empty()
            && *column == first
        {
            *column = fold(&alias.name);
        }
        if with_ordinality {
            columns.push(("ordinality".to_owned(), SqlType::new(Type::Int8)));
        }
        let columns: Vec<OutputColumn> =
            columns.into_iter().map(|(name, ty)| OutputColumn { name, ty, origin: None }).collect();
        let node = Node::FunctionScan { functions, with_ordinality };
        let name = alias.map_or(first, |alias| fold(&alias.name));
        let mut item = self.rows_item(node, &columns, name, alias, level.arguments)?;
        for entry in &mut item.scope.entries {
            entry.is_scalar = is_scalar;
        }
        Ok(item)
    }

    /// `AS t(a int, b text)` behind a function that returns `record`.
    fn declared_columns(
        &self,
        alias: &TableAlias,
        columns: Vec<(String, SqlType)>,
    ) -> Result<Vec<(String, SqlType)>> {
        if alias.columns.iter().all(|column| column.data_type.is_none()) {
            return Ok(columns);
        }
        let declared = alias.columns.iter().map(|column| {
            let Some(ty) = &column.data_type else {
                let message =
                    "a column definition list is required for functions returning \"record\"";
                return Err(Error::new(SqlState::SYNTAX_ERROR, message));
            };
            let ty = resolve_type(self.ctx.catalog, &self.ctx.facts.search_path, ty)?;
            Ok((fold(&column.name), ty))
        });
        declared.collect()
    }

    /// A function that returns one value makes one row.
    fn bind_scalar_scan(
        &mut self,
        name: &str,
        args: &[&Ast],
        with_ordinality: bool,
        alias: Option<&TableAlias>,
        at: Option<usize>,
    ) -> Result<FromItem> {
        let (value, level) = self.in_inline_level(|binder| {
            binder.level().clause = Clause::From;
            let args = args.iter().map(|arg| binder.bind_expr(arg)).collect::<Result<Vec<_>>>()?;
            binder.scan_value(name, args, at)
        })?;
        let shown = alias.map_or_else(|| name.to_owned(), |alias| fold(&alias.name));
        let mut row = vec![value.expr];
        let mut columns = vec![OutputColumn { name: shown.clone(), ty: value.ty, origin: None }];
        if with_ordinality {
            row.push(Expr::Const(crate::value::Value::Int8(1)));
            let ty = SqlType::new(Type::Int8);
            columns.push(OutputColumn { name: "ordinality".to_owned(), ty, origin: None });
        }
        let node = Node::Values { rows: vec![row] };
        let mut item = self.rows_item(node, &columns, shown, alias, level.arguments)?;
        for entry in &mut item.scope.entries {
            entry.is_scalar = !with_ordinality;
        }
        Ok(item)
    }

    /// The value of a call in FROM; `current_date` and its kind may stand there too.
    fn scan_value(&mut self, name: &str, args: Vec<Typed>, at: Option<usize>) -> Result<Typed> {
        match (name, args.is_empty()) {
            ("current_date" | "current_timestamp" | "localtimestamp" | "current_user", true) => {
                self.bind_name(&ast::Ident::new(name)).or_else(|_| self.call(name, args, at))
            }
            _ => self.call(name, args, at),
        }
    }
}
