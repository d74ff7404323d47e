//! Many users at once, for a while: how often, and how long each time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::{Client, Error, Operation, Result, Sale};

/// Latencies up to a minute, to three digits.
const LATENCY_US_MAX: u64 = 60_000_000;

/// What came of it.
#[derive(Clone, Debug)]
pub struct Measured {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    latencies_us: Histogram<u64>,
}

impl Measured {
    fn new() -> Result<Self> {
        let latencies_us = Histogram::new_with_max(LATENCY_US_MAX, 3)
            .map_err(|error| Error::new(error.to_string()))?;
        Ok(Self { elapsed: Duration::ZERO, latencies_us })
    }

    /// How many operations were done.
    pub fn count(&self) -> u64 {
        self.latencies_us.len()
    }

    /// Operations per second.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn per_second(&self) -> f64 {
        self.count() as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// The latency that this share of operations did not exceed.
    pub fn latency(&self, share: f64) -> Duration {
        Duration::from_micros(self.latencies_us.value_at_quantile(share))
    }

    /// Adds another round of the same.
    ///
    /// # Errors
    /// None in practice: all have the same bounds.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        self.elapsed += other.elapsed;
        self.take_in(&other.latencies_us)
    }

    fn take_in(&mut self, latencies_us: &Histogram<u64>) -> Result<()> {
        self.latencies_us.add(latencies_us).map_err(|error| Error::new(error.to_string()))
    }
}

/// Lets all clients do the same thing over and over until the time is up, or all seats are sold.
///
/// # Errors
/// The first that a client meets.
pub async fn measure(
    clients: &mut Vec<Client>,
    operation: Operation,
    sale: &Arc<Sale>,
    time: Duration,
) -> Result<Measured> {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for client in clients.drain(..) {
        tasks.spawn(repeat(client, operation, sale.clone(), began + time));
    }
    let mut total = Measured::new()?;
    while let Some(ended) = tasks.join_next().await {
        let (client, measured) = ended.map_err(|error| Error::new(error.to_string()))??;
        total.take_in(&measured.latencies_us)?;
        clients.push(client);
    }
    total.elapsed = began.elapsed();
    Ok(total)
}

async fn repeat(
    mut client: Client,
    operation: Operation,
    sale: Arc<Sale>,
    end: Instant,
) -> Result<(Client, Measured)> {
    let mut measured = Measured::new()?;
    let mut began = Instant::now();
    while began < end && client.run(operation, &sale).await? {
        let now = Instant::now();
        let latency_us = u64::try_from((now - began).as_micros()).unwrap_or(u64::MAX);
        measured.latencies_us.saturating_record(latency_us);
        began = now;
    }
    Ok((client, measured))
}
