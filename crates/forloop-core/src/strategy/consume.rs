//! `consume` of a stream: a consumer that runs beside the bodies.
//!
//! # How a loop and its consumer share a task
//!
//! [`Consume`] is one future that polls both, so that the bodies run while the consumer awaits something else,
//! and the consumer runs while it has results.
//!
//! - **Results go through a channel.** The loop sends, the consumer takes. A result in the channel holds its
//!   permit until it is taken, so the limit bounds the channel, and a slow consumer slows the loop down.
//! - **The consumer has a waker of its own.** It is the only job of a `FutureSet`, which polls it only if it was
//!   woken: by a result that was sent, by the end of the channel, or by anything else it awaits.
//! - **The loop is woken by its consumer.** To take a result frees a permit. During a poll no waker is needed
//!   for that: the loop takes its waker out of the channel when the poll begins, and compares the length of the
//!   channel with what it was before it sleeps. A consumer may pass the receiver to another task; then the waker
//!   that the loop registers before it sleeps is what wakes it.
//! - **The consumer comes first in each round.** So the results that were sent in the round before are taken
//!   before more bodies are started.
//! - **Both yield.** A consumer that has taken its budget of results waits until the loop is polled again, and a
//!   consumer that wakes itself yields to the executor, not only to the bodies.
//!
//! When the consumer returns, the bodies are cancelled, and its output is given once they have stopped. When the
//! loop completes, the channel is closed, and the future waits for the consumer. What interrupted the loop is
//! sent behind every result. A panic of the loop drops the consumer, because no result will reach it.

use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use forloop_budget::is_exhausted;
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::output_buffer::OutputBuffer;
use super::result_channel::{ResultReceiver, ResultSender};
use super::results::{Results, Taker};
use crate::admission::MaybeQueue;
use crate::budget::{Repolls, Turn, end_turn, is_turn_over};
use crate::driver::Spawner;
use crate::engine::{CapacityHint, FutureSet};
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::outcome::catch;
use crate::place::BodySet;
use crate::place::InlineJob;
use crate::{Outcome, Panic};

impl<S, A, J, K, C, Q, U> Results<S, A, J, K, C, Q, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
    K: OutputBuffer<Output = <C as Policy>::Output<J::Output>>,
{
    /// Runs `consumer` over the results, concurrently with the bodies, and returns its output.
    ///
    /// The bodies run while the consumer awaits something else. The consumer takes results one by one from a
    /// [`ResultReceiver`]. It may use `?` and may return early: the loop then cancels the bodies. Results it
    /// has not taken hold permits of the loop, so the limit bounds memory.
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
    /// If a body, the source or the consumer panics, everything else is cancelled. Once it has stopped, the
    /// panic propagates to the caller. Also panics if the runtime of a spawned loop shuts down before the loop
    /// completes.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the consumer, the source and the results that were not taken, and
    /// cancels the bodies.
    pub fn consume<G, D, I, T>(self, consumer: G) -> impl Future<Output = T>
    where
        C: Policy<Result<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
        G: FnOnce(ResultReceiver<I>) -> D,
        D: Future<Output = T>,
    {
        Consume::new(self, consumer)
    }
}

pin_project! {
    /// A loop and the consumer of its results.
    struct Consume<S, A, J, K, C, Q, U, G, D, I, T> {
        #[pin]
        results: Results<S, A, J, K, C, Q, U>,
        channel: ResultSender<I>,
        // Called at the first poll.
        make_consumer: Option<G>,
        // The consumer, and nothing else.
        consumer: FutureSet<InlineJob<D>>,
        output: Option<T>,
        panic: Option<Panic>,
        // The consumer has completed, and the bodies were cancelled.
        is_stopping: bool,
        // The next poll begins with the bodies, and not with the consumer. See `poll`.
        are_bodies_first: bool,
        repolls: Repolls,
    }
}

impl<S, A, J, K, C, Q, U, G, D, I, T> Consume<S, A, J, K, C, Q, U, G, D, I, T>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U>
        + OutcomeRule<J::Output>
        + Policy<Result<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
    K: OutputBuffer<Output = <C as Policy>::Output<J::Output>>,
    G: FnOnce(ResultReceiver<I>) -> D,
    D: Future<Output = T>,
{
    fn new(results: Results<S, A, J, K, C, Q, U>, make_consumer: G) -> Self {
        Self {
            channel: ResultSender::new(),
            results,
            make_consumer: Some(make_consumer),
            consumer: FutureSet::with_capacity_hint(CapacityHint::ONE),
            output: None,
            panic: None,
            is_stopping: false,
            are_bodies_first: false,
            repolls: Repolls::new(),
        }
    }

    /// Polls the consumer if it was woken, and cancels the bodies once it has completed.
    ///
    /// Where bodies are polled with the parent waker, so is the consumer, and it may have been woken at any poll.
    fn poll_consumer(self: Pin<&mut Self>, cx: &Context<'_>) {
        let mut this = self.project();
        if let Some(make_consumer) = this.make_consumer.take() {
            let receiver = this.channel.receiver();
            let make = || InlineJob::new(make_consumer(receiver));
            if let Err(panic) = catch(|| this.consumer.insert(0, make)) {
                *this.panic = Some(panic);
            }
        }
        let mut on_complete = |outcome| match outcome {
            Outcome::Ok(output) => *this.output = Some(output),
            Outcome::Panicked(panic) => *this.panic = Some(panic),
            Outcome::Err(never) => match never {},
            Outcome::TimedOut | Outcome::Lost | Outcome::Cancelled | Outcome::NotRun => {}
        };
        if J::PARENT_WAKER {
            this.consumer.mark_all_due();
            let _: ControlFlow<()> = this.consumer.poll_due(cx.waker(), |completion| {
                on_complete(completion.outcome);
                ControlFlow::Continue(())
            });
        } else if this.consumer.next_round() {
            while let Some(polled) = this.consumer.poll_next_woken() {
                polled.into_iter().for_each(|completion| on_complete(completion.outcome));
            }
        }
        if this.consumer.is_empty() && !*this.is_stopping {
            *this.is_stopping = true;
            this.results.as_mut().stop();
        }
    }

    /// Sends every result that is in the buffer and may be given.
    fn send_buffered(self: Pin<&mut Self>) {
        let mut this = self.project();
        while let Some(result) = this.results.as_mut().pop() {
            this.channel.send(result);
        }
    }

    /// Sends what interrupted the loop; drops the consumer if that was a panic.
    fn send_interruption(self: Pin<&mut Self>) {
        let this = self.project();
        let results = this.results;
        match catch(|| results.finish()) {
            Ok(interruption) => interruption.into_iter().for_each(|last| this.channel.send(last)),
            Err(first) => {
                // A panic of the consumer's destructor came later, so it is dropped.
                this.panic.get_or_insert(first);
                this.consumer.cancel(drop);
            }
        }
    }

    /// Resumes a panic, or returns the consumer's output. Called when everything has stopped.
    fn finish(self: Pin<&mut Self>) -> T {
        let this = self.project();
        this.channel.close();
        if let Some(panic) = this.panic.take() {
            panic.resume();
        }
        this.results.resume_panic();
        this.output.take().expect("a loop is not polled again after it has completed")
    }
}

impl<S, A, J, K, C, Q, U, G, D, I, T> Future for Consume<S, A, J, K, C, Q, U, G, D, I, T>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U>
        + OutcomeRule<J::Output>
        + Policy<Result<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
    K: OutputBuffer<Output = <C as Policy>::Output<J::Output>>,
    G: FnOnce(ResultReceiver<I>) -> D,
    D: Future<Output = T>,
{
    type Output = T;

    // Each poll alternates between the consumer and the bodies until both are pending. A runtime may allow a
    // task only so many operations in a poll, and what is polled first may use them up each time. While that
    // happens, or the consumer wakes itself, the consumer is polled first in every other poll only.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // What the consumer takes during this poll need not wake the loop.
        drop(self.channel.driver.take());
        self.channel.renew_budget();
        let this = self.as_mut().project();
        this.results.begin_poll();
        let turn = Turn::enter_beside(this.repolls);
        let began_with_bodies = self.are_bodies_first;
        let mut is_consumer_next = !began_with_bodies;
        loop {
            if is_consumer_next {
                self.as_mut().poll_consumer(cx);
            }
            let in_channel = self.channel.len();
            match self.as_mut().project().results.poll_fill(cx, in_channel, Taker::Consumer) {
                Poll::Ready(true) => {
                    self.as_mut().send_buffered();
                    if is_turn_over() {
                        *self.project().are_bodies_first = !began_with_bodies;
                        drop(turn);
                        end_turn();
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
                Poll::Ready(false) if self.is_stopping => {
                    ready!(self.as_mut().project().consumer.poll_wait_groups(cx));
                    return Poll::Ready(self.finish());
                }
                Poll::Ready(false) if self.results.was_interrupted() => {
                    self.as_mut().send_interruption();
                }
                // Closed just now: the consumer is polled once more.
                Poll::Ready(false) if self.channel.close() => {}
                Poll::Ready(false) | Poll::Pending if !is_consumer_next => {}
                Poll::Ready(false) | Poll::Pending => {
                    self.channel.driver.register(cx.waker());
                    // Read after the waker was registered: what is taken later wakes the loop.
                    let has_taken = self.channel.len() != in_channel;
                    let must_renew = self.channel.is_budget_spent();
                    // `sleep` is false for a consumer that has woken itself: it yields to the executor, too.
                    let is_consumer_woken = !self.as_mut().project().consumer.sleep(cx);
                    *self.as_mut().project().are_bodies_first =
                        !began_with_bodies && (is_consumer_woken || is_exhausted());
                    if is_consumer_woken || has_taken || must_renew {
                        drop(turn);
                        end_turn();
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
            }
            is_consumer_next = true;
        }
    }
}
