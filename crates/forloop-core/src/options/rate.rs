//! `rate`: a limit of starts per period.

use core::fmt;
use core::mem;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::alarm::Alarm;
use super::rate_limit::{IsRate, RateLimit};
use super::schedule::Turn;
use super::{ItemRule, OutcomeRule, Rule, WithRule};
use crate::looping::TimerSet;
use crate::outcome::StopReason;
use crate::{Event, LocalTimer, Loop};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Starts at most as many bodies per period as `rate` says, evenly spaced: at ten per second, one body every
    /// 100 ms.
    ///
    /// The rate limits starts, and the [`limit`](Self::limit) limits how many bodies run at once: both apply. A
    /// [retry](Self::retry) is a start as well. The first body starts at once. A body that starts late, because
    /// its item or its permit came late, still delays the next one by a whole interval.
    ///
    /// A body that starts late because the timer fired late delays no other: those that are due by then start
    /// together, and the rate is kept. Timers of a system tick each millisecond or so, which matters at rates above a
    /// hundred per second. At most 20 ms are made up, so a longer pause of the program is no burst. In any time *t*
    /// there are at most as many starts as the rate permits in *t* + 20 ms, and its [burst](crate::Rate::burst).
    ///
    /// The loop pulls at most one item before its body may start. So it ends with its last body, or when its source
    /// fails, and not when another body might start. If the loop stops, that item is reported as not run.
    ///
    /// A [`Rate`](crate::Rate) is that of one loop, and a clone of the loop has the same rate anew. Loops with the same
    /// [`SharedRate`](crate::SharedRate) have one rate together.
    ///
    /// The algorithm is the generic cell rate algorithm (GCRA), on the clock of the loop.
    ///
    /// # Costs
    ///
    /// One timer for the loop, and a reading of the clock or two for each start.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::error::Error;
    ///
    /// use forloop::Rate;
    ///
    /// async fn lengths<R>(clock: &R, urls: Vec<String>) -> Result<Vec<usize>, Box<dyn Error>>
    /// where
    ///     R: forloop::Timer + Clone + 'static,
    /// {
    ///     let polite = forloop::each(urls).limit(50)?.timer(clock).rate(Rate::per_second(10)?);
    ///     Ok(polite.gather(async |url| url.len()).await)
    /// }
    /// ```
    #[doc(alias = "throttle")]
    #[doc(alias = "interval")]
    #[doc(alias = "rate limiter")]
    #[doc(alias = "governor")]
    pub fn rate(self, rate: impl IsRate) -> Loop<S, P, L, WithRule<C, Rated<M>>, M>
    where
        M: TimerSet,
    {
        let rated = Rated::new(self.timer.timer(), rate.into());
        self.with_option(rated)
    }
}

/// A limit of starts per period.
///
/// The schedule of the rate has the algorithm. This option reserves a slot when the loop wants to start a body, and
/// waits for it with an alarm. When the body starts, the slot is used. If something else delays the start, the
/// reservation is cancelled, and another slot is reserved when the loop asks again.
pub struct Rated<M: TimerSet> {
    timer: M::Timer,
    limit: RateLimit,
    next: NextStart,
    /// How late the last start was behind its slot.
    late: Duration,
    alarm: Alarm<M::Timer>,
}

/// The start that the loop wants next.
#[derive(Debug, Clone, Copy)]
enum NextStart {
    /// There is none.
    None,
    /// It waits for its turn.
    Reserved {
        ticket: u64,
        /// Until when it waits, by the clock of the schedule and by the loop's own.
        alarm: Option<(Duration, Duration)>,
    },
    /// It may happen now.
    Permitted { ticket: u64 },
}

impl<M: TimerSet> Rated<M> {
    fn new(timer: M::Timer, limit: RateLimit) -> Self {
        Self { timer, limit, next: NextStart::None, late: Duration::ZERO, alarm: Alarm::default() }
    }
}

impl<M: TimerSet> Rated<M> {
    fn reserve(&mut self, now: Duration) -> u64 {
        let late = self.late;
        self.limit.with(|schedule| schedule.reserve(now, late))
    }
}

impl<M: TimerSet> Rule for Rated<M> {
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut now = self.limit.now(&self.timer);
        if let NextStart::Permitted { .. } = self.next {
            // Something else has delayed that start, so this is another one.
            self.late = Duration::ZERO;
            self.cancel_start();
        }
        loop {
            let (ticket, alarm) = match self.next {
                NextStart::Reserved { ticket, alarm } => (ticket, alarm),
                NextStart::None | NextStart::Permitted { .. } => (self.reserve(now), None),
            };
            let (ticket, turn) = self.limit.turn(ticket, now, cx);
            let not_before = match turn {
                Turn::Now { slot } => {
                    self.late = now - slot;
                    self.next = NextStart::Permitted { ticket };
                    self.alarm.clear();
                    return Poll::Ready(());
                }
                Turn::NotBefore(time) => time,
                Turn::Cancelled => {
                    self.next = NextStart::None;
                    continue;
                }
            };
            // The loop's own clock may show another time than that of the schedule.
            let due = match alarm {
                Some((time, due)) if time == not_before => due,
                Some(_) | None => self.timer.now_local().saturating_add(not_before - now),
            };
            self.next = NextStart::Reserved { ticket, alarm: Some((not_before, due)) };
            ready!(self.alarm.poll_until(&self.timer, due, cx));
            self.next = NextStart::Reserved { ticket, alarm: None };
            now = self.limit.now(&self.timer);
        }
    }

    fn cancel_start(&mut self) {
        match mem::replace(&mut self.next, NextStart::None) {
            NextStart::None => {}
            NextStart::Reserved { ticket, .. } | NextStart::Permitted { ticket } => {
                self.limit.cancel(ticket);
            }
        }
        self.alarm.clear();
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        if let Event::Started { .. } = event
            && let NextStart::Permitted { ticket } = self.next
        {
            self.next = NextStart::None;
            self.limit.start(ticket);
        }
        None
    }
}

impl<I, M: TimerSet> ItemRule<I> for Rated<M> {}
impl<T, M: TimerSet> OutcomeRule<T> for Rated<M> {}

/// The clone starts anew, or shares the rate if it is shared.
impl<M: TimerSet> Clone for Rated<M> {
    fn clone(&self) -> Self {
        Self::new(self.timer.clone(), self.limit.clone())
    }
}

impl<M: TimerSet> Drop for Rated<M> {
    fn drop(&mut self) {
        if let NextStart::Reserved { ticket, .. } | NextStart::Permitted { ticket } = self.next {
            self.limit.cancel(ticket);
        }
    }
}

impl<M: TimerSet> fmt::Debug for Rated<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rated").field("limit", &self.limit).finish_non_exhaustive()
    }
}
