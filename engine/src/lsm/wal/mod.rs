//! The write-ahead log: every commit, in timestamp order, before it is anywhere else on disk.
//!
//! The log is a chain of segment files. A new segment begins with each memtable, and the segments
//! of a memtable are removed when its sstable is in the manifest.

mod archive;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub(crate) mod reader;
mod record;
pub(crate) mod writer;

pub(crate) use archive::{Archive, ArchivedCommit, read_archive};
pub(crate) use reader::{Bounds, Log, Segment};
pub(crate) use writer::Writer;

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt::Write;
    use std::path::Path;
    use std::sync::Arc;

    use goldenscript::{Command, Context, Runner};

    use super::*;
    use crate::env::{Env, FileId, FileName, MemoryFs, Vfs};
    use crate::lsm::golden::{need, number, run_all};
    use crate::timestamp::Timestamp;

    const DIR: &str = "/wal";

    /// A log on simulated files, written, damaged and read back.
    struct Logging {
        files: MemoryFs,
        writer: Option<Writer>,
        ids: Vec<FileId>,
    }

    impl Default for Logging {
        fn default() -> Self {
            let files = MemoryFs::default();
            files.create_dir_all(Path::new(DIR)).unwrap();
            Self { files, writer: None, ids: Vec::new() }
        }
    }

    impl Logging {
        fn env(&self) -> Env {
            Env::with_files(Arc::new(self.files.clone()))
        }

        /// Begins or rotates to segment `id`.
        fn begin(&mut self, id: u64) -> Result<(), Box<dyn Error>> {
            let id = FileId(id);
            match &self.writer {
                Some(writer) => writer.rotate(id)?,
                None => {
                    let (env, dir) = (self.env(), Path::new(DIR));
                    let writer = Writer::create(&env, dir, 512, id, None, Timestamp(0))?;
                    self.writer = Some(writer);
                }
            }
            self.ids.push(id);
            Ok(())
        }

        fn replay(&self) -> crate::Result<String> {
            let log = Log::open(&self.env(), Path::new(DIR), &self.ids, Bounds::default())?;
            let mut output = String::new();
            for id in &log.stillborn {
                let _ = writeln!(output, "segment {}: never begun", id.0);
            }
            for segment in &log.segments {
                let mut line = format!("segment {}:", segment.id().0);
                let end = segment.replay(|offset, ts, payload| {
                    let text = String::from_utf8_lossy(payload);
                    let _ = write!(line, " [{offset} ts={} {text}]", ts.0);
                    Ok(())
                })?;
                let _ = writeln!(output, "{line} end {end}");
            }
            Ok(output)
        }
    }

    impl Runner for Logging {
        type Command = Command;

        fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
            let mut arguments = command.consume_args();
            let mut output = String::new();
            match command.name.as_str() {
                // begin ID: a new segment
                "begin" => {
                    let id = arguments.next_pos().ok_or("no segment")?.parse()?;
                    self.begin(id)?;
                }
                // append ts=payload ...
                "append" => {
                    let writer = self.writer.as_ref().ok_or("no segment yet")?;
                    for argument in arguments.by_ref() {
                        let goldenscript::Argument::KeyValue(ts, payload) = argument else {
                            return Err("not ts=payload".into());
                        };
                        writer.append(Timestamp(ts.parse()?), payload.as_bytes())?;
                    }
                }
                "sync" => {
                    let writer = self.writer.as_ref().ok_or("no segment yet")?;
                    output = format!("durable {}", writer.sync()?.0);
                }
                // damage segment=ID at=N: flips a bit
                "damage" => {
                    let id = FileId(need(&mut arguments, "segment")?.parse()?);
                    let at = usize::try_from(number(&mut arguments, "at", 0)?)?;
                    self.files.corrupt(&FileName::Wal(id).path(Path::new(DIR)), at, 0x01);
                }
                // lose ID: a segment is gone
                "lose" => {
                    let id = FileId(arguments.next_pos().ok_or("no segment")?.parse()?);
                    self.ids.retain(|other| *other != id);
                }
                "replay" => {
                    output = match self.replay() {
                        Ok(output) => output,
                        Err(error) => format!("{:?}: {error}", error.kind()),
                    };
                }
                name => return Err(format!("unknown command {name}").into()),
            }
            arguments.reject_next()?;
            Ok(output)
        }
    }

    #[test]
    fn scripts() {
        run_all::<Logging>("wal");
    }

    #[test]
    fn concurrent_syncs_share_their_work() {
        let files = MemoryFs::default();
        files.create_dir_all(Path::new(DIR)).unwrap();
        let env = Env::with_files(Arc::new(files));
        let writer =
            Writer::create(&env, Path::new(DIR), 512, FileId(1), None, Timestamp(0)).unwrap();
        for ts in 1..=100 {
            writer.append(Timestamp(ts), b"payload").unwrap();
        }
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(writer.sync().unwrap(), Timestamp(100)));
            }
        });
        assert_eq!(writer.sync_count(), 1);
    }
}
