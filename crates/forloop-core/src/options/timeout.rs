//! `timeout`: how long each body may take.

use alloc::collections::VecDeque;
use core::fmt;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::alarm::Alarm;
use super::with_option::AddsOutcomes;
use super::{ItemRule, OutcomeRule, RaisesPanics, Rule, WithOption, WithOutcomes};
use crate::engine::Key;
use crate::{Loop, Timer};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Gives each body so much time, from its start.
    ///
    /// A body that has not ended by then is stopped at its current await, and its outcome is
    /// [`Outcome::TimedOut`](crate::Outcome::TimedOut); the others go on, and the next item takes
    /// its place. `try_` strategies stop at it, as at an error. Every body is polled at least once,
    /// also without any time; a task's time counts from when it was spawned. A task that ends while
    /// it is asked to stop keeps its value.
    ///
    /// A stream that is polled by hand looks at the clock only when it is polled.
    ///
    /// Costs one timer for the loop, however many bodies run, and a reading of the clock and one
    /// entry in a list for each body.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::time::Duration;
    ///
    /// use forloop::Outcome;
    ///
    /// async fn lengths(runtime: &(impl forloop::Timer + Clone + 'static), urls: Vec<String>) {
    ///     let lengths = forloop::each(urls)
    ///         .unbounded()
    ///         .timeout(runtime, Duration::from_secs(2))
    ///         .settle(async |url| Ok::<_, String>(url.len()))
    ///         .await;
    ///     for (index, outcome) in lengths.iter().enumerate() {
    ///         if let Outcome::TimedOut = outcome {
    ///             println!("url {index} took too long");
    ///         }
    ///     }
    /// }
    /// ```
    pub fn timeout<R: Timer + Clone + 'static>(
        self,
        timer: &R,
        after: Duration,
    ) -> Loop<S, P, L, WithOutcomes<C, Timeout<R>>> {
        self.with_option(Timeout::new(timer.clone(), after))
    }
}

/// How long each body may take.
pub struct Timeout<R> {
    timer: R,
    after: Duration,
    /// The bodies that have begun, each with the time by which it must have ended. All have the
    /// same time, so the first to begin is the first to be late.
    line: VecDeque<(Duration, Key)>,
    /// The length at which those that have ended are taken out of the line.
    tidy_at: usize,
    /// One timer, for the first in line.
    alarm: Alarm,
}

/// Shorter lines are not worth tidying.
const TIDY_AT_LEAST: usize = 64;

impl<R> Timeout<R> {
    fn new(timer: R, after: Duration) -> Self {
        Self {
            timer,
            after,
            line: VecDeque::new(),
            tidy_at: TIDY_AT_LEAST,
            alarm: Alarm::default(),
        }
    }

    /// Those that have ended leave the line when it has doubled: so it is no longer than twice as
    /// many bodies as run, and each is looked at a fixed number of times.
    fn tidy(&mut self, alive: impl Fn(Key) -> bool) {
        if self.line.len() >= self.tidy_at {
            self.line.retain(|&(_, body)| alive(body));
            self.tidy_at = TIDY_AT_LEAST.max(2 * self.line.len());
        }
    }
}

#[diagnostic::do_not_recommend]
impl<C: RaisesPanics, R: Timer + 'static> RaisesPanics for WithOption<C, Timeout<R>, AddsOutcomes> {}

impl<R: Timer + 'static> Rule for Timeout<R> {
    fn begun(&mut self, body: Key, alive: impl Fn(Key) -> bool) {
        self.tidy(alive);
        // A time that no clock can show never comes.
        if let Some(due) = self.timer.now().checked_add(self.after) {
            self.line.push_back((due, body));
        }
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>, alive: impl Fn(Key) -> bool) -> Poll<Key> {
        while self.line.front().is_some_and(|&(_, body)| !alive(body)) {
            self.line.pop_front();
        }
        let Some(&(due, body)) = self.line.front() else {
            self.alarm.clear();
            return Poll::Pending;
        };
        // The alarm may still be set for a body before this one: until then no body is late.
        ready!(self.alarm.poll_until(&self.timer, due, cx));
        self.line.pop_front();
        Poll::Ready(body)
    }
}

impl<I, R: Timer + 'static> ItemRule<I> for Timeout<R> {}
impl<T, R: Timer + 'static> OutcomeRule<T> for Timeout<R> {}

impl<R: Clone> Clone for Timeout<R> {
    fn clone(&self) -> Self {
        Self::new(self.timer.clone(), self.after)
    }
}

impl<R> fmt::Debug for Timeout<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("after", &self.after).finish_non_exhaustive()
    }
}
