//! Set-returning functions in FROM.

use std::sync::Arc;

use super::context::Context;
use super::project_set::call;
use crate::error::Result;
use crate::expression::functions::RowSet;
use crate::expression::{Expr, SetFunction};
use crate::plan::Row;
use crate::value::Value;

/// See [`crate::plan::Node::FunctionScan`].
#[derive(Default)]
pub(crate) struct FunctionScan {
    sets: Option<Vec<Set>>,
    ordinal: i64,
}

struct Set {
    rows: Option<RowSet>,
    width: usize,
}

impl FunctionScan {
    pub fn next(
        &mut self,
        functions: &[(Arc<SetFunction>, Vec<Expr>)],
        with_ordinality: bool,
        cx: &Context<'_>,
        max: usize,
    ) -> Result<Vec<Row>> {
        let sets = match &mut self.sets {
            Some(sets) => sets,
            none => none.insert(open(functions, cx)?),
        };
        let mut out = Vec::new();
        while out.len() < max {
            cx.check_cancelled()?;
            let Some(mut row) = next_row(sets)? else { break };
            if with_ordinality {
                self.ordinal += 1;
                row.push(Value::Int8(self.ordinal));
            }
            out.push(row);
        }
        Ok(out)
    }
}

fn open(functions: &[(Arc<SetFunction>, Vec<Expr>)], cx: &Context<'_>) -> Result<Vec<Set>> {
    let open = |(function, args): &(Arc<SetFunction>, Vec<Expr>)| {
        let rows = Some(call(function, args, cx, &[])?);
        Ok(Set { rows, width: function.columns.len().max(1) })
    };
    functions.iter().map(open).collect()
}

/// One row of all sets side by side; a set that has ended gives NULLs while another goes on.
fn next_row(sets: &mut [Set]) -> Result<Option<Row>> {
    let mut is_live = false;
    let mut row = Vec::new();
    for set in sets {
        match set.rows.as_mut().and_then(Iterator::next) {
            Some(values) => {
                is_live = true;
                row.append(&mut values?);
            }
            None => {
                set.rows = None;
                row.resize(row.len() + set.width, Value::Null);
            }
        }
    }
    Ok(is_live.then_some(row))
}
