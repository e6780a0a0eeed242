//! `gather`: every output, in input order.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use futures_core::Stream;

use super::{Judge, Judged, runtime_is_gone};
use crate::engine::End;
use crate::place::{Body, Place, Started};
use crate::{HowMany, Loop, each};

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
pub fn gather<I, N, F>(futures: I) -> impl Future<Output = Vec<F::Output>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future,
{
    each(futures).unbounded().gather(|future| future)
}

impl<S: Stream, P, L> Loop<S, P, L> {
    /// Runs the bodies, as many at once as the loop allows, and returns their outputs in input
    /// order.
    ///
    /// Costs two allocations per slot and none per item, beside the results; spawned, what the
    /// runtime's task costs, and one more, for each item.
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
    /// # Panics
    ///
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped
    /// the panic goes on in the caller. Panics too if the runtime of a spawned loop is shut down
    /// before the loop has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone
    /// when drop returns, spawned they have been asked to stop.
    pub fn gather<F, B, J>(self, body: F) -> impl Future<Output = Vec<B::Returns>>
    where
        L: HowMany,
        F: FnMut(S::Item) -> B,
        B: Body,
        P: Place<B, Job = J>,
        J: Started<Output = B::Returns>,
    {
        Judged::new(self.drive(body), Gather { outputs: Vec::new() })
    }
}

struct Gather<T> {
    outputs: Vec<Option<T>>,
}

impl<T> Judge<T> for Gather<T> {
    type Verdict = Vec<T>;

    fn take(&mut self, end: End<T>) -> ControlFlow<()> {
        let output = end.outcome.ok();
        let flow =
            if output.is_some() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        put(&mut self.outputs, end.index, output);
        flow
    }

    fn verdict(mut self, started: usize) -> Vec<T> {
        self.outputs.resize_with(started, || None);
        let outputs = self.outputs.into_iter().enumerate();
        outputs.map(|(index, output)| output.unwrap_or_else(|| runtime_is_gone(index))).collect()
    }
}

/// Puts a result at its index.
pub(super) fn put<T>(results: &mut Vec<Option<T>>, index: usize, result: Option<T>) {
    if index >= results.len() {
        results.resize_with(index + 1, || None);
    }
    results[index] = result;
}
