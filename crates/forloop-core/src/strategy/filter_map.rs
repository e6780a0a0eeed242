//! `filter_map` and `try_filter_map`: what bodies keep, in input order.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use futures_core::Stream;

use super::try_gather::Failures;
use super::{CollectFuture, Collector, LoopEnd};
use crate::body::TryBody;
use crate::engine::{Completion, JobHandle};
use crate::options::{AllOrNothing, ItemPolicy, OutcomePolicy, Policy, RaisesPanics};
use crate::place::Delivery;
use crate::place::{Dispatch, Place};
use crate::{LimitSet, Loop, LoopError};

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and returns what those have kept that did not
    /// leave their item out, in input order.
    ///
    /// A body that returns `None` leaves its item out, as in
    /// [`Iterator::filter_map`](core::iter::Iterator::filter_map). Memory is needed for what is kept, and
    /// for the limit: a few hits among a million items cost a few places.
    ///
    /// Known from p-map as `pMapSkip`.
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
    /// None, unless the loop may be [cut short](Policy): then [`Interrupted`](crate::Interrupted), and what
    /// was ready is what had been kept, each with its item's index, in input order.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped the panic
    /// goes on in the caller. Panics too if the runtime of a spawned loop is shut down before the loop has
    /// ended, and the loop has no error to say so.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone when drop
    /// returns, spawned they have been asked to stop.
    pub fn filter_map<F, B, J, I, T>(
        self,
        body: F,
    ) -> impl Future<Output = C::Gives<Vec<T>, Vec<(usize, T)>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + AllOrNothing,
        F: FnMut(I) -> B,
        B: FilterBody<T>,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        CollectFuture::new(self.drive(body), FilterMap { kept: Kept::new() })
    }

    /// Runs the bodies, as many at once as the loop allows, and returns what those have kept that did not
    /// leave their item out, in input order, or stops at the first failure in time.
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
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<Option<T>, E>,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        let collector = TryFilterMap { kept: Kept::new(), failures: Failures::new() };
        CollectFuture::new(self.drive_collecting(body, Some(Result::is_err)), collector)
    }
}

/// A body that may leave its item out: it returns an `Option`.
///
/// Every such body is one; the trait exists so that the compiler can say so.
#[diagnostic::on_unimplemented(
    message = "this strategy is for bodies that may leave their item out, and this one returns no `Option`",
    label = "needs bodies that return an `Option<T>`",
    note = "a body that may also fail returns a `Result<Option<T>, E>` and is for `try_filter_map`; \
            `gather` keeps what each body returns"
)]
pub trait FilterBody<T>: crate::Body<Returns = Option<T>> {}

#[diagnostic::do_not_recommend]
impl<B: crate::Body<Returns = Option<T>>, T> FilterBody<T> for B {}

/// What was kept, each with its index: mostly in input order, because bodies begin in it.
struct Kept<T> {
    values: Vec<(usize, T)>,
}

impl<T> Kept<T> {
    fn new() -> Self {
        Self { values: Vec::new() }
    }

    fn put(&mut self, index: usize, value: Option<T>) {
        self.values.extend(value.map(|value| (index, value)));
    }

    fn in_order(mut self) -> Vec<(usize, T)> {
        self.values.sort_unstable_by_key(|&(index, _)| index);
        self.values
    }

    fn into_values(self) -> Vec<T> {
        self.in_order().into_iter().map(|(_, value)| value).collect()
    }
}

struct FilterMap<T> {
    kept: Kept<T>,
}

impl<T, C: Policy> Collector<Option<T>, C> for FilterMap<T> {
    type Collected = C::Gives<Vec<T>, Vec<(usize, T)>>;

    const DELIVERY: Option<fn(&Option<T>) -> Delivery> =
        Some(|output| if output.is_some() { Delivery::Batched } else { Delivery::Discard });

    #[inline]
    fn take(&mut self, end: Completion<Option<T>>) -> ControlFlow<()> {
        self.kept.put(end.index, end.outcome.ok().flatten());
        ControlFlow::Continue(())
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        C::gives(match ending.interrupted {
            None => Ok(self.kept.into_values()),
            Some(interrupted) => Err(interrupted.with(self.kept.in_order())),
        })
    }
}

struct TryFilterMap<T, E> {
    kept: Kept<T>,
    failures: Failures<E>,
}

impl<T, E, C: Policy> Collector<Result<Option<T>, E>, C> for TryFilterMap<T, E> {
    type Collected = Result<Vec<T>, LoopError<E, C::SourceError>>;

    const DELIVERY: Option<fn(&Result<Option<T>, E>) -> Delivery> = Some(|output| match output {
        Ok(None) => Delivery::Discard,
        Ok(Some(_)) => Delivery::Batched,
        Err(_) => Delivery::Terminal,
    });

    #[inline]
    fn take(&mut self, end: Completion<Result<Option<T>, E>>) -> ControlFlow<()> {
        let index = end.index;
        match self.failures.sift(end) {
            Some(value) => {
                self.kept.put(index, value);
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        self.failures.tried(&ending.tried).into_result(ending.interrupted)?;
        Ok(self.kept.into_values())
    }
}
