//! Pull dispatch: the source that the workers of a loop share.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::mem;
use core::task::{Context, Waker};

use forloop_budget::WorkStart;

use super::batch_size::BatchSize;
use super::body_source::{BatchEnd, BoxedSource, Exchange, Pulling};
use super::sleepers::{Sleepers, announce};
use super::sync::{AtomicBool, AtomicUsize, ConcurrentQueue, Locked, Ordering};
use super::unstarted::{Batch, Contended, Unstarted};
use crate::Panic;
use crate::body::Body;
use crate::engine::{Mutation, is_mutated};
use crate::outcome::catch;
use crate::single::Single;

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
/// - of the source, because another worker holds it: see the handshake at [`announce`], with the worker that puts the source back
///   as the notifying side;
/// - of a permit: the same handshake, with [`release`](Self::release) as the notifying side;
/// - of an item: the source is polled with the sleepers as its waker.
///
/// What another worker has pulled needs no notification of its own. It is in the queue of that worker before the source is put
/// back, so a worker that was woken because of an item finds one or the other: see [`Unstarted`].
///
/// **The end.** The worker that finds the source exhausted closes the queue, which drops the source when
/// it is pushed back, and notifies all others. Each worker then completes when its last body has and it
/// finds no more in the queues of the others. The same happens when the closure or the source panics, and
/// when a completion stops the loop ([`close`](Self::close)); then no more bodies are started either.
pub(super) struct SharedSource<'env, B: Body> {
    /// The source and the number of bodies that were pulled from it. Empty while a worker holds it;
    /// closed once no more bodies may be pulled.
    body_source: ConcurrentQueue<(usize, BoxedSource<'env, B>)>,
    is_exhausted: AtomicBool,
    /// No more bodies may be started.
    is_stopped: AtomicBool,
    /// The loop was dropped: options learn nothing of that.
    is_abandoned: AtomicBool,
    /// The bounds on the number of items, as the source has stated them.
    pub(super) size_hint: (usize, Option<usize>),
    /// What each worker has pulled and not started.
    unstarted: Box<[Unstarted<B>]>,
    /// How often bodies have been on the way to a queue from which others may take them, and have arrived there.
    departed: AtomicUsize,
    arrived: AtomicUsize,
    /// The number of bodies that were pulled, once the source is dropped.
    pulled: AtomicUsize,
    /// The number of permits that were released.
    released: AtomicUsize,
    /// The number of bodies that may hold a permit.
    limit: usize,
    /// A worker waits for the source.
    wants_source: AtomicBool,
    /// A worker waits for a permit.
    wants_permits: AtomicBool,
    /// Whether the loop continues after the closure has panicked.
    catches_panics: bool,
    /// A driver in the source polls signals, which wake all workers.
    pub(super) has_signals: bool,
    /// Whether completions hold their permits until the loop has taken them, and a driver in the source counts them.
    /// `None` if there is no driver.
    driver_counts: Option<bool>,
    /// A driver that was in the source when the loop has stopped. Its options have what the bodies need, such as permits
    /// that loops share.
    ended: Single<BoxedSource<'env, B>>,
    pub(super) sleepers: Arc<Sleepers>,
}

/// What a worker asks the source for.
pub(super) struct Request<'a> {
    /// The worker's number.
    pub(super) worker: usize,
    /// The number of bodies for which it has room.
    pub(super) most: usize,
    pub(super) batch_size: &'a BatchSize,
    /// It has nothing else to do.
    pub(super) before_sleep: bool,
    /// Woken when the source has an item.
    pub(super) waker: &'a Waker,
}

/// How often a worker with nothing else to do looks whether the source was put back, before it sleeps:
/// as long as another worker needs for a few bodies, and cheaper than a wake.
const SPINS: usize = if cfg!(forloop_loom) { 0 } else { 100 };

/// Items that are pulled between two looks at the clock, where the size of the source is not known exactly.
const WATCHED: usize = 16;

impl<'env, B: Body> SharedSource<'env, B> {
    /// `limit` is `None` where the workers divide the limit among themselves.
    pub(super) fn new(
        body_source: BoxedSource<'env, B>,
        limit: Option<usize>,
        workers: usize,
        size_hint: (usize, Option<usize>),
        catches_panics: bool,
        has_rules: bool,
    ) -> Self {
        let has_signals = body_source.has_signals();
        let queue = ConcurrentQueue::bounded(1);
        drop(queue.push((0, body_source)));
        Self {
            body_source: queue,
            is_exhausted: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            is_abandoned: AtomicBool::new(false),
            size_hint,
            unstarted: (0..workers).map(|_| Unstarted::new()).collect(),
            departed: AtomicUsize::new(0),
            arrived: AtomicUsize::new(0),
            pulled: AtomicUsize::new(0),
            released: AtomicUsize::new(0),
            limit: limit.filter(|_| !has_rules).unwrap_or(usize::MAX),
            wants_source: AtomicBool::new(false),
            wants_permits: AtomicBool::new(false),
            catches_panics,
            has_signals,
            driver_counts: has_rules.then_some(limit.is_some()),
            ended: Single::empty(),
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

    /// Whether a completion has stopped the loop.
    #[inline]
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }

    /// Sets the number of permits that were released in all, and wakes the workers that wait for one.
    pub(super) fn release(&self, permits: usize) {
        let are_counted = self.limit < usize::MAX || self.driver_counts == Some(true);
        if are_counted && self.released.load(Ordering::Relaxed) != permits {
            self.released.store(permits, Ordering::SeqCst);
            self.sleepers.notify_if(&self.wants_permits);
        }
    }

    /// Stops the pulling: drops the source here, or has the worker that holds it drop it. Returns the
    /// panic of its destructor.
    pub(super) fn close(&self) -> Option<Panic> {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.body_source.close();
        self.discard(self.body_source.pop().ok()?, false)
    }

    /// Drops what is left when the bodies of a loop that was stopped have stopped.
    pub(super) fn finish(&self) {
        drop(self.ended.take());
    }

    /// As [`close`](Self::close), for a loop that was dropped.
    pub(super) fn abandon(&self) -> Option<Panic> {
        self.is_abandoned.store(true, Ordering::SeqCst);
        self.close()
    }

    /// As [`close`](Self::close), but bodies that were pulled are started.
    pub(super) fn drain(&self) -> Option<Panic> {
        self.body_source.close();
        self.discard(self.body_source.pop().ok()?, true)
    }

    /// Drops the source. If it `may_have_items`, finds out whether there are some. Returns the panic of its destructor.
    fn discard(
        &self,
        (pulled, mut body_source): (usize, BoxedSource<'env, B>),
        may_have_items: bool,
    ) -> Option<Panic> {
        self.pulled.store(pulled, Ordering::SeqCst);
        let dropped = catch(|| {
            if may_have_items && !self.is_stopped() && body_source.as_mut().is_exhausted() {
                self.is_exhausted.store(true, Ordering::SeqCst);
            }
            let is_abandoned = self.is_abandoned.load(Ordering::SeqCst);
            if self.driver_counts.is_none() || self.is_exhausted() || is_abandoned {
                drop(body_source);
            } else {
                body_source.as_mut().stop();
                drop(self.ended.put(body_source));
            }
        });
        dropped.err()
    }

    /// Pulls up to `most` bodies, but no more than `batch_size` says, and fills the empty queue of the worker with them. They
    /// remain in `batch`, which is empty, if the queue is locked: then the worker must [`fill`](Self::fill) it.
    ///
    /// If another worker holds the source or no permit is free, a worker that pulls `before_sleep` takes bodies that others have
    /// pulled, or is woken when that has changed.
    pub(super) fn pull_batch(
        &self,
        request: &Request<'_>,
        batch: &mut Batch<B>,
        exchange: &mut Exchange<B::Returns>,
    ) -> (bool, BatchEnd) {
        let &Request { worker, most, before_sleep, .. } = request;
        let (has_pulled, end) = self.pull_from_source(request, batch, exchange);
        let is_idle = before_sleep && most > 0 && !has_pulled && !self.is_stopped();
        if !is_idle || !matches!(end, BatchEnd::Pending | BatchEnd::Exhausted) {
            return (has_pulled, end);
        }
        match self.take_from_others(worker, most, batch) {
            Ok(true) => (true, BatchEnd::Full),
            Ok(false) => (false, end),
            Err(Contended) => (false, BatchEnd::Contended),
        }
    }

    fn pull_from_source(
        &self,
        request: &Request<'_>,
        batch: &mut Batch<B>,
        exchange: &mut Exchange<B::Returns>,
    ) -> (bool, BatchEnd) {
        let &Request { worker, most, batch_size, before_sleep, waker } = request;
        let Some((mut next, mut body_source)) = self.take(before_sleep) else {
            let is_closed = self.is_exhausted() || self.body_source.is_closed();
            return (false, if is_closed { BatchEnd::Exhausted } else { BatchEnd::Pending });
        };
        if self.driver_counts.is_some() {
            return self.drive(next, body_source, request, batch, exchange);
        }
        let Some(permits) = self.permits(next, before_sleep) else {
            let put_back = self.put_back(next, body_source, true);
            return (false, put_back.map_or(BatchEnd::Pending, BatchEnd::SourcePanicked));
        };
        let left = self.size_hint.1.map_or(usize::MAX, |upper| upper.saturating_sub(next));
        let most = most.min(batch_size.of_next(left, self.unstarted.len())).min(permits);
        let cx = &mut Context::from_waker(waker);
        batch.first = next;
        // Items that come without a size may take long all of a sudden: see crate::pace.
        let is_watched = self.size_hint.1 != Some(self.size_hint.0);
        let begin = is_watched.then(WorkStart::now);
        let part = if is_watched { WATCHED } else { most };
        let mut end = BatchEnd::Full;
        while matches!(end, BatchEnd::Full) && batch.bodies.len() < most {
            let part = part.min(most - batch.bodies.len());
            let Batch { bodies, attempts, .. } = &mut *batch;
            let (next, exchange) = (&mut next, &mut *exchange);
            let pull = Pulling { next, most: part, bodies, attempts, exchange, released: None };
            end = body_source.as_mut().pull_batch(cx, pull);
            if begin.is_some_and(WorkStart::is_long_ago) {
                break;
            }
        }
        let pulled = batch.bodies.len();
        // First of all: a worker that finds the source exhausted must find the bodies.
        if pulled > 0 && !is_mutated(Mutation::FillsLate) {
            self.fill_or_depart(worker, batch);
        }
        let is_last = match end {
            BatchEnd::Exhausted | BatchEnd::SourceFailed(_) | BatchEnd::SourcePanicked(_) => true,
            BatchEnd::BodyPanicked(..) => !self.catches_panics,
            BatchEnd::Pending | BatchEnd::Full | BatchEnd::Contended => false,
            BatchEnd::Stopped | BatchEnd::Interrupted => true,
        };
        if is_last {
            self.close_exhausted(&end);
        }
        let put_back = self.put_back(next, body_source, !is_last);
        if pulled > 0 && is_mutated(Mutation::FillsLate) {
            self.fill_or_depart(worker, batch);
        }
        let end = match (put_back, end) {
            (Some(panic), BatchEnd::Full | BatchEnd::Pending | BatchEnd::Exhausted) => {
                BatchEnd::SourcePanicked(panic)
            }
            (_, end) => end,
        };
        (pulled > 0, end)
    }

    /// As [`pull_from_source`](Self::pull_from_source), where a driver in the source starts the bodies.
    ///
    /// Only a worker that has the source changes what the driver knows. So a worker announces that it waits while it has the
    /// source, and the next one that has it sees that. The number of released permits changes without it.
    fn drive(
        &self,
        mut next: usize,
        mut body_source: BoxedSource<'env, B>,
        request: &Request<'_>,
        batch: &mut Batch<B>,
        exchange: &mut Exchange<B::Returns>,
    ) -> (bool, BatchEnd) {
        let &Request { worker, most, batch_size, before_sleep, waker } = request;
        let waits = before_sleep && most > 0;
        let has_reports = !exchange.reports.is_empty();
        let left = self.size_hint.1.map_or(usize::MAX, |upper| upper.saturating_sub(next));
        let most = most.min(batch_size.of_next(left, self.unstarted.len()));
        let cx = &mut Context::from_waker(waker);
        let end = loop {
            let released = self.released.load(Ordering::SeqCst);
            let Batch { bodies, attempts, .. } = &mut *batch;
            let (next, exchange) = (&mut next, &mut *exchange);
            let counted = (self.driver_counts == Some(true)).then_some(released);
            let pull = Pulling { next, most, bodies, attempts, exchange, released: counted };
            let end = body_source.as_mut().pull_batch(cx, pull);
            if !waits || !matches!(end, BatchEnd::Pending) || !batch.bodies.is_empty() {
                break end;
            }
            announce(&self.wants_permits);
            if released == self.released.load(Ordering::SeqCst)
                || is_mutated(Mutation::WaitsForRoomWithoutRecheck)
            {
                break end;
            }
        };
        let has_pulled = !batch.bodies.is_empty();
        // First of all: a worker that finds the source exhausted must find the bodies.
        if has_pulled {
            self.fill_or_depart(worker, batch);
        }
        let is_last = !matches!(end, BatchEnd::Full | BatchEnd::Pending | BatchEnd::Contended);
        // Only if something has changed: otherwise two workers would wake each other without end.
        let may_have_more = matches!(end, BatchEnd::Full) && (has_reports || has_pulled);
        if is_last {
            self.close_exhausted(&end);
        }
        let put_back = self.put_back(next, body_source, !is_last);
        // Another worker may wait for what this one has no room for.
        if may_have_more && !is_mutated(Mutation::LeavesItemsSilently) {
            self.sleepers.notify_if(&self.wants_permits);
        }
        match (put_back, end) {
            (Some(panic), BatchEnd::Full | BatchEnd::Pending | BatchEnd::Exhausted) => {
                (has_pulled, BatchEnd::SourcePanicked(panic))
            }
            (_, end) => (has_pulled, end),
        }
    }

    /// No more bodies will be pulled.
    fn close_exhausted(&self, end: &BatchEnd) {
        self.is_exhausted.store(matches!(end, BatchEnd::Exhausted), Ordering::SeqCst);
        self.body_source.close();
        // The workers that wait for the source complete now.
        if !is_mutated(Mutation::ExhaustsSourceSilently) {
            self.sleepers.notify_all();
        }
    }

    /// Takes half of the bodies that another worker has not started.
    fn take_from_others(
        &self,
        worker: usize,
        most: usize,
        batch: &mut Batch<B>,
    ) -> Result<bool, Contended> {
        let arrived = self.arrived.load(Ordering::SeqCst);
        let is_in_transit = || self.departed.load(Ordering::SeqCst) != arrived;
        let was_in_transit = is_in_transit();
        let (before, from_own) = self.unstarted.split_at(worker);
        let others = from_own.iter().skip(1).chain(before);
        let mut result = Ok(false);
        for other in others {
            match other.take_half(batch, most, &self.departed) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(Contended) => result = Err(Contended),
            }
        }
        if was_in_transit || is_in_transit() { Err(Contended) } else { result }
    }

    fn fill_or_depart(&self, worker: usize, batch: &mut Batch<B>) {
        if self.unstarted[worker].fill(batch).is_err() {
            self.departed.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Moves bodies that were pulled or taken into the worker's own queue, which is empty. An empty batch with the memory of
    /// the last one remains.
    pub(super) fn fill(&self, worker: usize, batch: &mut Batch<B>) -> Result<(), Contended> {
        self.unstarted[worker].fill(batch)?;
        self.arrived.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// The worker's own queue, locked.
    #[inline]
    pub(super) fn unstarted(&self, worker: usize) -> Result<Locked<'_, Batch<B>>, Contended> {
        self.unstarted[worker].lock()
    }

    /// Stops the use of the worker's own queue. Passes on the bodies that are left there, in the queues of workers that have
    /// stopped before, and in `batch`, which were not moved into the queue.
    pub(super) fn close_unstarted(
        &self,
        worker: usize,
        batch: &mut Batch<B>,
        mut left: impl FnMut(Batch<B>),
    ) {
        if !batch.bodies.is_empty() {
            self.arrived.fetch_add(1, Ordering::SeqCst);
        }
        left(mem::replace(batch, Batch::new()));
        self.unstarted[worker].close();
        for (at, queue) in self.unstarted.iter().enumerate() {
            if at == worker || !is_mutated(Mutation::LeavesOtherQueues) {
                left(queue.take_rest());
            }
        }
    }

    /// Takes the source, if no other worker holds it. Otherwise, before a sleep, announces that a worker
    /// waits for it.
    fn take(&self, before_sleep: bool) -> Option<(usize, BoxedSource<'env, B>)> {
        if let Ok(body_source) = self.body_source.pop() {
            return Some(body_source);
        }
        if !before_sleep {
            return None;
        }
        for _ in 0..SPINS {
            core::hint::spin_loop();
            if let Ok(body_source) = self.body_source.pop() {
                return Some(body_source);
            }
        }
        announce(&self.wants_source);
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
            announce(&self.wants_permits);
            if is_mutated(Mutation::WaitsForRoomWithoutRecheck) { None } else { free() }
        })
    }

    /// Puts the source back for other workers, or drops it if the queue is closed. Returns the panic of
    /// its destructor.
    fn put_back(
        &self,
        pulled: usize,
        body_source: BoxedSource<'env, B>,
        may_have_items: bool,
    ) -> Option<Panic> {
        match self.body_source.push((pulled, body_source)) {
            Ok(()) => {
                if !is_mutated(Mutation::ReturnsSourceSilently) {
                    self.sleepers.notify_if(&self.wants_source);
                }
                None
            }
            Err(refused) => {
                debug_assert!(self.body_source.is_closed(), "only this worker holds the source");
                self.discard(refused.into_inner(), may_have_items)
            }
        }
    }
}
