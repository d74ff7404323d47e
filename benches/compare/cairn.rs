//! Cairn in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cairn::demo::local::connect;
use cairn::demo::{Error, Result};

use crate::contestant::Contestant;

/// The database that the data is in.
pub(crate) const DATABASE: &str = "demo";

/// A `cairn serve` that was started here and ends with this value.
pub(crate) struct Cairn {
    child: Child,
    url: String,
}

impl Cairn {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(program: &Path, data: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("serve").arg("--listen").arg("127.0.0.1:0").arg("--data").arg(data);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.env("RUST_LOG", "warn").spawn()?;
        let output = child.stdout.take().ok_or_else(|| Error::new("no output of cairn"))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        let server = Self { child, url };
        if !server.url.starts_with("postgres://") {
            return Err(Error::new(format!("cairn did not start: {line}")));
        }
        Ok(server)
    }

    /// Starts it and asks something: how long that takes together.
    pub(crate) async fn time_to_open(program: &Path, data: &Path) -> Result<Duration> {
        let began = Instant::now();
        let server = Self::start(program, data)?;
        connect(&server.url_of(DATABASE))
            .await?
            .query_one("SELECT count(*) FROM demo", &[])
            .await?;
        Ok(began.elapsed())
    }

    /// The URL of one of its databases.
    pub(crate) fn url_of(&self, database: &str) -> String {
        let server = self.url.rsplit_once('/').map_or("", |(server, _)| server);
        format!("{server}/{database}")
    }

    pub(crate) fn contestant(&self) -> Contestant {
        Contestant { name: "Cairn".to_owned(), url: self.url_of(DATABASE), pid: self.child.id() }
    }
}

impl Drop for Cairn {
    /// Asks it to end, so that it closes its directory, and waits.
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        if !Command::new("kill").arg(&pid).status().is_ok_and(|status| status.success()) {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

/// The program: as told, or built and beside this one.
pub(crate) fn program(told: Option<&Path>) -> Result<PathBuf> {
    if let Some(told) = told {
        return Ok(told.to_owned());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = ["build", "--release", "--package", "cairn", "--bin", "cairn"];
    if !Command::new(cargo).args(build).status()?.success() {
        return Err(Error::new("cairn could not be built"));
    }
    Ok(std::env::current_exe()?.with_file_name("cairn"))
}
