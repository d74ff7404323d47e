//! Similar texts, as `pg_trgm` has them.

use super::Builder;
use super::argument::arg;
use crate::error::Result;
use crate::expression::EvalContext;
use crate::text::trigram::{self, similarity, word_similarity};
use crate::value::{Array, Type, Value};

/// How similar texts are.
type Measure = fn(&str, &str) -> f32;

/// Functions, with the operator that asks for enough similarity, its setting, and the distance.
const MEASURES: [(&str, Measure, &[&str], &[&str]); 3] = [
    ("similarity", similarity, &["%"], &["<->"]),
    ("word_similarity", |a, b| word_similarity(a, b, false), &["<%", "%>"], &["<<->", "<->>"]),
    (
        "strict_word_similarity",
        |a, b| word_similarity(a, b, true),
        &["<<%", "%>>"],
        &["<<<->", "<->>>"],
    ),
];

pub(super) fn register(builder: &mut Builder) {
    for (at, (name, _, enough, distance)) in MEASURES.iter().enumerate() {
        builder.function(&format!("{name}(text, text) -> float4"), CODE[at].measured);
        for (turned, symbol) in enough.iter().enumerate() {
            let code = if turned == 0 { CODE[at].enough } else { CODE[at].enough_turned };
            builder.operator(&format!("{symbol} (text, text) -> bool"), code).stable();
        }
        for (turned, symbol) in distance.iter().enumerate() {
            let code = if turned == 0 { CODE[at].distance } else { CODE[at].distance_turned };
            builder.operator(&format!("{symbol} (text, text) -> float4"), code);
        }
    }
    builder.function("show_trgm(text) -> text[]", |_, args| {
        let shown = trigram::shown(arg(args, 0)?).into_iter().map(Value::text);
        Ok(Value::Array(Array::new(Type::Text, shown.collect()).into()))
    });
    builder
        .function("show_limit() -> float4", |ctx, _| Ok(Value::Float4(threshold(ctx, 0))))
        .stable();
}

/// The code of one measure: of the function, of its operators, of these turned around.
struct Code {
    measured: super::Eval,
    enough: super::Eval,
    enough_turned: super::Eval,
    distance: super::Eval,
    distance_turned: super::Eval,
}

const fn code<const AT: usize>() -> Code {
    Code {
        measured: |_, args| Ok(Value::Float4(measure::<AT>(args, 0)?)),
        enough: |ctx, args| Ok(Value::Bool(measure::<AT>(args, 0)? >= threshold(ctx, AT))),
        enough_turned: |ctx, args| Ok(Value::Bool(measure::<AT>(args, 1)? >= threshold(ctx, AT))),
        distance: |_, args| Ok(Value::Float4(1.0 - measure::<AT>(args, 0)?)),
        distance_turned: |_, args| Ok(Value::Float4(1.0 - measure::<AT>(args, 1)?)),
    }
}

const CODE: [Code; 3] = [code::<0>(), code::<1>(), code::<2>()];

fn measure<const AT: usize>(args: &[Value], first: usize) -> Result<f32> {
    Ok((MEASURES[AT].1)(arg(args, first)?, arg(args, 1 - first)?))
}

/// How similar is similar enough: `pg_trgm.…_threshold`.
fn threshold(ctx: &EvalContext<'_>, at: usize) -> f32 {
    const DEFAULTS: [f32; 3] = [0.3, 0.6, 0.5];
    let set = ctx.services.setting(&format!("pg_trgm.{}_threshold", MEASURES[at].0));
    set.and_then(|text| text.parse().ok()).unwrap_or(DEFAULTS[at])
}
