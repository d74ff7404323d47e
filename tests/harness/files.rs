//! The script files of a folder.

use std::path::{Path, PathBuf};

/// All files below a folder of this package with a certain ending, in order of their names.
pub fn below(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(folder), ending, &mut found);
    found.sort();
    found
}

/// The folder of this package.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A script's name: its path below the folder, without the ending.
pub fn name(folder: &str, path: &Path) -> String {
    let below = path.strip_prefix(root().join(folder)).unwrap_or(path);
    below.with_extension("").display().to_string()
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of scripts") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}
