//! `for_each` and `try_for_each` of a stream: a step for each result, beside the bodies.
//!
//! # How a loop and its steps share a task
//!
//! [`Steps`] is one future that polls both. The steps are a loop of their own: its items are the results, its limit is
//! one, and its bodies are the futures that the step returns. So they are run as bodies are: in a `FutureSet`, which polls
//! a step when it starts and after that once per wake. Steps that are ready at once run one after another, without a
//! return to the loop.
//!
//! - **Results wait in the buffer of the stream**, and hold permits until their step starts. So the limit bounds the
//!   buffer, and a slow step slows the loop down.
//! - **Steps come first in each round**, so the results of the last round are taken before more bodies start.
//! - **Both yield.** In one poll at most a [budget](crate::budget) of steps start, and a step that wakes itself yields to
//!   the executor, not only to the bodies.
//!
//! When a step fails, the bodies are cancelled, and its output is given once they have stopped. When the loop completes,
//! the future waits for the steps of the results that are left; what interrupted the loop is the last result. A panic of
//! the loop cancels the step that runs, and no other starts.

use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use forloop_budget::is_exhausted;
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::output_buffer::OutputBuffer;
use super::results::{Results, Taker};
use crate::admission::MaybeQueue;
use crate::body::Body;
use crate::budget::{BUDGET, Repolls, Turn, end_turn};
use crate::driver::Spawner;
use crate::engine::{CapacityHint, Completion, FutureSet, JobHandle};
use crate::options::{ItemPolicy, OutcomeRule, Policy};
use crate::outcome::catch;
use crate::place::{BodySet, InlineJob};
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
    /// Awaits `step` for one result after another, concurrently with the bodies.
    ///
    /// Steps never overlap. Results that arrive during a step wait for it and hold permits of the loop, so the
    /// limit bounds memory. A step whose future holds a `&mut` to something outside needs
    /// [`consume`](Self::consume).
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
    pub fn for_each<G, D, I>(self, step: G) -> impl Future<Output = ()>
    where
        C: Policy<Result<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
        // The compiler quotes the next line, with its comment, where a step is refused.
        G: FnMut(I) -> D, // a step that holds a `&mut` across an await needs `.consume(..)`
        D: Body<Returns = ()>,
    {
        Steps::new(self, step, (), |()| false)
    }

    /// Awaits `step` for one result after another, concurrently with the bodies, until a step fails.
    ///
    /// # Errors
    ///
    /// The error of the first step that returns one. By then the bodies have stopped.
    ///
    /// # Panics
    ///
    /// As [`consume`](Self::consume): if a body, the source or a step panics.
    ///
    /// # Cancel safety
    ///
    /// As [`consume`](Self::consume).
    pub fn try_for_each<G, D, I, E>(self, step: G) -> impl Future<Output = Result<(), E>>
    where
        C: Policy<Result<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
        // As above.
        G: FnMut(I) -> D, // a step that holds a `&mut` across an await needs `.consume(..)`
        D: Body<Returns = Result<(), E>>,
    {
        Steps::new(self, step, Ok(()), Result::is_err)
    }
}

pin_project! {
    /// A loop and the steps that take its results.
    struct Steps<S, A, J, K, C, Q, U, G, D, H, I, T> {
        #[pin]
        results: Results<S, A, J, K, C, Q, U>,
        // Dropped when no step will start any more.
        step: Option<G>,
        // The step that runs.
        running: FutureSet<InlineJob<D>>,
        // What interrupted the loop, behind all results.
        last: Option<I>,
        started: usize,
        // The number of steps after which this poll starts none.
        most_started: usize,
        is_failure: H,
        // That of the step that has failed, or else of a loop whose steps succeed. `None` once it was given.
        output: Option<T>,
        panic: Option<Panic>,
        // The next poll begins with the bodies, and not with the step. See `poll`.
        are_bodies_first: bool,
        repolls: Repolls,
    }
}

impl<S, A, J, K, C, Q, U, G, D, H, I, T> Steps<S, A, J, K, C, Q, U, G, D, H, I, T>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U>
        + OutcomeRule<J::Output>
        + Policy<Result<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
    K: OutputBuffer<Output = <C as Policy>::Output<J::Output>>,
    G: FnMut(I) -> D,
    D: Body<Returns = T>,
    H: Fn(&T) -> bool,
{
    fn new(results: Results<S, A, J, K, C, Q, U>, step: G, success: T, is_failure: H) -> Self {
        Self {
            results,
            step: Some(step),
            running: FutureSet::with_capacity_hint(CapacityHint::ONE),
            last: None,
            started: 0,
            most_started: 0,
            is_failure,
            output: Some(success),
            panic: None,
            are_bodies_first: false,
            repolls: Repolls::new(),
        }
    }

    /// Polls the step that runs if it was woken, and once it has completed the steps of the results that are buffered,
    /// until one is pending. A step that fails or panics stops the loop.
    ///
    /// Where bodies are polled with the parent waker, so are steps, and one may have been woken at any poll.
    fn poll_steps(mut self: Pin<&mut Self>, cx: &Context<'_>) {
        let mut this = self.as_mut().project();
        let Some(step) = this.step else { return };
        let is_failure = &*this.is_failure;
        let (output, panic) = (this.output, this.panic);
        let on_complete = |completion: Completion<T>| {
            match completion.outcome {
                Outcome::Ok(returned) if !is_failure(&returned) => {
                    return ControlFlow::Continue(());
                }
                Outcome::Ok(returned) => *output = Some(returned),
                Outcome::Panicked(caught) => *panic = Some(caught),
                Outcome::Err(never) => match never {},
                Outcome::TimedOut | Outcome::Lost | Outcome::Cancelled | Outcome::NotRun => {}
            }
            ControlFlow::Break(Pause::Failed)
        };
        let (started, most_started, last) = (this.started, *this.most_started, this.last);
        let next = || {
            if *started == most_started {
                return ControlFlow::Break(Pause::Wait);
            }
            let Some(result) = this.results.as_mut().pop().or_else(|| last.take()) else {
                return ControlFlow::Break(Pause::Wait);
            };
            *started += 1;
            ControlFlow::Continue((*started, result))
        };
        let make = |_, result| InlineJob::new(step(result));
        let flow = if J::PARENT_WAKER {
            run_with(cx.waker(), this.running, next, make, on_complete)
        } else {
            run(this.running, next, make, on_complete)
        };
        if let ControlFlow::Break(Pause::Failed) = flow {
            self.as_mut().project().results.stop();
            self.drop_step();
        }
    }

    /// Whether no step runs, and there is no result for another.
    fn has_run_all(&self) -> bool {
        self.running.is_empty() && self.last.is_none() && self.results.is_empty()
    }

    /// Drops the step's closure: no step starts any more.
    fn drop_step(self: Pin<&mut Self>) {
        let this = self.project();
        if let Err(panic) = catch(|| *this.step = None) {
            this.panic.get_or_insert(panic);
        }
    }

    /// Notes what interrupted the loop as the last result; cancels the step if that was a panic.
    fn finish_results(mut self: Pin<&mut Self>) {
        let this = self.as_mut().project();
        let results = this.results;
        match catch(|| results.finish()) {
            Ok(interruption) => *this.last = interruption,
            Err(first) => {
                // A panic of the step's destructor came later, so it is dropped.
                this.panic.get_or_insert(first);
                this.running.cancel(drop);
                self.drop_step();
            }
        }
    }

    /// Resumes a panic, or returns the output. Called when everything has stopped.
    fn finish(mut self: Pin<&mut Self>) -> T {
        self.as_mut().drop_step();
        let this = self.project();
        if let Some(panic) = this.panic.take() {
            panic.resume();
        }
        this.results.resume_panic();
        this.output.take().expect("a loop is not polled again after it has completed")
    }
}

/// Why no further step starts for now.
enum Pause {
    /// There is no result, or this poll has started as many steps as it may.
    Wait,
    /// A step has failed or panicked.
    Failed,
}

/// Polls the step that runs if it was woken, and starts others while none is pending.
fn run<I, J: JobHandle>(
    running: &mut FutureSet<J>,
    next: impl FnMut() -> ControlFlow<Pause, (usize, I)>,
    make: impl FnMut(usize, I) -> J,
    mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<Pause>,
) -> ControlFlow<Pause> {
    if !running.is_empty() {
        if running.next_round() {
            running.poll_round(&mut 0, usize::MAX, &mut on_complete)?;
        }
        if !running.is_empty() {
            return ControlFlow::Continue(());
        }
    }
    running.start(None, 1, next, make, on_complete).map_continue(drop)
}

/// As [`run`], but each poll of a step is with the waker of `parent`.
fn run_with<I, J: JobHandle>(
    parent: &Waker,
    running: &mut FutureSet<J>,
    mut next: impl FnMut() -> ControlFlow<Pause, (usize, I)>,
    mut make: impl FnMut(usize, I) -> J,
    mut on_complete: impl FnMut(Completion<J::Output>) -> ControlFlow<Pause>,
) -> ControlFlow<Pause> {
    loop {
        if running.is_empty() {
            let (index, result) = next()?;
            if let Err(panic) = catch(|| running.insert(index, || make(index, result))) {
                let (seq, outcome) = (J::next_sequence(), Outcome::Panicked(panic));
                on_complete(Completion { index, seq, outcome })?;
                continue;
            }
        }
        running.mark_all_due();
        running.poll_due(parent, &mut on_complete)?;
        if !running.is_empty() {
            return ControlFlow::Continue(());
        }
    }
}

impl<S, A, J, K, C, Q, U, G, D, H, I, T> Future for Steps<S, A, J, K, C, Q, U, G, D, H, I, T>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U>
        + OutcomeRule<J::Output>
        + Policy<Result<<K as OutputBuffer>::Item, <K as OutputBuffer>::Left> = I>,
    K: OutputBuffer<Output = <C as Policy>::Output<J::Output>>,
    G: FnMut(I) -> D,
    D: Body<Returns = T>,
    H: Fn(&T) -> bool,
{
    type Output = T;

    // Each poll alternates between the steps and the bodies until both are pending. A runtime may allow a task only so
    // many operations in a poll, and what is polled first may use them up each time. While that happens, or the step
    // wakes itself, the step is polled first in every other poll only.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.as_mut().project();
        *this.most_started = *this.started + BUDGET;
        this.results.begin_poll();
        let turn = Turn::enter_beside(this.repolls);
        let bodies_were_first = self.are_bodies_first;
        let mut is_step_next = !bodies_were_first;
        loop {
            if is_step_next {
                self.as_mut().poll_steps(cx);
            }
            let filled = self.as_mut().project().results.poll_fill(cx, 0, Taker::Consumer);
            match filled {
                Poll::Ready(true) => {}
                Poll::Ready(false) if self.step.is_none() => {
                    ready!(self.as_mut().project().running.poll_wait_groups(cx));
                    return Poll::Ready(self.finish());
                }
                Poll::Ready(false) if self.results.was_interrupted() => {
                    self.as_mut().finish_results();
                }
                Poll::Ready(false) | Poll::Pending if !is_step_next => {}
                Poll::Ready(false) if self.has_run_all() => return Poll::Ready(self.finish()),
                Poll::Ready(false) | Poll::Pending => {
                    let this = self.as_mut().project();
                    let is_budget_spent = this.started == this.most_started;
                    // `sleep` is false for a step that has woken itself: it yields to the executor, too.
                    let is_step_woken = !this.running.sleep(cx);
                    *this.are_bodies_first =
                        !bodies_were_first && (is_step_woken || is_exhausted());
                    if is_step_woken || is_budget_spent {
                        drop(turn);
                        end_turn();
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
            }
            is_step_next = true;
        }
    }
}
