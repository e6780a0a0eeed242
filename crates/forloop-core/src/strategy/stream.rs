//! `stream` and `stream_unordered`: the outputs as a stream, in input order or in completion order.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use futures_core::Stream;

use super::Results;
use super::output_buffer::{OutputBuffer, Queue, may_shrink};
use crate::Loop;
use crate::body::Body;
use crate::driver::{BodySpawner, OnWorkers};
use crate::looping::LimitSet;
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::place::{BodySet, Dispatch, Place};

impl<S: Stream, P, L, C: Policy, M> Loop<S, P, L, C, M> {
    /// Runs the bodies, up to the limit at once, and yields their outputs as a stream, in input
    /// order.
    ///
    /// An output that waits for an earlier one keeps its permit, so a slow body slows the loop down
    /// instead of filling the memory.
    ///
    /// **In-task bodies run only while the stream is polled.** See [`Results`], and its
    /// `for_each`, which polls them while a step runs.
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
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped,
    /// the panic propagates to the task that polls the stream. Also panics if the runtime of a
    /// spawned loop shuts down before the loop completes.
    ///
    /// # Cancel safety
    ///
    /// As [`Results`]: dropping a `next()` loses no result, and dropping the stream cancels the
    /// bodies.
    #[doc(alias = "buffered")]
    #[doc(alias = "FuturesOrdered")]
    pub fn stream<F, B, J, I>(
        self,
        body: F,
    ) -> Results<
        S,
        BodySpawner<F, P>,
        J,
        InOrder<C::Output<B::Returns>>,
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
        Results::new(self.drive(body, None), InOrder { next: 0, slots: VecDeque::new(), len: 0 })
    }

    /// Runs the bodies, up to the limit at once, and yields their outputs as a stream, in completion
    /// order.
    ///
    /// [`as_completed`](Self::as_completed) yields each with its index.
    ///
    /// **In-task bodies run only while the stream is polled.** See [`Results`], and its
    /// `for_each`, which polls them while a step runs.
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
    /// If a body or the source panics, the loop cancels the other bodies. Once they have stopped,
    /// the panic propagates to the task that polls the stream. Also panics if the runtime of a
    /// spawned loop shuts down before the loop completes.
    ///
    /// # Cancel safety
    ///
    /// As [`Results`]: dropping a `next()` loses no result, and dropping the stream cancels the
    /// bodies.
    #[doc(alias = "buffer_unordered")]
    #[doc(alias = "FuturesUnordered")]
    #[doc(alias = "try_buffer_unordered")]
    #[doc(alias = "merge")]
    pub fn stream_unordered<F, B, J, I>(
        self,
        body: F,
    ) -> Results<
        S,
        BodySpawner<F, P>,
        J,
        Unordered<C::Output<B::Returns>>,
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
        Results::new(self.drive(body, None), Unordered { outputs: Queue::new() })
    }
}

/// A reorder buffer: outputs arrive in completion order and leave in input order.
///
/// The front of the queue is the slot of the lowest index that has not left. Slots behind it fill as bodies
/// complete, and nothing leaves while the front is empty. An output that waits holds a permit, so the limit bounds
/// how many are buffered.
#[derive(Debug)]
pub struct InOrder<T> {
    /// The index of the front.
    next: usize,
    /// A slot for every body from `next` up to the highest index that has completed.
    slots: VecDeque<Option<T>>,
    /// How many slots are filled.
    len: usize,
}

impl<T> OutputBuffer for InOrder<T> {
    type Output = T;
    type Item = T;
    type Left = Vec<(usize, T)>;

    const ORDERED: bool = true;

    fn push(&mut self, index: usize, output: T) {
        let offset = index - self.next;
        if offset >= self.slots.len() {
            self.slots.resize_with(offset + 1, || None);
        }
        self.slots[offset] = Some(output);
        self.len += 1;
    }

    fn pop(&mut self) -> Option<T> {
        let output = self.slots.front_mut()?.take()?;
        self.slots.pop_front();
        self.next += 1;
        self.len -= 1;
        Some(output)
    }

    fn len(&self) -> usize {
        self.len
    }

    fn shrink(&mut self) {
        if may_shrink(self.slots.capacity(), self.slots.len()) {
            self.slots.shrink_to(2 * self.slots.len());
        }
    }

    fn take_left(&mut self) -> Vec<(usize, T)> {
        self.len = 0;
        let indices = self.next..;
        let outputs = indices.zip(self.slots.drain(..));
        outputs.filter_map(|(index, output)| Some((index, output?))).collect()
    }
}

/// Outputs in completion order.
#[derive(Debug)]
pub struct Unordered<T> {
    outputs: Queue<T>,
}

impl<T> OutputBuffer for Unordered<T> {
    type Output = T;
    type Item = T;
    type Left = ();

    #[inline]
    fn push(&mut self, _index: usize, output: T) {
        self.outputs.push(output);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
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
