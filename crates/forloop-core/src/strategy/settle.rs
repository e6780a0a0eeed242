//! `settle`: every outcome, good or bad, in input order.

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use super::gather::unfinished;
use super::settled::Settled;
use crate::admission::AttemptLog;
use crate::body::TryBody;
use crate::driver::OnWorkers;
use crate::engine::{Completion, OrderedBuffer};
use crate::looping::LimitSet;
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::place::{BodySet, Dispatch, Place};
use crate::{Loop, Outcome, each};

/// Runs every future concurrently to completion and returns every outcome in input order.
///
/// Equivalent to Python's `asyncio.gather(..., return_exceptions=True)` and JavaScript's
/// `Promise.allSettled`.
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
/// If a future panics, the others are dropped and the panic propagates to the caller.
/// [`Loop::catch_panics`] makes it an outcome instead.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before `drop` returns.
#[doc(alias = "allSettled")]
#[doc(alias = "return_exceptions")]
#[cfg_attr(feature = "simulation", track_caller)]
pub fn settle<I, N, F, T, E>(futures: I) -> impl Future<Output = Settled<T, E>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    each(futures).unbounded().settle(|future| future)
}

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies to completion, up to the limit at once, and returns one outcome per item, in
    /// input order.
    ///
    /// No body's failure stops the loop. The outcome at index `i` is that of item `i`.
    ///
    /// A loop that was interrupted, or whose runtime was shut down, has an outcome for every item that
    /// was pulled, and [`Settled::interrupted`] says why. [`pad_to`](Settled::pad_to) adds outcomes for
    /// the items that were not pulled.
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
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped,
    /// the panic propagates to the caller. With [`catch_panics`](Self::catch_panics) a body's panic
    /// is its outcome.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have
    /// been dropped when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "allSettled")]
    #[doc(alias = "return_exceptions")]
    #[doc(alias = "Promise.allSettled")]
    pub fn settle<F, B, J, I, T, E>(
        self,
        body: F,
    ) -> impl Future<Output = Settled<T, E, C::SourceError>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns>,
        F: FnMut(I) -> B,
        B: TryBody<Ok = T, Error = E, Body = B>,
        P: Place<B, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>
            + Place<B::Body, Set = J>,
        J: BodySet<Output = B::Returns>,
    {
        CollectFuture::new(
            self.drive(body, Some(Result::is_err)),
            Settle { outcomes: OrderedBuffer::new() },
        )
    }
}

struct Settle<T, E> {
    outcomes: OrderedBuffer<Outcome<T, E>>,
}

impl<T, E, C: Policy> Collector<Result<T, E>, C> for Settle<T, E> {
    type Collected = Settled<T, E, C::SourceError>;

    const DELIVERY: CompletionDelivery<Self, Result<T, E>> = CompletionDelivery::BATCHED;
    const ATTEMPT_LOG: AttemptLog = AttemptLog::All;

    fn expect(&mut self, least: usize) {
        self.outcomes.expect(least);
    }

    #[inline]
    fn on_completion(&mut self, completion: Completion<Result<T, E>>) {
        // `finish` fills the gap that a cancelled body leaves: its outcome depends on the cause.
        if !matches!(completion.outcome, Outcome::Cancelled) {
            self.outcomes.put(completion.index, completion.outcome.into());
        }
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        let LoopEnd { started, interrupted, retried } = end;
        let outcomes = match &interrupted {
            None => self.outcomes.into_vec(),
            Some(interrupted) => {
                let unfinished = unfinished(&interrupted.cause);
                let outcomes = self.outcomes.into_options(started).into_iter();
                outcomes.map(|outcome| outcome.unwrap_or_else(unfinished)).collect()
            }
        };
        Settled::new(outcomes, interrupted, retried)
    }
}
