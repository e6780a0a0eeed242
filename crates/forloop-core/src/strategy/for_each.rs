//! `for_each` and `try_for_each`: the bodies are all there is; nothing is kept.

use core::ops::ControlFlow;

use futures_core::Stream;

use super::try_gather::Failures;
use super::{Judge, Judged, runtime_is_gone};
use crate::engine::End;
use crate::place::{Body, Place, Started};
use crate::{HowMany, Loop, LoopError};

impl<S: Stream, P, L> Loop<S, P, L> {
    /// Runs the bodies, as many at once as the loop allows, and keeps none of their outputs.
    ///
    /// Needs memory for the limit, not for the items: a million items at a limit of 64 cost
    /// sixty-four slots and, spawned, sixty-four tasks at a time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let sum = std::cell::Cell::new(0);
    /// forloop::each(1..=10).limit(3)?.for_each(|n| { let sum = &sum; async move {
    ///     sum.set(sum.get() + n);
    /// }}).await;
    /// assert_eq!(sum.get(), 55);
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped
    /// the panic goes on in the caller. Panics too if the runtime of a spawned loop is shut down
    /// before the loop has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone
    /// when drop returns, spawned they have been asked to stop.
    pub fn for_each<F, B, J>(self, body: F) -> impl Future<Output = ()>
    where
        L: HowMany,
        F: FnMut(S::Item) -> B,
        B: Body<Returns = ()>,
        P: Place<B, Job = J>,
        J: Started<Output = B::Returns>,
    {
        Judged::new(self.drive(body), ForEach { unfinished: None })
    }

    /// Runs the bodies, as many at once as the loop allows, and stops at the first failure in
    /// time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// let saved = forloop::each(["a.txt", "/", "b.txt"]).limit(2)?.try_for_each(async |name| {
    ///     if name.contains('/') { Err(format!("`{name}` is no file name")) } else { Ok(()) }
    /// });
    /// assert_eq!(saved.await.unwrap_err().to_string(), "body 1 failed: `/` is no file name");
    /// # Ok::<(), forloop::ZeroLimit>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_gather`](Self::try_gather): every error that really happened, the first in time
    /// first.
    ///
    /// # Panics
    ///
    /// If a body or the source panics, the other bodies are stopped, and when they have stopped
    /// the panic goes on in the caller.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the source and stops the bodies: in-task they are gone
    /// when drop returns, spawned they have been asked to stop.
    pub fn try_for_each<F, B, J, E>(self, body: F) -> impl Future<Output = Result<(), LoopError<E>>>
    where
        L: HowMany,
        F: FnMut(S::Item) -> B,
        B: Body<Returns = Result<(), E>>,
        P: Place<B, Job = J>,
        J: Started<Output = B::Returns>,
    {
        Judged::new(self.drive(body), TryForEach { failures: Failures::new() })
    }
}

struct ForEach {
    unfinished: Option<usize>,
}

impl Judge<()> for ForEach {
    type Verdict = ();

    fn take(&mut self, end: End<()>) -> ControlFlow<()> {
        match end.outcome.ok() {
            Some(()) => ControlFlow::Continue(()),
            None => {
                self.unfinished.get_or_insert(end.index);
                ControlFlow::Break(())
            }
        }
    }

    fn verdict(self, _started: usize) {
        if let Some(index) = self.unfinished {
            runtime_is_gone(index);
        }
    }
}

struct TryForEach<E> {
    failures: Failures<E>,
}

impl<E> Judge<Result<(), E>> for TryForEach<E> {
    type Verdict = Result<(), LoopError<E>>;

    fn take(&mut self, end: End<Result<(), E>>) -> ControlFlow<()> {
        match self.failures.sift(end) {
            Some(()) => ControlFlow::Continue(()),
            None => ControlFlow::Break(()),
        }
    }

    fn verdict(self, _started: usize) -> Self::Verdict {
        self.failures.into_result()
    }
}
