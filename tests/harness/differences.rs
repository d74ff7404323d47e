//! How far Cairn still is from Postgres, statement by statement.
//!
//! `differences.txt` lists the statements of scripts that are answered otherwise than the script
//! says, which is what Postgres says, each with the reason:
//! ```text
//! sql/ddl/alter: ALTER TABLE t ALTER a TYPE text -- the hint is shorter
//! ```
//! The statement may be cut short; it stands for all that begin so. The list can only shrink: a
//! statement on it that is answered right fails the test, and so does one that is wrong and not on
//! it.

const LIST: &str = include_str!("../differences.txt");

/// A statement that was answered otherwise than its script says.
#[derive(Debug)]
pub struct Difference {
    /// Its text.
    pub statement: String,
    /// What was expected and what came.
    pub report: String,
}

impl Difference {
    /// The statement on one line.
    fn words(&self) -> String {
        self.statement.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Whether the statements of a script that differ are those that are listed.
///
/// # Errors
/// Those that differ and are not listed, and those that are listed and do not differ.
pub fn judge(script: &str, differences: &[Difference]) -> Result<(), String> {
    judge_by(LIST, script, differences)
}

fn judge_by(list: &str, script: &str, differences: &[Difference]) -> Result<(), String> {
    let listed: Vec<&str> = list.lines().filter_map(|line| entry(line, script)).collect();
    let differs = |entry: &&str| differences.iter().any(|found| begins(found, entry));
    let is_new = |found: &&Difference| !listed.iter().any(|entry| begins(found, entry));
    let news = differences.iter().filter(is_new).map(|found| {
        let statement = found.words();
        format!("not on differences.txt: {script}: {statement}\n{}", found.report)
    });
    let gone = listed.iter().filter(|entry| !differs(entry)).map(|entry| {
        format!("answered as Postgres does, take it off differences.txt: {script}: {entry}")
    });
    let findings: Vec<String> = news.chain(gone).collect();
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}

/// The statement of a line of the list, if it is of this script.
fn entry<'a>(line: &'a str, script: &str) -> Option<&'a str> {
    let statement = line.strip_prefix(script)?.strip_prefix(": ")?;
    Some(statement.split_once(" -- ").map_or(statement, |(statement, _)| statement))
}

fn begins(found: &Difference, entry: &str) -> bool {
    found.words().starts_with(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# Reasons.\na/b: SELECT 1 -- why\na/b: SELECT 2, -- why\na/bc: SELECT 3";

    fn judge(script: &str, statements: &[&str]) -> bool {
        let found = statements.iter().map(|statement| Difference {
            statement: (*statement).to_owned(),
            report: String::new(),
        });
        judge_by(LIST, script, &found.collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn exactly_what_is_listed_may_differ() {
        assert!(judge("a/b", &["SELECT 1", "SELECT\n  2, 3"]));
        assert!(!judge("a/b", &["SELECT 1"]), "one is answered right");
        assert!(!judge("a/b", &["SELECT 1", "SELECT 2, 3", "SELECT 3"]), "one is new");
        assert!(!judge("a/bc", &[]));
        assert!(judge("a", &[]));
        assert!(!judge("a", &["SELECT 1"]));
    }
}
