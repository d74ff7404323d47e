//! The server: listens, lets clients in, ends in an orderly way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cairn_query::{Database, Error, Result, Session, SqlState};
use pgwire::messages::Message;
use pgwire::messages::startup::{
    Authentication, BackendKeyData, NegotiateProtocolVersion, SecretKey,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::{self, Demand};
use crate::connection::Connection;
use crate::frontend::{self, Frontend, FrontendError};
use crate::outbox::Outbox;
use crate::report::{ErrorLevel, error_response};
use crate::startup::{self, FirstPacket, MINOR_VERSION, Startup};

/// How long a client may take to log in.
const LOGIN_TIME_MAX: Duration = Duration::from_secs(60);
/// How long connections get to end when the server does.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(10);
/// How long to rest after the system refused a connection (no file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Encryption requests before a startup packet: one for TLS, one for GSSAPI.
const ENCRYPTION_REQUESTS_MAX: usize = 2;

/// How a server serves.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// How many clients at once.
    pub connections_max: usize,
    /// Whether clients may come from other machines than this one. They need a password.
    pub allows_remote: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { connections_max: 10_000, allows_remote: false }
    }
}

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    gate: Arc<Gate>,
}

/// What every connection needs to get in.
struct Gate {
    database: Database,
    options: ServerOptions,
    places: Arc<Semaphore>,
}

impl Server {
    /// Begins to listen. Clients are served once [`Server::run`] is polled.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn bind(
        database: Database,
        address: &str,
        options: ServerOptions,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        // Waiting for a lock or the disk makes room for others on this thread.
        database.engine().set_blocking_hook(|work| tokio::task::block_in_place(work));
        let places = Arc::new(Semaphore::new(options.connections_max));
        Ok(Self { listener, gate: Arc::new(Gate { database, options, places }) })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is done; then ends all connections.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        tokio::spawn(serve(self.gate.clone(), stream, peer));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "could not accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                () = &mut shutdown => break,
            }
        }
        drop(self.listener);
        self.gate.end_all().await;
    }
}

impl Gate {
    /// Ends all connections and waits for them.
    async fn end_all(&self) {
        let all = u32::try_from(self.options.connections_max).unwrap_or(u32::MAX);
        let ended = self.places.acquire_many(all);
        tokio::pin!(ended);
        let deadline = tokio::time::Instant::now() + SHUTDOWN_TIME_MAX;
        loop {
            // Again and again: a client may have come in between.
            for backend in self.database.backends().all() {
                backend.terminate();
            }
            let pause = tokio::time::sleep(ACCEPT_PAUSE);
            tokio::select! {
                _ = &mut ended => return,
                () = pause => {}
            }
            if tokio::time::Instant::now() >= deadline {
                tracing::warn!("some connections did not end in time");
                return;
            }
        }
    }
}

/// Serves one connection from its first byte to its last.
async fn serve(gate: Arc<Gate>, stream: TcpStream, peer: SocketAddr) {
    // Responses leave whole: waiting for more to send would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let place = gate.places.clone().try_acquire_owned().ok();
    let login = Login { gate, stream, inbox: BytesMut::new(), peer, place };
    match tokio::time::timeout(LOGIN_TIME_MAX, login.run()).await {
        Ok(Some((mut connection, place))) => {
            connection.run().await;
            // The session goes first, so that a free place means a free backend.
            drop(connection);
            drop(place);
        }
        Ok(None) => {}
        Err(_) => tracing::debug!(%peer, "login took too long"),
    }
}

/// A connection that has not been let in yet.
struct Login {
    gate: Arc<Gate>,
    stream: TcpStream,
    inbox: BytesMut,
    peer: SocketAddr,
    place: Option<OwnedSemaphorePermit>,
}

/// Why somebody was not let in.
enum Refusal {
    /// It is told.
    Told(Error),
    /// There is nobody to tell, or nothing to say.
    Silent,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(_: std::io::Error) -> Self {
        Self::Silent
    }
}

impl Login {
    async fn run(mut self) -> Option<(Connection, Option<OwnedSemaphorePermit>)> {
        match self.admit().await {
            Ok((session, greeting)) => {
                let mut connection = Connection::new(self.stream, self.inbox, session);
                connection.outbox = greeting;
                Some((connection, self.place))
            }
            Err(Refusal::Told(error)) => {
                let mut outbox = Outbox::default();
                outbox.push(&error_response(&error, ErrorLevel::Fatal));
                // Whoever is not let in may be gone already.
                let _ = self.stream.write_all(&outbox.bytes).await;
                let _ = self.stream.shutdown().await;
                None
            }
            Err(Refusal::Silent) => None,
        }
    }

    async fn admit(&mut self) -> std::result::Result<(Session, Outbox), Refusal> {
        let mut startup = self.startup().await?;
        if self.place.is_none() {
            let message = "sorry, too many clients already";
            return Err(Error::new(SqlState::TOO_MANY_CONNECTIONS, message).into());
        }
        let user = startup.take("user").ok_or_else(|| {
            let message = "no PostgreSQL user name specified in startup packet";
            Error::new(SqlState::INVALID_AUTHORIZATION, message)
        })?;
        let database = startup.take("database").unwrap_or_else(|| user.clone());
        self.check_peer(&user, &database)?;
        self.negotiate(&startup).await?;
        self.authenticate(&user).await?;
        let gate = self.gate.clone();
        let mut session = gate.database.connect_from(&database, &user, Some(self.peer))?;
        apply_parameters(&mut session, startup)?;
        let mut greeting = Outbox::default();
        greeting.push(&Authentication::Ok);
        let backend = session.backend();
        let secret = SecretKey::I32(i32::from_be_bytes(backend.secret));
        greeting.push(&BackendKeyData::new(backend.process_id, secret));
        Ok((session, greeting))
    }

    /// Reads first packets until one is a startup.
    async fn startup(&mut self) -> std::result::Result<Startup, Refusal> {
        let mut requests = 0;
        loop {
            match startup::decode(&mut self.inbox)? {
                None => self.fill().await?,
                Some(FirstPacket::SslRequest | FirstPacket::GssRequest) => {
                    requests += 1;
                    if requests > ENCRYPTION_REQUESTS_MAX || !self.inbox.is_empty() {
                        // Plain text behind an encryption request may be someone in the middle.
                        return Err(Refusal::Silent);
                    }
                    self.stream.write_all(b"N").await?;
                }
                Some(FirstPacket::Cancel { process_id, secret }) => {
                    self.gate.database.backends().cancel(process_id, &secret);
                    return Err(Refusal::Silent);
                }
                Some(FirstPacket::Startup(startup)) => return Ok(startup),
            }
        }
    }

    fn check_peer(&self, user: &str, database: &str) -> Result<()> {
        let address = self.peer.ip();
        if address.is_loopback() || self.gate.options.allows_remote {
            return Ok(());
        }
        let message = format!(
            "no pg_hba.conf entry for host \"{address}\", user \"{user}\", database \
             \"{database}\", no encryption"
        );
        Err(Error::new(SqlState::INVALID_AUTHORIZATION, message))
    }

    /// Tells a client that asks for more than we speak what we speak.
    async fn negotiate(&mut self, startup: &Startup) -> std::result::Result<(), Refusal> {
        let unknown = startup.unknown_options();
        if startup.minor <= MINOR_VERSION && unknown.is_empty() {
            return Ok(());
        }
        let minor = i32::from(startup.minor.min(MINOR_VERSION));
        self.send(&NegotiateProtocolVersion::new(minor, unknown)).await
    }

    async fn authenticate(&mut self, user: &str) -> std::result::Result<(), Refusal> {
        let role = self.gate.database.role(user)?;
        let Demand::Scram(verifier) = auth::demand(&role, self.peer.ip())? else { return Ok(()) };
        let mechanism = pgwire::api::auth::sasl::SCRAM_SHA_256_METHOD.to_owned();
        self.send(&Authentication::SASL(vec![mechanism])).await?;
        let first = self.password().await?;
        let (answer, exchange) = auth::begin(user, &verifier, first)?;
        self.send(&Authentication::SASLContinue(answer)).await?;
        let proof = self.password().await?;
        let answer = exchange.finish(&proof)?;
        self.send(&Authentication::SASLFinal(answer)).await
    }

    async fn password(&mut self) -> std::result::Result<Bytes, Refusal> {
        loop {
            match frontend::decode(&mut self.inbox) {
                Ok(Some(Frontend::Password(body))) => return Ok(body),
                Ok(Some(Frontend::Terminate)) => return Err(Refusal::Silent),
                Ok(Some(_)) => return Err(frontend::protocol("expected SASL response").into()),
                Ok(None) => self.fill().await?,
                Err(FrontendError::Frame(error) | FrontendError::Body { error, .. }) => {
                    return Err(error.into());
                }
            }
        }
    }

    async fn send<M: Message>(&mut self, message: &M) -> std::result::Result<(), Refusal> {
        let mut outbox = Outbox::default();
        outbox.push(message);
        Ok(self.stream.write_all(&outbox.bytes).await?)
    }

    async fn fill(&mut self) -> std::result::Result<(), Refusal> {
        self.inbox.reserve(1024);
        match self.stream.read_buf(&mut self.inbox).await? {
            0 => Err(Refusal::Silent),
            _ => Ok(()),
        }
    }
}

/// Gives a session the settings of its startup packet.
fn apply_parameters(session: &mut Session, mut startup: Startup) -> Result<()> {
    if startup.take("replication").is_some_and(|value| value != "false" && value != "off") {
        return Err(Error::unsupported("replication"));
    }
    for (name, value) in parse_options(&startup.take("options").unwrap_or_default())? {
        session.set_at_startup(&name, &value)?;
    }
    for (name, value) in startup.parameters {
        let is_known = name != "replication" && name != "options" && !name.starts_with("_pq_.");
        if is_known {
            session.set_at_startup(&name, &value)?;
        }
    }
    Ok(())
}

/// `-c name=value` and `--name=value`, words apart by spaces that a backslash protects.
fn parse_options(options: &str) -> Result<Vec<(String, String)>> {
    let mut settings = Vec::new();
    let mut words = split_words(options).into_iter();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("--") {
            Some(setting) => setting.to_owned(),
            None => match word.strip_prefix("-c") {
                Some("") => words.next().unwrap_or_default(),
                Some(setting) => setting.to_owned(),
                None => {
                    let message =
                        format!("invalid command-line argument for server process: {word}");
                    return Err(Error::new(SqlState::SYNTAX_ERROR, message));
                }
            },
        };
        let Some((name, value)) = setting.split_once('=') else {
            let message = format!("-c {setting} requires a value");
            return Err(Error::new(SqlState::SYNTAX_ERROR, message));
        };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn split_words(options: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = options.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.extend(chars.next()),
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_a_startup_packet() {
        let pairs = parse_options("-c work_mem=8MB --lock-timeout=5s -csearch_path=a\\ b").unwrap();
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("work_mem", "8MB"), ("lock_timeout", "5s"), ("search_path", "a b")]);
        assert!(parse_options("-x").is_err());
        assert!(parse_options("-c novalue").is_err());
    }
}
