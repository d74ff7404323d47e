//! CREATE SEQUENCE, ALTER SEQUENCE, and the sequences behind `serial` and identity columns.

use std::sync::Arc;

use super::follow::follow;
use super::{DefineContext, Defined, missing_column, missing_relation, not_a, temporary};
use crate::bind::ddl::{AlterSequence, CreateSequence, QualifiedName, SequenceOptions};
use crate::catalog::{Definition, Relation, SequenceDef};
use crate::error::{Error, Result, SqlState};
use crate::value::{SqlType, Type};

pub(super) fn create(cx: &mut DefineContext<'_>, create: &CreateSequence) -> Result<Defined> {
    let (schema, _) = temporary::schema_of_new(cx, &create.name, create.is_temporary)?;
    if !cx.exists_already(&schema, &create.name.name, create.if_not_exists)? {
        let mut sequence = build(cx, schema, create.name.name.clone(), &create.options)?;
        sequence.owned_by = owner_column(cx, &create.options)?;
        check_owner_schema(cx, &sequence)?;
        cx.put(Definition::Sequence(Arc::new(sequence)))?;
    }
    Defined::new("CREATE SEQUENCE")
}

/// A sequence that is not in the catalog yet.
pub(super) fn build(
    cx: &DefineContext<'_>,
    schema: String,
    name: String,
    options: &SequenceOptions,
) -> Result<SequenceDef> {
    let blank = SequenceDef {
        oid: cx.store.next_object_id()?,
        schema,
        name,
        owner: cx.user.to_owned(),
        ty: SqlType::new(Type::Int8),
        start: 0,
        increment: 1,
        min: 0,
        max: 0,
        cache: 1,
        is_cycle: false,
        owned_by: None,
    };
    apply(&blank, options, Fill::All)
}

/// Which settings fall back to their defaults when the options do not name them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    All,
    Nothing,
}

fn apply(old: &SequenceDef, options: &SequenceOptions, fill: Fill) -> Result<SequenceDef> {
    let mut new = old.clone();
    new.ty = options.ty.clone().unwrap_or(new.ty);
    let (type_min, type_max) = type_bounds(&new.ty)?;
    new.increment = options.increment.unwrap_or(new.increment);
    if new.increment == 0 {
        return Err(invalid("INCREMENT must not be zero"));
    }
    let is_descending = new.increment < 0;
    let old_bounds = type_bounds(&old.ty)?;
    match options.min {
        Some(Some(min)) => new.min = min,
        None if fill == Fill::Nothing && old.min != old_bounds.0 => {}
        _ => new.min = if is_descending { type_min } else { 1 },
    }
    match options.max {
        Some(Some(max)) => new.max = max,
        None if fill == Fill::Nothing && old.max != old_bounds.1 => {}
        _ => new.max = if is_descending { -1 } else { type_max },
    }
    if new.min >= new.max {
        let (min, max) = (new.min, new.max);
        return Err(invalid(format!("MINVALUE ({min}) must be less than MAXVALUE ({max})")));
    }
    if options.start.is_some() || fill == Fill::All {
        let default = if is_descending { new.max } else { new.min };
        new.start = options.start.unwrap_or(default);
    }
    check_inside("START", new.start, new.min, new.max)?;
    new.cache = options.cache.unwrap_or(new.cache);
    if new.cache < 1 {
        return Err(invalid(format!("CACHE ({}) must be greater than zero", new.cache)));
    }
    new.is_cycle = options.is_cycle.unwrap_or(new.is_cycle);
    Ok(new)
}

fn check_inside(what: &str, value: i64, min: i64, max: i64) -> Result<()> {
    if value < min {
        let message = format!("{what} value ({value}) cannot be less than MINVALUE ({min})");
        return Err(invalid(message));
    }
    if value > max {
        let message = format!("{what} value ({value}) cannot be greater than MAXVALUE ({max})");
        return Err(invalid(message));
    }
    Ok(())
}

fn type_bounds(ty: &SqlType) -> Result<(i64, i64)> {
    match ty.base {
        Type::Int2 => Ok((i16::MIN.into(), i16::MAX.into())),
        Type::Int4 => Ok((i32::MIN.into(), i32::MAX.into())),
        Type::Int8 => Ok((i64::MIN, i64::MAX)),
        _ => Err(invalid("sequence type must be smallint, integer, or bigint")),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn owner_column(cx: &DefineContext<'_>, options: &SequenceOptions) -> Result<Option<(u32, usize)>> {
    let Some(Some((table, column))) = &options.owned_by else { return Ok(None) };
    let table = cx.table(table)?;
    let position = table.column(column).ok_or_else(|| missing_column(column, &table.name))?;
    Ok(Some((table.oid, position)))
}

/// 55000 when a sequence is in another schema than the table that owns it.
fn check_owner_schema(cx: &DefineContext<'_>, sequence: &SequenceDef) -> Result<()> {
    let Some((table, _)) = sequence.owned_by else { return Ok(()) };
    if cx.table_by_oid(table)?.schema == sequence.schema {
        return Ok(());
    }
    let message = "sequence must be in same schema as table it is linked to";
    Err(Error::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message))
}

pub(super) fn alter(
    cx: &mut DefineContext<'_>,
    name: &QualifiedName,
    if_exists: bool,
    action: &AlterSequence,
) -> Result<Defined> {
    let sequence = match cx.resolve(name) {
        Some(Relation::Sequence(oid)) => cx.change.catalog.sequences.get(&oid).cloned(),
        Some(_) => return Err(not_a(name, "sequence")),
        None => None,
    };
    let Some(sequence) = sequence else {
        if !if_exists {
            return Err(missing_relation(name));
        }
        let message = format!("relation \"{}\" does not exist, skipping", name.name);
        cx.notice(SqlState::UNDEFINED_TABLE, message);
        return Defined::new("ALTER SEQUENCE");
    };
    cx.check_owner(&sequence.owner, "sequence", &sequence.name)?;
    let mut changed = SequenceDef::clone(&sequence);
    match action {
        AlterSequence::Options(options) => {
            set_options(cx, &sequence, options)?;
            return Defined::new("ALTER SEQUENCE");
        }
        AlterSequence::Rename(new) => {
            cx.exists_already(&sequence.schema, new, false)?;
            changed.name.clone_from(new);
        }
        AlterSequence::SetSchema(schema) => {
            let target = QualifiedName { schema: Some(schema.clone()), ..name.clone() };
            changed.schema = cx.creation_schema(&target)?;
            cx.exists_already(schema, &sequence.name, false)?;
        }
        AlterSequence::Owner(owner) => changed.owner = super::role::existing(cx, owner)?,
    }
    let before = cx.catalog();
    cx.put(Definition::Sequence(Arc::new(changed)))?;
    follow(cx, &before, &sequence.name)?;
    Defined::new("ALTER SEQUENCE")
}

/// Changes a sequence's options; `RESTART` also sets its state.
pub(super) fn set_options(
    cx: &mut DefineContext<'_>,
    sequence: &SequenceDef,
    options: &SequenceOptions,
) -> Result<()> {
    let mut changed = apply(sequence, options, Fill::Nothing)?;
    if options.owned_by.is_some() {
        changed.owned_by = owner_column(cx, options)?;
    }
    if let Some(restart) = options.restart {
        let value = restart.unwrap_or(changed.start);
        check_inside("RESTART", value, changed.min, changed.max)?;
        cx.runner.restart_sequence(changed.oid, value)?;
    }
    cx.put(Definition::Sequence(Arc::new(changed)))
}
