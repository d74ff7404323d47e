//! Searching a window: every visible row whose box meets it.

use std::sync::Arc;

use bytes::Bytes;

use super::{Aabb, State};
use crate::error::Result;
use crate::index::segmented::Segment as _;
use crate::timestamp::Timestamp;

/// A row that a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The key of the row.
    pub row_key: Bytes,
    /// Its box; of a point, its exact position.
    pub bounds: Aabb,
}

/// A running search, in no particular order.
pub struct Search {
    state: Arc<State>,
    window: Aabb,
    snapshot: Timestamp,
    /// Nodes to visit: segment, level, node.
    pending: Vec<(usize, usize, usize)>,
    /// Hits of the delta, and of the leaf visited last.
    found: Vec<Hit>,
}

impl Search {
    pub(super) fn new(state: Arc<State>, window: Aabb, snapshot: Timestamp) -> Self {
        let roots = state.parts.iter().enumerate();
        let pending = roots
            .filter_map(|(index, part)| Some((index, part.segment.root_level()?, 0)))
            .collect();
        let tree = state.delta.read();
        let items = tree.intersecting(&window).filter(|item| tree.is_visible(item, snapshot));
        let hit =
            |item: &super::delta::Item| Hit { row_key: item.key.clone(), bounds: item.bounds };
        let found = items.map(hit).collect();
        drop(tree);
        Self { state, window, snapshot, pending, found }
    }

    fn visit(&mut self, index: usize, level: usize, node: usize) -> Result<()> {
        let Some(part) = self.state.parts.get(index) else { return Ok(()) };
        if level > 0 {
            let children = part.segment.children(level, node)?;
            let meeting = children.filter(|(_, bounds)| bounds.intersects(&self.window));
            self.pending.extend(meeting.map(|(child, _)| (index, level - 1, child)));
            return Ok(());
        }
        let recent = self.state.delta.read();
        for entry in part.segment.entries(node)? {
            let is_seen = entry.bounds.intersects(&self.window)
                && part.is_visible(entry.item, entry.begin, self.snapshot);
            if is_seen {
                let row_key = part.segment.shared_key(entry.key_place)?;
                if !recent.is_changed(&row_key, self.snapshot) {
                    self.found.push(Hit { row_key, bounds: entry.bounds });
                }
            }
        }
        Ok(())
    }
}

impl Iterator for Search {
    type Item = Result<Hit>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(hit) = self.found.pop() {
                return Some(Ok(hit));
            }
            let (index, level, node) = self.pending.pop()?;
            if let Err(error) = self.visit(index, level, node) {
                self.state.note(&error);
                self.pending.clear();
                return Some(Err(error));
            }
        }
    }
}

/// About how many versions lie in the window: exact for few, from the inner nodes for many.
pub(super) fn estimate(state: &State, window: &Aabb) -> Result<usize> {
    /// How many nodes are looked into per segment.
    const NODES_MAX: usize = 64;
    /// How many items of the delta are counted before a share of it is guessed.
    const ITEMS_MAX: usize = 4096;
    let tree = state.delta.read();
    let counted = tree.intersecting(window).take(ITEMS_MAX).count();
    let mut total = if counted < ITEMS_MAX { counted } else { tree.item_count() };
    drop(tree);
    for segment in state.parts.iter().map(|part| &part.segment) {
        let Some(mut level) = segment.root_level() else { continue };
        let mut nodes = vec![0];
        while level > 0 && nodes.len() <= NODES_MAX {
            let mut below = Vec::new();
            for node in nodes {
                let children = segment.children(level, node)?;
                let meeting = children.filter(|(_, bounds)| bounds.intersects(window));
                below.extend(meeting.map(|(child, _)| child));
            }
            nodes = below;
            level -= 1;
        }
        if level > 0 || nodes.len() > NODES_MAX {
            let all = segment.node_count(level).max(1);
            total += (f64::from(segment.item_count()) * nodes.len() as f64 / all as f64) as usize;
            continue;
        }
        for leaf in nodes {
            total += segment.entries(leaf)?.filter(|entry| entry.bounds.intersects(window)).count();
        }
    }
    Ok(total)
}
