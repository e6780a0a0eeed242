//! The queue of results between a loop and its consumer: one sender, one receiver, in the order of sending.
//!
//! Its memory is for the results that wait, and not for the limit of the loop. The queue is a chain of rings.
//! The sender pushes to the last ring, the receiver takes from the first. A ring that is full gets a
//! successor of twice its capacity, up to [`MOST_BYTES`]. So results that never wait in greater numbers than before allocate
//! nothing, or once for many of them.
//!
//! Memory also falls. A ring that was emptied and has a successor is freed, so what a great number of results leave behind
//! is one ring. The sender counts the results that wait at once, and looks at the greatest count each
//! time that it has sent as many as a ring holds. If that was less than a quarter of the ring, the next ring
//! has half the capacity.
//!
//! A ring gets its successor after the last push to it. So a receiver that sees the successor, and after
//! that finds the ring empty, has taken everything from it and frees it.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use concurrent_queue::ConcurrentQueue;

/// The number of bytes of the first ring, if it holds no fewer results than [`FEWEST`].
const FIRST_BYTES: usize = 1024;

/// The least capacity of a ring. A queue of one place reports itself full for a moment after its value
/// was taken.
const FEWEST: usize = 4;

/// The greatest capacity of the first ring.
const FIRST: usize = 64;

/// The number of bytes of the largest ring, if it holds no fewer results than [`FIRST`]. The last ring stays until another
/// result comes, which may be never.
const MOST_BYTES: usize = 256 << 10;

/// Some places for results, and the ring behind them.
struct Ring<T> {
    results: ConcurrentQueue<T>,
    next: NextRing<T>,
}

/// A ring that is there or is still to come.
type NextRing<T> = ConcurrentQueue<Arc<Ring<T>>>;

/// What both sides share.
pub(super) struct ResultQueue<T> {
    /// The results that were sent and not taken.
    len: AtomicUsize,
    first: NextRing<T>,
}

impl<T> ResultQueue<T> {
    pub(super) fn new() -> Self {
        Self { len: AtomicUsize::new(0), first: ConcurrentQueue::bounded(1) }
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::SeqCst)
    }
}

/// The sender's side.
pub(super) struct RingWriter<T> {
    /// The ring that is filled. `None` before the first result.
    ring: Option<Arc<Ring<T>>>,
    capacity: usize,
    /// The most results that waited at once since the last look.
    most: usize,
    /// How many results may be sent before the next look.
    before_look: usize,
}

impl<T> RingWriter<T> {
    pub(super) const fn new() -> Self {
        Self { ring: None, capacity: 0, most: 0, before_look: 0 }
    }

    /// Pushes a result. There is always room.
    pub(super) fn push(&mut self, queue: &ResultQueue<T>, result: T) {
        self.most = self.most.max(queue.len.fetch_add(1, Ordering::SeqCst) + 1);
        if self.before_look == 0 {
            self.look(queue);
        }
        self.before_look -= 1;
        let refused = match &self.ring {
            None => result,
            Some(ring) => match ring.results.push(result) {
                Ok(()) => return,
                Err(full) => full.into_inner(),
            },
        };
        let most = const {
            let results = MOST_BYTES / if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
            if results < FIRST { FIRST } else { results }
        };
        let ring = self.add_ring(queue, (2 * self.capacity).min(most));
        let has_room = ring.results.push(refused).is_ok();
        debug_assert!(has_room, "a new ring is empty");
    }

    /// Halves the capacity if less than a quarter of it was used since the last look.
    #[cold]
    fn look(&mut self, queue: &ResultQueue<T>) {
        let first = const {
            let results = FIRST_BYTES / if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
            if results < FEWEST {
                FEWEST
            } else if results > FIRST {
                FIRST
            } else {
                results
            }
        };
        if self.ring.is_none() {
            self.add_ring(queue, first);
        } else if self.most < self.capacity / 4 && self.capacity > first {
            self.add_ring(queue, self.capacity / 2);
        }
        (self.most, self.before_look) = (queue.len(), self.capacity);
    }

    /// Adds a ring behind the last one.
    #[cold]
    fn add_ring(&mut self, queue: &ResultQueue<T>, capacity: usize) -> &Ring<T> {
        let results = ConcurrentQueue::bounded(capacity);
        let ring = Arc::new(Ring { results, next: ConcurrentQueue::bounded(1) });
        let next = self.ring.as_ref().map_or(&queue.first, |last| &last.next);
        let is_first = next.push(ring.clone()).is_ok();
        debug_assert!(is_first, "a ring has one successor");
        self.capacity = capacity;
        self.ring.insert(ring)
    }
}

/// The receiver's side.
pub(super) struct RingReader<T> {
    /// The ring that is emptied. `None` before the first result.
    ring: Option<Arc<Ring<T>>>,
}

impl<T> RingReader<T> {
    pub(super) const fn new() -> Self {
        Self { ring: None }
    }

    /// Takes the result that was sent first.
    pub(super) fn pop(&mut self, queue: &ResultQueue<T>) -> Option<T> {
        loop {
            let take = || self.ring.as_ref().and_then(|ring| ring.results.pop().ok());
            let next = self.ring.as_ref().map_or(&queue.first, |ring| &ring.next);
            // The second look is after the successor was seen.
            let result = take().or_else(|| if next.is_empty() { None } else { take() });
            if result.is_some() {
                queue.len.fetch_sub(1, Ordering::SeqCst);
                return result;
            }
            let next = next.pop().ok()?;
            self.ring = Some(next);
        }
    }
}
