//! The delta: the changes after the watermark, in memory.

use ahash::AHashMap;
use bytes::Bytes;
use parking_lot::{RwLock, RwLockReadGuard};
use rstar::{AABB, ParentNode, RTree, RTreeNode, RTreeObject};

use super::Aabb;
use super::segment::{Change, Version};
use crate::timestamp::Timestamp;

/// Roughly what one change occupies beside its key: in the tree, the map and the log.
const CHANGE_LEN: usize = 250;

/// Recent changes, shared by the committing thread and by searches.
#[derive(Default)]
pub(super) struct Delta {
    tree: RwLock<Tree>,
}

/// What the lock guards.
#[derive(Default)]
pub(super) struct Tree {
    items: RTree<Item>,
    /// Each row's changes in commit order; `None` is the end of the row.
    rows: AHashMap<Bytes, Vec<(Timestamp, Option<Aabb>)>>,
    /// All changes in commit order.
    log: Vec<Logged>,
    len: usize,
}

/// Which change a commit made.
struct Logged {
    ts: Timestamp,
    key: Bytes,
    ordinal: u32,
}

/// One version of a row's box.
pub(super) struct Item {
    pub bounds: Aabb,
    pub key: Bytes,
    /// Its position among the row's changes.
    ordinal: u32,
}

impl RTreeObject for Item {
    type Envelope = AABB<[f64; 3]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(self.bounds.min, self.bounds.max)
    }
}

impl Delta {
    /// Takes a change in; changes come in commit order.
    pub fn apply(&self, ts: Timestamp, key: &[u8], bounds: Option<Aabb>) {
        self.tree.write().apply(ts, Bytes::copy_from_slice(key), bounds);
    }

    /// Looks inside. Hold it briefly: commits wait.
    pub fn read(&self) -> RwLockReadGuard<'_, Tree> {
        self.tree.read()
    }
}

impl Tree {
    fn apply(&mut self, ts: Timestamp, key: Bytes, bounds: Option<Aabb>) {
        self.len += CHANGE_LEN + key.len();
        let changes = self.rows.entry(key.clone()).or_default();
        let ordinal = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        changes.push((ts, bounds));
        self.log.push(Logged { ts, key: key.clone(), ordinal });
        if let Some(bounds) = bounds {
            self.items.insert(Item { bounds, key, ordinal });
        }
    }

    /// Roughly how many bytes it occupies.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many boxes it holds.
    pub fn item_count(&self) -> usize {
        self.items.size()
    }

    /// Whether a snapshot sees this version.
    pub fn is_visible(&self, item: &Item, snapshot: Timestamp) -> bool {
        let Some(changes) = self.rows.get(&item.key) else { return false };
        let at = |ordinal: usize| changes.get(ordinal).map(|change| change.0);
        let ordinal = item.ordinal as usize;
        at(ordinal).is_some_and(|start| start <= snapshot)
            && at(ordinal + 1).is_none_or(|end| end > snapshot)
    }

    /// Whether the row changed at or before the snapshot.
    pub fn is_changed(&self, key: &[u8], snapshot: Timestamp) -> bool {
        let first = self.rows.get(key).and_then(|changes| changes.first());
        first.is_some_and(|(ts, _)| *ts <= snapshot)
    }

    /// The versions whose boxes meet `window`.
    pub fn intersecting(&self, window: &Aabb) -> impl Iterator<Item = &Item> {
        let envelope = AABB::from_corners(window.min, window.max);
        self.items.locate_in_envelope_intersecting(envelope)
    }

    /// The tree's root, for walks.
    pub fn root(&self) -> &ParentNode<Item> {
        self.items.root()
    }

    /// What a segment of all changes at or before `upto` holds. Versions that ended at or before
    /// `oldest` are left out; their rows still count as changed.
    pub fn sealed(&self, upto: Timestamp, oldest: Timestamp) -> (Vec<Version>, Vec<Change>) {
        let (mut versions, mut sealed) = (Vec::new(), Vec::new());
        for (key, changes) in &self.rows {
            let old = changes.partition_point(|(ts, _)| *ts <= upto);
            let Some(((first, _), _)) = changes.split_first().filter(|_| old > 0) else { continue };
            sealed.push(Change { key: key.clone(), first: *first });
            for (ordinal, (start, bounds)) in changes.iter().take(old).enumerate() {
                let next = changes.get(ordinal + 1).filter(|(ts, _)| *ts <= upto);
                let end = next.map_or(Timestamp::MAX, |(ts, _)| *ts);
                if let Some(bounds) = bounds
                    && end > oldest
                    && end > *start
                {
                    versions.push(Version {
                        key: key.clone(),
                        bounds: *bounds,
                        start: *start,
                        end,
                    });
                }
            }
        }
        (versions, sealed)
    }

    /// A delta of the changes after `upto`. Takes time for those only: commits wait meanwhile.
    pub fn rest(&self, upto: Timestamp) -> Delta {
        let mut tree = Self::default();
        let newer = self.log.partition_point(|logged| logged.ts <= upto);
        for Logged { ts, key, ordinal } in self.log.iter().skip(newer) {
            let change = self.rows.get(key).and_then(|changes| changes.get(*ordinal as usize));
            tree.apply(*ts, key.clone(), change.and_then(|(_, bounds)| *bounds));
        }
        Delta { tree: RwLock::new(tree) }
    }
}

/// The box of a node of the tree.
pub(super) fn node_bounds(node: &RTreeNode<Item>) -> Aabb {
    match node {
        RTreeNode::Leaf(item) => item.bounds,
        RTreeNode::Parent(parent) => {
            let envelope = parent.envelope();
            Aabb { min: envelope.lower(), max: envelope.upper() }
        }
    }
}
