//! A client that speaks the wire protocol by hand and blocks.
//!
//! Drivers hide what is to be compared here: command tags, types by name, the text of every value,
//! notices in their place, the status of the transaction.

use std::collections::HashMap;
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::outcome::{Column, Outcome, Report};
use crate::protocol::{self, Cursor, Message};

/// A test that hears nothing for so long has failed.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Whom to connect to.
#[derive(Clone, Debug)]
pub struct Address {
    /// Host and port.
    pub socket: SocketAddr,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
}

/// How statements are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Query messages.
    Simple,
    /// Parse, Bind, Describe, Execute, Sync.
    Extended,
}

/// A connection.
pub struct Client {
    stream: BufReader<TcpStream>,
    address: Address,
    protocol: Protocol,
    /// Its process id, by which others see it.
    pub process_id: i32,
    /// What a cancel request must know.
    pub secret: Vec<u8>,
    /// `I`, `T` or `E`: outside a transaction, inside one, inside one that failed.
    pub status: u8,
    types: HashMap<(i32, i32), String>,
    /// Asks for the names of types, where a failed transaction does not disturb.
    names: Option<Box<Client>>,
}

impl Client {
    /// Connects, without a password.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses: then its error is the text.
    pub fn connect(address: &Address, protocol: Protocol) -> io::Result<Self> {
        let stream = TcpStream::connect(address.socket)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream: BufReader::new(stream),
            address: address.clone(),
            protocol,
            process_id: 0,
            secret: Vec::new(),
            status: b'I',
            types: HashMap::new(),
            names: None,
        };
        client.send(&protocol::startup(&[
            ("user", &address.user),
            ("database", &address.database),
            ("client_encoding", "UTF8"),
            ("TimeZone", "UTC"),
        ]))?;
        let greeting = client.outcome()?;
        match greeting.error {
            Some(error) => Err(io::Error::other(error)),
            None => Ok(client),
        }
    }

    /// Runs one statement.
    ///
    /// # Panics
    /// When the connection breaks, which no statement may do.
    pub fn run(&mut self, sql: &str) -> Outcome {
        let message = match self.protocol {
            Protocol::Simple => protocol::frame(b'Q', &protocol::text(sql)),
            Protocol::Extended => protocol::extended(sql),
        };
        let outcome = self.send(&message).and_then(|()| self.outcome());
        outcome.unwrap_or_else(|error| panic!("the connection broke: {error}\n{sql}"))
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads one message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn read(&mut self) -> io::Result<Message> {
        protocol::read(&mut self.stream)
    }

    /// Reads until the server is ready again. Of several statements, rows and notices come
    /// together; the tag is the last one's.
    ///
    /// # Errors
    /// When the connection is gone. A fatal error comes first, as an outcome.
    pub fn outcome(&mut self) -> io::Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut described = Vec::new();
        loop {
            let message = match self.read() {
                Ok(message) => message,
                Err(_) if outcome.error.is_some() => break,
                Err(error) => return Err(error),
            };
            let mut cursor = Cursor(&message.body);
            match message.tag {
                b'Z' => {
                    self.status = cursor.byte();
                    break;
                }
                b'T' => described = description(cursor),
                b'D' => outcome.rows.push(row(cursor)),
                b'C' => outcome.tag = Some(cursor.text()),
                b'E' => outcome.error = Some(protocol::report(&message.body)),
                b'N' => outcome.notices.push(protocol::report(&message.body)),
                b'K' => {
                    self.process_id = cursor.i32();
                    self.secret = cursor.0.to_vec();
                }
                b'R' if message.body != [0; 4] => {
                    return Err(io::Error::other("a password is wanted"));
                }
                _ => {}
            }
        }
        let named = described
            .into_iter()
            .map(|(name, oid, modifier)| Ok(Column { name, ty: self.type_name(oid, modifier)? }));
        outcome.columns = named.collect::<io::Result<_>>()?;
        Ok(outcome)
    }

    /// Asks the server to cancel what a connection runs, over a connection of its own.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub fn cancel(&self, process_id: i32, secret: &[u8]) -> io::Result<()> {
        let mut stream = TcpStream::connect(self.address.socket)?;
        stream.write_all(&protocol::cancel(process_id, secret))
    }

    fn type_name(&mut self, oid: i32, modifier: i32) -> io::Result<String> {
        // What asks for names would otherwise ask for the name of its own column.
        if oid == TEXT_OID {
            return Ok("text".to_owned());
        }
        if let Some(name) = self.types.get(&(oid, modifier)) {
            return Ok(name.clone());
        }
        if self.names.is_none() {
            self.names = Some(Box::new(Self::connect(&self.address, Protocol::Simple)?));
        }
        let names = self.names.as_mut().expect("just connected");
        let name = names.run(&format!("SELECT format_type({oid}, {modifier})")).unwrap_value();
        self.types.insert((oid, modifier), name.clone());
        Ok(name)
    }
}

const TEXT_OID: i32 = 25;

fn description(mut cursor: Cursor<'_>) -> Vec<(String, i32, i32)> {
    let count = cursor.i16();
    let column = |_| {
        let name = cursor.text();
        cursor.bytes(6);
        let oid = cursor.i32();
        cursor.bytes(2);
        let modifier = cursor.i32();
        cursor.bytes(2);
        (name, oid, modifier)
    };
    (0..count).map(column).collect()
}

fn row(mut cursor: Cursor<'_>) -> Vec<Option<String>> {
    let count = cursor.i16();
    (0..count).map(|_| cursor.value()).collect()
}

/// The error of an attempt to connect.
pub fn refusal(error: io::Error) -> Report {
    let refused = error.into_inner().and_then(|inner| inner.downcast::<Report>().ok());
    *refused.expect("an error that the server sent")
}
