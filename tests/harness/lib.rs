//! What the tests of the whole product share.
//!
//! - [`host`]: a database of one test, in process or behind a server; checked when it goes
//! - [`client`]: the wire protocol by hand, so that names, types, tags and every field of an error
//!   can be compared
//! - [`embedded`]: the same answers from a session in process
//! - [`transcript`]: golden scripts of one or more sessions
//! - [`differences`]: what is known to differ from Postgres
//! - [`reference`](mod@reference): a real Postgres, for regenerating what is expected
//!
//! # Where expected answers come from
//! Every `.slt` file and every transcript was answered by Postgres 15 with PostGIS. To regenerate
//! them, name such a server and run the tests: they write its answers instead of comparing.
//! ```text
//! CAIRN_TEST_REFERENCE=postgres@127.0.0.1:5432 cargo test -p cairn-tests --test sql --test transcripts
//! ```

pub mod client;
pub mod differences;
pub mod embedded;
pub mod files;
pub mod host;
pub mod outcome;
pub mod protocol;
pub mod reference;
pub mod transcript;
