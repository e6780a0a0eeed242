//! `retry`: a body that has failed is called again.

use alloc::collections::{BTreeMap, BinaryHeap};
use core::cmp::Reverse;
use core::fmt;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use backon::{Backoff, BackoffBuilder};

use super::alarm::Alarm;
use super::{ItemRule, OutcomeRule, Rule, WithRule};
use crate::{Event, Loop, Outcome, StopReason, Timer};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Calls a body again that has failed, some time later: as often and as late as `retry` says.
    ///
    /// `retry` is a back-off of the crate [`backon`], such as [`ExponentialBuilder`](backon::ExponentialBuilder),
    /// [`FibonacciBuilder`](backon::FibonacciBuilder) or [`ConstantBuilder`](backon::ConstantBuilder), or anything
    /// that iterates over [`Duration`]s and can be cloned; or a [`Retry`] made of one, which says for which errors,
    /// and for how long. Each item has a back-off of its own, with a jitter of its own.
    ///
    /// Failed is a body that returned an error, or had no time left. A panic is a mistake in the program, and is not tried
    /// again, also where it is [caught](Self::catch_panics). What counts is the last attempt: its outcome is the item's,
    /// and those before it are dropped. How many there were is in
    /// [`Settled::attempts`](crate::Settled::attempts), in [`Failure::attempts`](crate::Failure::attempts), and told to
    /// [observers](Self::observe).
    ///
    /// The [`timeout`](Self::timeout) is that of each attempt; [`Retry::within`] says how long after the first the last may begin. The
    /// [`deadline`](Self::deadline) is the loop's, as ever. An item keeps its place while it waits for another
    /// attempt, so memory stays bounded by the limit, and whoever is asked too much is not asked by others
    /// meanwhile. If the loop stops then, the item ends with the failure it had: no error is lost.
    ///
    /// The item is cloned for each attempt: loop over references (`each(&urls)`) where that costs something.
    ///
    /// # Costs
    ///
    /// For each item that runs an entry in an ordered map; for each that has failed a back-off, and one timer for the
    /// loop.
    ///
    /// # Panics
    ///
    /// If the back-off, or the closure of [`Retry::when`], panics: as when the source does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::io;
    /// use std::time::Duration;
    ///
    /// use forloop::backon::ExponentialBuilder;
    /// # async fn fetch(url: &str) -> io::Result<String> { Ok(url.into()) }
    ///
    /// async fn fetch_all<R>(runtime: &R, urls: &[String]) -> Result<(), Box<dyn std::error::Error>>
    /// where
    ///     R: forloop::Timer + Clone + 'static,
    /// {
    ///     let pages = forloop::each(urls)
    ///         .limit(50)?
    ///         .timeout(runtime, Duration::from_secs(2))
    ///         .retry(runtime, ExponentialBuilder::default().with_max_times(3).with_jitter())
    ///         .settle(|url| fetch(url))
    ///         .await;
    ///     for (index, error) in pages.errors() {
    ///         eprintln!("{}: {error}, {} attempts", urls[index], pages.attempts(index));
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn retry<R, B, W>(
        self,
        timer: &R,
        retry: impl Into<Retry<B, W>>,
    ) -> Loop<S, P, L, WithRule<C, Retrying<R, B, B::Backoff, W>>>
    where
        R: Timer + Clone + 'static,
        B: BackoffBuilder + Clone,
    {
        self.with_option(Retrying::new(timer.clone(), retry.into()))
    }
}

/// When a body that has failed is called again: a back-off, for which errors, and for how long.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// use std::io;
/// use std::time::Duration;
///
/// use forloop::Retry;
/// use forloop::backon::ConstantBuilder;
///
/// let again = Retry::new(ConstantBuilder::default().with_delay(Duration::from_millis(100)))
///     .when(|error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset)
///     .within(Duration::from_secs(10));
/// # drop(again);
/// ```
#[derive(Clone)]
pub struct Retry<B, W = AnyError> {
    backoff: B,
    when: W,
    within: Option<Duration>,
    at_most: u32,
}

/// How often an item is tried if nothing else is said, so that a back-off without an end has one.
const AT_MOST: u32 = 1000;

impl<B> Retry<B> {
    /// After any failure, for as long as the back-off gives delays; but no more than a thousand attempts at an item.
    pub fn new(backoff: B) -> Self {
        Self { backoff, when: AnyError, within: None, at_most: AT_MOST }
    }
}

impl<B, W> Retry<B, W> {
    /// Only after errors for which `is_transient` says so; after time-outs as ever.
    pub fn when<E, G: FnMut(&E) -> bool>(self, is_transient: G) -> Retry<B, RetryIf<G>> {
        let Self { backoff, within, at_most, .. } = self;
        Retry { backoff, when: RetryIf(is_transient), within, at_most }
    }

    /// No more than so many attempts at an item, the first among them, however many delays the back-off gives. Without this
    /// it is a thousand: a back-off that never ends does not keep a loop from its end.
    pub fn at_most(self, attempts: u32) -> Self {
        Self { at_most: attempts, ..self }
    }

    /// No attempt begins later than so much time after the first one at the same item. One that runs then goes on: how
    /// long each may take is for the [`timeout`](Loop::timeout), so an item takes no longer than both together.
    pub fn within(self, time: Duration) -> Self {
        Self { within: Some(time), ..self }
    }
}

impl<B: BackoffBuilder> From<B> for Retry<B> {
    fn from(backoff: B) -> Self {
        Self::new(backoff)
    }
}

impl<B: fmt::Debug, W> fmt::Debug for Retry<B, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("backoff", &self.backoff)
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

/// A body is called again after any error.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnyError;

/// A body is called again after the errors for which this says so.
#[derive(Clone, Copy)]
pub struct RetryIf<G>(G);

impl<G> fmt::Debug for RetryIf<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RetryIf").finish_non_exhaustive()
    }
}

/// After which errors a body is called again.
#[doc(hidden)]
pub trait Errors<E> {
    /// Whether after this one.
    fn are_transient(&mut self, error: &E) -> bool;
}

impl<E> Errors<E> for AnyError {
    fn are_transient(&mut self, _error: &E) -> bool {
        true
    }
}

impl<E, G: FnMut(&E) -> bool> Errors<E> for RetryIf<G> {
    fn are_transient(&mut self, error: &E) -> bool {
        (self.0)(error)
    }
}

/// Calls bodies again that have failed. `D` is the back-off of one item, which a `B` makes.
pub struct Retrying<R, B, D, W> {
    timer: R,
    retry: Retry<B, W>,
    /// The back-offs of the items that have failed and are not done with.
    backoffs: BTreeMap<usize, D>,
    /// When the next attempts are due: the first to come on top.
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    alarm: Alarm,
    /// Of the items that are not done with, if their time is limited: by when the last attempt begins.
    last: BTreeMap<usize, Duration>,
}

impl<R, B, D, W> Retrying<R, B, D, W> {
    fn new(timer: R, retry: Retry<B, W>) -> Self {
        Self {
            timer,
            retry,
            backoffs: BTreeMap::new(),
            due: BinaryHeap::new(),
            alarm: Alarm::default(),
            last: BTreeMap::new(),
        }
    }
}

impl<R: Timer + 'static, B, D, W> Rule for Retrying<R, B, D, W> {
    fn poll_again(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let Some(&Reverse((due, index))) = self.due.peek() else { return Poll::Pending };
        ready!(self.alarm.poll_until(&self.timer, due, cx));
        self.due.pop();
        Poll::Ready(index)
    }

    fn is_too_late(&self, index: usize) -> bool {
        self.last.get(&index).is_some_and(|&last| self.timer.now() > last)
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        match *event {
            Event::Started { index, attempt: 1, .. } => {
                if let Some(within) = self.retry.within {
                    let last = self.timer.now().checked_add(within).unwrap_or(Duration::MAX);
                    self.last.insert(index, last);
                }
            }
            Event::Completed { index, .. } => {
                self.backoffs.remove(&index);
                self.last.remove(&index);
            }
            _ => {}
        }
        None
    }
}

impl<I: Clone, R: Timer + 'static, B, D, W> ItemRule<I> for Retrying<R, B, D, W> {
    fn keep(&self, item: &I) -> Option<I> {
        Some(item.clone())
    }
}

impl<T, E, R, B, D, W> OutcomeRule<Result<T, E>> for Retrying<R, B, D, W>
where
    R: Timer + 'static,
    B: BackoffBuilder<Backoff = D> + Clone,
    D: Backoff,
    W: Errors<E>,
{
    fn again(
        &mut self,
        index: usize,
        attempt: u32,
        outcome: &Outcome<Result<T, E>>,
    ) -> Option<Duration> {
        let has_failed = match outcome {
            Outcome::Ok(Err(error)) => self.retry.when.are_transient(error),
            Outcome::TimedOut => true,
            _ => false,
        };
        if !has_failed || attempt >= self.retry.at_most {
            return None;
        }
        let backoff = self.backoffs.entry(index);
        let delay = backoff.or_insert_with(|| self.retry.backoff.clone().build()).next()?;
        // A time that no clock can show never comes.
        let due = self.timer.now().checked_add(delay)?;
        if self.last.get(&index).is_some_and(|&last| due > last) {
            return None;
        }
        self.due.push(Reverse((due, index)));
        Some(delay)
    }

    fn is_error(&self, returned: &Result<T, E>) -> bool {
        returned.is_err()
    }
}

impl<R: Clone, B: Clone, D, W: Clone> Clone for Retrying<R, B, D, W> {
    fn clone(&self) -> Self {
        Self::new(self.timer.clone(), self.retry.clone())
    }
}

impl<R, B: fmt::Debug, D, W> fmt::Debug for Retrying<R, B, D, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrying").field("retry", &self.retry).finish_non_exhaustive()
    }
}
