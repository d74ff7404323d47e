//! The name of an output column that has no alias (Postgres' `FigureColname`).

use sqlparser::ast::{AccessExpr, CeilFloorKind, DataType, Expr as Ast, SetExpr, TrimWhereField};

use super::fold;

/// The name that an expression gives its column.
pub(crate) fn column_name(expr: &Ast) -> String {
    strong_name(expr).or_else(|| weak_name(expr)).unwrap_or_else(|| "?column?".to_owned())
}

/// Names that come from the expression itself.
fn strong_name(expr: &Ast) -> Option<String> {
    let word = |word: &str| Some(word.to_owned());
    match expr {
        Ast::Identifier(name) => Some(fold(name)),
        Ast::CompoundIdentifier(parts) => parts.last().map(fold),
        Ast::Nested(inner) | Ast::Collate { expr: inner, .. } => strong_name(inner),
        Ast::CompoundFieldAccess { root, access_chain } => {
            let fields = access_chain.iter().rev().find_map(|step| match step {
                AccessExpr::Dot(Ast::Identifier(name)) => Some(fold(name)),
                _ => None,
            });
            fields.or_else(|| strong_name(root))
        }
        Ast::Function(call) => {
            let name = call.name.0.last()?.as_ident()?;
            Some(match fold(name).as_str() {
                "current_role" => "current_role".to_owned(),
                name => name.to_owned(),
            })
        }
        Ast::Cast { expr, .. } => strong_name(expr),
        Ast::AtTimeZone { .. } => word("timezone"),
        Ast::Extract { .. } => word("extract"),
        Ast::Position { .. } => word("position"),
        Ast::Substring { shorthand: true, .. } => word("substr"),
        Ast::Substring { .. } => word("substring"),
        Ast::Overlay { .. } => word("overlay"),
        Ast::Ceil { field: CeilFloorKind::DateTimeField(_), .. } => word("ceil"),
        Ast::Floor { field: CeilFloorKind::DateTimeField(_), .. } => word("floor"),
        Ast::Trim { trim_where, .. } => word(match trim_where {
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        Ast::Exists { .. } => word("exists"),
        Ast::Array(_) => word("array"),
        Ast::Tuple(_) => word("row"),
        Ast::Case { else_result: Some(otherwise), .. } => strong_name(otherwise),
        Ast::Subquery(query) => match query.body.as_ref() {
            SetExpr::Select(select) => match select.projection.first()? {
                sqlparser::ast::SelectItem::UnnamedExpr(expr) => {
                    Some(column_name(expr)).filter(|name| name != "?column?")
                }
                sqlparser::ast::SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
                _ => None,
            },
            SetExpr::Values(_) => word("column1"),
            _ => None,
        },
        _ => None,
    }
}

/// Names that give way to others: of a cast's type, of CASE.
fn weak_name(expr: &Ast) -> Option<String> {
    match expr {
        Ast::Nested(inner) | Ast::Collate { expr: inner, .. } => weak_name(inner),
        Ast::Cast { data_type, .. } => Some(type_word(data_type)),
        Ast::TypedString(literal) => Some(type_word(&literal.data_type)),
        Ast::Interval(_) => Some("interval".to_owned()),
        Ast::Case { .. } => Some("case".to_owned()),
        _ => None,
    }
}

/// The internal name of a type in syntax.
fn type_word(ty: &DataType) -> String {
    let text = ty.to_string().to_lowercase();
    let known = crate::value::Type::from_name(&text, &[]);
    match known {
        Ok(Some(ty)) => {
            let element = ty.base.element().cloned().unwrap_or(ty.base);
            element.internal_name()
        }
        _ => match ty {
            DataType::Custom(name, _) => {
                name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or(text)
            }
            _ => text.split(['(', '[']).next().unwrap_or_default().to_owned(),
        },
    }
}
