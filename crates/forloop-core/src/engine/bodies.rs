//! The bodies, each in its slot and with its index.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use super::Completion;
use super::capacity_hint::CapacityHint;
use super::index_table::IndexTable;
use super::job::{JobHandle, Key};
use super::ready::{FirstPoll, ReadyQueue, Wakers};
use super::slab::{OccupiedEntry, Slab, VacantEntry};
use super::slot::{Slot, bits, chunk_of, count, lowest, offset_of, slot_at};
use crate::outcome::catch;
use crate::wait_group::WaitGroup;
use crate::{Outcome, Panic};

pub(super) struct Bodies<J> {
    pub(super) slab: Slab<J>,
    index_table: IndexTable,
    /// What bodies without time have left behind: until that has ended, they have not stopped. Their
    /// slots are empty and not free.
    left: Option<BTreeMap<Slot, Arc<WaitGroup>>>,
}

impl<J> Bodies<J> {
    pub(super) const fn new() -> Self {
        Self { slab: Slab::new(), index_table: IndexTable::new(), left: None }
    }

    /// How many there are, with those that have left something behind.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slab.taken()
    }

    /// A free slot. Of the memory for more, `capacity_hint` decides. The wakers of the first group are left to
    /// whoever needs them.
    #[inline]
    pub(super) fn vacancy(&mut self, capacity_hint: CapacityHint, ready: &mut ReadyQueue) -> Slot {
        match self.slab.vacancy() {
            Some(slot) => slot,
            None => self.make_vacancy(capacity_hint, ready),
        }
    }

    #[cold]
    fn make_vacancy(&mut self, capacity_hint: CapacityHint, ready: &mut ReadyQueue) -> Slot {
        if self.slab.is_new() {
            return self.slab.begin(capacity_hint.first());
        }
        if !self.slab.next_empty() {
            let more = capacity_hint.more(self.slab.capacity(), self.len());
            if more == 0 {
                self.slab.next_holed();
            } else {
                ready.grow(self.slab.grow(more));
            }
        }
        self.slab.vacancy().expect("if no slot was free, there are more now")
    }

    /// The slots that hold a body, in ascending order.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.slab.chunks().flat_map(|(number, chunk)| {
            bits(chunk.occupied()).map(move |offset| slot_at(number, offset))
        })
    }

    /// The index of the body in a slot.
    #[inline]
    pub(super) fn index(&self, slot: Slot) -> usize {
        self.index_table.row(self.slab.chunk(chunk_of(slot))).index(offset_of(slot))
    }

    /// The indices of the bodies, in ascending order.
    pub(super) fn indices(&self) -> Vec<usize> {
        let mut indices: Vec<_> = self.slots().map(|slot| self.index(slot)).collect();
        indices.sort_unstable();
        indices
    }

    /// Puts a body into the next free slot: there is one.
    pub(super) fn put(&mut self, index: usize, job: J) -> Slot {
        let (number, mut vacant_entries) = self.slab.vacant_entries();
        let offset = vacant_entries.offset();
        vacant_entries.put(job).stay();
        let is_noted = self.index_table.note(vacant_entries.chunk(), offset, index);
        drop(vacant_entries);
        let slot = slot_at(number, offset);
        if !is_noted {
            self.index_table.note_each(&self.slab, slot, index);
        }
        slot
    }

    /// Frees an empty slot and returns the index that the body in it had.
    #[inline]
    pub(super) fn free(&mut self, slot: Slot, wakers: &Wakers<'_>) -> usize {
        let index = self.index(slot);
        wakers.forget(1 << offset_of(slot));
        self.slab.free(chunk_of(slot), 1 << offset_of(slot));
        index
    }

    /// Drops every body and frees its slot: for bodies that stop at once.
    pub(super) fn clear(&mut self, ready: &mut ReadyQueue, mut panicked: impl FnMut(Panic)) {
        for number in 0..self.slab.chunks().count() {
            let emptied = self.slab.chunk_mut(number).clear(&mut panicked);
            if emptied != 0 {
                ready.chunk(number).forget(emptied);
                self.slab.free(number, emptied);
            }
        }
    }

    /// Keeps an empty slot until what its body has left behind has ended.
    pub(super) fn leave(&mut self, slot: Slot, wait_group: Arc<WaitGroup>, wakers: &Wakers<'_>) {
        self.left.get_or_insert_default().insert(slot, wait_group);
        wakers.waker(offset_of(slot)).wake_by_ref();
    }

    /// Whether a slot is kept for what its body has left behind.
    pub(super) fn is_left(&self, slot: Slot) -> bool {
        self.left.as_ref().is_some_and(|left| left.contains_key(&slot))
    }
}

impl<J: JobHandle> Bodies<J> {
    /// Starts bodies in the free slots of the current group, as `FutureSet::start` does: until `left` is zero,
    /// the group is full, or one has stayed whose waker was only promised.
    #[inline]
    pub(super) fn start<B>(
        &mut self,
        (mut index, job): (usize, J),
        left: &mut usize,
        (first_poll, caller): (&FirstPoll<'_>, Option<&Waker>),
        next: &mut impl FnMut() -> ControlFlow<B, (usize, J)>,
        on_complete: &mut impl FnMut(Completion<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key> {
        let caller = caller.filter(|_| J::PARENT_WAKER);
        let (number, mut vacant_entries) = self.slab.vacant_entries();
        let wakers = first_poll.wakers();
        vacant_entries.use_only(if wakers.is_some() { *left } else { 1 });
        let mut first_index = self.index_table.first_index(vacant_entries.chunk().0);
        let mut offset = vacant_entries.offset();
        let mut waker = first_poll.first_to_poll();
        let mut entry = vacant_entries.put(job);
        let is_noted = loop {
            // One after another in one slot, until one of them stays.
            while let Some((seq, outcome)) = try_in(entry, caller.unwrap_or(&waker)) {
                first_poll.forget(1 << offset);
                on_complete(Completion { index, seq, outcome })?;
                let (at, job) = next()?;
                index = at;
                entry = vacant_entries.put(job);
            }
            if index.wrapping_sub(offset) != first_index {
                if !self.index_table.note(vacant_entries.chunk(), offset, index) {
                    break false;
                }
                first_index = self.index_table.first_index(vacant_entries.chunk().0);
            }
            let Some(wakers) = wakers.as_ref().filter(|_| !vacant_entries.are_none()) else {
                break true;
            };
            let (at, job) = next()?;
            index = at;
            offset = vacant_entries.offset();
            waker = wakers.waker_to_poll(offset);
            entry = vacant_entries.put(job);
        };
        *left -= vacant_entries.given();
        drop(vacant_entries);
        let slot = slot_at(number, offset);
        if !is_noted {
            self.index_table.note_each(&self.slab, slot, index);
        }
        ControlFlow::Continue(Key { slot, index, attempt: 1 })
    }

    /// Where a slot stands in a round that is sorted: [`JobHandle::rank`], also of what was left behind.
    pub(super) fn rank(&self, slot: Slot) -> Option<usize> {
        match self.slab.get(slot) {
            Some(job) => job.rank(self.index(slot)),
            None => self.is_left(slot).then(|| self.index(slot)),
        }
    }

    /// Polls what is in a slot, with the waker of `caller` if there is one: `None` if that is nothing,
    /// `Some(None)` if it goes on.
    pub(super) fn poll_slot(
        &mut self,
        slot: Slot,
        wakers: &Wakers<'_>,
        caller: Option<&Waker>,
    ) -> Option<Option<Completion<J::Output>>> {
        let (chunk, offset) = (self.slab.chunk_mut(chunk_of(slot)), offset_of(slot));
        let own = wakers.waker_to_poll(offset);
        let waker = caller.unwrap_or(&own);
        let Some(end) = chunk.entries(1 << offset).next().map(|entry| poll_in(entry, waker)) else {
            return self.poll_left_behind(slot, wakers);
        };
        Some(end.map(|(seq, outcome)| {
            let index = self.free(slot, wakers);
            Completion { index, seq, outcome }
        }))
    }

    /// Polls the slots of a group that are `due`, the lowest first, until `polls` has come to `most`,
    /// `on_complete`, which is told each end, has had enough, or one is an empty slot that is for `poll_slot`. Those
    /// that had their turn are not due any more.
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
        // One may have ended meanwhile, or was stopped and has left something behind.
        let odd = if self.left.is_none() { 0 } else { *due & !occupied };
        let before_odd = (odd & odd.wrapping_neg()).wrapping_sub(1);
        let budget = most - *polls;
        let had = lowest(*due & occupied & before_odd, budget);
        let row = self.index_table.row(chunk);
        let mut result = ControlFlow::Continue(());
        // Slots are freed together: this is most of what a loop does.
        let mut entries = chunk.entries(had);
        while let Some(entry) = entries.next() {
            let offset = entry.offset();
            if let Some((seq, outcome)) = poll_in(entry, &wakers.waker_to_poll(offset)) {
                let index = row.index(offset);
                result = on_complete(Completion { index, seq, outcome });
                if result.is_break() {
                    break;
                }
            }
        }
        let had = had & !entries.left();
        drop(entries);
        let freed = had & !chunk.occupied();
        let rest = if odd == 0 { occupied } else { usize::MAX };
        *due &= !had & rest;
        *polls += count(had);
        wakers.forget(freed);
        self.slab.free(number, freed);
        result
    }

    /// Polls for the end of what a body without time has left behind.
    #[cold]
    fn poll_left_behind(
        &mut self,
        slot: Slot,
        wakers: &Wakers<'_>,
    ) -> Option<Option<Completion<J::Output>>> {
        let left = self.left.as_mut()?;
        let waker = wakers.waker(offset_of(slot));
        if left.get(&slot)?.poll_wait(&mut Context::from_waker(&waker)).is_pending() {
            return Some(None);
        }
        left.remove(&slot);
        if left.is_empty() {
            self.left = None;
        }
        let index = self.free(slot, wakers);
        Some(Some(Completion { index, seq: J::next_sequence(), outcome: Outcome::TimedOut }))
    }
}

/// Polls a body whose turn it is: `None` if it goes on. If it has ended, its slot is empty, and not yet
/// free: gives its place in the order of ends, and its outcome.
#[inline(always)] // in two places, and most of what a loop does
fn poll_in<J: JobHandle>(
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
    let is_overdue = entry.is_overdue();
    let dropped = catch(|| entry.empty());
    Some((seq, outcome_of(outcome, dropped, is_overdue)))
}

/// Polls a new body, which stays where it is if it goes on: then `None`.
#[inline(always)] // in one place, and most of what a loop does whose bodies are ready at once
fn try_in<J: JobHandle>(
    mut entry: VacantEntry<'_, J>,
    waker: &Waker,
) -> Option<(usize, Outcome<J::Output>)> {
    let job = entry.as_mut();
    let outcome = match catch(|| job.poll_outcome(&mut Context::from_waker(waker))) {
        Ok(Poll::Pending) => {
            entry.stay();
            return None;
        }
        Ok(Poll::Ready(outcome)) => outcome,
        Err(panic) => Outcome::Panicked(panic),
    };
    let seq = entry.as_mut().sequence();
    let dropped = catch(|| drop(entry));
    Some((seq, outcome_of(outcome, dropped, false)))
}

/// The outcome of a body that has ended, and of its destructors: they run before its end is told, and
/// if they panic, that is its end.
#[inline]
fn outcome_of<T>(outcome: Outcome<T>, dropped: Result<(), Panic>, is_overdue: bool) -> Outcome<T> {
    match (dropped, outcome) {
        // As nearly all of them.
        (Ok(()), Outcome::Ok(output)) => Outcome::Ok(output),
        (Err(panic), Outcome::Ok(_) | Outcome::Cancelled | Outcome::NotRun) => {
            Outcome::Panicked(panic)
        }
        // One that was never polled was dropped by its runtime.
        (Ok(()), Outcome::Cancelled) if is_overdue => Outcome::TimedOut,
        (_, outcome) => outcome,
    }
}
