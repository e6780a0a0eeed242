//! `retry`: failed bodies are retried.

use alloc::collections::{BTreeMap, BinaryHeap};
use core::cmp::Reverse;
use core::fmt;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::alarm::Alarm;
use super::backoff::Backoff;
use super::{ItemRule, OutcomeRule, Rule, Sealed, WithRule};
use crate::looping::TimerSet;
use crate::outcome::StopReason;
use crate::{Event, LocalTimer, Loop, Outcome};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Retries a body that has failed, after a back-off.
    ///
    /// `retry` is a [`Backoff`]: an iterator over [`Duration`]s that can be cloned, or, with the feature `backon`, an
    /// `ExponentialBuilder`, `FibonacciBuilder` or `ConstantBuilder` of the crate backon. A [`Retry`] made of a
    /// back-off also sets which failures are retried, how an error changes the delay, and for how long the loop
    /// retries. Each item has its own back-off with its own jitter.
    ///
    /// A body has failed if it returned an error or timed out. A panic is a bug and is not retried, also if it is
    /// [caught](Self::catch_panics). The outcome of the last attempt is the item's outcome, and those before it are
    /// dropped; [`on_failure`](Self::on_failure) is called with each of them. The number of attempts is in
    /// [`Settled::attempts`](crate::Settled::attempts), in [`Failure::attempts`](crate::Failure::attempts), and in the
    /// [events](Self::observe) of the loop.
    ///
    /// The [`timeout`](Self::timeout) applies to each attempt. [`Retry::within`] limits the time from the first
    /// attempt to the start of the last. The [`deadline`](Self::deadline) applies to the loop.
    ///
    /// A waiting retry keeps its permit. Memory stays bounded by the limit, and an overloaded server gets no extra
    /// requests during the back-off. If the loop stops during a back-off, the item's outcome is its last failure.
    ///
    /// The item is cloned for each attempt. If a clone is expensive, loop over references (`each(&urls)`), or over `Arc`s where
    /// the bodies are tasks.
    ///
    /// # Costs
    ///
    /// An entry in an ordered map for each running item, a back-off for each item that has failed, and one timer for
    /// the loop, or two with [`Retry::within`].
    ///
    /// # Panics
    ///
    /// If the back-off or a closure of [`Retry`] panics, the panic propagates as one of the source does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::io;
    /// use std::time::Duration;
    ///
    /// # #[cfg(feature = "backon")]
    /// # {
    /// use forloop::backon::ExponentialBuilder;
    /// # async fn fetch(url: &str) -> io::Result<String> { Ok(url.into()) }
    ///
    /// async fn fetch_all<R>(clock: &R, urls: &[String]) -> Result<(), Box<dyn std::error::Error>>
    /// where
    ///     R: forloop::Timer + Clone + 'static,
    /// {
    ///     let pages = forloop::each(urls)
    ///         .limit(50)?
    ///         .timer(clock)
    ///         .timeout(Duration::from_secs(2))
    ///         .retry(ExponentialBuilder::default().with_max_times(3).with_jitter())
    ///         .settle(|url| fetch(url))
    ///         .await;
    ///     for (index, error) in pages.errors() {
    ///         eprintln!("{}: {error}, {} attempts", urls[index], pages.attempts(index));
    ///     }
    ///     Ok(())
    /// }
    /// # }
    /// ```
    #[doc(alias = "backoff")]
    #[doc(alias = "exponential backoff")]
    pub fn retry<B, W>(
        self,
        retry: impl IntoRetry<B, W>,
    ) -> Loop<S, P, L, WithRule<C, Retrying<M, B, B::Delays, W>>, M>
    where
        M: TimerSet,
        B: Backoff,
    {
        let retrying = Retrying::new(self.timer.timer(), retry.into());
        self.with_option(retrying)
    }
}

/// When a failed body is retried: the back-off, after which failures, and for how long.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// use std::time::Duration;
///
/// use forloop::Retry;
///
/// struct HttpError {
///     status: u16,
///     /// The header `Retry-After`.
///     retry_after: Option<Duration>,
/// }
///
/// let backoff = [100, 400, 1600].map(Duration::from_millis).into_iter();
/// let retry = Retry::new(backoff)
///     .when(|error: &HttpError| error.status == 429 || error.status == 503)
///     .when_timed_out(false)
///     .adjust(|error: &HttpError, delay| error.retry_after.unwrap_or(delay))
///     .within(Duration::from_secs(60));
/// # drop(retry);
/// ```
#[derive(Clone)]
pub struct Retry<B, W = AnyError> {
    backoff: B,
    errors: W,
    when_timed_out: bool,
    within: Option<Duration>,
    at_most: u32,
}

/// The default of [`Retry::at_most`]. It ends a back-off that never ends.
const AT_MOST: u32 = 1000;

impl<B> Retry<B> {
    /// Retries after any failure, until the back-off ends or an item has had 1,000 attempts.
    ///
    /// `backoff` is a [`Backoff`], or a builder of the crate backon.
    pub fn new(backoff: impl IntoRetry<B, AnyError>) -> Self {
        backoff.into()
    }
}

impl<B, W> Retry<B, W> {
    /// Retries after an error only if `is_transient` returns true for it.
    ///
    /// Time-outs have no error: [`when_timed_out`](Self::when_timed_out) says whether they are retried. If `when` is
    /// called twice, both closures must return true.
    pub fn when<E, G: FnMut(&E) -> bool>(self, is_transient: G) -> Retry<B, RetryIf<G, W>> {
        self.with_errors(|earlier| RetryIf { is_transient, earlier })
    }

    /// Sets whether a body that timed out is retried. The default is true.
    pub fn when_timed_out(self, is_retried: bool) -> Self {
        Self { when_timed_out: is_retried, ..self }
    }

    /// Sets the delay after an error, given the one of the back-off: for the HTTP header `Retry-After`, for example.
    ///
    /// To wait as long as the server says: `|error, delay| error.retry_after.unwrap_or(delay)`. To wait at least as
    /// long: `|error, delay| error.retry_after.unwrap_or_default().max(delay)`. The back-off still limits the number of
    /// attempts, and so do [`at_most`](Self::at_most) and [`within`](Self::within). `delay` is called only after an
    /// error that is retried, and not after a time-out.
    #[doc(alias = "retry_after")]
    pub fn adjust<E, G: FnMut(&E, Duration) -> Duration>(
        self,
        delay: G,
    ) -> Retry<B, Adjusted<G, W>> {
        self.with_errors(|earlier| Adjusted { delay, earlier })
    }

    fn with_errors<X>(self, errors: impl FnOnce(W) -> X) -> Retry<B, X> {
        let Self { backoff, errors: earlier, when_timed_out, within, at_most } = self;
        Retry { backoff, errors: errors(earlier), when_timed_out, within, at_most }
    }

    /// Sets the maximum number of attempts per item, including the first. The default is 1,000, so a back-off that
    /// never ends does not keep a loop running forever.
    pub fn at_most(self, attempts: u32) -> Self {
        Self { at_most: attempts, ..self }
    }

    /// Starts no attempt later than `time` after the first attempt at the same item. An attempt that runs at that
    /// moment is not stopped. With a [`timeout`](Loop::timeout) for each attempt, an item takes no longer than both
    /// together.
    pub fn within(self, time: Duration) -> Self {
        Self { within: Some(time), ..self }
    }
}

impl<B: Backoff> From<B> for Retry<B> {
    fn from(backoff: B) -> Self {
        Self { backoff, errors: AnyError, when_timed_out: true, within: None, at_most: AT_MOST }
    }
}

/// What [`Loop::retry`] takes: a [`Backoff`], a builder of the crate backon, or a [`Retry`].
///
/// What converts into a [`Retry`] implements it; the trait exists for the compiler's diagnostics.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a back-off",
    label = "expected the delays between the attempts at an item",
    note = "for three retries: `ExponentialBuilder::default().with_max_times(3)` of `forloop::backon`, or \
            `[delay; 3].into_iter()` with a `Duration`"
)]
pub trait IntoRetry<B, W>: Into<Retry<B, W>> {}

#[diagnostic::do_not_recommend]
impl<R: Into<Retry<B, W>>, B, W> IntoRetry<B, W> for R {}

impl<B: fmt::Debug, W> fmt::Debug for Retry<B, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("backoff", &self.backoff)
            .field("when_timed_out", &self.when_timed_out)
            .field("within", &self.within)
            .field("at_most", &self.at_most)
            .finish_non_exhaustive()
    }
}

/// Retries after any error, with the delay of the back-off.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnyError;

/// Retries after the errors for which the closure of [`Retry::when`] returns true.
#[derive(Clone, Copy)]
pub struct RetryIf<G, W = AnyError> {
    is_transient: G,
    earlier: W,
}

/// Retries with the delay that the closure of [`Retry::adjust`] returns.
#[derive(Clone, Copy)]
pub struct Adjusted<G, W = AnyError> {
    delay: G,
    earlier: W,
}

impl<G, W> fmt::Debug for RetryIf<G, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryIf").finish_non_exhaustive()
    }
}

impl<G, W> fmt::Debug for Adjusted<G, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adjusted").finish_non_exhaustive()
    }
}

/// Which errors are retried, and after which delay. [`AnyError`], [`RetryIf`] and [`Adjusted`] implement it.
#[doc(hidden)]
pub trait Errors<E>: Sealed {
    /// Whether a retry may help after this error.
    fn are_transient(&mut self, error: &E) -> bool;

    /// The delay after this error. That of the back-off is `delay`.
    fn adjust(&mut self, error: &E, delay: Duration) -> Duration;
}

impl Sealed for AnyError {}
impl<G, W> Sealed for RetryIf<G, W> {}
impl<G, W> Sealed for Adjusted<G, W> {}

impl<E> Errors<E> for AnyError {
    fn are_transient(&mut self, _error: &E) -> bool {
        true
    }

    fn adjust(&mut self, _error: &E, delay: Duration) -> Duration {
        delay
    }
}

impl<E, G: FnMut(&E) -> bool, W: Errors<E>> Errors<E> for RetryIf<G, W> {
    fn are_transient(&mut self, error: &E) -> bool {
        self.earlier.are_transient(error) && (self.is_transient)(error)
    }

    fn adjust(&mut self, error: &E, delay: Duration) -> Duration {
        self.earlier.adjust(error, delay)
    }
}

impl<E, G: FnMut(&E, Duration) -> Duration, W: Errors<E>> Errors<E> for Adjusted<G, W> {
    fn are_transient(&mut self, error: &E) -> bool {
        self.earlier.are_transient(error)
    }

    fn adjust(&mut self, error: &E, delay: Duration) -> Duration {
        let delay = self.earlier.adjust(error, delay);
        (self.delay)(error, delay)
    }
}

/// Retries failed bodies. `D` is the delays for one item, which a `B` makes.
///
/// After each attempt, [`retry_after`](OutcomeRule::retry_after) returns the delay of the next one or makes the
/// outcome final. The admission queue keeps the failure and the item's clone meanwhile, and this option the time at
/// which the attempt is due. Delays differ, so due times are in a heap, and one alarm is set for the earliest. When
/// it has passed, [`poll_retry`](Rule::poll_retry) hands the item back to the loop, which starts it as soon as it
/// may start a body. That may be later than planned, so [`poll_retry_expired`](Rule::poll_retry_expired) waits for the
/// end of [`Retry::within`], with an alarm of its own. Only the next item to start is asked for: the others wait for
/// it in any case.
///
/// The state of an item is dropped when it completes. If the loop stops during a back-off, entries of the heap are left
/// over; they are dropped with the loop, which does not poll for retries any more.
pub struct Retrying<M: TimerSet, B, D, W> {
    timer: M::Timer,
    retry: Retry<B, W>,
    /// The methods of [`Backoff`] and of its iterator. With pointers to them the hooks have no bounds on `B` and `D`, so
    /// the compiler reports what is not a back-off at [`Loop::retry`] and not at the strategy again.
    make_delays: fn(&B) -> D,
    next_delay: fn(&mut D) -> Option<Duration>,
    /// For each item that has failed and has not completed: the delays that are left.
    delays: BTreeMap<usize, D>,
    /// When the next attempts are due; the earliest on top.
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    alarm: Alarm<M::Timer>,
    /// For the latest start of the next item that is due.
    expiry: Alarm<M::Timer>,
    /// With [`Retry::within`]: the latest start of an attempt, for each item that was started and has not
    /// completed.
    latest_start: BTreeMap<usize, Duration>,
}

impl<M: TimerSet, B: Backoff, W> Retrying<M, B, B::Delays, W> {
    fn new(timer: M::Timer, retry: Retry<B, W>) -> Self {
        Self::with(timer, retry, B::delays, Iterator::next)
    }
}

impl<M: TimerSet, B, D, W> Retrying<M, B, D, W> {
    fn with(
        timer: M::Timer,
        retry: Retry<B, W>,
        make_delays: fn(&B) -> D,
        next_delay: fn(&mut D) -> Option<Duration>,
    ) -> Self {
        Self {
            timer,
            retry,
            make_delays,
            next_delay,
            delays: BTreeMap::new(),
            due: BinaryHeap::new(),
            alarm: Alarm::default(),
            expiry: Alarm::default(),
            latest_start: BTreeMap::new(),
        }
    }
}

impl<M: TimerSet, B, D, W> Rule for Retrying<M, B, D, W> {
    fn poll_retry(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let Some(&Reverse((due, index))) = self.due.peek() else { return Poll::Pending };
        ready!(self.alarm.poll_until(&self.timer, due, cx));
        self.due.pop();
        Poll::Ready(index)
    }

    fn poll_retry_expired(&mut self, index: usize, cx: &mut Context<'_>) -> Poll<()> {
        let Some(&latest) = self.latest_start.get(&index) else { return Poll::Pending };
        // The last moment is in time.
        self.expiry.poll_until(&self.timer, latest.saturating_add(Duration::from_nanos(1)), cx)
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        match *event {
            Event::Started { index, attempt: 1, .. } => {
                if let Some(within) = self.retry.within {
                    let latest = self.timer.now_local().saturating_add(within);
                    self.latest_start.insert(index, latest);
                }
            }
            Event::Completed { index, .. } => {
                self.delays.remove(&index);
                self.latest_start.remove(&index);
            }
            Event::LoopStarted { .. }
            | Event::Received { .. }
            | Event::Started { .. }
            | Event::Retried { .. } => {}
        }
        None
    }
}

impl<I: Clone, M: TimerSet, B, D, W> ItemRule<I> for Retrying<M, B, D, W> {
    fn clone_for_retry(&self, item: &I) -> Option<I> {
        Some(item.clone())
    }
}

impl<T, E, M, B, D, W> OutcomeRule<Result<T, E>> for Retrying<M, B, D, W>
where
    M: TimerSet,
    W: Errors<E>,
{
    fn retry_after(
        &mut self,
        index: usize,
        attempt: u32,
        outcome: &Outcome<Result<T, E>>,
    ) -> Option<Duration> {
        let error = match outcome {
            Outcome::Ok(Err(error)) => Some(error),
            Outcome::TimedOut if self.retry.when_timed_out => None,
            Outcome::Ok(Ok(_))
            | Outcome::Panicked(_)
            | Outcome::TimedOut
            | Outcome::Lost
            | Outcome::Cancelled
            | Outcome::NotRun => return None,
            Outcome::Err(never) => match *never {},
        };
        let is_transient = error.is_none_or(|error| self.retry.errors.are_transient(error));
        if !is_transient || attempt >= self.retry.at_most {
            return None;
        }
        let delays = self.delays.entry(index);
        let delays = delays.or_insert_with(|| (self.make_delays)(&self.retry.backoff));
        let delay = (self.next_delay)(delays)?;
        let delay = error.map_or(delay, |error| self.retry.errors.adjust(error, delay));
        // A time that no clock can show never comes.
        let due = self.timer.now_local().checked_add(delay)?;
        if self.latest_start.get(&index).is_some_and(|&latest| due > latest) {
            return None;
        }
        self.due.push(Reverse((due, index)));
        Some(delay)
    }

    fn is_error(&self, returned: &Result<T, E>) -> bool {
        returned.is_err()
    }
}

impl<M: TimerSet, B: Clone, D, W: Clone> Clone for Retrying<M, B, D, W> {
    fn clone(&self) -> Self {
        let (timer, retry) = (self.timer.clone(), self.retry.clone());
        Self::with(timer, retry, self.make_delays, self.next_delay)
    }
}

impl<M: TimerSet, B: fmt::Debug, D, W> fmt::Debug for Retrying<M, B, D, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrying").field("retry", &self.retry).finish_non_exhaustive()
    }
}
