//! Building segments: out of documents, and out of other segments.

use bytes::Bytes;
use tantivy::directory::OwnedBytes;
use tantivy::fastfield::{AliveBitSet, write_alive_bitset};
use tantivy::indexer::merge_filtered_segments;
use tantivy::{BitSet, Index};

use super::directory::MemoryDirectory;
use super::lexemes::{build_error, schema, settings, to_tantivy};
use super::rows::{self, Row};
use super::{Segment, pack};
use crate::error::Result;
use crate::index::fulltext::delta::Sealed;
use crate::index::segmented::{Built, Ended, Part, Segment as _};
use crate::timestamp::Timestamp;

/// Bytes that tantivy may use before it would begin another segment; it only sizes its tables.
const MEMORY_BUDGET: usize = 16 << 20;

/// A segment of these documents; `None` without any.
///
/// # Errors
/// `Internal`.
pub(in crate::index::fulltext) fn build(versions: &[Sealed]) -> Result<Option<Built>> {
    if versions.is_empty() {
        return Ok(None);
    }
    let directory = MemoryDirectory::default();
    let mut writer = Index::builder()
        .schema(schema())
        .settings(settings())
        .single_segment_index_writer(directory.clone(), MEMORY_BUDGET)
        .map_err(build_error)?;
    let mut rows = Vec::with_capacity(versions.len());
    let mut ended = Ended::default();
    for (doc, version) in (0u32..).zip(versions) {
        writer.add_document(to_tantivy(&version.document)).map_err(build_error)?;
        rows.push(Row {
            key: version.row_key.clone(),
            begin: version.begin,
            lexemes: version.document.len() as u32,
            positions: version.document.whole_position_count() as u32,
        });
        if version.end < Timestamp::MAX {
            ended.insert(doc, version.end);
        }
    }
    writer.finalize().map_err(build_error)?;
    Ok(Some(Built { bytes: finish(directory, &rows), ended }))
}

/// See [`Segment::merge`](crate::index::segmented::Segment::merge).
pub(super) fn merge(parts: &[Part<Segment>], oldest: Timestamp) -> Result<Option<Built>> {
    let mut rows = Vec::new();
    let mut ended = Ended::default();
    let mut segments = Vec::with_capacity(parts.len());
    let mut filters = Vec::with_capacity(parts.len());
    for part in parts {
        let segment = &part.segment;
        let (table, count) = (segment.rows()?, segment.item_count());
        let mut alive = BitSet::with_max_value(count);
        for doc in 0..count {
            let end = part.end(doc);
            if end <= oldest {
                continue;
            }
            alive.insert(doc);
            if end < Timestamp::MAX {
                ended.insert(rows.len() as u32, end);
            }
            rows.push(table.row(doc).ok_or_else(|| segment.rows_damaged())?);
        }
        let mut bytes = Vec::new();
        write_alive_bitset(&alive, &mut bytes).map_err(build_error)?;
        filters.push(Some(AliveBitSet::open(OwnedBytes::new(bytes))));
        segments.push(segment.tantivy()?.segment());
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let directory = MemoryDirectory::default();
    merge_filtered_segments(&segments, settings(), filters, directory.clone())
        .map_err(build_error)?;
    Ok(Some(Built { bytes: finish(directory, &rows), ended }))
}

fn finish(directory: MemoryDirectory, rows: &[Row]) -> Vec<u8> {
    let mut sections = directory.into_files();
    sections.push((rows::NAME.to_owned(), Bytes::from(rows::encode(rows))));
    pack::pack(&sections)
}
