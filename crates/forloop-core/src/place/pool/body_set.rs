//! The running bodies of a loop: in a set of the loop's own, or on a worker pool.

use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker, ready};

use super::completion_queue::SourceFailure;
use super::handle::{Dispatcher, PoolHandle, PullConfig};
use crate::engine::{CapacityHint, Completion, FutureSet, JobHandle, Key};
use crate::simulation::Origin;
use crate::{Outcome, Panic};

/// Running bodies, each with its index: a [`FutureSet`], or a worker pool with the same interface.
///
/// Whether a job may run on a pool is a constant of its type. For all other jobs the compiler removes
/// the pool, so a loop without one does not pay for it. The methods that take closures test the constant
/// themselves, so that the code for a pool is not even compiled for such jobs.
pub(crate) struct BodySet<J> {
    set: FutureSet<J>,
    pool: Option<PoolHandle<J>>,
}

impl<J: JobHandle> BodySet<J> {
    #[inline]
    pub(crate) fn new(pool: Option<PoolHandle<J>>, origin: Origin) -> Self {
        Self { set: FutureSet::new().with_origin(origin), pool }
    }

    #[inline]
    fn pool(&mut self) -> Option<&mut dyn Dispatcher<J>> {
        if J::ON_POOL { self.pool.as_mut().map(PoolHandle::dispatcher) } else { None }
    }

    #[inline]
    fn pool_ref(&self) -> Option<&dyn Dispatcher<J>> {
        if J::ON_POOL { self.pool.as_ref().map(PoolHandle::dispatcher_ref) } else { None }
    }

    /// Spawns the workers if they pull their bodies. Returns the bounds on the number of bodies, as the
    /// source states them; `None` if no workers pull.
    pub(crate) fn begin(
        &mut self,
        config: impl FnOnce() -> PullConfig<J::Output>,
    ) -> Option<(usize, Option<usize>)> {
        Some(self.pool()?.pull()?.begin(config()))
    }

    /// Sets the number of delivered completions that still hold a permit, for workers that pull.
    pub(crate) fn set_held_permits(&mut self, held: usize) {
        if let Some(pull) = self.pool().and_then(Dispatcher::pull) {
            pull.set_held_permits(held);
        }
    }

    /// Returns the failure of the source, if that is why the last [`poll_round`](Self::poll_round) has
    /// returned. The caller handles it before the completions that follow.
    pub(crate) fn take_source_failure(&mut self) -> Option<SourceFailure> {
        self.pool()?.pull()?.take_source_failure()
    }

    /// Returns the number of bodies that workers have pulled and whether the source is exhausted, if
    /// workers pull. The number is zero while the source may give more.
    #[inline]
    pub(crate) fn pulled(&self) -> Option<(usize, bool)> {
        self.pool_ref().and_then(Dispatcher::pulled)
    }

    /// [`FutureSet::set_capacity_hint`].
    pub(crate) fn set_capacity_hint(&mut self, room: CapacityHint) {
        self.set.set_capacity_hint(room);
    }

    /// [`FutureSet::len`].
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.pool_ref().map_or_else(|| self.set.len(), Dispatcher::len)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// [`FutureSet::insert`]. On a pool, the body starts once it was [dispatched](Self::dispatch).
    pub(crate) fn insert(&mut self, index: usize, make: &mut impl FnMut() -> J) {
        let Some(pool) = self.pool() else { return self.set.insert(index, make) };
        let mut index = Some(index);
        if let Err((_, panic)) = pool.enqueue(&mut || index.take(), make) {
            panic.resume();
        }
    }

    /// Sends the inserted bodies to workers, if there is a pool.
    pub(crate) fn dispatch(&mut self) {
        if let Some(pool) = self.pool() {
            pool.dispatch();
        }
    }

    /// [`FutureSet::start`].
    #[inline]
    pub(crate) fn start<I, B>(
        &mut self,
        caller: &Waker,
        most: usize,
        next: impl FnMut() -> ControlFlow<B, (usize, I)>,
        make: impl FnMut(usize, I) -> J,
        on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key> {
        if !J::ON_POOL {
            return self.set.start(Some(caller), most, next, make, on_complete);
        }
        match self.pool() {
            Some(pool) => Self::enqueue(pool, most, next, make, on_complete),
            None => self.set.start(Some(caller), most, next, make, on_complete),
        }
    }

    fn enqueue<I, B>(
        pool: &mut dyn Dispatcher<J>,
        most: usize,
        mut next: impl FnMut() -> ControlFlow<B, (usize, I)>,
        mut make: impl FnMut(usize, I) -> J,
        mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key> {
        let (left, mut stopped) = (Cell::new(most), None);
        let given = Cell::new(None);
        let mut next = || {
            left.set(left.get().checked_sub(1)?);
            match next() {
                ControlFlow::Continue((index, item)) => {
                    given.set(Some((index, item)));
                    Some(index)
                }
                ControlFlow::Break(value) => {
                    stopped = Some(value);
                    None
                }
            }
        };
        let mut make = || {
            let (index, item) = given.take().expect("`next` has given an item");
            make(index, item)
        };
        let last = loop {
            match pool.enqueue(&mut next, &mut make) {
                Ok(last) => break last,
                Err((index, panic)) => {
                    let outcome = Outcome::Panicked(panic);
                    on_complete(Completion { index, seq: J::next_sequence(), outcome })?;
                    left.update(|left| left + 1);
                }
            }
        };
        match (stopped, last) {
            (None, Some(last)) => ControlFlow::Continue(last),
            (Some(value), _) => ControlFlow::Break(value),
            (None, None) => unreachable!("`most` is not zero, so `next` was called"),
        }
    }

    /// [`FutureSet::runs`].
    pub(crate) fn runs(&self, body: Key) -> bool {
        self.pool_ref().map_or_else(|| self.set.runs(body), |pool| pool.runs(body))
    }

    /// [`FutureSet::indices`].
    pub(crate) fn indices(&self) -> Vec<usize> {
        self.pool_ref().map_or_else(|| self.set.indices(), Dispatcher::indices)
    }

    /// [`FutureSet::expire`]. Workers report the completion later.
    pub(crate) fn expire(&mut self, caller: &Waker, body: Key) -> Option<Completion<J::Output>> {
        match self.pool() {
            Some(pool) => {
                pool.expire(body);
                None
            }
            None => self.set.expire(Some(caller), body),
        }
    }

    /// [`FutureSet::poll_next_woken`].
    pub(crate) fn poll_next_woken(&mut self) -> Option<Option<Completion<J::Output>>> {
        if !J::ON_POOL {
            return self.set.poll_next_woken();
        }
        let Some(pool) = self.pool() else { return self.set.poll_next_woken() };
        let mut next = None;
        pool.deliver(&mut 0, 1, &mut |completion| {
            next = Some(Some(completion));
            ControlFlow::Continue(())
        });
        next
    }

    /// [`FutureSet::poll_round`].
    #[inline]
    pub(crate) fn poll_round<B>(
        &mut self,
        polls: &mut usize,
        most: usize,
        mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        if !J::ON_POOL {
            return self.set.poll_round(polls, most, on_complete);
        }
        let Some(pool) = self.pool() else { return self.set.poll_round(polls, most, on_complete) };
        let mut result = ControlFlow::Continue(());
        pool.deliver(polls, most, &mut |completion| {
            result = on_complete(completion);
            if result.is_break() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        result
    }

    /// [`FutureSet::mark_all_due`], for bodies without wakers of their own. They never run on a pool.
    pub(crate) fn mark_all_due(&mut self) {
        self.set.mark_all_due();
    }

    /// [`FutureSet::poll_due`], for the same bodies.
    pub(crate) fn poll_due<B>(
        &mut self,
        caller: &Waker,
        on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.set.poll_due(caller, on_complete)
    }

    /// [`FutureSet::is_round_in_progress`].
    #[inline]
    pub(crate) fn is_round_in_progress(&self) -> bool {
        self.pool_ref()
            .map_or_else(|| self.set.is_round_in_progress(), Dispatcher::is_round_in_progress)
    }

    /// [`FutureSet::has_yielded`]. Workers yield by themselves.
    #[inline]
    pub(crate) fn has_yielded(&mut self) -> bool {
        match self.pool() {
            Some(_) => false,
            None => self.set.has_yielded(),
        }
    }

    /// [`FutureSet::next_round`].
    #[inline]
    pub(crate) fn next_round(&mut self) -> bool {
        match self.pool() {
            Some(pool) => pool.next_round(),
            None => self.set.next_round(),
        }
    }

    /// [`FutureSet::end_turn`]. Workers end their turns themselves.
    #[inline]
    pub(crate) fn end_turn(&mut self) {
        if self.pool().is_none() {
            self.set.end_turn();
        }
    }

    /// [`FutureSet::must_begin_with_round`].
    #[inline]
    pub(crate) fn must_begin_with_round(&self) -> bool {
        self.set.must_begin_with_round()
    }

    /// [`FutureSet::sleep`].
    #[inline]
    pub(crate) fn sleep(&mut self, cx: &Context<'_>) -> bool {
        match self.pool() {
            Some(pool) => pool.sleep(cx),
            None => self.set.sleep(cx),
        }
    }

    /// [`FutureSet::cancel`].
    pub(crate) fn cancel(&mut self, mut panicked: impl FnMut(Panic)) {
        match self.pool() {
            Some(pool) => pool.cancel().into_iter().for_each(&mut panicked),
            None => self.set.cancel(panicked),
        }
    }

    /// [`FutureSet::poll_wait_groups`], once no body is left. Lets the workers complete.
    pub(crate) fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pool) = self.pool() {
            ready!(pool.poll_shutdown(cx));
        }
        self.set.poll_wait_groups(cx)
    }
}

impl<J> fmt::Debug for BodySet<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pool {
            Some(pool) => pool.fmt(f),
            None => self.set.fmt(f),
        }
    }
}
