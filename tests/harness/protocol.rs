//! Messages of the wire protocol, version 3, as bytes: those of the client written, those of the
//! server taken apart.

use std::io::{self, Read};

use crate::outcome::Report;

/// The protocol's number in a startup packet: 3.0.
pub const VERSION: u32 = 3 << 16;

/// What stands in its place when something is to be cancelled.
const CANCEL: u32 = (1234 << 16) | 5678;

/// One message of the server.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its first byte.
    pub tag: u8,
    /// What follows its length.
    pub body: Vec<u8>,
}

/// A message of the client: a tag, then the length of the rest.
pub fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend(length(body));
    bytes.extend(body);
    bytes
}

/// The startup packet, which has no tag.
pub fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = VERSION.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend(text(name));
        body.extend(text(value));
    }
    body.push(0);
    let mut bytes = length(&body).to_vec();
    bytes.extend(body);
    bytes
}

/// A request to cancel what another connection runs.
pub fn cancel(process_id: i32, secret: &[u8]) -> Vec<u8> {
    let mut body = CANCEL.to_be_bytes().to_vec();
    body.extend(process_id.to_be_bytes());
    body.extend(secret);
    [&length(&body)[..], &body].concat()
}

/// Parse, Bind, Describe, Execute and Sync of one statement without parameters, results as text.
pub fn extended(sql: &str) -> Vec<u8> {
    let mut bytes = frame(b'P', &[&[0], &text(sql)[..], &[0, 0]].concat());
    bytes.extend(frame(b'B', &[0; 8]));
    bytes.extend(frame(b'D', b"P\0"));
    bytes.extend(frame(b'E', &[0; 5]));
    bytes.extend(frame(b'S', &[]));
    bytes
}

/// A text and the zero that ends it.
pub fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

fn length(body: &[u8]) -> [u8; 4] {
    let len = u32::try_from(body.len() + 4).expect("a message that fits");
    len.to_be_bytes()
}

/// Reads one message.
///
/// # Errors
/// When the server has closed the connection or says nothing for too long.
pub fn read(stream: &mut impl Read) -> io::Result<Message> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let len = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut body = vec![0; len.saturating_sub(4)];
    stream.read_exact(&mut body)?;
    Ok(Message { tag: head[0], body })
}

/// Takes a message apart.
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1)[0]
    }

    /// A number of two bytes.
    pub fn i16(&mut self) -> i16 {
        i16::from_be_bytes(self.bytes(2).try_into().expect("two bytes"))
    }

    /// A number of four bytes.
    pub fn i32(&mut self) -> i32 {
        i32::from_be_bytes(self.bytes(4).try_into().expect("four bytes"))
    }

    /// A text up to its zero.
    pub fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).expect("a zero");
        let text = String::from_utf8(self.bytes(end).to_vec()).expect("UTF-8");
        self.byte();
        text
    }

    /// A value of a row.
    pub fn value(&mut self) -> Option<String> {
        let len = usize::try_from(self.i32()).ok()?;
        Some(String::from_utf8(self.bytes(len).to_vec()).expect("UTF-8"))
    }
}

/// The fields of an error or a notice.
pub fn report(body: &[u8]) -> Report {
    let mut cursor = Cursor(body);
    let mut report = Report::default();
    loop {
        match cursor.byte() {
            0 => return report,
            b'V' => report.severity = cursor.text(),
            b'C' => report.state = cursor.text(),
            b'M' => report.message = cursor.text(),
            b'D' => report.detail = Some(cursor.text()),
            b'H' => report.hint = Some(cursor.text()),
            _ => drop(cursor.text()),
        }
    }
}
