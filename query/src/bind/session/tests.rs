//! Through a session: from text to what a statement does.

use crate::Database;
use crate::error::Error;
use crate::session::{Session, Step};
use crate::value::Value;

fn session() -> Session {
    let database = Database::in_memory().unwrap();
    let mut session = database.connect("cairn", "cairn").unwrap();
    session.execute("CREATE TABLE t (a int PRIMARY KEY, b text DEFAULT 'none')").unwrap();
    session.execute("INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 9) n").unwrap();
    session
}

fn tag(session: &mut Session, sql: &str) -> String {
    session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).to_string()
}

/// The first column of the rows, as numbers.
fn numbers(session: &mut Session, sql: &str) -> Vec<i64> {
    let rows = session.query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let number = |row: &Vec<Value>| match row[0] {
        Value::Int4(number) => i64::from(number),
        Value::Int8(number) => number,
        ref other => panic!("{other:?} is no number"),
    };
    rows.iter().map(number).collect()
}

/// The only value, as text.
fn text(session: &mut Session, sql: &str) -> String {
    let rows = session.query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    match &rows[0][0] {
        Value::Text(text) => text.to_string(),
        other => panic!("{other:?} is no text"),
    }
}

fn fails(session: &mut Session, sql: &str) -> Error {
    match session.execute(sql) {
        Ok(tag) => panic!("{sql}: {tag}"),
        Err(error) => error,
    }
}

/// The SQLSTATE and the message.
fn error(session: &mut Session, sql: &str) -> (&'static str, String) {
    let error = fails(session, sql);
    (error.state().0, error.message().to_owned())
}

fn near(word: &str) -> (&'static str, String) {
    ("42601", format!("syntax error at or near \"{word}\""))
}

#[test]
fn transactions_have_all_spellings() {
    let mut session = session();
    for (sql, shown) in [
        ("BEGIN", "BEGIN"),
        ("COMMIT WORK", "COMMIT"),
        ("BEGIN WORK ISOLATION LEVEL REPEATABLE READ, READ ONLY", "BEGIN"),
        ("END TRANSACTION", "COMMIT"),
        ("START TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE", "BEGIN"),
        ("ABORT", "ROLLBACK"),
        ("BEGIN TRANSACTION READ WRITE", "BEGIN"),
        ("SAVEPOINT one", "SAVEPOINT"),
        ("SAVEPOINT savepoint", "SAVEPOINT"),
        ("RELEASE savepoint", "RELEASE"),
        ("ROLLBACK TO SAVEPOINT one", "ROLLBACK"),
        ("ROLLBACK WORK TO one", "ROLLBACK"),
        ("RELEASE SAVEPOINT one", "RELEASE"),
        ("COMMIT AND CHAIN", "COMMIT"),
        ("ROLLBACK AND NO CHAIN", "ROLLBACK"),
    ] {
        assert_eq!(tag(&mut session, sql), shown, "{sql}");
    }
    assert_eq!(error(&mut session, "BEGIN READ"), near("READ"));
    assert_eq!(error(&mut session, "COMMIT nothing"), near("nothing"));
    assert_eq!(error(&mut session, "PREPARE TRANSACTION 'x'").0, "0A000");
}

#[test]
fn modes_take_effect() {
    let mut session = session();
    tag(&mut session, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY");
    assert_eq!(text(&mut session, "SHOW TRANSACTION ISOLATION LEVEL"), "serializable");
    assert_eq!(error(&mut session, "DELETE FROM t").0, "25006");
    tag(&mut session, "ROLLBACK");
    tag(&mut session, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY");
    assert_eq!(text(&mut session, "SHOW default_transaction_read_only"), "on");
    tag(&mut session, "BEGIN");
    tag(&mut session, "SET TRANSACTION READ WRITE");
    tag(&mut session, "DELETE FROM t WHERE a = 1");
    tag(&mut session, "COMMIT");
}

#[test]
fn a_rollback_undoes() {
    let mut session = session();
    tag(&mut session, "BEGIN; DELETE FROM t; SAVEPOINT s; ROLLBACK TO s; ROLLBACK");
    assert_eq!(numbers(&mut session, "SELECT count(*) FROM t"), [9]);
}

#[test]
fn settings_are_set_shown_and_reset() {
    let mut session = session();
    for (set, show, shown) in [
        ("SET work_mem = '8MB'", "SHOW work_mem", "8MB"),
        ("SET SESSION work_mem TO 2048", "SHOW work_mem", "2MB"),
        ("SET work_mem TO DEFAULT", "SHOW work_mem", "4MB"),
        (
            "SET search_path TO \"$user\", Public, 'A b'",
            "SHOW search_path",
            "\"$user\", public, \"A b\"",
        ),
        ("SET SCHEMA 'x'", "SHOW search_path", "x"),
        ("SET TIME ZONE 'Europe/Vienna'", "SHOW TIME ZONE", "Europe/Vienna"),
        ("SET TIME ZONE LOCAL", "SHOW timezone", "UTC"),
        ("SET NAMES 'UTF8'", "SHOW client_encoding", "UTF8"),
        ("SET NAMES", "SHOW client_encoding", "UTF8"),
        ("SET datestyle TO iso, mdy", "SHOW DateStyle", "ISO, MDY"),
        ("SET App.Tenant = -7", "SHOW app.tenant", "-7"),
        ("SET enable_sort = off", "SHOW enable_sort", "off"),
        ("RESET enable_sort", "SHOW enable_sort", "on"),
        ("RESET ALL", "SHOW search_path", "\"$user\", public"),
    ] {
        tag(&mut session, set);
        assert_eq!(text(&mut session, show), shown, "{set}");
    }
    assert_eq!(
        error(&mut session, "SET work_mem = 1, 2"),
        ("22023", "SET work_mem takes only one argument".to_owned())
    );
    assert_eq!(error(&mut session, "SET work_mem 1"), near("1"));
    assert_eq!(error(&mut session, "SHOW nonsense").0, "42704");
}

#[test]
fn local_settings_end_with_the_transaction() {
    let mut session = session();
    tag(&mut session, "BEGIN");
    tag(&mut session, "SET LOCAL work_mem = '8MB'");
    assert_eq!(text(&mut session, "SHOW work_mem"), "8MB");
    tag(&mut session, "COMMIT");
    assert_eq!(text(&mut session, "SHOW work_mem"), "4MB");
}

#[test]
fn roles_are_taken_and_left() {
    let mut session = session();
    tag(&mut session, "SET ROLE cairn");
    assert_eq!(text(&mut session, "SHOW role"), "cairn");
    for sql in ["SET ROLE NONE", "SET role = 'none'", "RESET ROLE", "SET LOCAL ROLE 'none'"] {
        tag(&mut session, sql);
        assert_eq!(text(&mut session, "SHOW role"), "none", "{sql}");
    }
    assert_eq!(error(&mut session, "SET ROLE nobody").0, "22023");
    tag(&mut session, "SET SESSION AUTHORIZATION DEFAULT");
    tag(&mut session, "RESET SESSION AUTHORIZATION");
}

#[test]
fn explain_has_options() {
    let mut session = session();
    let plan = text(&mut session, "EXPLAIN SELECT * FROM t");
    assert!(plan.contains("cost="), "{plan}");
    let plan = text(&mut session, "EXPLAIN (COSTS off) SELECT * FROM t FOR KEY SHARE");
    assert!(!plan.contains("cost="), "{plan}");
    let rows = session.query("EXPLAIN ANALYZE VERBOSE DELETE FROM t", &[]).unwrap();
    assert!(rows.len() > 1);
    assert_eq!(numbers(&mut session, "SELECT count(*) FROM t"), [0]);
    text(&mut session, "EXPLAIN (SELECT 1)");
    let error = fails(&mut session, "EXPLAIN (verbose, nonsense) SELECT 1");
    assert_eq!(error.message(), "unrecognized EXPLAIN option \"nonsense\"");
    assert_eq!(error.fields().position, Some(19));
    assert_eq!(fails(&mut session, "EXPLAIN (TIMING) SELECT 1").state().0, "22023");
    assert_eq!(fails(&mut session, "EXPLAIN (format pdf) SELECT 1").state().0, "22023");
    assert_eq!(fails(&mut session, "EXPLAIN SET a.b = 1").state().0, "42601");
}

#[test]
fn prepared_statements() {
    let mut session = session();
    tag(&mut session, "PREPARE pick (int) AS SELECT a FROM t WHERE a = $1");
    assert_eq!(numbers(&mut session, "EXECUTE pick('3')"), [3]);
    assert_eq!(numbers(&mut session, "EXECUTE pick(1 + 1)"), [2]);
    tag(&mut session, "ALTER TABLE t ADD COLUMN c int");
    assert_eq!(numbers(&mut session, "EXECUTE pick(4)"), [4]);
    assert_eq!(error(&mut session, "EXECUTE pick").0, "42601");
    assert_eq!(error(&mut session, "EXECUTE pick((SELECT 1))").0, "0A000");
    assert_eq!(error(&mut session, "PREPARE pick AS SELECT 1").0, "42P05");
    assert_eq!(error(&mut session, "PREPARE p AS SET a.b = 1"), near("SET"));
    assert_eq!(error(&mut session, "PREPARE p (nonsense) AS SELECT 1").0, "42704");
    tag(&mut session, "PREPARE prepare AS VALUES (1)");
    assert_eq!(tag(&mut session, "DEALLOCATE PREPARE pick"), "DEALLOCATE");
    assert_eq!(tag(&mut session, "DEALLOCATE prepare"), "DEALLOCATE");
    assert_eq!(tag(&mut session, "DEALLOCATE PREPARE ALL"), "DEALLOCATE ALL");
    assert_eq!(error(&mut session, "EXECUTE pick(1)").0, "26000");
}

#[test]
fn cursors_go_everywhere() {
    let mut session = session();
    tag(&mut session, "BEGIN");
    let declare = "DECLARE c BINARY SCROLL CURSOR WITHOUT HOLD FOR SELECT a FROM t ORDER BY a";
    assert_eq!(tag(&mut session, declare), "DECLARE CURSOR");
    for (sql, rows) in [
        ("FETCH c", vec![1]),
        ("FETCH NEXT FROM c", vec![2]),
        ("FETCH PRIOR IN c", vec![1]),
        ("FETCH LAST c", vec![9]),
        ("FETCH FIRST c", vec![1]),
        ("FETCH ABSOLUTE 5 FROM c", vec![5]),
        ("FETCH ABSOLUTE -2 FROM c", vec![8]),
        ("FETCH RELATIVE -3 FROM c", vec![5]),
        ("FETCH 2 FROM c", vec![6, 7]),
        ("FETCH -2 FROM c", vec![6, 5]),
        ("FETCH FORWARD c", vec![6]),
        ("FETCH FORWARD 2 c", vec![7, 8]),
        ("FETCH BACKWARD 2 FROM c", vec![7, 6]),
        ("FETCH BACKWARD IN c", vec![5]),
        ("FETCH FORWARD ALL FROM c", vec![6, 7, 8, 9]),
        ("FETCH BACKWARD ALL c", vec![9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("FETCH ALL c", vec![1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ] {
        assert_eq!(numbers(&mut session, sql), rows, "{sql}");
    }
    assert_eq!(tag(&mut session, "MOVE BACKWARD 3 FROM c"), "MOVE 3");
    assert_eq!(tag(&mut session, "CLOSE c"), "CLOSE CURSOR");
    assert_eq!(tag(&mut session, "CLOSE ALL"), "CLOSE CURSOR ALL");
    tag(&mut session, "DECLARE next CURSOR FOR SELECT 7");
    assert_eq!(numbers(&mut session, "FETCH next"), [7]);
    tag(&mut session, "COMMIT");
}

#[test]
fn cursors_that_cannot_be() {
    let mut session = session();
    for (sql, state) in [
        ("DECLARE c SCROLL NO SCROLL CURSOR WITH HOLD FOR SELECT 1", "42P11"),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t FOR UPDATE", "0A000"),
        ("DECLARE c CURSOR FOR SELECT 1", "25P01"),
        ("DECLARE c CURSOR FOR DELETE FROM t", "42601"),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT * FROM nope", "42P01"),
        ("FETCH 99999999999 FROM c", "42601"),
        ("CLOSE c", "34000"),
    ] {
        assert_eq!(error(&mut session, sql).0, state, "{sql}");
    }
}

#[test]
fn notifications_and_upkeep() {
    let mut session = session();
    for (sql, shown) in [
        ("LISTEN news", "LISTEN"),
        ("NOTIFY news", "NOTIFY"),
        ("NOTIFY \"News\", 'it''s'", "NOTIFY"),
        ("UNLISTEN news", "UNLISTEN"),
        ("UNLISTEN *", "UNLISTEN"),
        ("CHECKPOINT", "CHECKPOINT"),
        ("ANALYZE", "ANALYZE"),
        ("ANALYZE VERBOSE t (a, b), public.t", "ANALYZE"),
        ("ANALYZE (VERBOSE off) t", "ANALYZE"),
        ("VACUUM", "VACUUM"),
        ("VACUUM FULL FREEZE VERBOSE ANALYZE t (a)", "VACUUM"),
        ("VACUUM (ANALYZE, PARALLEL 2, INDEX_CLEANUP auto) t", "VACUUM"),
        ("DISCARD PLANS", "DISCARD PLANS"),
        ("DISCARD SEQUENCES", "DISCARD SEQUENCES"),
        ("DISCARD TEMPORARY", "DISCARD TEMP"),
        ("DISCARD ALL", "DISCARD ALL"),
        ("BEGIN", "BEGIN"),
        ("LOCK t", "LOCK TABLE"),
        ("LOCK TABLE ONLY t, public.t * IN SHARE ROW EXCLUSIVE MODE NOWAIT", "LOCK TABLE"),
        ("SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS"),
        ("COMMIT", "COMMIT"),
    ] {
        assert_eq!(tag(&mut session, sql), shown, "{sql}");
    }
}

#[test]
fn upkeep_of_what_is_not_there() {
    let mut session = session();
    for (sql, state) in [
        ("ANALYZE nope", "42P01"),
        ("ANALYZE t (nope)", "42703"),
        ("ANALYZE t (a, a)", "42701"),
        ("ANALYZE (nonsense) t", "42601"),
        ("VACUUM t (a)", "0A000"),
        ("VACUUM (nonsense)", "42601"),
        ("LOCK TABLE nope", "42P01"),
        ("LOCK TABLE t IN BAD MODE", "42601"),
        ("LOCK TABLE t", "25P01"),
        ("REINDEX TABLE nope", "42P01"),
        ("REINDEX INDEX t", "42809"),
        ("REINDEX SCHEMA nope", "3F000"),
        ("REINDEX DATABASE nope", "0A000"),
        ("REINDEX (nonsense) TABLE t", "42601"),
        ("SET CONSTRAINTS nope DEFERRED", "42704"),
        ("SET CONSTRAINTS t_pkey DEFERRED", "42809"),
        ("DISCARD nonsense", "42601"),
        ("CLUSTER t", "0A000"),
        ("CALL p(1)", "0A000"),
        ("DO $$ begin end $$", "0A000"),
    ] {
        assert_eq!(error(&mut session, sql).0, state, "{sql}");
    }
}

/// Runs a COPY FROM STDIN with this data.
fn copy_in(session: &mut Session, sql: &str, data: &str) -> Result<String, Error> {
    let prepared = session.prepare(sql, &[])?;
    session.bind("", prepared, Vec::new(), Vec::new())?;
    assert!(matches!(session.advance("", 1)?, Step::CopyIn { .. }));
    session.copy_in("", data.as_bytes())?;
    let tag = session.copy_in_done("")?;
    session.close_portal("");
    session.sync()?;
    Ok(tag.to_string())
}

/// What a COPY TO STDOUT gives.
fn copy_out(session: &mut Session, sql: &str) -> String {
    let prepared = session.prepare(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    session.bind("", prepared, Vec::new(), Vec::new()).unwrap();
    assert!(matches!(session.advance("", 1).unwrap(), Step::CopyOut { .. }));
    let mut out = Vec::new();
    while session.copy_out("", &mut out).unwrap().is_none() {}
    session.close_portal("");
    session.sync().unwrap();
    String::from_utf8(out.concat()).unwrap()
}

#[test]
fn copy_goes_in_and_out() {
    let mut session = session();
    tag(&mut session, "DELETE FROM t");
    let tag_in = copy_in(&mut session, "COPY t (a) FROM STDIN", "1\n2\n").unwrap();
    assert_eq!(tag_in, "COPY 2");
    let csv = "COPY t FROM STDIN WITH CSV HEADER DELIMITER AS ';' NULL 'nil' QUOTE '''' \
               FORCE NOT NULL b";
    copy_in(&mut session, csv, "a;b\n3;'x;y'\n4;nil\n").unwrap();
    let filtered = "COPY t (a) FROM STDIN (FORMAT text) WHERE a > 5 AND b = 'none'";
    assert_eq!(copy_in(&mut session, filtered, "5\n6\n").unwrap(), "COPY 1");
    assert_eq!(
        copy_out(&mut session, "COPY t TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE (b))"),
        "a,b\n1,\"none\"\n2,\"none\"\n3,\"x;y\"\n4,\"nil\"\n6,\"none\"\n"
    );
    let bars = "none|1\nnone|2\nx;y|3\nnil|4\nnone|6\n";
    assert_eq!(copy_out(&mut session, "COPY t (b, a) TO STDOUT WITH DELIMITER '|'"), bars);
    let query = "COPY (SELECT a FROM t WHERE a > 3 ORDER BY a DESC) TO STDOUT";
    assert_eq!(copy_out(&mut session, query), "6\n4\n");
    let returning = "COPY (DELETE FROM t WHERE a = 6 RETURNING a) TO STDOUT (FORMAT csv)";
    assert_eq!(copy_out(&mut session, returning), "6\n");
}

#[test]
fn copies_that_cannot_be() {
    let mut session = session();
    tag(&mut session, "CREATE VIEW v AS SELECT 1 AS one");
    tag(&mut session, "CREATE TABLE g (a int, d int GENERATED ALWAYS AS (a * 2) STORED)");
    for (sql, state) in [
        ("COPY nope FROM STDIN", "42P01"),
        ("COPY t (nope) FROM STDIN", "42703"),
        ("COPY t (a, a) FROM STDIN", "42701"),
        ("COPY g (d) FROM STDIN", "42P10"),
        ("COPY v TO STDOUT", "42809"),
        ("COPY v FROM STDIN", "42809"),
        ("COPY (SELECT 1) FROM STDIN", "42601"),
        ("COPY (DELETE FROM t) TO STDOUT", "0A000"),
        ("COPY t FROM STDIN (FORMAT nonsense)", "22023"),
        ("COPY t FROM STDIN (nonsense)", "42601"),
        ("COPY t FROM STDIN (FORMAT csv, FORMAT csv)", "42601"),
        ("COPY t FROM STDIN (HEADER maybe)", "42601"),
        ("COPY t TO STDOUT (HEADER match)", "0A000"),
        ("COPY t FROM STDIN (DELIMITER 'ab')", "0A000"),
        ("COPY t TO STDOUT (FORMAT binary, DELIMITER ',')", "42601"),
        ("COPY t TO STDOUT (FORCE_QUOTE (a))", "0A000"),
        ("COPY t FROM STDIN (FORMAT csv, FORCE_QUOTE (a))", "0A000"),
        ("COPY t (a) TO STDOUT (FORMAT csv, FORCE_QUOTE (b))", "42P10"),
        ("COPY t FROM STDIN (ENCODING 'latin1')", "0A000"),
        ("COPY t FROM STDIN WHERE a IN (SELECT 1)", "0A000"),
        ("COPY t FROM '/tmp/file'", "0A000"),
        ("COPY t FROM PROGRAM 'cat'", "0A000"),
    ] {
        assert_eq!(error(&mut session, sql).0, state, "{sql}");
    }
}
