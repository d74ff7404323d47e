//! The only door to the outside: files, time and randomness.
//!
//! Everything above asks an [`Env`], so that a test can hand it a simulated machine: files that
//! know what was synced ([`memory`]), operations that fail by rule ([`fault`]). Cheap to clone.

pub mod atomic_file;
pub mod clock;
pub mod fault;
pub mod file_name;
pub mod memory;
pub mod os;
pub mod overlay;
pub mod vfs;

use std::sync::Arc;

pub use clock::Clock;
pub use file_name::{FileId, FileName};
pub use memory::MemoryFs;
pub use overlay::Overlay;
pub use vfs::{File, Vfs};

/// A machine: its files and its clock.
#[derive(Clone)]
pub struct Env {
    /// The files.
    pub vfs: Arc<dyn Vfs>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Env {
    /// The machine that this process runs on.
    pub fn os() -> Self {
        Self { vfs: Arc::new(os::OsFs), clock: Arc::new(clock::SystemClock::default()) }
    }

    /// A simulated machine without a disk: for tests and for databases that need not last.
    pub fn memory() -> Self {
        Self::with_files(Arc::new(MemoryFs::default()))
    }

    /// The machine that this process runs on, as it is now: what is written stays in memory.
    pub fn read_only() -> Self {
        Self::with_files(Arc::new(Overlay::new(Arc::new(os::OsFs))))
    }

    /// The real clock with other files.
    pub fn with_files(vfs: Arc<dyn Vfs>) -> Self {
        Self { vfs, clock: Arc::new(clock::SystemClock::default()) }
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").finish_non_exhaustive()
    }
}
