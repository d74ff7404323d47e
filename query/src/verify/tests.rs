//! Damage done below SQL is found, and what SQL did is found to be right.

use cairn_engine::{Direction, KeyRange, Space, keyspace};

use crate::catalog::{IndexDef, TableDef};
use crate::database::Database;
use crate::define::garbage::space;

const SCHEMA: &str = "
    CREATE TABLE places (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL CHECK (length(name) > 0),
        city text,
        rating numeric(3,1),
        at geography(Point,4326),
        words tsvector GENERATED ALWAYS AS (to_tsvector('english', name)) STORED
    );
    CREATE UNIQUE INDEX places_name ON places (lower(name));
    CREATE INDEX places_city ON places (city DESC NULLS LAST, rating) WHERE rating > 1;
    CREATE INDEX places_words ON places USING gin (words);
    CREATE INDEX places_at ON places USING gist (at);
    CREATE TABLE reviews (
        place_id bigint REFERENCES places(id) ON DELETE CASCADE,
        stars int CHECK (stars BETWEEN 1 AND 5),
        body text
    );
    CREATE INDEX ON reviews (place_id);
    INSERT INTO places (name, city, rating, at)
    SELECT 'Place ' || n, CASE WHEN n % 7 > 0 THEN 'City ' || n % 7 END, n % 5,
           ST_MakePoint(n % 180, n % 90)::geography
    FROM generate_series(1, 50) AS n;
    INSERT INTO reviews SELECT n % 50 + 1, n % 5 + 1, 'text' FROM generate_series(1, 120) AS n;
    UPDATE places SET rating = rating + 1, city = NULL WHERE id % 3 = 0;
    DELETE FROM places WHERE id % 10 = 0;
";

fn filled() -> Database {
    let database = Database::in_memory().unwrap();
    database.connect("cairn", "cairn").unwrap().execute(SCHEMA).unwrap();
    database
}

fn table(database: &Database, name: &str) -> std::sync::Arc<TableDef> {
    let catalog = database.shared.catalogs.current("cairn").unwrap();
    catalog.tables.values().find(|table| table.name == name).cloned().unwrap()
}

fn index(database: &Database, table_name: &str, name: &str) -> std::sync::Arc<IndexDef> {
    let table = table(database, table_name);
    table.indexes.iter().find(|index| index.name == name).cloned().unwrap()
}

fn keys(database: &Database, prefix: &[u8]) -> Vec<cairn_engine::Bytes> {
    let range = KeyRange::prefix(prefix);
    let scan = database.engine().snapshot().scan(&range, Direction::Forward).unwrap();
    scan.map(|entry| entry.unwrap().0).collect()
}

fn index_keys(database: &Database, index: &IndexDef) -> Vec<cairn_engine::Bytes> {
    keys(database, &keyspace::prefix(space(index.method), index.storage()))
}

fn findings(database: &Database) -> Vec<String> {
    database.verify().unwrap().findings
}

/// Removes a stored key behind SQL's back.
fn lose(database: &Database, key: &[u8]) {
    let ts = database.engine().write_now(key, None).unwrap();
    database.engine().wait_durable(ts).unwrap();
}

#[test]
fn what_sql_did_is_right() {
    let database = filled();
    let result = database.verify().unwrap();
    assert_eq!(result.findings, [""; 0]);
    assert_eq!((result.table_count, result.row_count), (2, 45 + 108));
    assert!(result.entry_count > 45 * 3);
}

#[test]
fn a_lost_entry_is_named_in_every_kind_of_index() {
    for (table, name) in [
        ("places", "places_name"),
        ("places", "places_city"),
        ("places", "places_words"),
        ("places", "places_at"),
        ("reviews", "reviews_place_id_idx"),
    ] {
        let database = filled();
        let index = index(&database, table, name);
        lose(&database, &index_keys(&database, &index)[3]);
        let found = findings(&database);
        let expected =
            format!("database cairn table public.{table}: index {name}: no entry for row");
        assert!(found.len() == 1 && found[0].starts_with(&expected), "{name}: {found:?}");
    }
}

#[test]
fn an_entry_too_many_is_named() {
    let database = filled();
    let places = table(&database, "places");
    let rows = keys(&database, &keyspace::prefix(Space::Row, places.storage()));
    lose(&database, &rows[7]);
    let found = findings(&database);
    for name in ["places_name", "places_words", "places_at"] {
        let is_named = |line: &String| line.contains(name) && line.contains("has no row");
        assert!(found.iter().any(is_named), "{name}: {found:?}");
    }
    let refers =
        |line: &String| line.contains("foreign key reviews_place_id_fkey refers to no row");
    assert!(found.iter().any(refers), "{found:?}");
}

#[test]
fn an_entry_of_another_row_is_named() {
    let database = filled();
    let index = index(&database, "places", "places_name");
    let entries = index_keys(&database, &index);
    let other = database.engine().snapshot().get(&entries[1]).unwrap().unwrap();
    let ts = database.engine().write_now(&entries[0], Some(&other)).unwrap();
    database.engine().wait_durable(ts).unwrap();
    let found = findings(&database);
    assert!(found.iter().any(|line| line.contains("is another's")), "{found:?}");
    assert!(found.iter().any(|line| line.contains("is not what row")), "{found:?}");
}

/// Writes a row behind SQL's back: its stored bytes are those of another table's.
fn overwrite(database: &Database, values: &[crate::value::Value]) {
    let reviews = table(database, "reviews");
    let row = keys(database, &keyspace::prefix(Space::Row, reviews.storage()))[0].clone();
    let stored = crate::value::row::encode(values).unwrap();
    let ts = database.engine().write_now(&row, Some(&stored)).unwrap();
    database.engine().wait_durable(ts).unwrap();
}

#[test]
fn broken_promises_are_named() {
    use crate::value::Value;
    let database = filled();
    let mut session = database.connect("cairn", "cairn").unwrap();
    session.execute("ALTER TABLE reviews ALTER body SET NOT NULL").unwrap();
    overwrite(&database, &[Value::Int8(2), Value::Int4(9), Value::Null]);
    let found = findings(&database);
    for what in ["CHECK reviews_stars_check does not hold", "column body is NULL"] {
        assert!(found.iter().any(|line| line.contains(what)), "{what}: {found:?}");
    }
    let reviews = table(&database, "reviews");
    let row = keys(&database, &keyspace::prefix(Space::Row, reviews.storage()))[0].clone();
    let ts = database.engine().write_now(&row, Some(b"\xff\xff\xff")).unwrap();
    database.engine().wait_durable(ts).unwrap();
    let found = findings(&database);
    assert!(found.iter().any(|line| line.contains("table public.reviews: row 0x")), "{found:?}");
}

#[test]
fn what_was_never_promised_is_no_finding() {
    let database = Database::in_memory().unwrap();
    let mut session = database.connect("cairn", "cairn").unwrap();
    session
        .execute(
            "CREATE TABLE t (a int, at timestamptz CHECK (at <= now() + interval '1 year'));
             INSERT INTO t VALUES (-1, now());
             ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;",
        )
        .unwrap();
    assert_eq!(findings(&database), [""; 0]);
    assert!(session.execute("ALTER TABLE t VALIDATE CONSTRAINT positive").is_err());
    session.execute("UPDATE t SET a = 1; ALTER TABLE t VALIDATE CONSTRAINT positive").unwrap();
    assert_eq!(findings(&database), [""; 0]);
}

#[test]
fn rows_with_one_deferrable_key_are_named() {
    let database = Database::in_memory().unwrap();
    let mut session = database.connect("cairn", "cairn").unwrap();
    let schema = "CREATE TABLE spots (n int CONSTRAINT once UNIQUE DEFERRABLE INITIALLY DEFERRED);
                  INSERT INTO spots VALUES (7), (8), (NULL), (NULL);";
    session.execute(schema).unwrap();
    assert_eq!(findings(&database), [""; 0]);
    // The first row once more under another number, with the entry that it implies.
    let spots = table(&database, "spots");
    let prefix = keyspace::prefix(Space::Row, spots.storage());
    let row = keys(&database, &prefix)[0].clone();
    let entry = index_keys(&database, &index(&database, "spots", "once"))[0].clone();
    let stored = database.engine().snapshot().get(&row).unwrap().unwrap();
    let number = 77_u64.to_be_bytes();
    let address = [&prefix[..], &number].concat();
    let own_entry = [&entry[..entry.len() - number.len()], &number].concat();
    database.engine().write_now(&address, Some(&stored)).unwrap();
    let ts = database.engine().write_now(&own_entry, Some(&number)).unwrap();
    database.engine().wait_durable(ts).unwrap();
    let found = findings(&database);
    let expected = "database cairn table public.spots: \
                    index once: row number 77 has another row's key";
    assert_eq!(found, [expected]);
}

#[test]
fn rows_that_have_expired_are_no_finding() {
    let database = Database::in_memory().unwrap();
    let mut session = database.connect("cairn", "cairn").unwrap();
    let schema = "CREATE TABLE p (id int PRIMARY KEY);
                  CREATE TABLE s (n int UNIQUE DEFERRABLE, p int REFERENCES p, until timestamptz,
                                  body text) WITH (ttl_expiration_column = 'until');
                  CREATE INDEX ON s USING gin (to_tsvector('english', body));
                  INSERT INTO p VALUES (1);
                  INSERT INTO s VALUES (1, 1, now(), 'one'), (2, NULL, NULL, 'one two');
                  DELETE FROM p;";
    session.execute(schema).unwrap();
    let search =
        "SELECT n FROM s WHERE to_tsvector('english', body) @@ to_tsquery('english', 'one')";
    assert_eq!(session.query(search, &[]).unwrap().len(), 1);
    assert_eq!(findings(&database), [""; 0]);
    let s = table(&database, "s");
    let stored = || keys(&database, &keyspace::prefix(Space::Row, s.storage())).len();
    assert_eq!(stored(), 2);
    session.execute("VACUUM").unwrap();
    assert_eq!(stored(), 1);
    assert_eq!(findings(&database), [""; 0]);
}
