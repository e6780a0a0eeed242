//! How soon a completion reaches the loop, and whether it stops the loop.

use core::fmt;
use core::ops::ControlFlow;

use crate::Outcome;

/// How a completion gets from a worker to the loop.
///
/// To wake the loop's task costs more than a short body does, so a completion that nothing waits for
/// should not cause a wake. Only the strategy knows which those are: it gives each output one of these
/// values. Both sides follow from that value. The worker decides when to send and whether to close the
/// source; the loop stops or continues by [`control_flow`](Self::control_flow).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Never delivered: the worker drops the output, because the result does not depend on it.
    Discard,
    /// Delivered in a large batch or when the worker runs out of work, in any order. The result depends
    /// on the output, but not on when it arrives. If the output holds a permit, it is delivered before the worker sleeps
    /// and after a few of its turns.
    Batched,
    /// Delivered by the end of the worker's round, in completion order: a consumer waits for the
    /// output, or the result depends on the order.
    Prompt,
    /// Delivered at once, in completion order. The loop stops, so the worker closes the source before
    /// any worker pulls another item.
    Terminal,
}

impl Delivery {
    /// `Break` if the completion stops the loop.
    #[inline]
    pub(crate) fn control_flow(self) -> ControlFlow<()> {
        match self {
            Self::Discard | Self::Batched | Self::Prompt => ControlFlow::Continue(()),
            Self::Terminal => ControlFlow::Break(()),
        }
    }
}

/// How the completions of a loop are delivered.
pub struct DeliveryRule<T> {
    /// The delivery of an output. `None` means [`Delivery::Batched`] for all, without a call for each.
    pub(crate) output: Option<fn(&T) -> Delivery>,
    /// The delivery of a body's panic: [`Delivery::Terminal`], or [`Delivery::Prompt`] if the loop
    /// catches panics.
    pub(crate) panic: Delivery,
    /// The delivery of a time-out: [`Delivery::Terminal`] if the loop stops at a failure, or [`Delivery::Prompt`].
    pub(crate) time_out: Delivery,
    /// Whether a completion holds its permit until the loop has taken it. The loop then waits for outputs that are
    /// [`Delivery::Batched`], too.
    pub(crate) holds_permits: bool,
}

impl<T> fmt::Debug for DeliveryRule<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryRule").finish_non_exhaustive()
    }
}

impl<T> Clone for DeliveryRule<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for DeliveryRule<T> {}

impl<T> DeliveryRule<T> {
    /// Every completion is delivered promptly, and none stops the loop by itself.
    pub(crate) const PROMPT: Self = Self {
        output: Some(|_| Delivery::Prompt),
        panic: Delivery::Prompt,
        time_out: Delivery::Prompt,
        holds_permits: true,
    };

    /// Returns the delivery of a completion with this outcome.
    #[inline]
    pub(crate) fn of(self, outcome: &Outcome<T>) -> Delivery {
        match outcome {
            Outcome::Ok(output) => self.output.map_or(Delivery::Batched, |of| of(output)),
            Outcome::Err(never) => match *never {},
            Outcome::Panicked(_) => self.panic,
            Outcome::TimedOut => self.time_out,
            Outcome::Lost | Outcome::Cancelled | Outcome::NotRun => Delivery::Prompt,
        }
    }
}
