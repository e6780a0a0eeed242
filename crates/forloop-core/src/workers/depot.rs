//! What workers share: a well, from which each takes what it has room for.

use alloc::sync::Arc;
use core::task::{Context, Waker};

use super::bells::Bells;
use super::pace::Pace;
use super::shared::{AtomicBool, AtomicUsize, ConcurrentQueue, Ordering, fence};
use super::well::{BoxedWell, Buckets, Drawn};
use crate::Panic;
use crate::engine::{Bug, is_planted};
use crate::panic::catch;

/// The well of a loop, and how many bodies may be drawn.
pub(super) struct Depot<B> {
    /// The well, and how many bodies were drawn from it. Empty while somebody draws; closed once nobody may
    /// any more.
    well: ConcurrentQueue<(usize, BoxedWell<B>)>,
    is_dry: AtomicBool,
    /// How many bodies were drawn, once the well is closed.
    drawn: AtomicUsize,
    /// How many ends are of no account for the limit any more.
    settled: AtomicUsize,
    /// How many bodies may be drawn that are not settled.
    limit: usize,
    /// A worker waits for more ends to be settled.
    wants_room: AtomicBool,
    /// Whether the closure goes on after it has panicked.
    catches: bool,
    pub(super) bells: Arc<Bells>,
}

/// What a worker has got.
pub(super) enum Got {
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

impl<B> Depot<B> {
    /// `limit` is `None` where the workers see to it themselves.
    pub(super) fn new(
        well: BoxedWell<B>,
        limit: Option<usize>,
        workers: usize,
        catches: bool,
    ) -> Self {
        let queue = ConcurrentQueue::bounded(1);
        drop(queue.push((0, well)));
        Self {
            well: queue,
            is_dry: AtomicBool::new(false),
            drawn: AtomicUsize::new(0),
            settled: AtomicUsize::new(0),
            limit: limit.unwrap_or(usize::MAX),
            wants_room: AtomicBool::new(false),
            catches,
            bells: Arc::new(Bells::new(workers)),
        }
    }

    /// How many bodies were drawn, when nobody draws any more.
    pub(super) fn drawn(&self) -> usize {
        self.drawn.load(Ordering::SeqCst)
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
                self.bells.ring();
            }
        }
    }

    /// Lets nobody draw any more and drops the well, or has whoever draws drop it.
    pub(super) fn close(&self) -> Option<Panic> {
        self.well.close();
        self.discard(self.well.pop().ok()?)
    }

    /// Drops the well. Gives the panic of its destructor.
    fn discard(&self, (drawn, well): (usize, BoxedWell<B>)) -> Option<Panic> {
        self.drawn.store(drawn, Ordering::SeqCst);
        catch(|| drop(well)).err()
    }

    /// Draws up to `most` bodies, one at least, and no more than is the worker's `pace`. Where somebody else
    /// has the well, or there is no room, one that `must_wait` is woken when that has changed.
    pub(super) fn draw(
        &self,
        most: usize,
        pace: &mut Pace,
        must_wait: bool,
        waker: &Waker,
        bodies: &mut Buckets<B>,
    ) -> Got {
        let Some((mut next, mut well)) = self.well(pace, must_wait) else {
            return if self.is_dry() || self.well.is_closed() { Got::Dry } else { Got::Wait };
        };
        let Some(room) = self.room(next, must_wait) else {
            return self.give_back(next, well).map_or(Got::Wait, Got::SourcePanicked);
        };
        let most = most.min(pace.at_once()).min(room);
        let cx = &mut Context::from_waker(waker);
        let drawn = well.as_mut().draw(cx, &mut next, most, bodies);
        let is_over = match drawn {
            Drawn::Dry | Drawn::SourcePanicked(_) => true,
            Drawn::BodyPanicked(..) => !self.catches,
            Drawn::NoItem | Drawn::Enough => false,
        };
        if is_over {
            self.is_dry.store(matches!(drawn, Drawn::Dry), Ordering::SeqCst);
            self.well.close();
            // Whoever has waited for it is told that there is no more.
            if !is_planted(Bug::RunsDryInSilence) {
                self.bells.ring();
            }
        }
        match (self.give_back(next, well), drawn) {
            (_, Drawn::BodyPanicked(index, panic)) => Got::BodyPanicked(index, panic),
            (_, Drawn::SourcePanicked(panic)) | (Some(panic), _) => Got::SourcePanicked(panic),
            (None, Drawn::NoItem) => Got::Wait,
            (None, Drawn::Dry) => Got::Dry,
            (None, Drawn::Enough) => Got::Some,
        }
    }

    /// Takes the well, if it is there. Otherwise, if it `must_wait`, whoever has it rings when it gives it
    /// back.
    fn well(&self, pace: &mut Pace, must_wait: bool) -> Option<(usize, BoxedWell<B>)> {
        if let Ok(well) = self.well.pop() {
            pace.has_not_waited();
            return Some(well);
        }
        pace.has_waited();
        if !must_wait {
            return None;
        }
        for _ in 0..LOOKS {
            core::hint::spin_loop();
            if let Ok(well) = self.well.pop() {
                return Some(well);
            }
        }
        self.bells.wait();
        if is_planted(Bug::WaitsUnseeing) {
            return None;
        }
        self.well.pop().ok()
    }

    /// How many bodies may be drawn now. `None` if none: a worker that `must_wait` is woken when there may
    /// be.
    fn room(&self, drawn: usize, must_wait: bool) -> Option<usize> {
        let room = || {
            let going = drawn - self.settled.load(Ordering::SeqCst);
            self.limit.checked_sub(going).filter(|&room| room > 0)
        };
        room().or_else(|| {
            if !must_wait {
                return None;
            }
            self.wants_room.store(true, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if is_planted(Bug::WaitsForRoomUnseeing) { None } else { room() }
        })
    }

    /// Lets others have the well. Gives the panic of its destructor, if nobody may have it any more.
    fn give_back(&self, drawn: usize, well: BoxedWell<B>) -> Option<Panic> {
        match self.well.push((drawn, well)) {
            Ok(()) => {
                if !is_planted(Bug::GivesBackInSilence) {
                    self.bells.ring_if_waited_for();
                }
                None
            }
            Err(refused) => {
                debug_assert!(self.well.is_closed(), "there is one well, and nobody else has it");
                self.discard(refused.into_inner())
            }
        }
    }
}
