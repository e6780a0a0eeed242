//! `catch_panics`: a body's panic as the outcome of its item.

use super::{ItemRule, OutcomeRule, Rule, WithOutcomes};
use crate::Loop;

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Turns a body's panic into the outcome of its item. The other bodies keep running.
    ///
    /// A panic of the source, of a signal or of a consumer belongs to no item and propagates to the caller.
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
    #[doc(alias = "catch_unwind")]
    pub fn catch_panics(self) -> Loop<S, P, L, WithOutcomes<C, CatchPanics>, M> {
        self.with_option(CatchPanics)
    }
}

/// The option that makes a body's panic the outcome of its item.
#[derive(Debug, Clone, Copy)]
pub struct CatchPanics;

impl Rule for CatchPanics {
    const CATCHES_PANICS: bool = true;
}

impl<I> ItemRule<I> for CatchPanics {}
impl<R> OutcomeRule<R> for CatchPanics {}
