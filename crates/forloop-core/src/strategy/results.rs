//! A loop's results as a stream, and the loop over them that keeps the bodies going.

use core::fmt;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::consume::{Consume, ResultReceiver};
use crate::body::Body;
use crate::driver::{Drive, Spawner};
use crate::engine::JobHandle;
use crate::looping::NoOptions;
use crate::options::{ItemPolicy, OutcomePolicy, Policy};

/// What waits for the consumer: ends that were told and not yet taken.
pub trait OutputBuffer {
    /// What a body has given.
    type Output;

    /// What the consumer gets.
    type Item;

    /// What is left when no more outputs come.
    type Left;

    /// Whether results wait for those of earlier items.
    const ORDERED: bool = false;

    /// Puts a body's output on the shelf.
    fn put(&mut self, index: usize, output: Self::Output);

    /// Takes the next item, if it is its turn.
    fn take(&mut self) -> Option<Self::Item>;

    /// How many items are on the shelf.
    fn held(&self) -> usize;

    /// Whether there is room for one more, without another allocation.
    fn has_room(&self) -> bool;

    /// Takes what is still there and whose turn will never come.
    fn left(&mut self) -> Self::Left;
}

pin_project! {
    /// The results of a loop, as a stream.
    ///
    /// **In-task bodies run only while the stream is polled.** A plain `while let Some(x) =
    /// results.next().await { step(x).await }` leaves them frozen during `step`: connections time
    /// out, and a step that wants a lock that a body holds waits for ever. Use
    /// [`for_each`](Results::for_each) or [`try_for_each`](Results::try_for_each), which keep the
    /// bodies going while the step runs. Bodies that run [`on`](crate::Loop::on) a runtime go on by
    /// themselves, but a slot that becomes free is filled only when the stream is next polled.
    ///
    /// # Cancel safety
    ///
    /// A `next()` that is dropped loses nothing. Dropping the stream stops the bodies: in-task
    /// they are gone when drop returns, spawned they have been asked to stop.
    #[must_use = "a loop does nothing until its results are asked for"]
    pub struct Results<S, A, J, K, C = NoOptions> {
        #[pin]
        drive: Drive<S, A, J, C>,
        buffer: K,
    }
}

impl<S, A, J, K, C> Results<S, A, J, K, C>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
    K: OutputBuffer<Output = <C as Policy>::Each<J::Output>>,
{
    pub(super) fn new(drive: Drive<S, A, J, C>, buffer: K) -> Self {
        Self { drive, buffer }
    }

    /// Runs `consumer` over the results while the bodies go on, also while it awaits something
    /// else, and returns what it returns.
    ///
    /// The consumer gets a [`ResultReceiver`] to take results from, one by one. It may use `?` and may leave
    /// early: the bodies are then stopped. Results it has not taken yet count against the loop's
    /// limit, so memory stays bounded by it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// # async fn store(_: &str) -> Result<(), std::io::Error> { Ok(()) }
    /// let stored = forloop::each(["a", "b", "c"])
    ///     .limit(2)?
    ///     .as_completed(|name| async move { name.to_uppercase() })
    ///     .consume(|mut names| async move {
    ///         let mut stored = 0;
    ///         while let Some((_, name)) = names.next().await {
    ///             store(&name).await?;
    ///             stored += 1;
    ///         }
    ///         Ok::<_, std::io::Error>(stored)
    ///     })
    ///     .await;
    /// assert_eq!(stored.unwrap(), 3);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// If a body, the source or the consumer panics, everything else is stopped, and when it has
    /// stopped the panic goes on in the caller. Panics too if the runtime of a spawned loop is
    /// shut down before the loop has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the consumer, the source and the results that waited,
    /// and stops the bodies.
    pub fn consume<G, D, I, T>(self, consumer: G) -> impl Future<Output = T>
    where
        C: Policy<Gives<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
        G: FnOnce(ResultReceiver<I>) -> D,
        D: Future<Output = T>,
    {
        Consume::new(self, consumer)
    }

    /// Awaits `step` for one result after another, while the bodies go on.
    ///
    /// Steps never overlap. Results that come while a step runs wait for it; they count against
    /// the loop's limit, so memory stays bounded by it. A step whose future has to hold a `&mut`
    /// to something outside is a case for [`consume`](Self::consume).
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// # async fn store(_: &str) {}
    /// let mut stored = 0;
    /// forloop::each(["a", "b", "c"])
    ///     .limit(2)?
    ///     .stream(|name| async move { name.to_uppercase() })
    ///     .for_each(|name| {
    ///         stored += 1;
    ///         async move { store(&name).await }
    ///     })
    ///     .await;
    /// assert_eq!(stored, 3);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// As [`consume`](Self::consume): if a body, the source or a step panics.
    ///
    /// # Cancel safety
    ///
    /// As [`consume`](Self::consume).
    pub fn for_each<G, D, I>(self, mut step: G) -> impl Future<Output = ()>
    where
        C: Policy<Gives<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
        G: FnMut(I) -> D,
        D: Body<Returns = ()>,
    {
        self.consume(|mut feed| async move {
            while let Some(item) = feed.next().await {
                step(item).await;
            }
        })
    }

    /// Awaits `step` for one result after another, while the bodies go on, until a step fails.
    ///
    /// # Errors
    ///
    /// The error of the first step that returns one; the bodies have been stopped by then.
    ///
    /// # Panics
    ///
    /// As [`consume`](Self::consume): if a body, the source or a step panics.
    ///
    /// # Cancel safety
    ///
    /// As [`consume`](Self::consume).
    pub fn try_for_each<G, D, I, E>(self, mut step: G) -> impl Future<Output = Result<(), E>>
    where
        C: Policy<Gives<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
        G: FnMut(I) -> D,
        D: Body<Returns = Result<(), E>>,
    {
        self.consume(|mut feed| async move {
            while let Some(item) = feed.next().await {
                step(item).await?;
            }
            Ok(())
        })
    }

    /// Goes on until a result can be taken from the shelf; `false` once there are no more. Those of a round
    /// are shelved `together` for whoever comes back here, and so fills the slots that become free, after
    /// each that is taken.
    pub(super) fn poll_buffered(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        together: bool,
    ) -> Poll<bool> {
        let mut this = self.project();
        let (held, buffer) = (held + this.buffer.held(), this.buffer);
        if K::ORDERED {
            this.drive.as_mut().is_ordered();
        }
        let mut is_richer = false;
        let polled = this.drive.poll_completions(cx, held, |end| {
            // A body without an output has been stopped, or the loop says at its end why not.
            if let Some(end) = end {
                let Ok(output) = C::each(end.outcome) else { return ControlFlow::Continue(()) };
                buffer.put(end.index, output);
                is_richer = true;
                if together && buffer.has_room() {
                    return ControlFlow::Continue(());
                }
            }
            if is_richer { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        polled.map(|polled| polled.is_break())
    }

    /// [`Drive::polled_anew`].
    pub(super) fn polled_anew(self: Pin<&mut Self>) {
        self.project().drive.polled_anew();
    }

    /// How many results may wait at the most.
    pub(super) fn limit(&self) -> usize {
        self.drive.limit()
    }

    /// Takes the next result from the shelf.
    pub(super) fn take(self: Pin<&mut Self>) -> Option<C::Gives<K::Item, K::Left>> {
        self.project().buffer.take().map(|item| C::gives(Ok(item)))
    }

    /// Stops the bodies; `poll_buffered` gives `false` when they have stopped.
    pub(super) fn stop(self: Pin<&mut Self>) {
        self.project().drive.stop();
    }

    /// Whether the loop was stopped by something that `end` will tell.
    pub(super) fn was_cut_short(&self) -> bool {
        self.drive.was_cut_short()
    }

    /// Goes on with the panic that stopped the loop, if one did: for a consumer that has had enough.
    pub(super) fn raise(self: Pin<&mut Self>) {
        self.project().drive.ending();
    }

    /// Goes on with the panic that stopped the loop, if one did, and tells once what has cut it
    /// short: for when nothing runs any more.
    pub(super) fn end(self: Pin<&mut Self>) -> Option<C::Gives<K::Item, K::Left>> {
        let this = self.project();
        let interrupted = this.drive.ending()?;
        Some(C::gives(Err(interrupted.with(this.buffer.left()))))
    }
}

impl<S, A, J, K, C> Stream for Results<S, A, J, K, C>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
    K: OutputBuffer<Output = <C as Policy>::Each<J::Output>>,
{
    type Item = C::Gives<K::Item, K::Left>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.as_mut().polled_anew();
        loop {
            if let Some(item) = self.as_mut().take() {
                return Poll::Ready(Some(item));
            }
            if !ready!(self.as_mut().poll_buffered(cx, 0, false)) {
                return Poll::Ready(self.end());
            }
        }
    }
}

impl<S, A, J, K, C> fmt::Debug for Results<S, A, J, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("drive", &self.drive).finish_non_exhaustive()
    }
}
