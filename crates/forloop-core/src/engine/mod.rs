//! The engine: a set of started bodies, each polled when it is woken.
//!
//! Loops in the caller's task, workers, task sets and groups use this one interface, [`FutureSet`]. It promises:
//!
//! - a body is polled when it is inserted, and after that once per wake;
//! - every woken body is polled before any is polled again, and bodies that were woken together are
//!   polled in the order of their indices, or, if they run elsewhere, in completion order;
//! - a wake is O(1), and slots are reused: a loop with a limit allocates for its limit, not for its items.
//!
//! The engine uses only the layers below it: outcomes, wait groups and the hooks for simulations. It asks
//! of a body what [`JobHandle`] says, and knows nothing about where bodies run.
//!
//! | file | job |
//! |---|---|
//! | [`bodies`] | starts, polls and frees bodies |
//! | [`slab`] | where they live, and which slot is filled next |
//! | [`index_table`] | the index of the body in each slot |
//! | [`ready`] | which slots were woken: wakers and the queue |
//! | [`round`] | the order in which woken slots are polled |
//! | [`turns`] | which of them is polled first |
//! | [`stop_one`] | stops bodies one by one |
//! | [`ordered`] | where outputs are stored by index |
//! | [`task_cells`] | what a loop shares with its tasks, where each body is one |
//! | [`in_place`] | the future that a task runs |
//!
//! `unsafe` is in the slab's memory, in the ready queue and its cells ([`atomic`]), in the ordered buffer, and in
//! the cells and futures of tasks, each behind a safe interface.

mod atomic;
mod bit_set;
mod bodies;
mod capacity_hint;
mod in_place;
mod index_table;
mod inline_vec;
mod job;
mod left_behind;
#[cfg(all(test, forloop_loom))]
mod model;
mod mutations;
mod ordered;
mod polling;
mod ready;
mod round;
mod slab;
mod slot;
mod stop_one;
mod task_cells;
mod turns;

#[cfg(forloop_loom)]
pub(crate) use self::atomic::AtomicWaker;
pub use self::capacity_hint::CapacityHint;
pub(crate) use self::in_place::InPlace;
pub use self::job::{Completion, JobHandle, Key};
#[cfg(all(test, forloop_loom))]
pub(crate) use self::model::{model, negative_controls::is_found_by, parked};
pub(crate) use self::mutations::{Mutation, is_mutated};
pub(crate) use self::ordered::OrderedBuffer;
pub(crate) use self::task_cells::{
    CANCELLED, Cell, CellBlock, EXPIRED, MOST_CELLS, TaskRef, UNCOUNTED,
};

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use self::bit_set::bits;
use self::bodies::Bodies;
use self::ready::ReadyQueue;
use self::round::Round;
use self::slab::Chunk;
use self::slot::{Slot, number_of, offset_of, slot_at};
use self::turns::{TurnEnd, Turns};
use crate::outcome::{Outcome, Panic, catch};
use crate::simulation::{self, Origin, WaitReport};
use crate::wait_group::{WaitGroup, with_wait_group};

/// A set of started bodies, each with its index.
pub struct FutureSet<J> {
    ready: ReadyQueue,
    bodies: Bodies<J>,
    capacity_hint: CapacityHint,
    round: Round,
    /// The tasks that cancelled bodies have left behind.
    wait_groups: Vec<Arc<WaitGroup>>,
    /// [`JobHandle::mark_cancelled`], if it does anything. A destructor cannot name the trait.
    mark_one: Option<fn(Pin<&J>)>,
    wait_report: WaitReport,
    turns: Turns,
}

impl<J: JobHandle> FutureSet<J> {
    /// Makes an empty set, for a [`Place`](crate::place::Place) whose bodies are `J`s.
    #[inline]
    pub fn new() -> Self {
        Self::with_capacity_hint(CapacityHint::UNKNOWN)
    }

    #[inline]
    pub(crate) fn with_capacity_hint(capacity_hint: CapacityHint) -> Self {
        Self {
            ready: ReadyQueue::new(),
            bodies: Bodies::new(),
            capacity_hint,
            round: Round::new(),
            wait_groups: Vec::new(),
            mark_one: (!J::INLINE).then_some(J::mark_cancelled),
            wait_report: WaitReport::new(Origin::unknown()),
            turns: Turns::new(),
        }
    }

    /// Sets the source location of the loop, for the reports of a simulation.
    #[inline]
    pub(crate) fn set_origin(&mut self, origin: Origin) {
        self.wait_report = WaitReport::new(origin);
    }

    /// Sets the hint for the slots that are still to be made.
    pub(crate) fn set_capacity_hint(&mut self, capacity_hint: CapacityHint) {
        self.capacity_hint = capacity_hint;
    }

    /// The number of bodies.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bodies.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes a body without polling it. It counts as woken; a body that runs elsewhere counts as woken when it
    /// has completed.
    pub(crate) fn insert(&mut self, index: usize, make: impl FnOnce() -> J) {
        self.insert_woken(index, make);
    }

    fn insert_woken(&mut self, index: usize, make: impl FnOnce() -> J) -> Slot {
        self.bodies.next_free(self.capacity_hint, &mut self.ready);
        let slot = self.bodies.put(index, make);
        let (number, offset) = (number_of(slot), offset_of(slot));
        self.ready.begin();
        let waker = self.ready.chunk(number).waker(offset);
        match self.bodies.slab.chunk_mut(number).get_mut(offset) {
            Some(job) if !J::INLINE => job.watch(&mut Context::from_waker(&waker)),
            _ => waker.wake_by_ref(),
        }
        slot
    }

    /// Starts the bodies that `make` makes of the items that `next` returns, one by one, until `most` of them
    /// are pending. Returns the key of the last one. A panic of `make` is the outcome of its body.
    ///
    /// A body may be large, so it is made in its slot: what `make` returns is not passed on. Where the compiler
    /// does not optimise, each function on its way would have a copy of it on the stack.
    ///
    /// An inline body is polled at once. If it is ready, `on_complete` gets its completion and it never
    /// waits for a round. A body that runs elsewhere waits for a round even if it has completed, because
    /// others may have completed before it.
    ///
    /// `parent` is the waker for bodies that have none of their own.
    #[inline]
    pub(crate) fn start<I, B>(
        &mut self,
        parent: Option<&Waker>,
        most: usize,
        mut next: impl FnMut() -> ControlFlow<B, (usize, I)>,
        mut make: impl FnMut(usize, I) -> J,
        mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key> {
        let mut remaining = most;
        loop {
            let (index, item) = next()?;
            let key = if J::INLINE {
                let slot = self.bodies.next_free(self.capacity_hint, &mut self.ready);
                let mut guard = self.ready.enter();
                let first_poll = guard.first_poll(slot);
                let (wakers, remaining) = ((&first_poll, parent), &mut remaining);
                let key = self.bodies.start(
                    (index, item),
                    remaining,
                    wakers,
                    &mut next,
                    &mut make,
                    &mut on_complete,
                )?;
                drop(first_poll);
                drop(guard);
                self.ready.begin();
                key
            } else {
                match self.insert_made(index, || make(index, item)) {
                    Ok(key) => {
                        remaining -= 1;
                        key
                    }
                    Err(completion) => {
                        on_complete(completion)?;
                        continue;
                    }
                }
            };
            if remaining == 0 {
                return ControlFlow::Continue(key);
            }
        }
    }

    /// Inserts a body that runs elsewhere.
    ///
    /// # Errors
    ///
    /// Its completion, if `make` panics.
    fn insert_made(
        &mut self,
        index: usize,
        make: impl FnOnce() -> J,
    ) -> Result<Key, Completion<J::Output>> {
        match catch(make) {
            Ok(job) => Ok(Key { slot: self.insert_woken(index, || job), index }),
            Err(panic) => {
                let (seq, outcome) = (J::next_sequence(), Outcome::Panicked(panic));
                Err(Completion { index, seq, outcome })
            }
        }
    }

    /// Whether this body is still running.
    pub(crate) fn runs(&self, Key { slot, index }: Key) -> bool {
        self.bodies.slab.get(slot).is_some() && self.bodies.index(slot) == index
    }

    /// The indices of the running bodies, in ascending order.
    pub(crate) fn indices(&self) -> Vec<usize> {
        self.bodies.indices()
    }

    /// Inserts a body that was started too late, and asks it to stop at once.
    pub(crate) fn insert_cancelled(&mut self, index: usize, job: J) -> Result<(), Panic> {
        let slot = self.insert_woken(index, || job);
        let (cancelled, wait_group) = with_wait_group(None, || self.cancel_slot(slot));
        self.wait_groups.extend(wait_group);
        cancelled
    }

    /// Polls the next due body of this round. Returns `None` if the round is over, and `Some(None)` if the
    /// body is pending.
    pub(crate) fn poll_next_woken(&mut self) -> Option<Option<Completion<J::Output>>> {
        let (mut polls, mut completed) = (0, None);
        // As the value of the `Break` it would be on the stack of the poll several times.
        let _: ControlFlow<()> = self.poll_round(&mut polls, 1, |completion| {
            completed = Some(completion);
            ControlFlow::Break(())
        });
        if completed.is_some() || polls > 0 { Some(completed) } else { None }
    }

    // How the set is polled.
    //
    // A wake sets a bit in the ready queue and nothing else. `next_round` takes all bits at once, marks the
    // slots as due in the slab, and orders them. `poll_round` then polls every due slot once. The caller
    // repeats the two until `next_round` finds nothing, and then calls `sleep`.
    //
    // Fairness. A body that wakes itself or a sibling during a round sets a bit that only the next
    // `next_round` takes. So no body is polled twice in a round, a round has at most as many polls as there
    // are bodies, and it ends. A round may be left at any time, by the budget `most` or by `on_complete`,
    // and continued later: what was not polled stays due, in `round` and in the slab.
    //
    // No wake is lost. A bit is cleared in three places only: by `next_round`, which marks the slot as due;
    // when its body has completed; and by `mark_all_due`, which polls every body. A wake before the body is
    // polled may be covered by that poll. A wake during the poll sets the bit again, because the bit was
    // cleared before the round began, and the body is polled in the next round. If the loop sleeps instead,
    // `sleep` sees the bit or is seen by the wake: see `ready.rs`.
    //
    // Order. A round is one of in-task bodies that is taken chunk by chunk, or it is sorted by slots: see
    // `round.rs`. `poll_round` handles both. A slot whose body was stopped alone and has left tasks behind is empty;
    // `poll_chunk` stops before it and reports it by leaving it the lowest due bit, and it is polled alone.
    //
    // Reuse. A body may be cancelled or time out while it is due, and its slot may be filled again before
    // the round gets there. The new body is then polled for the wake of the old one. Futures permit a poll
    // without a wake, and it happens at most once per such wake.
    //
    // Turns. The first round of a turn may begin with another body than that of the lowest index, so that none
    // uses up what a runtime allows the task in every turn: see `turns.rs`.
    //
    // Panics. `poll_round` holds the `PollGuard`, so a body that panics through it leaves the set marked as
    // not being polled. Panics of bodies are caught and are outcomes; only `on_complete` may panic through.

    /// Polls the due bodies of this round until the round is over, `polls` reaches `most`, or `on_complete`
    /// breaks.
    #[inline]
    pub(crate) fn poll_round<B>(
        &mut self,
        polls: &mut usize,
        most: usize,
        mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut guard = self.ready.enter();
        while *polls < most {
            let slot = if let Some(first) = self.round.take_first() {
                first
            } else if let Some(number) = self.round.next_chunk() {
                let bodies = &mut self.bodies;
                let mut due = bodies.slab.chunk_mut(number).take_due();
                let wakers = guard.chunk(number);
                let result =
                    bodies.poll_chunk(number, &mut due, polls, most, &wakers, &mut on_complete);
                let next = due.trailing_zeros() as usize;
                // Within the budget, a slot is left due only if it must be polled alone.
                let is_alone = due != 0 && result.is_continue() && *polls < most;
                let rest = if is_alone { due & (due - 1) } else { due };
                if rest != 0 {
                    bodies.slab.chunk_mut(number).mark_due(rest);
                    self.round.add(number);
                }
                result?;
                if !is_alone {
                    continue;
                }
                slot_at(number, next)
            } else if let Some(slot) = self.round.next_slot(&mut self.bodies.slab) {
                slot
            } else {
                break;
            };
            if let Some(polled) = self.bodies.poll_slot(slot, &guard.chunk(number_of(slot)), None) {
                *polls += 1;
                if let Some(completion) = polled {
                    on_complete(completion)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether due bodies of this round have not been polled yet.
    #[inline]
    pub(crate) fn is_round_in_progress(&self) -> bool {
        !self.round.is_over()
    }

    /// Whether a body has yielded since the last call: it has woken itself while it was polled.
    pub(crate) fn has_yielded(&mut self) -> bool {
        self.ready.has_yielded()
    }

    /// Begins the next round with all bodies that were woken so far. Returns `false` if there are none.
    #[inline]
    pub(crate) fn next_round(&mut self) -> bool {
        debug_assert!(self.round.is_over(), "the last body of the round was polled");
        if J::INLINE && self.wait_report.is_requested() {
            self.report_waiting();
        }
        let turn_end = self.turns.begin();
        let (bodies, round) = (&mut self.bodies, &mut self.round);
        let is_simulated = J::INLINE && simulation::is_on();
        // The order of slots is no use for bodies that complete elsewhere. Bodies that use the parent's
        // waker are polled by `poll_due`, and a simulation chooses among slots.
        let mut needs_slots = !J::INLINE || J::PARENT_WAKER || is_simulated;
        self.ready.take(|number, woken| {
            let chunk = bodies.slab.chunk_mut(number);
            needs_slots |= chunk.is_out_of_order();
            if chunk.mark_due(woken) {
                round.add(number);
            }
        });
        if turn_end == TurnEnd::Exhausted {
            self.turns.choose_first(round, &mut bodies.slab);
        }
        if needs_slots {
            round.sort_by(bodies, Bodies::rank);
        } else {
            round.sort_chunks(&bodies.slab);
        }
        if is_simulated {
            round.choose_order();
        }
        !round.is_over()
    }

    /// Ends a turn in which bodies were woken that were not polled.
    #[inline]
    pub(crate) fn end_turn(&mut self) {
        if J::INLINE {
            self.turns.end(true);
        }
    }

    /// Whether this turn must begin with a round, and not with starts, and has not had one: new bodies must not use
    /// up what the runtime allows the task in a turn before the bodies that wait for it.
    #[inline]
    pub(crate) fn must_begin_with_round(&self) -> bool {
        self.turns.must_begin_with_round()
    }

    /// Begins a round of all bodies, whether they were woken or not, and abandons the current round.
    ///
    /// This is for bodies that are polled with the parent's waker. It is not known which of them was woken,
    /// and the waker of the last poll may not be that of this one. A body that was left out of a poll might
    /// lose its wake for good. So such a round is never split by a budget, and it begins again at the lowest
    /// index where a stream returned a result in the middle of the last one.
    pub(crate) fn mark_all_due(&mut self) {
        if self.wait_report.is_requested() {
            self.report_waiting();
        }
        self.ready.take(|_, _| {});
        for number in 0..self.bodies.slab.chunk_count() {
            let chunk = self.bodies.slab.chunk_mut(number);
            chunk.mark_due(usize::MAX);
            if chunk.due() != 0 {
                self.round.add(number);
            }
        }
        if self.turns.begin() == TurnEnd::Exhausted {
            self.turns.choose_first(&mut self.round, &mut self.bodies.slab);
        }
        self.round.sort_by(&mut self.bodies, Bodies::rank);
        if simulation::is_on() {
            self.round.choose_order();
        }
    }

    /// Polls the due bodies, each once and with the waker of `parent`, until `on_complete` breaks.
    pub(crate) fn poll_due<B>(
        &mut self,
        parent: &Waker,
        mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        while let Some(slot) = self.round.next_slot(&mut self.bodies.slab) {
            let wakers = self.ready.chunk(number_of(slot));
            if let Some(completion) = self.bodies.poll_slot(slot, &wakers, Some(parent)).flatten() {
                on_complete(completion)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Reports the running bodies to a simulation that has found no progress. Wakes each body, so that a
    /// loop inside it reports its own.
    #[cold]
    fn report_waiting(&mut self) {
        self.bodies.slab.for_each(Chunk::occupied, &mut |slot| {
            self.wait_report.add(self.bodies.index(slot), core::any::type_name::<J>());
            self.ready.chunk(number_of(slot)).waker(offset_of(slot)).wake_by_ref();
        });
    }

    /// Ends a turn, and goes to sleep until a body is woken, which then wakes the task of `cx`. Returns `false` if
    /// a body has been woken already or the round is not over: then the caller must poll again.
    pub(crate) fn sleep(&mut self, cx: &Context<'_>) -> bool {
        if J::INLINE {
            self.turns.end(false);
        }
        self.round.is_over() && self.ready.sleep(cx.waker())
    }

    /// Asks every body to stop. Bodies that stop at once have been dropped when this returns. `panicked` gets
    /// the panics of their destructors.
    pub(crate) fn cancel(&mut self, mut panicked: impl FnMut(Panic)) {
        // All are marked first, so that none makes progress because another has stopped.
        self.mark_cancelled();
        let ((), wait_group) = with_wait_group(None, || {
            if J::INLINE {
                return self.bodies.clear(&mut self.ready, panicked);
            }
            self.cancel_each(|_, cancelled| {
                if let Err(panic) = cancelled {
                    panicked(panic);
                }
            });
        });
        self.wait_groups.extend(wait_group);
    }

    /// Asks every body to stop, and calls `cancelled` with its index and the panic of its destructor if there
    /// is one. The caller provides the wait group for the tasks that the bodies leave behind.
    pub(crate) fn cancel_each(&mut self, mut cancelled: impl FnMut(usize, Result<(), Panic>)) {
        for number in 0..self.bodies.slab.chunk_count() {
            for offset in bits(self.bodies.slab.chunk(number).occupied()) {
                let slot = slot_at(number, offset);
                let index = self.bodies.index(slot);
                cancelled(index, self.cancel_slot(slot));
            }
        }
    }

    /// Polls until the tasks that cancelled bodies have left behind have stopped.
    pub(crate) fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(wait_group) = self.wait_groups.last() {
            ready!(wait_group.poll_wait(cx));
            self.wait_groups.pop();
        }
        Poll::Ready(())
    }

    fn cancel_slot(&mut self, slot: Slot) -> Result<(), Panic> {
        let chunk = self.bodies.slab.chunk_mut(number_of(slot));
        if !chunk.get_mut(offset_of(slot)).is_some_and(JobHandle::cancel) {
            return Ok(());
        }
        let dropped = catch(|| chunk.drop_body(offset_of(slot)));
        self.bodies.free(slot, &self.ready.chunk(number_of(slot)));
        dropped
    }
}

impl<J> FutureSet<J> {
    fn mark_cancelled(&self) {
        let Some(mark_one) = self.mark_one else { return };
        self.bodies.slab.for_each(Chunk::occupied, &mut |slot| {
            if let Some(job) = self.bodies.slab.get(slot) {
                mark_one(job);
            }
        });
    }
}

impl<J: JobHandle> Default for FutureSet<J> {
    fn default() -> Self {
        Self::new()
    }
}

impl<J> Drop for FutureSet<J> {
    fn drop(&mut self) {
        self.mark_cancelled();
        // One by one: a destructor that panics does not prevent the others from running.
        if let Some(panic) = self.bodies.slab.clear() {
            panic.resume_unless_panicking();
        }
    }
}

impl<J> fmt::Debug for FutureSet<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutureSet").field("running", &self.bodies.len()).finish_non_exhaustive()
    }
}
