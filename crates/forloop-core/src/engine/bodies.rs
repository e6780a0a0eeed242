//! The bodies of a set, each with its slot and its index: starting, polling and freeing them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use super::bit_set::{count, lowest};
use super::capacity_hint::CapacityHint;
use super::index_table::IndexTable;
use super::job::{Completion, JobHandle, Key};
use super::left_behind::{LeftBehind, StoppedBy};
use super::ready::{FirstPoll, ReadyQueue, Wakers};
use super::slab::{Chunk, NewEntry, OccupiedEntry, Slab, VacantEntries};
use super::slot::{Slot, number_of, offset_of, slot_at};
use crate::indices;
use crate::outcome::{Outcome, Panic, catch};
use crate::wait_group::WaitGroup;

pub(super) struct Bodies<J> {
    pub(super) slab: Slab<J>,
    index_table: IndexTable,
    /// The tasks that bodies have left behind which were stopped alone, if there are any.
    left_behind: Option<LeftBehind>,
}

impl<J> Bodies<J> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { slab: Slab::new(), index_table: IndexTable::new(), left_behind: None }
    }

    /// The number of bodies, including those that have left tasks behind.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slab.taken()
    }

    /// The next free slot. If there is none, makes more as `capacity_hint` says, and wakers for them. The
    /// wakers of the first chunk are made when they are needed.
    #[inline]
    pub(super) fn next_free(
        &mut self,
        capacity_hint: CapacityHint,
        ready: &mut ReadyQueue,
    ) -> Slot {
        match self.slab.next_free() {
            Some(slot) => slot,
            None => self.make_free(capacity_hint, ready),
        }
    }

    #[cold]
    fn make_free(&mut self, capacity_hint: CapacityHint, ready: &mut ReadyQueue) -> Slot {
        if self.slab.is_new() {
            return self.slab.begin(capacity_hint.first::<J>());
        }
        self.index_table.forget_freed(&mut self.slab);
        if !self.slab.open_empty() {
            let more = capacity_hint.more::<J>(self.slab.capacity(), self.len());
            if more == 0 {
                self.slab.open_partial();
            } else {
                ready.grow_to(self.slab.grow(more));
            }
        }
        self.slab.next_free().expect("the opened chunk has a free slot")
    }

    /// The index of the body in a slot.
    #[inline]
    pub(super) fn index(&self, slot: Slot) -> usize {
        self.index_table.row(self.slab.chunk(number_of(slot))).index(offset_of(slot))
    }

    /// The slot of the body with this index. Takes time in proportion to the slots.
    pub(super) fn slot_of(&self, index: usize) -> Option<Slot> {
        let mut found = None;
        self.slab.for_each(Chunk::occupied, &mut |slot| {
            if self.index(slot) == index {
                found = Some(slot);
            }
        });
        found
    }

    /// The indices of the bodies, in ascending order.
    pub(super) fn indices(&self) -> Vec<usize> {
        let mut indices = Vec::new();
        self.slab.for_each(Chunk::occupied, &mut |slot| indices.push(self.index(slot)));
        indices::sort(&mut indices);
        indices
    }

    /// Makes a body in the next free slot, of which there is one.
    pub(super) fn put(&mut self, index: usize, make: impl FnOnce() -> J) -> Slot {
        let (number, mut vacant_entries) = self.slab.vacant_entries();
        let offset = vacant_entries.offset();
        vacant_entries.first().put(make).keep();
        let is_recorded = self.index_table.record(vacant_entries.chunk(), offset, index);
        drop(vacant_entries);
        let slot = slot_at(number, offset);
        if !is_recorded {
            self.index_table.record_each(&mut self.slab, slot, index);
        }
        slot
    }

    /// Frees an empty slot, and returns the index that its body had.
    #[inline]
    pub(super) fn free(&mut self, slot: Slot, wakers: &Wakers<'_>) -> usize {
        let index = self.index(slot);
        wakers.forget(1 << offset_of(slot));
        self.slab.free(number_of(slot), 1 << offset_of(slot));
        index
    }

    /// Drops every body and frees its slot: for bodies that stop when they are dropped.
    pub(super) fn clear(&mut self, ready: &mut ReadyQueue, mut panicked: impl FnMut(Panic)) {
        for number in 0..self.slab.chunk_count() {
            let emptied = self.slab.chunk_mut(number).clear(&mut panicked);
            if emptied != 0 {
                ready.chunk(number).forget(emptied);
                self.slab.free(number, emptied);
            }
        }
    }

    /// Keeps an empty slot taken until the tasks that its body has left behind have stopped. The slot is
    /// woken once, so that the next round polls them.
    pub(super) fn hold_slot(
        &mut self,
        slot: Slot,
        wait_group: Arc<WaitGroup>,
        by: StoppedBy,
        wakers: &Wakers<'_>,
    ) {
        self.left_behind.get_or_insert_default().insert(slot, wait_group, by);
        wakers.waker(offset_of(slot)).wake_by_ref();
    }

    /// Whether a slot is kept for tasks that its body has left behind.
    fn is_held(&self, slot: Slot) -> bool {
        self.left_behind.as_ref().is_some_and(|left_behind| left_behind.contains(slot))
    }
}

impl<J: JobHandle> Bodies<J> {
    /// Starts bodies in the free slots of the open chunk, as `FutureSet::start` does. It stops when
    /// `remaining` is zero, when the chunk is full, or, before the chunk has wakers, when a body is pending.
    ///
    /// Each body is made in a free slot and polled there. A body that is ready is dropped in that slot,
    /// and the next body goes into the same one. So a loop of bodies that are never pending uses one slot,
    /// and a body is written once and never moved.
    #[inline]
    pub(super) fn start<I, B>(
        &mut self,
        (mut index, item): (usize, I),
        remaining: &mut usize,
        (first_poll, parent): (&FirstPoll<'_>, Option<&Waker>),
        next: &mut impl FnMut() -> ControlFlow<B, (usize, I)>,
        make: &mut impl FnMut(usize, I) -> J,
        on_complete: &mut impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key> {
        let parent = parent.filter(|_| J::PARENT_WAKER);
        let (number, mut vacant_entries) = self.slab.vacant_entries();
        let wakers = first_poll.wakers();
        vacant_entries.limit(if wakers.is_some() { *remaining } else { 1 });
        let mut run_start = self.index_table.run_start(vacant_entries.chunk().0);
        let mut offset = vacant_entries.offset();
        let mut waker = first_poll.first_to_poll();
        let mut entry = make_new(&mut vacant_entries, &mut index, item, next, make, on_complete)?;
        let is_recorded = loop {
            while let Some((seq, outcome)) = poll_new(entry, parent.unwrap_or(&waker)) {
                first_poll.forget(1 << offset);
                on_complete(Completion { index, seq, outcome })?;
                let item;
                (index, item) = next()?;
                entry = make_new(&mut vacant_entries, &mut index, item, next, make, on_complete)?;
            }
            if !run_start.is_continued_by(offset, index) {
                if !self.index_table.record(vacant_entries.chunk(), offset, index) {
                    break false;
                }
                run_start = self.index_table.run_start(vacant_entries.chunk().0);
            }
            let Some(wakers) = wakers.as_ref().filter(|_| !vacant_entries.is_full()) else {
                break true;
            };
            let item;
            (index, item) = next()?;
            offset = vacant_entries.offset();
            waker = wakers.waker_to_poll(offset);
            entry = make_new(&mut vacant_entries, &mut index, item, next, make, on_complete)?;
        };
        *remaining -= vacant_entries.filled();
        drop(vacant_entries);
        let slot = slot_at(number, offset);
        if !is_recorded {
            self.index_table.record_each(&mut self.slab, slot, index);
        }
        ControlFlow::Continue(Key { slot, index })
    }

    /// The key of a slot in a round that is sorted: [`JobHandle::rank`]. Tasks that were left behind have the
    /// rank of their body's index.
    pub(super) fn rank(&self, slot: Slot) -> Option<usize> {
        match self.slab.get(slot) {
            Some(job) => job.rank(self.index(slot)),
            None => self.is_held(slot).then(|| self.index(slot)),
        }
    }

    /// Polls what is in a slot, with `parent` as its waker if there is one. Returns `None` if the slot holds
    /// nothing, and `Some(None)` if it is pending.
    pub(super) fn poll_slot(
        &mut self,
        slot: Slot,
        wakers: &Wakers<'_>,
        parent: Option<&Waker>,
    ) -> Option<Option<Completion<J::Output>>> {
        let (chunk, offset) = (self.slab.chunk_mut(number_of(slot)), offset_of(slot));
        let own = wakers.waker_to_poll(offset);
        let waker = parent.unwrap_or(&own);
        let poll = |entry| poll_started(entry, waker);
        let Some(polled) = chunk.occupied_entries(1 << offset).next().map(poll) else {
            return self.poll_left_behind(slot, wakers);
        };
        Some(polled.map(|(seq, outcome)| {
            let index = self.free(slot, wakers);
            Completion { index, seq, outcome }
        }))
    }

    /// Polls the `due` slots of a chunk, the lowest first. It stops when `polls` reaches `most`, when
    /// `on_complete` breaks, or before a slot whose body has left tasks behind, which
    /// [`poll_slot`](Self::poll_slot) must poll. Slots that were polled are not due any more.
    ///
    /// A due slot may be empty: its body may have completed or been cancelled since the round began.
    #[inline]
    pub(super) fn poll_chunk<B>(
        &mut self,
        number: usize,
        due: &mut usize,
        polls: &mut usize,
        most: usize,
        wakers: &Wakers<'_>,
        on_complete: &mut impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let chunk = self.slab.chunk_mut(number);
        let occupied = chunk.occupied();
        let empty = if self.left_behind.is_none() { 0 } else { *due & !occupied };
        let below_first_empty = (empty & empty.wrapping_neg()).wrapping_sub(1);
        let budget = most - *polls;
        let to_poll = lowest(*due & occupied & below_first_empty, budget);
        let row = self.index_table.row(chunk);
        let mut result = ControlFlow::Continue(());
        let mut entries = chunk.occupied_entries(to_poll);
        while let Some(entry) = entries.next() {
            let offset = entry.offset();
            if let Some((seq, outcome)) = poll_started(entry, &wakers.waker_to_poll(offset)) {
                let index = row.index(offset);
                result = on_complete(Completion { index, seq, outcome });
                if result.is_break() {
                    break;
                }
            }
        }
        let polled = to_poll & !entries.remaining();
        drop(entries);
        // The slots of a chunk are freed together, once for all bodies that have completed.
        let freed = polled & !chunk.occupied();
        let still_due = if empty == 0 { occupied } else { usize::MAX };
        *due &= !polled & still_due;
        *polls += count(polled);
        wakers.forget(freed);
        self.slab.free(number, freed);
        result
    }

    /// Polls the tasks that a body has left behind which was stopped alone.
    #[cold]
    fn poll_left_behind(
        &mut self,
        slot: Slot,
        wakers: &Wakers<'_>,
    ) -> Option<Option<Completion<J::Output>>> {
        let left_behind = self.left_behind.as_mut()?;
        let waker = wakers.waker(offset_of(slot));
        let Poll::Ready(by) = left_behind.poll(slot, &waker)? else { return Some(None) };
        if left_behind.is_empty() {
            self.left_behind = None;
        }
        let index = self.free(slot, wakers);
        Some(Some(Completion { index, seq: J::next_sequence(), outcome: by.outcome() }))
    }
}

/// Polls a body that was started before. If it completes, drops it and returns its sequence number and
/// outcome; its slot is then empty and not yet free.
#[cfg_attr(not(debug_assertions), inline(always))] // called in two places, and most of what a loop does
fn poll_started<J: JobHandle>(
    mut entry: OccupiedEntry<'_, '_, J>,
    waker: &Waker,
) -> Option<(usize, Outcome<J::Output>)> {
    let job = entry.as_mut();
    let outcome = match catch(|| job.poll_outcome(&mut Context::from_waker(waker))) {
        Ok(Poll::Pending) => return None,
        Ok(Poll::Ready(outcome)) => outcome,
        Err(panic) => Outcome::Panicked(panic),
    };
    let seq = entry.as_mut().sequence();
    let has_timed_out = entry.has_timed_out();
    let dropped = catch(|| entry.drop_body());
    Some((seq, outcome_of(outcome, dropped, has_timed_out)))
}

/// Makes a body in the first free slot. If `make` panics, that is the completion of this body, and the next one is made
/// there.
#[cfg_attr(not(debug_assertions), inline(always))] // so that the body is made in place
fn make_new<'a, I, J: JobHandle, B>(
    vacant_entries: &'a mut VacantEntries<'_, J>,
    index: &mut usize,
    mut item: I,
    next: &mut impl FnMut() -> ControlFlow<B, (usize, I)>,
    make: &mut impl FnMut(usize, I) -> J,
    on_complete: &mut impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
) -> ControlFlow<B, NewEntry<'a, J>> {
    let mut vacant = vacant_entries.first();
    loop {
        let panic = match vacant.try_put(|| make(*index, item)) {
            Ok(entry) => return ControlFlow::Continue(entry),
            Err((entry, panic)) => {
                vacant = entry;
                panic
            }
        };
        let (seq, outcome) = (J::next_sequence(), Outcome::Panicked(panic));
        on_complete(Completion { index: *index, seq, outcome })?;
        (*index, item) = next()?;
    }
}

/// Polls a new body for the first time. If it is pending, keeps it in its slot.
#[cfg_attr(not(debug_assertions), inline(always))] // called in one place, and most of what a loop does whose bodies are ready at once
fn poll_new<J: JobHandle>(
    mut entry: NewEntry<'_, J>,
    waker: &Waker,
) -> Option<(usize, Outcome<J::Output>)> {
    let job = entry.as_mut();
    let outcome = match catch(|| job.poll_outcome(&mut Context::from_waker(waker))) {
        Ok(Poll::Pending) => {
            entry.keep();
            return None;
        }
        Ok(Poll::Ready(outcome)) => outcome,
        Err(panic) => Outcome::Panicked(panic),
    };
    let seq = entry.as_mut().sequence();
    let dropped = catch(|| drop(entry));
    Some((seq, outcome_of(outcome, dropped, false)))
}

/// The outcome of a body that has completed and was dropped. Its destructors run before the completion is
/// reported. If they panic, the panic is the outcome, unless the body has failed already.
#[inline]
fn outcome_of<T>(
    outcome: Outcome<T>,
    dropped: Result<(), Panic>,
    has_timed_out: bool,
) -> Outcome<T> {
    match (dropped, outcome) {
        // The common case first.
        (Ok(()), Outcome::Ok(output)) => Outcome::Ok(output),
        (Err(panic), Outcome::Ok(_) | Outcome::Cancelled | Outcome::NotRun) => {
            Outcome::Panicked(panic)
        }
        // A body that was never polled was dropped by its runtime, and keeps its outcome.
        (Ok(()), Outcome::Cancelled) if has_timed_out => Outcome::TimedOut,
        (_, outcome) => outcome,
    }
}
