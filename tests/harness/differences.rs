//! How far Cairn still is from Postgres, script by script.
//!
//! `differences.txt` says how many statements of a script are answered otherwise than the script
//! says, which is what Postgres says. A script that is not listed must agree in everything. The
//! numbers may only shrink: a change that adds a difference fails.

const LIST: &str = include_str!("../differences.txt");

/// How many differences a script may have.
fn allowed(script: &str) -> usize {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    let mut listed = lines.filter_map(|line| line.rsplit_once(' '));
    let found = listed.find(|(name, _)| *name == script);
    found.map_or(0, |(_, count)| count.parse().expect("a number"))
}

/// Whether the differences of a script are no more than are known.
///
/// # Errors
/// All of them, when there are more.
pub fn judge(script: &str, differences: &[String]) -> Result<(), String> {
    let allowed = allowed(script);
    if differences.len() <= allowed {
        return Ok(());
    }
    let count = differences.len();
    let list = differences.join("\n");
    Err(format!("{count} differences, {allowed} in tests/differences.txt\n{list}"))
}
