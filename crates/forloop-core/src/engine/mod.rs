//! The engine: a set of started bodies, polled when they are woken.
//!
//! Every strategy stands on this one interface:
//!
//! - a body is polled when it is put in, and after that once per wake;
//! - every woken body is polled before any is polled again, those woken together in the order of
//!   their index (spawned ones in the order of their ends);
//! - a wake is O(1), and a slot that was used once is used again: a loop with a limit allocates
//!   for its limit, not for its items.

mod atomic;
#[cfg(all(test, forloop_loom))]
mod model;
mod ready;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use self::ready::Ready;
use crate::orphans::{Orphans, adopting};
use crate::panic::catch;
use crate::place::Started;
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
    slots: Vec<Slot<J>>,
    /// Slots without a body.
    free: Vec<usize>,
    /// The woken slots of this round, the next one last.
    round: Vec<Woken>,
    /// Tasks that cancelled bodies have left behind.
    orphans: Vec<Arc<Orphans>>,
    /// `J::doom`, for a destructor that does not know what a `J` can do.
    doom_one: fn(Pin<&J>),
}

struct Slot<J> {
    /// The body, at an address that never changes.
    job: Pin<Box<Option<J>>>,
    waker: Waker,
    index: usize,
    /// The body had no time left and was asked to stop.
    is_overdue: bool,
    /// What a body without time has left behind: until that has ended, it has not stopped.
    orphans: Option<Arc<Orphans>>,
}

/// A woken slot and its place in the round.
struct Woken {
    rank: usize,
    slot: usize,
}

impl<J: Started> Set<J> {
    pub(crate) fn new() -> Self {
        Self {
            ready: Ready::new(),
            slots: Vec::new(),
            free: Vec::new(),
            round: Vec::new(),
            orphans: Vec::new(),
            doom_one: J::doom,
        }
    }

    /// How many bodies run.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a body in without polling it: it counts as woken. One that goes on by itself counts as
    /// woken when it has ended.
    pub(crate) fn insert(&mut self, index: usize, job: J) {
        self.put(index, job);
    }

    fn put(&mut self, index: usize, job: J) -> usize {
        let slot = self.place(index, job);
        let Slot { job, waker, .. } = &mut self.slots[slot];
        match job.as_mut().as_pin_mut() {
            Some(job) if !J::IN_TASK => job.watch(&mut Context::from_waker(waker)),
            _ => waker.wake_by_ref(),
        }
        slot
    }

    /// Puts a body in and polls it; a body that is ready at once never waits for its turn. One
    /// that may have ended elsewhere does, behind those that ended before it. Gives its slot if it
    /// goes on.
    pub(crate) fn start(&mut self, index: usize, job: J) -> Result<usize, End<J::Output>> {
        if !J::IN_TASK {
            return Ok(self.put(index, job));
        }
        let slot = self.place(index, job);
        match self.poll_slot(slot) {
            None => Ok(slot),
            Some(end) => Err(end),
        }
    }

    /// Whether this body still runs.
    pub(crate) fn runs(&self, Ticket { slot, index }: Ticket) -> bool {
        self.slots[slot].index == index && self.slots[slot].job.is_some()
    }

    /// The indices of the bodies that run, in ascending order.
    pub(crate) fn indices(&self) -> Vec<usize> {
        let running = self.slots.iter().filter(|slot| slot.job.is_some());
        let mut indices: Vec<_> = running.map(|slot| slot.index).collect();
        indices.sort_unstable();
        indices
    }

    /// Puts a body in that comes too late: it is asked to stop at once.
    pub(crate) fn insert_cancelled(&mut self, index: usize, job: J) -> Result<(), Panic> {
        let slot = self.put(index, job);
        let (cancelled, orphans) = adopting(None, || self.cancel_slot(slot));
        self.orphans.extend(orphans);
        cancelled
    }

    /// Asks a body that has no time left to stop, and tells its end if it has stopped. One that was
    /// woken by then is polled a last time.
    pub(crate) fn expire(&mut self, Ticket { slot, index }: Ticket) -> Option<End<J::Output>> {
        if J::IN_TASK
            && self.ready.is_woken(slot)
            && let Some(end) = self.poll_slot(slot)
        {
            return Some(end);
        }
        let Slot { job, is_overdue, .. } = &mut self.slots[slot];
        *is_overdue = true;
        if !job.as_mut().as_pin_mut().is_some_and(Started::expire) {
            return None;
        }
        let (dropped, orphans) = adopting(None, || catch(|| self.slots[slot].job.set(None)));
        let outcome = match (dropped, orphans) {
            (Err(panic), orphans) => {
                self.orphans.extend(orphans);
                Outcome::Panicked(panic)
            }
            (Ok(()), None) => Outcome::TimedOut,
            (Ok(()), Some(orphans)) => {
                let Slot { orphans: left, waker, .. } = &mut self.slots[slot];
                *left = Some(orphans);
                waker.wake_by_ref();
                return None;
            }
        };
        self.release(slot);
        Some(End { index, at: J::end_now(), outcome })
    }

    /// Polls the next woken body of this round. `None` when the round is over; `Some(None)` when
    /// the body goes on.
    pub(crate) fn poll_next_woken(&mut self) -> Option<Option<End<J::Output>>> {
        while let Some(Woken { slot, .. }) = self.round.pop() {
            if self.slots[slot].job.is_some() {
                return Some(self.poll_slot(slot));
            }
            if self.slots[slot].orphans.is_some() {
                return Some(self.poll_left(slot));
            }
        }
        None
    }

    /// Whether woken bodies of this round have not been polled yet.
    pub(crate) fn is_amid_round(&self) -> bool {
        !self.round.is_empty()
    }

    /// Begins the next round with all bodies woken by now; `false` if there are none.
    pub(crate) fn next_round(&mut self) -> bool {
        debug_assert!(self.round.is_empty(), "a round is over when its last body was polled");
        let (slots, round) = (&self.slots, &mut self.round);
        self.ready.take(|slot| {
            let Slot { job, index, orphans, .. } = &slots[slot];
            let rank = match job.as_ref().as_pin_ref() {
                Some(job) => job.rank(*index),
                None => orphans.is_some().then_some(*index),
            };
            round.extend(rank.map(|rank| Woken { rank, slot }));
        });
        // Taken from the end, so sorted from last to first.
        if !round.is_sorted_by(|a, b| a.rank >= b.rank) {
            round.sort_unstable_by_key(|woken| Reverse(woken.rank));
        }
        !round.is_empty()
    }

    /// Goes to sleep until a body is woken; `false` if one was woken already.
    pub(crate) fn sleep(&self, cx: &Context<'_>) -> bool {
        self.round.is_empty() && self.ready.sleep(cx.waker())
    }

    /// Asks every body to stop. Those that stop at once are gone when this returns; a panic of
    /// their destructors is handed to `panicked`.
    pub(crate) fn cancel(&mut self, mut panicked: impl FnMut(Panic)) {
        // None goes on for the news of another's end.
        self.doom();
        let ((), orphans) = adopting(None, || {
            for slot in 0..self.slots.len() {
                if let Err(panic) = self.cancel_slot(slot) {
                    panicked(panic);
                }
            }
        });
        self.orphans.extend(orphans);
    }

    /// Polls for the end of the tasks that cancelled bodies have left behind.
    pub(crate) fn poll_orphans(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(orphans) = self.orphans.last() {
            ready!(orphans.poll_ended(cx));
            self.orphans.pop();
        }
        Poll::Ready(())
    }

    fn cancel_slot(&mut self, slot: usize) -> Result<(), Panic> {
        let job = self.slots[slot].job.as_mut().as_pin_mut();
        if job.is_some_and(Started::cancel) { self.clear(slot) } else { Ok(()) }
    }

    /// Moves `job` into a free slot.
    fn place(&mut self, index: usize, job: J) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            let slot = self.slots.len();
            let waker = self.ready.waker(slot);
            let job = Box::pin(None);
            self.slots.push(Slot { job, waker, index, is_overdue: false, orphans: None });
            slot
        });
        self.slots[slot].index = index;
        self.slots[slot].is_overdue = false;
        self.slots[slot].job.set(Some(job));
        slot
    }

    fn poll_slot(&mut self, slot: usize) -> Option<End<J::Output>> {
        let Slot { job, waker, index, is_overdue, .. } = &mut self.slots[slot];
        let (index, is_overdue) = (*index, *is_overdue);
        let mut job = job.as_mut().as_pin_mut().expect("only an occupied slot is polled");
        let mut cx = Context::from_waker(waker);
        let outcome = match catch(|| job.as_mut().poll_outcome(&mut cx)) {
            Ok(Poll::Pending) => return None,
            Ok(Poll::Ready(outcome)) => outcome,
            Err(panic) => Outcome::Panicked(panic),
        };
        let at = job.ended_at();
        // The body's destructors run before its end is told; if they panic, that is its end.
        let outcome = match (self.clear(slot), outcome) {
            (Err(panic), Outcome::Ok(_) | Outcome::Cancelled | Outcome::NotRun) => {
                Outcome::Panicked(panic)
            }
            // One that was never polled was dropped by its runtime.
            (Ok(()), Outcome::Cancelled) if is_overdue => Outcome::TimedOut,
            (_, outcome) => outcome,
        };
        Some(End { index, at, outcome })
    }

    /// Polls for the end of what a body without time has left behind.
    fn poll_left(&mut self, slot: usize) -> Option<End<J::Output>> {
        let Slot { orphans, waker, index, .. } = &mut self.slots[slot];
        let index = *index;
        let left = orphans.as_ref().expect("only such a slot is polled");
        if left.poll_ended(&mut Context::from_waker(waker)).is_pending() {
            return None;
        }
        *orphans = None;
        self.release(slot);
        Some(End { index, at: J::end_now(), outcome: Outcome::TimedOut })
    }

    /// Drops a slot's body and frees the slot, also if the drop panics.
    fn clear(&mut self, slot: usize) -> Result<(), Panic> {
        let dropped = catch(|| self.slots[slot].job.set(None));
        self.release(slot);
        dropped
    }

    fn release(&mut self, slot: usize) {
        self.ready.forget(slot);
        self.free.push(slot);
    }
}

impl<J> Set<J> {
    fn doom(&self) {
        for job in self.slots.iter().filter_map(|slot| slot.job.as_ref().as_pin_ref()) {
            (self.doom_one)(job);
        }
    }
}

impl<J> Drop for Set<J> {
    fn drop(&mut self) {
        self.doom();
        // One by one: the panic of one body's destructor keeps no other from running.
        let mut first = None;
        for slot in &mut self.slots {
            if let Err(panic) = catch(|| slot.job.set(None)) {
                first.get_or_insert(panic);
            }
        }
        if let Some(panic) = first {
            panic.resume_unless_panicking();
        }
    }
}

impl<J> fmt::Debug for Set<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = self.slots.len() - self.free.len();
        f.debug_struct("Set").field("running", &running).finish_non_exhaustive()
    }
}
