//! Which body is polled first in a turn, so that none uses up every turn.
//!
//! A turn is what a task does before it returns to its executor. Some runtimes allow a task only so many
//! operations in a turn: on tokio, after 128 of them every timer, channel and socket is pending, and its waker is
//! called when the turn is over. In the order of indices, a body that always finds its channel full would use up
//! each turn, and the bodies behind it would never see that their timers have fired.
//!
//! Whether the turn was used up is known from the runtime: see [`is_exhausted`]. The next turn then begins with a
//! round, and the round with one of the woken bodies: the one in the next slot after the slot that was chosen at
//! the last time, in a cycle. So each body that waits for an operation comes first after at most as many turns as
//! there are slots. All others keep the order of indices.
//!
//! In a simulation every turn is one like another, because it decides on the order itself.

use forloop_budget::is_exhausted;

use super::bit_set::bits;
use super::round::Round;
use super::slab::Slab;
use super::slot::{Slot, slot_at};
use crate::simulation;

pub(super) struct Turns {
    last: TurnEnd,
    /// The slot that was chosen at the last time.
    last_first: Slot,
}

/// How the last turn has ended, if the next round is the first of a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnEnd {
    /// With no body woken; or the new turn has begun.
    AtRest,
    /// With bodies woken that were not polled.
    Yielded,
    /// After the bodies had used up what the runtime allows a task.
    Exhausted,
}

impl Turns {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { last: TurnEnd::AtRest, last_first: 0 }
    }

    /// Ends a turn.
    #[inline]
    pub(super) fn end(&mut self, is_woken: bool) {
        if simulation::is_on() {
            return;
        }
        if is_exhausted() {
            self.last = TurnEnd::Exhausted;
        } else if is_woken && self.last == TurnEnd::AtRest {
            self.last = TurnEnd::Yielded;
        }
    }

    /// Whether this turn must begin with a round, and has not had one.
    #[inline]
    pub(super) fn must_begin_with_round(&self) -> bool {
        self.last != TurnEnd::AtRest
    }

    /// Begins the first round of a turn, if the last one has ended. Returns how.
    #[inline]
    pub(super) fn begin(&mut self) -> TurnEnd {
        core::mem::replace(&mut self.last, TurnEnd::AtRest)
    }

    /// Chooses the slot that is polled first in this round, before the round is sorted.
    #[cold]
    pub(super) fn choose_first<J>(&mut self, round: &mut Round, slab: &mut Slab<J>) {
        if let Some(first) = self.next_first(round.chunks(), &|number| slab.chunk(number).due()) {
            self.last_first = first;
            round.poll_first(first, slab);
        }
    }

    /// The slot after the last one, in a cycle through the due slots of the chunks: `due` has a bit for each slot of one.
    fn next_first(&self, chunks: &[usize], due: &dyn Fn(usize) -> usize) -> Option<Slot> {
        let of = |&number| bits(due(number)).map(move |at| slot_at(number, at));
        chunks.iter().flat_map(of).min_by_key(|slot| slot.wrapping_sub(self.last_first + 1))
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;

    /// The slots that are polled first in six turns, if the same slots of two chunks are due in each.
    fn first_slots(due: [(usize, usize); 2]) -> [Slot; 6] {
        let mut turns = Turns::new();
        core::array::from_fn(|_| {
            let (chunks, due_in) = (due.map(|(number, _)| number), BTreeMap::from(due));
            let first = turns.next_first(&chunks, &|number| due_in[&number]);
            turns.last_first = first.expect("a slot is due");
            turns.last_first
        })
    }

    #[test]
    fn due_slots_come_first_in_a_cycle() {
        let slots = [(2, 0b1001), (0, 0b110)];
        let (first, second) = (slot_at(2, 0), slot_at(2, 3));
        assert_eq!(first_slots(slots), [1, 2, first, second, 1, 2]);
        // The order in which the chunks come makes no difference.
        assert_eq!(first_slots([slots[1], slots[0]]), [1, 2, first, second, 1, 2]);
    }

    #[test]
    fn a_slot_that_is_due_alone_comes_first_in_every_turn() {
        assert_eq!(first_slots([(3, 0), (1, 0b100)]), [slot_at(1, 2); 6]);
    }
}
