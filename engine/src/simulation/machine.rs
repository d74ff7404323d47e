//! A machine whose power and disk can fail, and whose clock moves only when told.

use std::path::Path;
use std::sync::Arc;

use crate::env::clock::ManualClock;
use crate::env::fault::FaultFs;
use crate::env::{Env, MemoryFs};
use crate::error::{ErrorKind, Result};
use crate::{Db, Options};

/// Where the database is.
pub(super) const DIR: &str = "/db";

pub(super) struct Machine {
    pub memory: MemoryFs,
    pub faults: FaultFs,
    pub clock: Arc<ManualClock>,
}

impl Machine {
    pub fn new() -> Self {
        Self::with(MemoryFs::default(), Arc::default())
    }

    fn with(memory: MemoryFs, clock: Arc<ManualClock>) -> Self {
        let faults = FaultFs::new(Arc::new(memory.clone()));
        Self { memory, faults, clock }
    }

    pub fn env(&self) -> Env {
        let mut env = Env::with_files(Arc::new(self.faults.clone()));
        env.clock = self.clock.clone();
        env
    }

    pub fn open(&self, options: &Options) -> Result<Db> {
        Db::open_in(self.env(), Path::new(DIR), options.clone())
    }

    /// The machine after a power cut at this moment.
    pub fn after_power_cut(&self, seed: u64) -> Self {
        Self::with(self.memory.crash_image(seed), self.clock.clone())
    }

    /// The machine after the process was killed at this moment.
    pub fn after_kill(&self) -> Self {
        Self::with(self.memory.kill_image(), self.clock.clone())
    }

    /// Every byte is checked; the database must not be open.
    pub fn verify(&self) {
        match crate::verify(&self.env(), Path::new(DIR)) {
            Ok(verification) => assert_eq!(verification.findings, []),
            // The power went before there was anything.
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unusable, "{error}"),
        }
    }
}
