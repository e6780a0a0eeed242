//! A consumer beside the bodies: both are polled when they are woken, so neither stands still
//! while the other awaits.

use alloc::sync::Arc;
use core::fmt;
use core::ops::{ControlFlow, Deref};
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, ready};

use atomic_waker::AtomicWaker;
use concurrent_queue::ConcurrentQueue;
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::results::{OutputBuffer, Results};
use crate::budget::BUDGET;
use crate::driver::Spawner;
use crate::engine::{CapacityHint, FutureSet, JobHandle};
use crate::options::{ItemPolicy, OutcomePolicy, Policy};
use crate::outcome::catch;
use crate::place::InlineJob;
use crate::{Outcome, Panic};

/// The results of a loop, for its consumer to take: see [`Results::consume`].
///
/// Also a [`Stream`], for the combinators of futures-lite and its like.
#[must_use = "a consumer that takes no result ends the loop"]
pub struct ResultReceiver<T> {
    channel: Arc<ResultChannel<T>>,
}

/// Up to this limit the place for every result that may wait is made when the loop begins.
const MADE_ONCE: usize = 1024;

/// What waits between the loop and its consumer.
struct ResultChannel<T> {
    results: ConcurrentQueue<T>,
    /// How many were taken in this turn of the loop.
    taken: AtomicUsize,
    /// No result will be added.
    over: AtomicBool,
    /// The loop was dropped: nobody gives turns any more.
    gone: AtomicBool,
    consumer: AtomicWaker,
    /// The loop, for when a consumer makes room from a task of its own.
    driver: AtomicWaker,
}

impl<T> ResultReceiver<T> {
    /// Returns the next result, or `None` when every body has ended and every result was taken.
    ///
    /// # Cancel safety
    ///
    /// A `next()` that is dropped loses nothing.
    #[allow(clippy::should_implement_trait)] // the field's word for it, and what `StreamExt` calls it
    pub fn next(&mut self) -> impl Future<Output = Option<T>> + use<'_, T> {
        core::future::poll_fn(|cx| self.poll_take(cx))
    }

    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.channel.taken.load(Ordering::SeqCst) >= BUDGET {
            // The loop begins a new turn and wakes its consumer. It may just have done so.
            self.channel.consumer.register(cx.waker());
            let is_gone = self.channel.gone.load(Ordering::SeqCst);
            if self.channel.taken.load(Ordering::SeqCst) >= BUDGET && !is_gone {
                self.channel.driver.wake();
                return Poll::Pending;
            }
        }
        if let Some(result) = self.channel.take() {
            return Poll::Ready(Some(result));
        }
        self.channel.consumer.register(cx.waker());
        // Before the queue is looked at again: what was added until then is there.
        let over = self.channel.is_over();
        match self.channel.take() {
            Some(result) => Poll::Ready(Some(result)),
            None if over => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl<T> ResultChannel<T> {
    fn take(&self) -> Option<T> {
        let result = self.results.pop().ok()?;
        self.taken.fetch_add(1, Ordering::SeqCst);
        self.driver.wake();
        Some(result)
    }

    /// Adds a result: there is room, because what waits counts against the limit.
    fn put(&self, result: T) {
        let has_room = self.results.push(result).is_ok();
        debug_assert!(has_room, "what waits counts against the limit");
        self.consumer.wake();
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Says that no result will be added; `false` if that was said before.
    fn end(&self) -> bool {
        let news = !self.over.swap(true, Ordering::SeqCst);
        if news {
            self.consumer.wake();
        }
        news
    }
}

/// The loop's side of the line: however the loop ends, a consumer that waits elsewhere hears of it.
struct ResultSender<T> {
    channel: Arc<ResultChannel<T>>,
}

impl<T> Drop for ResultSender<T> {
    fn drop(&mut self) {
        self.channel.end();
        self.channel.gone.store(true, Ordering::SeqCst);
        self.channel.consumer.wake();
    }
}

impl<T> Deref for ResultSender<T> {
    type Target = ResultChannel<T>;

    fn deref(&self) -> &ResultChannel<T> {
        &self.channel
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
        f.debug_struct("Feed").field("waiting", &self.channel.results.len()).finish_non_exhaustive()
    }
}

pin_project! {
    /// A loop and the consumer of its results.
    pub(super) struct Consume<S, A, J, K, C, G, D, I, T> {
        #[pin]
        results: Results<S, A, J, K, C>,
        channel: ResultSender<I>,
        // Called at the first poll.
        begin: Option<G>,
        // One body: the consumer, polled only when it is woken.
        consumer: FutureSet<InlineJob<D>>,
        output: Option<T>,
        panic: Option<Panic>,
        stopped: bool,
    }
}

impl<S, A, J, K, C, G, D, I, T> Consume<S, A, J, K, C, G, D, I, T>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item>
        + OutcomePolicy<J::Output>
        + Policy<Gives<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
    K: OutputBuffer<Output = <C as Policy>::Each<J::Output>>,
    G: FnOnce(ResultReceiver<I>) -> D,
    D: Future<Output = T>,
{
    pub(super) fn new(results: Results<S, A, J, K, C>, begin: G) -> Self {
        // No more results wait than bodies may run: for most limits the line is made once.
        let channel = ResultChannel {
            results: match results.limit() {
                // One more, for the word that the loop was cut short. And never for one alone: that
                // kind of queue is full for a moment when it is empty again.
                limit @ 1..=MADE_ONCE => ConcurrentQueue::bounded(limit + 1),
                _ => ConcurrentQueue::unbounded(),
            },
            taken: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            consumer: AtomicWaker::new(),
            driver: AtomicWaker::new(),
        };
        Self {
            results,
            channel: ResultSender { channel: Arc::new(channel) },
            begin: Some(begin),
            consumer: FutureSet::with_capacity_hint(CapacityHint::ONE),
            output: None,
            panic: None,
            stopped: false,
        }
    }

    /// Polls the consumer if it was woken; once it has ended, the bodies are stopped. Where the bodies have no
    /// wakers of their own, it has none either, and may have been.
    fn poll_consumer(self: Pin<&mut Self>, cx: &Context<'_>) {
        let mut this = self.project();
        if let Some(begin) = this.begin.take() {
            let feed = ResultReceiver { channel: this.channel.channel.clone() };
            match catch(|| begin(feed)) {
                Ok(consumer) => this.consumer.insert(0, InlineJob::new(consumer)),
                Err(panic) => *this.panic = Some(panic),
            }
        }
        let mut on_complete = |outcome| match outcome {
            Outcome::Ok(output) => *this.output = Some(output),
            Outcome::Panicked(panic) => *this.panic = Some(panic),
            _ => {}
        };
        if J::PARENT_WAKER {
            this.consumer.mark_all_due();
            let _: ControlFlow<()> = this.consumer.poll_due(cx.waker(), |end| {
                on_complete(end.outcome);
                ControlFlow::Continue(())
            });
        } else if this.consumer.next_round() {
            while let Some(polled) = this.consumer.poll_next_woken() {
                polled.into_iter().for_each(|end| on_complete(end.outcome));
            }
        }
        if this.consumer.is_empty() && !*this.stopped {
            *this.stopped = true;
            this.results.as_mut().stop();
        }
    }

    /// Puts every result that can be taken in line.
    fn line_up(self: Pin<&mut Self>) {
        let mut this = self.project();
        while let Some(result) = this.results.as_mut().take() {
            this.channel.put(result);
        }
    }

    /// Tells the consumer what has cut the loop short; drops it if that was a panic.
    fn tell_why(self: Pin<&mut Self>) {
        let this = self.project();
        let results = this.results;
        match catch(|| results.end()) {
            Ok(word) => word.into_iter().for_each(|word| this.channel.put(word)),
            Err(first) => {
                // Whatever comes of dropping the consumer came later.
                this.panic.get_or_insert(first);
                this.consumer.cancel(drop);
            }
        }
    }

    /// Everything has ended: goes on with a panic, or returns what the consumer returned.
    fn end(self: Pin<&mut Self>) -> T {
        let this = self.project();
        this.channel.end();
        if let Some(panic) = this.panic.take() {
            panic.resume();
        }
        this.results.raise();
        this.output.take().expect("a loop that has ended is not polled again")
    }
}

impl<S, A, J, K, C, G, D, I, T> Future for Consume<S, A, J, K, C, G, D, I, T>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item>
        + OutcomePolicy<J::Output>
        + Policy<Gives<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
    K: OutputBuffer<Output = <C as Policy>::Each<J::Output>>,
    G: FnOnce(ResultReceiver<I>) -> D,
    D: Future<Output = T>,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // Whatever the consumer takes during this poll is seen by it.
        drop(self.channel.driver.take());
        if self.channel.taken.swap(0, Ordering::SeqCst) >= BUDGET {
            self.channel.consumer.wake();
        }
        self.as_mut().project().results.polled_anew();
        loop {
            self.as_mut().poll_consumer(cx);
            let held = self.channel.results.len();
            match self.as_mut().project().results.poll_buffered(cx, held, true) {
                Poll::Ready(true) => self.as_mut().line_up(),
                Poll::Ready(false) if self.stopped => {
                    ready!(self.as_mut().project().consumer.poll_wait_groups(cx));
                    return Poll::Ready(self.end());
                }
                Poll::Ready(false) if self.results.was_cut_short() => self.as_mut().tell_why(),
                Poll::Ready(false) if self.channel.end() => {}
                _ => {
                    self.channel.driver.register(cx.waker());
                    let taken = self.channel.results.len() != held;
                    let turn_is_over = self.channel.taken.load(Ordering::SeqCst) >= BUDGET;
                    // A consumer that yields has yielded to the executor, and not only to the
                    // bodies.
                    if !self.as_mut().project().consumer.sleep(cx) || taken || turn_is_over {
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
            }
        }
    }
}
