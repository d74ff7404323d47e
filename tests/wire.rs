//! The wire, as a driver uses it, and as nobody should.
//!
//! The driver (tokio-postgres) prepares everything and speaks binary; bad input goes over a bare
//! socket. Whatever a client sends, the server answers with the right code and goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use cairn_tests::client::{Client as Bare, Protocol, refusal};
use cairn_tests::host::Host;
use cairn_tests::protocol;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, SimpleQueryMessage};

/// Runs a conversation with a fresh server.
fn talk<F>(conversation: impl FnOnce(Config) -> F)
where
    F: Future<Output = ()>,
{
    let host = Host::start();
    host.runtime().block_on(conversation(config(&host)));
}

fn config(host: &Host) -> Config {
    let mut config = Config::new();
    config.host("127.0.0.1").port(host.address().socket.port()).user("cairn").dbname("cairn");
    config
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

fn code(error: &tokio_postgres::Error) -> SqlState {
    error.code().cloned().unwrap_or_else(|| panic!("no code: {error}"))
}

#[test]
fn parameters_and_results_travel_in_binary() {
    talk(|config| async move {
        let client = connect(&config).await;
        client
            .batch_execute(
                "CREATE TABLE t (a int2, b int4, c int8, d float4, e float8, f bool, g text,
                 h bytea, i timestamptz, j int4[], k varchar(5), l text[])",
            )
            .await
            .expect("a table");
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
        let insert = "INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            RETURNING *";
        let row = client
            .query_one(
                insert,
                &[
                    &1i16,
                    &-2i32,
                    &3i64,
                    &1.5f32,
                    &-0.1f64,
                    &true,
                    &"grün",
                    &&[0u8, 255][..],
                    &time,
                    &vec![Some(1i32), None],
                    &"abc",
                    &vec!["x", "y z"],
                ],
            )
            .await
            .expect("a row");
        assert_eq!(row.get::<_, i16>("a"), 1);
        assert_eq!(row.get::<_, i32>("b"), -2);
        assert_eq!(row.get::<_, i64>("c"), 3);
        assert_eq!(row.get::<_, f32>("d"), 1.5);
        assert_eq!(row.get::<_, f64>("e"), -0.1);
        assert!(row.get::<_, bool>("f"));
        assert_eq!(row.get::<_, &str>("g"), "grün");
        assert_eq!(row.get::<_, &[u8]>("h"), [0, 255]);
        assert_eq!(row.get::<_, SystemTime>("i"), time);
        assert_eq!(row.get::<_, Vec<Option<i32>>>("j"), [Some(1), None]);
        assert_eq!(row.get::<_, &str>("k"), "abc");
        assert_eq!(row.get::<_, Vec<String>>("l"), ["x", "y z"]);
        let none: Option<&str> = None;
        let row = client.query_one("SELECT $1::text, $1::text IS NULL", &[&none]).await;
        assert_eq!(row.expect("a row").get::<_, Option<String>>(0), None);
    });
}

#[test]
fn parameter_types_are_inferred() {
    talk(|config| async move {
        let client = connect(&config).await;
        client
            .batch_execute("CREATE TABLE t (id int8 PRIMARY KEY, v text)")
            .await
            .expect("a table");
        let types = |sql: &'static str| {
            let client = &client;
            async move { client.prepare(sql).await.expect("a statement").params().to_vec() }
        };
        assert_eq!(types("SELECT v FROM t WHERE id = $1").await, [Type::INT8]);
        assert_eq!(types("INSERT INTO t VALUES ($1, $2)").await, [Type::INT8, Type::TEXT]);
        assert_eq!(types("UPDATE t SET v = $2 WHERE id = $1").await, [Type::INT8, Type::TEXT]);
        assert_eq!(types("SELECT $1::date, $2 || 'x'").await, [Type::DATE, Type::TEXT]);
        assert_eq!(types("SELECT id FROM t WHERE id = ANY ($1)").await, [Type::INT8_ARRAY]);
        assert_eq!(types("SELECT id FROM t LIMIT $1").await, [Type::INT8]);
        let error = client.prepare("SELECT $1 = $2 FROM nothing").await.expect_err("no table");
        assert_eq!(code(&error), SqlState::UNDEFINED_TABLE);
    });
}

#[test]
fn prepared_statements_survive_new_definitions() {
    talk(|config| async move {
        let client = connect(&config).await;
        client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, v text)").await.expect("a table");
        let insert = client.prepare("INSERT INTO t (id, v) VALUES ($1, $2)").await.expect("it");
        let count = client.prepare("SELECT count(*) FROM t WHERE v = $1").await.expect("it");
        client.execute(&insert, &[&1, &"a"]).await.expect("a row");
        client.batch_execute("ALTER TABLE t ADD COLUMN w int DEFAULT 7").await.expect("a column");
        client.batch_execute("CREATE INDEX ON t (v)").await.expect("an index");
        client.execute(&insert, &[&2, &"a"]).await.expect("a row");
        let row = client.query_one(&count, &[&"a"]).await.expect("a row");
        assert_eq!(row.get::<_, i64>(0), 2);
        let all = client.prepare("SELECT * FROM t WHERE id = 1").await.expect("it");
        client.batch_execute("ALTER TABLE t DROP COLUMN v").await.expect("no column");
        let error = client.query(&all, &[]).await.expect_err("another shape");
        assert_eq!(code(&error), SqlState::FEATURE_NOT_SUPPORTED);
        let message = error.as_db_error().expect("a report").message().to_owned();
        assert_eq!(message, "cached plan must not change result type");
        client.batch_execute("DROP TABLE t").await.expect("no table");
        let error = client.execute(&insert, &[&3, &"a"]).await.expect_err("no table");
        assert_eq!(code(&error), SqlState::UNDEFINED_TABLE);
    });
}

#[test]
fn rows_are_copied_in_and_out() {
    talk(|config| async move {
        let client = connect(&config).await;
        client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, v text)").await.expect("a table");
        let sent = copy_in(&client, "COPY t FROM STDIN", "1\tone\n2\t\\N\n3\ttab\\there\n").await;
        assert_eq!(sent.expect("rows"), 3);
        let csv = "id,v\n4,\"a, \"\"b\"\"\"\n5,\n";
        let sent = copy_in(&client, "COPY t FROM STDIN (FORMAT csv, HEADER)", csv).await;
        assert_eq!(sent.expect("rows"), 2);
        assert_eq!(
            copy_out(&client, "COPY (SELECT * FROM t ORDER BY id) TO STDOUT").await,
            "1\tone\n2\t\\N\n3\ttab\\there\n4\ta, \"b\"\n5\t\\N\n"
        );
        assert_eq!(
            copy_out(&client, "COPY (SELECT v FROM t WHERE id > 3 ORDER BY id) TO STDOUT CSV")
                .await,
            "\"a, \"\"b\"\"\"\n\n"
        );
        // A bad line undoes all of them.
        let error = copy_in(&client, "COPY t FROM STDIN", "6\tok\nx\tbad\n").await.expect_err("x");
        assert_eq!(code(&error), SqlState::INVALID_TEXT_REPRESENTATION);
        let error = copy_in(&client, "COPY t FROM STDIN", "7\n").await.expect_err("too short");
        assert_eq!(code(&error), SqlState::BAD_COPY_FILE_FORMAT);
        let error = copy_in(&client, "COPY t FROM STDIN", "1\tagain\n").await.expect_err("twice");
        assert_eq!(code(&error), SqlState::UNIQUE_VIOLATION);
        let row = client.query_one("SELECT count(*) FROM t", &[]).await.expect("a row");
        assert_eq!(row.get::<_, i64>(0), 5);
    });
}

async fn copy_in(
    client: &Client,
    sql: &str,
    data: &'static str,
) -> Result<u64, tokio_postgres::Error> {
    use futures::SinkExt;
    let sink = client.copy_in(sql).await?;
    let mut sink = std::pin::pin!(sink);
    sink.send(bytes::Bytes::from_static(data.as_bytes())).await?;
    sink.finish().await
}

async fn copy_out(client: &Client, sql: &str) -> String {
    use futures::TryStreamExt;
    let stream = client.copy_out(sql).await.expect("rows");
    let pieces: Vec<_> = stream.try_collect().await.expect("rows");
    String::from_utf8(pieces.concat()).expect("UTF-8")
}

#[test]
fn errors_carry_their_fields() {
    talk(|config| async move {
        let client = connect(&config).await;
        client
            .batch_execute("CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL CHECK (v <> ''))")
            .await
            .expect("a table");
        client.execute("INSERT INTO t VALUES (1, 'x')", &[]).await.expect("a row");
        let error = client.execute("INSERT INTO t VALUES (1, 'y')", &[]).await.expect_err("twice");
        let report = error.as_db_error().expect("a report");
        assert_eq!(report.code(), &SqlState::UNIQUE_VIOLATION);
        assert_eq!(report.constraint(), Some("t_pkey"));
        assert_eq!(report.table(), Some("t"));
        assert_eq!(report.schema(), Some("public"));
        assert_eq!(report.detail(), Some("Key (id)=(1) already exists."));
        let error = client.execute("INSERT INTO t VALUES (2)", &[]).await.expect_err("no v");
        let report = error.as_db_error().expect("a report");
        assert_eq!(report.code(), &SqlState::NOT_NULL_VIOLATION);
        assert_eq!(report.column(), Some("v"));
        let error = client.simple_query("SELECT 1;\nSELECT nothing").await.expect_err("nothing");
        let report = error.as_db_error().expect("a report");
        assert_eq!(report.code(), &SqlState::UNDEFINED_COLUMN);
        let place = tokio_postgres::error::ErrorPosition::Original(18);
        assert_eq!(report.position(), Some(&place));
    });
}

#[test]
fn statements_of_one_text_are_one_transaction() {
    talk(|config| async move {
        let client = connect(&config).await;
        client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.expect("a table");
        let text = "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); SELECT 1 / 0";
        let error = client.batch_execute(text).await.expect_err("a division");
        assert_eq!(code(&error), SqlState::DIVISION_BY_ZERO);
        let row = client.query_one("SELECT count(*) FROM t", &[]).await.expect("a row");
        assert_eq!(row.get::<_, i64>(0), 0);
        let text = "INSERT INTO t VALUES (1); SELECT id FROM t; ; SELECT 'x' AS a, NULL AS b";
        let answers = client.simple_query(text).await.expect("answers");
        let rows = answers.iter().filter_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some((row.get(0), row.columns()[0].name())),
            _ => None,
        });
        assert_eq!(rows.collect::<Vec<_>>(), [(Some("1"), "id"), (Some("x"), "a")]);
    });
}

#[test]
fn the_status_of_the_transaction_is_told() {
    let host = Host::start();
    let mut client = host.client();
    let mut status = |sql: &str| {
        client.run(sql);
        char::from(client.status)
    };
    assert_eq!(status("SELECT 1"), 'I');
    assert_eq!(status("BEGIN"), 'T');
    assert_eq!(status("SELECT 1 / 0"), 'E');
    assert_eq!(status("SELECT 1"), 'E');
    assert_eq!(status("ROLLBACK"), 'I');
}

#[test]
fn notices_arrive_before_the_tag() {
    let host = Host::start();
    let outcome = host.client().run("DROP TABLE IF EXISTS nothing");
    assert_eq!(outcome.tag.as_deref(), Some("DROP TABLE"));
    let notices: Vec<String> = outcome.notices.iter().map(ToString::to_string).collect();
    assert_eq!(notices, ["NOTICE 00000: table \"nothing\" does not exist, skipping"]);
    let outcome = host.client().run("COMMIT");
    let notices: Vec<String> = outcome.notices.iter().map(ToString::to_string).collect();
    assert_eq!(notices, ["WARNING 25P01: there is no transaction in progress"]);
}

#[test]
fn notifications_arrive_after_commit() {
    talk(|config| async move {
        use futures::StreamExt;
        let (listener, mut connection) = config.connect(NoTls).await.expect("a connection");
        let (heard, mut news) = futures::channel::mpsc::unbounded();
        tokio::spawn(async move {
            let mut messages =
                futures::stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(notification) = message {
                    let payload = notification.payload().to_owned();
                    // Nobody listens any more: the test is over.
                    let _ = heard.unbounded_send((notification.channel().to_owned(), payload));
                }
            }
        });
        listener.batch_execute("LISTEN seats").await.expect("an ear");
        let speaker = connect(&config).await;
        speaker.batch_execute("BEGIN; NOTIFY seats, 'never'; ROLLBACK").await.expect("nothing");
        speaker.batch_execute("NOTIFY other, 'not mine'").await.expect("a word");
        speaker
            .batch_execute("BEGIN; NOTIFY seats, '17'; NOTIFY seats, '17'; COMMIT")
            .await
            .expect("it");
        speaker.query("SELECT pg_notify('seats', 'last')", &[]).await.expect("a word");
        let first = news.next().await.expect("news");
        let second = news.next().await.expect("news");
        assert_eq!(first, ("seats".to_owned(), "17".to_owned()));
        assert_eq!(second, ("seats".to_owned(), "last".to_owned()));
    });
}

#[test]
fn a_portal_answers_rows_in_portions() {
    talk(|config| async move {
        let mut client = connect(&config).await;
        let transaction = client.transaction().await.expect("a transaction");
        let sql = "SELECT g FROM generate_series(1, $1) g";
        let portal = transaction.bind(sql, &[&10i32]).await.expect("a portal");
        for expected in [4, 4, 2, 0] {
            let rows = transaction.query_portal(&portal, 4).await.expect("rows");
            assert_eq!(rows.len(), expected);
        }
        transaction.commit().await.expect("a commit");
    });
}

#[test]
fn a_statement_is_cancelled() {
    talk(|config| async move {
        let client = connect(&config).await;
        let token = client.cancel_token();
        client.batch_execute("SELECT pg_advisory_lock(1)").await.expect("a lock");
        let other = connect(&config).await;
        let other_token = other.cancel_token();
        let process = other.query_one("SELECT pg_backend_pid()", &[]).await.expect("a row");
        let process: i32 = process.get(0);
        let waiting = tokio::spawn(async move {
            let waited = other.batch_execute("SELECT pg_advisory_lock(1)").await;
            (waited, other)
        });
        let is_blocked = "SELECT cardinality(pg_blocking_pids($1)) > 0";
        while !client.query_one(is_blocked, &[&process]).await.expect("a row").get::<_, bool>(0) {}
        // Cancelling one that is idle changes nothing.
        token.cancel_query(NoTls).await.expect("a request");
        other_token.cancel_query(NoTls).await.expect("a request");
        let (waited, other) = waiting.await.expect("no panic");
        assert_eq!(code(&waited.expect_err("cancelled")), SqlState::QUERY_CANCELED);
        other.batch_execute("SELECT 1").await.expect("still there");
        client.batch_execute("SELECT 1").await.expect("still there");
    });
}

#[test]
fn a_role_with_a_password_needs_it() {
    talk(|config| async move {
        let admin = connect(&config).await;
        admin
            .batch_execute("CREATE ROLE guard LOGIN PASSWORD 'right'; CREATE ROLE ghost")
            .await
            .expect("roles");
        let refused = |change: fn(&mut Config) -> &mut Config| {
            let mut config = config.clone();
            change(&mut config);
            async move { code(&config.connect(NoTls).await.err().expect("refused")) }
        };
        let wrong = refused(|config| config.user("guard").password("wrong")).await;
        assert_eq!(wrong, SqlState::INVALID_PASSWORD);
        let nobody = refused(|config| config.user("nobody")).await;
        assert_eq!(nobody, SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
        let ghost = refused(|config| config.user("ghost")).await;
        assert_eq!(ghost, SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
        let nowhere = refused(|config| config.dbname("nowhere")).await;
        assert_eq!(nowhere, SqlState::INVALID_CATALOG_NAME);
        let mut right = config.clone();
        right.user("guard").password("right");
        let guard = connect(&right).await;
        let row = guard.query_one("SELECT current_user::text", &[]).await.expect("a row");
        assert_eq!(row.get::<_, String>(0), "guard");
    });
}

/// Sends bytes as the first thing and answers all that comes back.
fn answer_to(host: &Host, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(host.address().socket).expect("a connection");
    stream.write_all(bytes).expect("sent");
    stream.shutdown(std::net::Shutdown::Write).expect("sent");
    let mut answer = Vec::new();
    // A reset is an end, too: the server need not read what it will not use.
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn assert_serves(host: &Host) {
    assert_eq!(host.client().run("SELECT 40 + 2").unwrap_value(), "42");
}

#[test]
fn garbage_at_the_start_ends_the_connection_only() {
    let host = Host::start();
    let version_9 = [0, 0, 0, 8, 0, 9, 0, 0];
    let unterminated = [&[0, 0, 0, 13, 0, 3, 0, 0][..], b"user\0"].concat();
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        &[0; 64],
        &[255; 64],
        &[0, 0, 0, 4],
        &[0, 0],
        &[],
        &version_9,
        &unterminated,
    ] {
        answer_to(&host, bytes);
        assert_serves(&host);
    }
    let report = protocol::read(&mut &answer_to(&host, &version_9)[..]).expect("an error");
    assert_eq!(report.tag, b'E');
    assert_eq!(protocol::report(&report.body).state, "0A000");
}

#[test]
fn broken_text_is_an_ordinary_error() {
    let host = Host::start();
    let mut client = host.client();
    client.send(&protocol::frame(b'Q', b"SELECT '\xff'\0")).expect("sent");
    let outcome = client.outcome().expect("an answer");
    let expected = "ERROR 22021: invalid byte sequence for encoding \"UTF8\": 0xff";
    assert_eq!(outcome.error.expect("an error").to_string(), expected);
    assert_eq!(client.run("SELECT 1").unwrap_value(), "1");
    // In a parameter, too.
    let mut bytes = protocol::frame(b'P', b"\0SELECT $1::text\0\0\0");
    let parameter = [&[0; 4][..], &[0, 1, 0, 0, 0, 2, 0xc3, b'x', 0, 0]].concat();
    bytes.extend(protocol::frame(b'B', &parameter));
    bytes.extend(protocol::frame(b'E', &[0; 5]));
    bytes.extend(protocol::frame(b'S', &[]));
    client.send(&bytes).expect("sent");
    let outcome = client.outcome().expect("an answer");
    assert_eq!(outcome.state(), Some("22021"));
    assert_eq!(client.run("SELECT 1").unwrap_value(), "1");
}

#[test]
fn messages_that_make_no_sense_are_errors() {
    let host = Host::start();
    // Wrong bodies: the conversation goes on.
    for (tag, body) in [(b'B', &b"\0"[..]), (b'P', b"no end"), (b'D', b"Xname\0"), (b'E', b"")] {
        let mut client = host.client();
        client.send(&protocol::frame(tag, body)).expect("sent");
        client.send(&protocol::frame(b'S', &[])).expect("sent");
        let outcome = client.outcome().expect("an answer");
        assert_eq!(outcome.state(), Some("08P01"), "{}", char::from(tag));
        assert_eq!(client.run("SELECT 1").unwrap_value(), "1");
    }
    // Wrong frames: it cannot.
    let oversized = [b'Q', 0x7f, 0xff, 0xff, 0xff];
    let negative = [b'Q', 0xff, 0xff, 0xff, 0xff];
    let unknown = [b'?', 0, 0, 0, 4];
    for frame in [oversized, negative, unknown] {
        let mut client = host.client();
        client.send(&frame).expect("sent");
        let error = client.outcome().expect("an answer").error.expect("an error");
        assert_eq!((error.severity.as_str(), error.state.as_str()), ("FATAL", "08P01"));
        assert!(client.read().is_err(), "the connection is over");
        assert_serves(&host);
    }
}

#[test]
fn a_client_that_goes_in_the_middle_of_a_message_leaves_nothing() {
    let host = Host::start();
    host.client().run("CREATE TABLE t (id int)").unwrap_tag();
    let mut client = host.client();
    client.run("BEGIN").unwrap_tag();
    client.run("INSERT INTO t VALUES (1)").unwrap_tag();
    let process = client.process_id;
    client.send(&protocol::frame(b'Q', b"SELECT 1 FROM somewhere\0")[..9]).expect("sent");
    drop(client);
    let mut other = host.client();
    let lives = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {process}");
    while other.run(&lives).unwrap_value() != "0" {}
    assert_eq!(other.run("SELECT count(*) FROM t").unwrap_value(), "0");
}

#[test]
fn an_error_skips_to_sync() {
    let host = Host::start();
    let mut client = host.client();
    let mut bytes = protocol::frame(b'P', b"\0SELECT nothing\0\0\0");
    bytes.extend(protocol::frame(b'P', b"kept\0SELECT 1\0\0\0"));
    bytes.extend(protocol::frame(b'S', &[]));
    client.send(&bytes).expect("sent");
    assert_eq!(client.outcome().expect("an answer").state(), Some("42703"));
    client.send(&protocol::frame(b'D', b"Skept\0")).expect("sent");
    client.send(&protocol::frame(b'S', &[])).expect("sent");
    assert_eq!(client.outcome().expect("an answer").state(), Some("26000"));
}

#[test]
fn a_refused_client_is_told_why() {
    let host = Host::start();
    let mut address = host.address();
    address.database = "nowhere".into();
    let error = Bare::connect(&address, Protocol::Simple).err().expect("refused");
    let expected = "FATAL 3D000: database \"nowhere\" does not exist";
    assert_eq!(refusal(error).to_string(), expected);
}
