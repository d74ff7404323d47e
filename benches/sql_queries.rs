//! What a statement costs in process, from text or prepared to rows: by key, by radius, by words.

use cairn_query::value::Value;
use cairn_query::{Database, Session};
use criterion::{Criterion, criterion_group, criterion_main};

const ROWS: i32 = 20_000;

/// Places on a grid of a hundredth of a degree; every hundredth is a harbour.
const PLACES: &str = "
CREATE TABLE places (id int PRIMARY KEY, name text, price int, spot geography(Point, 4326),
  doc tsvector GENERATED ALWAYS AS (to_tsvector('english', name)) STORED);
CREATE INDEX ON places USING gist (spot);
CREATE INDEX ON places USING gin (doc);
INSERT INTO places (id, name, price, spot)
  SELECT n, CASE n % 100 WHEN 0 THEN 'harbour ' ELSE 'noodle bar ' END || n, n % 4,
    ST_MakePoint(n % 200 / 100.0, n / 200 / 100.0)::geography FROM generate_series(1, 20000) n;
ANALYZE places;";

const BY_KEY: &str = "SELECT name, price FROM places WHERE id = $1";
const BY_RADIUS: &str = "SELECT id FROM places
  WHERE ST_DWithin(spot, ST_MakePoint($1, $2)::geography, 3000)";
const BY_WORDS: &str = "SELECT id FROM places
  WHERE doc @@ websearch_to_tsquery('english', 'harbours') LIMIT 10";

fn session() -> Session {
    let database = Database::in_memory().expect("a database in memory");
    let mut session = database.connect("cairn", "cairn").expect("the superuser may connect");
    session.execute(PLACES).expect("a table of places");
    session
}

/// Runs a statement that must find `expected` rows.
fn find(session: &mut Session, sql: &str, parameters: &[Value], expected: usize) {
    let rows = session.query(sql, parameters).expect("a query that works");
    assert_eq!(rows.len(), expected, "{sql}");
}

fn queries(criterion: &mut Criterion) {
    let mut session = session();
    let mut id = 0;
    let mut next = move || {
        id = (id + 6_181) % ROWS;
        id + 1
    };
    criterion.bench_function("point query/parameters", |bencher| {
        bencher.iter(|| find(&mut session, BY_KEY, &[Value::Int4(next())], 1));
    });
    criterion.bench_function("point query/text", |bencher| {
        bencher.iter(|| {
            let sql = format!("SELECT name, price FROM places WHERE id = {}", next());
            find(&mut session, &sql, &[], 1);
        });
    });
    criterion.bench_function("radius query", |bencher| {
        let center = [Value::Float8(1.0), Value::Float8(0.5)];
        bencher.iter(|| find(&mut session, BY_RADIUS, &center, 21));
    });
    criterion.bench_function("text query", |bencher| {
        bencher.iter(|| find(&mut session, BY_WORDS, &[], 10));
    });
}

criterion_group!(benches, queries);
criterion_main!(benches);
