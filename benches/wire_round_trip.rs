//! What a question to a server costs over loopback: a real driver, prepared and as text.

use cairn_query::Database;
use cairn_server::{Server, ServerOptions};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

const LINKS: &str = "
CREATE TABLE links (id int PRIMARY KEY, target text);
INSERT INTO links SELECT n, 'https://example.org/' || n FROM generate_series(1, 10000) n;";

/// A server on a free port, and a client of it.
async fn connect() -> Client {
    let database = Database::in_memory().expect("a database in memory");
    let server = Server::bind(database, "127.0.0.1:0", ServerOptions::default()).await;
    let server = server.expect("a free port");
    let port = server.local_addr().expect("an address").port();
    tokio::spawn(server.run(std::future::pending::<()>()));
    let url = format!("postgres://cairn@127.0.0.1:{port}/cairn");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client.batch_execute(LINKS).await.expect("a table of links");
    client
}

fn round_trips(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads");
    let client = runtime.block_on(connect());
    let mut id = 0;
    let mut next = move || {
        id = (id + 6_181) % 10_000;
        id + 1
    };
    let by_id = "SELECT target FROM links WHERE id = $1";
    let prepared = runtime.block_on(client.prepare(by_id)).expect("a statement");
    criterion.bench_function("round trip/prepared", |bencher| {
        bencher.iter(|| {
            let row = runtime.block_on(client.query_one(&prepared, &[&next()]));
            row.expect("one row").get::<_, String>(0)
        });
    });
    criterion.bench_function("round trip/text", |bencher| {
        bencher.iter(|| {
            let sql = format!("SELECT target FROM links WHERE id = {}", next());
            runtime.block_on(client.simple_query(&sql)).expect("one row").len()
        });
    });
    criterion.bench_function("round trip/nothing", |bencher| {
        bencher.iter(|| runtime.block_on(client.batch_execute("")).expect("an empty answer"));
    });
}

criterion_group!(benches, round_trips);
criterion_main!(benches);
