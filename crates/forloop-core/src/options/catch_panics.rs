//! `catch_panics`: a body's panic as that item's outcome.

use super::{OutcomeOption, Policy, WithOutcomes};
use crate::Loop;

impl<S, P, L, C: Policy> Loop<S, P, L, C> {
    /// Makes the panic of a body that item's outcome: the other bodies go on.
    ///
    /// The panic of a source, of a signal or of a consumer belongs to no item and goes on in the
    /// caller as ever.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use forloop::Outcome;
    ///
    /// let outcomes = forloop::each([1, 0])
    ///     .unbounded()
    ///     .catch_panics()
    ///     .settle(|n| async move { Ok::<u32, String>(1 / n) })
    ///     .await;
    /// assert!(matches!(&outcomes[1], Outcome::Panicked(panic)
    ///     if panic.message() == Some("attempt to divide by zero")));
    /// # });
    /// ```
    pub fn catch_panics(self) -> Loop<S, P, L, WithOutcomes<C, CatchPanics>> {
        self.with(|policy| WithOutcomes::new(policy, CatchPanics))
    }
}

/// A body's panic is its outcome.
#[derive(Debug, Clone, Copy)]
pub struct CatchPanics;

impl OutcomeOption for CatchPanics {
    const CATCHES_PANICS: bool = true;
}
