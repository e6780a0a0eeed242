//! The bodies of a loop, wherever they run: in the engine of the loop itself, or with a crew.

use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker, ready};

use super::handle::{Dispatcher, PoolHandle, PullConfig};
use crate::Panic;
use crate::engine::{CapacityHint, Completion, FutureSet, JobHandle, Key};
use crate::simulation::Origin;

/// Started bodies, each with its index: what a [`FutureSet`] does, and what workers do in its stead.
pub(crate) struct BodySet<J> {
    here: FutureSet<J>,
    pool: Option<PoolHandle<J>>,
}

impl<J: JobHandle> BodySet<J> {
    #[inline]
    pub(crate) fn new(pool: Option<PoolHandle<J>>) -> Self {
        Self { here: FutureSet::new(), pool }
    }

    /// [`FutureSet::with_origin`].
    #[inline]
    pub(crate) fn written_at(self, origin: Origin) -> Self {
        Self { here: self.here.with_origin(origin), ..self }
    }

    /// Known when it is compiled for all but one kind of bodies: those pay nothing for it.
    #[inline]
    fn pool(&mut self) -> Option<&mut dyn Dispatcher<J>> {
        if J::ON_POOL { self.pool.as_mut().map(PoolHandle::dispatcher) } else { None }
    }

    #[inline]
    fn pool_ref(&self) -> Option<&dyn Dispatcher<J>> {
        if J::ON_POOL { self.pool.as_ref().map(PoolHandle::pool_ref) } else { None }
    }

    /// Has workers begin that draw their bodies; gives how many bodies there will be, if the source tells
    /// the truth. `None` if they do not.
    pub(crate) fn begin(
        &mut self,
        config: impl FnOnce() -> PullConfig<J::Output>,
    ) -> Option<(usize, Option<usize>)> {
        Some(self.pool()?.pull()?.begin(config()))
    }

    /// Hears how many of the ends told still count against the limit.
    pub(crate) fn hold(&mut self, held: usize) {
        if let Some(pull) = self.pool().and_then(Dispatcher::pull) {
            pull.hold(held);
        }
    }

    /// How many bodies workers have drawn so far, and whether none is left, if they draw them.
    #[inline]
    pub(crate) fn pulled(&self) -> Option<(usize, bool)> {
        self.pool_ref().and_then(Dispatcher::pulled)
    }

    /// [`FutureSet::expect`].
    pub(crate) fn expect(&mut self, room: CapacityHint) {
        self.here.set_capacity_hint(room);
    }

    /// [`FutureSet::len`].
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.pool_ref().map_or_else(|| self.here.len(), Dispatcher::len)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// [`FutureSet::insert`]: with a crew, the body begins once it was [handed out](Self::hand_out).
    pub(crate) fn insert(&mut self, index: usize, job: J) {
        match self.pool() {
            Some(pool) => {
                let mut job = Some((index, job));
                pool.take(&mut || job.take());
            }
            None => self.here.insert(index, job),
        }
    }

    /// Has the bodies begin that were put in.
    pub(crate) fn hand_out(&mut self) {
        if let Some(pool) = self.pool() {
            pool.hand_out();
        }
    }

    /// [`FutureSet::start`].
    #[inline]
    pub(crate) fn start<B>(
        &mut self,
        caller: &Waker,
        most: usize,
        mut next: impl FnMut() -> ControlFlow<B, (usize, J)>,
        on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key> {
        let Some(pool) = self.pool() else {
            return self.here.start(Some(caller), most, next, on_complete);
        };
        let (mut left, mut over) = (most, None);
        let last = pool.take(&mut || {
            left = left.checked_sub(1)?;
            match next() {
                ControlFlow::Continue(job) => Some(job),
                ControlFlow::Break(enough) => {
                    over = Some(enough);
                    None
                }
            }
        });
        match (over, last) {
            (None, Some(last)) => ControlFlow::Continue(last),
            (Some(enough), _) => ControlFlow::Break(enough),
            (None, None) => unreachable!("somebody wants a body, and `next` gives one or says no"),
        }
    }

    /// [`FutureSet::runs`].
    pub(crate) fn runs(&self, body: Key) -> bool {
        self.pool_ref().map_or_else(|| self.here.runs(body), |pool| pool.runs(body))
    }

    /// [`FutureSet::indices`].
    pub(crate) fn indices(&self) -> Vec<usize> {
        self.pool_ref().map_or_else(|| self.here.indices(), Dispatcher::indices)
    }

    /// [`FutureSet::expire`]: workers tell the end later.
    pub(crate) fn expire(&mut self, caller: &Waker, body: Key) -> Option<Completion<J::Output>> {
        match self.pool() {
            Some(pool) => {
                pool.expire(body);
                None
            }
            None => self.here.expire(Some(caller), body),
        }
    }

    /// [`FutureSet::poll_next_woken`].
    pub(crate) fn poll_next_woken(&mut self) -> Option<Option<Completion<J::Output>>> {
        let Some(pool) = self.pool() else { return self.here.poll_next_woken() };
        let mut next = None;
        pool.tell(&mut 0, 1, &mut |end| {
            next = Some(Some(end));
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
        let Some(pool) = self.pool() else { return self.here.poll_round(polls, most, on_complete) };
        let mut result = ControlFlow::Continue(());
        pool.tell(polls, most, &mut |end| {
            result = on_complete(end);
            if result.is_break() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        result
    }

    /// [`FutureSet::mark_all_due`], for bodies that have no wakers of their own: no crew has such.
    pub(crate) fn mark_all_due(&mut self) {
        self.here.mark_all_due();
    }

    /// [`FutureSet::poll_due`].
    pub(crate) fn poll_due<B>(
        &mut self,
        caller: &Waker,
        on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.here.poll_due(caller, on_complete)
    }

    /// [`FutureSet::is_round_in_progress`].
    #[inline]
    pub(crate) fn is_round_in_progress(&self) -> bool {
        self.pool_ref()
            .map_or_else(|| self.here.is_round_in_progress(), Dispatcher::is_round_in_progress)
    }

    /// [`FutureSet::has_yielded`]: workers see to that themselves.
    #[inline]
    pub(crate) fn has_yielded(&mut self) -> bool {
        match self.pool() {
            Some(_) => false,
            None => self.here.has_yielded(),
        }
    }

    /// [`FutureSet::next_round`].
    #[inline]
    pub(crate) fn next_round(&mut self) -> bool {
        match self.pool() {
            Some(pool) => pool.next_round(),
            None => self.here.next_round(),
        }
    }

    /// [`FutureSet::sleep`].
    #[inline]
    pub(crate) fn sleep(&mut self, cx: &Context<'_>) -> bool {
        match self.pool() {
            Some(pool) => pool.sleep(cx),
            None => self.here.sleep(cx),
        }
    }

    /// [`FutureSet::cancel`].
    pub(crate) fn cancel(&mut self, mut panicked: impl FnMut(Panic)) {
        match self.pool() {
            Some(pool) => pool.cancel().into_iter().for_each(&mut panicked),
            None => self.here.cancel(panicked),
        }
    }

    /// [`FutureSet::poll_wait_groups`], for when no body is left. Lets the crew go.
    pub(crate) fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pool) = self.pool() {
            ready!(pool.poll_over(cx));
        }
        self.here.poll_wait_groups(cx)
    }
}

impl<J> fmt::Debug for BodySet<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pool {
            Some(pool) => pool.fmt(f),
            None => self.here.fmt(f),
        }
    }
}
