//! Golden scripts of one or more sessions: statements in, answers out.
//!
//! ```text
//! -- A comment says what the next step shows.
//! s1> SELECT seat FROM seats
//!     WHERE seat = 1 FOR UPDATE;
//!   seat bigint
//!   1
//!   SELECT 1
//!
//! s2> UPDATE seats SET holder = 'b' WHERE seat = 1;
//!   (waits)
//!
//! s1> COMMIT;
//!   COMMIT
//!   s2: UPDATE 0
//! ```
//! A statement ends with a semicolon at the end of a line. What is indented by two spaces after it
//! is its answer; what other sessions were waiting for and got is marked with their names.
//! A statement waits when the server says so (`pg_blocking_pids`): no clock is involved.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::client::{Address, Client, Protocol};
use crate::differences::{self, Difference};
use crate::host::Host;
use crate::outcome::{Outcome, print_value};
use crate::reference::Reference;

/// How often to ask whether a statement waits for a lock.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// How often at most: a minute of neither answering nor waiting is a failure.
const LOOKS_MAX: usize = 30_000;

/// Runs a script and compares it with what it says; with a reference, writes what it answers.
///
/// # Errors
/// All differences, when there are more than are known of the script.
pub fn check(name: &str, path: &Path) -> Result<(), String> {
    let script = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    if let Some(reference) = Reference::from_environment() {
        let answered = run(&script, reference.address());
        return std::fs::write(path, answered).map_err(|error| error.to_string());
    }
    let host = Host::start();
    let answered = run(&script, &host.address());
    differences::judge(name, &compare(&script, &answered))
}

/// Statements that were answered otherwise than the script says.
fn compare(expected: &str, actual: &str) -> Vec<Difference> {
    let (expected, actual) = (paragraphs(expected), paragraphs(actual));
    assert_eq!(expected.len(), actual.len(), "a blank line after every answer, and only there");
    let pairs = expected.into_iter().zip(actual);
    pairs.filter(|(expected, actual)| expected != actual).map(difference).collect()
}

/// Its report marks with `-` what the script says, with `+` what was answered.
fn difference((expected, actual): (Vec<&str>, Vec<&str>)) -> Difference {
    let marked = expected.iter().map(|line| {
        let mark = if actual.contains(line) { ' ' } else { '-' };
        format!("{mark} {line}\n")
    });
    let news = actual.iter().filter(|line| !expected.contains(line));
    let report: String = marked.chain(news.map(|line| format!("+ {line}\n"))).collect();
    Difference { statement: statement(&expected), report }
}

/// What a paragraph asks, without its comment, its session and its answer.
fn statement(paragraph: &[&str]) -> String {
    let asked = paragraph.iter().skip_while(|line| line.starts_with("--"));
    let text: String = asked.map(|line| format!("{line}\n")).collect();
    let end = text.find(";\n").unwrap_or(text.len());
    text[..end].split_once("> ").map_or(String::new(), |(_, statement)| statement.to_owned())
}

fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    text.trim_end().split("\n\n").map(|paragraph| paragraph.lines().collect()).collect()
}

/// One step of a script.
enum Step {
    Comment(String),
    Statement { session: String, text: String },
}

fn parse(script: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("--") {
            steps.push(Step::Comment(line.to_owned()));
        } else if let Some((session, first)) = line.split_once("> ")
            && session.chars().all(char::is_alphanumeric)
        {
            let mut text = first.to_owned();
            while !text.ends_with(';') {
                text.push('\n');
                text.push_str(lines.next().expect("a statement ends with a semicolon"));
            }
            steps.push(Step::Statement { session: session.to_owned(), text });
        }
    }
    steps
}

/// Runs a script and answers it with its answers.
fn run(script: &str, address: &Address) -> String {
    let mut stage = Stage::new(address);
    let mut out = String::new();
    for step in parse(script) {
        match step {
            Step::Comment(line) => {
                out.push_str(&line);
                out.push('\n');
            }
            Step::Statement { session, text } => {
                let _ = writeln!(out, "{session}> {text}");
                stage.speak(&session, &text, &mut out);
                out.push('\n');
            }
        }
    }
    let pending: Vec<String> = stage.waiting();
    assert!(pending.is_empty(), "still waiting at the end: {pending:?}");
    out.trim_end().to_owned() + "\n"
}

/// The sessions of a running script.
struct Stage {
    address: Address,
    monitor: Client,
    actors: BTreeMap<String, Actor>,
}

/// A session on a thread of its own.
struct Actor {
    process_id: i32,
    lines: Option<Sender<String>>,
    answers: Receiver<Outcome>,
    is_waiting: bool,
    thread: Option<JoinHandle<()>>,
}

impl Stage {
    fn new(address: &Address) -> Self {
        let monitor = connect(address);
        Self { address: address.clone(), monitor, actors: BTreeMap::new() }
    }

    /// One session says something; everything that it sets in motion comes to rest.
    fn speak(&mut self, session: &str, text: &str, out: &mut String) {
        let address = &self.address;
        let actor = self.actors.entry(session.to_owned()).or_insert_with(|| Actor::new(address));
        assert!(!actor.is_waiting, "{session} still waits");
        actor.say(text);
        match self.settle(session) {
            Some(outcome) => print(out, "", &outcome),
            None => out.push_str("  (waits)\n"),
        }
        for other in self.waiting() {
            if other != session
                && let Some(outcome) = self.settle(&other)
            {
                print(out, &format!("{other}: "), &outcome);
            }
        }
    }

    fn waiting(&self) -> Vec<String> {
        let waiting = self.actors.iter().filter(|(_, actor)| actor.is_waiting);
        waiting.map(|(name, _)| name.clone()).collect()
    }

    /// Until the session has answered or waits for another.
    fn settle(&mut self, session: &str) -> Option<Outcome> {
        let actor = self.actors.get_mut(session).expect("a known session");
        let blocked = format!("SELECT cardinality(pg_blocking_pids({})) > 0", actor.process_id);
        for _ in 0..LOOKS_MAX {
            match actor.answers.recv_timeout(LOOK_AGAIN) {
                Ok(outcome) => {
                    actor.is_waiting = false;
                    return Some(outcome);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.monitor.run(&blocked).unwrap_value() == "t" {
                        actor.is_waiting = true;
                        return None;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => panic!("session {session} broke"),
            }
        }
        panic!("session {session} neither answers nor waits");
    }
}

impl Actor {
    fn new(address: &Address) -> Self {
        let mut client = connect(address);
        let process_id = client.process_id;
        let (lines, heard) = channel::<String>();
        let (answer, answers) = channel();
        let thread = std::thread::spawn(move || {
            for line in heard {
                if answer.send(client.run(&line)).is_err() {
                    return;
                }
            }
        });
        let thread = Some(thread);
        Self { process_id, lines: Some(lines), answers, is_waiting: false, thread }
    }

    fn say(&self, text: &str) {
        let lines = self.lines.as_ref().expect("open until dropped");
        lines.send(text.to_owned()).expect("a session that listens");
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        drop(self.lines.take());
        // One that still waits ends with the server.
        if let Some(thread) = self.thread.take()
            && !self.is_waiting
            && !std::thread::panicking()
        {
            thread.join().expect("a session that did not panic");
        }
    }
}

fn connect(address: &Address) -> Client {
    Client::connect(address, Protocol::Simple).expect("a connection")
}

fn print(out: &mut String, prefix: &str, outcome: &Outcome) {
    let mut line = |text: &str| {
        let _ = writeln!(out, "  {prefix}{text}");
    };
    for notice in &outcome.notices {
        notice.to_string().lines().for_each(&mut line);
    }
    if !outcome.columns.is_empty() {
        let heads = outcome.columns.iter().map(|column| format!("{} {}", column.name, column.ty));
        line(&heads.collect::<Vec<_>>().join(" | "));
    }
    for row in &outcome.rows {
        let values = row.iter().map(|value| print_value(value.as_ref()));
        line(&values.collect::<Vec<_>>().join(" | "));
    }
    if let Some(error) = &outcome.error {
        error.to_string().lines().for_each(&mut line);
    }
    // Of a statement that failed, the tag would be another's.
    if let (Some(tag), None) = (&outcome.tag, &outcome.error) {
        line(tag);
    }
}
