//! Text search: `to_tsvector`, `websearch_to_tsquery`, `@@`, `ts_rank` and their kin.

use std::sync::Arc;

use super::{Builder, Volatility};
use crate::error::{Error, Result, SqlState};
use crate::expression::EvalContext;
use crate::text::cover::rank_cover_density;
use crate::text::dictionary::Dictionary;
use crate::text::parser::{Parser, TokenKind};
use crate::text::rank::{Normalization, WEIGHTS, rank};
use crate::text::{TextConfig, TsQuery, TsVector};
use crate::value::json::{self, Jsonb};
use crate::value::{Array, Type, Value};
use cairn_engine::index::fulltext::Weight;

/// Adds the family to the registry.
pub(super) fn register(builder: &mut Builder) {
    register_vectors(builder);
    register_queries(builder);
    register_matching(builder);
    register_ranking(builder);
    register_parsing(builder);
}

fn register_vectors(builder: &mut Builder) {
    builder.function("to_tsvector(regconfig, text) -> tsvector", |_, args| {
        vector(TsVector::of_text(config(&args[0])?, text(&args[1])?))
    });
    builder
        .function("to_tsvector(text) -> tsvector", |ctx, args| {
            vector(TsVector::of_text(default_config(ctx)?, text(&args[0])?))
        })
        .volatility = Volatility::Stable;
    for ty in ["json", "jsonb"] {
        builder.function(&format!("to_tsvector(regconfig, {ty}) -> tsvector"), |_, args| {
            json_vector(config(&args[0])?, &args[1])
        });
        builder
            .function(&format!("to_tsvector({ty}) -> tsvector"), |ctx, args| {
                json_vector(default_config(ctx)?, &args[0])
            })
            .volatility = Volatility::Stable;
    }
    builder.operator("|| (tsvector, tsvector) -> tsvector", concat);
    builder.function("tsvector_concat(tsvector, tsvector) -> tsvector", concat);
    builder.function("setweight(tsvector, \"char\", [text[]]) -> tsvector", set_weight);
    builder.function("strip(tsvector) -> tsvector", |_, args| {
        vector(Ok(tsvector(&args[0])?.stripped()))
    });
    builder.function("length(tsvector) -> int4", |_, args| {
        Ok(Value::Int4(tsvector(&args[0])?.document().len() as i32))
    });
    for ty in ["text", "text[]"] {
        builder.function(&format!("ts_delete(tsvector, {ty}) -> tsvector"), |_, args| {
            vector(Ok(tsvector(&args[0])?.without(&texts(&args[1])?)))
        });
    }
    builder.function("ts_filter(tsvector, \"char\"[]) -> tsvector", |_, args| {
        let weights: Vec<Weight> =
            texts(&args[1])?.into_iter().map(weight).collect::<Result<_>>()?;
        vector(Ok(tsvector(&args[0])?.filtered(&weights)))
    });
    builder.function("tsvector_to_array(tsvector) -> text[]", |_, args| {
        let document = tsvector(&args[0])?.document();
        Ok(text_array(document.iter().map(|lexeme| Value::text(lexeme.text)).collect()))
    });
    builder.function("array_to_tsvector(text[]) -> tsvector", |_, args| {
        let lexemes = texts(&args[0])?;
        if lexemes.contains(&"") {
            let message = "lexeme array may not contain empty strings";
            return Err(Error::new(SqlState::ZERO_LENGTH_CHARACTER_STRING, message));
        }
        vector(TsVector::of_lexemes(lexemes))
    });
}

fn register_queries(builder: &mut Builder) {
    type Read = fn(TextConfig, &str) -> Result<TsQuery>;
    macro_rules! reading {
        ($name:literal, $read:expr) => {
            builder.function(concat!($name, "(regconfig, text) -> tsquery"), |_, args| {
                let read: Read = $read;
                query(read(config(&args[0])?, text(&args[1])?))
            });
            builder
                .function(concat!($name, "(text) -> tsquery"), |ctx, args| {
                    let read: Read = $read;
                    query(read(default_config(ctx)?, text(&args[0])?))
                })
                .volatility = Volatility::Stable;
        };
    }
    reading!("to_tsquery", TsQuery::of_expression);
    reading!("plainto_tsquery", TsQuery::of_words);
    reading!("phraseto_tsquery", TsQuery::of_phrase);
    reading!("websearch_to_tsquery", TsQuery::of_websearch);

    for signature in ["&& (tsquery, tsquery) -> tsquery", "|| (tsquery, tsquery) -> tsquery"] {
        let is_and = signature.starts_with('&');
        builder.operator(signature, if is_and { query_and } else { query_or });
    }
    builder.function("tsquery_and(tsquery, tsquery) -> tsquery", query_and);
    builder.function("tsquery_or(tsquery, tsquery) -> tsquery", query_or);
    builder.operator("!! (tsquery) -> tsquery", query_not);
    builder.function("tsquery_not(tsquery) -> tsquery", query_not);
    builder.operator("<-> (tsquery, tsquery) -> tsquery", query_phrase);
    builder.function("tsquery_phrase(tsquery, tsquery, [int4]) -> tsquery", query_phrase);
    builder.function("numnode(tsquery) -> int4", |_, args| {
        Ok(Value::Int4(tsquery(&args[0])?.node_count() as i32))
    });
    builder.function("querytree(tsquery) -> text", |_, args| {
        Ok(Value::text(tsquery(&args[0])?.indexable()))
    });
    builder.operator("@> (tsquery, tsquery) -> bool", |_, args| {
        Ok(Value::Bool(tsquery(&args[0])?.contains(tsquery(&args[1])?)))
    });
    builder.operator("<@ (tsquery, tsquery) -> bool", |_, args| {
        Ok(Value::Bool(tsquery(&args[1])?.contains(tsquery(&args[0])?)))
    });
}

fn register_matching(builder: &mut Builder) {
    for symbol in ["@@", "@@@"] {
        builder.operator(&format!("{symbol} (tsvector, tsquery) -> bool"), |_, args| {
            Ok(Value::Bool(tsquery(&args[1])?.matches(tsvector(&args[0])?)))
        });
        builder.operator(&format!("{symbol} (tsquery, tsvector) -> bool"), |_, args| {
            Ok(Value::Bool(tsquery(&args[0])?.matches(tsvector(&args[1])?)))
        });
    }
    builder
        .operator("@@ (text, tsquery) -> bool", |ctx, args| {
            let vector = TsVector::of_text(default_config(ctx)?, text(&args[0])?)?;
            Ok(Value::Bool(tsquery(&args[1])?.matches(&vector)))
        })
        .volatility = Volatility::Stable;
    builder
        .operator("@@ (text, text) -> bool", |ctx, args| {
            let config = default_config(ctx)?;
            let vector = TsVector::of_text(config, text(&args[0])?)?;
            let query = TsQuery::of_words(config, text(&args[1])?)?;
            Ok(Value::Bool(query.matches(&vector)))
        })
        .volatility = Volatility::Stable;
}

fn register_ranking(builder: &mut Builder) {
    type Rank = fn(&[f32; 4], &TsVector, &TsQuery, Normalization) -> f32;
    macro_rules! ranking {
        ($name:literal, $rank:expr) => {
            builder.function(concat!($name, "(tsvector, tsquery, [int4]) -> real"), |_, args| {
                let rank: Rank = $rank;
                let (vector, query) = (tsvector(&args[0])?, tsquery(&args[1])?);
                Ok(Value::Float4(rank(&WEIGHTS, vector, query, normalization(args.get(2))?)))
            });
            builder.function(
                concat!($name, "(real[], tsvector, tsquery, [int4]) -> real"),
                |_, args| {
                    let rank: Rank = $rank;
                    let (vector, query) = (tsvector(&args[1])?, tsquery(&args[2])?);
                    let weights = rank_weights(&args[0])?;
                    Ok(Value::Float4(rank(&weights, vector, query, normalization(args.get(3))?)))
                },
            );
        };
    }
    ranking!("ts_rank", rank);
    ranking!("ts_rank_cd", rank_cover_density);
}

fn register_parsing(builder: &mut Builder) {
    builder
        .function("get_current_ts_config() -> regconfig", |ctx, _| {
            Ok(Value::text(default_config(ctx)?.name))
        })
        .volatility = Volatility::Stable;
    builder.function("ts_lexize(text, text) -> text[]", |_, args| {
        let name = text(&args[0])?;
        let dictionary = Dictionary::named(name).ok_or_else(|| {
            let message = format!("text search dictionary \"{name}\" does not exist");
            Error::new(SqlState::UNDEFINED_OBJECT, message)
        })?;
        let lexeme = dictionary.lexeme(text(&args[1])?);
        Ok(text_array(lexeme.into_iter().map(Value::text).collect()))
    });
    builder.set_function("ts_parse(text, text) -> (tokid int4, token text)", |_, args| {
        let tokens: Vec<_> = Parser::new(text(&args[1])?)
            .map(|token| Ok(vec![Value::Int4(token.kind as i32), Value::text(token.text)]))
            .collect();
        Ok(Box::new(tokens.into_iter()))
    });
    builder.set_function(
        "ts_token_type(text) -> (tokid int4, alias text, description text)",
        |_, _| {
            let rows = TokenKind::ALL.iter().map(|(kind, alias, description)| {
                Ok(vec![Value::Int4(*kind as i32), Value::text(*alias), Value::text(*description)])
            });
            Ok(Box::new(rows))
        },
    );
}

fn concat(_: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    vector(tsvector(&args[0])?.concat(tsvector(&args[1])?))
}

fn set_weight(_: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let weight = weight(text(&args[1])?)?;
    let only = args.get(2).map(texts).transpose()?;
    vector(Ok(tsvector(&args[0])?.with_weight(weight, only.as_deref())))
}

fn query_and(_: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    query(tsquery(&args[0])?.and(tsquery(&args[1])?))
}

fn query_or(_: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    query(tsquery(&args[0])?.or(tsquery(&args[1])?))
}

fn query_not(_: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    query(tsquery(&args[0])?.negated())
}

fn query_phrase(_: &EvalContext<'_>, args: &[Value]) -> Result<Value> {
    let distance = args.get(2).map_or(Ok(1), integer)?;
    query(tsquery(&args[0])?.followed_by(tsquery(&args[1])?, i64::from(distance)))
}

fn json_vector(config: TextConfig, value: &Value) -> Result<Value> {
    fn collect<'j>(json: &'j Jsonb, strings: &mut Vec<&'j str>) {
        match json {
            Jsonb::String(string) => strings.push(string),
            Jsonb::Array(items) => items.iter().for_each(|item| collect(item, strings)),
            Jsonb::Object(pairs) => pairs.iter().for_each(|(_, item)| collect(item, strings)),
            _ => {}
        }
    }
    let parsed;
    let json = match value {
        Value::Jsonb(json) => &**json,
        value => {
            parsed = json::parse(text(value)?)?;
            &parsed
        }
    };
    let mut strings = Vec::new();
    collect(json, &mut strings);
    vector(TsVector::of_texts(config, strings))
}

fn vector(vector: Result<TsVector>) -> Result<Value> {
    Ok(Value::TsVector(Arc::new(vector?)))
}

fn query(query: Result<TsQuery>) -> Result<Value> {
    Ok(Value::TsQuery(Arc::new(query?)))
}

fn text_array(elements: Vec<Value>) -> Value {
    let dimensions = if elements.is_empty() { vec![] } else { vec![(elements.len(), 1)] };
    Value::Array(Arc::new(Array { element: Type::Text, dimensions, elements }))
}

fn wrong_type(wanted: &str) -> Error {
    Error::internal(format!("a text search function wanted {wanted}"))
}

fn text(value: &Value) -> Result<&str> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(wrong_type("text")),
    }
}

fn integer(value: &Value) -> Result<i32> {
    match value {
        Value::Int4(number) => Ok(*number),
        _ => Err(wrong_type("integer")),
    }
}

fn tsvector(value: &Value) -> Result<&TsVector> {
    match value {
        Value::TsVector(vector) => Ok(vector),
        _ => Err(wrong_type("tsvector")),
    }
}

fn tsquery(value: &Value) -> Result<&TsQuery> {
    match value {
        Value::TsQuery(query) => Ok(query),
        _ => Err(wrong_type("tsquery")),
    }
}

/// One text, or an array of texts without NULLs.
fn texts(value: &Value) -> Result<Vec<&str>> {
    match value {
        Value::Array(array) => {
            if array.elements.iter().any(Value::is_null) {
                let message = "lexeme array may not contain nulls";
                return Err(Error::new(SqlState::NULL_VALUE_NOT_ALLOWED, message));
            }
            array.elements.iter().map(text).collect()
        }
        value => Ok(vec![text(value)?]),
    }
}

fn weight(letter: &str) -> Result<Weight> {
    let first = letter.chars().next();
    first.and_then(Weight::from_letter).ok_or_else(|| {
        let message = format!("unrecognized weight: \"{letter}\"");
        Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
    })
}

fn config(value: &Value) -> Result<TextConfig> {
    TextConfig::named(text(value)?)
}

fn default_config(ctx: &EvalContext<'_>) -> Result<TextConfig> {
    TextConfig::named(&ctx.statement.text_config)
}

fn normalization(value: Option<&Value>) -> Result<Normalization> {
    value.map_or(Ok(Normalization::default()), |value| Ok(Normalization(integer(value)?)))
}

/// The weights of D, C, B and A; negative ones mean the default.
fn rank_weights(value: &Value) -> Result<[f32; 4]> {
    let Value::Array(array) = value else { return Err(wrong_type("real[]")) };
    if array.dimensions.len() > 1 {
        let message = "array of weight must be one-dimensional";
        return Err(Error::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message));
    }
    if array.elements.len() < WEIGHTS.len() {
        let message = "array of weight is too short";
        return Err(Error::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message));
    }
    let mut weights = WEIGHTS;
    for (weight, element) in weights.iter_mut().zip(&array.elements) {
        match element {
            Value::Float4(given) if *given > 1.0 => {
                let message = "weight out of range";
                return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
            }
            Value::Float4(given) if *given >= 0.0 => *weight = *given,
            Value::Null => {
                let message = "array of weight must not contain nulls";
                return Err(Error::new(SqlState::NULL_VALUE_NOT_ALLOWED, message));
            }
            _ => {}
        }
    }
    Ok(weights)
}
