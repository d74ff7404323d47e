//! The database of one test.
//!
//! It is in memory, listens on a port that the system chooses, and is checked when the test is
//! over: every index is compared with the rows it was made from.

use std::net::{Ipv4Addr, SocketAddr};

use cairn_query::Database;
use cairn_server::{Server, ServerOptions};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Address, Client, Protocol};

/// Threads that run connections; those that wait for locks need others in their place.
const THREADS_MAX: usize = 512;

/// A server and its database.
pub struct Host {
    database: Database,
    runtime: Option<Runtime>,
    socket: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Host {
    /// Starts a server on an empty database in memory.
    ///
    /// # Panics
    /// When the machine does not let it.
    pub fn start() -> Self {
        Self::serve(Database::in_memory().expect("a database in memory"))
    }

    /// Serves a database.
    ///
    /// # Panics
    /// When the machine does not let it.
    pub fn serve(database: Database) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).max_blocking_threads(THREADS_MAX).enable_all();
        let runtime = runtime.build().expect("threads");
        let options = ServerOptions::default();
        let bound = runtime.block_on(Server::bind(database.clone(), "127.0.0.1:0", options));
        let server = bound.expect("a free port");
        let socket = SocketAddr::from((
            Ipv4Addr::LOCALHOST,
            server.local_addr().expect("an address").port(),
        ));
        let (stop, stopped) = oneshot::channel::<()>();
        let task = runtime.spawn(server.run(async {
            // An error is a host that is gone: stop as well.
            let _ = stopped.await;
        }));
        Self { database, runtime: Some(runtime), socket, stop: Some(stop), task: Some(task) }
    }

    /// The database behind the server.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The threads of the server, for clients that are asynchronous themselves.
    ///
    /// # Panics
    /// Never: it is there until the host goes.
    pub fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("there until dropped")
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        Address { socket: self.socket, user: "cairn".into(), database: "cairn".into() }
    }

    /// Connects.
    ///
    /// # Panics
    /// When it is refused.
    pub fn client(&self) -> Client {
        Client::connect(&self.address(), Protocol::Simple).expect("a connection")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let (Some(runtime), Some(task)) = (self.runtime.take(), self.task.take()) {
            let ended = runtime.block_on(task);
            assert!(ended.is_ok() || std::thread::panicking(), "the server panicked: {ended:?}");
        }
        if !std::thread::panicking() {
            check(&self.database);
        }
    }
}

/// What must hold of every database when its test is over.
///
/// # Panics
/// When an index and its rows disagree.
pub fn check(database: &Database) {
    let findings = database.engine().verify_indexes().expect("readable indexes");
    assert!(findings.is_empty(), "indexes and rows disagree: {findings:#?}");
}
