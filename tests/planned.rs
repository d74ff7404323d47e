//! The searches that matter are planned, not scanned: EXPLAIN says so, and EXPLAIN ANALYZE counts
//! the rows that were touched, which without the indexes are all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use cairn_query::{Database, Session};
use cairn_tests::host;

const BUSINESSES: u64 = 200_000;
const LINKS: u64 = 2_000;
const POSTS: u64 = 2_000;

const SCHEMA: &str = "
CREATE TABLE links (id bigint PRIMARY KEY, code varchar(10) UNIQUE NOT NULL, target text NOT NULL,
  expires_at timestamptz);
INSERT INTO links SELECT g, 'c' || g, 'https://example.org/' || g FROM generate_series(1, 2000) g;
CREATE TABLE businesses (id bigint PRIMARY KEY, name text NOT NULL, category text, price int,
  geog geography(Point,4326) NOT NULL,
  doc tsvector GENERATED ALWAYS AS (to_tsvector('english', name || ' ' || category)) STORED);
CREATE INDEX businesses_geo ON businesses USING gist (geog);
CREATE INDEX businesses_doc ON businesses USING gin (doc);
CREATE TABLE posts (id bigint PRIMARY KEY, tags text[], doc jsonb, title text);
CREATE INDEX posts_tags ON posts USING gin (tags);
CREATE INDEX posts_doc ON posts USING gin (doc);
CREATE INDEX posts_title ON posts USING gin (title gin_trgm_ops);
INSERT INTO posts SELECT g, ARRAY['t' || g % 500, 'all'], jsonb_build_object('n', g),
  'title ' || g FROM generate_series(1, 2000) g;";

/// Twenty towns, each with ten thousand businesses within a hundred kilometres. Of every town, a
/// tenth sells noodles.
const FILL: &str = "
INSERT INTO businesses (id, name, category, price, geog)
SELECT g, CASE WHEN g / 20 % 10 = 0 THEN 'noodle house ' ELSE 'corner shop ' END || g,
  (ARRAY['chinese', 'italian', 'thai'])[g / 20 % 3 + 1], g / 20 % 4 + 1,
  ST_MakePoint(-120 + g % 20 * 2 + (g / 20 % 32) * 0.003, 30 + g % 20 + (g / 640) * 0.003)::geography
FROM generate_series(1, 200000) g;
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

/// The rows of tables that an execution read: what scans gave and what they threw away.
fn rows_touched(session: &mut Session, sql: &str) -> u64 {
    let plan = explain(session, "ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF", sql);
    let scans = plan.split("->").filter(|node| node.contains(" Scan") && node.contains(" on "));
    let touched = scans.map(|scan| {
        let answered = number_after(scan, "actual rows=").unwrap_or_default();
        let loops = number_after(scan, "loops=").unwrap_or_default();
        let removed = scan.lines().filter(|line| line.contains("Rows Removed by"));
        let removed: u64 = removed.filter_map(|line| number_after(line, ": ")).sum();
        (answered + removed) * loops
    });
    touched.reduce(|sum, scan| sum + scan).unwrap_or_else(|| panic!("no scan in\n{plan}"))
}

/// Asserts that a search reads at most `limit` rows, and that without indexes it would read all
/// `rows` of the table.
fn assert_touches(session: &mut Session, sql: &str, limit: u64, rows: u64) {
    let touched = rows_touched(session, sql);
    assert!(touched <= limit, "{sql}\ntouched {touched} rows");
    session.execute("BEGIN; SET LOCAL enable_indexscan = off").unwrap();
    assert_eq!(rows_touched(session, sql), rows, "{sql}\nby a scan");
    session.execute("ROLLBACK").unwrap();
}

fn first_column(session: &mut Session, sql: &str) -> Vec<String> {
    let rows = session.query(sql, &[]).unwrap();
    rows.iter().map(|row| format!("{:?}", row[0])).collect()
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
    terms(session);
    everything_at_once(session);
    host::check(&database);
}

/// One key lookup.
fn redirect(session: &mut Session) {
    let sql = "SELECT target FROM links
        WHERE code = 'c77' AND (expires_at IS NULL OR expires_at > now())";
    assert_uses(session, sql, "Index Scan using links_code_key on links");
    assert_touches(session, sql, 1, LINKS);
    let by_id = "SELECT target FROM links WHERE id = 77";
    assert_uses(session, by_id, "Index Scan using links_pkey on links");
    assert_touches(session, by_id, 1, LINKS);
}

/// Radius, nearest neighbours and the viewport walk the R-tree.
fn places(session: &mut Session) {
    let radius =
        format!("SELECT id FROM businesses WHERE ST_DWithin(geog, {HERE}, 500) ORDER BY id");
    assert_uses(session, &radius, "Index Scan using businesses_geo on businesses");
    assert_touches(session, &radius, 100, BUSINESSES);
    let nearest = format!("SELECT id FROM businesses ORDER BY geog <-> {HERE} LIMIT 10");
    assert_uses(session, &nearest, "Index Scan using businesses_geo on businesses");
    assert_touches(session, &nearest, 100, BUSINESSES);
    let viewport = "SELECT id FROM businesses
        WHERE geog && ST_MakeEnvelope(-99.96, 40.04, -99.94, 40.06, 4326)::geography ORDER BY id";
    assert_uses(session, viewport, "Index Scan using businesses_geo on businesses");
    assert_touches(session, viewport, 100, BUSINESSES);
}

/// Words read the full-text index.
fn words(session: &mut Session) {
    let rare = "SELECT id FROM businesses WHERE doc @@ websearch_to_tsquery('english', '1230')";
    assert_uses(session, rare, "Index Scan using businesses_doc on businesses");
    assert_touches(session, rare, 1, BUSINESSES);
    let none = "SELECT id FROM businesses WHERE doc @@ to_tsquery('english', 'zebra & noodle')";
    assert_uses(session, none, "Index Scan using businesses_doc on businesses");
    assert_touches(session, none, 0, BUSINESSES);
}

/// What arrays, documents and texts hold is found through inverted indexes.
fn terms(session: &mut Session) {
    let by_tags = "SELECT id FROM posts WHERE tags @> '{t77,all}'";
    assert_uses(session, by_tags, "Index Scan using posts_tags on posts");
    assert_touches(session, by_tags, 4, POSTS);
    let by_document = "SELECT id FROM posts WHERE doc @> '{\"n\": 77}'";
    assert_uses(session, by_document, "Index Scan using posts_doc on posts");
    assert_touches(session, by_document, 1, POSTS);
    let by_pattern = "SELECT id FROM posts WHERE title ILIKE '%TLE 1234%'";
    assert_uses(session, by_pattern, "Index Scan using posts_title on posts");
    assert_touches(session, by_pattern, 20, POSTS);
}

/// Radius, words and a filter, best first: hundreds of rows, not all.
fn everything_at_once(session: &mut Session) {
    let sql = format!(
        "SELECT b.id, ST_Distance(b.geog, {HERE}) AS m
         FROM businesses b, websearch_to_tsquery('english', 'noodles') q
         WHERE ST_DWithin(b.geog, {HERE}, 3000) AND b.doc @@ q AND b.price <= 2
         ORDER BY ts_rank(b.doc, q) - ST_Distance(b.geog, {HERE}) / 5000 DESC, b.id LIMIT 20"
    );
    assert_uses(session, &sql, "Index Scan using businesses_geo on businesses");
    assert_touches(session, &sql, 999, BUSINESSES);
    let found = first_column(session, &sql);
    assert!(!found.is_empty());
    session.execute("BEGIN; SET LOCAL enable_indexscan = off").unwrap();
    assert_eq!(found, first_column(session, &sql), "by a scan");
    session.execute("ROLLBACK").unwrap();
}
