//! Backups and the way back, from the command line and from SQL.

use std::fs;
use std::path::Path;

use tokio_postgres::{Client, NoTls};

use crate::run::{Filled, Serving, cairn, text};

#[test]
fn each_backup_comes_back_as_it_was() {
    let filled = Filled::new();
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("backups");
    let target = text(&target);
    let first = filled.must(&["dump"], "");
    let said = filled.must(&["backup", "--to", target], "");
    assert!(said.starts_with("backup 1 of "), "{said}");
    filled.must(&["restore"], "DELETE FROM places WHERE id < 100;");
    let second = filled.must(&["dump"], "");
    let said = filled.must(&["backup", "--to", target], "");
    assert!(said.contains("\ncopied "), "{said}");
    let said = cairn(&["backups", target]);
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);
    assert!(cairn(&["backups", target, "--verify"]).out.contains("all is well"));

    let made = |name: &str, more: &[&str]| {
        let made = dir.path().join(name);
        let said = cairn(&[&["recover", text(&made), "--from", target][..], more].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!(cairn(&["verify", text(&made)]).code, Some(0), "{name}");
        cairn(&["dump", text(&made)]).out
    };
    assert_eq!(made("newest", &[]), second);
    assert_eq!(made("first", &["--backup", "1"]), first);
    let existing = dir.path().join("first");
    let said = cairn(&["recover", text(&existing), "--from", target]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("the directory exists"), "{}", said.err);

    assert_eq!(cairn(&["backups", target, "--remove", "1"]).code, Some(0));
    assert_eq!(cairn(&["backups", target, "--remove", "1"]).code, Some(1));
    assert_eq!(made("still", &[]), second);
    let copies = fs::read_dir(Path::new(target).join("files")).unwrap();
    let copy = copies.map(|entry| entry.unwrap().path()).max().unwrap();
    let mut bytes = fs::read(&copy).unwrap();
    bytes[0] ^= 1;
    fs::write(&copy, bytes).unwrap();
    let said = cairn(&["backups", target, "--verify"]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains(text(&copy)), "{}", said.out);
}

async fn connect(port: u16, user: &str) -> Client {
    let url = format!("postgres://{user}@127.0.0.1:{port}/cairn");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A mistake, and the moment before it.
async fn err_after(port: u16, target: &str) -> String {
    let client = connect(port, "cairn").await;
    client.batch_execute("CREATE TABLE t (a int PRIMARY KEY, b text)").await.unwrap();
    client.batch_execute("INSERT INTO t VALUES (1, 'in the backup')").await.unwrap();
    let made = client.query_one("SELECT cairn_backup($1)", &[&target]).await.unwrap();
    assert_eq!(made.get::<_, i64>(0), 1);
    client.batch_execute("INSERT INTO t VALUES (2, 'in the log')").await.unwrap();
    client.batch_execute("SELECT pg_sleep(0.3)").await.unwrap();
    let moment = client.query_one("SELECT now()::text", &[]).await.unwrap().get(0);
    client.batch_execute("SELECT pg_sleep(0.3)").await.unwrap();
    client.batch_execute("DROP TABLE t").await.unwrap();
    client.batch_execute("CREATE ROLE guest LOGIN").await.unwrap();
    let guest = connect(port, "guest").await;
    for call in ["cairn_backup($1)", "cairn_checkpoint($1)"] {
        let refused = guest.query(&format!("SELECT {call}"), &[&target]).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{call}");
    }
    moment
}

#[test]
fn a_mistake_is_undone_from_the_archived_log() {
    let dir = tempfile::tempdir().unwrap();
    let [data, target, archive, undone, latest] =
        ["data", "backups", "archive", "undone", "latest"].map(|name| dir.path().join(name));
    let server = Serving::start_with(&data, &["--archive", text(&archive)]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let moment = runtime.block_on(err_after(server.port, text(&target)));
    assert_eq!(server.terminate(), Some(0));

    let recover = |dir: &Path, until: &[&str]| {
        let command = ["recover", text(dir), "--from", text(&target), "--archive", text(&archive)];
        let said = cairn(&[&command[..], until].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!(cairn(&["verify", text(dir)]).code, Some(0));
        cairn(&["dump", text(dir)]).out
    };
    let dump = recover(&undone, &["--until", &moment]);
    assert!(dump.contains("1\tin the backup\n2\tin the log\n\\.\n"), "{dump}");
    assert!(!recover(&latest, &[]).contains("in the log"));
    let said = cairn(&[
        "recover",
        text(&dir.path().join("x")),
        "--from",
        text(&target),
        "--archive",
        text(&archive),
        "--until",
        "2020-01-01",
    ]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("every backup was made after"), "{}", said.err);
}
