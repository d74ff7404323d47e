//! Password verifiers for SCRAM-SHA-256 (RFC 5802, RFC 7677), in the form that Postgres keeps.
//!
//! `SCRAM-SHA-256$iterations:salt$stored key:server key`, salt and keys in base64. The password
//! itself is never kept.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::{digest, hmac, pbkdf2};

use crate::error::{Error, Result};

/// Postgres' default; RFC 7677 demands at least this.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("not zero");
/// Bytes, as in Postgres.
const SALT_LEN: usize = 16;
const PREFIX: &str = "SCRAM-SHA-256$";

/// What is kept of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// How often the password was hashed.
    pub iterations: u32,
    /// What was mixed into it.
    pub salt: Vec<u8>,
    /// Recognises the client's proof.
    pub stored_key: Vec<u8>,
    /// Signs the server's answer.
    pub server_key: Vec<u8>,
}

/// Whether a text is a verifier already, as dumps contain them.
pub fn is_verifier(text: &str) -> bool {
    parse(text).is_some()
}

/// Makes a verifier with a random salt.
///
/// # Errors
/// XX000 when the system has no randomness.
pub fn verifier(password: &str) -> Result<String> {
    let mut salt = [0; SALT_LEN];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut salt)
        .map_err(|_| Error::internal("no random bytes"))?;
    Ok(derive(password, &salt, ITERATIONS))
}

fn derive(password: &str, salt: &[u8], iterations: NonZeroU32) -> String {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client_key = hmac::sign(&key, b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    format!(
        "{PREFIX}{iterations}:{}${}:{}",
        BASE64_STANDARD.encode(salt),
        BASE64_STANDARD.encode(stored_key),
        BASE64_STANDARD.encode(server_key)
    )
}

/// Reads a verifier; `None` when the text is none.
pub fn parse(text: &str) -> Option<Verifier> {
    let (head, keys) = text.strip_prefix(PREFIX)?.split_once('$')?;
    let (iterations, salt) = head.split_once(':')?;
    let (stored_key, server_key) = keys.split_once(':')?;
    let key = |text: &str| {
        let key = BASE64_STANDARD.decode(text).ok()?;
        (key.len() == digest::SHA256_OUTPUT_LEN).then_some(key)
    };
    Some(Verifier {
        iterations: iterations.parse().ok()?,
        salt: BASE64_STANDARD.decode(salt).ok()?,
        stored_key: key(stored_key)?,
        server_key: key(server_key)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3: user "user", password "pencil".
    #[test]
    fn keys_are_those_of_the_rfc() {
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = parse(&derive("pencil", &salt, ITERATIONS)).unwrap();
        let stored = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=";
        let server = "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        assert_eq!(BASE64_STANDARD.encode(verifier.stored_key), stored);
        assert_eq!(BASE64_STANDARD.encode(verifier.server_key), server);
    }

    #[test]
    fn salts_differ_and_texts_are_told_apart() {
        let (a, b) = (verifier("x").unwrap(), verifier("x").unwrap());
        assert_ne!(a, b);
        assert!(is_verifier(&a));
        assert!(!is_verifier("SCRAM-SHA-256$oops"));
    }
}
