//! Who is it, and is that true? Trust on the loopback as long as the role has no password,
//! SCRAM-SHA-256 (RFC 5802, RFC 7677) otherwise.

use std::net::IpAddr;

use bytes::{Buf, Bytes};
use cairn_query::catalog::RoleDef;
use cairn_query::{Error, Result, SqlState, scram};
use pgwire::api::auth::sasl::SCRAM_SHA_256_METHOD;
use pgwire::api::auth::sasl::scram::{
    ScramSecret, ScramServerAuth, ScramServerAuthWaitingForClientFinal,
};

use crate::frontend::protocol;

/// What a client must do to be let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Nothing.
    Trust,
    /// Prove that it knows the password behind this verifier.
    Scram(String),
}

/// What a role must show when it comes from an address.
///
/// # Errors
/// 28P01 when it would need a password and has none.
pub(crate) fn demand(role: &RoleDef, peer: IpAddr) -> Result<Demand> {
    match &role.password {
        Some(verifier) => Ok(Demand::Scram(verifier.clone())),
        None if peer.is_loopback() => Ok(Demand::Trust),
        None => Err(wrong_password(&role.name)),
    }
}

/// 28P01
pub(crate) fn wrong_password(user: &str) -> Error {
    let message = format!("password authentication failed for user \"{user}\"");
    Error::new(SqlState::INVALID_PASSWORD, message)
}

/// A SCRAM exchange that waits for the client's proof.
pub(crate) struct Exchange {
    user: String,
    inner: ScramServerAuthWaitingForClientFinal,
}

/// Answers the client's first SASL message: what to send, and the exchange.
///
/// # Errors
/// 28000 for another mechanism, 28P01, 08P01.
pub(crate) fn begin(user: &str, verifier: &str, message: Bytes) -> Result<(Bytes, Exchange)> {
    let data = initial_response(message)?;
    let verifier = scram::parse(verifier)
        .ok_or_else(|| Error::internal("the role's password verifier cannot be read"))?;
    let secret = ScramSecret::Verifier {
        salt: verifier.salt,
        iterations: usize::try_from(verifier.iterations).unwrap_or(usize::MAX),
        stored_key: verifier.stored_key,
        server_key: verifier.server_key,
    };
    let first = ScramServerAuth::new().on_client_first_message_with_secret(&data, secret);
    let (answer, inner) = first.map_err(|error| refuse(user, &error))?;
    Ok((Bytes::from(answer), Exchange { user: user.to_owned(), inner }))
}

impl Exchange {
    /// Checks the client's proof; answers the server's.
    ///
    /// # Errors
    /// 28P01
    pub(crate) fn finish(&self, message: &[u8]) -> Result<Bytes> {
        let answer = self.inner.on_client_final_message(message);
        answer.map(Bytes::from).map_err(|error| refuse(&self.user, &error))
    }
}

/// Whatever fails in a proof, the client learns only that it failed.
fn refuse(user: &str, error: &pgwire::error::PgWireError) -> Error {
    tracing::debug!(user, %error, "SCRAM exchange failed");
    wrong_password(user)
}

/// `mechanism\0 length i32 data`
fn initial_response(mut message: Bytes) -> Result<Bytes> {
    let end = message.iter().position(|&byte| byte == 0);
    let end = end.ok_or_else(|| protocol("invalid SASL message"))?;
    let mechanism = message.split_to(end);
    message.advance(1);
    if mechanism != SCRAM_SHA_256_METHOD.as_bytes() {
        let message = "client selected an invalid SASL authentication mechanism";
        return Err(protocol(message));
    }
    if message.len() < 4 {
        return Err(protocol("invalid SASL message"));
    }
    let len = usize::try_from(message.get_i32()).ok();
    len.filter(|len| *len == message.len())
        .map(|_| message)
        .ok_or_else(|| protocol("invalid SASL message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_trusted_until_there_is_a_password() {
        let mut role = RoleDef::superuser("cairn");
        let (home, away) = ([127, 0, 0, 1].into(), [192, 0, 2, 1].into());
        assert_eq!(demand(&role, home).unwrap(), Demand::Trust);
        assert_eq!(demand(&role, away).unwrap_err().state(), SqlState::INVALID_PASSWORD);
        role.password = Some("SCRAM-SHA-256$…".to_owned());
        assert!(matches!(demand(&role, home), Ok(Demand::Scram(_))));
    }

    #[test]
    fn initial_responses() {
        let whole = b"SCRAM-SHA-256\0\0\0\0\x02ab";
        assert_eq!(initial_response(Bytes::from_static(whole)).unwrap(), "ab");
        for len in 0..whole.len() {
            assert!(initial_response(Bytes::copy_from_slice(&whole[..len])).is_err());
        }
        assert!(initial_response(Bytes::from_static(b"PLAIN\0\0\0\0\0")).is_err());
    }
}
