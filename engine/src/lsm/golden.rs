//! Runs the golden scripts under `engine/testdata`; `UPDATE_GOLDENFILES=1` rewrites their output.

use std::error::Error;
use std::path::Path;

use goldenscript::{ArgumentConsumer, Runner};

use crate::env::Vfs;
use crate::env::os::OsFs;
use crate::keyspace::KeyRange;

/// Runs every script of an area, each with a runner of its own.
///
/// # Panics
/// When a script's output is not the expected one, or there is no script.
pub(crate) fn run_all<R: Runner + Default>(area: &str) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(area);
    let names = OsFs.list(&dir).unwrap();
    assert!(!names.is_empty(), "no scripts in {}", dir.display());
    for name in names {
        goldenscript::run(&mut R::default(), dir.join(&name))
            .unwrap_or_else(|error| panic!("{area}/{name}: {error}"));
    }
}

/// A required `key=value` argument.
pub(crate) fn need<'a>(
    arguments: &mut ArgumentConsumer<'a>,
    key: &str,
) -> Result<&'a str, Box<dyn Error>> {
    arguments.take_key(key).ok_or_else(|| format!("{key} is missing").into())
}

/// An optional numeric `key=value` argument.
pub(crate) fn number(
    arguments: &mut ArgumentConsumer<'_>,
    key: &str,
    default: u64,
) -> Result<u64, Box<dyn Error>> {
    Ok(arguments.take_key(key).map(str::parse).transpose()?.unwrap_or(default))
}

/// Two ends written as `a..c`; the second may be missing.
pub(crate) fn ends(text: &str) -> Result<(&str, &str), Box<dyn Error>> {
    text.split_once("..").ok_or_else(|| format!("{text} is not first..last").into())
}

/// A half-open key range written as `a..c` or `a..`.
pub(crate) fn key_range(text: &str) -> Result<KeyRange, Box<dyn Error>> {
    let (start, end) = ends(text)?;
    let end = (!end.is_empty()).then(|| end.as_bytes().to_vec());
    Ok(KeyRange { start: start.as_bytes().to_vec(), end })
}
