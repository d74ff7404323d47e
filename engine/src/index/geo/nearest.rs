//! Nearest rows first: best-first search over all components at once (G. Hjaltason and H. Samet,
//! Distance browsing in spatial databases, 1999).

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rstar::RTreeNode;

use super::Aabb;
use super::delta::{Item, Tree, node_bounds};
use super::state::State;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// How many neighbours the delta is asked for at first; then twice as many, and so on.
const BATCH_LEN: usize = 32;

/// A row and how near it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbor {
    /// The straight distance between the boxes: never more than that of what is inside.
    pub distance: f64,
    /// The key of the row.
    pub row_key: Bytes,
    /// Its box; of a point, its exact position.
    pub bounds: Aabb,
}

/// A running search outward from a place.
pub struct Nearest {
    state: Arc<State>,
    origin: Aabb,
    snapshot: Timestamp,
    queue: BinaryHeap<Candidate>,
    delta: DeltaNeighbors,
}

/// A node or an entry of a segment.
struct Candidate {
    distance: f64,
    segment: usize,
    place: Place,
}

enum Place {
    Node { level: usize, node: usize },
    Entry { bounds: Aabb, key_place: u64 },
}

impl Candidate {
    /// Entries before nodes: what is found need not wait.
    fn rank(&self) -> u8 {
        match self.place {
            Place::Entry { .. } => 0,
            Place::Node { .. } => 1,
        }
    }
}

impl Ord for Candidate {
    /// The heap gives its greatest first: the nearest must be it.
    fn cmp(&self, other: &Self) -> Ordering {
        let nearer = other.distance.total_cmp(&self.distance);
        nearer.then_with(|| other.rank().cmp(&self.rank()))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

impl Nearest {
    pub(super) fn new(state: Arc<State>, origin: Aabb, snapshot: Timestamp) -> Self {
        let roots = state.segments.iter().enumerate();
        let queue = roots
            .filter_map(|(segment, tree)| {
                let place = Place::Node { level: tree.root_level()?, node: 0 };
                Some(Candidate { distance: 0.0, segment, place })
            })
            .collect();
        let delta = DeltaNeighbors { taken: 0, batch: VecDeque::new(), is_done: false };
        Self { state, origin, snapshot, queue, delta }
    }

    /// The nearest of what is left in the segments. Stops without an answer once nothing there
    /// can be nearer than `limit`.
    fn next_in_segments(&mut self, limit: f64) -> Result<Option<Neighbor>> {
        while let Some(best) = self.queue.peek() {
            if best.distance > limit {
                return Ok(None);
            }
            let Some(Candidate { distance, segment: index, place }) = self.queue.pop() else {
                return Ok(None);
            };
            let Some(segment) = self.state.segments.get(index) else { continue };
            match place {
                Place::Entry { bounds, key_place } => {
                    let row_key = segment.key(key_place)?;
                    if !self.state.is_superseded(index, &row_key, self.snapshot)? {
                        return Ok(Some(Neighbor { distance, row_key, bounds }));
                    }
                }
                Place::Node { level: 0, node } => {
                    let visible =
                        segment.entries(node)?.filter(|entry| entry.is_visible(self.snapshot));
                    self.queue.extend(visible.map(|entry| Candidate {
                        distance: self.origin.distance(&entry.bounds),
                        segment: index,
                        place: Place::Entry { bounds: entry.bounds, key_place: entry.key_place },
                    }));
                }
                Place::Node { level, node } => {
                    let children = segment.children(level, node)?;
                    self.queue.extend(children.map(|(node, bounds)| Candidate {
                        distance: self.origin.distance(&bounds),
                        segment: index,
                        place: Place::Node { level: level - 1, node },
                    }));
                }
            }
        }
        Ok(None)
    }
}

impl Iterator for Nearest {
    type Item = Result<Neighbor>;

    fn next(&mut self) -> Option<Self::Item> {
        let limit = self.delta.peek(&self.state, &self.origin, self.snapshot);
        match self.next_in_segments(limit.unwrap_or(f64::INFINITY)) {
            Ok(Some(found)) => Some(Ok(found)),
            Ok(None) => self.delta.batch.pop_front().map(Ok),
            Err(error) => {
                self.queue.clear();
                self.delta = DeltaNeighbors { taken: 0, batch: VecDeque::new(), is_done: true };
                Some(Err(error))
            }
        }
    }
}

/// The delta's neighbours, taken in batches so that its lock is never held for long.
///
/// What a snapshot sees in a delta never changes, and the order by distance and key is total: so
/// a later batch goes on where the one before ended.
struct DeltaNeighbors {
    taken: usize,
    batch: VecDeque<Neighbor>,
    is_done: bool,
}

impl DeltaNeighbors {
    /// How near the next one is.
    fn peek(&mut self, state: &State, origin: &Aabb, snapshot: Timestamp) -> Option<f64> {
        if self.batch.is_empty() && !self.is_done {
            let wanted = BATCH_LEN.max(self.taken);
            let tree = state.delta.read();
            let found = DeltaQueue::new(&tree, origin, snapshot).skip(self.taken).take(wanted);
            self.batch.extend(found);
            self.taken += self.batch.len();
            self.is_done = self.batch.len() < wanted;
        }
        self.batch.front().map(|neighbor| neighbor.distance)
    }
}

/// Best-first search over the delta's tree.
struct DeltaQueue<'a> {
    tree: &'a Tree,
    origin: &'a Aabb,
    snapshot: Timestamp,
    queue: BinaryHeap<DeltaCandidate<'a>>,
}

struct DeltaCandidate<'a> {
    distance: f64,
    node: &'a RTreeNode<Item>,
}

impl DeltaCandidate<'_> {
    /// Nodes before items at the same distance, items by key: a total order of what is found.
    fn key(&self) -> Option<&Bytes> {
        match self.node {
            RTreeNode::Leaf(item) => Some(&item.key),
            RTreeNode::Parent(_) => None,
        }
    }
}

impl Ord for DeltaCandidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.distance.total_cmp(&self.distance).then_with(|| other.key().cmp(&self.key()))
    }
}

impl PartialOrd for DeltaCandidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for DeltaCandidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for DeltaCandidate<'_> {}

impl<'a> DeltaQueue<'a> {
    fn new(tree: &'a Tree, origin: &'a Aabb, snapshot: Timestamp) -> Self {
        let mut queue = Self { tree, origin, snapshot, queue: BinaryHeap::new() };
        queue.add(tree.root().children());
        queue
    }

    fn add(&mut self, nodes: &'a [RTreeNode<Item>]) {
        let origin = self.origin;
        self.queue.extend(
            nodes
                .iter()
                .map(|node| DeltaCandidate { distance: origin.distance(&node_bounds(node)), node }),
        );
    }
}

impl Iterator for DeltaQueue<'_> {
    type Item = Neighbor;

    fn next(&mut self) -> Option<Neighbor> {
        loop {
            let DeltaCandidate { distance, node } = self.queue.pop()?;
            match node {
                RTreeNode::Parent(parent) => self.add(parent.children()),
                RTreeNode::Leaf(item) if self.tree.is_visible(item, self.snapshot) => {
                    let row_key = item.key.clone();
                    return Some(Neighbor { distance, row_key, bounds: item.bounds });
                }
                RTreeNode::Leaf(_) => {}
            }
        }
    }
}
