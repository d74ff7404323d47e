//! Messages from the client: framing and decoding.
//!
//! Decoding is our own rather than `pgwire`'s because bytes come from strangers: every read is
//! bounded by the frame, text must be UTF-8 (22021) and nothing here can panic. A wrong *frame*
//! ends the connection, since what follows can no longer be told; a wrong *body* is an ordinary
//! error. (Postgres manual, "Message Formats".)

use bytes::{Buf, Bytes, BytesMut};
use cairn_query::value::utf8;
use cairn_query::{Error, Result, SqlState};

/// Bytes that a statement, a set of parameters or COPY data may have in one message. Postgres
/// allows 1 GiB; a quarter keeps one client from taking all the memory of a small machine.
const LARGE_LEN_MAX: usize = 256 << 20;
/// Bytes that any other message may have.
const SMALL_LEN_MAX: usize = 10_000;
/// The kind and the length before every body.
const HEADER_LEN: usize = 5;

/// One message.
#[derive(Debug)]
pub(crate) enum Frontend {
    /// A simple query.
    Query(String),
    /// Makes a prepared statement.
    Parse(Parse),
    /// Makes a portal.
    Bind(Bind),
    /// Asks for the shape of a statement or portal.
    Describe(Target),
    /// Runs a portal.
    Execute {
        /// The portal.
        portal: String,
        /// At most so many rows; 0 is all.
        max_rows: usize,
    },
    /// Drops a statement or portal.
    Close(Target),
    /// Ends an extended-query round.
    Sync,
    /// Asks for what is buffered.
    Flush,
    /// A password or a SASL response.
    Password(Bytes),
    /// A piece of COPY data.
    CopyData(Bytes),
    /// The end of COPY data.
    CopyDone,
    /// The client gives COPY up.
    CopyFail(String),
    /// Goodbye.
    Terminate,
}

/// Makes a prepared statement.
#[derive(Debug)]
pub(crate) struct Parse {
    /// Its name; empty is the unnamed one.
    pub(crate) name: String,
    /// Its text.
    pub(crate) query: String,
    /// Parameter types by OID; 0 leaves one open.
    pub(crate) types: Vec<u32>,
}

/// Makes a portal.
#[derive(Debug)]
pub(crate) struct Bind {
    /// Its name.
    pub(crate) portal: String,
    /// The prepared statement.
    pub(crate) statement: String,
    /// Formats of the parameters: none, one for all, or one each.
    pub(crate) formats: Vec<i16>,
    /// The parameters; `None` is NULL.
    pub(crate) params: Vec<Option<Bytes>>,
    /// Formats of the results.
    pub(crate) result_formats: Vec<i16>,
}

/// What Describe and Close are about.
#[derive(Debug)]
pub(crate) enum Target {
    /// A prepared statement.
    Statement(String),
    /// A portal.
    Portal(String),
}

/// Why there is no message.
#[derive(Debug)]
pub(crate) enum FrontendError {
    /// The stream cannot be followed any longer.
    Frame(Error),
    /// This message is wrong; `is_extended` tells whether to skip to the next Sync.
    Body {
        /// What is wrong.
        error: Error,
        /// Whether the message belongs to the extended protocol.
        is_extended: bool,
    },
}

/// Takes the next whole message out of `buf`; `None` when more bytes are needed.
pub(crate) fn decode(buf: &mut BytesMut) -> std::result::Result<Option<Frontend>, FrontendError> {
    let Some((&[kind, a, b, c, d], _)) = buf.split_first_chunk::<HEADER_LEN>() else {
        return match buf.first() {
            Some(&kind) => len_max(kind).map(|_| None),
            None => Ok(None),
        };
    };
    let len_max = len_max(kind)?;
    let len = usize::try_from(i32::from_be_bytes([a, b, c, d])).unwrap_or(0);
    if len < 4 || len > len_max {
        return Err(FrontendError::Frame(protocol("invalid message length")));
    }
    if buf.len() < len + 1 {
        buf.reserve(len + 1 - buf.len());
        return Ok(None);
    }
    let mut frame = buf.split_to(len + 1).freeze();
    frame.advance(HEADER_LEN);
    decode_body(kind, frame)
        .map(Some)
        .map_err(|error| FrontendError::Body { error, is_extended: b"PBDEC".contains(&kind) })
}

fn len_max(kind: u8) -> std::result::Result<usize, FrontendError> {
    match kind {
        b'Q' | b'P' | b'B' | b'd' => Ok(LARGE_LEN_MAX),
        b'D' | b'E' | b'C' | b'S' | b'H' | b'p' | b'c' | b'f' | b'X' => Ok(SMALL_LEN_MAX),
        kind => {
            let message = format!("invalid frontend message type {kind}");
            Err(FrontendError::Frame(protocol(message)))
        }
    }
}

fn decode_body(kind: u8, frame: Bytes) -> Result<Frontend> {
    let mut body = Body(frame);
    let message = match kind {
        b'Q' => Frontend::Query(body.string()?),
        b'P' => Frontend::Parse(decode_parse(&mut body)?),
        b'B' => Frontend::Bind(decode_bind(&mut body)?),
        b'D' => Frontend::Describe(decode_target(&mut body, "DESCRIBE")?),
        b'C' => Frontend::Close(decode_target(&mut body, "CLOSE")?),
        b'E' => {
            let portal = body.string()?;
            // A negative limit means the same as none, as in Postgres.
            let max_rows = usize::try_from(body.i32()?).unwrap_or(0);
            Frontend::Execute { portal, max_rows }
        }
        b'S' => Frontend::Sync,
        b'H' => Frontend::Flush,
        b'p' => return Ok(Frontend::Password(body.0)),
        b'd' => return Ok(Frontend::CopyData(body.0)),
        b'c' => Frontend::CopyDone,
        b'f' => Frontend::CopyFail(body.string()?),
        _ => return Ok(Frontend::Terminate),
    };
    if body.0.has_remaining() {
        return Err(protocol("invalid message format"));
    }
    Ok(message)
}

fn decode_parse(body: &mut Body) -> Result<Parse> {
    let name = body.string()?;
    let query = body.string()?;
    let types = body.list(Body::u32)?;
    Ok(Parse { name, query, types })
}

fn decode_bind(body: &mut Body) -> Result<Bind> {
    let portal = body.string()?;
    let statement = body.string()?;
    let formats = body.list(Body::i16)?;
    let params = body.list(Body::value)?;
    let result_formats = body.list(Body::i16)?;
    Ok(Bind { portal, statement, formats, params, result_formats })
}

fn decode_target(body: &mut Body, message: &str) -> Result<Target> {
    let kind = body.u8()?;
    let name = body.string()?;
    match kind {
        b'S' => Ok(Target::Statement(name)),
        b'P' => Ok(Target::Portal(name)),
        kind => Err(protocol(format!("invalid {message} message subtype {kind}"))),
    }
}

/// The rest of a message's body.
struct Body(Bytes);

impl Body {
    fn take(&mut self, len: usize) -> Result<Bytes> {
        if self.0.len() < len {
            return Err(protocol("insufficient data left in message"));
        }
        Ok(self.0.split_to(len))
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?.get_u8())
    }

    fn i16(&mut self) -> Result<i16> {
        Ok(self.take(2)?.get_i16())
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(self.take(4)?.get_u32())
    }

    fn i32(&mut self) -> Result<i32> {
        Ok(self.take(4)?.get_i32())
    }

    /// A value behind its length; -1 is NULL.
    fn value(&mut self) -> Result<Option<Bytes>> {
        match self.i32()? {
            -1 => Ok(None),
            len => match usize::try_from(len) {
                Ok(len) => self.take(len).map(Some),
                Err(_) => Err(protocol("insufficient data left in message")),
            },
        }
    }

    /// A string that ends with a zero byte.
    fn string(&mut self) -> Result<String> {
        let Some(end) = self.0.iter().position(|&byte| byte == 0) else {
            return Err(protocol("invalid string in message"));
        };
        let text = self.0.split_to(end);
        self.0.advance(1);
        utf8(&text).map(str::to_owned)
    }

    /// Items behind their 16-bit number.
    fn list<T>(&mut self, item: fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let len = usize::from(self.take(2)?.get_u16());
        // Every item has two bytes or more: a number that lies costs no memory.
        let mut items = Vec::with_capacity(len.min(self.0.len() / 2));
        for _ in 0..len {
            items.push(item(self)?);
        }
        Ok(items)
    }
}

/// A 08P01 error.
pub(crate) fn protocol(message: impl Into<String>) -> Error {
    Error::new(SqlState::PROTOCOL_VIOLATION, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, body: &[u8]) -> BytesMut {
        let mut buf = BytesMut::from(&[kind][..]);
        buf.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        buf.extend_from_slice(body);
        buf
    }

    #[test]
    fn query_and_incomplete_query() {
        let whole = frame(b'Q', b"SELECT 1\0");
        for len in 0..whole.len() {
            assert!(decode(&mut BytesMut::from(&whole[..len])).unwrap().is_none(), "{len}");
        }
        let message = decode(&mut whole.clone()).unwrap();
        assert!(matches!(message, Some(Frontend::Query(text)) if text == "SELECT 1"));
    }

    #[test]
    fn bind_is_bounded_by_its_frame() {
        let body = b"\0\0\0\0\0\x01\0\0\0\x03abc\0\x01\0\x01";
        let message = decode(&mut frame(b'B', body)).unwrap();
        let Some(Frontend::Bind(bind)) = message else { panic!("no bind") };
        assert_eq!(bind.params, [Some(Bytes::from_static(b"abc"))]);
        assert_eq!(bind.result_formats, [1]);
        for len in 0..body.len() {
            let mut short = frame(b'B', &body[..len]);
            short.extend_from_slice(&[0; 64]);
            let error = decode(&mut short).unwrap_err();
            assert!(matches!(error, FrontendError::Body { is_extended: true, .. }), "{len}");
            assert_eq!(short.len(), 64);
        }
    }

    #[test]
    fn wrong_frames_end_the_connection() {
        let mut unknown = frame(b'!', b"");
        assert!(matches!(decode(&mut unknown), Err(FrontendError::Frame(_))));
        let mut huge = BytesMut::from(&b"Q\x7f\xff\xff\xff"[..]);
        assert!(matches!(decode(&mut huge), Err(FrontendError::Frame(_))));
        let mut negative = BytesMut::from(&b"Q\xff\xff\xff\xff"[..]);
        assert!(matches!(decode(&mut negative), Err(FrontendError::Frame(_))));
    }

    #[test]
    fn broken_utf8_is_22021() {
        let error = decode(&mut frame(b'Q', b"SELECT '\xff'\0")).unwrap_err();
        let FrontendError::Body { error, is_extended } = error else { panic!("frame") };
        assert!(!is_extended);
        assert_eq!(error.state(), SqlState::CHARACTER_NOT_IN_REPERTOIRE);
        assert_eq!(error.message(), "invalid byte sequence for encoding \"UTF8\": 0xff");
    }
}
