//! `settle`: every outcome, good or bad, in input order.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use futures_core::Stream;

use super::gather::put;
use super::{Judge, Judged};
use crate::engine::End;
use crate::place::{Body, Place, Started};
use crate::{HowMany, Loop, Outcome, each};

/// Runs every future at once, lets all of them finish, and returns every outcome in input order.
///
/// Known from Python as `asyncio.gather(..., return_exceptions=True)`.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use forloop::Outcome;
///
/// let parse = async |text: &str| text.parse::<u32>();
/// let outcomes = forloop::settle([parse("one"), parse("2")]).await;
/// assert!(matches!(outcomes[..], [Outcome::Err(_), Outcome::Ok(2)]));
/// # });
/// ```
///
/// # Panics
///
/// If a future panics, the others are dropped and its panic goes on in the caller.
/// [`Loop::catch_panics`] makes it an outcome instead.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before drop returns.
pub fn settle<I, N, F, T, E>(futures: I) -> impl Future<Output = Vec<Outcome<T, E>>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    each(futures).unbounded().settle(|future| future)
}

impl<S: Stream, P, L> Loop<S, P, L> {
    /// Runs the bodies, as many at once as the loop allows, lets all of them finish, and returns
    /// one outcome per item, in input order.
    ///
    /// No body's failure stops the loop. The outcome at index `i` is that of item `i`;
    /// [`Outcome::Cancelled`] stands for a body whose runtime was shut down under it; no item is
    /// pulled after that.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::Outcome;
    ///
    /// let parsed = forloop::each(["1", "two", "3"])
    ///     .limit(2)?
    ///     .settle(|text| async move { text.parse::<u32>() })
    ///     .await;
    /// for (index, outcome) in parsed.iter().enumerate() {
    ///     if let Outcome::Err(error) = outcome {
    ///         eprintln!("item {index}: {error}");
    ///     }
    /// }
    /// assert_eq!(parsed.into_iter().filter_map(Outcome::ok).sum::<u32>(), 4);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped
    /// the panic goes on in the caller. With [`catch_panics`](Self::catch_panics) a body's panic
    /// is its outcome.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone
    /// when drop returns, spawned they have been asked to stop.
    pub fn settle<F, B, J, T, E>(self, body: F) -> impl Future<Output = Vec<Outcome<T, E>>>
    where
        L: HowMany,
        F: FnMut(S::Item) -> B,
        B: Body<Returns = Result<T, E>>,
        P: Place<B, Job = J>,
        J: Started<Output = B::Returns>,
    {
        Judged::new(self.drive(body), Settle { outcomes: Vec::new() })
    }

    /// Makes the panic of a body that item's outcome: the other bodies go on.
    ///
    /// Only a strategy that returns outcomes can show one, so [`settle`](Catching::settle) is what
    /// may follow.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::Outcome;
    ///
    /// let outcomes = forloop::each([1, 0])
    ///     .unbounded()
    ///     .catch_panics()
    ///     .settle(|n| async move { Ok::<u32, String>(1 / n) })
    ///     .await;
    /// assert!(matches!(&outcomes[1], Outcome::Panicked(panic)
    ///     if panic.message() == Some("attempt to divide by zero")));
    /// # });
    /// ```
    pub fn catch_panics(self) -> Catching<S, P, L> {
        Catching { inner: self }
    }
}

/// A loop in which the panic of a body is that item's outcome.
#[derive(Debug, Clone)]
#[must_use = "a loop does nothing until its strategy is awaited"]
pub struct Catching<S, P, L> {
    inner: Loop<S, P, L>,
}

impl<S: Stream, P, L> Catching<S, P, L> {
    /// Runs the bodies as [`Loop::settle`] does, but keeps the panic of a body as its outcome.
    ///
    /// # Panics
    ///
    /// If the source panics: that belongs to no item.
    pub fn settle<F, B, J, T, E>(self, body: F) -> impl Future<Output = Vec<Outcome<T, E>>>
    where
        L: HowMany,
        F: FnMut(S::Item) -> B,
        B: Body<Returns = Result<T, E>>,
        P: Place<B, Job = J>,
        J: Started<Output = B::Returns>,
    {
        Judged::new(self.inner.drive(body).catching(), Settle { outcomes: Vec::new() })
    }
}

struct Settle<T, E> {
    outcomes: Vec<Option<Outcome<T, E>>>,
}

impl<T, E> Judge<Result<T, E>> for Settle<T, E> {
    type Verdict = Vec<Outcome<T, E>>;

    fn take(&mut self, end: End<Result<T, E>>) -> ControlFlow<()> {
        // A runtime that is gone would drop the bodies of all items to come, too.
        let runtime_is_gone = matches!(end.outcome, Outcome::Cancelled);
        put(&mut self.outcomes, end.index, Some(end.outcome.into()));
        if runtime_is_gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn verdict(self, _started: usize) -> Self::Verdict {
        // Every body that was started has ended, and each end was told: nothing is missing.
        self.outcomes.into_iter().flatten().collect()
    }
}
