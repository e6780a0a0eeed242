//! `stream` and `stream_unordered`: a loop's outputs as they come, in input order or not.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use futures_core::Stream;

use super::Results;
use super::results::OutputBuffer;
use crate::body::Body;
use crate::driver::BodySpawner;
use crate::engine::JobHandle;
use crate::options::{ItemPolicy, OutcomePolicy, Policy};
use crate::place::{Dispatch, Place};
use crate::{LimitSet, Loop};

impl<S: Stream, P, L, C: Policy> Loop<S, P, L, C> {
    /// Runs the bodies, as many at once as the loop allows, and gives their outputs as a stream,
    /// in input order.
    ///
    /// An output that has to wait for an earlier one counts against the limit, so a slow body
    /// holds up the loop rather than filling the memory.
    ///
    /// **Bodies that run in the caller's task stand still while nobody polls the stream**: see
    /// [`Results`], and its `for_each`, under which they go on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use futures_lite::StreamExt;
    ///
    /// let squares = forloop::each(1..).limit(4)?.stream(|n| async move { n * n });
    /// let first: Vec<u32> = squares.take(3).collect().await;
    /// assert_eq!(first, [1, 4, 9]);
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
    pub fn stream<F, B, J, I>(
        self,
        body: F,
    ) -> Results<
        S,
        BodySpawner<F, P, C::AdmissionQueue<I, B::Returns>>,
        J,
        InOrder<C::Each<B::Returns>>,
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
        Results::new(self.drive(body), InOrder { next: 0, waiting: VecDeque::new(), held: 0 })
    }

    /// Runs the bodies, as many at once as the loop allows, and gives their outputs as a stream,
    /// in the order in which they finish.
    ///
    /// **Bodies that run in the caller's task stand still while nobody polls the stream**: see
    /// [`Results`], and its `for_each`, under which they go on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let mut total = 0;
    /// forloop::each(["to", "be", "or"])
    ///     .limit(2)?
    ///     .stream_unordered(|word| async move { word.len() })
    ///     .for_each(|length| {
    ///         total += length;
    ///         async {}
    ///     })
    ///     .await;
    /// assert_eq!(total, 6);
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
    pub fn stream_unordered<F, B, J, I>(
        self,
        body: F,
    ) -> Results<
        S,
        BodySpawner<F, P, C::AdmissionQueue<I, B::Returns>>,
        J,
        Unordered<C::Each<B::Returns>>,
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
        Results::new(self.drive(body), Unordered { waiting: VecDeque::new() })
    }
}

/// Outputs in input order.
#[derive(Debug)]
pub struct InOrder<T> {
    /// The index of the front of the queue.
    next: usize,
    /// A place for every body from `next` on that may have ended.
    waiting: VecDeque<Option<T>>,
    held: usize,
}

impl<T> OutputBuffer for InOrder<T> {
    type Output = T;
    type Item = T;
    type Left = Vec<(usize, T)>;

    const ORDERED: bool = true;

    fn put(&mut self, index: usize, output: T) {
        let place = index - self.next;
        if place >= self.waiting.len() {
            self.waiting.resize_with(place + 1, || None);
        }
        self.waiting[place] = Some(output);
        self.held += 1;
    }

    fn take(&mut self) -> Option<T> {
        let output = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.next += 1;
        self.held -= 1;
        Some(output)
    }

    fn held(&self) -> usize {
        self.held
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < self.waiting.capacity()
    }

    fn left(&mut self) -> Vec<(usize, T)> {
        self.held = 0;
        let left = self.next..;
        let outputs = left.zip(self.waiting.drain(..));
        outputs.filter_map(|(index, output)| Some((index, output?))).collect()
    }
}

/// Outputs in the order in which they come.
#[derive(Debug)]
pub struct Unordered<T> {
    waiting: VecDeque<T>,
}

impl<T> OutputBuffer for Unordered<T> {
    type Output = T;
    type Item = T;
    type Left = ();

    fn put(&mut self, _index: usize, output: T) {
        self.waiting.push_back(output);
    }

    fn take(&mut self) -> Option<T> {
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
