//! The schedule of a rate: when the next body may start.

use alloc::vec::Vec;
use core::mem;
use core::task::Waker;
use core::time::Duration;

use super::Rate;

/// How late a start may be behind its slot and still count at its slot.
///
/// No timer of a system is exact: most tick each millisecond, and the coarsest each 15.6 ms. What is due at a higher
/// rate than that starts together, at the next tick. A pause of the program may last much longer, and is not made up.
const CATCH_UP: Duration = Duration::from_millis(20);

/// Gives each start of a loop, or of several loops, its slot: the earliest moment at which it may happen.
///
/// **The rate.** This is the generic cell rate algorithm (GCRA). `next` is the slot of the next start if all starts are
/// evenly spaced. A burst lets a start take its slot up to `burst - 1` intervals before that, but not before it is
/// wanted.
///
/// **Late starts.** A start that is wanted counts at its slot and not when it happens, so a timer that fires late does
/// not slow the loop down. What a slot is wanted for is then due at once, up to the moment at which the timer fired.
/// The delay that is made up is at most [`CATCH_UP`]. So in any time `t` there are at most as many starts as the rate
/// permits in `t + CATCH_UP`, and the burst. A start that was not wanted in time counts when it is wanted, because its
/// item or its permit came late: the schedule has no slots in the past.
///
/// **Reservations.** A loop reserves a slot as soon as it wants to start a body, one at a time. So loops that share a
/// schedule take turns. A loop that does not want its slot any more cancels its reservation. Those behind it are
/// cancelled with it, and their loops are woken and reserve again.
///
/// Where several slots are due at once, because a timer fired late, the loops take turns, too: the start of one wakes
/// the next. A loop that does not use its slot within [`CATCH_UP`], because nothing polls it, is passed over.
#[derive(Debug)]
pub(super) struct Schedule {
    rate: Rate,
    next: Duration,
    /// Slots that are reserved and not used, the earliest reservation first.
    reserved: Vec<Reserved>,
    /// The number of reservations so far.
    tickets: u64,
    /// The latest reservation that was used.
    last_used: u64,
}

#[derive(Debug)]
struct Reserved {
    ticket: u64,
    slot: Duration,
    /// `next` before this reservation.
    next_before: Duration,
    /// Of the loop that waits, if it shares the schedule.
    waker: Option<Waker>,
    /// The loop waits for the start before its own, and not for its slot.
    is_behind: bool,
}

/// Whether a reserved slot may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may be used now.
    Now {
        /// The slot.
        slot: Duration,
    },
    /// Not before that time, unless the loop is woken.
    NotBefore(Duration),
    /// The reservation was cancelled: there is an earlier slot.
    Cancelled,
}

impl Schedule {
    pub(super) fn new(rate: Rate) -> Self {
        let reserved = Vec::new();
        Self { rate, next: Duration::ZERO, reserved, tickets: 0, last_used: 0 }
    }

    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    /// Reserves the next slot for a start that is wanted `now`. The start before it was `late` behind its slot.
    /// Returns the number of the reservation.
    pub(super) fn reserve(&mut self, now: Duration, late: Duration) -> u64 {
        let earliest = self.next.saturating_sub(self.rate.span_of_burst());
        let is_pause = now.saturating_sub(earliest) > CATCH_UP;
        let wanted = if is_pause { now } else { now.saturating_sub(late) };
        self.add(earliest.max(wanted))
    }

    /// Reserves another slot in place of this one if it is too late for it by now. Returns the number of the
    /// reservation, and the wakers of the loops whose reservations are cancelled for it.
    pub(super) fn renew(&mut self, ticket: u64, now: Duration) -> (u64, Vec<Waker>) {
        let latest = now.saturating_sub(CATCH_UP);
        let is_too_late = self.position(ticket).is_some_and(|at| self.reserved[at].slot < latest);
        if !is_too_late {
            return (ticket, Vec::new());
        }
        let cancelled = self.cancel(ticket);
        let earliest = self.next.saturating_sub(self.rate.span_of_burst());
        (self.add(earliest.max(latest)), cancelled)
    }

    fn add(&mut self, slot: Duration) -> u64 {
        self.tickets += 1;
        let (ticket, next_before) = (self.tickets, self.next);
        self.next = self.next.max(slot).saturating_add(self.rate.interval());
        self.reserved.push(Reserved { ticket, slot, next_before, waker: None, is_behind: false });
        ticket
    }

    fn position(&self, ticket: u64) -> Option<usize> {
        self.reserved.binary_search_by_key(&ticket, |reserved| reserved.ticket).ok()
    }

    /// Whether the slot of this reservation may be used now. If not, `waker` is woken when the turn comes earlier than
    /// is said. Returns the waker that is not needed any more, too.
    pub(super) fn turn(
        &mut self,
        ticket: u64,
        now: Duration,
        waker: Option<Waker>,
    ) -> (Turn, Option<Waker>) {
        let Some(at) = self.position(ticket) else { return (Turn::Cancelled, waker) };
        let slot = self.reserved[at].slot;
        // Slots before that of the reservation before this one are even older.
        let before = at.checked_sub(1).map(|before| self.reserved[before].slot);
        let passed_over = before.map(|slot| slot.saturating_add(CATCH_UP));
        let reserved = &mut self.reserved[at];
        reserved.is_behind = slot <= now && passed_over.is_some_and(|time| now < time);
        let turn = match passed_over {
            _ if now < slot => Turn::NotBefore(slot),
            Some(time) if reserved.is_behind => Turn::NotBefore(time),
            Some(_) | None => return (Turn::Now { slot }, waker),
        };
        (turn, mem::replace(&mut reserved.waker, waker))
    }

    /// Uses a reserved slot. Returns its waker, to be dropped, and that of the loop whose turn it is now.
    pub(super) fn start(&mut self, ticket: u64) -> [Option<Waker>; 2] {
        let Some(at) = self.position(ticket) else { return [None, None] };
        self.last_used = self.last_used.max(ticket);
        self.remove(at)
    }

    fn remove(&mut self, at: usize) -> [Option<Waker>; 2] {
        let waker = self.reserved.remove(at).waker;
        let behind = self.reserved.get_mut(at).filter(|behind| behind.is_behind);
        [waker, behind.and_then(|behind| behind.waker.take())]
    }

    /// Cancels a reservation. Returns the wakers of the loops whose reservations are cancelled with it.
    pub(super) fn cancel(&mut self, ticket: u64) -> Vec<Waker> {
        let Some(at) = self.position(ticket) else { return Vec::new() };
        if self.last_used > ticket {
            // A later slot was used, so this one has passed.
            return self.remove(at).into_iter().flatten().collect();
        }
        self.next = self.reserved[at].next_before;
        self.reserved.drain(at..).filter_map(|reserved| reserved.waker).collect()
    }
}
