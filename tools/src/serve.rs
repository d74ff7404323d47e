//! `cairn serve`: a data directory over the Postgres protocol.

use std::net::SocketAddr;
use std::path::PathBuf;

use cairn::say;
use cairn_engine::Options;
use cairn_query::Database;
use cairn_server::{Server, ServerOptions};
use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::Failure;

/// Threads for what blocks, beside one per connection: background work of the engine.
const EXTRA_THREADS: usize = 64;

/// Serves a data directory.
#[derive(Args)]
pub struct Serve {
    /// The data directory; it is made when there is none
    #[arg(long, value_name = "DIR", default_value = "./cairn-data")]
    data: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5433")]
    listen: String,
    /// How many clients may be connected at once
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_connections: usize,
    /// Lets clients in from other machines; they need a password
    #[arg(long)]
    allow_remote: bool,
    /// Copies the log into this directory, piece by piece, for `cairn recover`
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
}

impl Serve {
    /// Serves until SIGINT or SIGTERM.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
        self.check()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            // A connection that waits for a lock occupies a thread: with one for each, the one
            // that holds the lock can always run.
            .max_blocking_threads(self.max_connections.saturating_add(EXTRA_THREADS))
            .build()
            .map_err(|error| Failure::runtime(format!("could not start threads: {error}")))?;
        runtime.block_on(self.serve())
    }

    fn check(&self) -> Result<(), Failure> {
        let has_port = self
            .listen
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !has_port {
            let message = format!("--listen takes HOST:PORT, not \"{}\"", self.listen);
            return Err(Failure::usage(message));
        }
        if self.max_connections == 0 {
            return Err(Failure::usage("--max-connections must be at least 1"));
        }
        Ok(())
    }

    async fn serve(&self) -> Result<(), Failure> {
        let shutdown = shutdown_signal()?;
        let engine = Options { wal_archive: self.archive.clone(), ..Options::default() };
        let database = Database::open(&self.data, engine).map_err(|error| {
            let data = self.data.display();
            Failure::runtime(format!("could not open {data}: {}", error.message()))
        })?;
        let options = ServerOptions {
            connections_max: self.max_connections,
            allows_remote: self.allow_remote,
        };
        let server = Server::bind(database, &self.listen, options).await.map_err(|error| {
            Failure::runtime(format!("could not listen on {}: {error}", self.listen))
        })?;
        let address = server.local_addr().map_err(|error| {
            Failure::runtime(format!("could not listen on {}: {error}", self.listen))
        })?;
        say!("cairn is ready: psql {}", url(address));
        server.run(shutdown).await;
        Ok(())
    }
}

/// The URL that reaches a server at this address.
fn url(address: SocketAddr) -> String {
    let port = address.port();
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
            format!("postgres://cairn@127.0.0.1:{port}/cairn")
        }
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            format!("postgres://cairn@[::1]:{port}/cairn")
        }
        address => format!("postgres://cairn@{address}/cairn"),
    }
}

/// Done when the process is asked to end.
fn shutdown_signal() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| {
        signal(kind).map_err(|error| Failure::runtime(format!("no signal handler: {error}")))
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => tracing::info!("interrupted: shutting down"),
            _ = terminate.recv() => tracing::info!("asked to end: shutting down"),
        }
    })
}
