//! `stop_on_output`: a predicate over what bodies return.

use core::fmt;

use super::{ItemRule, OutcomeRule, Rule, WithCondition};
use crate::{Loop, Outcome, StopReason};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Stops the loop when `is_enough` says so of what a body has returned, which it is shown with the body's index:
    /// at an error that nobody can go on after, at the value that was looked for.
    ///
    /// What is shown is what the body returns, so a `Result` where it may fail; if it is called
    /// [again](Self::retry), only what its last attempt returned. What was shown is the item's output as ever,
    /// also the one that was enough. The loop stops as under [`stop_on_counts`](Self::stop_on_counts), which is the one for counts,
    /// and for items that end without a value: time-outs, panics that were caught.
    ///
    /// # Panics
    ///
    /// If `is_enough` panics: as when the source does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::io;
    ///
    /// use forloop::Cause;
    ///
    /// let answers = forloop::each([200, 404, 401, 200])
    ///     .sequential()
    ///     .stop_on_output(|_, answer: &io::Result<u16>| {
    ///         answer.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    ///     })
    ///     .settle(async |status| match status {
    ///         401 => Err(io::ErrorKind::PermissionDenied.into()),
    ///         404 => Err(io::ErrorKind::NotFound.into()),
    ///         status => Ok(status),
    ///     })
    ///     .await;
    /// assert_eq!(answers.interrupted().unwrap().cause, Cause::ConditionMet);
    /// assert_eq!((answers.len(), answers.errors().count()), (3, 2));
    /// # });
    /// ```
    pub fn stop_on_output<R, G: FnMut(usize, &R) -> bool>(
        self,
        is_enough: G,
    ) -> Loop<S, P, L, WithCondition<C, StopOnOutput<G>>> {
        self.with_option(StopOnOutput { is_enough, is_over: false })
    }
}

/// Which output is enough.
#[derive(Clone)]
pub struct StopOnOutput<G> {
    is_enough: G,
    /// One was.
    is_over: bool,
}

impl<G> Rule for StopOnOutput<G> {}
impl<I, G> ItemRule<I> for StopOnOutput<G> {}

impl<R, G: FnMut(usize, &R) -> bool> OutcomeRule<R> for StopOnOutput<G> {
    fn on_outcome(&mut self, index: usize, outcome: &Outcome<R>) -> Option<StopReason> {
        match outcome {
            Outcome::Ok(returned) if !self.is_over => {
                self.is_over = (self.is_enough)(index, returned);
                self.is_over.then_some(StopReason::ConditionMet)
            }
            _ => None,
        }
    }
}

impl<G> fmt::Debug for StopOnOutput<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopIf").field("is_over", &self.is_over).finish_non_exhaustive()
    }
}
