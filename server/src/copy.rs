//! COPY over the wire.

use bytes::BufMut;
use cairn_query::result::CommandTag;
use cairn_query::{Error, SqlState};
use pgwire::messages::copy::{CopyInResponse, CopyOutResponse};

use crate::connection::{Connection, End, Failure};
use crate::frontend::{Frontend, protocol};

impl Connection {
    /// COPY FROM STDIN: takes in what the client sends until it says that it is done.
    pub(crate) async fn copy_in(
        &mut self,
        portal: &str,
        columns: usize,
        is_binary: bool,
    ) -> Result<CommandTag, Failure> {
        let (format, count, formats) = shape(columns, is_binary);
        self.outbox.push(&CopyInResponse::new(format, count, formats));
        self.flush().await?;
        loop {
            match self.next_message().await? {
                Frontend::CopyData(data) => {
                    tokio::task::block_in_place(|| self.session.copy_in(portal, &data))?;
                }
                Frontend::CopyDone => {
                    let done = || self.session.copy_in_done(portal);
                    return Ok(tokio::task::block_in_place(done)?);
                }
                Frontend::CopyFail(reason) => {
                    let message = format!("COPY from stdin failed: {reason}");
                    return Err(Error::new(SqlState::QUERY_CANCELED, message).into());
                }
                // Some clients flush or sync right after Execute.
                Frontend::Flush | Frontend::Sync => {}
                Frontend::Terminate => return Err(End::Closed.into()),
                _ => return Err(protocol("unexpected message type during COPY from stdin").into()),
            }
        }
    }

    /// COPY TO STDOUT: one message per row.
    pub(crate) async fn copy_out(
        &mut self,
        portal: &str,
        columns: usize,
        is_binary: bool,
    ) -> Result<CommandTag, Failure> {
        let (format, count, formats) = shape(columns, is_binary);
        self.outbox.push(&CopyOutResponse::new(format, count, formats));
        let mut pieces = Vec::new();
        loop {
            let next = || self.session.copy_out(portal, &mut pieces);
            let tag = tokio::task::block_in_place(next)?;
            for piece in pieces.drain(..) {
                self.outbox.push_with(b'd', |bytes| {
                    bytes.put_slice(&piece);
                    Ok(())
                })?;
            }
            if let Some(tag) = tag {
                self.outbox.push_empty(b'c');
                return Ok(tag);
            }
            self.flush_if_full().await?;
        }
    }
}

fn shape(columns: usize, is_binary: bool) -> (i8, i16, Vec<i16>) {
    let count = i16::try_from(columns).unwrap_or(i16::MAX);
    (i8::from(is_binary), count, vec![i16::from(is_binary); columns])
}
