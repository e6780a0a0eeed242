//! `extend`: the outputs into a collection that is there already, as they finish.

use core::iter;
use core::ops::ControlFlow;

use futures_core::Stream;

use super::prompt::PromptCollectFuture;
use super::{Collector, LoopEnd};
use crate::body::Body;
use crate::engine::{Completion, JobHandle};
use crate::options::{AllOrNothing, ItemPolicy, OutcomePolicy, Policy};
use crate::place::{Dispatch, Place};
use crate::{LimitSet, Loop};

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and puts each output into `collection` as it
    /// finishes.
    ///
    /// So the order is that in which they finish; [`collect`](Self::collect) has the input's. Nothing but
    /// the collection is kept, and whatever was put in stays in it, also if the loop is cut short, panics
    /// or is dropped.
    ///
    /// The collection is anything one can extend with a body's output: a map with pairs, a `String` with
    /// words, a type of your own. Its `extend` is called once for each output, in the loop's own task.
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
    /// None, unless the loop may be [cut short](Policy): then [`Interrupted`](crate::Interrupted).
    ///
    /// # Panics
    ///
    /// If a body, the source or the collection panics, the bodies are stopped, and when they have stopped
    /// the panic goes on in the caller. Panics too if the runtime of a spawned loop is shut down before the
    /// loop has ended, and the loop has no error to say so.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone when drop
    /// returns, spawned they have been asked to stop. The collection has what had finished.
    pub fn extend<X, F, B, J, I>(
        self,
        collection: &mut X,
        body: F,
    ) -> impl Future<Output = C::Gives<(), ()>>
    where
        X: Extend<B::Returns>,
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns> + AllOrNothing,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        PromptCollectFuture::new(self.drive(body), Extended { collection })
    }
}

struct Extended<'a, X> {
    collection: &'a mut X,
}

impl<T, C: Policy, X: Extend<T>> Collector<T, C> for Extended<'_, X> {
    type Collected = C::Gives<(), ()>;

    #[inline]
    fn take(&mut self, end: Completion<T>) -> ControlFlow<()> {
        if let Some(output) = end.outcome.ok() {
            self.collection.extend(iter::once(output));
        }
        ControlFlow::Continue(())
    }

    fn finish(self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        C::gives(ending.interrupted.map_or(Ok(()), Err))
    }
}
