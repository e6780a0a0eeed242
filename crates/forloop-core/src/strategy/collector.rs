//! Collectors: what a strategy makes of a loop's completions, and the future that drives the loop for it.

use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::admission::{AttemptLog, MaybeQueue};
use crate::driver::{Drive, Receiver, Spawner};
use crate::engine::Completion;
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::outcome::catch;
use crate::place::{BodySet, Delivery};
use crate::{Interrupted, Outcome, Panic};

/// Collects the completions of a loop into one result, under the policy `C`.
///
/// Every strategy with one result is a collector. Its constants have no default, because no value is right for
/// every strategy: what is forgotten does not compile.
pub(super) trait Collector<T, C: Policy>: Sized {
    /// What the strategy returns.
    type Collected;

    /// How completions reach the collector, and which of them stops the loop.
    const DELIVERY: CompletionDelivery<Self, T>;

    /// Whose attempts [`LoopEnd::retried`] counts.
    const ATTEMPT_LOG: AttemptLog;

    /// Reserves space for the completions: at least `least`, if the source's `size_hint` is right.
    fn expect(&mut self, _least: usize) {}

    /// Takes one completion. A loop that was stopped delivers those of the bodies it has cancelled, too.
    fn on_completion(&mut self, completion: Completion<T>);

    /// Makes the result, once every body has stopped.
    fn finish(self, end: LoopEnd<C::SourceError>) -> Self::Collected;
}

/// How completions reach a collector, and which of them stops the loop.
///
/// A worker must know this as well as the loop: it stops at once where it sees the completion that stops the
/// loop. Both read it here, so the two cannot disagree.
pub(super) enum CompletionDelivery<V, T> {
    /// Workers may deliver completions late, in batches and out of completion order.
    Batched {
        /// How soon an output is delivered. One that is [`Terminal`](Delivery::Terminal) stops the loop. `None`
        /// batches every output.
        output: Option<fn(&T) -> Delivery>,
        /// Whether a failure stops the loop: an output that is `Terminal`, or no output, because the body timed out or
        /// its runtime has dropped it.
        stops_at_failure: bool,
    },
    /// The collector takes one completion after another. Each holds its permit until then, on workers too, and the
    /// collector may call what panics.
    OneByOne {
        /// How soon a worker delivers an output. `None` batches every output: they arrive when the worker has nothing
        /// to do, or after a few of its turns. Those of one worker stay in completion order.
        output: Option<fn(&T) -> Delivery>,
        /// Whether the collector needs no further completion. The loop asks before it starts anything and after
        /// each completion, and stops if it is so.
        is_complete: fn(&V) -> bool,
        /// Whether it is a failure that makes it so.
        stops_at_failure: bool,
    },
}

impl<V, T> CompletionDelivery<V, T> {
    /// Every output is batched, and no completion stops the loop.
    pub(super) const BATCHED: Self = Self::Batched { output: None, stops_at_failure: false };

    /// Whether this outcome stops the loop, where completions are batched.
    #[inline]
    fn stops(&self, outcome: &Outcome<T>) -> bool {
        match (self, outcome) {
            (Self::Batched { output, .. }, Outcome::Ok(returned)) => {
                output.is_some_and(|delivery| delivery(returned) == Delivery::Terminal)
            }
            (Self::Batched { stops_at_failure, .. }, _) => *stops_at_failure,
            (Self::OneByOne { .. }, _) => false,
        }
    }

    /// Whether a failure stops the loop. It stops after the round, so that none is lost that happened in it.
    const fn stops_at_failure(&self) -> bool {
        match self {
            Self::Batched { stops_at_failure, .. } | Self::OneByOne { stops_at_failure, .. } => {
                *stops_at_failure
            }
        }
    }
}

impl<V, T, E> CompletionDelivery<V, Result<T, E>> {
    /// Values are batched; an error or a body without an output stops the loop.
    pub(super) const FAIL_FAST: Self =
        Self::Batched { output: Some(at_once_if_failed), stops_at_failure: true };
}

/// Batches values, and stops the loop at an error.
pub(super) fn at_once_if_failed<T, E>(result: &Result<T, E>) -> Delivery {
    if result.is_ok() { Delivery::Batched } else { Delivery::Terminal }
}

/// How a loop completed.
pub(super) struct LoopEnd<S> {
    /// How many bodies were started.
    pub(super) started: usize,
    /// What interrupted the loop.
    pub(super) interrupted: Option<Interrupted<(), S>>,
    /// Index and attempts of the items in the [attempt log](Collector::ATTEMPT_LOG) that were retried, by
    /// ascending index.
    pub(super) retried: Vec<(usize, u32)>,
}

pin_project! {
    /// Drives a loop until every body has stopped, and returns what its collector makes of the completions.
    #[derive(Debug)]
    pub(super) struct CollectFuture<S, A, J, Q, C, U, V> {
        #[pin]
        drive: Drive<S, A, J, Q, C, U>,
        // `None` once the result was given.
        collector: Option<V>,
    }
}

impl<S, A, J, Q, C, U, V> CollectFuture<S, A, J, Q, C, U, V> {
    #[inline]
    pub(super) fn new(drive: Drive<S, A, J, Q, C, U>, collector: V) -> Self {
        Self { drive, collector: Some(collector) }
    }
}

impl<S, A, J, Q, C, U, V> Future for CollectFuture<S, A, J, Q, C, U, V>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
    V: Collector<J::Output, C>,
{
    type Output = V::Collected;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V::Collected> {
        self.as_mut().project().drive.begin_poll();
        let turn = self.as_mut().project().drive.enter_turn(false);
        let polled = self.as_mut().poll_collected(cx);
        self.project().drive.leave_turn(turn);
        polled
    }
}

impl<S, A, J, Q, C, U, V> CollectFuture<S, A, J, Q, C, U, V>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
    V: Collector<J::Output, C>,
{
    #[inline(never)] // so that it has all registers
    fn poll_collected(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V::Collected> {
        let mut this = self.project();
        let collector =
            this.collector.as_mut().expect("a loop is not polled again after it has completed");
        // A loop that stops at a failure may have to complete its round first.
        if !Self::MAY_FAIL && Self::is_complete(collector) {
            this.drive.as_mut().stop();
        }
        let delivery: Option<fn(&J::Output) -> Delivery> = match V::DELIVERY {
            CompletionDelivery::Batched { output, .. }
            | CompletionDelivery::OneByOne { output, .. } => output,
        };
        let least = this.drive.as_mut().set_up(Receiver {
            are_collected: !Self::IS_ONE_BY_ONE,
            is_ordered: false,
            may_fail: Self::MAY_FAIL,
            log: V::ATTEMPT_LOG,
            delivery,
        });
        if let Some(least) = least {
            collector.expect(least);
        }
        // A test of a constant, so that only one of the two is compiled.
        if Self::IS_ONE_BY_ONE {
            ready!(Self::poll_one_by_one(this.drive.as_mut(), collector, cx));
        } else {
            ready!(Self::poll_batched(this.drive.as_mut(), collector, cx));
        }
        let retried = this.drive.as_mut().logged_attempts();
        let interrupted = this.drive.as_mut().finish();
        let collector = this.collector.take().expect("it was there above");
        let started = this.drive.started();
        Poll::Ready(collector.finish(LoopEnd { started, interrupted, retried }))
    }

    /// Whether a failure stops the loop. The loops of other strategies have no code for that.
    const MAY_FAIL: bool = V::DELIVERY.stops_at_failure();

    /// Whether the collector takes one completion after another.
    const IS_ONE_BY_ONE: bool = matches!(V::DELIVERY, CompletionDelivery::OneByOne { .. });

    /// Whether the collector needs no further completion, where it can say so.
    #[inline]
    fn is_complete(collector: &V) -> bool {
        match V::DELIVERY {
            CompletionDelivery::Batched { .. } => false,
            CompletionDelivery::OneByOne { is_complete, .. } => is_complete(collector),
        }
    }

    /// Delivers completions as the loop makes them.
    #[inline]
    fn poll_batched(
        mut drive: Pin<&mut Drive<S, A, J, Q, C, U>>,
        collector: &mut V,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut on_complete = |completion| Self::deliver_batched(collector, completion);
        while ready!(drive.as_mut().poll_completions(cx, None, Self::MAY_FAIL, &mut on_complete))
            .is_break()
        {
            if Self::MAY_FAIL {
                let mut left = drive.as_mut().starts_left();
                while drive.as_mut().start_left(cx, &mut left, &mut on_complete).is_break() {}
                drive.as_mut().stop_after_round();
            } else {
                drive.as_mut().stop();
            }
        }
        Poll::Ready(())
    }

    /// Passes a completion to the collector. `Break` if it stops the loop.
    #[inline]
    fn deliver_batched(
        collector: &mut V,
        completion: Option<Completion<J::Output>>,
    ) -> ControlFlow<()> {
        let Some(completion) = completion else { return ControlFlow::Continue(()) };
        let stops = V::DELIVERY.stops(&completion.outcome);
        collector.on_completion(completion);
        if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Delivers one completion after another, and catches the panics of what the collector calls.
    #[inline]
    fn poll_one_by_one(
        mut drive: Pin<&mut Drive<S, A, J, Q, C, U>>,
        collector: &mut V,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            let mut has_delivered = false;
            let mut on_complete =
                |completion| Self::deliver(collector, &mut has_delivered, completion);
            match ready!(drive.as_mut().poll_completions(
                cx,
                None,
                Self::MAY_FAIL,
                &mut on_complete
            )) {
                ControlFlow::Continue(()) => return Poll::Ready(()),
                ControlFlow::Break(Pause::BatchEnd) => {}
                ControlFlow::Break(Pause::Complete) if Self::MAY_FAIL => {
                    let mut left = drive.as_mut().starts_left();
                    while let ControlFlow::Break(pause) =
                        drive.as_mut().start_left(cx, &mut left, &mut on_complete)
                    {
                        if let Pause::Panicked(panic) = pause {
                            drive.as_mut().stop_for(panic);
                        }
                    }
                    drive.as_mut().stop_after_round();
                }
                ControlFlow::Break(Pause::Complete) => drive.as_mut().stop(),
                ControlFlow::Break(Pause::Panicked(panic)) => drive.as_mut().stop_for(panic),
            }
        }
    }

    /// Passes a completion to the collector, and catches the panic of what that calls. `Break` if the loop is to pause.
    #[inline]
    fn deliver(
        collector: &mut V,
        has_delivered: &mut bool,
        completion: Option<Completion<J::Output>>,
    ) -> ControlFlow<Pause> {
        match completion {
            Some(completion) => match catch(|| collector.on_completion(completion)) {
                Ok(()) if Self::is_complete(collector) => ControlFlow::Break(Pause::Complete),
                Ok(()) => {
                    *has_delivered = true;
                    ControlFlow::Continue(())
                }
                Err(panic) => ControlFlow::Break(Pause::Panicked(panic)),
            },
            None if J::ON_POOL && *has_delivered => ControlFlow::Break(Pause::BatchEnd),
            None => ControlFlow::Continue(()),
        }
    }
}

/// Why a loop delivers no more completions for now.
enum Pause {
    /// The batch is complete. Its permits are free again, and workers that pull items must be notified of it.
    BatchEnd,
    /// The collector needs no further completion.
    Complete,
    /// What the collector called has panicked.
    Panicked(Panic),
}
