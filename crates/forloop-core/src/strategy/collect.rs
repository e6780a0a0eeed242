//! `collect` and `try_collect`: the outputs as any collection, in input order.

use core::marker::PhantomData;
use core::ops::ControlFlow;

use futures_core::Stream;

use super::try_gather::{Failures, TryGather};
use super::{CollectFuture, Collector, LoopEnd};
use crate::body::{Body, TryBody};
use crate::engine::{Completion, JobHandle, OrderedBuffer};
use crate::options::{ItemPolicy, OutcomePolicy, Policy, RaisesPanics};
use crate::place::Delivery;
use crate::place::{Dispatch, Place};
use crate::{LimitSet, Loop, LoopError};

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and makes a collection of their outputs, in
    /// input order.
    ///
    /// Whatever an iterator can be collected into can be made: a map of pairs, a set, a `String`, a `Vec`
    /// as [`gather`](Self::gather) gives it. Say which by the type of what you keep it in. Of two pairs
    /// with the same key the one with the higher index stays, as if the loop had been sequential.
    ///
    /// The outputs are kept until the last has come and are collected then;
    /// [`extend`](Self::extend) puts each in as it finishes.
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
    /// None, unless the loop may be [cut short](Policy): then [`Interrupted`](crate::Interrupted), and what
    /// was ready is a collection of the outputs there were. It does not tell which are missing;
    /// [`gather`](Self::gather) has an outcome for every item.
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
    pub fn collect<X, F, B, J, I>(self, body: F) -> impl Future<Output = C::Gives<X, X>>
    where
        X: FromIterator<C::Each<B::Returns>>,
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        let collector: Collect<C::Each<B::Returns>, X> =
            Collect { outputs: OrderedBuffer::new(), collection: PhantomData };
        CollectFuture::new(self.drive(body), collector)
    }

    /// Runs the bodies, as many at once as the loop allows, and makes a collection of their values, in
    /// input order, or stops at the first failure in time.
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
    pub fn try_collect<X, F, B, J, I, T, E>(
        self,
        body: F,
    ) -> impl Future<Output = Result<X, LoopError<E, C::SourceError>>>
    where
        X: FromIterator<T>,
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + RaisesPanics,
        F: FnMut(I) -> B,
        B: TryBody<T, E>,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        let gather = TryGather { values: OrderedBuffer::new(), failures: Failures::new() };
        CollectFuture::new(
            self.drive_collecting(body, Some(Result::is_err)),
            TryCollect { gather, collection: PhantomData },
        )
    }
}

/// Holds an `E` for every body that has one: what the policy makes of its output.
struct Collect<E, X> {
    outputs: OrderedBuffer<E>,
    collection: PhantomData<fn() -> X>,
}

impl<T, C: Policy, X: FromIterator<C::Each<T>>> Collector<T, C> for Collect<C::Each<T>, X> {
    type Collected = C::Gives<X, X>;

    fn expect(&mut self, ends: usize) {
        self.outputs.expect(ends);
    }

    #[inline]
    fn take(&mut self, end: Completion<T>) -> ControlFlow<()> {
        if let Ok(output) = C::each(end.outcome) {
            self.outputs.put(end.index, output);
        }
        ControlFlow::Continue(())
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        C::gives(match ending.interrupted {
            None => Ok(self.outputs.into_vec().into_iter().collect()),
            Some(interrupted) => {
                let outputs = self.outputs.into_options(ending.started);
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

    const DELIVERY: Option<fn(&Result<T, E>) -> Delivery> =
        <TryGather<T, E> as Collector<Result<T, E>, C>>::DELIVERY;

    fn expect(&mut self, ends: usize) {
        Collector::<_, C>::expect(&mut self.gather, ends);
    }

    #[inline]
    fn take(&mut self, end: Completion<Result<T, E>>) -> ControlFlow<()> {
        Collector::<_, C>::take(&mut self.gather, end)
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        let values = Collector::<_, C>::finish(self.gather, ending)?;
        Ok(values.into_iter().collect())
    }
}
