//! One lockable thing: who holds it, who waits for it, and who is next. Pure: no waiting here.
//!
//! # Invariants
//! - L-1: two holders with different owners never hold conflicting modes.
//! - L-2: a request is granted only when it conflicts with no other owner's hold and with no
//!   request ahead of it, so a compatible newcomer never overtakes an incompatible waiter.
//! - L-3: a holder's stronger request stands ahead of the requests that its hold already blocks
//!   (they could not be granted before it lets go anyway); every other request joins the tail.

use std::collections::VecDeque;
use std::sync::Arc;

use super::LockOwner;
use super::mode::{LockMode, ModeSet};
use super::waiter::Waiter;

/// How long a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockScope {
    /// Until the transaction ends.
    Transaction,
    /// Until it is unlocked as often as it was locked, or the session ends.
    Session,
}

/// A held lock.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) owner: LockOwner,
    pub(super) scope: LockScope,
    pub(super) modes: ModeSet,
    /// How often it was taken. Session holds have one holder per mode, so this counts per mode.
    count: u32,
}

/// The answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Granted; the owner had no hold of this scope before.
    New,
    /// Granted to somebody who was on the list already.
    Again,
    /// Somebody stands in the way.
    Blocked,
}

/// The state of one lock.
#[derive(Debug, Default)]
pub(super) struct Entry {
    holders: Vec<Holder>,
    queue: VecDeque<Arc<Waiter>>,
}

impl Entry {
    /// Grants the lock if nobody stands in the way.
    pub(super) fn request(&mut self, owner: LockOwner, mode: LockMode, scope: LockScope) -> Answer {
        let mine = self.modes_of(owner);
        let ahead = self.position_for(mine);
        let is_free = mine.covers(mode)
            || (!self.is_held_against(owner, mode)
                && !self.queue.iter().take(ahead).any(|waiter| waiter.blocks(owner, mode)));
        if is_free { self.grant(owner, mode, scope) } else { Answer::Blocked }
    }

    /// Puts a request into the queue. It may have become grantable since it was
    /// [`Answer::Blocked`]; then it is granted at once.
    pub(super) fn enqueue(&mut self, waiter: Arc<Waiter>) {
        let position = self.position_for(self.modes_of(waiter.owner));
        self.queue.insert(position, waiter);
        self.grant_next();
    }

    /// Takes a waiter out, unless it was granted meanwhile; whether it was still waiting.
    pub(super) fn withdraw(&mut self, waiter: &Arc<Waiter>) -> bool {
        let Some(position) = self.queue.iter().position(|other| Arc::ptr_eq(other, waiter)) else {
            return false;
        };
        self.queue.remove(position);
        self.grant_next();
        true
    }

    /// Ends all transaction-scoped holds of `owner`.
    pub(super) fn release(&mut self, owner: LockOwner) {
        self.remove_holders(|h| h.owner == owner && h.scope == LockScope::Transaction);
    }

    /// Ends all session-scoped holds of `owner`.
    pub(super) fn release_session(&mut self, owner: LockOwner) {
        self.remove_holders(|h| h.owner == owner && h.scope == LockScope::Session);
    }

    /// Takes back one session-scoped lock; whether there was one.
    pub(super) fn unlock_session(&mut self, owner: LockOwner, mode: LockMode) -> bool {
        let Some(position) = self.position_of(owner, mode, LockScope::Session) else {
            return false;
        };
        let Some(holder) = self.holders.get_mut(position) else { return false };
        holder.count -= 1;
        if holder.count == 0 {
            self.holders.swap_remove(position);
            self.grant_next();
        }
        true
    }

    /// Whether nobody holds it and nobody waits.
    pub(super) fn is_idle(&self) -> bool {
        self.holders.is_empty() && self.queue.is_empty()
    }

    /// Those who must end before `waiter` can be granted: conflicting holders and conflicting
    /// requests ahead of it. Nobody when it does not wait here any more.
    pub(super) fn blockers(&self, waiter: &Waiter) -> Vec<LockOwner> {
        let Some(position) = self.position_in_queue(waiter) else { return Vec::new() };
        let conflicts = waiter.mode.conflicts();
        let holders = self.holders.iter().filter(|h| h.modes.intersects(conflicts));
        let ahead =
            self.queue.iter().take(position).filter(|w| w.blocks(waiter.owner, waiter.mode));
        let owners = holders.map(|h| h.owner).chain(ahead.map(|w| w.owner));
        owners.filter(|&owner| owner != waiter.owner).collect()
    }

    /// Where `waiter` stands in the queue, 0 being next.
    pub(super) fn position_in_queue(&self, waiter: &Waiter) -> Option<usize> {
        self.queue.iter().position(|other| std::ptr::eq(&raw const **other, waiter))
    }

    /// Whether `owner` holds it in any mode.
    pub(super) fn is_held_by(&self, owner: LockOwner) -> bool {
        self.holders.iter().any(|holder| holder.owner == owner)
    }

    pub(super) fn holders(&self) -> &[Holder] {
        &self.holders
    }

    pub(super) fn queue(&self) -> impl ExactSizeIterator<Item = &Arc<Waiter>> {
        self.queue.iter()
    }

    fn remove_holders(&mut self, goes: impl Fn(&Holder) -> bool) {
        self.holders.retain(|holder| !goes(holder));
        self.grant_next();
    }

    /// Grants every waiter that [L-2] lets through, first come first served.
    fn grant_next(&mut self) {
        let mut ahead = ModeSet::default();
        let mut position = 0;
        while let Some(waiter) = self.queue.get(position).cloned() {
            let is_blocked = waiter.mode.conflicts().intersects(ahead)
                || self.is_held_against(waiter.owner, waiter.mode);
            if is_blocked {
                ahead.insert(waiter.mode.set());
                position += 1;
                continue;
            }
            self.queue.remove(position);
            let answer = self.grant(waiter.owner, waiter.mode, waiter.scope);
            waiter.grant(answer == Answer::New);
        }
    }

    fn grant(&mut self, owner: LockOwner, mode: LockMode, scope: LockScope) -> Answer {
        let is_new = !self.holders.iter().any(|h| h.owner == owner && h.scope == scope);
        match self.position_of(owner, mode, scope).and_then(|at| self.holders.get_mut(at)) {
            Some(holder) => {
                holder.modes.insert(mode.set());
                holder.count = holder.count.saturating_add(1);
            }
            None => self.holders.push(Holder { owner, scope, modes: mode.set(), count: 1 }),
        }
        if is_new { Answer::New } else { Answer::Again }
    }

    /// The holder that a further lock of this kind is added to.
    fn position_of(&self, owner: LockOwner, mode: LockMode, scope: LockScope) -> Option<usize> {
        self.holders.iter().position(|holder| {
            holder.owner == owner
                && holder.scope == scope
                && (scope == LockScope::Transaction || holder.modes == mode.set())
        })
    }

    fn modes_of(&self, owner: LockOwner) -> ModeSet {
        let mut modes = ModeSet::default();
        for holder in self.holders.iter().filter(|holder| holder.owner == owner) {
            modes.insert(holder.modes);
        }
        modes
    }

    fn is_held_against(&self, owner: LockOwner, mode: LockMode) -> bool {
        let conflicts = mode.conflicts();
        self.holders.iter().any(|h| h.owner != owner && h.modes.intersects(conflicts))
    }

    /// Where [L-3] puts a request of somebody who holds `mine` already.
    fn position_for(&self, mine: ModeSet) -> usize {
        self.queue
            .iter()
            .position(|waiter| waiter.mode.conflicts().intersects(mine))
            .unwrap_or(self.queue.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::mode::LockStrength::{KeyShare, NoKeyUpdate, Share, Update};
    use super::*;

    const SCOPE: LockScope = LockScope::Transaction;

    fn request(entry: &mut Entry, owner: u64, strength: super::super::LockStrength) -> Answer {
        entry.request(LockOwner(owner), LockMode::Row(strength), SCOPE)
    }

    fn enqueue(entry: &mut Entry, owner: u64, strength: super::super::LockStrength) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter::new(LockOwner(owner), LockMode::Row(strength), SCOPE));
        entry.enqueue(Arc::clone(&waiter));
        waiter
    }

    #[test]
    fn compatible_newcomers_do_not_overtake() {
        let mut entry = Entry::default();
        assert_eq!(request(&mut entry, 1, Share), Answer::New);
        assert_eq!(request(&mut entry, 2, Share), Answer::New);
        assert_eq!(request(&mut entry, 3, Update), Answer::Blocked);
        let writer = enqueue(&mut entry, 3, Update);
        assert_eq!(request(&mut entry, 4, Share), Answer::Blocked);
        let reader = enqueue(&mut entry, 4, Share);
        assert_eq!(entry.blockers(&reader), [LockOwner(3)]);
        entry.release(LockOwner(1));
        assert!(!writer.is_granted());
        entry.release(LockOwner(2));
        assert!(writer.is_granted() && !reader.is_granted());
        entry.release(LockOwner(3));
        assert!(reader.is_granted());
        entry.release(LockOwner(4));
        assert!(entry.is_idle());
    }

    #[test]
    fn a_holder_upgrades_past_those_it_blocks() {
        let mut entry = Entry::default();
        assert_eq!(request(&mut entry, 1, Share), Answer::New);
        let writer = enqueue(&mut entry, 2, Update);
        assert_eq!(request(&mut entry, 1, Update), Answer::Again);
        entry.release(LockOwner(1));
        assert!(writer.is_granted());
    }

    #[test]
    fn a_weaker_lock_is_had_again_despite_the_queue() {
        let mut entry = Entry::default();
        assert_eq!(request(&mut entry, 1, NoKeyUpdate), Answer::New);
        assert_eq!(request(&mut entry, 2, KeyShare), Answer::New);
        let _waiter = enqueue(&mut entry, 3, Update);
        assert_eq!(request(&mut entry, 1, KeyShare), Answer::Again);
        assert_eq!(request(&mut entry, 2, KeyShare), Answer::Again);
    }

    #[test]
    fn a_withdrawn_request_lets_others_pass() {
        let mut entry = Entry::default();
        assert_eq!(request(&mut entry, 1, Share), Answer::New);
        let writer = enqueue(&mut entry, 2, Update);
        let reader = enqueue(&mut entry, 3, Share);
        assert!(entry.withdraw(&writer));
        assert!(reader.is_granted());
        assert!(!entry.withdraw(&reader), "it is granted, not waiting");
    }

    #[test]
    fn session_locks_count() {
        let mut entry = Entry::default();
        let (owner, mode) = (LockOwner(1), LockMode::Row(Update));
        assert_eq!(entry.request(owner, mode, LockScope::Session), Answer::New);
        assert_eq!(entry.request(owner, mode, LockScope::Session), Answer::Again);
        assert_eq!(entry.request(owner, mode, LockScope::Transaction), Answer::New);
        entry.release(owner);
        assert!(entry.unlock_session(owner, mode));
        assert_eq!(request(&mut entry, 2, Share), Answer::Blocked);
        assert!(entry.unlock_session(owner, mode));
        assert!(!entry.unlock_session(owner, mode));
        assert!(entry.is_idle());
    }
}
