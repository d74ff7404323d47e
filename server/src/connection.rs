//! One connection: reads messages, hands them to the session, sends what comes of them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use cairn_query::database::backends::terminated;
use cairn_query::session::BlockStatus;
use cairn_query::{Error, Session, SqlState};
use pgwire::messages::response::{NotificationResponse, ReadyForQuery, TransactionStatus};
use pgwire::messages::startup::ParameterStatus;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::frontend::{self, Frontend, FrontendError};
use crate::outbox::{Outbox, shrink};
use crate::report::{ErrorLevel, error_response, notice_response};

/// How much is read from the socket at once at least.
const READ_LEN: usize = 8 << 10;

/// One client.
pub(crate) struct Connection {
    stream: TcpStream,
    inbox: BytesMut,
    pub(crate) outbox: Outbox,
    pub(crate) session: Session,
    /// Called when there are notifications, or when the connection is to end.
    wake: Arc<Notify>,
    /// After an error in the extended protocol: everything up to the next Sync is ignored.
    is_skipping: bool,
    /// Whether a round of the extended protocol has begun.
    is_in_round: bool,
}

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The client said goodbye or is gone.
    Closed,
    /// It is told why.
    Fatal(Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        tracing::debug!(%error, "connection lost");
        Self::Closed
    }
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, inbox: BytesMut, session: Session) -> Self {
        let wake = Arc::new(Notify::new());
        let notify = wake.clone();
        session.backend().set_wake(Arc::new(move || notify.notify_one()));
        let outbox = Outbox::default();
        Self { stream, inbox, outbox, session, wake, is_skipping: false, is_in_round: false }
    }

    /// Serves the client until one side has had enough.
    pub(crate) async fn run(&mut self) {
        let end = self.serve().await;
        if let Err(End::Fatal(error)) = end {
            let error = self.session.fail(error);
            self.outbox.push(&error_response(&error, ErrorLevel::Fatal));
            // The client may be gone: nobody is left to be told.
            let _ = self.flush().await;
            let _ = self.stream.shutdown().await;
        }
    }

    async fn serve(&mut self) -> Result<(), End> {
        self.ready().await?;
        loop {
            match frontend::decode(&mut self.inbox) {
                Ok(Some(Frontend::Terminate)) => return Err(End::Closed),
                Ok(Some(message)) => self.handle(message).await?,
                Ok(None) => {
                    self.flush().await?;
                    self.fill().await?;
                }
                Err(FrontendError::Frame(error)) => return Err(End::Fatal(error)),
                Err(FrontendError::Body { error, is_extended }) => {
                    self.report(error);
                    if is_extended {
                        self.is_skipping = true;
                    } else {
                        self.ready().await?;
                    }
                }
            }
        }
    }

    async fn handle(&mut self, message: Frontend) -> Result<(), End> {
        if let Frontend::Query(text) = message {
            return self.handle_query(&text).await;
        }
        if matches!(message, Frontend::Sync) {
            return self.handle_sync().await;
        }
        if self.is_skipping {
            return Ok(());
        }
        match message {
            // What is left of a COPY that has failed.
            Frontend::CopyData(_) | Frontend::CopyDone | Frontend::CopyFail(_) => Ok(()),
            Frontend::Flush => self.flush().await,
            Frontend::Password(_) => {
                Err(End::Fatal(frontend::protocol("unexpected password message")))
            }
            message => match self.extended(message).await {
                Ok(()) => Ok(()),
                Err(Failure::Statement(error)) => {
                    self.report(error);
                    self.is_skipping = true;
                    Ok(())
                }
                Err(Failure::Connection(end)) => Err(end),
            },
        }
    }

    async fn handle_query(&mut self, text: &str) -> Result<(), End> {
        self.is_skipping = false;
        let text: Arc<str> = Arc::from(text);
        self.session.begin_message(&text);
        let began = Instant::now();
        match self.simple_query(&text).await {
            Ok(()) => {}
            Err(Failure::Statement(error)) => self.report(error),
            Err(Failure::Connection(end)) => return Err(end),
        }
        self.log_if_slow(&text, began.elapsed());
        self.ready().await
    }

    async fn handle_sync(&mut self) -> Result<(), End> {
        self.is_skipping = false;
        if let Err(error) = self.session.sync() {
            self.report(error);
        }
        self.ready().await
    }

    /// Notes that a round of the extended protocol is going on.
    pub(crate) fn begin_round(&mut self, text: &Arc<str>) {
        if !self.is_in_round {
            self.is_in_round = true;
            self.session.begin_message(text);
        }
    }

    /// Tells the client of an error, and the session.
    pub(crate) fn report(&mut self, error: Error) {
        let error = self.session.fail(error);
        self.push_notices();
        self.outbox.push(&error_response(&error, ErrorLevel::Error));
    }

    /// Tells the client of what is no error, as far as it wants to hear of it.
    pub(crate) fn push_notices(&mut self) {
        let notices = self.session.take_notices();
        if notices.is_empty() {
            return;
        }
        let least = self.session.setting("client_min_messages").unwrap_or_default();
        for notice in notices {
            use cairn_query::result::Severity;
            let is_wanted = match &*least {
                "error" => false,
                "warning" => notice.severity >= Severity::Warning,
                _ => notice.severity >= Severity::Info,
            };
            if is_wanted {
                self.outbox.push(&notice_response(&notice));
            }
        }
    }

    /// Ends a round: everything the client has a right to know by now, and that it is its turn.
    async fn ready(&mut self) -> Result<(), End> {
        self.wait_durable().await?;
        self.is_in_round = false;
        self.push_notices();
        self.push_parameters();
        self.push_notifications();
        self.session.end_message();
        let status = match self.session.status() {
            BlockStatus::Idle | BlockStatus::Implicit => TransactionStatus::Idle,
            BlockStatus::Explicit => TransactionStatus::Transaction,
            BlockStatus::Failed => TransactionStatus::Error,
        };
        self.outbox.push(&ReadyForQuery::new(status));
        if self.session.backend().is_terminated() {
            return Err(End::Fatal(terminated()));
        }
        Ok(())
    }

    fn push_parameters(&mut self) {
        for (name, value) in self.session.take_parameter_changes() {
            self.outbox.push(&ParameterStatus::new(name.to_owned(), value.to_string()));
        }
    }

    fn push_notifications(&mut self) {
        if !self.session.has_notifications() {
            return;
        }
        for notification in self.session.take_notifications() {
            self.outbox.push(&NotificationResponse::new(
                notification.process_id,
                notification.channel.to_string(),
                notification.payload.to_string(),
            ));
        }
    }

    /// Waits until everything that the outbox tells of is on disk.
    async fn wait_durable(&mut self) -> Result<(), End> {
        let ts = self.session.must_be_durable();
        let db = self.session.database().engine();
        if db.durable_timestamp() >= ts {
            return Ok(());
        }
        let (done, durable) = tokio::sync::oneshot::channel();
        // The receiver waits right below; when it is gone, so is the client.
        db.on_durable(ts, Box::new(move |outcome| drop(done.send(outcome))));
        match durable.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(error.into())),
            Err(_) => Err(self.lost(Error::internal("the database was closed"))),
        }
    }

    /// A commit may not survive: what the client was about to hear of it must not be sent.
    fn lost(&mut self, error: Error) -> End {
        self.outbox.bytes.clear();
        End::Fatal(error)
    }

    /// Sends what is in the outbox.
    pub(crate) async fn flush(&mut self) -> Result<(), End> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        if let Err(end) = self.wait_durable().await {
            if let End::Fatal(error) = &end {
                self.outbox.push(&error_response(error, ErrorLevel::Fatal));
                self.stream.write_all(&self.outbox.bytes).await?;
                self.outbox.bytes.clear();
            }
            return Err(End::Closed);
        }
        self.stream.write_all(&self.outbox.bytes).await?;
        self.outbox.bytes.clear();
        Ok(())
    }

    /// Sends if there is much to send.
    pub(crate) async fn flush_if_full(&mut self) -> Result<(), End> {
        if self.outbox.is_full() { self.flush().await } else { Ok(()) }
    }

    /// The next message, in the middle of a COPY.
    pub(crate) async fn next_message(&mut self) -> Result<Frontend, Failure> {
        loop {
            match frontend::decode(&mut self.inbox) {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {
                    self.flush().await?;
                    self.fill().await?;
                }
                Err(FrontendError::Frame(error)) => return Err(End::Fatal(error).into()),
                Err(FrontendError::Body { error, .. }) => return Err(error.into()),
            }
        }
    }

    /// Waits for bytes from the client. Meanwhile notifications are delivered, and the connection
    /// ends when it idles for too long or is told to.
    async fn fill(&mut self) -> Result<(), End> {
        shrink(&mut self.inbox);
        shrink(&mut self.outbox.bytes);
        let limit = self.idle_limit();
        let expiry = tokio::time::Instant::now() + limit.as_ref().map_or(Duration::ZERO, |l| l.0);
        loop {
            if self.session.backend().is_terminated() {
                return Err(End::Fatal(terminated()));
            }
            tokio::select! {
                readable = self.stream.readable() => {
                    readable?;
                    self.inbox.reserve(READ_LEN);
                    match self.stream.try_read_buf(&mut self.inbox) {
                        Ok(0) => return Err(End::Closed),
                        Ok(_) => return Ok(()),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                () = self.wake.notified() => {
                    self.push_notifications();
                    self.flush().await?;
                }
                () = tokio::time::sleep_until(expiry), if limit.is_some() => {
                    let (_, state, message) = limit.unwrap_or_default();
                    return Err(End::Fatal(Error::new(SqlState(state), message)));
                }
            }
        }
    }

    /// For how long the client may be silent, and what it is told then.
    fn idle_limit(&self) -> Option<(Duration, &'static str, &'static str)> {
        let limits = self.session.limits();
        let (limit, state, message) = match self.session.status() {
            BlockStatus::Idle => (
                limits.idle_session_timeout,
                "57P05",
                "terminating connection due to idle-session timeout",
            ),
            _ => (
                limits.idle_in_transaction_session_timeout,
                "25P03",
                "terminating connection due to idle-in-transaction timeout",
            ),
        };
        limit.map(|limit| (limit, state, message))
    }

    /// Notes a statement that took long, if `log_min_duration_statement` asks for it.
    pub(crate) fn log_if_slow(&self, text: &str, took: Duration) {
        let limit = self.session.limits().log_min_duration_statement;
        if limit.is_some_and(|limit| took >= limit) {
            let process_id = self.session.backend().process_id;
            tracing::info!(process_id, ?took, statement = text, "slow statement");
        }
    }
}

/// What went wrong with a message.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The statement: the client is told, and goes on.
    Statement(Error),
    /// The connection.
    Connection(End),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Statement(error)
    }
}

impl From<End> for Failure {
    fn from(end: End) -> Self {
        Self::Connection(end)
    }
}
