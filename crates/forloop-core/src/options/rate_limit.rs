//! The rate of a loop: its own, or one that it shares with other loops.

use core::fmt;
use core::task::{Context, Waker};
use core::time::Duration;

use super::Rate;
use super::schedule::{Schedule, Turn};
#[cfg(feature = "std")]
use super::shared_rate::SharedRate;
use crate::LocalTimer;

/// The rate of a loop: a [`Rate`] of its own, or a [`SharedRate`](crate::SharedRate).
pub struct RateLimit(Kind);

enum Kind {
    Own(Schedule),
    #[cfg(feature = "std")]
    Shared(SharedRate),
}

/// What [`Loop::rate`](crate::Loop::rate) takes: a [`Rate`], or a [`SharedRate`](crate::SharedRate).
///
/// What converts into a [`RateLimit`] implements it; the trait exists for the compiler's diagnostics.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rate",
    label = "expected a `Rate` or a `SharedRate`",
    note = "for a number of starts per second: `.rate(forloop::Rate::per_second(n)?)`"
)]
pub trait IsRate: Into<RateLimit> {}

#[diagnostic::do_not_recommend]
impl<R: Into<RateLimit>> IsRate for R {}

impl RateLimit {
    /// Calls `call` with the schedule. No waker is woken or dropped meanwhile.
    pub(super) fn with<T>(&mut self, call: impl FnOnce(&mut Schedule) -> T) -> T {
        match &mut self.0 {
            Kind::Own(schedule) => call(schedule),
            #[cfg(feature = "std")]
            Kind::Shared(shared) => shared.with(call),
        }
    }

    fn is_shared(&self) -> bool {
        match self.0 {
            Kind::Own(_) => false,
            #[cfg(feature = "std")]
            Kind::Shared(_) => true,
        }
    }

    /// The time of the schedule's clock. `timer` is the loop's own.
    pub(super) fn now(&self, timer: &impl LocalTimer) -> Duration {
        match &self.0 {
            Kind::Own(_) => timer.now_local(),
            #[cfg(feature = "std")]
            Kind::Shared(shared) => shared.now(),
        }
    }

    /// The reservation, renewed if it is too late for it, and whether its slot may be used. If not, the loop is woken
    /// when its turn comes earlier than is said.
    pub(super) fn turn(&mut self, ticket: u64, now: Duration, cx: &Context<'_>) -> (u64, Turn) {
        let waker = self.is_shared().then(|| cx.waker().clone());
        let (ticket, (turn, unused), cancelled) = self.with(|schedule| {
            let (ticket, cancelled) = schedule.renew(ticket, now);
            (ticket, schedule.turn(ticket, now, waker), cancelled)
        });
        drop(unused);
        wake_all(cancelled);
        (ticket, turn)
    }

    pub(super) fn start(&mut self, ticket: u64) {
        let [own, next] = self.with(|schedule| schedule.start(ticket));
        drop(own);
        wake_all(next);
    }

    pub(super) fn cancel(&mut self, ticket: u64) {
        wake_all(self.with(|schedule| schedule.cancel(ticket)));
    }
}

fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

impl From<Rate> for RateLimit {
    fn from(rate: Rate) -> Self {
        Self(Kind::Own(Schedule::new(rate)))
    }
}

#[cfg(feature = "std")]
impl From<SharedRate> for RateLimit {
    fn from(shared: SharedRate) -> Self {
        Self(Kind::Shared(shared))
    }
}

#[cfg(feature = "std")]
impl From<&SharedRate> for RateLimit {
    fn from(shared: &SharedRate) -> Self {
        Self(Kind::Shared(shared.clone()))
    }
}

/// The clone of a loop's own rate starts anew.
impl Clone for RateLimit {
    fn clone(&self) -> Self {
        match &self.0 {
            Kind::Own(schedule) => schedule.rate().into(),
            #[cfg(feature = "std")]
            Kind::Shared(shared) => shared.into(),
        }
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Own(schedule) => schedule.rate().fmt(f),
            #[cfg(feature = "std")]
            Kind::Shared(shared) => shared.fmt(f),
        }
    }
}
