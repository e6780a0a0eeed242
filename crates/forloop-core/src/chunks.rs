//! `chunks`: a source whose items come in chunks, by number and by time.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::looping::{Limit, LimitUnset, Loop, NoOptions, TimerSet};
use crate::options::{Alarm, Fallible};
use crate::place::Inline;
use crate::runtime::LocalTimer;

impl<S: Stream, M> Loop<S, Inline, LimitUnset, NoOptions, M> {
    /// Passes the items to the bodies in chunks of `size`, a `Vec` each. The last chunk may be shorter.
    ///
    /// It comes directly after [`each`](crate::each), [`each_stream`](crate::each_stream) and their fallible forms. What
    /// follows counts chunks and not items: the limit, a rate, the index of an error. [`within`](Self::within) also ends
    /// a chunk after some time. A size of 0 is an error, hence the `?`; a [`Const`](crate::Const) needs none.
    ///
    /// The error of a fallible source comes after a chunk of the items before it.
    ///
    /// A loop that stops before its source has ended, at a deadline or by [`drain_on`](Loop::drain_on), drops the items
    /// that are not yet a chunk. To have them processed, end the source instead.
    ///
    /// # Costs
    ///
    /// An allocation for each chunk. The loop yields after 256 items that are not yet a chunk.
    ///
    /// # Panics
    ///
    /// If the source panics, the items that are not yet a chunk are dropped with the loop.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let chunks = forloop::each(1..=7).chunks(3)?.limit(2)?;
    /// let sums = chunks.gather(async |chunk: Vec<u32>| chunk.iter().sum::<u32>()).await;
    /// assert_eq!(sums, [6, 15, 7]);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "batch")]
    #[doc(alias = "batched")]
    #[doc(alias = "chunks_timeout")]
    #[doc(alias = "ready_chunks")]
    pub fn chunks<N: Limit>(
        self,
        size: N,
    ) -> N::Limited<Loop<Chunks<S, PlainItems>, Inline, LimitUnset, NoOptions, M>>
    where
        PlainItems: ChunkOf<S::Item>,
    {
        size.apply(|size| self.map_source(|source| Chunks::new(source, size)))
    }
}

impl<S: Stream<Item = Result<T, E>>, T, E, M> Loop<S, Inline, LimitUnset, Fallible<E>, M> {
    /// Passes the items to the bodies in chunks: as [`chunks`](Loop::chunks) of a loop whose source cannot fail.
    pub fn chunks<N: Limit>(
        self,
        size: N,
    ) -> N::Limited<Loop<Chunks<S, FallibleItems>, Inline, LimitUnset, Fallible<E>, M>> {
        size.apply(|size| self.map_source(|source| Chunks::new(source, size)))
    }
}

impl<S: Stream, K: ChunkOf<S::Item>, C, M: TimerSet> Loop<Chunks<S, K>, Inline, LimitUnset, C, M> {
    /// Ends a chunk also when its first item has waited for `duration`: a chunk is passed on when it is complete or
    /// late, never empty.
    ///
    /// It comes directly after `chunks`. The time begins when the loop pulls the item, which it does when a body can be
    /// started. The clock is that of the loop's other options: see [`timer`](Loop::timer).
    ///
    /// # Examples
    ///
    /// Lines are stored a hundred at a time, and no later than a second after they were read:
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # use futures_lite::Stream;
    /// use std::time::Duration;
    ///
    /// async fn store(lines: Vec<String>) {
    ///     println!("{} lines", lines.len());
    /// }
    ///
    /// async fn tail(
    ///     clock: &(impl forloop::Timer + Clone + 'static),
    ///     lines: impl Stream<Item = String>,
    /// ) -> Result<(), forloop::ZeroLimit> {
    ///     let lines = forloop::each_stream(lines).timer(clock);
    ///     lines.chunks(100)?.within(Duration::from_secs(1)).sequential().for_each(store).await;
    ///     Ok(())
    /// }
    /// ```
    #[doc(alias = "chunks_timeout")]
    #[doc(alias = "interval")]
    pub fn within(
        self,
        duration: Duration,
    ) -> Loop<ChunksWithin<S, K, M::Timer>, Inline, LimitUnset, C, M> {
        let timer = self.timer.timer();
        self.map_source(|chunks| ChunksWithin {
            chunks,
            timer,
            alarm: Alarm::default(),
            duration,
            due: None,
        })
    }
}

/// How items become chunks: the items of a source that cannot fail.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct PlainItems(Infallible);

/// How items become chunks: the `Ok`s of a source that may fail, up to its error.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct FallibleItems(Infallible);

/// How the items `I` of a source become chunks.
#[doc(hidden)]
pub trait ChunkOf<I> {
    /// What a chunk has many of.
    type Item;
    /// What the loop receives.
    type Chunk;

    /// Returns what the item adds to a chunk.
    ///
    /// # Errors
    ///
    /// Returns an item that is passed on alone, after those before it.
    fn add(item: I) -> Result<Self::Item, Self::Chunk>;

    /// Makes a chunk of these items.
    fn chunk(items: Vec<Self::Item>) -> Self::Chunk;
}

impl<I> ChunkOf<I> for PlainItems {
    type Item = I;
    type Chunk = Vec<I>;

    fn add(item: I) -> Result<I, Vec<I>> {
        Ok(item)
    }

    fn chunk(items: Vec<I>) -> Vec<I> {
        items
    }
}

impl<T, E> ChunkOf<Result<T, E>> for FallibleItems {
    type Item = T;
    type Chunk = Result<Vec<T>, E>;

    fn add(item: Result<T, E>) -> Result<T, Result<Vec<T>, E>> {
        item.map_err(Err)
    }

    fn chunk(items: Vec<T>) -> Result<Vec<T>, E> {
        Ok(items)
    }
}

/// How many items are pulled in one poll before the source yields, if they are not yet a chunk.
const ITEMS_PER_POLL: usize = 256;

/// A chunk has room for at most so many items before they are there: what a source says of its length may be wrong.
const ROOM: usize = 1024;

pin_project! {
    /// The source of a loop in [`chunks`](Loop::chunks).
    pub struct Chunks<S: Stream, K: ChunkOf<S::Item>> {
        #[pin]
        source: S,
        size: NonZeroUsize,
        // The items that are not yet a chunk.
        items: Vec<K::Item>,
        // What follows the chunk that was passed on last.
        next: Option<K::Chunk>,
        has_ended: bool,
        kind: PhantomData<K>,
    }
}

impl<S: Stream, K: ChunkOf<S::Item>> Chunks<S, K> {
    fn new(source: S, size: NonZeroUsize) -> Self {
        Self { source, size, items: Vec::new(), next: None, has_ended: false, kind: PhantomData }
    }

    /// Takes the items that are not yet a chunk, if there are any.
    fn take_rest(self: Pin<&mut Self>) -> Option<K::Chunk> {
        let this = self.project();
        (!this.items.is_empty()).then(|| K::chunk(mem::take(this.items)))
    }
}

impl<S: Stream, K: ChunkOf<S::Item>> Stream for Chunks<S, K> {
    type Item = K::Chunk;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<K::Chunk>> {
        let mut this = self.as_mut().project();
        if let Some(next) = this.next.take() {
            return Poll::Ready(Some(next));
        }
        if *this.has_ended {
            return Poll::Ready(None);
        }
        for _ in 0..ITEMS_PER_POLL {
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => match K::add(item) {
                    Ok(item) => {
                        if this.items.is_empty() {
                            let left = this.source.size_hint().0.saturating_add(1);
                            this.items.reserve(left.min(this.size.get()).min(ROOM));
                        }
                        this.items.push(item);
                        if this.items.len() == this.size.get() {
                            return Poll::Ready(self.take_rest());
                        }
                    }
                    Err(alone) => {
                        *this.next = Some(alone);
                        let rest = self.as_mut().take_rest();
                        return Poll::Ready(rest.or_else(|| self.project().next.take()));
                    }
                },
                Poll::Ready(None) => {
                    *this.has_ended = true;
                    return Poll::Ready(self.take_rest());
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let chunks = |items: usize| {
            items.saturating_add(self.items.len()).div_ceil(self.size.get())
                + usize::from(self.next.is_some())
        };
        let (lower, upper) = if self.has_ended { (0, Some(0)) } else { self.source.size_hint() };
        (chunks(lower), upper.map(chunks))
    }
}

impl<S: Stream + fmt::Debug, K: ChunkOf<S::Item>> fmt::Debug for Chunks<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks")
            .field("source", &self.source)
            .field("size", &self.size)
            .field("waiting", &self.items.len())
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The source of a loop in chunks that also end after some [time](Loop::within).
    pub struct ChunksWithin<S: Stream, K: ChunkOf<S::Item>, R: LocalTimer> {
        #[pin]
        chunks: Chunks<S, K>,
        timer: R,
        alarm: Alarm<R>,
        duration: Duration,
        // When the chunk is passed on that has begun.
        due: Option<Duration>,
    }
}

impl<S: Stream, K: ChunkOf<S::Item>, R: LocalTimer> Stream for ChunksWithin<S, K, R> {
    type Item = K::Chunk;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<K::Chunk>> {
        let mut this = self.project();
        let mut polled = this.chunks.as_mut().poll_next(cx);
        if polled.is_pending() && !this.chunks.items.is_empty() {
            let begins = || this.timer.now_local().saturating_add(*this.duration);
            let due = *this.due.get_or_insert_with(begins);
            if this.alarm.poll_until(this.timer, due, cx).is_ready() {
                polled = Poll::Ready(this.chunks.take_rest());
            }
        }
        if polled.is_ready() {
            *this.due = None;
            this.alarm.clear();
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // An item may be a chunk of its own.
        let items = self.chunks.source.size_hint().1;
        let upper = items.and_then(|items| items.checked_add(self.chunks.items.len()));
        (self.chunks.size_hint().0, upper)
    }
}

impl<S, K, R> fmt::Debug for ChunksWithin<S, K, R>
where
    S: Stream + fmt::Debug,
    K: ChunkOf<S::Item>,
    R: LocalTimer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunksWithin")
            .field("chunks", &self.chunks)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}
