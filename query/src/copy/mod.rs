//! COPY: rows in bulk, as text, CSV or Postgres' binary format.
//!
//! - [`text`] and [`csv`]: one record to fields and back; pure
//! - [`binary`]: the same for the binary format
//! - [`CopyIn`]: bytes from the client become rows to insert
//! - [`CopyOut`]: rows become bytes
//!
//! (Postgres manual, "COPY".)

mod binary;
mod csv;
mod format;
mod input;
mod output;
mod text;

pub use input::{CopyColumn, CopyIn, CopyInput};
pub use output::CopyOut;
