//! Pull dispatch: the source that the workers of a loop share.

use alloc::sync::Arc;
use core::task::{Context, Waker};

use super::batch_size::BatchSize;
use super::body_source::{Batch, BatchEnd, BoxedSource};
use super::sleepers::Sleepers;
use super::sync::{AtomicBool, AtomicUsize, ConcurrentQueue, Ordering, fence};
use crate::Panic;
use crate::engine::{Mutation, is_mutated};
use crate::outcome::catch;

/// The source that the workers of a loop pull their bodies from.
///
/// **Why workers pull.** With a limit of 64, bodies that are pushed to another thread wait for the trip
/// there and for the completion's trip back, and both take longer than all 64 bodies do. Workers that
/// pull need no trip at all. They meet only at the source, once for each batch.
///
/// **Who holds the source.** The source and the closure are one value in a queue with one place. A
/// worker pops that value, polls the source and calls the closure as often as its batch needs, and pushes
/// the value back. So one worker at a time runs this code of the user, items are numbered in input order,
/// and there is no lock that a panicking source could poison or that a thread could block on. A worker
/// that finds the place empty polls the bodies that it has, and waits only if it has none to poll.
///
/// **Permits.** The loop's limit is enforced in one of two ways:
///
/// - Where a strategy takes completions in any number, the workers divide the limit among themselves.
///   Each starts no more bodies than its share has room for, and nothing is counted here: `limit` is
///   `usize::MAX`.
/// - Where an output keeps its permit until a consumer takes it (streams of results), the loop counts
///   the permits that are released. A worker may pull while the bodies pulled so far, minus the permits
///   released, are fewer than `limit`. The worker that holds the source is the only one that pulls, so
///   the count of pulled bodies needs no atomic: it travels with the source.
///
/// **Why no worker sleeps while there is work.** A worker registers its waker in [`Sleepers`] before it
/// looks for anything. It can be short of three things, each with a notification:
///
/// - of the source, because another worker holds it: see the handshake at [`Sleepers`];
/// - of a permit: the same handshake, with `wants_permits` as the flag and [`release`](Self::release) as
///   the notifying side;
/// - of an item: the source is polled with the sleepers as its waker.
///
/// **The end.** The worker that finds the source exhausted closes the queue, which drops the source when
/// it is pushed back, and notifies all others. Each worker then completes when its last body has. The
/// same happens when the closure or the source panics, and when a completion stops the loop
/// ([`close`](Self::close)).
pub(super) struct SharedSource<B> {
    /// The source and the number of bodies that were pulled from it. Empty while a worker holds it;
    /// closed once no more bodies may be pulled.
    body_source: ConcurrentQueue<(usize, BoxedSource<B>)>,
    is_exhausted: AtomicBool,
    /// The number of bodies that were pulled, once the source is dropped.
    pulled: AtomicUsize,
    /// The number of permits that were released.
    released: AtomicUsize,
    /// The number of bodies that may hold a permit.
    limit: usize,
    /// A worker waits for a permit.
    wants_permits: AtomicBool,
    /// Whether the loop continues after the closure has panicked.
    catches_panics: bool,
    pub(super) sleepers: Arc<Sleepers>,
}

/// How often a worker with nothing else to do looks whether the source was put back, before it sleeps:
/// as long as another worker needs for a few bodies, and cheaper than a wake.
const SPINS: usize = if cfg!(forloop_loom) { 0 } else { 100 };

impl<B> SharedSource<B> {
    /// `limit` is `None` where the workers divide the limit among themselves.
    pub(super) fn new(
        body_source: BoxedSource<B>,
        limit: Option<usize>,
        workers: usize,
        catches_panics: bool,
    ) -> Self {
        let queue = ConcurrentQueue::bounded(1);
        drop(queue.push((0, body_source)));
        Self {
            body_source: queue,
            is_exhausted: AtomicBool::new(false),
            pulled: AtomicUsize::new(0),
            released: AtomicUsize::new(0),
            limit: limit.unwrap_or(usize::MAX),
            wants_permits: AtomicBool::new(false),
            catches_panics,
            sleepers: Arc::new(Sleepers::new(workers)),
        }
    }

    /// The number of bodies that were pulled: zero until the source is dropped.
    pub(super) fn pulled(&self) -> usize {
        self.pulled.load(Ordering::SeqCst)
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted.load(Ordering::SeqCst)
    }

    /// Sets the number of permits that were released in all, and wakes the workers that wait for one.
    pub(super) fn release(&self, permits: usize) {
        if self.limit < usize::MAX && self.released.load(Ordering::Relaxed) != permits {
            self.released.store(permits, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if self.wants_permits.load(Ordering::SeqCst)
                && self.wants_permits.swap(false, Ordering::SeqCst)
            {
                self.sleepers.notify_all();
            }
        }
    }

    /// Stops the pulling: drops the source here, or has the worker that holds it drop it. Returns the
    /// panic of its destructor.
    pub(super) fn close(&self) -> Option<Panic> {
        self.body_source.close();
        self.discard(self.body_source.pop().ok()?)
    }

    fn discard(&self, (pulled, body_source): (usize, BoxedSource<B>)) -> Option<Panic> {
        self.pulled.store(pulled, Ordering::SeqCst);
        catch(|| drop(body_source)).err()
    }

    /// Pulls up to `most` bodies, but no more than `batch_size` says.
    ///
    /// If another worker holds the source or no permit is free, a worker that pulls `before_sleep` is
    /// woken when that has changed. `waker` is woken when the source has an item.
    pub(super) fn pull_batch(
        &self,
        most: usize,
        batch_size: &mut BatchSize,
        before_sleep: bool,
        waker: &Waker,
        bodies: &mut Batch<B>,
    ) -> BatchEnd {
        let Some((mut next, mut body_source)) = self.take(batch_size, before_sleep) else {
            return if self.is_exhausted() || self.body_source.is_closed() {
                BatchEnd::Exhausted
            } else {
                BatchEnd::Pending
            };
        };
        let Some(permits) = self.permits(next, before_sleep) else {
            return self
                .put_back(next, body_source)
                .map_or(BatchEnd::Pending, BatchEnd::SourcePanicked);
        };
        let most = most.min(batch_size.get()).min(permits);
        let cx = &mut Context::from_waker(waker);
        let end = body_source.as_mut().pull_batch(cx, &mut next, most, bodies);
        let is_last = match end {
            BatchEnd::Exhausted | BatchEnd::SourcePanicked(_) => true,
            BatchEnd::BodyPanicked(..) => !self.catches_panics,
            BatchEnd::Pending | BatchEnd::Full => false,
        };
        if is_last {
            self.is_exhausted.store(matches!(end, BatchEnd::Exhausted), Ordering::SeqCst);
            self.body_source.close();
            // The workers that wait for the source complete now.
            if !is_mutated(Mutation::ExhaustsSourceSilently) {
                self.sleepers.notify_all();
            }
        }
        match (self.put_back(next, body_source), end) {
            (Some(panic), BatchEnd::Full | BatchEnd::Pending | BatchEnd::Exhausted) => {
                BatchEnd::SourcePanicked(panic)
            }
            (_, end) => end,
        }
    }

    /// Takes the source, if no other worker holds it. Otherwise, before a sleep, announces that a worker
    /// waits for it.
    fn take(
        &self,
        batch_size: &mut BatchSize,
        before_sleep: bool,
    ) -> Option<(usize, BoxedSource<B>)> {
        if let Ok(body_source) = self.body_source.pop() {
            batch_size.shrink();
            return Some(body_source);
        }
        batch_size.grow();
        if !before_sleep {
            return None;
        }
        for _ in 0..SPINS {
            core::hint::spin_loop();
            if let Ok(body_source) = self.body_source.pop() {
                return Some(body_source);
            }
        }
        self.sleepers.wait();
        if is_mutated(Mutation::WaitsWithoutRecheck) {
            return None;
        }
        self.body_source.pop().ok()
    }

    /// Returns the number of free permits, if there are some. Otherwise, before a sleep, announces that a
    /// worker waits for one.
    fn permits(&self, pulled: usize, before_sleep: bool) -> Option<usize> {
        let free = || {
            let used = pulled - self.released.load(Ordering::SeqCst);
            self.limit.checked_sub(used).filter(|&permits| permits > 0)
        };
        free().or_else(|| {
            if !before_sleep {
                return None;
            }
            self.wants_permits.store(true, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if is_mutated(Mutation::WaitsForRoomWithoutRecheck) { None } else { free() }
        })
    }

    /// Puts the source back for other workers, or drops it if the queue is closed. Returns the panic of
    /// its destructor.
    fn put_back(&self, pulled: usize, body_source: BoxedSource<B>) -> Option<Panic> {
        match self.body_source.push((pulled, body_source)) {
            Ok(()) => {
                if !is_mutated(Mutation::ReturnsSourceSilently) {
                    self.sleepers.notify_if_waiting();
                }
                None
            }
            Err(refused) => {
                debug_assert!(self.body_source.is_closed(), "only this worker holds the source");
                self.discard(refused.into_inner())
            }
        }
    }
}
