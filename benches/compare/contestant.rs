//! One of the servers: where it is, and its processes.

use std::time::Duration;

use cairn::demo::local::connect;
use cairn::demo::{Client, Dataset, Result};
use cairn_benches::process;

/// A running server with an empty or loaded database of ours.
pub(crate) struct Contestant {
    /// How the table calls it.
    pub(crate) name: String,
    /// The URL of its database.
    pub(crate) url: String,
    /// The process that is the parent of all others of it, or the only one.
    pub(crate) pid: u32,
}

impl Contestant {
    pub(crate) async fn clients(&self, dataset: Dataset, count: u32) -> Result<Vec<Client>> {
        let mut clients = Vec::new();
        for number in 0..count {
            clients.push(Client::new(connect(&self.url).await?, dataset, number).await?);
        }
        Ok(clients)
    }

    pub(crate) fn processor_time(&self) -> Result<Duration> {
        process::processor_time(self.pid)
    }

    pub(crate) fn memory(&self) -> Result<u64> {
        process::memory(self.pid)
    }
}
