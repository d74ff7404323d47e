//! Sessions that meet, where a golden script cannot say what must hold: who of two loses is not
//! fixed, and time limits are.
//!
//! What scripts can say is in `isolation/*.txt`.

#![expect(clippy::result_large_err, reason = "an outcome is made once per statement")]

use std::sync::mpsc::channel;
use std::time::Duration;

use cairn_tests::client::Client;
use cairn_tests::host::Host;
use cairn_tests::outcome::Outcome;

/// How often to look whether a session waits.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
const LOOKS_MAX: usize = 10_000;

fn seats(host: &Host) {
    host.client().run("CREATE TABLE seats (id int PRIMARY KEY, n int DEFAULT 0)").unwrap_tag();
    host.client().run("INSERT INTO seats SELECT generate_series(1, 3)").unwrap_tag();
}

/// Runs a statement on a thread while `meanwhile` runs here, once the statement waits.
fn while_waiting(
    host: &Host,
    client: &mut Client,
    sql: &str,
    meanwhile: impl FnOnce() -> Outcome,
) -> (Outcome, Outcome) {
    let (answer, answers) = channel();
    let process_id = client.process_id;
    std::thread::scope(|scope| {
        scope.spawn(move || answer.send(client.run(sql)));
        let backend = host.database().backends().get(process_id).expect("connected");
        let engine = host.database().engine();
        let mut looks = 0;
        while engine.blocking(backend.lock_owner).is_empty() {
            assert!(looks < LOOKS_MAX, "{sql} does not wait");
            looks += 1;
            // It may have been answered already: then it never waits.
            if let Ok(outcome) = answers.recv_timeout(LOOK_AGAIN) {
                panic!("{sql} did not wait: {outcome:?}");
            }
        }
        let other = meanwhile();
        (answers.recv().expect("an answer"), other)
    })
}

#[test]
fn of_opposite_lock_orders_exactly_one_is_a_deadlock() {
    let host = Host::start();
    seats(&host);
    let (mut a, mut b) = (host.client(), host.client());
    a.run("BEGIN").unwrap_tag();
    b.run("BEGIN").unwrap_tag();
    a.run("UPDATE seats SET n = 1 WHERE id = 1").unwrap_tag();
    b.run("UPDATE seats SET n = 2 WHERE id = 2").unwrap_tag();
    let (first, second) =
        while_waiting(&host, &mut a, "UPDATE seats SET n = 1 WHERE id = 2", || {
            let outcome = b.run("UPDATE seats SET n = 2 WHERE id = 1");
            // Whoever lost lets go, so that the other can go on.
            b.run(if outcome.error.is_some() { "ROLLBACK" } else { "COMMIT" }).unwrap_tag();
            outcome
        });
    let lost = [&first, &second].into_iter().filter(|outcome| outcome.state() == Some("40P01"));
    assert_eq!(lost.count(), 1, "{first:?} {second:?}");
    let won = [&first, &second].into_iter().filter(|outcome| outcome.error.is_none());
    assert_eq!(won.count(), 1, "{first:?} {second:?}");
    a.run("ROLLBACK").unwrap_tag();
}

#[test]
fn three_in_a_circle_lose_one() {
    let host = Host::start();
    seats(&host);
    let mut clients: Vec<Client> = (0..3).map(|_| host.client()).collect();
    for (position, client) in clients.iter_mut().enumerate() {
        client.run("BEGIN").unwrap_tag();
        client.run(&format!("SELECT 1 FROM seats WHERE id = {} FOR UPDATE", position + 1));
    }
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads = clients.iter_mut().enumerate().map(|(position, client)| {
            let next = (position + 1) % 3 + 1;
            scope.spawn(move || {
                let outcome =
                    client.run(&format!("SELECT 1 FROM seats WHERE id = {next} FOR UPDATE"));
                client.run("ROLLBACK").unwrap_tag();
                outcome
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let states: Vec<_> = outcomes.iter().filter_map(Outcome::state).collect();
    assert_eq!(states, ["40P01"], "{outcomes:?}");
}

#[test]
fn lock_timeout_ends_a_wait() {
    let host = Host::start();
    seats(&host);
    let (mut a, mut b) = (host.client(), host.client());
    a.run("BEGIN").unwrap_tag();
    a.run("UPDATE seats SET n = 1 WHERE id = 1").unwrap_tag();
    b.run("SET lock_timeout = '10ms'").unwrap_tag();
    let error = b.run("UPDATE seats SET n = 2 WHERE id = 1").error.expect("a timeout");
    assert_eq!(error.to_string(), "ERROR 55P03: canceling statement due to lock timeout");
    let error = b.run("SELECT n FROM seats WHERE id = 1 FOR UPDATE NOWAIT").error.expect("held");
    assert_eq!(
        error.to_string(),
        "ERROR 55P03: could not obtain lock on row in relation \"seats\""
    );
}

#[test]
fn statement_timeout_and_cancel_end_a_wait() {
    let host = Host::start();
    seats(&host);
    let (mut a, mut b) = (host.client(), host.client());
    a.run("BEGIN").unwrap_tag();
    a.run("UPDATE seats SET n = 1 WHERE id = 1").unwrap_tag();
    b.run("SET statement_timeout = '10ms'").unwrap_tag();
    let error = b.run("UPDATE seats SET n = 2 WHERE id = 1").error.expect("a timeout");
    assert_eq!(error.to_string(), "ERROR 57014: canceling statement due to statement timeout");
    b.run("RESET statement_timeout").unwrap_tag();
    let canceller = host.client();
    let target = b.process_id;
    let secret = b.secret.clone();
    let (cancelled, _) =
        while_waiting(&host, &mut b, "UPDATE seats SET n = 2 WHERE id = 1", || {
            canceller.cancel(target, &secret).expect("a server");
            Outcome::default()
        });
    let error = cancelled.error.expect("cancelled");
    assert_eq!(error.to_string(), "ERROR 57014: canceling statement due to user request");
    a.run("ROLLBACK").unwrap_tag();
    b.run("UPDATE seats SET n = 2 WHERE id = 1").unwrap_tag();
}

#[test]
fn locks_of_a_client_that_is_gone_are_free() {
    let host = Host::start();
    seats(&host);
    let (mut a, mut b) = (host.client(), host.client());
    a.run("BEGIN").unwrap_tag();
    a.run("UPDATE seats SET n = 1 WHERE id = 1").unwrap_tag();
    let (updated, _) =
        while_waiting(&host, &mut b, "UPDATE seats SET n = n + 5 WHERE id = 1", || {
            drop(a);
            Outcome::default()
        });
    assert_eq!(updated.unwrap_tag(), "UPDATE 1");
    assert_eq!(b.run("SELECT n FROM seats WHERE id = 1").unwrap_value(), "5");
}

#[test]
fn write_skew_fails_under_serializable() {
    let host = Host::start();
    host.client().run("CREATE TABLE doctors (name text PRIMARY KEY, on_call bool)").unwrap_tag();
    host.client().run("INSERT INTO doctors VALUES ('a', true), ('b', true)").unwrap_tag();
    let (mut a, mut b) = (host.client(), host.client());
    let leave = |client: &mut Client, name: &str| {
        client.run("BEGIN ISOLATION LEVEL SERIALIZABLE").unwrap_tag();
        let count = client.run("SELECT count(*) FROM doctors WHERE on_call").unwrap_value();
        assert_eq!(count, "2");
        format!("UPDATE doctors SET on_call = false WHERE name = '{name}'")
    };
    let (first, second) = (leave(&mut a, "a"), leave(&mut b, "b"));
    let outcomes = [a.run(&first), b.run(&second), a.run("COMMIT"), b.run("COMMIT")];
    let failed = outcomes.iter().filter(|outcome| outcome.state() == Some("40001"));
    assert_eq!(failed.count(), 1, "{outcomes:?}");
    let left = host.client().run("SELECT count(*) FROM doctors WHERE on_call").unwrap_value();
    assert_eq!(left, "1");
}
