//! COMMENT ON.

use super::{DefineContext, Defined, missing_column, missing_relation};
use crate::bind::ddl::{ObjectKind, QualifiedName};
use crate::catalog::Relation;
use crate::error::{Error, Result, SqlState};

pub(super) fn comment(
    cx: &mut DefineContext<'_>,
    kind: ObjectKind,
    name: &QualifiedName,
    part: Option<&str>,
    text: Option<String>,
) -> Result<Defined> {
    let (oid, column) = target(cx, kind, name, part)?;
    cx.change.comment(cx.txn, oid, column, text.filter(|text| !text.is_empty()))?;
    Defined::new("COMMENT")
}

fn target(
    cx: &DefineContext<'_>,
    kind: ObjectKind,
    name: &QualifiedName,
    part: Option<&str>,
) -> Result<(u32, i16)> {
    match kind {
        ObjectKind::Column => {
            let table = cx.table(name)?;
            let column = part.unwrap_or_default();
            let position =
                table.column(column).ok_or_else(|| missing_column(column, &table.name))?;
            let attribute = i16::try_from(position + 1)
                .map_err(|_| Error::internal("a table has too many columns"))?;
            Ok((table.oid, attribute))
        }
        ObjectKind::Constraint => {
            let table = cx.table(name)?;
            let part = part.unwrap_or_default();
            let oid = table.constraint_oid(part);
            Ok((oid.ok_or_else(|| super::constraint::missing(part, &table.name))?, 0))
        }
        ObjectKind::Schema => {
            let schema = cx.change.catalog.schemas.get(&name.name);
            let schema = schema.ok_or_else(|| super::database::missing_schema(&name.name))?;
            Ok((schema.oid, 0))
        }
        ObjectKind::Database => {
            let database = cx.change.globals.databases.get(&name.name);
            Ok((database.ok_or_else(|| super::database::missing(&name.name))?.oid, 0))
        }
        ObjectKind::Type | ObjectKind::Domain => Ok((super::type_def::find(cx, name)?.oid, 0)),
        ObjectKind::Role | ObjectKind::Extension | ObjectKind::Function => Err(Error::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            "comments on this kind of object are not supported",
        )),
        _ => match cx.resolve(name).ok_or_else(|| missing_relation(name))? {
            Relation::Table(oid)
            | Relation::View(oid)
            | Relation::Sequence(oid)
            | Relation::Index(oid, _) => Ok((oid, 0)),
        },
    }
}
