//! RocksDB, set up as its wiki advises for point reads and scans in bounded memory: filters of ten
//! bits, indexes and filters inside the block cache and pinned where they are asked most, dynamic
//! level targets, hash index in data blocks, background writing smoothed.

use std::path::Path;

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, DB, DBCompressionType, DataBlockIndexType,
    IngestExternalFileOptions, Options, SstFileWriter, WaitForCompactOptions, WriteBatch,
    WriteOptions,
};

use super::{Direction, Engine, Result, Session, Writes};

const MEMTABLE_LEN: usize = 64 << 20;
const MEMTABLE_COUNT: i32 = 5;
const BLOCK_LEN: usize = 4 << 10;
const SST_LEN: u64 = 64 << 20;

pub struct Rocks {
    db: DB,
    options: Options,
}

impl Rocks {
    pub fn open(dir: &Path, cache_len: usize) -> Result<Self> {
        let options = options(cache_len);
        Ok(Self { db: DB::open(&options, dir)?, options })
    }
}

fn options(cache_len: usize) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&Cache::new_hyper_clock_cache(cache_len, 0));
    table.set_block_size(BLOCK_LEN);
    table.set_bloom_filter(10.0, false);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_pin_top_level_index_and_filter(true);
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    table.set_format_version(6);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_write_buffer_size(MEMTABLE_LEN);
    options.set_max_write_buffer_number(MEMTABLE_COUNT);
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    options.set_recycle_log_file_num(4);
    options
}

impl Engine for Rocks {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(RocksSession(&self.db)))
    }

    fn load_sorted(&self, records: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<()> {
        let mut paths = Vec::new();
        let mut writer: Option<SstFileWriter<'_>> = None;
        for (key, value) in records {
            if let Some(full) = writer.as_mut().filter(|writer| writer.file_size() >= SST_LEN) {
                full.finish()?;
                writer = None;
            }
            let writer = match &mut writer {
                Some(writer) => writer,
                None => {
                    let path = self.db.path().join(format!("load-{}.sst", paths.len()));
                    let new = SstFileWriter::create(&self.options);
                    new.open(&path)?;
                    paths.push(path);
                    writer.insert(new)
                }
            };
            writer.put(key, value)?;
        }
        if let Some(mut writer) = writer {
            writer.finish()?;
        }
        let mut ingest = IngestExternalFileOptions::default();
        ingest.set_move_files(true);
        self.db.ingest_external_file_opts(&ingest, paths)?;
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        self.db.flush_wal(true)?;
        self.db.flush()?;
        self.db.wait_for_compact(&WaitForCompactOptions::default())?;
        Ok(())
    }
}

struct RocksSession<'a>(&'a DB);

impl Session for RocksSession<'_> {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let value = self.0.get_pinned(key)?;
        Ok(value.inspect(|value| show(value)).is_some())
    }

    fn scan(
        &mut self,
        start: &[u8],
        direction: Direction,
        limit: usize,
        show: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<usize> {
        let mut cursor = self.0.raw_iterator();
        match direction {
            Direction::Forward => cursor.seek(start),
            Direction::Reverse => cursor.seek_for_prev(start),
        }
        let mut count = 0;
        while count < limit {
            let Some((key, value)) = cursor.item() else { break };
            show(key, value);
            count += 1;
            match direction {
                Direction::Forward => cursor.next(),
                Direction::Reverse => cursor.prev(),
            }
        }
        cursor.status()?;
        Ok(count)
    }

    fn commit(&mut self, writes: &Writes, is_durable: bool) -> Result<()> {
        let mut batch = WriteBatch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(is_durable);
        self.0.write_opt(batch, &options)?;
        Ok(())
    }
}
