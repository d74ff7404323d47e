//! A real Postgres with PostGIS, whose answers become the expected ones.

use std::net::ToSocketAddrs;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::client::{Address, Client, Protocol};

/// `USER@HOST:PORT` of a server that asks for no password and whose new databases come with
/// PostGIS and `pg_trgm`.
const VARIABLE: &str = "CAIRN_TEST_REFERENCE";

/// One database there, dropped at the end.
pub struct Reference {
    admin: Client,
    address: Address,
}

impl Reference {
    /// A new database, when a reference is named in the environment.
    ///
    /// # Panics
    /// When the name is not understood or nobody answers.
    pub fn from_environment() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let named = std::env::var(VARIABLE).ok()?;
        let (user, host) = named.split_once('@').expect("USER@HOST:PORT");
        let socket = host.to_socket_addrs().expect("an address").next().expect("an address");
        let mut address =
            Address { socket, user: user.to_owned(), database: "postgres".to_owned() };
        let mut admin = Client::connect(&address, Protocol::Simple).expect("the reference");
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        address.database = format!("cairn_{}_{number}", std::process::id());
        admin.run(&format!("CREATE DATABASE {}", address.database)).unwrap_tag();
        Some(Self { admin, address })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE {} WITH (FORCE)", self.address.database);
        let outcome = self.admin.run(&drop_it);
        assert!(outcome.error.is_none() || std::thread::panicking(), "{:?}", outcome.error);
    }
}
