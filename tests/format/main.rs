//! The format on disk: `v1` is a data directory of format version 1 that every later version opens,
//! and `docs/FORMAT.md` says what is in it byte by byte, which a reader of its own proves.
//!
//! The directory was left as a crash would leave it, with commits in the log that no sstable has.
//! It was made once, by `cargo test --test format -- --ignored make_v1`, and is never made anew: a
//! change after which a test here fails is a change of the format.

mod reader;
mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cairn_engine::{Db, Direction, Env, KeyRange, Options};
use cairn_query::{Database, Session};

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE kinds (
        id int PRIMARY KEY, yes bool, small smallint, large bigint, single real, double float8,
        exact numeric, words text, padded character(4), raw bytea, day date, clock time,
        zoned timetz, moment timestamp, instant timestamptz, span interval, name uuid, doc jsonb,
        list int[], bounds int4range, lexemes tsvector, query tsquery, place geometry, state mood);
    CREATE TABLE huts (
        id serial PRIMARY KEY, name text UNIQUE, notes text, place geography(Point, 4326));
    CREATE INDEX ON huts USING gist (place);
    CREATE INDEX ON huts USING gin (to_tsvector('english', notes));
    CREATE TABLE counters (n bigint);
    CREATE TABLE gone (id int PRIMARY KEY);
    INSERT INTO gone SELECT generate_series(1, 50);";

const KINDS: &str = "INSERT INTO kinds VALUES (
    1, true, -300, 10000000000, 1.5, -0.25, -12345678901234567890.0625, 'grüße', 'ab',
    '\\x00ff', '2024-02-29', '12:34:56.789', '01:02:03+04', '1999-12-31 23:59:59',
    '2001-01-01 00:00:00+00', '1 year 2 days 3 seconds', '00112233-4455-6677-8899-aabbccddeeff',
    '{\"a\": [1, 2.50, null]}', '{7,NULL,9}', '[3,8)', 'fat:2A cat', 'fat & !rat',
    'SRID=4326;POINT(1 2)', 'glad'),
    (2, NULL, NULL, NULL, NULL, NULL, 'NaN', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)";

/// The first row of `kinds`, as section 9 of the page has it.
const KINDS_VALUES: [&str; 24] = [
    "1",
    "true",
    "-300",
    "10000000000",
    "1.5",
    "-0.25",
    "-123456789012345678900625e-4",
    "grüße",
    "ab  ",
    "00ff",
    "8825",
    "45296789000",
    "3723000000 -14400",
    "-1000000",
    "31622400000000",
    "12 2 3000000",
    "00112233445566778899aabbccddeeff",
    "{\"a\": [1, 2.50, null]}",
    "\"Int4\" 3@1 7,NULL,9",
    "\"Int4\" [0, 1, 0] 3 8",
    "cat: fat:2A",
    "'fat' & !'rat'",
    "4326 1 2",
    "131072 glad",
];

/// Who opens the directory has it alone.
static TURN: Mutex<()> = Mutex::new(());

fn v1() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("format/v1")
}

fn options() -> Options {
    Options {
        memtable_len_max: 32 << 10,
        delta_len_max: 4 << 10,
        wal_allocation_len: 4 << 10,
        background_thread_count: 0,
        ..Options::default()
    }
}

/// Opens the directory without changing it.
fn open() -> Database {
    Database::open_existing(Env::read_only(), &v1(), options()).expect("format version 1 opens")
}

fn one(session: &mut Session, sql: &str) -> String {
    let rows = session.query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_page_describes_what_cairn_reads() {
    let contents = reader::read(&v1()).expect("docs/FORMAT.md is whole");
    assert!(!contents.is_closed && contents.commits > 10, "the log has something to say");
    assert!(contents.sstable_entries > 1000 && contents.compressed_entries > 500);
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let db = Db::open_existing(Env::read_only(), &v1(), options()).unwrap();
    let snapshot = db.snapshot();
    let scan = snapshot.scan(&KeyRange::all(), Direction::Forward).unwrap();
    let cairn: BTreeMap<Vec<u8>, Vec<u8>> =
        scan.map(|row| row.unwrap()).map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
    let live = contents.live();
    assert_eq!(live.len(), cairn.len());
    for ((key, value), (cairn_key, cairn_value)) in live.iter().zip(&cairn) {
        assert_eq!((key, value), (cairn_key, cairn_value));
    }
    let newest = contents.newest.values().map(|(ts, _)| *ts).max().unwrap();
    assert_eq!(newest, db.durable_timestamp().0);
}

#[test]
fn the_page_describes_rows() {
    let live = reader::read(&v1()).unwrap().live();
    // 10: a table's definition says what its rows' keys begin with.
    let storage = |table: &str| {
        let name = format!("\"name\":\"{table}\"");
        let mut definitions = live.iter().filter(|(key, _)| key.starts_with(&[1, b'c']));
        let definition = definitions.find_map(|(key, value)| {
            let text = std::str::from_utf8(value).unwrap();
            (key[6] == 2 && text.contains(&name)).then_some(text)
        });
        let (_, rest) = definition.unwrap().rsplit_once("\"storage\":").unwrap();
        rest.split(|other: char| !other.is_ascii_digit()).next().unwrap().parse::<u32>().unwrap()
    };
    let prefix = [&[2][..], &storage("kinds").to_be_bytes()].concat();
    let rows: Vec<_> = live.iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
    // 8: the key of an integer is 12, then its bytes with the sign flipped.
    assert_eq!(rows[0].0[5..], [0x12, 0x80, 0, 0, 1]);
    assert_eq!(rows::values(rows[0].1).unwrap(), KINDS_VALUES);
    let nulls = rows::values(rows[1].1).unwrap();
    assert_eq!(nulls.iter().filter(|value| *value == "NULL").count(), 22);
    assert_eq!(nulls[6], "NaN");
    assert_eq!(rows.len(), 2);
    // Rows without a primary key are numbered.
    let prefix = [&[2][..], &storage("counters").to_be_bytes()].concat();
    let (key, row) = live.iter().find(|(key, _)| key.starts_with(&prefix)).unwrap();
    assert_eq!(key[5..], 1u64.to_be_bytes());
    assert_eq!(rows::values(row).unwrap(), ["999"]);
}

#[test]
fn version_1_is_opened_and_says_what_was_stored() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let database = open();
    let mut session = database.connect("cairn", "cairn").unwrap();
    let count =
        |session: &mut Session, from: &str| one(session, &format!("SELECT count(*) FROM {from}"));
    for (from, expected) in [
        ("huts", "[Int8(300)]"),
        ("huts WHERE place IS NULL", "[Int8(0)]"),
        ("huts WHERE to_tsvector('english', notes) @@ to_tsquery('shelters')", "[Int8(150)]"),
        ("huts WHERE ST_DWithin(place, ST_MakePoint(7, 46)::geography, 10000)", "[Int8(10)]"),
        ("huts WHERE name = 'hut 77'", "[Int8(1)]"),
        ("kinds WHERE words = 'grüße' AND state = 'glad'", "[Int8(1)]"),
        ("counters WHERE n = 999", "[Int8(1)]"),
    ] {
        assert_eq!(count(&mut session, from), expected, "{from}");
    }
    assert!(session.query("SELECT * FROM gone", &[]).is_err());
    assert!(one(&mut session, "SELECT nextval('huts_id_seq') > 310").contains("true"));
    let findings = database.engine().verify_indexes().unwrap();
    assert_eq!(findings, Vec::<String>::new());
    let named = database.engine().snapshots();
    assert_eq!(named.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["before the end"]);
}

/// Makes the directory, for a format version that has none yet.
#[test]
#[ignore = "format version 1 is made once"]
fn make_v1() {
    let target = v1();
    assert!(!target.exists(), "the directory of a format version is never made anew");
    let work = tempfile::tempdir().unwrap();
    let database = Database::open(work.path(), options()).unwrap();
    let mut session = database.connect("cairn", "cairn").unwrap();
    let mut run = |sql: &str| drop(session.execute(sql).unwrap_or_else(|e| panic!("{sql}: {e}")));
    run("SET TimeZone = 'UTC'");
    run(SCHEMA);
    for first in [1, 101, 201] {
        run(&format!(
            "INSERT INTO huts (name, notes, place)
             SELECT 'hut ' || n,
                 CASE WHEN n % 2 = 0 THEN 'a shelter below the summit' ELSE 'beds and soup' END,
                 ST_MakePoint(7 + n * 0.01, 46 + n * 0.005)::geography
             FROM generate_series({first}, {first} + 99) AS n"
        ));
        run("INSERT INTO huts (name) SELECT 'extra ' || n FROM generate_series(1, 4) AS n");
        database.engine().flush().unwrap();
        run("DELETE FROM huts WHERE name LIKE 'extra%'");
    }
    database.compact(&cairn_engine::lsm::CompactionControl::default()).unwrap();
    run("DROP TABLE gone");
    run(KINDS);
    run("INSERT INTO counters VALUES (0)");
    run("UPDATE huts SET notes = notes || '.' WHERE id < 20");
    database.engine().flush().unwrap();
    for n in 1..1000 {
        run(&format!("UPDATE counters SET n = {n}"));
    }
    database.engine().create_snapshot("before the end").unwrap();
    run("INSERT INTO counters VALUES (-1)");
    run("DELETE FROM counters WHERE n = -1");
    copy(work.path(), &target);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
