//! Nearest rows first: best-first search over all components at once (G. Hjaltason and H. Samet,
//! Distance browsing in spatial databases, 1999).

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rstar::RTreeNode;

use super::delta::{Item, Tree, node_bounds};
use super::segment::Entry;
use super::{Aabb, State};
use crate::error::Result;
use crate::index::segmented::Part;
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
    /// Which segment.
    part: u32,
    place: Place,
}

/// Small, for a walk puts hundreds into its queue.
enum Place {
    Node { level: u8, node: u32 },
    Entry { item: u32 },
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
        let queue = (0u32..)
            .zip(&state.parts)
            .filter_map(|(part, Part { segment, .. })| {
                let place = Place::Node { level: segment.root_level()? as u8, node: 0 };
                Some(Candidate { distance: 0.0, part, place })
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
            let Some(Candidate { distance, part, place }) = self.queue.pop() else {
                return Ok(None);
            };
            match place {
                Place::Node { level, node } => self.visit(part, level, node)?,
                Place::Entry { item } => {
                    let Some(Part { segment, .. }) = self.state.parts.get(part as usize) else {
                        continue;
                    };
                    let Entry { bounds, key_place, .. } = segment.entry(item)?;
                    let row_key = segment.shared_key(key_place)?;
                    if !self.state.delta.read().is_changed(&row_key, self.snapshot) {
                        return Ok(Some(Neighbor { distance, row_key, bounds }));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Adds what is below a node.
    fn visit(&mut self, part: u32, level: u8, node: u32) -> Result<()> {
        let Some(tree) = self.state.parts.get(part as usize) else { return Ok(()) };
        let (origin, snapshot) = (self.origin, self.snapshot);
        let candidate = |bounds: &Aabb, place| {
            let distance = origin.distance(bounds);
            Candidate { distance, part, place }
        };
        if level == 0 {
            let entries = tree.segment.entries(node as usize)?;
            let visible = entries.filter(|e| tree.is_visible(e.item, e.begin, snapshot));
            let found = visible.map(|e| candidate(&e.bounds, Place::Entry { item: e.item }));
            self.queue.extend(found);
        } else {
            let below = |node: usize| Place::Node { level: level - 1, node: node as u32 };
            let children = tree.segment.children(usize::from(level), node as usize)?;
            self.queue.extend(children.map(|(node, bounds)| candidate(&bounds, below(node))));
        }
        Ok(())
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
                self.state.note(&error);
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
