//! Appending to the write-ahead log and making it durable.
//!
//! [`Writer::append`] only copies into a buffer. [`Writer::sync`] writes and syncs what the buffer
//! holds; while one caller does so the others queue behind it, and the first of them then syncs
//! for all that gathered meanwhile (group commit).
//!
//! # Invariants
//! W-1: `sync` returns a timestamp only after every record up to it was synced.
//!
//! # Locking
//! `output` before `pending`. `pending` is held for a memory copy only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::record::{Record, SEGMENT_HEADER_LEN, SegmentHeader};
use crate::env::{Env, File, FileId, FileName};
use crate::error::{Error, Result};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::timestamp::Timestamp;

/// Unsynced bytes after which `append` writes (but does not sync) them. 1 MiB.
const BUFFER_LEN_MAX: usize = 1 << 20;

/// The end of the log, open for appending. One segment at a time.
pub(crate) struct Writer {
    env: Env,
    dir: PathBuf,
    allocation_len: u64,
    output: Mutex<Output>,
    pending: Mutex<Pending>,
    durable: AtomicU64,
    written_len: AtomicU64,
    sync_count: AtomicU64,
    is_failed: AtomicBool,
}

/// The file side: held by whoever writes or syncs.
struct Output {
    segment: OpenSegment,
    /// Where the next buffer goes.
    offset: u64,
    /// A buffer to swap in, so that memory is reused.
    spare: Vec<u8>,
}

#[derive(Clone)]
struct OpenSegment {
    id: FileId,
    path: PathBuf,
    file: Arc<dyn File>,
}

/// The memory side: what was appended and not yet written.
struct Pending {
    segment: OpenSegment,
    buffer: Vec<u8>,
    last: Timestamp,
    /// Offset behind the last appended record.
    end: u64,
    /// Offset up to which space is set aside.
    allocated: u64,
    /// Offset up to which the segment is durable.
    synced: u64,
}

impl Writer {
    /// Begins a new segment behind `previous`. `last` is the newest timestamp in the log so far.
    ///
    /// # Errors
    /// `Io`, `DiskFull`.
    pub(crate) fn create(
        env: &Env,
        dir: &Path,
        allocation_len: u64,
        id: FileId,
        previous: Option<(FileId, u64)>,
        last: Timestamp,
    ) -> Result<Self> {
        let segment = create_segment(env, dir, allocation_len, id, previous)?;
        let offset = SEGMENT_HEADER_LEN as u64;
        Ok(Self {
            env: env.clone(),
            dir: dir.to_owned(),
            allocation_len,
            output: Mutex::new(Output { segment: segment.clone(), offset, spare: Vec::new() }),
            pending: Mutex::new(Pending {
                segment,
                buffer: Vec::new(),
                last,
                end: offset,
                allocated: allocation_len,
                synced: offset,
            }),
            durable: AtomicU64::new(last.0),
            written_len: AtomicU64::new(0),
            sync_count: AtomicU64::new(0),
            is_failed: AtomicBool::new(false),
        })
    }

    /// Appends one commit. It is durable after the next [`Writer::sync`].
    ///
    /// # Errors
    /// `DiskFull`, `Io` when no space could be set aside; nothing was appended then. `Closed`
    /// after a failed write or sync.
    pub(crate) fn append(&self, ts: Timestamp, payload: &[u8]) -> Result<()> {
        self.check()?;
        let mut pending = self.pending.lock();
        assert!(ts > pending.last, "commits are appended in timestamp order");
        let record = Record { ts, synced: pending.synced, payload };
        let end = pending.end + record.len() as u64;
        if end > pending.allocated {
            let wanted = end.next_multiple_of(self.allocation_len.max(1));
            let OpenSegment { file, path, .. } = &pending.segment;
            file.allocate(wanted).map_err(|error| Error::io("allocate", path, error))?;
            pending.allocated = wanted;
        }
        let segment = pending.segment.id;
        record.encode(segment, &mut pending.buffer);
        pending.end = end;
        pending.last = ts;
        let is_full = pending.buffer.len() >= BUFFER_LEN_MAX;
        drop(pending);
        if is_full {
            let mut output = self.output.lock();
            self.write(&mut output)?;
        }
        Ok(())
    }

    /// Makes everything appended so far durable and returns the newest durable timestamp.
    ///
    /// # Errors
    /// `Io` when writing or syncing failed: nobody knows what the disk has, so every later call
    /// answers `Closed`.
    pub(crate) fn sync(&self) -> Result<Timestamp> {
        let target = self.pending.lock().last;
        if self.durable() >= target {
            return Ok(self.durable());
        }
        let mut output = self.output.lock();
        if self.durable() < target {
            self.sync_output(&mut output)?;
        }
        Ok(self.durable())
    }

    /// The newest timestamp known to be durable.
    pub(crate) fn durable(&self) -> Timestamp {
        Timestamp(self.durable.load(Ordering::Acquire))
    }

    /// Closes the current segment, syncing it, and begins segment `id`.
    ///
    /// Requires: nobody appends meanwhile.
    ///
    /// # Errors
    /// `DiskFull`, `Io` when no new segment can be set aside; the old one then stays in use.
    /// Later failures close the log as those of [`Writer::sync`] do.
    pub(crate) fn rotate(&self, id: FileId) -> Result<()> {
        let mut output = self.output.lock();
        self.sync_output(&mut output)?;
        let previous = Some((output.segment.id, output.offset));
        let segment = allocate_segment(&self.env, &self.dir, self.allocation_len, id)?;
        // Once the header may be on disk the old segment counts as closed: there is no way back.
        begin_segment(&self.env, &self.dir, &segment, previous).inspect_err(|_| self.poison())?;
        let offset = SEGMENT_HEADER_LEN as u64;
        let mut pending = self.pending.lock();
        pending.segment = segment.clone();
        (pending.end, pending.synced, pending.allocated) = (offset, offset, self.allocation_len);
        output.segment = segment;
        output.offset = offset;
        Ok(())
    }

    /// The segment that is appended to; those before it are sealed.
    pub(crate) fn segment(&self) -> FileId {
        self.pending.lock().segment.id
    }

    /// The current segment and where its records end, when all of them are durable.
    ///
    /// # Errors
    /// As [`Writer::sync`].
    pub(crate) fn end(&self) -> Result<(FileId, u64)> {
        let mut output = self.output.lock();
        self.sync_output(&mut output)?;
        Ok((output.segment.id, output.offset))
    }

    /// A commit at `ts` became durable by other means; the next one comes after it.
    ///
    /// Requires: everything appended is durable, nobody appends meanwhile.
    pub(crate) fn skip_to(&self, ts: Timestamp) {
        self.pending.lock().last = ts;
        self.durable.store(ts.0, Ordering::Release);
    }

    /// Bytes written since opening.
    pub(crate) fn written_len(&self) -> u64 {
        self.written_len.load(Ordering::Relaxed)
    }

    /// Syncs since opening.
    pub(crate) fn sync_count(&self) -> u64 {
        self.sync_count.load(Ordering::Relaxed)
    }

    /// Makes every later write answer `Closed`.
    pub(crate) fn poison(&self) {
        self.is_failed.store(true, Ordering::Release);
    }

    /// # Errors
    /// `Closed` after a failed write or sync.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_failed.load(Ordering::Acquire) {
            return Err(Error::closed("an earlier write or sync failed; reopen the database"));
        }
        Ok(())
    }

    /// Writes the buffer to the file.
    fn write(&self, output: &mut Output) -> Result<Timestamp> {
        self.check()?;
        let spare = std::mem::take(&mut output.spare);
        let (mut buffer, last) = {
            let mut pending = self.pending.lock();
            (std::mem::replace(&mut pending.buffer, spare), pending.last)
        };
        let OpenSegment { file, path, .. } = &output.segment;
        if let Err(error) = file.write_at(output.offset, &buffer) {
            self.poison();
            return Err(Error::io("write", path, error));
        }
        output.offset += buffer.len() as u64;
        self.written_len.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        buffer.clear();
        buffer.shrink_to(BUFFER_LEN_MAX);
        output.spare = buffer;
        Ok(last)
    }

    fn sync_output(&self, output: &mut Output) -> Result<()> {
        let last = self.write(output)?;
        let OpenSegment { file, path, .. } = &output.segment;
        // After a failed sync the kernel may have dropped the dirty pages and marked them clean,
        // so that a second sync would lie ("Can Applications Recover from fsync Failures?",
        // Rebello et al., ATC 2020). The only safe way on is to replay the log anew.
        if let Err(error) = file.sync() {
            self.poison();
            return Err(Error::io("sync", path, error));
        }
        self.sync_count.fetch_add(1, Ordering::Relaxed);
        self.pending.lock().synced = output.offset;
        self.durable.store(last.0, Ordering::Release);
        Ok(())
    }
}

/// Creates a segment with its header, durable.
fn create_segment(
    env: &Env,
    dir: &Path,
    allocation_len: u64,
    id: FileId,
    previous: Option<(FileId, u64)>,
) -> Result<OpenSegment> {
    let segment = allocate_segment(env, dir, allocation_len, id)?;
    begin_segment(env, dir, &segment, previous)?;
    Ok(segment)
}

/// Creates a segment without a header: if it is all that a crash leaves, it never existed.
fn allocate_segment(env: &Env, dir: &Path, allocation_len: u64, id: FileId) -> Result<OpenSegment> {
    let path = FileName::Wal(id).path(dir);
    let file = env.vfs.create(&path).map_err(|error| Error::io("create", &path, error))?;
    if let Err(error) = file.allocate(allocation_len) {
        // What cannot be removed now is swept on the next open.
        let _ = env.vfs.remove(&path);
        return Err(Error::io("allocate", &path, error));
    }
    Ok(OpenSegment { id, path, file })
}

/// Writes the header, which closes the previous segment.
fn begin_segment(
    env: &Env,
    dir: &Path,
    segment: &OpenSegment,
    previous: Option<(FileId, u64)>,
) -> Result<()> {
    let OpenSegment { id, path, file } = segment;
    let header = SegmentHeader { segment: *id, previous }.encode();
    file.write_at(0, &header).map_err(|error| Error::io("write", path, error))?;
    file.sync().map_err(|error| Error::io("sync", path, error))?;
    env.vfs.sync_dir(dir).map_err(|error| Error::io("sync directory", dir, error))
}
