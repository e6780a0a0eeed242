//! The bodies, each in its slot and with its index.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use super::End;
use super::ledger::Ledger;
use super::ready::{Ready, Starting, Wakers};
use super::room::Room;
use super::slab::{Guest, Slab, Turn};
use super::slot::{Slot, count, group_of, lowest, place_of, places, slot_at};
use crate::orphans::Orphans;
use crate::panic::catch;
use crate::place::Started;
use crate::{Outcome, Panic, Ticket};

pub(super) struct Bodies<J> {
    pub(super) slab: Slab<J>,
    ledger: Ledger,
    /// What bodies without time have left behind: until that has ended, they have not stopped. Their
    /// slots are empty and not free.
    left: Option<BTreeMap<Slot, Arc<Orphans>>>,
}

impl<J> Bodies<J> {
    pub(super) const fn new() -> Self {
        Self { slab: Slab::new(), ledger: Ledger::new(), left: None }
    }

    /// How many there are, with those that have left something behind.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slab.taken()
    }

    /// A free slot. Of the memory for more, `room` decides. The wakers of the first group are left to
    /// whoever needs them.
    #[inline]
    pub(super) fn vacancy(&mut self, room: Room, ready: &mut Ready) -> Slot {
        match self.slab.vacancy() {
            Some(slot) => slot,
            None => self.make_vacancy(room, ready),
        }
    }

    #[cold]
    fn make_vacancy(&mut self, room: Room, ready: &mut Ready) -> Slot {
        if self.slab.is_new() {
            return self.slab.begin(room.first());
        }
        if !self.slab.next_empty() {
            let more = room.more(self.slab.capacity(), self.len());
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
        self.slab
            .bays()
            .flat_map(|(group, bay)| places(bay.occupied()).map(move |place| slot_at(group, place)))
    }

    /// The index of the body in a slot.
    #[inline]
    pub(super) fn index(&self, slot: Slot) -> usize {
        self.ledger.row(self.slab.bay(group_of(slot))).index(place_of(slot))
    }

    /// The indices of the bodies, in ascending order.
    pub(super) fn indices(&self) -> Vec<usize> {
        let mut indices: Vec<_> = self.slots().map(|slot| self.index(slot)).collect();
        indices.sort_unstable();
        indices
    }

    /// Puts a body into the next free slot: there is one.
    pub(super) fn put(&mut self, index: usize, job: J) -> Slot {
        let (group, mut vacancies) = self.slab.vacancies();
        let place = vacancies.place();
        vacancies.put(job).stay();
        let is_noted = self.ledger.note(vacancies.bay(), place, index);
        drop(vacancies);
        let slot = slot_at(group, place);
        if !is_noted {
            self.ledger.note_each(&self.slab, slot, index);
        }
        slot
    }

    /// Frees an empty slot and returns the index that the body in it had.
    #[inline]
    pub(super) fn free(&mut self, slot: Slot, wakers: &Wakers<'_>) -> usize {
        let index = self.index(slot);
        wakers.forget(1 << place_of(slot));
        self.slab.free(group_of(slot), 1 << place_of(slot));
        index
    }

    /// Drops every body and frees its slot: for bodies that stop at once.
    pub(super) fn clear(&mut self, ready: &mut Ready, mut panicked: impl FnMut(Panic)) {
        for group in 0..self.slab.bays().count() {
            let emptied = self.slab.bay_mut(group).clear(&mut panicked);
            if emptied != 0 {
                ready.group(group).forget(emptied);
                self.slab.free(group, emptied);
            }
        }
    }

    /// Keeps an empty slot until what its body has left behind has ended.
    pub(super) fn leave(&mut self, slot: Slot, orphans: Arc<Orphans>, wakers: &Wakers<'_>) {
        self.left.get_or_insert_default().insert(slot, orphans);
        wakers.waker(place_of(slot)).wake_by_ref();
    }

    /// Whether a slot is kept for what its body has left behind.
    pub(super) fn is_left(&self, slot: Slot) -> bool {
        self.left.as_ref().is_some_and(|left| left.contains_key(&slot))
    }
}

impl<J: Started> Bodies<J> {
    /// Starts bodies in the free slots of the current group, as `Set::start` does: until `left` is zero,
    /// the group is full, or one has stayed whose waker was only promised.
    #[inline]
    pub(super) fn start<B>(
        &mut self,
        (mut index, job): (usize, J),
        left: &mut usize,
        (starting, caller): (&Starting<'_>, Option<&Waker>),
        next: &mut impl FnMut() -> ControlFlow<B, (usize, J)>,
        ended: &mut impl FnMut(End<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Ticket> {
        let caller = caller.filter(|_| J::CALLERS_WAKER);
        let (group, mut vacancies) = self.slab.vacancies();
        let wakers = starting.wakers();
        vacancies.use_only(if wakers.is_some() { *left } else { 1 });
        let mut first_index = self.ledger.first_index(vacancies.bay().0);
        let mut place = vacancies.place();
        let mut waker = starting.first_to_poll();
        let mut guest = vacancies.put(job);
        let is_noted = loop {
            // One after another in one slot, until one of them stays.
            while let Some((at, outcome)) = try_in(guest, caller.unwrap_or(&waker)) {
                starting.forget(1 << place);
                ended(End { index, at, outcome })?;
                let (at, job) = next()?;
                index = at;
                guest = vacancies.put(job);
            }
            if index.wrapping_sub(place) != first_index {
                if !self.ledger.note(vacancies.bay(), place, index) {
                    break false;
                }
                first_index = self.ledger.first_index(vacancies.bay().0);
            }
            let Some(wakers) = wakers.as_ref().filter(|_| !vacancies.are_none()) else {
                break true;
            };
            let (at, job) = next()?;
            index = at;
            place = vacancies.place();
            waker = wakers.waker_to_poll(place);
            guest = vacancies.put(job);
        };
        *left -= vacancies.given();
        drop(vacancies);
        let slot = slot_at(group, place);
        if !is_noted {
            self.ledger.note_each(&self.slab, slot, index);
        }
        ControlFlow::Continue(Ticket { slot, index, attempt: 1 })
    }

    /// Where a slot stands in a round that is sorted: [`Started::rank`], also of what was left behind.
    pub(super) fn rank(&self, slot: Slot) -> Option<usize> {
        match self.slab.get(slot) {
            Some(job) => job.rank(self.index(slot)),
            None => self.is_left(slot).then(|| self.index(slot)),
        }
    }

    /// Polls what is in a slot, with the waker of `caller` if there is one: `None` if that is nothing,
    /// `Some(None)` if it goes on.
    pub(super) fn turn(
        &mut self,
        slot: Slot,
        wakers: &Wakers<'_>,
        caller: Option<&Waker>,
    ) -> Option<Option<End<J::Output>>> {
        let (bay, place) = (self.slab.bay_mut(group_of(slot)), place_of(slot));
        let own = wakers.waker_to_poll(place);
        let waker = caller.unwrap_or(&own);
        let Some(end) = bay.turns(1 << place).next().map(|turn| poll_in(turn, waker)) else {
            return self.turn_of_left(slot, wakers);
        };
        Some(end.map(|(at, outcome)| {
            let index = self.free(slot, wakers);
            End { index, at, outcome }
        }))
    }

    /// Polls the slots of a group that are `due`, the lowest first, until `polls` has come to `most`,
    /// `ended`, which is told each end, has had enough, or one is an empty slot that is for `turn`. Those
    /// that had their turn are not due any more.
    #[inline]
    pub(super) fn turns<B>(
        &mut self,
        group: usize,
        due: &mut usize,
        polls: &mut usize,
        most: usize,
        wakers: &Wakers<'_>,
        ended: &mut impl FnMut(End<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let bay = self.slab.bay_mut(group);
        let occupied = bay.occupied();
        // One may have ended meanwhile, or was stopped and has left something behind.
        let odd = if self.left.is_none() { 0 } else { *due & !occupied };
        let before_odd = (odd & odd.wrapping_neg()).wrapping_sub(1);
        let budget = most - *polls;
        let had = lowest(*due & occupied & before_odd, budget);
        let row = self.ledger.row(bay);
        let mut result = ControlFlow::Continue(());
        // Slots are freed together: this is most of what a loop does.
        let mut turns = bay.turns(had);
        while let Some(turn) = turns.next() {
            let place = turn.place();
            if let Some((at, outcome)) = poll_in(turn, &wakers.waker_to_poll(place)) {
                let index = row.index(place);
                result = ended(End { index, at, outcome });
                if result.is_break() {
                    break;
                }
            }
        }
        let had = had & !turns.left();
        drop(turns);
        let freed = had & !bay.occupied();
        let rest = if odd == 0 { occupied } else { usize::MAX };
        *due &= !had & rest;
        *polls += count(had);
        wakers.forget(freed);
        self.slab.free(group, freed);
        result
    }

    /// Polls for the end of what a body without time has left behind.
    #[cold]
    fn turn_of_left(&mut self, slot: Slot, wakers: &Wakers<'_>) -> Option<Option<End<J::Output>>> {
        let left = self.left.as_mut()?;
        let waker = wakers.waker(place_of(slot));
        if left.get(&slot)?.poll_ended(&mut Context::from_waker(&waker)).is_pending() {
            return Some(None);
        }
        left.remove(&slot);
        if left.is_empty() {
            self.left = None;
        }
        let index = self.free(slot, wakers);
        Some(Some(End { index, at: J::end_now(), outcome: Outcome::TimedOut }))
    }
}

/// Polls a body whose turn it is: `None` if it goes on. If it has ended, its slot is empty, and not yet
/// free: gives its place in the order of ends, and its outcome.
#[inline(always)] // in two places, and most of what a loop does
fn poll_in<J: Started>(
    mut turn: Turn<'_, '_, J>,
    waker: &Waker,
) -> Option<(usize, Outcome<J::Output>)> {
    let job = turn.as_mut();
    let outcome = match catch(|| job.poll_outcome(&mut Context::from_waker(waker))) {
        Ok(Poll::Pending) => return None,
        Ok(Poll::Ready(outcome)) => outcome,
        Err(panic) => Outcome::Panicked(panic),
    };
    let at = turn.as_mut().ended_at();
    let is_overdue = turn.is_overdue();
    let dropped = catch(|| turn.empty());
    Some((at, outcome_of(outcome, dropped, is_overdue)))
}

/// Polls a new body, which stays where it is if it goes on: then `None`.
#[inline(always)] // in one place, and most of what a loop does whose bodies are ready at once
fn try_in<J: Started>(
    mut guest: Guest<'_, J>,
    waker: &Waker,
) -> Option<(usize, Outcome<J::Output>)> {
    let job = guest.as_mut();
    let outcome = match catch(|| job.poll_outcome(&mut Context::from_waker(waker))) {
        Ok(Poll::Pending) => {
            guest.stay();
            return None;
        }
        Ok(Poll::Ready(outcome)) => outcome,
        Err(panic) => Outcome::Panicked(panic),
    };
    let at = guest.as_mut().ended_at();
    let dropped = catch(|| drop(guest));
    Some((at, outcome_of(outcome, dropped, false)))
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
