//! A full disk: writes are refused with 53100, reads go on, and so does the server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use cairn_engine::env::MemoryFs;
use cairn_engine::env::fault::{FaultFs, Lasting, Operation, Rule};
use cairn_engine::{Db, Env, Options};
use cairn_query::Database;
use cairn_tests::host::Host;

const DIR: &str = "/db";

/// Little is set aside at once, so that the disk is soon asked for more.
fn options() -> Options {
    Options { wal_allocation_len: 16 << 10, memtable_len_max: 64 << 10, ..Options::default() }
}

fn start() -> (FaultFs, Host) {
    let files = FaultFs::new(Arc::new(MemoryFs::default()));
    let env = Env::with_files(Arc::new(files.clone()));
    Db::open_in(env.clone(), Path::new(DIR), options()).unwrap().close().unwrap();
    let database = Database::open_existing(env, Path::new(DIR), options()).unwrap();
    (files, Host::serve(database))
}

fn fill(files: &FaultFs) {
    for operation in [Operation::Create, Operation::Allocate] {
        files.inject(Rule {
            operation: Some(operation),
            path_contains: String::new(),
            skip: 0,
            lasting: Lasting::Forever,
            error: ErrorKind::StorageFull,
        });
    }
}

#[test]
fn writes_are_refused_and_reads_go_on() {
    let (files, host) = start();
    let mut client = host.client();
    client.run("CREATE TABLE t (a int PRIMARY KEY, b text)").unwrap_tag();
    client.run("INSERT INTO t SELECT n, 'x' FROM generate_series(1, 10) n").unwrap_tag();
    fill(&files);
    let mut refused = 0;
    for n in 11..200 {
        let insert = format!("INSERT INTO t VALUES ({n}, repeat('y', 1000))");
        let outcome = client.run(&insert);
        if let Some(state) = outcome.state() {
            assert_eq!(state, "53100", "{outcome:?}");
            refused += 1;
        }
        let count = "SELECT count(*) FROM t WHERE b = 'x'";
        assert_eq!(client.run(count).unwrap_value(), "10");
    }
    assert!(refused > 100, "{refused} refused");
    let mut other = host.client();
    let kept = other.run("SELECT count(*) FROM t").unwrap_value();
    assert_eq!(kept, (199 - refused).to_string(), "what was refused is not there");

    files.heal();
    client.run("INSERT INTO t VALUES (1000, 'after')").unwrap_tag();
    assert_eq!(other.run("SELECT b FROM t WHERE a = 1000").unwrap_value(), "after");
}
