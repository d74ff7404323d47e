//! Dumps against the systems that load them.
//!
//! Always: what `cairn dump` writes is loaded again to an identical dump. With a reference
//! ([`cairn_tests::reference`]) and `psql` at hand: Postgres loads the same text without an error
//! and copies the same rows out of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write;
use std::process::{Command, Stdio};

use cairn_query::Database;
use cairn_tests::reference::Reference;

const SCRIPTS: [(&str, &str); 2] = [
    ("definitions", include_str!("../query/testdata/dump/definitions.sql")),
    ("values", include_str!("../query/testdata/dump/values.sql")),
];

/// What the rows are printed under.
const SETTINGS: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; \
     SET IntervalStyle = 'postgres'; SET extra_float_digits = 3";

fn dump(database: &Database) -> String {
    let mut out = Vec::new();
    database.dump("cairn", &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Runs SQL in the reference; what it printed.
fn psql(reference: &Reference, arguments: &[&str], input: &str) -> String {
    let address = reference.address();
    let (host, port) = (address.socket.ip().to_string(), address.socket.port().to_string());
    let mut child = Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", &host, "-p", &port])
        .args(["-U", &address.user, "-d", &address.database])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("psql");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The tables of a dump: what follows COPY, and the rows.
fn copied(dump: &str) -> impl Iterator<Item = (&str, &str)> {
    dump.split("\nCOPY ").skip(1).map(|part| {
        let (table, rest) = part.split_once(" FROM stdin;\n").unwrap();
        (table, rest.split_once("\\.\n").unwrap().0)
    })
}

#[test]
fn dumps_are_loaded_to_the_same_rows() {
    for (name, script) in SCRIPTS {
        let database = Database::in_memory().unwrap();
        database.connect("cairn", "cairn").unwrap().execute(script).unwrap();
        let first = dump(&database);
        let again = Database::in_memory().unwrap();
        again.restore("cairn", first.as_bytes()).unwrap();
        assert_eq!(dump(&again), first, "{name}");
        let Some(reference) = Reference::from_environment() else { continue };
        psql(&reference, &[], &first);
        for (table, rows) in copied(&first) {
            let copy = format!("COPY {table} TO STDOUT");
            let theirs = psql(&reference, &["-c", SETTINGS, "-c", &copy], "");
            assert_eq!(theirs, rows, "{name}: {table}");
        }
    }
}
