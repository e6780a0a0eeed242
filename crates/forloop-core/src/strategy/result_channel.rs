//! The channel between a loop and the consumer of its results.

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use futures_core::Stream;

use super::result_queue::{ResultQueue, RingReader, RingWriter};
use crate::budget::BUDGET;

/// The results of a loop, for its consumer to take: see [`Results::consume`](super::Results::consume).
///
/// Also a [`Stream`], for the combinators of futures-lite and other crates.
#[must_use = "a consumer that takes no result ends the loop"]
pub struct ResultReceiver<T> {
    channel: Arc<ResultChannel<T>>,
    reader: RingReader<T>,
}

impl<T> ResultReceiver<T> {
    /// Returns the next result, or `None` when every body has completed and every result was taken.
    ///
    /// # Cancel safety
    ///
    /// Dropping a `next()` loses no result.
    #[allow(clippy::should_implement_trait)] // the field's word for it, and what `StreamExt` calls it
    pub fn next(&mut self) -> impl Future<Output = Option<T>> + use<'_, T> {
        core::future::poll_fn(|cx| self.poll_take(cx))
    }

    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.channel.is_budget_spent() {
            // The loop renews the budget and wakes its consumer. It may have done so since the line above.
            self.channel.consumer.register(cx.waker());
            let is_gone = self.channel.loop_is_gone.load(Ordering::SeqCst);
            if self.channel.is_budget_spent() && !is_gone {
                self.channel.driver.wake();
                return Poll::Pending;
            }
        }
        if let Some(result) = self.take() {
            return Poll::Ready(Some(result));
        }
        self.channel.consumer.register(cx.waker());
        // Loaded before the second look at the queue: a result that was sent before the close is seen there.
        let is_closed = self.channel.is_closed.load(Ordering::SeqCst);
        match self.take() {
            Some(result) => Poll::Ready(Some(result)),
            None if is_closed => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn take(&mut self) -> Option<T> {
        let result = self.reader.pop(&self.channel.results)?;
        self.channel.taken.fetch_add(1, Ordering::SeqCst);
        self.channel.driver.wake();
        Some(result)
    }
}

impl<T> Stream for ResultReceiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_take(cx)
    }
}

impl<T> fmt::Debug for ResultReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultReceiver")
            .field("buffered", &self.channel.len())
            .finish_non_exhaustive()
    }
}

/// What loop and consumer share.
///
/// Each side has one waker. [`consumer`](Self::consumer) is registered by a receiver that finds no result, and
/// the loop wakes it for each result that it sends. [`driver`](Self::driver) is registered by a loop that goes to
/// sleep, and the consumer wakes it for each result that it takes, because that frees a permit. A receiver may be
/// polled in another task than the loop, so both are needed although consumer and loop usually share a task.
pub(super) struct ResultChannel<T> {
    results: ResultQueue<T>,
    /// How many results were taken since the loop was last polled: the consumer's cooperative budget.
    taken: AtomicUsize,
    /// No result will be sent any more.
    is_closed: AtomicBool,
    /// The loop was dropped, and renews no budget any more.
    loop_is_gone: AtomicBool,
    pub(super) consumer: AtomicWaker,
    pub(super) driver: AtomicWaker,
}

impl<T> ResultChannel<T> {
    /// The results that were sent and not taken.
    pub(super) fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether the consumer has taken as many results as it may in one poll of the loop.
    pub(super) fn is_budget_spent(&self) -> bool {
        self.taken.load(Ordering::SeqCst) >= BUDGET
    }

    /// Renews the consumer's budget, and wakes the consumer if it was spent.
    pub(super) fn renew_budget(&self) {
        if self.taken.swap(0, Ordering::SeqCst) >= BUDGET {
            self.consumer.wake();
        }
    }

    /// Closes the channel; `false` if it was closed before.
    pub(super) fn close(&self) -> bool {
        let was_open = !self.is_closed.swap(true, Ordering::SeqCst);
        if was_open {
            self.consumer.wake();
        }
        was_open
    }
}

/// The loop's side of the channel. Dropping it closes the channel, so that a receiver in another task is woken
/// also if the loop is dropped.
pub(super) struct ResultSender<T> {
    channel: Arc<ResultChannel<T>>,
    writer: RingWriter<T>,
}

impl<T> ResultSender<T> {
    /// Makes a channel. The limit of the loop bounds the results in it, because each holds a permit.
    pub(super) fn new() -> Self {
        let channel = ResultChannel {
            results: ResultQueue::new(),
            taken: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            loop_is_gone: AtomicBool::new(false),
            consumer: AtomicWaker::new(),
            driver: AtomicWaker::new(),
        };
        Self { channel: Arc::new(channel), writer: RingWriter::new() }
    }

    /// Sends a result.
    pub(super) fn send(&mut self, result: T) {
        self.writer.push(&self.channel.results, result);
        self.channel.consumer.wake();
    }

    /// Makes the consumer's side, of which there is one.
    pub(super) fn receiver(&self) -> ResultReceiver<T> {
        ResultReceiver { channel: self.channel.clone(), reader: RingReader::new() }
    }
}

impl<T> core::ops::Deref for ResultSender<T> {
    type Target = ResultChannel<T>;

    fn deref(&self) -> &ResultChannel<T> {
        &self.channel
    }
}

impl<T> Drop for ResultSender<T> {
    fn drop(&mut self) {
        self.channel.close();
        self.channel.loop_is_gone.store(true, Ordering::SeqCst);
        self.channel.consumer.wake();
    }
}
