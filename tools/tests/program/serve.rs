//! `cairn serve` as a process: it begins, refuses, ends.

use std::net::TcpListener;

use crate::run::{Serving, cairn, text};

#[test]
fn a_port_in_use_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = dir.path().join("data");
    let said = cairn(&["serve", "--data", text(&data), "--listen", &address]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    let last = said.err.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("cairn: could not listen on {address}: ")), "{last}");
    assert_eq!(cairn(&["verify", text(&data)]).code, Some(0), "the directory was left in order");
}

#[test]
fn asked_to_end_it_keeps_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Serving::start(&data);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let port = server.port;
    runtime.block_on(async move {
        let url = format!("postgres://cairn@127.0.0.1:{port}/cairn");
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("CREATE TABLE t (a serial, b text)").await.unwrap();
        client.batch_execute("INSERT INTO t (b) VALUES ('kept')").await.unwrap();
        client.batch_execute("BEGIN; INSERT INTO t (b) VALUES ('not committed')").await.unwrap();
    });
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(cairn(&["verify", text(&data)]).code, Some(0));
    let dump = cairn(&["dump", text(&data)]).out;
    assert!(dump.contains("1\tkept\n\\.\n"), "{dump}");
    assert!(dump.contains("setval('public.t_a_seq', 2, true)"), "no gap: {dump}");
}
