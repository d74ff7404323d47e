//! Golden transcripts: the three systems from top to bottom, and sessions that meet.
//!
//! `systems/*.txt` walk through whole systems (rows, names and types of columns, command tags,
//! errors); `isolation/*.txt` hold two or more sessions each.

use cairn_tests::{files, transcript};
use libtest_mimic::{Arguments, Trial};

fn main() {
    let trials = ["systems", "isolation"].into_iter().flat_map(trials).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trials(folder: &'static str) -> Vec<Trial> {
    let scripts = files::below(folder, "txt").into_iter();
    let trial = |path: std::path::PathBuf| {
        let name = format!("{folder}/{}", files::name(folder, &path));
        Trial::test(name.clone(), move || Ok(transcript::check(&name, &path)?))
    };
    scripts.map(trial).collect()
}
