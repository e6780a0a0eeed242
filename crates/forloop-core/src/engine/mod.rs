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
//! [`Set::all_are_due`] begins a round of all of them, and [`Set::poll_due`] polls it.
//!
//! `unsafe` is in three modules, each behind a safe interface: where the bodies are ([`slab`]), who was
//! woken ([`ready`]), and where ordered results go ([`places`]); and in the cells that the second of
//! them keeps its notes in ([`atomic`]).

mod atomic;
mod bodies;
mod firstly;
mod ledger;
#[cfg(all(test, forloop_loom))]
mod model;
mod places;
mod planted;
mod polling;
mod ready;
mod room;
mod round;
mod slab;
mod slot;

#[cfg(forloop_loom)]
pub(crate) use self::atomic::AtomicWaker;
#[cfg(all(test, forloop_loom))]
pub(crate) use self::model::negative_controls::is_found_by;
pub(crate) use self::places::Places;
pub(crate) use self::planted::{Bug, is_planted};
pub(crate) use self::room::Room;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use self::bodies::Bodies;
use self::ready::Ready;
use self::round::Round;
use self::slot::{Slot, group_of, place_of, places, slot_at};
use crate::orphans::{Orphans, adopting};
use crate::panic::catch;
use crate::place::Started;
use crate::simulation::{self, Asked, Origin};
use crate::{Outcome, Panic, Ticket};

/// The end of a body.
#[derive(Debug)]
pub(crate) struct End<T> {
    /// The index it was put in with.
    pub(crate) index: usize,
    /// Its place in the order of ends, where that can differ from the order they are seen in.
    pub(crate) at: usize,
    pub(crate) outcome: Outcome<T>,
}

/// Started bodies, each with its index.
pub(crate) struct Set<J> {
    ready: Ready,
    bodies: Bodies<J>,
    room: Room,
    round: Round,
    /// Tasks that cancelled bodies have left behind.
    orphans: Vec<Arc<Orphans>>,
    /// `J::doom`, for a destructor that does not know what a `J` can do, if it does anything.
    doom_one: Option<fn(Pin<&J>)>,
    asked: Asked,
}

impl<J: Started> Set<J> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self::with_room(Room::UNKNOWN)
    }

    /// A set that makes its slots as `room` says.
    #[inline]
    pub(crate) fn with_room(room: Room) -> Self {
        Self {
            ready: Ready::new(),
            bodies: Bodies::new(),
            room,
            round: Round::new(),
            orphans: Vec::new(),
            doom_one: (!J::IN_TASK).then_some(J::doom),
            asked: Asked::new(Origin::unknown()),
        }
    }

    /// Says where the loop was written.
    #[inline]
    pub(crate) fn written_at(mut self, origin: Origin) -> Self {
        self.asked = Asked::new(origin);
        self
    }

    /// Has further slots made as `room` says.
    pub(crate) fn expect(&mut self, room: Room) {
        self.room = room;
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
        self.bodies.vacancy(self.room, &mut self.ready);
        let slot = self.bodies.put(index, job);
        let (group, place) = (group_of(slot), place_of(slot));
        self.ready.begin();
        let waker = self.ready.group(group).waker(place);
        match self.bodies.slab.bay_mut(group).get_mut(place) {
            Some(job) if !J::IN_TASK => job.watch(&mut Context::from_waker(&waker)),
            _ => waker.wake_by_ref(),
        }
        slot
    }

    /// Starts the bodies that `next` gives with their indices, one by one, until `most` of them go on:
    /// the last is told with `Continue`. A body that is ready at once never waits for its turn; `ended`
    /// is told its end. One that may have ended elsewhere does wait, behind those that ended before it.
    ///
    /// `caller` is whom those wake that have no wakers of their own.
    #[inline]
    pub(crate) fn start<B>(
        &mut self,
        caller: Option<&Waker>,
        most: usize,
        mut next: impl FnMut() -> ControlFlow<B, (usize, J)>,
        mut ended: impl FnMut(End<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Ticket> {
        let mut left = most;
        loop {
            let (index, job) = next()?;
            let ticket = if J::IN_TASK {
                let slot = self.bodies.vacancy(self.room, &mut self.ready);
                let mut entered = self.ready.enter();
                let starting = entered.starting(slot);
                let (first, wakers, left) = ((index, job), (&starting, caller), &mut left);
                let ticket = self.bodies.start(first, left, wakers, &mut next, &mut ended)?;
                drop(starting);
                drop(entered);
                self.ready.begin();
                ticket
            } else {
                left -= 1;
                Ticket { slot: self.put(index, job), index, attempt: 1 }
            };
            if left == 0 {
                return ControlFlow::Continue(ticket);
            }
        }
    }

    /// Whether this body still runs.
    pub(crate) fn runs(&self, Ticket { slot, index, .. }: Ticket) -> bool {
        self.bodies.slab.get(slot).is_some() && self.bodies.index(slot) == index
    }

    /// The indices of the bodies that run, in ascending order.
    pub(crate) fn indices(&self) -> Vec<usize> {
        self.bodies.indices()
    }

    /// Puts a body in that comes too late: it is asked to stop at once.
    pub(crate) fn insert_cancelled(&mut self, index: usize, job: J) -> Result<(), Panic> {
        let slot = self.put(index, job);
        let (cancelled, orphans) = adopting(None, || self.cancel_slot(slot));
        self.orphans.extend(orphans);
        cancelled
    }

    /// Asks a body that has no time left to stop, and tells its end if it has stopped. One that was
    /// woken by then is polled a last time; one that wakes the `caller` may have been.
    pub(crate) fn expire(
        &mut self,
        caller: Option<&Waker>,
        Ticket { slot, index, .. }: Ticket,
    ) -> Option<End<J::Output>> {
        let (group, place) = (group_of(slot), place_of(slot));
        let mut entered = self.ready.enter();
        let wakers = entered.group(group);
        let caller = caller.filter(|_| J::CALLERS_WAKER);
        let may_go_on =
            caller.is_some() || wakers.is_woken(place) || self.bodies.slab.bay(group).is_due(place);
        if J::IN_TASK && may_go_on {
            let end = self.bodies.turn(slot, &wakers, caller).flatten();
            if end.is_some() {
                return end;
            }
        }
        let bay = self.bodies.slab.bay_mut(group);
        bay.set_overdue(place);
        if !bay.get_mut(place).is_some_and(Started::expire) {
            return None;
        }
        let (dropped, orphans) = adopting(None, || catch(|| bay.empty(place)));
        let outcome = match (dropped, orphans) {
            (Err(panic), orphans) => {
                self.orphans.extend(orphans);
                Outcome::Panicked(panic)
            }
            (Ok(()), None) => Outcome::TimedOut,
            (Ok(()), Some(orphans)) => {
                self.bodies.leave(slot, orphans, &wakers);
                return None;
            }
        };
        self.bodies.free(slot, &wakers);
        Some(End { index, at: J::end_now(), outcome })
    }

    /// Polls the next woken body of this round. `None` when the round is over; `Some(None)` when
    /// the body goes on.
    pub(crate) fn poll_next_woken(&mut self) -> Option<Option<End<J::Output>>> {
        let mut polls = 0;
        match self.poll_round(&mut polls, 1, ControlFlow::Break) {
            ControlFlow::Break(end) => Some(Some(end)),
            ControlFlow::Continue(()) if polls > 0 => Some(None),
            ControlFlow::Continue(()) => None,
        }
    }

    /// Polls the woken bodies of this round until it is over, `polls` has come to `most`, or `ended`,
    /// which is told each end, has had enough.
    #[inline]
    pub(crate) fn poll_round<B>(
        &mut self,
        polls: &mut usize,
        most: usize,
        mut ended: impl FnMut(End<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut entered = self.ready.enter();
        while *polls < most {
            let slot = if let Some(group) = self.round.next_group() {
                let bodies = &mut self.bodies;
                let mut due = bodies.slab.bay_mut(group).take_due();
                let wakers = entered.group(group);
                let enough = bodies.turns(group, &mut due, polls, most, &wakers, &mut ended);
                let next = due.trailing_zeros() as usize;
                let is_odd = due != 0 && enough.is_continue() && *polls < most;
                let rest = if is_odd { due & (due - 1) } else { due };
                if rest != 0 {
                    bodies.slab.bay_mut(group).are_due(rest);
                    self.round.add(group);
                }
                enough?;
                if !is_odd {
                    continue;
                }
                slot_at(group, next)
            } else if let Some(slot) = self.round.next_slot(&mut self.bodies.slab) {
                slot
            } else {
                break;
            };
            if let Some(polled) = self.bodies.turn(slot, &entered.group(group_of(slot)), None) {
                *polls += 1;
                if let Some(end) = polled {
                    ended(end)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether woken bodies of this round have not been polled yet.
    #[inline]
    pub(crate) fn is_amid_round(&self) -> bool {
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
        if J::IN_TASK && self.asked.is_asked() {
            self.say_who_waits();
        }
        let (bodies, round) = (&mut self.bodies, &mut self.round);
        let is_chosen = J::IN_TASK && simulation::is_on();
        // Bodies in tasks end elsewhere, and in an order of their own; and others are not polled by groups.
        let mut is_mixed = !J::IN_TASK || J::CALLERS_WAKER || is_chosen;
        self.ready.take(|group, woken| {
            let bay = bodies.slab.bay_mut(group);
            is_mixed |= bay.is_mixed();
            if bay.are_due(woken) {
                round.add(group);
            }
        });
        if is_mixed {
            round.sort_by(bodies, Bodies::rank);
        } else {
            round.sort_groups(&bodies.slab);
        }
        if is_chosen {
            round.choose_order();
        }
        !round.is_over()
    }

    /// Begins a round with all bodies, whoever was woken and however far the last round has come.
    pub(crate) fn all_are_due(&mut self) {
        if self.asked.is_asked() {
            self.say_who_waits();
        }
        self.ready.take(|_, _| {});
        for group in 0..self.bodies.slab.bays().count() {
            let bay = self.bodies.slab.bay_mut(group);
            bay.are_due(usize::MAX);
            if bay.due() != 0 {
                self.round.add(group);
            }
        }
        self.round.sort_by(&mut self.bodies, Bodies::rank);
        if simulation::is_on() {
            self.round.choose_order();
        }
    }

    /// Polls the bodies that are due, each once and with the waker of `caller`, until `ended`, which is told
    /// each end, has had enough.
    pub(crate) fn poll_due<B>(
        &mut self,
        caller: &Waker,
        mut ended: impl FnMut(End<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        while let Some(slot) = self.round.next_slot(&mut self.bodies.slab) {
            let wakers = self.ready.group(group_of(slot));
            if let Some(end) = self.bodies.turn(slot, &wakers, Some(caller)).flatten() {
                ended(end)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Tells a simulation which bodies run, and has each polled once more, so that those tell who run
    /// bodies of their own.
    #[cold]
    fn say_who_waits(&mut self) {
        for slot in self.bodies.slots().collect::<Vec<_>>() {
            self.asked.waits(self.bodies.index(slot), core::any::type_name::<J>());
            self.ready.group(group_of(slot)).waker(place_of(slot)).wake_by_ref();
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
        self.doom();
        let ((), orphans) = adopting(None, || {
            if J::IN_TASK {
                return self.bodies.clear(&mut self.ready, panicked);
            }
            self.stop_each(|_, stopped| {
                if let Err(panic) = stopped {
                    panicked(panic);
                }
            });
        });
        self.orphans.extend(orphans);
    }

    /// Asks every body to stop, and tells the index of each and whether that went well. Whoever calls
    /// this adopts what they leave behind.
    pub(crate) fn stop_each(&mut self, mut stopped: impl FnMut(usize, Result<(), Panic>)) {
        for group in 0..self.bodies.slab.bays().count() {
            for place in places(self.bodies.slab.bay(group).occupied()) {
                let slot = slot_at(group, place);
                let index = self.bodies.index(slot);
                stopped(index, self.cancel_slot(slot));
            }
        }
    }

    /// Polls for the end of the tasks that cancelled bodies have left behind.
    pub(crate) fn poll_orphans(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(orphans) = self.orphans.last() {
            ready!(orphans.poll_ended(cx));
            self.orphans.pop();
        }
        Poll::Ready(())
    }

    fn cancel_slot(&mut self, slot: Slot) -> Result<(), Panic> {
        let bay = self.bodies.slab.bay_mut(group_of(slot));
        if !bay.get_mut(place_of(slot)).is_some_and(Started::cancel) {
            return Ok(());
        }
        let dropped = catch(|| bay.empty(place_of(slot)));
        self.bodies.free(slot, &self.ready.group(group_of(slot)));
        dropped
    }
}

impl<J> Set<J> {
    fn doom(&self) {
        let Some(doom_one) = self.doom_one else { return };
        self.bodies.slots().filter_map(|slot| self.bodies.slab.get(slot)).for_each(doom_one);
    }
}

impl<J> Drop for Set<J> {
    fn drop(&mut self) {
        self.doom();
        // One by one: the panic of one body's destructor keeps no other from running.
        if let Some(panic) = self.bodies.slab.clear() {
            panic.resume_unless_panicking();
        }
    }
}

impl<J> fmt::Debug for Set<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Set").field("running", &self.bodies.len()).finish_non_exhaustive()
    }
}
