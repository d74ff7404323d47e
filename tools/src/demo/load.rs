//! Fills an empty database: tables, rows by COPY over a few connections, indexes, statistics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::SinkExt;
use indicatif::ProgressBar;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::rows::{Source, TABLES, Table};
use super::{Dataset, Error, Result, schema};

/// Rows of one COPY, which is one transaction.
const CHUNK_ROWS: u64 = 10_000;

/// How many steps of a progress bar a load takes: one per row, and then some per index.
pub fn steps(dataset: &Dataset) -> u64 {
    let rows = TABLES.iter().map(|table| (table.count)(dataset));
    rows.sum::<u64>() + schema::INDEXES.len() as u64 * index_steps(dataset)
}

/// An index takes about as long as so many rows.
fn index_steps(dataset: &Dataset) -> u64 {
    dataset.urls() / 10
}

/// Fills the database that the clients are connected to.
///
/// # Errors
/// What the server says.
pub async fn load(clients: &[Arc<Client>], dataset: Dataset, bar: &ProgressBar) -> Result<()> {
    let first = clients.first().ok_or_else(|| Error::new("a load needs a connection"))?;
    first.batch_execute(schema::TABLES).await?;
    let source = Arc::new(Source::new(dataset));
    for table in &TABLES {
        bar.set_message(table.name);
        fill(clients, table, &source, bar).await?;
    }
    for (name, statement) in schema::INDEXES {
        bar.set_message(name);
        first.batch_execute(statement).await?;
        bar.inc(index_steps(&dataset));
    }
    bar.set_message("statistics");
    first.batch_execute(schema::IDENTITIES).await?;
    first.batch_execute("ANALYZE").await?;
    mark(first, &dataset).await
}

/// Writes down that the data set is complete.
async fn mark(client: &Client, dataset: &Dataset) -> Result<()> {
    client.batch_execute(schema::MARK).await?;
    let seed = dataset.seed.cast_signed();
    let params: [&(dyn ToSql + Sync); 2] = [&dataset.scale, &seed];
    client.execute("INSERT INTO demo VALUES ($1, $2, now())", &params).await?;
    Ok(())
}

/// Makes a database; `false` when there is one of this name.
///
/// # Errors
/// What the server says.
pub async fn create_database(admin: &Client, name: &str) -> Result<bool> {
    match admin.batch_execute(&format!("CREATE DATABASE {name}")).await {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Which complete data set the database holds.
///
/// # Errors
/// What the server says, apart from there being none.
pub async fn loaded(client: &Client) -> Result<Option<Dataset>> {
    let row = match client.query_opt("SELECT scale, seed FROM demo", &[]).await {
        Ok(row) => row,
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => None,
        Err(error) => return Err(error.into()),
    };
    let dataset = |row: tokio_postgres::Row| Dataset {
        scale: row.get(0),
        seed: row.get::<_, i64>(1).cast_unsigned(),
    };
    Ok(row.map(dataset))
}

/// Fills one table, chunk by chunk, over all connections.
async fn fill(
    clients: &[Arc<Client>],
    table: &'static Table,
    source: &Arc<Source>,
    bar: &ProgressBar,
) -> Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for client in clients {
        let (client, source) = (client.clone(), source.clone());
        let (next, bar) = (next.clone(), bar.clone());
        tasks.spawn(async move {
            let count = (table.count)(&source.dataset);
            loop {
                let start = next.fetch_add(CHUNK_ROWS, Ordering::Relaxed);
                if start >= count {
                    return Ok::<_, Error>(());
                }
                let end = count.min(start + CHUNK_ROWS);
                copy(&client, table, &source, start..end).await?;
                bar.inc(end - start);
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Error::new(error.to_string()))??;
    }
    Ok(())
}

/// Copies some rows in one statement.
async fn copy(
    client: &Client,
    table: &Table,
    source: &Source,
    rows: std::ops::Range<u64>,
) -> Result<()> {
    /// What one message holds: large enough that messages do not matter.
    const MESSAGE_LEN: usize = 64 << 10;
    let mut sink = std::pin::pin!(client.copy_in(table.copy).await?);
    let mut lines = String::with_capacity(MESSAGE_LEN + 1024);
    for row in rows {
        (table.write)(source, row, &mut lines);
        if lines.len() >= MESSAGE_LEN {
            sink.send(bytes::Bytes::copy_from_slice(lines.as_bytes())).await?;
            lines.clear();
        }
    }
    sink.send(bytes::Bytes::from(lines.into_bytes())).await?;
    sink.finish().await?;
    Ok(())
}
