//! A consistent copy on disk: hard links of the sstables and a manifest that names them.

use std::path::Path;

use super::store::Store;
use super::version::{Manifest, Version};
use crate::env::{FileId, FileName};
use crate::error::{Error, Result};

impl Store {
    /// Makes `target` a data directory with everything appended before the call.
    ///
    /// The memtable is flushed first, so that no WAL has to be copied; sstables are immutable, so
    /// that a second name is as good as a copy. Takes no longer for a larger database.
    pub(super) fn checkpoint(&self, target: &Path) -> Result<()> {
        let vfs = &self.env.vfs;
        if vfs.exists(target).map_err(|error| Error::io("look up", target, error))? {
            let target = target.display();
            return Err(Error::invalid(format!("the checkpoint directory exists dir={target}")));
        }
        self.flush_all()?;
        // Held until the links are made: an obsolete file goes only with its last reader.
        let version = self.state.load().version.clone();
        vfs.create_dir_all(target).map_err(|error| Error::io("create directory", target, error))?;
        let linked = self.link_files(&version, target);
        if linked.is_err() {
            // The caller gets the first error; a half-made checkpoint has no CURRENT.
            let _ = vfs.remove_dir_all(target);
        }
        linked
    }

    fn link_files(&self, version: &Version, target: &Path) -> Result<()> {
        for sstable in version.sstables() {
            let name = FileName::Sstable(sstable.meta().id);
            let (from, to) = (name.path(&self.dir), name.path(target));
            self.env.vfs.hard_link(&from, &to).map_err(|error| Error::io("link", &to, error))?;
        }
        let mut shape = version.shape().clone();
        let id = FileId(self.new_file_id().0);
        shape.next_file = FileId(id.0 + 1);
        shape.wal_first = FileId(0); // it has no WAL yet
        Manifest::create(&self.env, target, id, &shape)?;
        Ok(())
    }
}
