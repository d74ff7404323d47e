//! One user with a connection of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use super::rows::business;
use super::rows::url::short_code;
use super::{Dataset, Draw, Error, FIRST_EVENT, Operation, Result};

/// What tells the draws of users from those of rows.
const TAG: u64 = 100;

const REDIRECT: &str = "SELECT original_url FROM urls WHERE short_code = $1 \
     AND (expires_at IS NULL OR expires_at > now())";
const NEXT_ID: &str = "SELECT nextval(pg_get_serial_sequence('urls', 'id'))";
const SHORTEN: &str =
    "INSERT INTO urls (id, short_code, original_url) VALUES ($1, $2, $3) RETURNING short_code";
const CLICK: &str = "UPDATE urls SET clicks = clicks + 1 WHERE short_code = $1";
const HOLD: &str = "UPDATE seats SET status = 'held', user_id = $3, \
       hold_expires_at = now() + interval '10 minutes', version = version + 1 \
     WHERE event_id = $1 AND seat_id = $2 AND version = 0 AND status = 'available' \
     RETURNING version";
const RESERVE: &str = "UPDATE seats SET status = 'reserved', hold_expires_at = NULL, \
       version = version + 1 \
     WHERE event_id = $1 AND seat_id = $2 AND status = 'held' AND user_id = $3 \
       AND hold_expires_at > now()";
const BOOK: &str = "INSERT INTO bookings \
       (event_id, seat_id, user_id, payment_id, idempotency_key) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (idempotency_key) DO NOTHING";
const SEARCH: &str = "SELECT id, name, m, ts_rank(doc, q) AS text \
     FROM (SELECT b.*, ST_Distance(b.geog, ST_MakePoint($1, $2)::geography) AS m \
           FROM businesses b \
           WHERE ST_DWithin(b.geog, ST_MakePoint($1, $2)::geography, 5000)) b, \
       websearch_to_tsquery('english', $3) q \
     WHERE doc @@ q AND price_level <= 2 \
     ORDER BY 0.5 * ts_rank(doc, q) \
       + 0.3 * COALESCE(rating_sum::real / NULLIF(rating_count, 0), 0) / 5 \
       + 0.1 * popularity - 0.1 * m / 5000 DESC \
     LIMIT 20";
const NEAREST: &str =
    "SELECT id, name FROM businesses ORDER BY geog <-> ST_MakePoint($1, $2)::geography LIMIT 10";
const RANK: &str = "SELECT id, name, ts_rank(doc, q) AS rank \
     FROM businesses, websearch_to_tsquery('english', $1) q \
     WHERE doc @@ q ORDER BY rank DESC LIMIT 10";

/// The seats of one event, sold one by one.
#[derive(Debug)]
pub struct Sale {
    event: i64,
    seats: u64,
    sold: AtomicU64,
}

impl Sale {
    /// The next seat, if there is one left.
    fn next_seat(&self) -> Option<i64> {
        let sold = self.sold.fetch_add(1, Ordering::Relaxed);
        (sold < self.seats).then(|| i64::try_from(sold + 1).ok()).flatten()
    }
}

/// An event of which no seat is sold yet: the newest one, or one more like the first.
///
/// # Errors
/// What the server says.
pub async fn fresh_sale(db: &tokio_postgres::Client, dataset: &Dataset) -> Result<Arc<Sale>> {
    let newest = "SELECT event_id, \
                  (SELECT count(*) FROM bookings b WHERE b.event_id = e.event_id) \
                  FROM events e ORDER BY event_id DESC LIMIT 1";
    let newest = db.query_one(newest, &[]).await?;
    let (mut event, sold): (i64, i64) = (newest.get(0), newest.get(1));
    if sold > 0 {
        event += 1;
        let copy = format!(
            "INSERT INTO events SELECT {event}, name, venue, starts_at FROM events \
               WHERE event_id = {FIRST_EVENT}; \
             INSERT INTO seats (event_id, seat_id, section, price) \
               SELECT {event}, seat_id, section, price FROM seats WHERE event_id = {FIRST_EVENT}"
        );
        db.batch_execute(&copy).await?;
    }
    Ok(Arc::new(Sale { event, seats: dataset.seats(), sold: AtomicU64::new(0) }))
}

/// One user.
pub struct Client {
    db: tokio_postgres::Client,
    prepared: Prepared,
    dataset: Dataset,
    draw: Draw,
    number: i64,
}

/// The statements of all operations.
struct Prepared {
    redirect: Statement,
    next_id: Statement,
    shorten: Statement,
    click: Statement,
    hold: Statement,
    reserve: Statement,
    book: Statement,
    search: Statement,
    nearest: Statement,
    rank: Statement,
}

impl Prepared {
    async fn new(db: &tokio_postgres::Client) -> Result<Self> {
        let (int, text, double) = (Type::INT8, Type::TEXT, Type::FLOAT8);
        let code = std::slice::from_ref(&Type::VARCHAR);
        let seat = [int.clone(), int.clone(), int.clone()];
        let shorten = [int.clone(), Type::VARCHAR, text.clone()];
        let book = [int.clone(), int.clone(), int, text.clone(), text.clone()];
        let near = [double.clone(), double.clone()];
        let search = [double.clone(), double, text.clone()];
        Ok(Self {
            redirect: db.prepare_typed(REDIRECT, code).await?,
            next_id: db.prepare(NEXT_ID).await?,
            shorten: db.prepare_typed(SHORTEN, &shorten).await?,
            click: db.prepare_typed(CLICK, code).await?,
            hold: db.prepare_typed(HOLD, &seat).await?,
            reserve: db.prepare_typed(RESERVE, &seat).await?,
            book: db.prepare_typed(BOOK, &book).await?,
            search: db.prepare_typed(SEARCH, &search).await?,
            nearest: db.prepare_typed(NEAREST, &near).await?,
            rank: db.prepare_typed(RANK, &[text]).await?,
        })
    }
}

impl Client {
    /// A user on a connection; `number` tells users apart.
    ///
    /// # Errors
    /// What the server says.
    pub async fn new(db: tokio_postgres::Client, dataset: Dataset, number: u32) -> Result<Self> {
        let prepared = Prepared::new(&db).await?;
        let draw = Draw::new(dataset.seed, TAG, u64::from(number));
        Ok(Self { db, prepared, dataset, draw, number: i64::from(number) })
    }

    /// Does one thing; `false` when it cannot be done any more, because all seats are sold.
    ///
    /// # Errors
    /// What the server says, and when it answers what cannot be.
    pub async fn run(&mut self, operation: Operation, sale: &Sale) -> Result<bool> {
        match operation {
            Operation::Redirect => self.redirect().await?,
            Operation::RedirectText => self.redirect_text().await?,
            Operation::Shorten => self.shorten().await?,
            Operation::Click => {
                let code = self.some_code();
                self.click(&code).await?;
            }
            Operation::HotRow => self.click(&short_code(1)).await?,
            Operation::Booking => return self.book(sale).await,
            Operation::Search => self.search().await?,
            Operation::Nearest => self.nearest().await?,
            Operation::Rank => self.rank().await?,
        }
        Ok(true)
    }

    async fn redirect(&mut self) -> Result<()> {
        let code = self.some_code();
        let rows = self.db.query(&self.prepared.redirect, &[&code]).await?;
        expect(rows.len() == 1, "a short code has no URL")
    }

    async fn redirect_text(&mut self) -> Result<()> {
        let text = REDIRECT.replace("$1", &format!("'{}'", self.some_code()));
        let messages = self.db.simple_query(&text).await?;
        let is_row = |m: &&tokio_postgres::SimpleQueryMessage| {
            matches!(m, tokio_postgres::SimpleQueryMessage::Row(_))
        };
        expect(messages.iter().filter(is_row).count() == 1, "a short code has no URL")
    }

    async fn shorten(&mut self) -> Result<()> {
        let id: i64 = self.db.query_one(&self.prepared.next_id, &[]).await?.get(0);
        let code = short_code(id.unsigned_abs());
        let url = format!("https://example.com/fresh/{:x}", self.draw.bits());
        let row = self.db.query_one(&self.prepared.shorten, &[&id, &code, &url]).await?;
        expect(row.get::<_, &str>(0) == code, "a URL got another code")
    }

    async fn click(&mut self, code: &str) -> Result<()> {
        let count = self.db.execute(&self.prepared.click, &[&code]).await?;
        expect(count == 1, "a click was not counted")
    }

    async fn book(&mut self, sale: &Sale) -> Result<bool> {
        let Some(seat) = sale.next_seat() else { return Ok(false) };
        let (event, user) = (sale.event, self.number);
        let held = self.db.query(&self.prepared.hold, &[&event, &seat, &user]).await?;
        expect(held.len() == 1, "a free seat could not be held")?;
        let (payment, key) = (format!("pay-{seat}"), format!("sale-{event}-{seat}"));
        let txn = self.db.transaction().await?;
        let reserved = txn.execute(&self.prepared.reserve, &[&event, &seat, &user]).await?;
        let booked =
            txn.execute(&self.prepared.book, &[&event, &seat, &user, &payment, &key]).await?;
        txn.commit().await?;
        expect(reserved == 1 && booked == 1, "a held seat could not be booked")?;
        Ok(true)
    }

    async fn search(&mut self) -> Result<()> {
        let (_, longitude, latitude) = business::place(&mut self.draw);
        let word = business::kind(&mut self.draw).to_lowercase();
        let rows = self.db.query(&self.prepared.search, &[&longitude, &latitude, &word]).await?;
        expect(rows.len() <= 20, "a page has more than 20 rows")
    }

    async fn nearest(&mut self) -> Result<()> {
        let (_, longitude, latitude) = business::place(&mut self.draw);
        let rows = self.db.query(&self.prepared.nearest, &[&longitude, &latitude]).await?;
        expect(rows.len() == self.page(), "there are not ten nearest businesses")
    }

    async fn rank(&mut self) -> Result<()> {
        let word = business::kind(&mut self.draw).to_lowercase();
        let rows = self.db.query(&self.prepared.rank, &[&word]).await?;
        expect(rows.len() <= self.page(), "a page has more than ten rows")
    }

    /// The code of a URL of the data set: a few are asked for far more often, and they are not
    /// neighbours.
    fn some_code(&mut self) -> String {
        /// Coprime to every count that has no such large prime factor.
        const SPREAD: u64 = 7_368_787;
        let count = self.dataset.urls();
        short_code(1 + self.draw.skewed_below(count).wrapping_mul(SPREAD) % count)
    }

    fn page(&self) -> usize {
        usize::try_from(self.dataset.businesses()).unwrap_or(usize::MAX).min(10)
    }
}

fn expect(holds: bool, otherwise: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::new(otherwise)) }
}
