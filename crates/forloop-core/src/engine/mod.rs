//! The engine: a set of started bodies, polled when they are woken.
//!
//! Every strategy stands on this one interface:
//!
//! - a body is polled when it is put in, and after that once per wake;
//! - every woken body is polled before any is polled again, those woken together in the order of
//!   their index (spawned ones in the order of their ends);
//! - a wake is O(1), and a slot that was used once is used again: a loop with a limit allocates
//!   for its limit, not for its items.
//!
//! Where bodies are polled with the waker of whoever polls their loop, nobody knows who was woken: then
//! [`FutureSet::mark_all_due`] begins a round of all of them, and [`FutureSet::poll_due`] polls it.
//!
//! `unsafe` is in three modules, each behind a safe interface: where the bodies are ([`slab`]), who was
//! woken ([`ready`]), and where ordered results go ([`ordered`]); and in the cells that the second of
//! them keeps its notes in ([`atomic`]).

mod atomic;
mod bodies;
mod capacity_hint;
mod index_table;
mod inline_vec;
mod job;
#[cfg(all(test, forloop_loom))]
mod model;
mod mutations;
mod ordered;
mod polling;
mod ready;
mod round;
mod slab;
mod slot;

#[cfg(forloop_loom)]
pub(crate) use self::atomic::AtomicWaker;
pub(crate) use self::capacity_hint::CapacityHint;
pub use self::job::{JobHandle, Key};
#[cfg(all(test, forloop_loom))]
pub(crate) use self::model::negative_controls::is_found_by;
pub(crate) use self::mutations::{Mutation, is_mutated};
pub(crate) use self::ordered::OrderedBuffer;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use self::bodies::Bodies;
use self::ready::ReadyQueue;
use self::round::Round;
use self::slot::{Slot, bits, chunk_of, offset_of, slot_at};
use crate::outcome::catch;
use crate::simulation::{self, Asked, Origin};
use crate::wait_group::{WaitGroup, with_wait_group};
use crate::{Outcome, Panic};

/// The end of a body.
#[derive(Debug)]
pub(crate) struct Completion<T> {
    /// The index it was put in with.
    pub(crate) index: usize,
    /// Its place in the order of ends, where that can differ from the order they are seen in.
    pub(crate) seq: usize,
    pub(crate) outcome: Outcome<T>,
}

/// Started bodies, each with its index.
pub(crate) struct FutureSet<J> {
    ready: ReadyQueue,
    bodies: Bodies<J>,
    capacity_hint: CapacityHint,
    round: Round,
    /// Tasks that cancelled bodies have left behind.
    wait_group: Vec<Arc<WaitGroup>>,
    /// `J::mark_cancelled`, for a destructor that does not know what a `J` can do, if it does anything.
    mark_one: Option<fn(Pin<&J>)>,
    asked: Asked,
}

impl<J: JobHandle> FutureSet<J> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self::with_capacity_hint(CapacityHint::UNKNOWN)
    }

    /// A set that makes its slots as `capacity_hint` says.
    #[inline]
    pub(crate) fn with_capacity_hint(capacity_hint: CapacityHint) -> Self {
        Self {
            ready: ReadyQueue::new(),
            bodies: Bodies::new(),
            capacity_hint,
            round: Round::new(),
            wait_group: Vec::new(),
            mark_one: (!J::INLINE).then_some(J::mark_cancelled),
            asked: Asked::new(Origin::unknown()),
        }
    }

    /// Says where the loop was written.
    #[inline]
    pub(crate) fn with_origin(mut self, origin: Origin) -> Self {
        self.asked = Asked::new(origin);
        self
    }

    /// Has further slots made as `capacity_hint` says.
    pub(crate) fn set_capacity_hint(&mut self, capacity_hint: CapacityHint) {
        self.capacity_hint = capacity_hint;
    }

    /// How many bodies run.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bodies.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a body in without polling it: it counts as woken. One that goes on by itself counts as
    /// woken when it has ended.
    pub(crate) fn insert(&mut self, index: usize, job: J) {
        self.put(index, job);
    }

    fn put(&mut self, index: usize, job: J) -> Slot {
        self.bodies.vacancy(self.capacity_hint, &mut self.ready);
        let slot = self.bodies.put(index, job);
        let (number, offset) = (chunk_of(slot), offset_of(slot));
        self.ready.begin();
        let waker = self.ready.chunk(number).waker(offset);
        match self.bodies.slab.chunk_mut(number).get_mut(offset) {
            Some(job) if !J::INLINE => job.watch(&mut Context::from_waker(&waker)),
            _ => waker.wake_by_ref(),
        }
        slot
    }

    /// Starts the bodies that `next` gives with their indices, one by one, until `most` of them go on:
    /// the last is told with `Continue`. A body that is ready at once never waits for its turn; `on_complete`
    /// is told its end. One that may have ended elsewhere does wait, behind those that ended before it.
    ///
    /// `caller` is whom those wake that have no wakers of their own.
    #[inline]
    pub(crate) fn start<B>(
        &mut self,
        caller: Option<&Waker>,
        most: usize,
        mut next: impl FnMut() -> ControlFlow<B, (usize, J)>,
        mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key> {
        let mut left = most;
        loop {
            let (index, job) = next()?;
            let ticket = if J::INLINE {
                let slot = self.bodies.vacancy(self.capacity_hint, &mut self.ready);
                let mut guard = self.ready.enter();
                let first_poll = guard.first_poll(slot);
                let (first, wakers, left) = ((index, job), (&first_poll, caller), &mut left);
                let ticket = self.bodies.start(first, left, wakers, &mut next, &mut on_complete)?;
                drop(first_poll);
                drop(guard);
                self.ready.begin();
                ticket
            } else {
                left -= 1;
                Key { slot: self.put(index, job), index, attempt: 1 }
            };
            if left == 0 {
                return ControlFlow::Continue(ticket);
            }
        }
    }

    /// Whether this body still runs.
    pub(crate) fn runs(&self, Key { slot, index, .. }: Key) -> bool {
        self.bodies.slab.get(slot).is_some() && self.bodies.index(slot) == index
    }

    /// The indices of the bodies that run, in ascending order.
    pub(crate) fn indices(&self) -> Vec<usize> {
        self.bodies.indices()
    }

    /// Puts a body in that comes too late: it is asked to stop at once.
    pub(crate) fn insert_cancelled(&mut self, index: usize, job: J) -> Result<(), Panic> {
        let slot = self.put(index, job);
        let (cancelled, wait_group) = with_wait_group(None, || self.cancel_slot(slot));
        self.wait_group.extend(wait_group);
        cancelled
    }

    /// Asks a body that has no time left to stop, and tells its end if it has stopped. One that was
    /// woken by then is polled a last time; one that wakes the `caller` may have been.
    pub(crate) fn expire(
        &mut self,
        caller: Option<&Waker>,
        Key { slot, index, .. }: Key,
    ) -> Option<Completion<J::Output>> {
        let (number, offset) = (chunk_of(slot), offset_of(slot));
        let mut guard = self.ready.enter();
        let wakers = guard.chunk(number);
        let caller = caller.filter(|_| J::PARENT_WAKER);
        let may_go_on = caller.is_some()
            || wakers.is_woken(offset)
            || self.bodies.slab.chunk(number).is_due(offset);
        if J::INLINE && may_go_on {
            let end = self.bodies.poll_slot(slot, &wakers, caller).flatten();
            if end.is_some() {
                return end;
            }
        }
        let chunk = self.bodies.slab.chunk_mut(number);
        chunk.set_overdue(offset);
        if !chunk.get_mut(offset).is_some_and(JobHandle::expire) {
            return None;
        }
        let (dropped, wait_group) = with_wait_group(None, || catch(|| chunk.empty(offset)));
        let outcome = match (dropped, wait_group) {
            (Err(panic), wait_group) => {
                self.wait_group.extend(wait_group);
                Outcome::Panicked(panic)
            }
            (Ok(()), None) => Outcome::TimedOut,
            (Ok(()), Some(wait_group)) => {
                self.bodies.leave(slot, wait_group, &wakers);
                return None;
            }
        };
        self.bodies.free(slot, &wakers);
        Some(Completion { index, seq: J::next_sequence(), outcome })
    }

    /// Polls the next woken body of this round. `None` when the round is over; `Some(None)` when
    /// the body goes on.
    pub(crate) fn poll_next_woken(&mut self) -> Option<Option<Completion<J::Output>>> {
        let mut polls = 0;
        match self.poll_round(&mut polls, 1, ControlFlow::Break) {
            ControlFlow::Break(end) => Some(Some(end)),
            ControlFlow::Continue(()) if polls > 0 => Some(None),
            ControlFlow::Continue(()) => None,
        }
    }

    /// Polls the woken bodies of this round until it is over, `polls` has come to `most`, or `on_complete`,
    /// which is told each end, has had enough.
    #[inline]
    pub(crate) fn poll_round<B>(
        &mut self,
        polls: &mut usize,
        most: usize,
        mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut guard = self.ready.enter();
        while *polls < most {
            let slot = if let Some(number) = self.round.next_chunk() {
                let bodies = &mut self.bodies;
                let mut due = bodies.slab.chunk_mut(number).take_due();
                let wakers = guard.chunk(number);
                let enough =
                    bodies.poll_chunk(number, &mut due, polls, most, &wakers, &mut on_complete);
                let next = due.trailing_zeros() as usize;
                let is_odd = due != 0 && enough.is_continue() && *polls < most;
                let rest = if is_odd { due & (due - 1) } else { due };
                if rest != 0 {
                    bodies.slab.chunk_mut(number).are_due(rest);
                    self.round.add(number);
                }
                enough?;
                if !is_odd {
                    continue;
                }
                slot_at(number, next)
            } else if let Some(slot) = self.round.next_slot(&mut self.bodies.slab) {
                slot
            } else {
                break;
            };
            if let Some(polled) = self.bodies.poll_slot(slot, &guard.chunk(chunk_of(slot)), None) {
                *polls += 1;
                if let Some(end) = polled {
                    on_complete(end)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether woken bodies of this round have not been polled yet.
    #[inline]
    pub(crate) fn is_round_in_progress(&self) -> bool {
        !self.round.is_over()
    }

    /// Whether a body has yielded, by waking itself while it was polled, since this was asked last.
    pub(crate) fn has_yielded(&mut self) -> bool {
        self.ready.has_yielded()
    }

    /// Begins the next round with all bodies woken by now; `false` if there are none.
    #[inline]
    pub(crate) fn next_round(&mut self) -> bool {
        debug_assert!(self.round.is_over(), "a round is over when its last body was polled");
        if J::INLINE && self.asked.is_asked() {
            self.report_waiting();
        }
        let (bodies, round) = (&mut self.bodies, &mut self.round);
        let is_chosen = J::INLINE && simulation::is_on();
        // Bodies in tasks end elsewhere, and in an order of their own; and others are not polled by groups.
        let mut is_mixed = !J::INLINE || J::PARENT_WAKER || is_chosen;
        self.ready.take(|number, woken| {
            let chunk = bodies.slab.chunk_mut(number);
            is_mixed |= chunk.is_mixed();
            if chunk.are_due(woken) {
                round.add(number);
            }
        });
        if is_mixed {
            round.sort_by(bodies, Bodies::rank);
        } else {
            round.sort_chunks(&bodies.slab);
        }
        if is_chosen {
            round.choose_order();
        }
        !round.is_over()
    }

    /// Begins a round with all bodies, whoever was woken and however far the last round has come.
    pub(crate) fn mark_all_due(&mut self) {
        if self.asked.is_asked() {
            self.report_waiting();
        }
        self.ready.take(|_, _| {});
        for number in 0..self.bodies.slab.chunks().count() {
            let chunk = self.bodies.slab.chunk_mut(number);
            chunk.are_due(usize::MAX);
            if chunk.due() != 0 {
                self.round.add(number);
            }
        }
        self.round.sort_by(&mut self.bodies, Bodies::rank);
        if simulation::is_on() {
            self.round.choose_order();
        }
    }

    /// Polls the bodies that are due, each once and with the waker of `caller`, until `on_complete`, which is told
    /// each end, has had enough.
    pub(crate) fn poll_due<B>(
        &mut self,
        caller: &Waker,
        mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        while let Some(slot) = self.round.next_slot(&mut self.bodies.slab) {
            let wakers = self.ready.chunk(chunk_of(slot));
            if let Some(end) = self.bodies.poll_slot(slot, &wakers, Some(caller)).flatten() {
                on_complete(end)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Tells a simulation which bodies run, and has each polled once more, so that those tell who run
    /// bodies of their own.
    #[cold]
    fn report_waiting(&mut self) {
        for slot in self.bodies.slots().collect::<Vec<_>>() {
            self.asked.waits(self.bodies.index(slot), core::any::type_name::<J>());
            self.ready.chunk(chunk_of(slot)).waker(offset_of(slot)).wake_by_ref();
        }
    }

    /// Goes to sleep until a body is woken; `false` if one was woken already.
    pub(crate) fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.round.is_over() && self.ready.sleep(cx.waker())
    }

    /// Asks every body to stop. Those that stop at once are gone when this returns; a panic of
    /// their destructors is handed to `panicked`.
    pub(crate) fn cancel(&mut self, mut panicked: impl FnMut(Panic)) {
        // None goes on for the news of another's end.
        self.mark_cancelled();
        let ((), wait_group) = with_wait_group(None, || {
            if J::INLINE {
                return self.bodies.clear(&mut self.ready, panicked);
            }
            self.cancel_each(|_, stopped| {
                if let Err(panic) = stopped {
                    panicked(panic);
                }
            });
        });
        self.wait_group.extend(wait_group);
    }

    /// Asks every body to stop, and tells the index of each and whether that went well. Whoever calls
    /// this adopts what they leave behind.
    pub(crate) fn cancel_each(&mut self, mut stopped: impl FnMut(usize, Result<(), Panic>)) {
        for number in 0..self.bodies.slab.chunks().count() {
            for offset in bits(self.bodies.slab.chunk(number).occupied()) {
                let slot = slot_at(number, offset);
                let index = self.bodies.index(slot);
                stopped(index, self.cancel_slot(slot));
            }
        }
    }

    /// Polls for the end of the tasks that cancelled bodies have left behind.
    pub(crate) fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(wait_group) = self.wait_group.last() {
            ready!(wait_group.poll_wait(cx));
            self.wait_group.pop();
        }
        Poll::Ready(())
    }

    fn cancel_slot(&mut self, slot: Slot) -> Result<(), Panic> {
        let chunk = self.bodies.slab.chunk_mut(chunk_of(slot));
        if !chunk.get_mut(offset_of(slot)).is_some_and(JobHandle::cancel) {
            return Ok(());
        }
        let dropped = catch(|| chunk.empty(offset_of(slot)));
        self.bodies.free(slot, &self.ready.chunk(chunk_of(slot)));
        dropped
    }
}

impl<J> FutureSet<J> {
    fn mark_cancelled(&self) {
        let Some(mark_one) = self.mark_one else { return };
        self.bodies.slots().filter_map(|slot| self.bodies.slab.get(slot)).for_each(mark_one);
    }
}

impl<J> Drop for FutureSet<J> {
    fn drop(&mut self) {
        self.mark_cancelled();
        // One by one: the panic of one body's destructor keeps no other from running.
        if let Some(panic) = self.bodies.slab.clear() {
            panic.resume_unless_panicking();
        }
    }
}

impl<J> fmt::Debug for FutureSet<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Set").field("running", &self.bodies.len()).finish_non_exhaustive()
    }
}
