//! The results of a loop as a stream.

use core::convert::Infallible;
use core::fmt;
use core::future::poll_fn;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::stream::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::output_buffer::OutputBuffer;
use crate::admission::{AttemptLog, MaybeQueue, NoQueue};
use crate::driver::{Drive, Receiver, Spawner};
use crate::looping::NoOptions;
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::place::{BodySet, Delivery};

pin_project! {
    /// The results of a loop, as a stream.
    ///
    /// **In-task bodies run only while the stream is polled.** A plain `while let Some(x) =
    /// results.next().await { step(x).await }` suspends them during `step`: connections time out, and
    /// a step that waits for a lock which a body holds deadlocks. Use [`for_each`](Results::for_each)
    /// or [`try_for_each`](Results::try_for_each), which poll the bodies while the step awaits.
    /// Spawned bodies run during `step`, too, but the loop starts the next body only when the stream
    /// is polled again: at each `next()`.
    ///
    /// The results of in-task bodies come in batches: those of bodies that were woken together, or of up to 64 that are
    /// ready at their first poll. Each keeps its permit until it is taken, so there are never more than the limit.
    ///
    /// The parameters are the parts of the loop: the source `S`, the spawner `A`, the set `J` of running bodies, the
    /// items of the stream (`K`), the options `C`, the admission queue `Q` that some options need, and the error `U` of a fallible source.
    ///
    /// # Cancel safety
    ///
    /// Dropping a `next()` loses no result. Dropping the stream cancels the bodies. In-task bodies
    /// have been dropped when `drop` returns; spawned bodies have been asked to stop.
    #[must_use = "a loop does nothing until its results are asked for"]
    pub struct Results<S, A, J, K, C = NoOptions, Q = NoQueue, U = Infallible> {
        #[pin]
        drive: Drive<S, A, J, Q, C, U>,
        buffer: K,
    }
}

/// Who takes the results that [`Results::poll_fill`] buffers, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taker {
    /// A future that takes all of them and drives the loop again at once.
    Consumer,
    /// The caller of `next()`, one by one, who may be long in between.
    Caller,
}

impl<S, A, J, K, C, Q, U> Results<S, A, J, K, C, Q, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
    K: OutputBuffer<Output = <C as Policy>::Output<J::Output>>,
{
    /// Waits for the next result. `None` when there are no more.
    ///
    /// This is the `next` of the `StreamExt` traits, for programs that import none. Results over a stream that is
    /// not `Unpin` must be pinned, and have that method only.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the panic propagates.
    ///
    /// # Cancel safety
    ///
    /// No result is lost if the future is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let mut squares = forloop::each(1..=3).limit(2)?.stream(async |n| n * n);
    /// while let Some(square) = squares.next().await {
    ///     println!("{square}");
    /// }
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    #[allow(clippy::should_implement_trait)] // the field's word for it, and what `StreamExt` calls it
    pub fn next(
        &mut self,
    ) -> impl Future<Output = Option<C::Result<K::Item, K::Left>>> + use<'_, S, A, J, K, C, Q, U>
    where
        Self: Unpin,
    {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx))
    }

    pub(super) fn new(drive: Drive<S, A, J, Q, C, U>, buffer: K) -> Self {
        Self { drive, buffer }
    }

    /// Drives the loop until a batch of results is in the buffer, which may hold back those that wait for an earlier
    /// one; `false` once there will be no more. `in_channel` results have left the buffer and still hold permits.
    ///
    /// A batch is what one round completes, or one run of starts. All its results hold permits until they are taken, so
    /// no more bodies start in a run than there are permits: with a limit of one, the next item is pulled when the
    /// result has been taken. A run ends where the loop looks at the clock, so a batch waits for a slow source no longer
    /// than a body does. A loop that may be interrupted checks for that before each start, and its batches have one result.
    ///
    /// Tasks and workers run while a caller does something else. So each `next()` drives their loop, which has them start
    /// what it can, and takes one result.
    #[inline]
    pub(super) fn poll_fill(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        in_channel: usize,
        taker: Taker,
    ) -> Poll<bool> {
        let is_beside = taker == Taker::Consumer;
        let turn = self.as_mut().project().drive.enter_turn(is_beside);
        let polled = self.as_mut().poll_buffer(cx, in_channel, taker);
        self.project().drive.leave_turn(turn);
        polled
    }

    /// [`poll_fill`](Self::poll_fill), in the turn of the task.
    #[inline(never)] // so that it has all registers
    fn poll_buffer(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        in_channel: usize,
        taker: Taker,
    ) -> Poll<bool> {
        let mut this = self.project();
        let (held, buffer) = (in_channel + this.buffer.len(), this.buffer);
        buffer.shrink();
        this.drive.as_mut().set_up_stream(Receiver {
            are_collected: false,
            is_ordered: K::ORDERED,
            may_fail: false,
            log: AttemptLog::None,
            delivery: Some(|_| Delivery::Prompt),
        });
        let before = buffer.len();
        let polled = this.drive.poll_completions(cx, Some(held), false, |completion| {
            if let Some(completion) = completion {
                // A body without an output was cancelled, and `finish` reports why.
                let Ok(output) = C::output_of(completion.outcome) else {
                    return ControlFlow::Continue(());
                };
                buffer.push(completion.index, output);
                if J::IS_INLINE || taker == Taker::Consumer {
                    return ControlFlow::Continue(());
                }
            }
            if buffer.len() > before { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        polled.map(|polled| polled.is_break())
    }

    /// Drives the loop until a result may be given, and takes it.
    #[inline(never)]
    fn poll_next_batch(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<C::Result<K::Item, K::Left>>> {
        self.as_mut().begin_poll();
        while ready!(self.as_mut().poll_fill(cx, 0, Taker::Caller)) {
            if let Some(item) = self.as_mut().pop() {
                return Poll::Ready(Some(item));
            }
        }
        Poll::Ready(self.finish())
    }

    /// Has other tasks start what they can, if the next result may be there already.
    fn start_more(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let this = self.project();
        let (held, buffer) = (this.buffer.len(), this.buffer);
        if held == 0 && !this.drive.has_completions() {
            return;
        }
        this.drive.start_more(cx, held, |completion| {
            if let Ok(output) = C::output_of(completion.outcome) {
                buffer.push(completion.index, output);
            }
        });
    }

    /// [`Drive::begin_poll`].
    pub(super) fn begin_poll(self: Pin<&mut Self>) {
        self.project().drive.begin_poll();
    }

    /// Takes the next result from the buffer.
    #[inline]
    pub(super) fn pop(self: Pin<&mut Self>) -> Option<C::Result<K::Item, K::Left>> {
        self.project().buffer.pop().map(|item| C::result_of(Ok(item)))
    }

    /// Whether no result is buffered.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Cancels the bodies. [`poll_fill`](Self::poll_fill) returns `false` when they have stopped.
    pub(super) fn stop(self: Pin<&mut Self>) {
        self.project().drive.stop();
    }

    /// Whether the loop stopped for a reason that [`finish`](Self::finish) reports.
    pub(super) fn was_interrupted(&self) -> bool {
        self.drive.was_interrupted()
    }

    /// Resumes the panic that stopped the loop, if one did, and drops any other reason: for a consumer that has
    /// returned.
    pub(super) fn resume_panic(self: Pin<&mut Self>) {
        self.project().drive.finish();
    }

    /// Resumes the panic that stopped the loop, if one did. Otherwise returns, once, what interrupted it: the
    /// last item of the stream. Called when every body has stopped.
    pub(super) fn finish(self: Pin<&mut Self>) -> Option<C::Result<K::Item, K::Left>> {
        let this = self.project();
        let interrupted = this.drive.finish()?;
        Some(C::result_of(Err(interrupted.with(this.buffer.take_left()))))
    }
}

impl<S, A, J, K, C, Q, U> Stream for Results<S, A, J, K, C, Q, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
    K: OutputBuffer<Output = <C as Policy>::Output<J::Output>>,
{
    type Item = C::Result<K::Item, K::Left>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !J::IS_INLINE {
            self.as_mut().start_more(cx);
        }
        match self.as_mut().pop() {
            Some(item) => Poll::Ready(Some(item)),
            None => self.poll_next_batch(cx),
        }
    }

    /// The upper bound is exact where the source's is, but for the result that says that the loop was interrupted. It is
    /// unknown where workers pull the items.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let buffered = self.buffer.len();
        let interruption = usize::from(C::MAY_BE_INTERRUPTED && !self.drive.is_finished());
        let most = self.drive.most_completions().and_then(|most| most.checked_add(interruption));
        // An ordered result may wait for one that never comes.
        let least = if K::ORDERED { 0 } else { buffered };
        (least, most.and_then(|most| most.checked_add(buffered)))
    }
}

impl<S, A, J, K, C, Q, U> FusedStream for Results<S, A, J, K, C, Q, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
    K: OutputBuffer<Output = <C as Policy>::Output<J::Output>>,
{
    fn is_terminated(&self) -> bool {
        self.drive.is_finished() && self.buffer.is_empty()
    }
}

impl<S, A, J: fmt::Debug, K, C, Q, U> fmt::Debug for Results<S, A, J, K, C, Q, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("drive", &self.drive).finish_non_exhaustive()
    }
}
