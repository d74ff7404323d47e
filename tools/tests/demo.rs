//! `cairn demo`, small, from the command line.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output};

use cairn_engine::Options;
use cairn_query::Database;
use cairn_query::value::Value;

fn demo(data: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
    command.args(["demo", "--scale", "0.005", "--seconds", "0.1", "--clients", "4"]);
    command.args(more).arg("--data").arg(data).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn count(data: &Path, sql: &str) -> i64 {
    let database = Database::open(data, Options::default()).unwrap();
    let rows = database.connect("demo", "cairn").unwrap().query(sql, &[]).unwrap();
    match rows[0][0] {
        Value::Int8(count) => count,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn loads_runs_and_leaves_a_database() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let first = demo(&data, &[]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let said = text(&first.stdout);
    assert!(said.contains("loaded 5000 URLs, an event with 250 seats, 1000 businesses with 5000"));
    for operation in ["redirect", "shorten", "click", "booking", "radius + words + filter"] {
        assert!(said.contains(operation), "{operation}: {said}");
    }
    assert!(said.contains("cairn serve --data"));
    assert_eq!(count(&data, "SELECT count(*) FROM seats WHERE event_id = 456"), 250);
    assert_eq!(count(&data, "SELECT count(*) FROM businesses"), 1000);
    assert_eq!(count(&data, "SELECT count(*) FROM reviews"), 5000);
    assert_eq!(count(&data, "SELECT count(*) FROM urls WHERE id <= 5000"), 5000);
    let carried = "SELECT count(*) FROM businesses b WHERE rating_count <> \
                   (SELECT count(*) FROM reviews r WHERE r.business_id = b.id)";
    assert_eq!(count(&data, carried), 0);
    let sold = "SELECT count(*) FROM seats s WHERE (status = 'reserved') <> EXISTS \
                (SELECT 1 FROM bookings b WHERE (b.event_id, b.seat_id) = (s.event_id, s.seat_id))";
    assert_eq!(count(&data, sold), 0);

    let again = demo(&data, &[]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert!(text(&again.stdout).contains("holds this data already"));
    assert_eq!(count(&data, "SELECT count(*) FROM reviews"), 5000);

    let other = demo(&data, &["--seed", "2"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other.stderr).contains("holds the demo at scale 0.005 with seed 1"));
}

#[test]
fn wrong_use_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for wrong in [["--scale", "0"], ["--scale", "x"], ["--seconds", "-1"], ["--clients", "0"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_cairn"))
            .arg("demo")
            .args(wrong)
            .arg("--data")
            .arg(dir.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
