//! A consistent copy on disk: hard links of the sstables and a manifest that names them.
//!
//! CURRENT comes last: a crash before it leaves no data directory, after it a whole one.

use std::path::Path;

use super::store::Store;
use super::version::{Manifest, Version};
use crate::env::{FileId, FileName};
use crate::error::{Error, Result};
use crate::timestamp::Timestamp;

impl Store {
    /// Makes `target` a data directory with everything appended before the call.
    ///
    /// The memtable is flushed first, so that no WAL has to be copied; sstables are immutable, so
    /// that a second name is as good as a copy. Takes no longer for a larger database. `link_more`
    /// links what belongs to it and is not the store's. Returns up to which commit it is complete.
    pub(super) fn checkpoint(
        &self,
        target: &Path,
        link_more: &dyn Fn() -> Result<()>,
    ) -> Result<Timestamp> {
        let vfs = &self.env.vfs;
        if vfs.exists(target).map_err(|error| Error::io("look up", target, error))? {
            let target = target.display();
            return Err(Error::invalid(format!("the checkpoint directory exists dir={target}")));
        }
        self.flush_all()?;
        // Held until the links are made: an obsolete file goes only with its last reader.
        let version = self.state.load().version.clone();
        vfs.create_dir_all(target).map_err(|error| Error::io("create directory", target, error))?;
        let linked = self.link_files(&version, target, link_more);
        if linked.is_err() {
            // The caller gets the first error; a half-made checkpoint has no CURRENT.
            let _ = vfs.remove_dir_all(target);
        }
        linked.map(|()| version.shape().flushed)
    }

    fn link_files(
        &self,
        version: &Version,
        target: &Path,
        link_more: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        for sstable in version.sstables() {
            let name = FileName::Sstable(sstable.meta().id);
            let (from, to) = (name.path(&self.dir), name.path(target));
            self.env.vfs.hard_link(&from, &to).map_err(|error| Error::io("link", &to, error))?;
        }
        link_more()?;
        let mut shape = version.shape().clone();
        // Commits that are not in sstables are not in the copy.
        shape.last_ts = shape.flushed;
        shape.drops.iter_mut().for_each(|mark| mark.ts = mark.ts.min(shape.flushed));
        let id = FileId(self.new_file_id().0);
        shape.next_file = FileId(id.0 + 1);
        (shape.wal_first, shape.wal_last) = (FileId(0), FileId(0)); // it has no WAL yet
        Manifest::create(&self.env, target, id, &shape)?;
        Ok(())
    }
}
