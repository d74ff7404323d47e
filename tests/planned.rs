//! The searches that matter are planned, not scanned: EXPLAIN says so, and EXPLAIN ANALYZE counts
//! the rows that were touched.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use cairn_query::{Database, Session};
use cairn_tests::host;

const BUSINESSES: usize = 20_000;

const SCHEMA: &str = "
CREATE TABLE links (id bigint PRIMARY KEY, code varchar(10) UNIQUE NOT NULL, target text NOT NULL,
  expires_at timestamptz);
INSERT INTO links SELECT g, 'c' || g, 'https://example.org/' || g FROM generate_series(1, 2000) g;
CREATE TABLE businesses (id bigint PRIMARY KEY, name text NOT NULL, category text, price int,
  geog geography(Point,4326) NOT NULL,
  doc tsvector GENERATED ALWAYS AS (to_tsvector('english', name || ' ' || category)) STORED);
CREATE INDEX businesses_geo ON businesses USING gist (geog);
CREATE INDEX businesses_doc ON businesses USING gin (doc);";

/// Twenty towns, each with a thousand businesses within some kilometres. Of every
/// town, a tenth sells noodles.
const FILL: &str = "
INSERT INTO businesses (id, name, category, price, geog)
SELECT g, CASE WHEN g / 20 % 10 = 0 THEN 'noodle house ' ELSE 'corner shop ' END || g,
  (ARRAY['chinese', 'italian', 'thai'])[g / 20 % 3 + 1], g / 20 % 4 + 1,
  ST_MakePoint(-120 + g % 20 * 2 + (g / 20 % 32) * 0.003, 30 + g % 20 + (g / 640) * 0.003)::geography
FROM generate_series(1, 20000) g;
ANALYZE;";

/// The middle of one of the towns.
const HERE: &str = "ST_MakePoint(-99.95, 40.05)::geography";

fn filled() -> (Database, Session) {
    let database = Database::in_memory().unwrap();
    let mut session = database.connect("cairn", "cairn").unwrap();
    session.execute(SCHEMA).unwrap();
    session.execute(FILL).unwrap();
    (database, session)
}

fn explain(session: &mut Session, options: &str, sql: &str) -> String {
    let rows = session.query(&format!("EXPLAIN ({options}) {sql}"), &[]).unwrap();
    let lines = rows.iter().map(|row| row[0].as_str().unwrap().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The largest number of rows that a node of the executed plan answered or threw away.
fn rows_touched(session: &mut Session, sql: &str) -> u64 {
    let plan = explain(session, "ANALYZE, COSTS OFF", sql);
    let answered = plan.split("actual ").skip(1).filter_map(|part| number_after(part, "rows="));
    let removed = plan.lines().filter(|line| line.contains("Rows Removed"));
    let removed = removed.filter_map(|line| number_after(line, ": "));
    answered.chain(removed).max().unwrap_or_else(|| panic!("no counts in\n{plan}"))
}

fn number_after(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// A plan that uses an index and scans no table.
fn assert_uses(session: &mut Session, sql: &str, index: &str) {
    let plan = explain(session, "COSTS OFF", sql);
    assert!(plan.contains(index), "{sql}\nshould use {index}:\n{plan}");
    assert!(!plan.contains("Seq Scan"), "{sql}\nshould not scan:\n{plan}");
}

#[test]
fn searches_use_their_indexes_and_touch_few_rows() {
    let (database, mut session) = filled();
    let session = &mut session;
    redirect(session);
    places(session);
    words(session);
    everything_at_once(session);
    host::check(&database);
}

/// One key lookup.
fn redirect(session: &mut Session) {
    let sql = "SELECT target FROM links
        WHERE code = 'c77' AND (expires_at IS NULL OR expires_at > now())";
    assert_uses(session, sql, "Index Scan using links_code_key on links");
    assert_eq!(rows_touched(session, sql), 1);
    let by_id = "SELECT target FROM links WHERE id = 77";
    assert_uses(session, by_id, "Index Scan using links_pkey on links");
    assert_eq!(rows_touched(session, by_id), 1);
}

/// Radius, nearest neighbours and the viewport walk the R-tree.
fn places(session: &mut Session) {
    let radius = format!("SELECT id FROM businesses WHERE ST_DWithin(geog, {HERE}, 500)");
    assert_uses(session, &radius, "businesses_geo");
    assert!(rows_touched(session, &radius) < 100);
    let nearest = format!("SELECT id FROM businesses ORDER BY geog <-> {HERE} LIMIT 10");
    assert_uses(session, &nearest, "businesses_geo");
    assert!(rows_touched(session, &nearest) < 100);
    let viewport = "SELECT id FROM businesses
        WHERE geog && ST_MakeEnvelope(-99.96, 40.04, -99.94, 40.06, 4326)::geography";
    assert_uses(session, viewport, "businesses_geo");
    assert!(rows_touched(session, viewport) < 100);
}

/// Words read the full-text index.
fn words(session: &mut Session) {
    let rare = "SELECT id FROM businesses WHERE doc @@ websearch_to_tsquery('english', '1230')";
    assert_uses(session, rare, "businesses_doc");
    assert_eq!(rows_touched(session, rare), 1);
    let none = "SELECT id FROM businesses WHERE doc @@ to_tsquery('english', 'zebra & noodle')";
    assert_uses(session, none, "businesses_doc");
    assert_eq!(rows_touched(session, none), 0);
}

/// Radius, words and a filter, best first: hundreds of rows, not all.
fn everything_at_once(session: &mut Session) {
    let sql = format!(
        "SELECT b.id, ST_Distance(b.geog, {HERE}) AS m
         FROM businesses b, websearch_to_tsquery('english', 'noodles') q
         WHERE ST_DWithin(b.geog, {HERE}, 3000) AND b.doc @@ q AND b.price <= 2
         ORDER BY ts_rank(b.doc, q) - ST_Distance(b.geog, {HERE}) / 5000 DESC, b.id LIMIT 20"
    );
    let touched = rows_touched(session, &sql);
    assert!(touched < 2_000, "touched {touched} of {BUSINESSES} rows");
    let found = ids(session, &sql);
    assert!(!found.is_empty());
    assert_eq!(found, by_scan(session, &sql));
}

fn ids(session: &mut Session, sql: &str) -> Vec<i64> {
    let rows = session.query(sql, &[]).unwrap();
    rows.iter().map(|row| row[0].as_i64().unwrap()).collect()
}

/// The same rows, found without indexes.
fn by_scan(session: &mut Session, sql: &str) -> Vec<i64> {
    session.execute("BEGIN").unwrap();
    for setting in ["enable_indexscan", "enable_bitmapscan"] {
        session.execute(&format!("SET LOCAL {setting} = off")).unwrap();
    }
    let found = ids(session, sql);
    session.execute("ROLLBACK").unwrap();
    found
}
