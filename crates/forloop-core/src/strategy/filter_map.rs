//! `filter_map` and `try_filter_map`: the outputs that bodies keep, in input order.

use alloc::vec::Vec;

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use super::failures::Failures;
use crate::admission::AttemptLog;
use crate::body::TryBody;
use crate::driver::OnWorkers;
use crate::engine::Completion;
use crate::looping::LimitSet;
use crate::options::{AllOrNothing, ItemPolicy, OutcomeRule, Policy, RaisesPanics};
use crate::place::{BodySet, Delivery, Dispatch, Place};
use crate::{Loop, LoopError};

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and returns the outputs that are `Some`, in input order.
    ///
    /// A body that returns `None` leaves its item out, as in
    /// [`Iterator::filter_map`](core::iter::Iterator::filter_map). Memory is proportional to what is kept and
    /// to the limit, not to the items.
    ///
    /// Equivalent to p-map with `pMapSkip`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// # async fn answers(host: &str) -> bool { host != "b.example" }
    /// let hosts = ["a.example", "b.example", "c.example"];
    /// let there = forloop::each(hosts)
    ///     .limit(2)?
    ///     .filter_map(async |host| answers(host).await.then_some(host))
    ///     .await;
    /// assert_eq!(there, ["a.example", "c.example"]);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// None, unless the loop may be [interrupted](Policy): then [`Interrupted`](crate::Interrupted), which
    /// holds what had been kept, each with its item's index, in input order.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped, the panic
    /// propagates to the caller. Also panics if the runtime of a spawned loop shuts down before the loop
    /// completes, and the loop has no error to report it with.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have been dropped
    /// when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "pMapSkip")]
    #[doc(alias = "filter")]
    pub fn filter_map<F, B, J, I, T>(
        self,
        body: F,
    ) -> impl Future<Output = C::Result<Vec<T>, Vec<(usize, T)>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + AllOrNothing,
        F: FnMut(I) -> B,
        B: FilterBody<T>,
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>,
        J: BodySet<Output = B::Returns>,
    {
        CollectFuture::new(self.drive(body, None), FilterMap { kept: IndexedValues::new() })
    }

    /// Runs the bodies, up to the limit at once, and returns the values that are `Some`, in input order, or
    /// stops at the first failure.
    ///
    /// A body that returns `Ok(None)` leaves its item out. Otherwise as [`try_gather`](Self::try_gather).
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let number = async |line: &str| match line.trim() {
    ///     "" => Ok(None),
    ///     text => text.parse::<u32>().map(Some),
    /// };
    /// let numbers = forloop::each(["1", "", "3"]).limit(2)?.try_filter_map(number).await;
    /// assert_eq!(numbers, Ok(vec![1, 3]));
    ///
    /// let failed = forloop::each(["1", "", "three"]).limit(2)?.try_filter_map(number).await;
    /// assert_eq!(failed.unwrap_err().first().unwrap().index, Some(2));
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_gather`](Self::try_gather).
    ///
    /// # Panics
    ///
    /// As [`try_gather`](Self::try_gather).
    ///
    /// # Cancel safety
    ///
    /// As [`try_gather`](Self::try_gather).
    pub fn try_filter_map<F, B, J, I, T, E>(
        self,
        body: F,
    ) -> impl Future<Output = Result<Vec<T>, LoopError<E, C::SourceError>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<Ok = Option<T>, Error = E, Body = B>,
        P: Place<B, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>
            + Place<B::Body, Set = J>,
        J: BodySet<Output = B::Returns>,
    {
        let collector = TryFilterMap { kept: IndexedValues::new(), failures: Failures::new() };
        CollectFuture::new(self.drive(body, Some(Result::is_err)), collector)
    }
}

/// A body that may leave its item out: it returns an `Option`.
///
/// Every such body implements it; the trait exists for the compiler's diagnostics.
#[diagnostic::on_unimplemented(
    message = "this strategy needs a body that returns `Option<T>`",
    label = "the body returns something else",
    note = "return `None` to leave an item out; `gather` keeps the output of every body",
    note = "a body that may also fail returns `Result<Option<T>, E>`: use `try_filter_map`"
)]
pub trait FilterBody<T>: crate::body::Body<Returns = Option<T>> {}

#[diagnostic::do_not_recommend]
impl<B: crate::body::Body<Returns = Option<T>>, T> FilterBody<T> for B {}

/// Values with their indices, in completion order until they are sorted.
struct IndexedValues<T> {
    values: Vec<(usize, T)>,
}

impl<T> IndexedValues<T> {
    const fn new() -> Self {
        Self { values: Vec::new() }
    }

    fn push(&mut self, index: usize, value: Option<T>) {
        self.values.extend(value.map(|value| (index, value)));
    }

    fn into_sorted(mut self) -> Vec<(usize, T)> {
        // Almost sorted already, because bodies start in input order.
        self.values.sort_unstable_by_key(|&(index, _)| index);
        self.values
    }

    fn into_values(self) -> Vec<T> {
        self.into_sorted().into_iter().map(|(_, value)| value).collect()
    }
}

struct FilterMap<T> {
    kept: IndexedValues<T>,
}

impl<T, C: Policy> Collector<Option<T>, C> for FilterMap<T> {
    type Collected = C::Result<Vec<T>, Vec<(usize, T)>>;

    const DELIVERY: CompletionDelivery<Self, Option<T>> = CompletionDelivery::Batched {
        output: Some(|output| match output {
            Some(_) => Delivery::Batched,
            None => Delivery::Discard,
        }),
        stops_at_failure: false,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::None;

    #[inline]
    fn on_completion(&mut self, completion: Completion<Option<T>>) {
        self.kept.push(completion.index, completion.outcome.ok().flatten());
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        C::result_of(match end.interrupted {
            None => Ok(self.kept.into_values()),
            Some(interrupted) => Err(interrupted.with(self.kept.into_sorted())),
        })
    }
}

struct TryFilterMap<T, E> {
    kept: IndexedValues<T>,
    failures: Failures<E>,
}

impl<T, E, C: Policy> Collector<Result<Option<T>, E>, C> for TryFilterMap<T, E> {
    type Collected = Result<Vec<T>, LoopError<E, C::SourceError>>;

    const DELIVERY: CompletionDelivery<Self, Result<Option<T>, E>> = CompletionDelivery::Batched {
        output: Some(|result| match result {
            Ok(Some(_)) => Delivery::Batched,
            Ok(None) => Delivery::Discard,
            Err(_) => Delivery::Terminal,
        }),
        stops_at_failure: true,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::Failures;

    #[inline]
    fn on_completion(&mut self, completion: Completion<Result<Option<T>, E>>) {
        let index = completion.index;
        if let Some(value) = self.failures.split_failure(completion) {
            self.kept.push(index, value);
        }
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        self.failures.with_attempts(&end.retried).into_result(end.interrupted)?;
        Ok(self.kept.into_values())
    }
}
