//! SQL in process, without a server: tables, words and places.

use cairn_query::value::Value;
use cairn_query::{Database, Result};

fn main() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("cairn-example-sql-{}", std::process::id()));
    let database = Database::open(&dir, cairn_engine::Options::default())?;
    let mut session = database.connect("cairn", "cairn")?;
    session.execute(
        "CREATE TABLE huts (id int PRIMARY KEY, name text, geog geography(Point, 4326));
         CREATE INDEX ON huts USING gist (geog);
         CREATE INDEX ON huts USING gin (to_tsvector('english', name));",
    )?;
    let insert = "INSERT INTO huts VALUES ($1, $2, ST_MakePoint($3, $4)::geography)";
    let huts = [("Goûter refuge", 6.8303, 45.8513), ("Vallot shelter", 6.8522, 45.8391)];
    for (id, (name, longitude, latitude)) in (1..).zip(huts) {
        let place = [Value::Float8(longitude), Value::Float8(latitude)];
        let [longitude, latitude] = place;
        session.query(insert, &[Value::Int4(id), Value::text(name), longitude, latitude])?;
    }
    let near = "SELECT name, ST_Distance(geog, ST_MakePoint(6.8652, 45.8326)::geography)
                FROM huts WHERE ST_DWithin(geog, ST_MakePoint(6.8652, 45.8326)::geography, $1)
                ORDER BY 2";
    for row in session.query(near, &[Value::Float8(5000.0)])? {
        println!("within 5 km of the summit: {row:?}");
    }
    let words = "SELECT id FROM huts WHERE to_tsvector('english', name) @@ to_tsquery('shelters')";
    println!("shelters: {:?}", session.query(words, &[])?);
    Ok(())
}
