//! What is about to be sent.

use bytes::{BufMut, BytesMut};
use cairn_query::{Error, Result};
use pgwire::messages::Message;

/// Beyond this many bytes the outbox is flushed although the client has not asked: a large result
/// is streamed, not gathered.
pub(crate) const FLUSH_LEN: usize = 64 << 10;
/// A buffer that has grown beyond this is given back when the connection waits.
const IDLE_LEN_MAX: usize = 8 << 10;

/// Responses that have not been sent.
#[derive(Default)]
pub(crate) struct Outbox {
    pub(crate) bytes: BytesMut,
}

impl Outbox {
    /// Adds a message.
    pub(crate) fn push<M: Message>(&mut self, message: &M) {
        let start = self.bytes.len();
        if let Err(error) = message.encode(&mut self.bytes) {
            // Only a message above the protocol's limits: half a message must not be sent.
            self.bytes.truncate(start);
            tracing::error!(%error, "a message could not be encoded");
        }
    }

    /// Adds a message of this kind with no body.
    pub(crate) fn push_empty(&mut self, kind: u8) {
        self.bytes.put_u8(kind);
        self.bytes.put_u32(4);
    }

    /// Adds a message of this kind with a body written by `body`.
    ///
    /// # Errors
    /// What `body` answers, or 54000 for a message longer than the protocol can say; the outbox is
    /// as it was then.
    pub(crate) fn push_with(
        &mut self,
        kind: u8,
        body: impl FnOnce(&mut BytesMut) -> Result<()>,
    ) -> Result<()> {
        let start = self.bytes.len();
        self.bytes.put_u8(kind);
        self.bytes.put_u32(0);
        let written = body(&mut self.bytes).and_then(|()| {
            let len = self.bytes.len() - start - 1;
            i32::try_from(len).map_err(|_| {
                let message = "a message is too long for the protocol";
                Error::new(cairn_query::SqlState::PROGRAM_LIMIT_EXCEEDED, message)
            })
        });
        match written {
            Ok(len) => {
                if let Some(place) = self.bytes.get_mut(start + 1..start + 5) {
                    place.copy_from_slice(&len.to_be_bytes());
                }
                Ok(())
            }
            Err(error) => {
                self.bytes.truncate(start);
                Err(error)
            }
        }
    }

    /// Whether it is time to send.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= FLUSH_LEN
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Gives a large buffer back that holds nothing.
pub(crate) fn shrink(buffer: &mut BytesMut) {
    if buffer.is_empty() && buffer.capacity() > IDLE_LEN_MAX {
        *buffer = BytesMut::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_body_leaves_nothing() {
        let mut outbox = Outbox::default();
        outbox.push_empty(b'1');
        let failed = outbox.push_with(b'D', |bytes| {
            bytes.put_slice(b"half");
            Err(Error::internal("broken"))
        });
        assert!(failed.is_err());
        assert_eq!(&outbox.bytes[..], b"1\0\0\0\x04");
        outbox
            .push_with(b'D', |bytes| {
                bytes.put_slice(b"abc");
                Ok(())
            })
            .unwrap();
        assert_eq!(&outbox.bytes[5..], b"D\0\0\0\x07abc");
    }
}
