//! The results of a loop as a stream.

use core::convert::Infallible;
use core::fmt;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::output_buffer::OutputBuffer;
use crate::admission::{MaybeQueue, NoQueue};
use crate::driver::{Drive, Spawner};
use crate::looping::NoOptions;
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::place::BodySet;

pin_project! {
    /// The results of a loop, as a stream.
    ///
    /// **In-task bodies run only while the stream is polled.** A plain `while let Some(x) =
    /// results.next().await { step(x).await }` suspends them during `step`: connections time out, and
    /// a step that waits for a lock which a body holds deadlocks. Use [`for_each`](Results::for_each)
    /// or [`try_for_each`](Results::try_for_each), which poll the bodies while the step awaits.
    /// Spawned bodies run during `step`, too, but the loop starts the next body only when the stream
    /// is polled again.
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

/// How many results [`Results::poll_fill`] buffers before it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// One.
    One,
    /// Those of a batch, as many as the buffer has capacity for.
    Batch,
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
    pub(super) fn new(drive: Drive<S, A, J, Q, C, U>, buffer: K) -> Self {
        Self { drive, buffer }
    }

    /// Drives the loop until a result may be in the buffer; `false` once there will be no more. `in_channel`
    /// results have left the buffer and still hold permits.
    ///
    /// A consumer takes [a batch](Fill::Batch): the completions of one round, as many as the buffer has capacity
    /// for. All of them hold permits until they are taken, and those that are ready at the first poll are given
    /// before the loop pulls the next item. A loop that may be interrupted checks for that before each start.
    ///
    /// A plain `next()` takes [one](Fill::One). Its caller may not poll again soon; each time that it does, the
    /// loop fills the slots that have become free.
    pub(super) fn poll_fill(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        in_channel: usize,
        fill: Fill,
    ) -> Poll<bool> {
        let mut this = self.project();
        let (held, buffer) = (in_channel + this.buffer.len(), this.buffer);
        if K::ORDERED {
            this.drive.as_mut().set_ordered();
        }
        let mut has_grown = false;
        let polled = this.drive.poll_completions(cx, held, false, |completion| {
            if let Some(completion) = completion {
                // A body without an output was cancelled, and `finish` reports why.
                let Ok(output) = C::output_of(completion.outcome) else {
                    return ControlFlow::Continue(());
                };
                buffer.push(completion.index, output);
                has_grown = true;
                if fill == Fill::Batch && buffer.has_spare_capacity() {
                    return ControlFlow::Continue(());
                }
            }
            if has_grown { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        polled.map(|polled| polled.is_break())
    }

    /// [`Drive::begin_poll`].
    pub(super) fn begin_poll(self: Pin<&mut Self>) {
        self.project().drive.begin_poll();
    }

    /// Takes the next result from the buffer.
    pub(super) fn pop(self: Pin<&mut Self>) -> Option<C::Result<K::Item, K::Left>> {
        self.project().buffer.pop().map(|item| C::result_of(Ok(item)))
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

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.as_mut().begin_poll();
        loop {
            if let Some(item) = self.as_mut().pop() {
                return Poll::Ready(Some(item));
            }
            if !ready!(self.as_mut().poll_fill(cx, 0, Fill::One)) {
                return Poll::Ready(self.finish());
            }
        }
    }
}

impl<S, A, J: fmt::Debug, K, C, Q, U> fmt::Debug for Results<S, A, J, K, C, Q, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("drive", &self.drive).finish_non_exhaustive()
    }
}
