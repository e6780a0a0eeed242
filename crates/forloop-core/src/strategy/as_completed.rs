//! `as_completed`: index and output, as they finish.

use alloc::collections::VecDeque;

use futures_core::Stream;

use super::Results;
use super::results::OutputBuffer;
use crate::body::Body;
use crate::driver::BodySpawner;
use crate::engine::JobHandle;
use crate::options::{ItemPolicy, OutcomePolicy, Policy};
use crate::place::{Dispatch, Inline, InlineJob, Place};
use crate::{Iter, LimitSet, Loop, each};

/// Runs every future at once and gives index and output of each as it finishes.
///
/// **In-task futures stand still while nobody polls the stream**: see [`Results`], and its
/// `for_each`, under which they go on.
///
/// Known from Python as `asyncio.as_completed`; leaving it early stops the unfinished futures,
/// where Python goes on with them.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use futures_lite::StreamExt;
///
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
/// If a future panics, the others are dropped and its panic goes on in the caller.
#[cfg_attr(feature = "simulation", track_caller)]
pub fn as_completed<I, N, F, T>(
    futures: I,
) -> Results<Iter<N>, BodySpawner<impl FnMut(F) -> F, Inline>, InlineJob<F>, AsCompleted<T>>
where
    I: IntoIterator<Item = F, IntoIter = N>,
    N: Iterator<Item = F>,
    F: Future<Output = T>,
{
    each(futures).unbounded().as_completed(|future| future)
}

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and gives index and output of each as
    /// it finishes.
    ///
    /// **Bodies that run in the caller's task stand still while nobody polls the stream**: see
    /// [`Results`], and its `for_each`, under which they go on.
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
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped
    /// the panic goes on in whoever polls. Panics too if the runtime of a spawned loop is shut down
    /// before the loop has ended.
    ///
    /// # Cancel safety
    ///
    /// As [`Results`]: a `next()` that is dropped loses nothing, and dropping the stream stops the
    /// bodies.
    pub fn as_completed<F, B, J, I>(
        self,
        body: F,
    ) -> Results<
        S,
        BodySpawner<F, P, C::AdmissionQueue<I, B::Returns>>,
        J,
        AsCompleted<C::Each<B::Returns>>,
        C,
    >
    where
        L: LimitSet,
        C: ItemPolicy<S::Item, Item = I> + OutcomePolicy<B::Returns>,
        F: FnMut(I) -> B,
        B: Body,
        P: Place<B, Job = J, Dispatch: Dispatch<S, F, I>>,
        J: JobHandle<Output = B::Returns>,
    {
        Results::new(self.drive(body), AsCompleted { waiting: VecDeque::new() })
    }
}

/// Outputs with their index, in the order in which they come.
#[derive(Debug)]
pub struct AsCompleted<T> {
    waiting: VecDeque<(usize, T)>,
}

impl<T> OutputBuffer for AsCompleted<T> {
    type Output = T;
    type Item = (usize, T);
    type Left = ();

    fn put(&mut self, index: usize, output: T) {
        self.waiting.push_back((index, output));
    }

    fn take(&mut self) -> Option<(usize, T)> {
        self.waiting.pop_front()
    }

    fn held(&self) -> usize {
        self.waiting.len()
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < self.waiting.capacity()
    }

    fn left(&mut self) {}
}
