//! What a dump says comes back, and says the same again.

use crate::database::Database;

fn dump(database: &Database, name: &str) -> String {
    let mut out = Vec::new();
    database.dump(name, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Dumps a database made by `sql`, loads the dump, and compares the dump of that.
fn round_trip(sql: &str) -> String {
    let database = Database::in_memory().unwrap();
    database.connect("cairn", "cairn").unwrap().execute(sql).unwrap();
    let first = dump(&database, "cairn");
    let other = Database::in_memory().unwrap();
    if let Err(failed) = other.restore("again", first.as_bytes()) {
        panic!("line {}: {}\n{first}", failed.line, failed.error);
    }
    assert_eq!(dump(&other, "again"), first);
    assert_eq!(other.verify().unwrap().findings, [""; 0]);
    first
}

#[test]
fn every_kind_of_definition_comes_back() {
    let dump = round_trip(include_str!("../../testdata/dump/definitions.sql"));
    for part in [
        "CREATE EXTENSION IF NOT EXISTS postgis",
        "CREATE SCHEMA \"Odd Schema\"",
        "CREATE TYPE public.mood AS ENUM",
        "CREATE TYPE public.address AS (",
        "home public.address,",
        "mail public.email,",
        "amount public.positive,",
        "span interval day to second(3)",
        "ADD GENERATED ALWAYS AS IDENTITY",
        "SEQUENCE NAME public.own_numbers",
        "SELECT pg_catalog.setval('public.own_numbers', 25, true)",
        "CREATE UNIQUE INDEX counted_mood ON public.counted",
        "COMMENT ON INDEX public.counted_mood IS",
        "SELECT pg_catalog.setval('public.people_id_seq', 3, true)",
        "FOREIGN KEY",
        "CREATE VIEW public.happy",
        "COMMENT ON COLUMN public.people.name IS 'it''s a name'",
    ] {
        assert!(dump.contains(part), "{part}\n{dump}");
    }
}

#[test]
fn every_type_of_value_comes_back() {
    let dump = round_trip(include_str!("../../testdata/dump/values.sql"));
    assert!(dump.contains("\\N"), "{dump}");
}

#[test]
fn an_empty_database_has_a_dump() {
    let dump = round_trip("SELECT 1");
    assert!(!dump.contains("CREATE"), "{dump}");
}

#[test]
fn a_missing_database_is_an_error() {
    let database = Database::in_memory().unwrap();
    let error = database.dump("nowhere", &mut Vec::new()).unwrap_err();
    assert_eq!(error.state(), crate::error::SqlState::INVALID_CATALOG_NAME);
}

#[test]
fn what_was_renamed_comes_back() {
    let dump = round_trip(
        "CREATE TABLE t (id serial PRIMARY KEY, a int CHECK (t.a > 0));
         CREATE TABLE u (id int, a int);
         CREATE VIEW v AS SELECT a, a + 1 AS more FROM t WHERE a > 1;
         CREATE VIEW w AS SELECT x.a, v.more FROM (SELECT a FROM t) x JOIN v USING (a);
         CREATE VIEW n AS SELECT * FROM t NATURAL JOIN u;
         ALTER TABLE t RENAME a TO b;
         ALTER TABLE t RENAME TO \"T two\";
         ALTER SEQUENCE t_id_seq RENAME TO numbers;
         ALTER TABLE v RENAME TO first;
         ALTER TABLE first RENAME a TO c;
         INSERT INTO \"T two\" (b) VALUES (2), (3);
         SELECT * FROM w, n",
    );
    for part in [
        "nextval('public.numbers'::regclass)",
        "CREATE VIEW public.first (c, more) AS\n \
         SELECT t.b AS a, t.b + 1 AS more FROM public.\"T two\" t WHERE t.b > 1;",
        "FROM (SELECT t.b AS a FROM public.\"T two\" t) x JOIN public.first v(a) USING (a);",
        "FROM public.\"T two\" t(id, a) NATURAL JOIN public.u;",
    ] {
        assert!(dump.contains(part), "{part}\n{dump}");
    }
}

#[test]
fn definitions_come_behind_what_they_need() {
    let dump = round_trip(
        "CREATE TABLE base (n int);
         INSERT INTO base VALUES (1), (3);
         CREATE VIEW shown AS SELECT n FROM base WHERE n > 0;
         CREATE FUNCTION highest() RETURNS int LANGUAGE sql AS 'SELECT max(n) FROM shown';
         CREATE FUNCTION double(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
         CREATE FUNCTION fourfold(n int) RETURNS int LANGUAGE sql IMMUTABLE
             AS 'SELECT double(double(n))';
         CREATE DOMAIN small AS int CHECK (double(VALUE) < 100);
         CREATE TYPE pair AS (a small, b int);
         CREATE TABLE a (n small DEFAULT highest(), m int GENERATED ALWAYS AS (fourfold(n)) STORED);
         INSERT INTO a DEFAULT VALUES;
         CREATE VIEW counted AS SELECT highest() AS top, count(*) FROM a;
         CREATE MATERIALIZED VIEW kept AS SELECT * FROM counted;
         CREATE MATERIALIZED VIEW first AS SELECT top FROM kept;
         CREATE FUNCTION once(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n';
         CREATE OR REPLACE FUNCTION double(n int) RETURNS int LANGUAGE sql IMMUTABLE
             AS 'SELECT once(n) * 2'",
    );
    let place = |part: &str| dump.find(part).unwrap_or_else(|| panic!("{part}\n{dump}"));
    let refresh = |name: &str| place(&format!("REFRESH MATERIALIZED VIEW public.{name};"));
    assert!(refresh("kept") < refresh("first"), "{dump}");
    assert!(place("CREATE VIEW public.counted") < place("COPY public.a"), "{dump}");
}

#[test]
fn rows_that_expire_do_so_again() {
    let dump = round_trip(
        "CREATE TABLE s (id int PRIMARY KEY, until date) WITH (ttl_expiration_column = until);
         INSERT INTO s VALUES (1, NULL), (2, '2000-01-01')",
    );
    assert!(dump.contains("\nWITH (ttl_expiration_column='until');"), "{dump}");
    assert!(dump.contains("\n1\t\\N\n\\.\n"), "{dump}");
}
