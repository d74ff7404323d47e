//! Scripts run to their end, or to their first error, which is located.

use std::fmt::Write;

use super::{PIECE_LEN, Restored};
use crate::database::Database;
use crate::error::SqlState;
use crate::value::Value;

fn count(database: &Database, table: &str) -> i64 {
    let mut session = database.connect("cairn", "cairn").unwrap();
    let rows = session.query(&format!("SELECT count(*) FROM {table}"), &[]).unwrap();
    match rows[0][0] {
        Value::Int8(count) => count,
        ref other => panic!("{other:?}"),
    }
}

/// What `pg_dump` writes around a table.
const FOREIGN: &str = "--
-- PostgreSQL database dump
--
\\restrict abc

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.t (
    id integer NOT NULL,
    note text DEFAULT 'a;b'::text
);
ALTER TABLE public.t OWNER TO postgres;
COPY public.t (id, note) FROM stdin;
1\ta;b
2\t\\N
3\tline\\nbreak
\\.
ALTER TABLE ONLY public.t
    ADD CONSTRAINT t_pkey PRIMARY KEY (id);
GRANT SELECT ON TABLE public.t TO somebody;
\\unrestrict abc
";

#[test]
fn a_dump_from_elsewhere() {
    let database = Database::in_memory().unwrap();
    let done = database.restore("cairn", FOREIGN.as_bytes()).unwrap();
    assert_eq!(done.row_count, 3);
    let lines: Vec<u64> = done.skipped.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [22, 30], "{:?}", done.skipped);
    assert_eq!(count(&database, "public.t"), 3);
    assert_eq!(database.verify().unwrap().findings, [""; 0]);
}

#[test]
fn errors_name_their_line() {
    for (script, line, state) in [
        ("SELECT 1;\n\nSELECT nothing\n  FROM nowhere;", 4, SqlState::UNDEFINED_TABLE),
        ("CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\nx\n2\n\\.\n", 4, SqlState("22P02")),
        ("SELECT 1;\nSELEC 2;\n", 2, SqlState::SYNTAX_ERROR),
        ("\nSELECT 'never closed", 2, SqlState::SYNTAX_ERROR),
        ("SELECT 1;\n\\connect x\n", 2, SqlState::SYNTAX_ERROR),
    ] {
        let database = Database::in_memory().unwrap();
        let failed = database.restore("cairn", script.as_bytes()).unwrap_err();
        assert_eq!((failed.line, failed.error.state()), (line, state), "{script}");
    }
}

#[test]
fn what_was_committed_before_an_error_stays() {
    let database = Database::in_memory().unwrap();
    let script = "CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\n\
                  BEGIN;\nINSERT INTO t VALUES (2);\nSELECT 1/0;\n";
    let failed = database.restore("cairn", script.as_bytes()).unwrap_err();
    assert_eq!(failed.error.state(), SqlState::DIVISION_BY_ZERO);
    assert_eq!(count(&database, "t"), 1);
}

#[test]
fn a_missing_database_is_made() {
    let database = Database::in_memory().unwrap();
    let script = "CREATE TABLE \"t;t\" (a int); INSERT INTO \"t;t\" VALUES (1)";
    let done = database.restore("Shop 2", script.as_bytes()).unwrap();
    assert_eq!(done, Restored { statement_count: 2, ..Restored::default() });
    assert!(database.connect("Shop 2", "cairn").is_ok());
}

#[test]
fn much_data_is_committed_in_pieces() {
    let database = Database::in_memory().unwrap();
    let line = "x".repeat(64 << 10);
    let mut script = String::from("CREATE TABLE t (a int, b text);\nCOPY t FROM stdin;\n");
    let rows = PIECE_LEN / line.len() + 20;
    for row in 0..rows {
        writeln!(script, "{row}\t{line}").unwrap();
    }
    script.push_str("oops\n\\.\n");
    let failed = database.restore("cairn", script.as_bytes()).unwrap_err();
    assert_eq!(failed.line, rows as u64 + 3);
    let kept = count(&database, "t");
    assert!(kept > 0 && kept < rows as i64, "{kept} of {rows}: whole pieces");

    let whole = format!("BEGIN;\nTRUNCATE t;\n{}", &script[script.find("COPY").unwrap()..]);
    database.restore("cairn", whole.as_bytes()).unwrap_err();
    assert_eq!(count(&database, "t"), kept, "inside BEGIN nothing is committed before COMMIT");
}
