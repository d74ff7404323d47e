//! Postgres: one that runs already, or a private one on a directory of this run.

use std::path::{Path, PathBuf};
use std::process::Command;

use cairn::demo::local::connect;
use cairn::demo::{Error, Result};
use cairn_benches::process;
use tempfile::TempDir;

use crate::contestant::Contestant;

/// The database that is made for the run, and dropped.
const DATABASE: &str = "cairn_compare";

/// As durable as Cairn; a quarter gigabyte more cache than it has.
const SETTINGS: [&str; 8] = [
    "listen_addresses=127.0.0.1",
    "shared_buffers=512MB",
    "fsync=on",
    "synchronous_commit=on",
    "max_wal_size=4GB",
    "maintenance_work_mem=256MB",
    "effective_cache_size=4GB",
    "jit=off",
];

/// A Postgres to compare with.
pub(crate) struct Postgres {
    /// The URL of a superuser in the database `postgres`.
    admin: String,
    /// Held until the end of the run.
    _private: Option<Private>,
}

/// One that was started here.
struct Private {
    programs: PathBuf,
    dir: TempDir,
}

impl Postgres {
    /// One that runs.
    pub(crate) fn running(url: &str) -> Self {
        Self { admin: url.to_owned(), _private: None }
    }

    /// Starts one of our own, if Postgres is installed.
    pub(crate) fn start() -> Result<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let dir = tempfile::Builder::new().prefix("cairn-compare-").tempdir()?;
        let private = Private { programs, dir };
        let port = free_port()?;
        private.initialize()?;
        private.serve(port)?;
        let admin = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        Ok(Some(Self { admin, _private: Some(private) }))
    }

    /// Makes the database and finds the process.
    pub(crate) async fn contestant(&self) -> Result<Contestant> {
        let admin = connect(&self.admin).await?;
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {DATABASE}")).await?;
        admin.batch_execute(&format!("CREATE DATABASE {DATABASE}")).await?;
        let version: String = admin.query_one("SHOW server_version", &[]).await?.get(0);
        let version = version.split(' ').next().unwrap_or_default();
        let backend: i32 = admin.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        let url = self.url();
        let client = connect(&url).await?;
        client.batch_execute("CREATE EXTENSION IF NOT EXISTS postgis").await?;
        let pid = process::parent(backend.unsigned_abs())?;
        Ok(Contestant { name: format!("Postgres {version}"), url, pid })
    }

    /// Drops the database; the directory goes with the server.
    pub(crate) async fn finish(self) -> Result<()> {
        let drop = format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)");
        connect(&self.admin).await?.batch_execute(&drop).await?;
        Ok(())
    }

    fn url(&self) -> String {
        let server = self.admin.rsplit_once('/').map_or(self.admin.as_str(), |(server, _)| server);
        format!("{server}/{DATABASE}")
    }
}

impl Private {
    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn initialize(&self) -> Result<()> {
        if is_root() {
            succeed(Command::new("chown").arg("postgres").arg(self.dir.path()))?;
        }
        let mut initdb = self.program("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        succeed(initdb.arg("--pgdata").arg(self.data()))
    }

    fn serve(&self, port: u16) -> Result<()> {
        let socket = format!("unix_socket_directories={}", self.dir.path().display());
        let port = format!("port={port}");
        let settings = SETTINGS.iter().copied().chain([socket.as_str(), port.as_str()]);
        let options = settings.map(|setting| format!("-c {setting}")).collect::<Vec<_>>().join(" ");
        let mut pg_ctl = self.program("pg_ctl");
        pg_ctl.arg("--pgdata").arg(self.data()).args(["--wait", "--silent", "--options", &options]);
        succeed(pg_ctl.arg("--log").arg(self.dir.path().join("log")).arg("start"))
    }

    /// Postgres refuses to be root: then it is the user `postgres`.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let mut pg_ctl = self.program("pg_ctl");
        pg_ctl.arg("--pgdata").arg(self.data()).args(["--mode=fast", "--silent", "--wait", "stop"]);
        if let Err(error) = succeed(&mut pg_ctl) {
            eprintln!("compare: {error}");
        }
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let program = command.get_program().to_string_lossy();
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!("{program} failed: {}", reason.trim())))
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Where `initdb` and its kind are.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut dirs: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    dirs.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    dirs.extend(std::env::split_paths(&path));
    dirs.into_iter().find(|dir| is_complete(dir))
}

fn is_complete(dir: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|name| dir.join(name).is_file())
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}
