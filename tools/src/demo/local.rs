//! A server in this process, and connections to it.

use std::net::SocketAddr;
use std::path::Path;

use cairn_engine::Options;
use cairn_query::Database;
use cairn_server::{Server, ServerOptions};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;

use super::{Error, Result};

/// A server on a port that was free.
pub struct Local {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Local {
    /// Opens a data directory and serves it.
    ///
    /// Requires: a runtime with several threads.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub async fn start(data: &Path) -> Result<Self> {
        let database = Database::open(data, Options::default()).map_err(|error| {
            Error::new(format!("could not open {}: {}", data.display(), error.message()))
        })?;
        let server = Server::bind(database, "127.0.0.1:0", ServerOptions::default()).await?;
        let address = server.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async {
            // Dropping the other end stops the server as well.
            let _ = stopped.await;
        }));
        Ok(Self { address, stop, task })
    }

    /// How to connect to a database of it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://cairn@{}/{database}", self.address)
    }

    /// Ends all connections and closes the directory.
    ///
    /// # Errors
    /// When the server did not end well.
    pub async fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        self.task.await.map_err(|error| Error::new(error.to_string()))
    }
}

/// Connects to any server.
///
/// # Errors
/// When it is not there or does not want us.
pub async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // What ends the connection also ends the request that waits for it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}
