//! `extend`: adds the outputs to an existing collection, in completion order.

use core::iter;

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use crate::Loop;
use crate::admission::AttemptLog;
use crate::body::Body;
use crate::driver::OnWorkers;
use crate::engine::Completion;
use crate::looping::LimitSet;
use crate::options::{AllOrNothing, ItemPolicy, OutcomeRule, Policy};
use crate::place::{BodySet, Dispatch, Place};

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and adds each output to `collection` as it completes.
    ///
    /// The outputs are added in completion order, on workers as [`fold`](Self::fold) says;
    /// [`collect`](Self::collect) keeps input order. The loop buffers nothing. What was added stays in the collection,
    /// also if the loop is interrupted, panics or is dropped.
    ///
    /// The collection is anything one can [`Extend`] with a body's output: a map with pairs, a `String` with
    /// words, a type of your own. The loop calls its `extend` once for each output, in the caller's task.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::collections::HashMap;
    ///
    /// # async fn age(name: &str) -> usize { name.len() }
    /// let mut ages = HashMap::from([("Ada", 36)]);
    /// forloop::each(["Grace", "Barbara"])
    ///     .limit(4)?
    ///     .extend(&mut ages, async |name| (name, age(name).await))
    ///     .await;
    /// assert_eq!((ages.len(), ages["Ada"], ages["Grace"]), (3, 36, 5));
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// None, unless the loop may be [interrupted](Policy): then [`Interrupted`](crate::Interrupted).
    ///
    /// # Panics
    ///
    /// If a body, the source or the collection panics, the loop cancels the bodies. Once they have stopped,
    /// the panic propagates to the caller. Also panics if the runtime of a spawned loop shuts down before
    /// the loop completes, and the loop has no error to report it with.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and cancels the bodies. In-task bodies have been
    /// dropped when `drop` returns; spawned bodies have been asked to stop. The collection keeps the outputs
    /// of the bodies that had completed.
    pub fn extend<X, F, B, J, I>(
        self,
        collection: &mut X,
        body: F,
    ) -> impl Future<Output = C::Result<(), ()>>
    where
        X: Extend<B::Returns>,
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns> + AllOrNothing,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>,
        J: BodySet<Output = B::Returns>,
    {
        CollectFuture::new(self.drive(body, None), ExtendWith { collection })
    }
}

struct ExtendWith<'a, X> {
    collection: &'a mut X,
}

impl<T, C: Policy, X: Extend<T>> Collector<T, C> for ExtendWith<'_, X> {
    type Collected = C::Result<(), ()>;

    const DELIVERY: CompletionDelivery<Self, T> = CompletionDelivery::OneByOne {
        output: None,
        is_complete: |_| false,
        stops_at_failure: false,
    };
    const ATTEMPT_LOG: AttemptLog = AttemptLog::None;

    #[inline]
    fn on_completion(&mut self, completion: Completion<T>) {
        if let Some(output) = completion.outcome.ok() {
            self.collection.extend(iter::once(output));
        }
    }

    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        C::result_of(end.interrupted.map_or(Ok(()), Err))
    }
}
