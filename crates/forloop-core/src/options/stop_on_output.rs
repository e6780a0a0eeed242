//! `stop_on_output`: a stop condition on what a body returns.

use core::fmt;

use super::{ItemRule, OutcomeRule, Rule, WithCondition};
use crate::outcome::StopReason;
use crate::{Loop, Outcome};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Stops the loop when `condition` is true of an item's index and of what its body has returned: at a fatal
    /// error, at the value that was searched for.
    ///
    /// The condition receives the body's return value, which is a `Result` if the body may fail. Of an item that is
    /// [retried](Self::retry) it receives that of the last attempt only. The return value stays the item's output,
    /// also the one that met the condition. The loop stops as it does for [`stop_on_counts`](Self::stop_on_counts).
    /// Use that option for counts, and for items without a return value: time-outs and panics that were caught.
    ///
    /// # Panics
    ///
    /// If `condition` panics, the panic propagates as one of the source does.
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
        condition: G,
    ) -> Loop<S, P, L, WithCondition<C, StopOnOutput<G>>, M> {
        self.with_option(StopOnOutput { condition, was_met: false })
    }
}

/// A stop condition on what a body returns.
#[derive(Clone)]
pub struct StopOnOutput<G> {
    condition: G,
    was_met: bool,
}

impl<G> Rule for StopOnOutput<G> {}
impl<I, G> ItemRule<I> for StopOnOutput<G> {}

impl<R, G: FnMut(usize, &R) -> bool> OutcomeRule<R> for StopOnOutput<G> {
    fn on_outcome(&mut self, index: usize, outcome: &Outcome<R>) -> Option<StopReason> {
        match outcome {
            Outcome::Ok(returned) if !self.was_met => {
                self.was_met = (self.condition)(index, returned);
                self.was_met.then_some(StopReason::ConditionMet)
            }
            _ => None,
        }
    }
}

impl<G> fmt::Debug for StopOnOutput<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopOnOutput").field("was_met", &self.was_met).finish_non_exhaustive()
    }
}
