//! Whether a wait that begins now closes a cycle of waits.
//!
//! Every owner that waits has edges to those who must end before it is granted: conflicting
//! holders and conflicting requests ahead of it in the queue. Waits begin one at a time (the
//! caller holds the mutex of [`Waits`]), and edges otherwise only vanish, so the wait that closes a
//! cycle always sees all of it, and what it sees did exist: no deadlock is missed, none invented.

use ahash::{HashMap, HashSet, HashSetExt};
use std::sync::Arc;

use super::LockOwner;
use super::mode::LockMode;
use super::waiter::Waiter;

/// Everybody who waits.
pub(super) type Waits = HashMap<LockOwner, Wait>;

/// What somebody waits for.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) shard: usize,
    pub(super) key: Arc<[u8]>,
    pub(super) waiter: Arc<Waiter>,
}

/// What the search learns about one wait.
pub(super) struct Edges {
    pub(super) blockers: Vec<LockOwner>,
    pub(super) position: usize,
    pub(super) is_holder: bool,
}

/// Whether `start`, which waits, waits for itself.
pub(super) fn closes_cycle(
    waits: &Waits,
    start: LockOwner,
    edges: impl Fn(&Wait) -> Option<Edges>,
) -> bool {
    let mut seen = HashSet::new();
    let mut expanded: HashMap<(usize, Arc<[u8]>, LockMode), usize> = HashMap::default();
    let mut stack = vec![start];
    while let Some(owner) = stack.pop() {
        let Some(wait) = waits.get(&owner) else { continue };
        let Some(edges) = edges(wait) else { continue };
        // In one queue, what blocks a request blocks every later one of the same mode too. So of
        // a thousand waiters for one hot row only the last needs to be looked at, unless it also
        // holds the lock: then it is missing from its own blockers.
        let place = (wait.shard, Arc::clone(&wait.key), wait.waiter.mode);
        let is_subset = expanded.get(&place).is_some_and(|&last| edges.position <= last);
        if is_subset {
            continue;
        }
        if edges.blockers.contains(&start) {
            return true;
        }
        if !edges.is_holder {
            expanded.insert(place, edges.position);
        }
        stack.extend(edges.blockers.into_iter().filter(|&blocker| seen.insert(blocker)));
    }
    false
}
