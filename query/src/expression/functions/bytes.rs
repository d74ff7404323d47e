//! Functions on `bytea` (Postgres manual 9.5): parts, digests, encodings.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::Digest as _;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::Builder;
use super::argument::{arg, optional};
use super::string::{count, window};
use crate::error::{Error, Result, SqlState};
use crate::value::Value;

/// MIME's line length, which `encode(…, 'base64')` keeps to.
const BASE64_LINE_LEN: usize = 76;

pub(super) fn register(builder: &mut Builder) {
    builder.operator("|| (bytea, bytea) -> bytea", |_, args| {
        Ok(bytea([arg::<&[u8]>(args, 0)?, arg::<&[u8]>(args, 1)?].concat()))
    });
    builder.function("length(bytea) -> int4", |_, args| count(arg::<&[u8]>(args, 0)?.len()));
    builder.function("octet_length(bytea) -> int4", |_, args| count(arg::<&[u8]>(args, 0)?.len()));
    for name in ["substr", "substring"] {
        let signature = format!("{name}(bytea, int4, [int4]) -> bytea");
        builder.function(&signature, |_, args| {
            let (skip, take) = window(arg(args, 1)?, optional(args, 2)?)?;
            let bytes: &[u8] = arg(args, 0)?;
            Ok(bytea(bytes.iter().copied().skip(skip).take(take).collect::<Vec<u8>>()))
        });
    }
    builder.function("get_byte(bytea, int4) -> int4", |_, args| {
        let (bytes, at): (&[u8], i32) = (arg(args, 0)?, arg(args, 1)?);
        let found = usize::try_from(at).ok().and_then(|at| bytes.get(at));
        let found = found.ok_or_else(|| out_of_range(at, bytes))?;
        Ok(Value::Int4(i32::from(*found)))
    });
    builder.function("set_byte(bytea, int4, int4) -> bytea", |_, args| {
        let (bytes, at): (&[u8], i32) = (arg(args, 0)?, arg(args, 1)?);
        let mut changed = bytes.to_vec();
        let place = usize::try_from(at).ok().and_then(|at| changed.get_mut(at));
        *place.ok_or_else(|| out_of_range(at, bytes))? = arg::<i32>(args, 2)? as u8;
        Ok(bytea(changed))
    });
    builder.function("convert_from(bytea, name) -> text", |_, args| {
        let bytes: &[u8] = arg(args, 0)?;
        match encoding(arg(args, 1)?, "source")? {
            Encoding::Utf8 => Ok(Value::text(crate::value::utf8(bytes)?)),
            Encoding::Latin1 => {
                let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
                Ok(Value::text(text))
            }
        }
    });
    builder.function("convert_to(text, name) -> bytea", |_, args| {
        let text: &str = arg(args, 0)?;
        match encoding(arg(args, 1)?, "destination")? {
            Encoding::Utf8 => Ok(bytea(text.as_bytes().to_vec())),
            Encoding::Latin1 => text.chars().map(latin1).collect::<Result<_>>().map(bytea),
        }
    });
    builder.function("md5(bytea) -> text", |_, args| {
        Ok(Value::text(hex(&md5::Md5::digest(arg::<&[u8]>(args, 0)?))))
    });
    register_digests(builder);
    builder.function("encode(bytea, text) -> text", |_, args| {
        encode(arg(args, 0)?, arg(args, 1)?).map(Value::text)
    });
    builder.function("decode(text, text) -> bytea", |_, args| {
        decode(arg(args, 0)?, arg(args, 1)?).map(bytea)
    });
    builder
        .function("gen_random_bytes(int4) -> bytea", |_, args| {
            let len =
                usize::try_from(arg::<i32>(args, 0)?).ok().filter(|len| (1..=1024).contains(len));
            let len = len.ok_or_else(|| {
                Error::new(SqlState::INVALID_PARAMETER_VALUE, "Length not in range")
            })?;
            Ok(bytea((0..len).map(|_| rand::random()).collect::<Vec<u8>>()))
        })
        .volatile();
}

fn out_of_range(at: i32, bytes: &[u8]) -> Error {
    let last = bytes.len() as i64 - 1;
    Error::new(SqlState("2202E"), format!("index {at} out of valid range, 0..{last}"))
}

/// The encodings that text is converted between.
enum Encoding {
    Utf8,
    Latin1,
}

fn encoding(name: &str, which: &str) -> Result<Encoding> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_lowercase().as_str() {
        "utf8" | "unicode" => Ok(Encoding::Utf8),
        "latin1" | "iso88591" => Ok(Encoding::Latin1),
        _ => {
            let message = format!("invalid {which} encoding name \"{name}\"");
            Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message))
        }
    }
}

fn latin1(c: char) -> Result<u8> {
    u8::try_from(c).map_err(|_| {
        let mut buffer = [0; 4];
        let bytes = c.encode_utf8(&mut buffer).bytes().map(|byte| format!("0x{byte:02x}"));
        let message = format!(
            "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \
             \"LATIN1\"",
            bytes.collect::<Vec<_>>().join(" ")
        );
        Error::new(SqlState("22P05"), message)
    })
}

fn register_digests(builder: &mut Builder) {
    builder.function("sha224(bytea) -> bytea", |_, args| {
        Ok(bytea(Sha224::digest(arg::<&[u8]>(args, 0)?).to_vec()))
    });
    builder.function("sha256(bytea) -> bytea", |_, args| {
        Ok(bytea(Sha256::digest(arg::<&[u8]>(args, 0)?).to_vec()))
    });
    builder.function("sha384(bytea) -> bytea", |_, args| {
        Ok(bytea(Sha384::digest(arg::<&[u8]>(args, 0)?).to_vec()))
    });
    builder.function("sha512(bytea) -> bytea", |_, args| {
        Ok(bytea(Sha512::digest(arg::<&[u8]>(args, 0)?).to_vec()))
    });
    builder
        .function("digest(bytea, text) -> bytea", |_, args| digest(arg(args, 0)?, arg(args, 1)?));
    builder.function("digest(text, text) -> bytea", |_, args| {
        digest(arg::<&str>(args, 0)?.as_bytes(), arg(args, 1)?)
    });
}

/// pgcrypto's `digest`.
fn digest(bytes: &[u8], algorithm: &str) -> Result<Value> {
    Ok(bytea(match algorithm.to_lowercase().as_str() {
        "md5" => md5::Md5::digest(bytes).to_vec(),
        "sha224" => Sha224::digest(bytes).to_vec(),
        "sha256" => Sha256::digest(bytes).to_vec(),
        "sha384" => Sha384::digest(bytes).to_vec(),
        "sha512" => Sha512::digest(bytes).to_vec(),
        _ => {
            let message = format!("Cannot use \"{algorithm}\": No such hash algorithm");
            return Err(Error::new(SqlState::INVALID_PARAMETER_VALUE, message));
        }
    }))
}

fn bytea(bytes: Vec<u8>) -> Value {
    Value::Bytea(bytes.into())
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect()
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

fn encode(bytes: &[u8], format: &str) -> Result<String> {
    match format {
        "hex" => Ok(hex(bytes)),
        "base64" => {
            let text = BASE64_STANDARD.encode(bytes);
            let lines = text.as_bytes().chunks(BASE64_LINE_LEN).map(String::from_utf8_lossy);
            Ok(lines.collect::<Vec<_>>().join("\n"))
        }
        "escape" => Ok(crate::value::output::escape_bytes(bytes)),
        _ => Err(unrecognized(format)),
    }
}

fn decode(text: &str, format: &str) -> Result<Vec<u8>> {
    match format {
        "hex" => crate::value::input::hex_bytes(text),
        "base64" => {
            let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            BASE64_STANDARD.decode(compact).map_err(|_| {
                let message = "invalid base64 end sequence";
                Error::new(SqlState::INVALID_PARAMETER_VALUE, message).with_hint(
                    "Input data is missing padding, is truncated, or is otherwise corrupted.",
                )
            })
        }
        "escape" => crate::value::input::escaped_bytes(text),
        _ => Err(unrecognized(format)),
    }
}

fn unrecognized(format: &str) -> Error {
    let message = format!("unrecognized encoding: \"{format}\"");
    Error::new(SqlState::INVALID_PARAMETER_VALUE, message)
}
