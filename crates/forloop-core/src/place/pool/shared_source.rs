//! What workers share: a well, from which each takes what it has room for.

use alloc::sync::Arc;
use core::task::{Context, Waker};

use super::batch_size::BatchSize;
use super::body_source::{Batch, BoxedSource, Pulled};
use super::shared::{AtomicBool, AtomicUsize, ConcurrentQueue, Ordering, fence};
use super::sleepers::Sleepers;
use crate::Panic;
use crate::engine::{Mutation, is_mutated};
use crate::outcome::catch;

/// The well of a loop, and how many bodies may be drawn.
pub(super) struct SharedSource<B> {
    /// The well, and how many bodies were drawn from it. Empty while somebody draws; closed once nobody may
    /// any more.
    body_source: ConcurrentQueue<(usize, BoxedSource<B>)>,
    is_dry: AtomicBool,
    /// How many bodies were drawn, once the well is closed.
    pulled: AtomicUsize,
    /// How many ends are of no account for the limit any more.
    settled: AtomicUsize,
    /// How many bodies may be drawn that are not settled.
    limit: usize,
    /// A worker waits for more ends to be settled.
    wants_room: AtomicBool,
    /// Whether the closure goes on after it has panicked.
    catches: bool,
    pub(super) sleepers: Arc<Sleepers>,
}

/// What a worker has got.
pub(super) enum PullResult {
    /// What it wanted, or all that it may have at once.
    Some,
    /// Less, and nothing more for now: it will be woken.
    Wait,
    /// Nothing more, ever.
    Dry,
    /// The closure has panicked over the item of this index.
    BodyPanicked(usize, Panic),
    /// The source has panicked, while it gave an item or when it was dropped.
    SourcePanicked(Panic),
}

/// How often a worker that has nothing else to do looks whether the well is free again, before it
/// goes to sleep: as long as another takes for a few bodies, and less than a wake costs.
const LOOKS: usize = if cfg!(forloop_loom) { 0 } else { 100 };

impl<B> SharedSource<B> {
    /// `limit` is `None` where the workers see to it themselves.
    pub(super) fn new(
        body_source: BoxedSource<B>,
        limit: Option<usize>,
        workers: usize,
        catches: bool,
    ) -> Self {
        let queue = ConcurrentQueue::bounded(1);
        drop(queue.push((0, body_source)));
        Self {
            body_source: queue,
            is_dry: AtomicBool::new(false),
            pulled: AtomicUsize::new(0),
            settled: AtomicUsize::new(0),
            limit: limit.unwrap_or(usize::MAX),
            wants_room: AtomicBool::new(false),
            catches,
            sleepers: Arc::new(Sleepers::new(workers)),
        }
    }

    /// How many bodies were drawn, when nobody draws any more.
    pub(super) fn pulled(&self) -> usize {
        self.pulled.load(Ordering::SeqCst)
    }

    /// Whether the source has run dry.
    pub(super) fn is_dry(&self) -> bool {
        self.is_dry.load(Ordering::SeqCst)
    }

    /// Takes note of how many ends are of no account for the limit any more.
    pub(super) fn settle(&self, ends: usize) {
        if self.limit < usize::MAX && self.settled.load(Ordering::Relaxed) != ends {
            self.settled.store(ends, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if self.wants_room.load(Ordering::SeqCst)
                && self.wants_room.swap(false, Ordering::SeqCst)
            {
                self.sleepers.notify_all();
            }
        }
    }

    /// Lets nobody draw any more and drops the well, or has whoever draws drop it.
    pub(super) fn close(&self) -> Option<Panic> {
        self.body_source.close();
        self.discard(self.body_source.pop().ok()?)
    }

    /// Drops the well. Gives the panic of its destructor.
    fn discard(&self, (pulled, body_source): (usize, BoxedSource<B>)) -> Option<Panic> {
        self.pulled.store(pulled, Ordering::SeqCst);
        catch(|| drop(body_source)).err()
    }

    /// Draws up to `most` bodies, one at least, and no more than is the worker's `batch_size`. Where somebody else
    /// has the well, or there is no room, one that `must_wait` is woken when that has changed.
    pub(super) fn pull_batch(
        &self,
        most: usize,
        batch_size: &mut BatchSize,
        must_wait: bool,
        waker: &Waker,
        bodies: &mut Batch<B>,
    ) -> PullResult {
        let Some((mut next, mut body_source)) = self.body_source(batch_size, must_wait) else {
            return if self.is_dry() || self.body_source.is_closed() {
                PullResult::Dry
            } else {
                PullResult::Wait
            };
        };
        let Some(room) = self.room(next, must_wait) else {
            return self
                .give_back(next, body_source)
                .map_or(PullResult::Wait, PullResult::SourcePanicked);
        };
        let most = most.min(batch_size.get()).min(room);
        let cx = &mut Context::from_waker(waker);
        let pulled = body_source.as_mut().pull_batch(cx, &mut next, most, bodies);
        let is_over = match pulled {
            Pulled::Dry | Pulled::SourcePanicked(_) => true,
            Pulled::BodyPanicked(..) => !self.catches,
            Pulled::NoItem | Pulled::ConditionMet => false,
        };
        if is_over {
            self.is_dry.store(matches!(pulled, Pulled::Dry), Ordering::SeqCst);
            self.body_source.close();
            // Whoever has waited for it is told that there is no more.
            if !is_mutated(Mutation::ExhaustsSourceSilently) {
                self.sleepers.notify_all();
            }
        }
        match (self.give_back(next, body_source), pulled) {
            (_, Pulled::BodyPanicked(index, panic)) => PullResult::BodyPanicked(index, panic),
            (_, Pulled::SourcePanicked(panic)) | (Some(panic), _) => {
                PullResult::SourcePanicked(panic)
            }
            (None, Pulled::NoItem) => PullResult::Wait,
            (None, Pulled::Dry) => PullResult::Dry,
            (None, Pulled::ConditionMet) => PullResult::Some,
        }
    }

    /// Takes the well, if it is there. Otherwise, if it `must_wait`, whoever has it rings when it gives it
    /// back.
    fn body_source(
        &self,
        batch_size: &mut BatchSize,
        must_wait: bool,
    ) -> Option<(usize, BoxedSource<B>)> {
        if let Ok(body_source) = self.body_source.pop() {
            batch_size.shrink();
            return Some(body_source);
        }
        batch_size.grow();
        if !must_wait {
            return None;
        }
        for _ in 0..LOOKS {
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

    /// How many bodies may be drawn now. `None` if none: a worker that `must_wait` is woken when there may
    /// be.
    fn room(&self, pulled: usize, must_wait: bool) -> Option<usize> {
        let room = || {
            let going = pulled - self.settled.load(Ordering::SeqCst);
            self.limit.checked_sub(going).filter(|&room| room > 0)
        };
        room().or_else(|| {
            if !must_wait {
                return None;
            }
            self.wants_room.store(true, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if is_mutated(Mutation::WaitsForRoomWithoutRecheck) { None } else { room() }
        })
    }

    /// Lets others have the well. Gives the panic of its destructor, if nobody may have it any more.
    fn give_back(&self, pulled: usize, body_source: BoxedSource<B>) -> Option<Panic> {
        match self.body_source.push((pulled, body_source)) {
            Ok(()) => {
                if !is_mutated(Mutation::ReturnsSourceSilently) {
                    self.sleepers.notify_if_waiting();
                }
                None
            }
            Err(refused) => {
                debug_assert!(
                    self.body_source.is_closed(),
                    "there is one well, and nobody else has it"
                );
                self.discard(refused.into_inner())
            }
        }
    }
}
