//! Running the program, and the data directory that most tests look at.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// What the program said.
pub struct Said {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs the program to its end.
pub fn cairn(arguments: &[&str]) -> Said {
    cairn_reading(arguments, "")
}

/// Runs the program to its end with `input` to read.
pub fn cairn_reading(arguments: &[&str], input: &str) -> Said {
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A program that refuses does not read.
        scope.spawn(move || drop(pipe.write_all(input.as_bytes())));
        child.wait_with_output().unwrap().into()
    })
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A server of its own process, killed when dropped.
pub struct Serving {
    child: Child,
    pub port: u16,
}

impl Serving {
    /// Serves a directory on a free port, and waits until it listens.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same, with further options.
    pub fn start_with(data: &Path, options: &[&str]) -> Self {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", text(data)];
        let arguments = [&arguments[..], options].concat();
        let mut child = command(&arguments).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next());
        let port = port.and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no address in {line:?}"));
        Self { child, port }
    }

    /// Asks it to end, and waits; its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("sh").args(["-c", "kill -TERM $0", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A path that is UTF-8.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Tables with an index of every kind, and rows in them.
const TABLES: &str = "
    CREATE TABLE places (id int PRIMARY KEY, name text UNIQUE, price int CHECK (price > 0),
        spot geography(Point, 4326),
        doc tsvector GENERATED ALWAYS AS (to_tsvector('english', name)) STORED);
    CREATE INDEX places_price ON places (price);
    CREATE INDEX places_spot ON places USING gist (spot);
    CREATE INDEX places_doc ON places USING gin (doc);
    INSERT INTO places (id, name, price, spot) SELECT n, 'harbour place ' || n, 1 + n % 7,
        ST_MakePoint(n % 90, n % 45)::geography FROM generate_series(1, 2000) n;";
const MORE_ROWS: &str = "INSERT INTO places (id, name, price, spot)
    SELECT n, 'late ' || n, 3, ST_MakePoint(1, 2)::geography FROM generate_series(3001, 3020) n;
    DELETE FROM places WHERE id % 3 = 0;";

/// A closed data directory with every kind of file: sstables, segments, and commits in the log.
pub struct Filled {
    _dir: tempfile::TempDir,
    pub data: PathBuf,
}

impl Filled {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let filled = Self { _dir: dir, data };
        filled.must(&["restore"], TABLES);
        filled.must(&["compact"], "");
        filled.must(&["restore"], MORE_ROWS);
        filled
    }

    /// Runs a tool on the directory; it must succeed.
    pub fn must(&self, arguments: &[&str], input: &str) -> String {
        let said = self.run(arguments, input);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}{}", said.out, said.err);
        said.out
    }

    /// Runs a tool on the directory whose output nobody reads.
    pub fn unread(&self, tool: &str) -> Said {
        let mut child = command(&[tool, text(&self.data)]).spawn().unwrap();
        drop(child.stdout.take());
        child.wait_with_output().unwrap().into()
    }

    /// Runs a tool on the directory.
    pub fn run(&self, arguments: &[&str], input: &str) -> Said {
        let mut all = arguments.to_vec();
        all.push(text(&self.data));
        cairn_reading(&all, input)
    }
}
