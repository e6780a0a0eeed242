//! `timeout`: a time limit for each body.

use alloc::collections::VecDeque;
use core::fmt;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::alarm::Alarm;
use super::with_option::AddsTimeLimit;
use super::{ItemRule, OutcomeRule, RaisesPanics, Rule, WithOption, WithTimeLimit};
use crate::engine::Key;
use crate::looping::TimerSet;
use crate::{LocalTimer, Loop};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Cancels a body that has not completed `after` this much time from its start.
    ///
    /// The body is cancelled at its current await, and its outcome is
    /// [`Outcome::TimedOut`](crate::Outcome::TimedOut). The other bodies keep running, and the next item starts when
    /// the body has stopped: until then it keeps its permit. `try_` strategies stop at a time-out, as at an error.
    /// Every body is polled at least once, also with a zero duration. The time of a task counts from when it was
    /// spawned. A task that completes while it is being cancelled keeps its value.
    ///
    /// Which comes first is not promised if a body completes at the instant at which its time is over. Where the loop
    /// polls the body, in its task or on a worker, a timer of the body that was set for that instant most often completes
    /// it. A body that is a task has most often timed out.
    ///
    /// With [`retry`](Self::retry) the time-out applies to each attempt.
    ///
    /// A stream that is polled by hand checks the clock only when it is polled.
    ///
    /// # Costs
    ///
    /// One timer for the loop, independent of the number of bodies; a reading of the clock and one entry in a
    /// queue for each body. On a [worker pool](Self::on_workers) each worker has such a timer and a clone of the clock,
    /// which must be `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::time::Duration;
    ///
    /// use forloop::Outcome;
    ///
    /// async fn lengths(clock: &(impl forloop::Timer + Clone + 'static), urls: Vec<String>) {
    ///     let lengths = forloop::each(urls)
    ///         .unbounded()
    ///         .timer(clock)
    ///         .timeout(Duration::from_secs(2))
    ///         .settle(async |url| Ok::<_, String>(url.len()))
    ///         .await;
    ///     for (index, outcome) in lengths.iter().enumerate() {
    ///         if let Outcome::TimedOut = outcome {
    ///             println!("url {index} timed out");
    ///         }
    ///     }
    /// }
    /// ```
    #[doc(alias = "wait_for")]
    #[doc(alias = "AbortSignal.timeout")]
    pub fn timeout(self, after: Duration) -> Loop<S, P, L, WithTimeLimit<C, Timeout<M>>, M>
    where
        M: TimerSet,
    {
        let timeout = Timeout::new(self.timer.timer(), after);
        self.with_option(timeout)
    }
}

/// A time limit for each body.
///
/// One timer serves all bodies. They have the same limit, so the body that was started first is the first to time
/// out: a queue in the order of starts is sorted by due time, without a heap. The alarm is set for its head.
///
/// Bodies that have completed stay in the queue until they are at its head, or until the queue has doubled in length
/// and is compacted. So its length is bounded by twice the number of running bodies, and compaction costs a
/// constant number of steps for each body. Completions, which are frequent, need not find their entry.
pub struct Timeout<M: TimerSet> {
    timer: M::Timer,
    after: Duration,
    /// The bodies that were started, each with its due time and its attempt number; the earliest first.
    queue: VecDeque<(Duration, Key, u32)>,
    /// The length at which the queue is compacted.
    compact_at: usize,
    alarm: Alarm<M::Timer>,
}

/// Shorter queues are not worth compacting.
const COMPACT_AT_LEAST: usize = 64;

impl<M: TimerSet> Timeout<M> {
    fn new(timer: M::Timer, after: Duration) -> Self {
        Self {
            timer,
            after,
            queue: VecDeque::new(),
            compact_at: COMPACT_AT_LEAST,
            alarm: Alarm::default(),
        }
    }

    /// Removes the bodies that have completed, if the queue has doubled since the last time.
    fn compact(&mut self, alive: impl Fn(Key, u32) -> bool) {
        if self.queue.len() >= self.compact_at {
            self.queue.retain(|&(_, body, attempt)| alive(body, attempt));
            self.compact_at = COMPACT_AT_LEAST.max(2 * self.queue.len());
        }
    }
}

impl<C: RaisesPanics, M: TimerSet> RaisesPanics for WithOption<C, Timeout<M>, AddsTimeLimit> {}

impl<M: TimerSet> Rule for Timeout<M> {
    const HAS_SIGNALS: bool = true;
    fn for_worker(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn on_start(&mut self, body: Key, attempt: u32, alive: impl Fn(Key, u32) -> bool) {
        self.compact(alive);
        // A time that no clock can show never comes.
        if let Some(due) = self.timer.now_local().checked_add(self.after) {
            self.queue.push_back((due, body, attempt));
        }
    }

    fn poll_timed_out(
        &mut self,
        cx: &mut Context<'_>,
        alive: impl Fn(Key, u32) -> bool,
    ) -> Poll<Key> {
        while self.queue.front().is_some_and(|&(_, body, attempt)| !alive(body, attempt)) {
            self.queue.pop_front();
        }
        let Some(&(due, body, _)) = self.queue.front() else {
            self.alarm.clear();
            return Poll::Pending;
        };
        // The alarm may still be set for an earlier body. None times out before that.
        ready!(self.alarm.poll_until(&self.timer, due, cx));
        self.queue.pop_front();
        Poll::Ready(body)
    }
}

impl<I, M: TimerSet> ItemRule<I> for Timeout<M> {}
impl<T, M: TimerSet> OutcomeRule<T> for Timeout<M> {}

impl<M: TimerSet> Clone for Timeout<M> {
    fn clone(&self) -> Self {
        Self::new(self.timer.clone(), self.after)
    }
}

impl<M: TimerSet> fmt::Debug for Timeout<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("after", &self.after).finish_non_exhaustive()
    }
}
