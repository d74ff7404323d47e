//! Plans of statements that came as text, shared by all sessions.
//!
//! Parsing and binding a point lookup costs several times what running it does, and clients that
//! send plain text send the same few texts, or texts that differ in a literal only ([`template`]).
//! An entry holds only as long as the definitions that it was bound against are current, which the
//! session checks by identity.

use std::sync::Arc;

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use super::prepared::Prepared;
use template::Family;

pub(crate) mod shape;
pub(crate) mod template;

/// How many texts are kept. A plan is a few kilobytes: about 16 MB.
const ENTRIES_MAX: usize = 4096;
/// Longer texts are bulk loads, and do not come twice.
const TEXT_LEN_MAX: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    database: u32,
    environment: u64,
    text: Arc<str>,
}

#[derive(Hash)]
struct Lookup<'a> {
    database: u32,
    environment: u64,
    text: &'a str,
}

impl Equivalent<Key> for Lookup<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.database == key.database
            && self.environment == key.environment
            && *self.text == *key.text
    }
}

/// See the module.
pub(crate) struct PlanCache {
    texts: Cache<Key, Arc<Prepared>>,
    /// By text without literals.
    families: Cache<Key, Arc<Family>>,
}

impl Default for PlanCache {
    fn default() -> Self {
        Self { texts: Cache::new(ENTRIES_MAX), families: Cache::new(ENTRIES_MAX) }
    }
}

impl PlanCache {
    /// The statement of a text, if it was seen under the same settings.
    pub(crate) fn get(&self, database: u32, environment: u64, text: &str) -> Option<Arc<Prepared>> {
        if text.len() > TEXT_LEN_MAX {
            return None;
        }
        self.texts.get(&Lookup { database, environment, text })
    }

    /// Keeps a statement.
    pub(crate) fn insert(&self, database: u32, prepared: &Arc<Prepared>) {
        if !is_lasting(&prepared.text) {
            return;
        }
        let (environment, text) = (prepared.environment, prepared.text.clone());
        self.texts.insert(Key { database, environment, text }, prepared.clone());
    }

    /// What is known of the texts of a shape.
    pub(crate) fn family(
        &self,
        database: u32,
        environment: u64,
        shape: &str,
    ) -> Option<Arc<Family>> {
        self.families.get(&Lookup { database, environment, text: shape })
    }

    /// Keeps what is known of the texts of a shape.
    pub(crate) fn insert_family(
        &self,
        database: u32,
        environment: u64,
        shape: &str,
        family: Family,
    ) {
        let key = Key { database, environment, text: shape.into() };
        self.families.insert(key, Arc::new(family));
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.texts.clear();
        self.families.clear();
    }
}

/// Whether the text is worth keeping, and means the same the next time.
pub(crate) fn is_lasting(text: &str) -> bool {
    text.len() <= TEXT_LEN_MAX && !depends_on_time(text)
}

/// Whether a literal may mean another moment each time: `'today'::date` is a constant once bound.
fn depends_on_time(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["now", "today", "tomorrow", "yesterday", "allballs"].iter().any(|word| {
        text.match_indices(word).any(|(start, _)| {
            let before = text.get(..start).unwrap_or_default();
            before.trim_end().ends_with('\'')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::depends_on_time;

    #[test]
    fn moments_are_not_cached() {
        assert!(depends_on_time("SELECT 'Today'::date"));
        assert!(depends_on_time("SELECT ' now '::timestamptz"));
        assert!(!depends_on_time("SELECT now()"));
        assert!(!depends_on_time("SELECT * FROM t WHERE known = 'x'"));
    }
}
