//! The running bodies of a loop, as its driver sees them.

use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use super::pool::{PullConfig, SourceFailure};
use crate::Panic;
use crate::engine::{CapacityHint, Completion, FutureSet, JobHandle, Key};
use crate::simulation::Origin;

/// The running bodies of a loop, each with its index.
///
/// Each [`Place`](crate::place::Place) says which set holds its bodies. A [`FutureSet`] polls them itself: bodies in the
/// caller's task, and the handles of tasks. A pool of workers polls them elsewhere. The driver is compiled for one set,
/// so it has no code for the others.
///
/// The methods mean what those of a [`FutureSet`] mean.
#[doc(hidden)]
pub trait BodySet {
    /// A body that was started, or what is left of it here.
    type Job;

    /// What a body needs in order to start, other than its place: what it reports its completion to.
    type Completer;

    /// What a body returns.
    type Output;

    /// Whether the bodies make progress only while the set is polled, and stop when they are dropped.
    const IS_INLINE: bool;

    /// Whether a pool of workers runs the bodies.
    const ON_POOL: bool = false;

    /// Whether the options that limit the time of bodies see each start here. Where workers pull, each has such options.
    const TIMES_BODIES: bool = true;

    /// Whether the bodies are polled with the waker of the task that polls the loop.
    const PARENT_WAKER: bool = false;

    /// The sequence number of something that completes now.
    fn next_sequence() -> usize;

    /// Sets the source location of the loop, for the reports of a simulation.
    fn set_origin(&mut self, _origin: Origin) {}

    /// Spawns the workers if they pull their bodies. Returns the bounds on the number of bodies, as the
    /// source states them; `None` if no workers pull.
    fn begin(
        &mut self,
        _config: impl FnOnce() -> PullConfig<Self::Output>,
    ) -> Option<(usize, Option<usize>)> {
        None
    }

    /// Sets the number of delivered completions that still hold a permit, for workers that pull.
    fn set_held_permits(&mut self, _held: usize) {}

    /// Returns the failure of the source, if that is why the last [`poll_round`](Self::poll_round) has
    /// returned. The caller handles it before the completions that follow.
    fn take_source_failure(&mut self) -> Option<SourceFailure> {
        None
    }

    /// Has workers pull no more bodies, and complete those that they have pulled. Returns a panic of what was dropped.
    fn drain(&mut self) -> Option<Panic> {
        None
    }

    /// Returns the number of bodies that workers have pulled and whether the source is exhausted, if
    /// workers pull. The number is zero while the source may give more.
    fn pulled(&self) -> Option<(usize, bool)> {
        None
    }

    /// Sets the hint for how many bodies there will be.
    fn set_capacity_hint(&mut self, capacity_hint: CapacityHint);

    /// The number of bodies.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes a body without polling it. It starts once it was [dispatched](Self::dispatch).
    fn insert(&mut self, index: usize, make: &mut impl FnMut(Self::Completer) -> Self::Job);

    /// Sends the inserted bodies to workers, if there are any.
    fn dispatch(&mut self) {}

    /// Starts bodies until `most` of them are pending.
    fn start<I, B>(
        &mut self,
        caller: &Waker,
        most: usize,
        next: impl FnMut() -> ControlFlow<B, (usize, I)>,
        make: impl FnMut(usize, I, Self::Completer) -> Self::Job,
        on_complete: impl FnMut(Completion<Self::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key>;

    /// Whether this body is still running.
    fn runs(&self, body: Key) -> bool;

    /// The indices of the running bodies, in ascending order.
    fn indices(&self) -> Vec<usize>;

    /// Asks a body that has timed out to stop, and returns its completion if it has stopped.
    fn expire(&mut self, caller: &Waker, body: Key) -> Option<Completion<Self::Output>>;

    /// Polls the next due body of this round. Returns `None` if the round is over, and `Some(None)` if the
    /// body is pending.
    fn poll_next_woken(&mut self) -> Option<Option<Completion<Self::Output>>>;

    /// Polls the due bodies of this round until the round is over, `polls` reaches `most`, or `on_complete`
    /// breaks.
    fn poll_round<B>(
        &mut self,
        polls: &mut usize,
        most: usize,
        on_complete: impl FnMut(Completion<Self::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B>;

    /// Begins a round of all bodies, where they have no wakers of their own.
    fn mark_all_due(&mut self) {}

    /// Polls the due bodies, each once and with the waker of the caller, where they have none of their own.
    fn poll_due<B>(
        &mut self,
        _caller: &Waker,
        _on_complete: impl FnMut(Completion<Self::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        ControlFlow::Continue(())
    }

    /// Whether due bodies of this round have not been polled yet.
    fn is_round_in_progress(&self) -> bool;

    /// Whether a body has yielded since the last call. Bodies that are polled elsewhere yield there.
    fn has_yielded(&mut self) -> bool {
        false
    }

    /// Begins the next round with all bodies that were woken so far. Returns `false` if there are none.
    fn next_round(&mut self) -> bool;

    /// Ends a turn in which bodies were woken that were not polled.
    fn end_turn(&mut self) {}

    /// Whether the next turn must begin with a round, and not with starts.
    fn must_begin_with_round(&self) -> bool {
        false
    }

    /// Ends a turn, and goes to sleep until a body is woken. Returns `false` if one has been woken already.
    fn sleep(&mut self, cx: &Context<'_>) -> bool;

    /// Asks every body to stop. `panicked` gets the panics of what was dropped here.
    fn cancel(&mut self, panicked: impl FnMut(Panic));

    /// Polls until the tasks that cancelled bodies have left behind have stopped, once no body is left.
    fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// A set whose bodies can be stopped one by one.
#[doc(hidden)]
pub trait StopBodies: BodySet {
    /// Asks the body with this index to stop, if there is one, and returns its completion if it has stopped.
    fn stop_one(&mut self, index: usize) -> Option<Completion<Self::Output>>;

    /// Asks every body to stop, and passes on the completions of those that have stopped.
    fn stop_each(&mut self, on_complete: impl FnMut(Completion<Self::Output>));
}

impl<J: JobHandle> StopBodies for FutureSet<J> {
    fn stop_one(&mut self, index: usize) -> Option<Completion<J::Output>> {
        self.stop_one(index)
    }

    fn stop_each(&mut self, on_complete: impl FnMut(Completion<J::Output>)) {
        self.stop_each(on_complete);
    }
}

impl<J: JobHandle> BodySet for FutureSet<J> {
    type Job = J;
    type Completer = ();
    type Output = J::Output;

    const IS_INLINE: bool = J::INLINE;
    const PARENT_WAKER: bool = J::PARENT_WAKER;

    #[inline]
    fn next_sequence() -> usize {
        J::next_sequence()
    }

    #[inline(always)] // so that the set is constructed in place
    fn set_origin(&mut self, origin: Origin) {
        self.set_origin(origin);
    }

    fn set_capacity_hint(&mut self, capacity_hint: CapacityHint) {
        self.set_capacity_hint(capacity_hint);
    }

    #[inline]
    fn len(&self) -> usize {
        self.len()
    }

    fn insert(&mut self, index: usize, make: &mut impl FnMut(()) -> J) {
        self.insert(index, || make(()));
    }

    #[inline]
    fn start<I, B>(
        &mut self,
        caller: &Waker,
        most: usize,
        next: impl FnMut() -> ControlFlow<B, (usize, I)>,
        mut make: impl FnMut(usize, I, ()) -> J,
        on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key> {
        self.start(Some(caller), most, next, |index, item| make(index, item, ()), on_complete)
    }

    fn runs(&self, body: Key) -> bool {
        self.runs(body)
    }

    fn indices(&self) -> Vec<usize> {
        self.indices()
    }

    fn expire(&mut self, caller: &Waker, body: Key) -> Option<Completion<J::Output>> {
        self.expire(Some(caller), body)
    }

    fn poll_next_woken(&mut self) -> Option<Option<Completion<J::Output>>> {
        self.poll_next_woken()
    }

    #[inline]
    fn poll_round<B>(
        &mut self,
        polls: &mut usize,
        most: usize,
        on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.poll_round(polls, most, on_complete)
    }

    fn mark_all_due(&mut self) {
        self.mark_all_due();
    }

    fn poll_due<B>(
        &mut self,
        caller: &Waker,
        on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.poll_due(caller, on_complete)
    }

    #[inline]
    fn is_round_in_progress(&self) -> bool {
        self.is_round_in_progress()
    }

    #[inline]
    fn has_yielded(&mut self) -> bool {
        self.has_yielded()
    }

    #[inline]
    fn next_round(&mut self) -> bool {
        self.next_round()
    }

    #[inline]
    fn end_turn(&mut self) {
        self.end_turn();
    }

    #[inline]
    fn must_begin_with_round(&self) -> bool {
        self.must_begin_with_round()
    }

    #[inline]
    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.sleep(cx)
    }

    fn cancel(&mut self, panicked: impl FnMut(Panic)) {
        self.cancel(panicked);
    }

    fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_wait_groups(cx)
    }
}
