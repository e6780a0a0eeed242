//! `gather`: every output, in input order.

use alloc::vec::Vec;

use futures_core::Stream;

use super::collector::{CollectFuture, Collector, CompletionDelivery, LoopEnd};
use crate::admission::AttemptLog;
use crate::body::Body;
use crate::driver::OnWorkers;
use crate::engine::{Completion, OrderedBuffer};
use crate::looping::LimitSet;
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::place::{BodySet, Dispatch, Place};
use crate::{Cause, Loop, Outcome, each, indices};

/// Runs every future concurrently and returns their outputs in input order.
///
/// The futures run in the caller's task: they may borrow and need not be `Send`. For a limit,
/// another place, or futures made from items, begin with [`each`](crate::each).
///
/// Equivalent to Python's `asyncio.gather`.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// let double = async |n: u32| n * 2;
/// assert_eq!(forloop::gather([double(1), double(2), double(3)]).await, [2, 4, 6]);
/// # });
/// ```
///
/// # Panics
///
/// If a future panics, the others are dropped and the panic propagates to the caller.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before `drop` returns.
#[doc(alias = "join_all")]
#[doc(alias = "join")]
#[doc(alias = "Promise.all")]
#[cfg_attr(feature = "simulation", track_caller)]
pub fn gather<I, N, F>(futures: I) -> impl Future<Output = Vec<F::Output>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future,
{
    each(futures).unbounded().gather(|future| future)
}

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and returns their outputs in input order.
    ///
    /// # Costs
    ///
    /// A few allocations for the loop, the vector of results among them, and none per item or slot.
    /// Spawned, each item costs what a task of the runtime costs, and one more allocation.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let squares = forloop::each(1..=4).limit(2)?.gather(|n| async move { n * n }).await;
    /// assert_eq!(squares, [1, 4, 9, 16]);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// None, unless the loop may be [interrupted](Policy): then [`Interrupted`](crate::Interrupted),
    /// with an outcome for every item that was pulled.
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
    #[doc(alias = "join_all")]
    #[doc(alias = "buffered")]
    #[doc(alias = "map_concurrent")]
    #[doc(alias = "p-map")]
    #[doc(alias = "Promise.all")]
    #[inline] // so that the loop is made where it is polled
    pub fn gather<F, B, J, I>(
        self,
        body: F,
    ) -> impl Future<Output = C::Result<Vec<C::Output<B::Returns>>, Vec<Outcome<B::Returns>>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>,
        J: BodySet<Output = B::Returns>,
    {
        let gather = Gather { outputs: OrderedBuffer::new(), not_run: Vec::new() };
        CollectFuture::new(self.drive(body, None), gather)
    }
}

/// `E` is what the policy makes of a body's output.
struct Gather<E> {
    outputs: OrderedBuffer<E>,
    /// The indices of bodies that were never polled.
    not_run: Vec<usize>,
}

impl<T, C: Policy> Collector<T, C> for Gather<C::Output<T>> {
    type Collected = C::Result<Vec<C::Output<T>>, Vec<Outcome<T>>>;

    const DELIVERY: CompletionDelivery<Self, T> = CompletionDelivery::BATCHED;
    const ATTEMPT_LOG: AttemptLog = AttemptLog::None;

    fn expect(&mut self, least: usize) {
        self.outputs.expect(least);
    }

    #[inline]
    fn on_completion(&mut self, completion: Completion<T>) {
        match C::output_of(completion.outcome) {
            Ok(output) => self.outputs.put(completion.index, output),
            Err(Outcome::NotRun) => self.not_run.push(completion.index),
            Err(_) => {}
        }
    }

    fn finish(mut self, end: LoopEnd<C::SourceError>) -> Self::Collected {
        C::result_of(match end.interrupted {
            // Every body that was started has completed with an output.
            None => Ok(self.outputs.into_vec()),
            Some(interrupted) => {
                indices::sort(&mut self.not_run);
                let unfinished = unfinished(&interrupted.cause);
                let outputs = self.outputs.into_options(end.started);
                let outcomes =
                    outputs.into_iter().enumerate().map(|(index, output)| match output {
                        Some(output) => C::outcome_of(output),
                        None if self.not_run.binary_search(&index).is_ok() => Outcome::NotRun,
                        None => unfinished(),
                    });
                let ready = outcomes.collect();
                Err(interrupted.with(ready))
            }
        })
    }
}

/// The outcome of a body that was stopped because this interrupted its loop.
pub(super) fn unfinished<T, E, S>(cause: &Cause<S>) -> fn() -> Outcome<T, E> {
    if matches!(cause, Cause::TimedOut) { || Outcome::TimedOut } else { || Outcome::Cancelled }
}
