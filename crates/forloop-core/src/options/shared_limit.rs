//! `shared_limit`: a limit of running bodies that several loops share.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::{ItemRule, OutcomeRule, Rule, WithRule};
use crate::looping::Limit;
use crate::outcome::StopReason;
use crate::{Event, Loop};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Runs at most as many bodies at once as `shared` says, in all loops with this [`SharedLimit`] together.
    ///
    /// The loop's own [`limit`](Self::limit) applies as well; set it to [`unbounded`](Self::unbounded) if it has none.
    /// The loop pulls one item ahead and waits for a permit with it. Loops that wait get their permits in turn. An item
    /// in a [back-off](Self::retry) keeps its permit, and a result that waits for its consumer keeps none.
    ///
    /// A loop inside a body must not have the limit of the loop around it: where all permits are held by bodies that
    /// wait for such loops, none becomes free. A loop whose turn it is keeps its permit for as long as it is not
    /// polled: a stream whose consumer does something else.
    ///
    /// # Costs
    ///
    /// For each start and each completion, a lock is held for some instructions.
    ///
    /// # Cancel safety
    ///
    /// A loop that is dropped returns its permits. Bodies that run elsewhere are cancelled, but may not have stopped by
    /// then.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::SharedLimit;
    /// # futures_lite::future::block_on(async {
    ///
    /// let connections = SharedLimit::new(3)?;
    /// let new = forloop::each(0..10).unbounded().shared_limit(&connections);
    /// let old = forloop::each(0..10).limit(2)?.shared_limit(&connections);
    /// // Three bodies at once, of which at most two are those of `old`.
    /// let body = async |n: u32| 2 * n;
    /// let (new, old) = futures_lite::future::zip(new.gather(body), old.gather(body)).await;
    /// assert_eq!(new, old);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "semaphore")]
    #[doc(alias = "bulkhead")]
    pub fn shared_limit(self, shared: &SharedLimit) -> Loop<S, P, L, WithRule<C, SharesLimit>, M> {
        self.with_option(SharesLimit::new(shared.clone()))
    }
}

/// A limit of running bodies that several loops share, set by [`Loop::shared_limit`].
///
/// This is a handle, as an [`Arc`] is: a clone is the same limit. A loop that is cloned shares it with its clone. The
/// loops may run on any threads and on different runtimes.
///
/// # Costs
///
/// One allocation, and an entry in a queue for each loop that waits.
#[derive(Clone)]
pub struct SharedLimit {
    permits: Arc<Mutex<Permits>>,
    limit: usize,
}

/// The permits of the loops that share a limit: a semaphore with a fair queue.
///
/// A loop that wants to start a body takes a place in the queue, unless there is a permit for it and for every loop
/// that waits. It may start the body while there are more free permits than loops before it, and takes the permit
/// when it does. So a loop that waits for something else holds none, and no loop overtakes another.
///
/// **Why no wake is lost.** The number of places that may take a permit changes in two ways, and each wakes the one
/// loop for which it changes: a permit is returned, or a loop before it leaves the queue without having taken one. A
/// loop that takes a permit leaves those behind it as they were: there is one permit less and one loop less before
/// them.
struct Permits {
    free: usize,
    /// The loops that want a permit, each with the number of its request. One that was woken has no waker.
    queue: VecDeque<(u64, Option<Waker>)>,
    requests: u64,
}

impl SharedLimit {
    /// A limit of bodies in all loops that share it.
    ///
    /// # Errors
    ///
    /// [`ZeroLimit`](crate::ZeroLimit) if `limit` is the number 0; none for a
    /// [`Const`](crate::Const) or a [`NonZeroUsize`](core::num::NonZeroUsize).
    pub fn new<N: Limit>(limit: N) -> N::Limited<Self> {
        limit.apply(|limit| {
            let limit = limit.get();
            let permits = Permits { free: limit, queue: VecDeque::new(), requests: 0 };
            Self { permits: Arc::new(Mutex::new(permits)), limit }
        })
    }

    /// How many bodies of all loops may run at once.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many more bodies may start now. Other threads may change that at once.
    pub fn available(&self) -> usize {
        let permits = self.permits();
        permits.free.saturating_sub(permits.queue.len())
    }

    fn permits(&self) -> MutexGuard<'_, Permits> {
        // No waker is called or dropped while it is locked, so nothing panics.
        self.permits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests a permit. Returns the number of the request, and whether the permit is there.
    fn request(&self, waker: Waker) -> (u64, bool) {
        let mut permits = self.permits();
        permits.requests += 1;
        let request = permits.requests;
        let place = permits.queue.len();
        permits.queue.push_back((request, Some(waker)));
        (request, place < permits.free)
    }

    /// Whether there is a permit for this request. If not, has `waker` woken when there is.
    fn is_next(&self, request: u64, waker: Waker) -> bool {
        let mut permits = self.permits();
        let Some(place) = permits.place(request) else { return false };
        let before = permits.queue[place].1.replace(waker);
        let is_next = place < permits.free;
        drop(permits);
        drop(before);
        is_next
    }

    /// Takes the permit of this request.
    fn take(&self, request: u64) {
        let mut permits = self.permits();
        let place = permits.place(request);
        let taken = place.and_then(|place| permits.queue.remove(place));
        if taken.is_some() {
            permits.free -= 1;
        }
        drop(permits);
        drop(taken);
    }

    /// Withdraws a request.
    fn withdraw(&self, request: u64) {
        let mut permits = self.permits();
        let place = permits.place(request);
        let withdrawn = place.and_then(|place| permits.queue.remove(place));
        // The first loop that had to wait has a permit now.
        let had_permit = place.is_some_and(|place| place < permits.free);
        let next = if had_permit { permits.take_waker_of_last() } else { None };
        drop(permits);
        drop(withdrawn);
        next.into_iter().for_each(Waker::wake);
    }

    /// Returns permits.
    fn release(&self, count: usize) {
        for _ in 0..count {
            let mut permits = self.permits();
            permits.free += 1;
            let next = permits.take_waker_of_last();
            drop(permits);
            next.into_iter().for_each(Waker::wake);
        }
    }
}

impl Permits {
    fn place(&self, request: u64) -> Option<usize> {
        self.queue.binary_search_by_key(&request, |&(request, _)| request).ok()
    }

    /// The waker of the last loop for which there is a permit.
    fn take_waker_of_last(&mut self) -> Option<Waker> {
        let (_, waker) = self.queue.get_mut(self.free.checked_sub(1)?)?;
        waker.take()
    }
}

impl fmt::Debug for SharedLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimit")
            .field("limit", &self.limit)
            .field("available", &self.available())
            .finish()
    }
}

/// The part of one loop in a [`SharedLimit`].
///
/// It requests a permit when the loop wants to start a body, takes it when the body starts, and returns it when the
/// item completes. So a permit is kept during a back-off.
pub struct SharesLimit {
    shared: SharedLimit,
    /// The number of the request for the next body.
    request: Option<u64>,
    /// How many permits the loop holds.
    taken: usize,
}

impl SharesLimit {
    fn new(shared: SharedLimit) -> Self {
        Self { shared, request: None, taken: 0 }
    }
}

impl Rule for SharesLimit {
    fn poll_permit(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let is_next = match self.request {
            Some(request) => self.shared.is_next(request, waker),
            None => {
                let (request, is_next) = self.shared.request(waker);
                self.request = Some(request);
                is_next
            }
        };
        if is_next { Poll::Ready(()) } else { Poll::Pending }
    }

    fn cancel_permit(&mut self) {
        if let Some(request) = self.request.take() {
            self.shared.withdraw(request);
        }
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        match *event {
            Event::Started { attempt: 1, .. } => {
                if let Some(request) = self.request.take() {
                    self.shared.take(request);
                    self.taken += 1;
                }
            }
            Event::Completed { attempts: 1.., .. } => {
                if let Some(taken) = self.taken.checked_sub(1) {
                    self.taken = taken;
                    self.shared.release(1);
                }
            }
            Event::LoopStarted { .. }
            | Event::Received { .. }
            | Event::Started { .. }
            | Event::Retried { .. }
            | Event::Completed { .. } => {}
        }
        None
    }
}

impl<I> ItemRule<I> for SharesLimit {}
impl<R> OutcomeRule<R> for SharesLimit {}

/// The clone shares the limit, and holds no permit.
impl Clone for SharesLimit {
    fn clone(&self) -> Self {
        Self::new(self.shared.clone())
    }
}

impl Drop for SharesLimit {
    fn drop(&mut self) {
        self.cancel_permit();
        self.shared.release(self.taken);
    }
}

impl fmt::Debug for SharesLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharesLimit").field("shared", &self.shared).finish_non_exhaustive()
    }
}
