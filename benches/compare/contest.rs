//! Loads both servers and lets them take turns.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn::demo::load::{create_database, load, loaded};
use cairn::demo::local::connect;
use cairn::demo::{Client, Dataset, Error, Measured, Operation, Result, fresh_sale, measure};
use indicatif::ProgressBar;

use crate::arguments::Arguments;
use crate::cairn::{Cairn, DATABASE, program};
use crate::contestant::Contestant;
use crate::postgres::Postgres;
use crate::table::{self, Line, Standing};

/// Connections that load.
const LOADERS: usize = 2;
/// What comes before the first round of each operation, so that caches and plans are warm.
const WARM_UP: Duration = Duration::from_millis(300);

/// A contestant with its clients and what came of them.
struct Corner {
    contestant: Contestant,
    clients: Vec<Client>,
    standing: Standing,
}

/// Holds the contest; the table.
pub(crate) async fn hold(arguments: &Arguments) -> Result<String> {
    let dataset = Dataset::new(arguments.scale, arguments.seed)?;
    let program = program(arguments.cairn.as_deref())?;
    let scratch = tempfile::Builder::new().prefix("cairn-compare-").tempdir()?;
    let data = arguments.data.clone().unwrap_or_else(|| scratch.path().join("data"));
    let postgres = rival(arguments)?;
    let cairn = Cairn::start(&program, &data)?;
    let mut corners = vec![cairn_corner(&cairn, dataset, arguments).await?];
    if let Some(postgres) = &postgres {
        let contestant = postgres.contestant().await?;
        corners.push(Corner::prepare(contestant, dataset, arguments.clients).await?);
    }
    let lines = rounds(&mut corners, dataset, arguments).await?;
    let mut standings: Vec<Standing> =
        corners.into_iter().map(Corner::leave).collect::<Result<_>>()?;
    drop(cairn);
    if let Some(postgres) = postgres {
        postgres.finish().await?;
    }
    open_again(&program, &data, &mut standings).await?;
    Ok(table::print(&lines, &standings))
}

fn rival(arguments: &Arguments) -> Result<Option<Postgres>> {
    if arguments.alone {
        return Ok(None);
    }
    match &arguments.postgres {
        Some(url) => Ok(Some(Postgres::running(url))),
        None => Postgres::start(),
    }
}

async fn open_again(program: &Path, data: &Path, standings: &mut [Standing]) -> Result<()> {
    if let Some(first) = standings.first_mut() {
        first.open = Some(Cairn::time_to_open(program, data).await?);
    }
    Ok(())
}

async fn cairn_corner(cairn: &Cairn, dataset: Dataset, arguments: &Arguments) -> Result<Corner> {
    let admin = connect(&cairn.url_of("cairn")).await?;
    create_database(&admin, DATABASE).await?;
    Corner::prepare(cairn.contestant(), dataset, arguments.clients).await
}

impl Corner {
    /// Loads the data, unless it is there, and connects.
    async fn prepare(contestant: Contestant, dataset: Dataset, clients: u32) -> Result<Self> {
        let mut loaders = Vec::new();
        for _ in 0..LOADERS {
            loaders.push(Arc::new(connect(&contestant.url).await?));
        }
        let (began, busy) = (Instant::now(), contestant.processor_time()?);
        let found = match loaders.first() {
            Some(first) => loaded(first).await?,
            None => None,
        };
        match found {
            Some(found) if found == dataset => {}
            Some(_) => return Err(Error::new("the directory holds another data set")),
            None => load(&loaders, dataset, &ProgressBar::hidden()).await?,
        }
        let standing = Standing {
            name: contestant.name.clone(),
            load: began.elapsed(),
            load_busy: contestant.processor_time()?.saturating_sub(busy),
            memory_loaded: contestant.memory()?,
            memory_after: 0,
            open: None,
        };
        eprintln!("{}: loaded in {:.1} s", contestant.name, standing.load.as_secs_f64());
        let clients = contestant.clients(dataset, clients).await?;
        Ok(Self { contestant, clients, standing })
    }

    /// One round: what was measured, and the processor time that the server took for it.
    async fn round(
        &mut self,
        operation: Operation,
        dataset: &Dataset,
        time: Duration,
    ) -> Result<(Measured, Duration)> {
        let admin = connect(&self.contestant.url).await?;
        let sale = fresh_sale(&admin, dataset).await?;
        let busy = self.contestant.processor_time()?;
        let measured = measure(&mut self.clients, operation, &sale, time).await?;
        Ok((measured, self.contestant.processor_time()?.saturating_sub(busy)))
    }

    fn leave(mut self) -> Result<Standing> {
        self.standing.memory_after = self.contestant.memory()?;
        Ok(self.standing)
    }
}

async fn rounds(
    corners: &mut [Corner],
    dataset: Dataset,
    arguments: &Arguments,
) -> Result<Vec<Line>> {
    let time = Duration::try_from_secs_f64(arguments.seconds)
        .map_err(|error| Error::new(error.to_string()))?;
    let mut lines = Vec::new();
    for operation in Operation::ALL {
        for corner in corners.iter_mut() {
            corner.round(operation, &dataset, WARM_UP).await?;
        }
        let mut line = Line::new(operation);
        for _ in 0..arguments.rounds.max(1) {
            for (position, corner) in corners.iter_mut().enumerate() {
                let (measured, busy) = corner.round(operation, &dataset, time).await?;
                line.add(position, measured, busy)?;
            }
        }
        eprintln!("{}", table::line(&line));
        lines.push(line);
    }
    Ok(lines)
}
