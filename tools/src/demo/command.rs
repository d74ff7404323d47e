//! The subcommand: loads the data set unless it is there, runs the workloads, says what is left.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::local::{Local, connect};
use super::operation::WORKLOADS;
use super::{Client, Dataset, Error, Result, fresh_sale, load, measure, report};

/// The database that the demo is in.
const DATABASE: &str = "demo";
/// Connections that load: one more than keeps a core busy.
const LOADERS: usize = 2;

/// Loads sample data and runs three workloads on it.
#[derive(Args)]
pub struct Demo {
    /// The data directory; it is made when there is none
    #[arg(long, value_name = "DIR", default_value = "./cairn-data")]
    data: PathBuf,
    /// How much data: 1 is 1,000,000 URLs, 50,000 seats, 200,000 businesses, 1,000,000 reviews
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = scale)]
    scale: f64,
    /// Seconds that each operation is run for
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = seconds)]
    seconds: f64,
    /// How many clients at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    clients: u32,
    /// Where random draws begin: another seed gives other data
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

fn scale(text: &str) -> std::result::Result<f64, String> {
    let scale = text.parse::<f64>().map_err(|error| error.to_string())?;
    Dataset::new(scale, 0).map(|dataset| dataset.scale).map_err(|error| error.to_string())
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    if seconds > 0.0 && seconds <= 3600.0 {
        return Ok(seconds);
    }
    Err("it must be above 0 and at most 3600".to_owned())
}

impl Demo {
    /// Runs the demo.
    ///
    /// # Errors
    /// When the directory holds something else, or the machine will not have it.
    pub fn run(&self) -> Result<()> {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(self.walk())
    }

    async fn walk(&self) -> Result<()> {
        let local = Local::start(&self.data).await?;
        let outcome = self.show(&local).await;
        local.stop().await?;
        outcome?;
        let data = self.data.display();
        crate::say!("\nThe data is yours to look at:");
        crate::say!("  cairn serve --data {data}");
        crate::say!("  psql postgres://cairn@127.0.0.1:5433/{DATABASE}");
        Ok(())
    }

    async fn show(&self, local: &Local) -> Result<()> {
        let dataset = Dataset::new(self.scale, self.seed)?;
        self.provide(local, dataset).await?;
        let url = local.url(DATABASE);
        let sale = fresh_sale(&connect(&url).await?, &dataset).await?;
        let mut clients = Vec::new();
        for number in 0..self.clients {
            clients.push(Client::new(connect(&url).await?, dataset, number).await?);
        }
        for workload in WORKLOADS {
            crate::say!("\n{}, {} clients\n{}", workload.name, self.clients, report::header());
            for &operation in workload.operations {
                let time = Duration::from_secs_f64(self.seconds);
                let measured = measure(&mut clients, operation, &sale, time).await?;
                crate::say!("{}", report::line(operation, &measured));
            }
        }
        Ok(())
    }

    /// Loads the data set, or finds it there.
    async fn provide(&self, local: &Local, dataset: Dataset) -> Result<()> {
        let data = self.data.display();
        let admin = connect(&local.url("cairn")).await?;
        if load::create_database(&admin, DATABASE).await? {
            return self.load(local, dataset).await;
        }
        match load::loaded(&connect(&local.url(DATABASE)).await?).await? {
            Some(found) if found == dataset => {
                crate::say!("{data} holds this data already: using it");
                Ok(())
            }
            Some(found) => Err(Error::new(format!(
                "{data} holds the demo at scale {} with seed {}; use these, or another directory",
                found.scale, found.seed
            ))),
            None => Err(Error::new(format!(
                "{data} has a database \"{DATABASE}\" that is no complete demo; drop it, or use \
                 another directory"
            ))),
        }
    }

    async fn load(&self, local: &Local, dataset: Dataset) -> Result<()> {
        let began = Instant::now();
        let url = local.url(DATABASE);
        let mut clients = Vec::new();
        for _ in 0..LOADERS {
            clients.push(Arc::new(connect(&url).await?));
        }
        let bar = progress_bar(load::steps(&dataset))?;
        load::load(&clients, dataset, &bar).await?;
        bar.finish_and_clear();
        crate::say!(
            "loaded {} URLs, an event with {} seats, {} businesses with {} reviews in {:.1} s",
            dataset.urls(),
            dataset.seats(),
            dataset.businesses(),
            dataset.reviews(),
            began.elapsed().as_secs_f64()
        );
        Ok(())
    }
}

/// A bar on standard error, where somebody may watch it.
fn progress_bar(steps: u64) -> Result<ProgressBar> {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr())
    } else {
        ProgressBar::hidden()
    };
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3}% {msg:<12} {elapsed} +{eta}")
        .map_err(|error| Error::new(error.to_string()))?;
    Ok(bar.with_style(style))
}
