//! The delta: the changes after the watermark, in memory.

use ahash::AHashMap;
use bytes::Bytes;
use parking_lot::{RwLock, RwLockReadGuard};
use rstar::{AABB, ParentNode, RTree, RTreeNode, RTreeObject};

use super::Aabb;
use super::segment::{Version, build};
use crate::error::Result;
use crate::index::segmented::{self, Built};
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

impl segmented::Delta for Delta {
    fn len(&self) -> usize {
        self.read().len
    }

    fn first_changes(&self, upto: Timestamp) -> Vec<(Bytes, Timestamp)> {
        let tree = self.read();
        let firsts = tree.rows.iter().filter_map(|(key, changes)| Some((key, changes.first()?.0)));
        firsts.filter(|(_, ts)| *ts <= upto).map(|(key, ts)| (key.clone(), ts)).collect()
    }

    fn build(&self, upto: Timestamp, oldest: Timestamp) -> Result<Option<Built>> {
        let versions = self.read().versions(upto, oldest);
        Ok(build(versions))
    }

    fn rest(&self, upto: Timestamp) -> Self {
        let (old, mut tree) = (self.read(), Tree::default());
        let newer = old.log.partition_point(|logged| logged.ts <= upto);
        for Logged { ts, key, ordinal } in old.log.iter().skip(newer) {
            let change = old.rows.get(key).and_then(|changes| changes.get(*ordinal as usize));
            tree.apply(*ts, key.clone(), change.and_then(|(_, bounds)| *bounds));
        }
        Self { tree: RwLock::new(tree) }
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

    /// The versions that began at or before `upto`, without those that ended at or before
    /// `oldest`.
    fn versions(&self, upto: Timestamp, oldest: Timestamp) -> Vec<Version> {
        let mut versions = Vec::new();
        for (key, changes) in &self.rows {
            let old = changes.partition_point(|(ts, _)| *ts <= upto);
            for (ordinal, (begin, bounds)) in changes.iter().take(old).enumerate() {
                // A later end is found in the delta that stays.
                let next = changes.get(ordinal + 1).filter(|(ts, _)| *ts <= upto);
                let end = next.map_or(Timestamp::MAX, |(ts, _)| *ts);
                if let Some(bounds) = bounds
                    && end > oldest
                    && end > *begin
                {
                    let (key, bounds) = (key.clone(), *bounds);
                    versions.push(Version { key, bounds, begin: *begin, end });
                }
            }
        }
        versions
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
