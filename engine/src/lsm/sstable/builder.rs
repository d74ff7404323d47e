//! Sorted entries to file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::{BlockBuilder, Compression, RESTART_INTERVAL, seal};
use super::block_index::BlockIndexBuilder;
use super::filter::FilterBuilder;
use super::footer::{BlockHandle, Footer};
use super::properties::Properties;
use crate::env::{Env, File, FileId, FileName};
use crate::error::{Error, Result};
use crate::lsm::internal_key::compare;
use crate::options::Options;
use crate::timestamp::Timestamp;

/// Bytes gathered before they are written. 256 KiB.
const BUFFER_LEN: usize = 256 << 10;

/// Writes one sstable. Dropping it unfinished removes the file.
pub(crate) struct SstableBuilder {
    env: Env,
    id: FileId,
    path: PathBuf,
    file: Option<Arc<dyn File>>,
    compression: Compression,
    block_len: usize,
    block: BlockBuilder,
    index: BlockIndexBuilder,
    filter: FilterBuilder,
    properties: Properties,
    last_ts: Timestamp,
    buffer: Vec<u8>,
    /// Bytes already written to the file.
    written: u64,
}

impl SstableBuilder {
    /// # Errors
    /// `Io`, `DiskFull`.
    pub(crate) fn create(
        env: &Env,
        dir: &Path,
        id: FileId,
        options: &Options,
        compression: Compression,
    ) -> Result<Self> {
        let path = FileName::Sstable(id).path(dir);
        let file = env.vfs.create(&path).map_err(|error| Error::io("create", &path, error))?;
        Ok(Self {
            env: env.clone(),
            id,
            path,
            file: Some(file),
            compression,
            block_len: options.block_len,
            block: BlockBuilder::new(RESTART_INTERVAL),
            index: BlockIndexBuilder::new(),
            filter: FilterBuilder::new(options.filter_bits_per_key),
            properties: Properties::default(),
            last_ts: Timestamp(0),
            buffer: Vec::with_capacity(BUFFER_LEN),
            written: 0,
        })
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `Io`, `DiskFull`; `Invalid` when it is not after the one added before (S-1).
    pub(crate) fn add(&mut self, key: &[u8], ts: Timestamp, value: Option<&[u8]>) -> Result<()> {
        let last = &self.properties.largest;
        let is_first = self.properties.entry_count == 0;
        if !is_first && compare((last, self.last_ts), (key, ts)).is_ge() {
            return Err(Error::invalid("S-1: entries of an sstable must be sorted and distinct"));
        }
        if is_first || last.as_slice() != key {
            self.filter.add(key);
        }
        if self.block.is_empty() {
            self.index.begin_block(key);
        }
        self.block.add(key, ts, value);
        self.properties.add(key, ts, value);
        self.last_ts = ts;
        if self.block.len() >= self.block_len {
            self.end_block()?;
        }
        Ok(())
    }

    /// Bytes of the file so far, more or less.
    pub(crate) fn len(&self) -> u64 {
        self.position() + self.block.len() as u64
    }

    /// The key added last.
    pub(crate) fn last_key(&self) -> &[u8] {
        &self.properties.largest
    }

    fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn end_block(&mut self) -> Result<()> {
        let last_key = self.block.last_key().to_vec();
        let start = self.position();
        let (buffer, compression) = (&mut self.buffer, self.compression);
        self.block.finish(|payload| seal(payload, compression, buffer));
        let handle = self.handle_since(start)?;
        self.index.end_block(&last_key, self.last_ts, handle);
        if self.buffer.len() >= BUFFER_LEN { self.write_out() } else { Ok(()) }
    }

    fn handle_since(&self, start: u64) -> Result<BlockHandle> {
        let len = self.position() - start;
        let len = u32::try_from(len)
            .map_err(|_| Error::limit("sstable block bytes", u64::from(u32::MAX), len))?;
        Ok(BlockHandle { offset: start, len })
    }

    fn append(&mut self, payload: &[u8]) -> Result<BlockHandle> {
        let start = self.position();
        seal(payload, Compression::None, &mut self.buffer);
        self.handle_since(start)
    }

    fn file(&self) -> Result<&Arc<dyn File>> {
        self.file.as_ref().ok_or_else(|| Error::internal("sstable builder used after its end"))
    }

    fn write_out(&mut self) -> Result<()> {
        let file = self.file()?;
        file.write_at(self.written, &self.buffer)
            .map_err(|error| Error::io("write", &self.path, error))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Completes and syncs the file. The caller syncs the directory before naming it (V-3).
    /// Requires: at least one entry was added.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub(crate) fn finish(mut self) -> Result<FileMeta> {
        assert!(self.properties.entry_count > 0, "an sstable has at least one entry");
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let filter = match self.filter.finish() {
            Some(payload) => Some(self.append(&payload)?),
            None => None,
        };
        let mut payload = Vec::new();
        self.properties.encode(&mut payload);
        let properties = self.append(&payload)?;
        let payload = self.index.finish(<[u8]>::to_vec);
        let index = self.append(&payload)?;
        self.buffer.extend_from_slice(&Footer { index, filter, properties }.encode());
        self.write_out()?;
        self.file()?.sync().map_err(|error| Error::io("sync", &self.path, error))?;
        self.file = None; // finished: dropping the builder keeps the file
        let properties = std::mem::take(&mut self.properties);
        Ok(FileMeta { id: self.id, len: self.written, properties })
    }
}

impl Drop for SstableBuilder {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // What cannot be removed now is swept on the next open.
            let _ = self.env.vfs.remove(&self.path);
        }
    }
}

/// An sstable as the manifest knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMeta {
    /// Its number.
    pub id: FileId,
    /// Its length in bytes.
    pub len: u64,
    /// What it says about itself.
    pub properties: Properties,
}
