//! `as_completed`: index and output of each body, in completion order.

use futures_core::Stream;

use super::Results;
use super::output_buffer::{OutputBuffer, Queue};
use crate::body::Body;
use crate::driver::{BodySpawner, OnWorkers};
use crate::engine::FutureSet;
use crate::looping::{Iter, LimitSet};
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::place::{BodySet, Dispatch, Inline, InlineJob, Place};
use crate::{Loop, each};

/// Runs every future concurrently and yields index and output of each, in completion order.
///
/// **The futures run only while the stream is polled.** See [`Results`], and its `for_each`,
/// which polls them while a step runs.
///
/// Equivalent to Python's `asyncio.as_completed`, except that leaving it early cancels the unfinished
/// futures, which Python leaves running.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// let double = async |n: u32| n * 2;
/// let mut results = forloop::as_completed([double(1), double(2)]);
/// while let Some((index, output)) = results.next().await {
///     assert_eq!(output, [2, 4][index]);
/// }
/// # });
/// ```
///
/// # Panics
///
/// If a future panics, the others are dropped and the panic propagates to the caller.
#[doc(alias = "FuturesUnordered")]
#[cfg_attr(feature = "simulation", track_caller)]
pub fn as_completed<I, N, F, T>(
    futures: I,
) -> Results<
    Iter<N>,
    BodySpawner<impl FnMut(F) -> F, Inline>,
    FutureSet<InlineJob<F>>,
    AsCompleted<T>,
>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = T>,
{
    each(futures).unbounded().as_completed(|future| future)
}

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and yields index and output of each, in completion
    /// order.
    ///
    /// [`stream_unordered`](Self::stream_unordered) yields the outputs alone.
    ///
    /// **In-task bodies run only while the stream is polled.** See [`Results`], and its
    /// `for_each`, which polls them while a step runs.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let words = ["loop", "for"];
    /// forloop::each(words)
    ///     .limit(2)?
    ///     .as_completed(|word| async move { word.len() })
    ///     .for_each(async |(index, length)| println!("{} has {length} letters", words[index]))
    ///     .await;
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped,
    /// the panic propagates to the task that polls the stream. Also panics if the runtime of a
    /// spawned loop shuts down before the loop completes.
    ///
    /// # Cancel safety
    ///
    /// As [`Results`]: dropping a `next()` loses no result, and dropping the stream cancels the
    /// bodies.
    #[doc(alias = "FuturesUnordered")]
    #[doc(alias = "buffer_unordered")]
    pub fn as_completed<F, B, J, I>(
        self,
        body: F,
    ) -> Results<
        S,
        BodySpawner<F, P>,
        J,
        AsCompleted<C::Output<B::Returns>>,
        C,
        C::AdmissionQueue<I, B::Returns>,
        C::SourceError,
    >
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomeRule<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Set = J, Dispatch: Dispatch<S, F, B, OnWorkers<C, B::Returns>>>,
        J: BodySet<Output = B::Returns>,
    {
        Results::new(self.drive(body, None), AsCompleted { outputs: Queue::new() })
    }
}

/// Outputs with their index, in completion order.
#[derive(Debug)]
pub struct AsCompleted<T> {
    outputs: Queue<(usize, T)>,
}

impl<T> OutputBuffer for AsCompleted<T> {
    type Output = T;
    type Item = (usize, T);
    type Left = ();

    #[inline]
    fn push(&mut self, index: usize, output: T) {
        self.outputs.push((index, output));
    }

    #[inline]
    fn pop(&mut self) -> Option<(usize, T)> {
        self.outputs.pop()
    }

    #[inline]
    fn len(&self) -> usize {
        self.outputs.len()
    }

    #[inline]
    fn shrink(&mut self) {
        self.outputs.shrink();
    }

    fn take_left(&mut self) {}
}
