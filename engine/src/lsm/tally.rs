//! Counters on the way of every read: threads do not meet at them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Stripes of a tally. 16: threads seldom share one.
const STRIPE_COUNT: usize = 16;

/// A number that many threads add to, each at a place of its own.
#[derive(Debug, Default)]
pub(crate) struct Tally([Stripe; STRIPE_COUNT]);

/// As long as a cache line, so that two threads do not take it from each other.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Stripe(AtomicU64);

thread_local! {
    /// Which stripe this thread adds to.
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % STRIPE_COUNT
    };
}

impl Tally {
    /// Counts one.
    #[inline]
    pub(crate) fn add_one(&self) {
        let stripe = STRIPE.with(|stripe| *stripe);
        self.0[stripe].0.fetch_add(1, Ordering::Relaxed);
    }

    /// What all threads have counted.
    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        let tally = Tally::default();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..1000).for_each(|_| tally.add_one()));
            }
        });
        assert_eq!(tally.sum(), 20_000);
    }
}
