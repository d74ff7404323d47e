//! Replacing a small file in one step: write aside, sync, rename, sync the directory.

use std::path::Path;

use super::vfs::Vfs;
use crate::error::{Error, Result};

/// Writes `contents` to `path` so that a power cut leaves either the old file or the new one.
///
/// # Errors
/// `Io`, `DiskFull`; the old file is then still there, or already replaced.
pub fn write_atomically(vfs: &dyn Vfs, path: &Path, contents: &[u8]) -> Result<()> {
    let aside = path.with_extension("tmp");
    let file = vfs.create(&aside).map_err(|error| Error::io("create", &aside, error))?;
    file.write_at(0, contents).map_err(|error| Error::io("write", &aside, error))?;
    file.sync().map_err(|error| Error::io("sync", &aside, error))?;
    drop(file);
    vfs.rename(&aside, path).map_err(|error| Error::io("rename", &aside, error))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    vfs.sync_dir(dir).map_err(|error| Error::io("sync directory", dir, error))
}
