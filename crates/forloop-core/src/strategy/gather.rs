//! `gather`: every output, in input order.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use futures_core::Stream;

use super::{CollectFuture, Collector, LoopEnd};
use crate::body::Body;
use crate::engine::{Completion, JobHandle, OrderedBuffer};
use crate::options::{ItemPolicy, OutcomePolicy, Policy};
use crate::place::{Dispatch, Place};
use crate::{Cause, LimitSet, Loop, Outcome, each};

/// Runs every future at once and returns their outputs in input order.
///
/// The futures run in the caller's own task: they may borrow and need not be `Send`. For a limit,
/// or another place, or futures made from items, begin with [`each`](crate::each).
///
/// Known from Python as `asyncio.gather`.
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
/// If a future panics, the others are dropped and its panic goes on in the caller.
///
/// # Cancel safety
///
/// Dropping the returned future drops every future in it, before drop returns.
#[cfg_attr(feature = "simulation", track_caller)]
pub fn gather<I, N, F>(futures: I) -> impl Future<Output = Vec<F::Output>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future,
{
    each(futures).unbounded().gather(|future| future)
}

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and returns their outputs in input
    /// order.
    ///
    /// Costs a few allocations for the loop and none per item or slot, the vector of results among
    /// them; spawned, what the runtime's task costs, and one more, for each item.
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
    /// None, unless the loop may be [cut short](Policy): then [`Interrupted`](crate::Interrupted), with an outcome for
    /// every item that was pulled.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped
    /// the panic goes on in the caller. Panics too if the runtime of a spawned loop is shut down
    /// before the loop has ended, and the loop has no error to say so.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone
    /// when drop returns, spawned they have been asked to stop.
    pub fn gather<F, B, J, I>(
        self,
        body: F,
    ) -> impl Future<Output = C::Gives<Vec<C::Each<B::Returns>>, Vec<Outcome<B::Returns>>>>
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        CollectFuture::new(
            self.drive(body),
            Gather { outputs: OrderedBuffer::new(), not_run: Vec::new() },
        )
    }
}

/// Holds an `E` for every body that has one: what the policy makes of its output.
struct Gather<E> {
    outputs: OrderedBuffer<E>,
    /// The indices of bodies that were never polled.
    not_run: Vec<usize>,
}

impl<T, C: Policy> Collector<T, C> for Gather<C::Each<T>> {
    type Collected = C::Gives<Vec<C::Each<T>>, Vec<Outcome<T>>>;

    fn expect(&mut self, ends: usize) {
        self.outputs.expect(ends);
    }

    #[inline]
    fn take(&mut self, end: Completion<T>) -> ControlFlow<()> {
        match C::each(end.outcome) {
            Ok(output) => self.outputs.put(end.index, output),
            Err(Outcome::NotRun) => self.not_run.push(end.index),
            Err(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn finish(mut self, ending: LoopEnd<C::SourceError>) -> Self::Collected {
        C::gives(match ending.interrupted {
            // Every body that was started has ended with an output.
            None => Ok(self.outputs.into_vec()),
            Some(interrupted) => {
                self.not_run.sort_unstable();
                let unfinished = unfinished(&interrupted.cause);
                let outputs = self.outputs.into_options(ending.started);
                let outcomes =
                    outputs.into_iter().enumerate().map(|(index, output)| match output {
                        Some(output) => C::outcome(output),
                        None if self.not_run.binary_search(&index).is_ok() => Outcome::NotRun,
                        None => unfinished(),
                    });
                let ready = outcomes.collect();
                Err(interrupted.with(ready))
            }
        })
    }
}

/// The outcome of a body that was stopped because its loop was cut short.
pub(super) fn unfinished<T, E, S>(cause: &Cause<S>) -> fn() -> Outcome<T, E> {
    if matches!(cause, Cause::TimedOut) { || Outcome::TimedOut } else { || Outcome::Cancelled }
}
