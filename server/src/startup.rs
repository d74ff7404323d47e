//! The first packets of a connection: encryption requests, cancel requests, startup.
//!
//! ```text
//! length i32, then one of
//!   80877103                SSLRequest
//!   80877104                GSSENCRequest
//!   80877102 pid i32 key    CancelRequest
//!   version  (name\0 value\0)* \0
//! ```

use std::collections::BTreeMap;

use bytes::{Buf, Bytes, BytesMut};
use cairn_query::value::utf8;
use cairn_query::{Error, Result, SqlState};

use crate::frontend::protocol;

/// Bytes that a first packet may have, as in Postgres.
const LEN_MAX: usize = 10_000;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;
/// The newest minor version of protocol 3 that is spoken here.
pub(crate) const MINOR_VERSION: u16 = 2;

/// A first packet.
#[derive(Debug)]
pub(crate) enum FirstPacket {
    /// May we speak TLS?
    SslRequest,
    /// May we speak GSSAPI?
    GssRequest,
    /// Cancel what another connection runs.
    Cancel {
        /// The other connection's process id.
        process_id: i32,
        /// Its secret.
        secret: Bytes,
    },
    /// Let us begin.
    Startup(Startup),
}

/// A startup packet.
#[derive(Debug, Default)]
pub(crate) struct Startup {
    /// The minor version asked for.
    pub(crate) minor: u16,
    /// Parameters by name.
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Startup {
    /// Protocol options that are asked for and that nobody here knows.
    pub(crate) fn unknown_options(&self) -> Vec<String> {
        self.parameters.keys().filter(|name| name.starts_with("_pq_.")).cloned().collect()
    }

    /// Takes a parameter out.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.parameters.remove(name).filter(|value| !value.is_empty())
    }
}

/// Takes a first packet out of `buf`; `None` when more bytes are needed.
///
/// # Errors
/// 08P01 for what is no first packet, 22021.
pub(crate) fn decode(buf: &mut BytesMut) -> Result<Option<FirstPacket>> {
    let Some((&len, _)) = buf.split_first_chunk::<4>() else { return Ok(None) };
    let len = usize::try_from(i32::from_be_bytes(len)).unwrap_or(0);
    if !(8..=LEN_MAX).contains(&len) {
        return Err(protocol("invalid length of startup packet"));
    }
    if buf.len() < len {
        return Ok(None);
    }
    let mut packet = buf.split_to(len).freeze();
    packet.advance(4);
    match packet.get_u32() {
        SSL_REQUEST => Ok(Some(FirstPacket::SslRequest)),
        GSS_REQUEST => Ok(Some(FirstPacket::GssRequest)),
        CANCEL_REQUEST if packet.len() > 4 => {
            let process_id = packet.get_i32();
            Ok(Some(FirstPacket::Cancel { process_id, secret: packet }))
        }
        version => decode_startup(version, &packet).map(Some),
    }
}

fn decode_startup(version: u32, packet: &[u8]) -> Result<FirstPacket> {
    let (major, minor) = (version >> 16, version & 0xffff);
    if major != 3 {
        let message = format!(
            "unsupported frontend protocol {major}.{minor}: server supports 3.0 to \
             3.{MINOR_VERSION}"
        );
        return Err(Error::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let broken = || protocol("invalid startup packet layout: expected terminator as last byte");
    let mut parameters = BTreeMap::new();
    let mut parts = packet.split(|&byte| byte == 0);
    loop {
        match parts.next() {
            Some([]) => break,
            Some(name) => {
                let value = parts.next().ok_or_else(broken)?;
                parameters.insert(utf8(name)?.to_owned(), utf8(value)?.to_owned());
            }
            None => return Err(broken()),
        }
    }
    let minor = u16::try_from(minor).unwrap_or(u16::MAX);
    Ok(FirstPacket::Startup(Startup { minor, parameters }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(body: &[u8]) -> BytesMut {
        let mut buf = BytesMut::from(&u32::try_from(body.len() + 4).unwrap().to_be_bytes()[..]);
        buf.extend_from_slice(body);
        buf
    }

    #[test]
    fn startup_parameters() {
        let whole = packet(b"\0\x03\0\0user\0cairn\0database\0shop\0\0");
        for len in 0..whole.len() {
            assert!(decode(&mut BytesMut::from(&whole[..len])).unwrap().is_none());
        }
        let Some(FirstPacket::Startup(mut startup)) = decode(&mut whole.clone()).unwrap() else {
            panic!("no startup")
        };
        assert_eq!(startup.take("user").as_deref(), Some("cairn"));
        assert_eq!(startup.take("database").as_deref(), Some("shop"));
        assert_eq!(startup.take("options"), None);
    }

    #[test]
    fn requests() {
        let ssl = decode(&mut packet(&SSL_REQUEST.to_be_bytes())).unwrap();
        assert!(matches!(ssl, Some(FirstPacket::SslRequest)));
        let mut body = CANCEL_REQUEST.to_be_bytes().to_vec();
        body.extend_from_slice(&[0, 0, 0, 7, 1, 2, 3, 4]);
        let cancel = decode(&mut packet(&body)).unwrap();
        assert!(matches!(cancel, Some(FirstPacket::Cancel { process_id: 7, .. })));
    }

    #[test]
    fn garbage_is_refused() {
        assert!(decode(&mut BytesMut::from(&b"GET / HTTP/1.1"[..])).is_err());
        assert!(decode(&mut packet(b"\0\x02\0\0user\0x\0\0")).is_err());
        assert!(decode(&mut packet(b"\0\x03\0\0user")).is_err());
    }
}
