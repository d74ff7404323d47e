//! EXPLAIN (FORMAT JSON).

use serde_json::{Map, Value as Json, json};

use super::explain::{Detail, Item, Times, milliseconds};
use crate::bind::ExplainOptions;

/// The whole document, pretty-printed as Postgres does.
pub(super) fn document(root: &Item, options: &ExplainOptions, times: Times) -> String {
    let mut top = Map::new();
    top.insert("Plan".to_owned(), node(root, None, options));
    if options.with_summary {
        top.insert("Planning Time".to_owned(), rounded(milliseconds(times.planning), 1000.0));
        if let Some(execution) = times.execution {
            top.insert("Execution Time".to_owned(), rounded(milliseconds(execution), 1000.0));
        }
    }
    let document = Json::Array(vec![Json::Object(top)]);
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn node(item: &Item, label: Option<&str>, options: &ExplainOptions) -> Json {
    let mut map = Map::new();
    let mut put = |key: &str, value: Json| {
        map.insert(key.to_owned(), value);
    };
    put("Node Type", json!(item.kind));
    if let Some(label) = label {
        let relationship = if label.starts_with("SubPlan") { "SubPlan" } else { "InitPlan" };
        put("Parent Relationship", json!(relationship));
        put("Subplan Name", json!(label));
    }
    put("Parallel Aware", json!(false));
    put("Async Capable", json!(false));
    for (key, value) in &item.facts {
        put(key, json!(value));
    }
    if options.with_costs {
        put("Startup Cost", rounded(item.estimate.startup, 100.0));
        put("Total Cost", rounded(item.estimate.total, 100.0));
        put("Plan Rows", json!(item.estimate.rows.round() as u64));
        put("Plan Width", json!(item.estimate.width));
    }
    if let Some(timing) = &item.timing {
        let loops = timing.loops.max(1);
        if options.with_timing {
            put("Actual Startup Time", rounded(milliseconds(timing.startup), 1000.0));
            let total = milliseconds(timing.total) / loops as f64;
            put("Actual Total Time", rounded(total, 1000.0));
        }
        put("Actual Rows", json!(timing.rows / loops));
        put("Actual Loops", json!(loops));
    }
    for detail in item.details() {
        match detail {
            Detail::Property(key, value) => put(key, json!(value)),
            Detail::Removed(key, rows) => put(key, json!(rows.round() as u64)),
        }
    }
    if !item.children.is_empty() {
        let children = item.children.iter();
        let children = children.map(|(label, child)| node(child, label.as_deref(), options));
        put("Plans", Json::Array(children.collect()));
    }
    Json::Object(map)
}

fn rounded(value: f64, unit: f64) -> Json {
    json!((value * unit).round() / unit)
}
