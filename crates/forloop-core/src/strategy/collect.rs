//! `collect` and `try_collect`: the outputs as any collection, in input order.

use core::marker::PhantomData;

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use super::try_gather::TryGather;
use crate::admission::AttemptLog;
use crate::body::{Body, TryBody};
use crate::driver::OnWorkers;
use crate::engine::{Completion, OrderedBuffer};
use crate::looping::LimitSet;
use crate::options::{ItemPolicy, OutcomeRule, Policy, RaisesPanics};
use crate::place::{BodySet, Dispatch, Place};
use crate::{Loop, LoopError};

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and collects their outputs in input order.
    ///
    /// The type of the result says which collection to build: a map of pairs, a set, a `String`, a
    /// `Vec` as [`gather`](Self::gather) returns it, or anything else that is [`FromIterator`]. Of two
    /// pairs with the same key, the one with the higher index stays, as in a sequential loop.
    ///
    /// The outputs are buffered until every body has completed, and collected then.
    /// [`extend`](Self::extend) adds each as it completes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::collections::HashMap;
    ///
    /// # async fn age(name: &str) -> usize { name.len() }
    /// let names = ["Ada", "Grace"];
    /// let ages: HashMap<_, _> =
    ///     forloop::each(names).limit(4)?.collect(async |name| (name, age(name).await)).await;
    /// assert_eq!(ages["Grace"], 5);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// None, unless the loop may be [interrupted](Policy): then [`Interrupted`](crate::Interrupted),
    /// which holds a collection of the outputs that were ready. It does not say which are missing;
    /// [`gather`](Self::gather) has an outcome for every item.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped,
    /// the panic propagates to the caller. Also panics if the runtime of a spawned loop shuts down
    /// before the loop completes, and the loop has no error to report it with.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have
    /// been dropped when `drop` returns; spawned bodies have been asked to stop.
    #[doc(alias = "buffered")]
    pub fn collect<X, F, B, J, I>(self, body: F) -> impl Future<Output = C::Result<X, X>>
    where
        X: FromIterator<C::Output<B::Returns>>,
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>,
        J: BodySet<Output = B::Returns>,
    {
        let collector: Collect<C::Output<B::Returns>, X> =
            Collect { outputs: OrderedBuffer::new(), collection: PhantomData };
        CollectFuture::new(self.drive(body, None), collector)
    }

    /// Runs the bodies, up to the limit at once, and collects their values in input order, or stops
    /// at the first failure.
    ///
    /// As [`collect`](Self::collect), for bodies that may fail.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::collections::BTreeMap;
    ///
    /// let parse = async |text: &'static str| Ok::<_, std::num::ParseIntError>((text, text.parse()?));
    /// let numbers: BTreeMap<&str, u32> =
    ///     forloop::each(["1", "20"]).limit(4)?.try_collect(parse).await?;
    /// assert_eq!(numbers["20"], 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
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
    #[doc(alias = "try_buffered")]
    pub fn try_collect<X, F, B, J, I, T, E>(
        self,
        body: F,
    ) -> impl Future<Output = Result<X, LoopError<E, C::SourceError>>>
    where
        X: FromIterator<T>,
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<Ok = T, Error = E, Body = B>,
        P: Place<B, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>
            + Place<B::Body, Set = J>,
        J: BodySet<Output = B::Returns>,
    {
        let collector = TryCollect { gather: TryGather::new(), collection: PhantomData };
        CollectFuture::new(self.drive(body, Some(Result::is_err)), collector)
    }
}

/// `E` is what the policy makes of a body's output.
struct Collect<E, X> {
    outputs: OrderedBuffer<E>,
    collection: PhantomData<fn() -> X>,
}

impl<T, C: Policy, X: FromIterator<C::Output<T>>> Collector<T, C> for Collect<C::Output<T>, X> {
    type Collected = C::Result<X, X>;

    const DELIVERY: CompletionDelivery<Self, T> = CompletionDelivery::BATCHED;
    const ATTEMPT_LOG: AttemptLog = AttemptLog::None;

    fn expect(&mut self, least: usize) {
        self.outputs.expect(least);
    }

    #[inline]
    fn on_completion(&mut self, completion: Completion<T>) {
        if let Ok(output) = C::output_of(completion.outcome) {
            self.outputs.put(completion.index, output);
        }
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        C::result_of(match end.interrupted {
            None => Ok(self.outputs.into_vec().into_iter().collect()),
            Some(interrupted) => {
                let outputs = self.outputs.into_options(end.started);
                Err(interrupted.with(outputs.into_iter().flatten().collect()))
            }
        })
    }
}

struct TryCollect<T, E, X> {
    gather: TryGather<T, E>,
    collection: PhantomData<fn() -> X>,
}

impl<T, E, C: Policy, X: FromIterator<T>> Collector<Result<T, E>, C> for TryCollect<T, E, X> {
    type Collected = Result<X, LoopError<E, C::SourceError>>;

    const DELIVERY: CompletionDelivery<Self, Result<T, E>> = CompletionDelivery::FAIL_FAST;
    const ATTEMPT_LOG: AttemptLog = AttemptLog::Failures;

    fn expect(&mut self, least: usize) {
        Collector::<_, C>::expect(&mut self.gather, least);
    }

    #[inline]
    fn on_completion(&mut self, completion: Completion<Result<T, E>>) {
        Collector::<_, C>::on_completion(&mut self.gather, completion);
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        let values = Collector::<_, C>::finish(self.gather, end)?;
        Ok(values.into_iter().collect())
    }
}
