//! Every catalog is read once, and psql's own questions are asked.

use crate::value::output::to_text;
use crate::value::{OutputStyle, Value};
use crate::{Database, Session};

const SCHEMA: &str = include_str!("../../testdata/system/schema.sql");

fn session() -> Session {
    Database::in_memory().unwrap().connect("cairn", "cairn").unwrap()
}

fn session_with_schema() -> Session {
    let mut session = session();
    session.execute(SCHEMA).unwrap();
    session
}

fn shown(value: &Value) -> String {
    to_text(value, &value.natural_type(), &OutputStyle::default())
}

/// Rows as `psql -At` prints them.
fn ask(session: &mut Session, sql: &str) -> Vec<String> {
    let rows = session.query(sql, &[]).unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join("|")).collect()
}

#[test]
fn every_catalog_has_rows_as_wide_as_its_columns() {
    let mut session = session_with_schema();
    for (oid, catalog) in super::numbered() {
        let name = format!("{}.{}", super::schema_name(catalog.schema), catalog.name);
        let width = catalog.columns().len();
        assert_eq!(width, catalog.columns.split(", ").count(), "a type of {name} is unknown");
        for row in session.query(&format!("SELECT * FROM {name}"), &[]).unwrap() {
            assert_eq!(row.len(), width, "{name}");
        }
        let named = ask(&mut session, &format!("SELECT '{name}'::regclass::oid"));
        assert_eq!(named, [oid.to_string()]);
    }
}

#[test]
fn catalogs_have_oids_of_their_own() {
    let mut oids: Vec<u32> = super::numbered().map(|(oid, _)| oid).collect();
    let count = oids.len();
    oids.sort_unstable();
    oids.dedup();
    assert_eq!(oids.len(), count);
}

#[test]
fn definitions_print_as_postgres_prints_them() {
    let mut session = session_with_schema();
    let constraints = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint \
                       WHERE conrelid = 'seats'::regclass ORDER BY conname";
    assert_eq!(
        ask(&mut session, constraints),
        [
            "seats_pkey|PRIMARY KEY (id)",
            "seats_price_check|CHECK ((price >= (0)::numeric))",
            "seats_venue_id_fkey|FOREIGN KEY (venue_id) REFERENCES venues(id) ON DELETE CASCADE",
            "seats_venue_id_row_no_key|UNIQUE (venue_id, row_no)",
        ]
    );
    let indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = 'seats' ORDER BY indexname";
    assert_eq!(
        ask(&mut session, indexes),
        [
            "CREATE INDEX seats_lower ON public.seats USING btree (lower((status)::text))",
            "CREATE UNIQUE INDEX seats_pkey ON public.seats USING btree (id)",
            "CREATE INDEX seats_status ON public.seats USING btree (status, created DESC) \
             WHERE ((status)::text <> 'sold'::text)",
            "CREATE UNIQUE INDEX seats_venue_id_row_no_key ON public.seats USING btree \
             (venue_id, row_no)",
        ]
    );
}

#[test]
fn pretty_definitions_have_few_parentheses() {
    let mut session = session_with_schema();
    let check = "SELECT pg_get_constraintdef(oid, true) FROM pg_constraint WHERE contype = 'c'";
    assert_eq!(ask(&mut session, check), ["CHECK (price >= 0::numeric)"]);
    let index = "SELECT pg_get_indexdef('seats_status'::regclass, 0, true), \
                 pg_get_indexdef('seats_status'::regclass, 2, true)";
    assert_eq!(
        ask(&mut session, index),
        ["CREATE INDEX seats_status ON seats USING btree (status, created DESC) \
          WHERE status::text <> 'sold'::text|created"]
    );
}

#[test]
fn columns_show_their_defaults() {
    let mut session = session_with_schema();
    let columns = "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
                   (SELECT pg_get_expr(d.adbin, d.adrelid, true) FROM pg_attrdef d \
                    WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef) \
                   FROM pg_attribute a WHERE a.attrelid = 'seats'::regclass AND a.attnum > 0 \
                   AND NOT a.attisdropped ORDER BY a.attnum";
    assert_eq!(
        ask(&mut session, columns),
        [
            "id|integer|t|nextval('seats_id_seq'::regclass)",
            "venue_id|bigint|t|",
            "row_no|integer|t|",
            "price|numeric(10,2)|f|0",
            "status|character varying(10)|f|'free'::character varying",
            "created|timestamp with time zone|t|now()",
            "loc|geography(Point,4326)|f|",
            "total|numeric|f|price * 2::numeric",
        ]
    );
}

#[test]
fn information_schema_describes_tables() {
    let mut session = session_with_schema();
    let columns = "SELECT column_name, data_type, is_nullable, is_identity, is_generated \
                   FROM information_schema.columns WHERE table_name = 'venues' \
                   ORDER BY ordinal_position";
    assert_eq!(
        ask(&mut session, columns),
        ["id|bigint|NO|YES|NEVER", "name|text|NO|NO|NEVER", "code|character varying|YES|NO|NEVER",]
    );
    let keys = "SELECT k.constraint_name, k.column_name, c.table_name, c.column_name \
                FROM information_schema.key_column_usage k \
                JOIN information_schema.referential_constraints r USING (constraint_name) \
                JOIN information_schema.constraint_column_usage c USING (constraint_name)";
    assert_eq!(ask(&mut session, keys), ["seats_venue_id_fkey|venue_id|venues|id"]);
}

/// psql's questions for `\d`, `\d seats`, `\dt`, `\di`, …: each runs, and each answers what it
/// must.
#[test]
fn psql_is_answered() {
    let mut session = session_with_schema();
    let oid = ask(&mut session, "SELECT 'seats'::regclass::oid").remove(0);
    let questions = include_str!("../../testdata/system/psql.sql").replace("$OID", &oid);
    let mut answers = String::new();
    for question in questions.split("\n\n").filter(|question| !question.trim().is_empty()) {
        let title = question.lines().next().unwrap_or_default();
        answers.push_str(&format!("{title}\n"));
        for row in ask(&mut session, question) {
            answers.push_str(&format!("{row}\n"));
        }
        answers.push('\n');
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/system/psql.out");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, answers.replace(&oid, "$OID")).unwrap();
        return;
    }
    let expected = include_str!("../../testdata/system/psql.out").replace("$OID", &oid);
    assert_eq!(answers, expected);
}
