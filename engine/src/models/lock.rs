//! The lock table: granting, queueing, deadlocks.
//!
//! # Invariants
//! - L-1: two owners never hold conflicting modes of one lock.
//! - Nobody waits for ever: whoever can be granted is woken, and of a cycle one gives up.
//! - Nothing is left behind when all are gone.

use std::sync::Arc;

use shuttle::thread;

use super::check;
use crate::ErrorKind;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::txn::blocking::BlockingHook;
use crate::txn::lock::{
    Acquired, HeldLock, LockMode, LockOwner, LockScope, LockStrength, LockTable, LockTarget,
    Request, WaitPolicy,
};

fn acquire(table: &LockTable, owner: u64, key: &[u8], strength: LockStrength) -> Option<HeldLock> {
    let outcome = table.acquire(Request {
        owner: LockOwner(owner),
        target: LockTarget::Key(key),
        mode: LockMode::Row(strength),
        scope: LockScope::Transaction,
        policy: WaitPolicy::Wait(None),
        cancel: None,
    });
    match outcome {
        Ok(Acquired::New(lock)) => Some(lock),
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Deadlock);
            None
        }
    }
}

fn table() -> Arc<LockTable> {
    Arc::new(LockTable::new(Arc::new(BlockingHook::default())))
}

#[test]
fn holders_exclude_each_other() {
    check(|| {
        let table = table();
        // Writers inside, times 16, and readers inside.
        let inside = Arc::new(AtomicU64::new(0));
        let threads: Vec<_> = (0..4u64)
            .map(|owner| {
                let (table, inside) = (table.clone(), inside.clone());
                thread::spawn(move || {
                    let (strength, weight) = match owner % 2 {
                        0 => (LockStrength::Update, 16),
                        _ => (LockStrength::Share, 1),
                    };
                    let lock = acquire(&table, owner, b"k", strength).unwrap();
                    let before = inside.fetch_add(weight, Ordering::SeqCst);
                    assert!(before == 0 || weight == 1 && before < 16, "L-1: {before}");
                    inside.fetch_sub(weight, Ordering::SeqCst);
                    table.release(LockOwner(owner), vec![lock]);
                })
            })
            .collect();
        threads.into_iter().for_each(|it| it.join().unwrap());
        assert!(table.list().is_empty());
    });
}

#[test]
fn of_a_cycle_one_gives_up() {
    check(|| {
        let table = table();
        let orders: [[&[u8]; 2]; 3] = [[b"a", b"b"], [b"b", b"c"], [b"c", b"a"]];
        let threads: Vec<_> = (0u64..)
            .zip(orders)
            .map(|(owner, keys)| {
                let table = table.clone();
                thread::spawn(move || {
                    let mut held = Vec::new();
                    let mut is_victim = false;
                    for key in keys {
                        match acquire(&table, owner, key, LockStrength::Update) {
                            Some(lock) => held.push(lock),
                            None => is_victim = true,
                        }
                    }
                    table.release(LockOwner(owner), held);
                    is_victim
                })
            })
            .collect();
        let victims = threads.into_iter().filter(|_| true).map(|it| it.join().unwrap());
        assert!(victims.filter(|is_victim| *is_victim).count() <= 1);
        assert!(table.list().is_empty());
    });
}
