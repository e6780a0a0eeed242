//! An interrupted loop: what interrupted it, which bodies it has stopped, and what was ready.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::error::Error;
use core::fmt;

/// What interrupted a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause<S = Infallible> {
    /// The loop's [deadline](crate::Loop::deadline) has passed.
    TimedOut,
    /// The loop was [cancelled](crate::Loop::cancel_on), or the runtime of its bodies was shut down.
    Cancelled,
    /// The loop was [drained](crate::Loop::drain_on) before every item was started.
    Drained,
    /// A [stop condition](crate::Loop::stop_on_counts) of the loop was met.
    ConditionMet,
    /// The source failed. Only loops that begin with [`try_each`](crate::try_each) have such a source.
    Source {
        /// The index that the next item would have had.
        index: usize,
        /// The error of the source.
        error: S,
    },
}

/// Why an option stops a loop: a [`Cause`] other than an error of the source.
///
/// A new reason needs a line in each `match` of this file. The compiler finds all of them: none has an arm for
/// the rest.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// [`Cause::TimedOut`].
    TimedOut,
    /// [`Cause::Cancelled`].
    Cancelled,
    /// [`Cause::Drained`].
    Drained,
    /// [`Cause::ConditionMet`].
    ConditionMet,
}

/// What a loop does for a [`StopReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopEffect {
    /// It starts nothing and cancels the running bodies.
    Cancel,
    /// It polls the bodies that are woken a last time, and cancels the others.
    LastRound,
    /// It starts nothing and lets the running bodies complete.
    Drain,
}

impl StopReason {
    /// What the loop does.
    pub(crate) const fn effect(self) -> StopEffect {
        match self {
            Self::TimedOut => StopEffect::LastRound,
            Self::Cancelled | Self::ConditionMet => StopEffect::Cancel,
            Self::Drained => StopEffect::Drain,
        }
    }
}

impl<S> From<StopReason> for Cause<S> {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::TimedOut => Self::TimedOut,
            StopReason::Cancelled => Self::Cancelled,
            StopReason::Drained => Self::Drained,
            StopReason::ConditionMet => Self::ConditionMet,
        }
    }
}

/// An error of a loop's source.
#[derive(Debug)]
pub(crate) struct SourceError<S> {
    /// The index that the next item would have had.
    pub(crate) index: usize,
    pub(crate) error: S,
}

impl<S> Cause<S> {
    /// The reason of an option.
    ///
    /// # Errors
    ///
    /// The error of the source, if that interrupted the loop.
    pub(crate) fn into_reason(self) -> Result<StopReason, SourceError<S>> {
        match self {
            Self::TimedOut => Ok(StopReason::TimedOut),
            Self::Cancelled => Ok(StopReason::Cancelled),
            Self::Drained => Ok(StopReason::Drained),
            Self::ConditionMet => Ok(StopReason::ConditionMet),
            Self::Source { index, error } => Err(SourceError { index, error }),
        }
    }
}

impl Cause<()> {
    /// The same cause, with the error of the source if it was that.
    pub(crate) fn with_source_error<S>(self, error: Option<S>) -> Cause<S> {
        match (self.into_reason(), error) {
            (Ok(reason), _) => reason.into(),
            (Err(SourceError { index, .. }), Some(error)) => Cause::Source { index, error },
            (Err(_), None) => Cause::Cancelled,
        }
    }
}

impl Cause {
    /// The same cause, of a loop whose source could have failed.
    pub(crate) fn widen<S>(self) -> Cause<S> {
        match self.into_reason() {
            Ok(reason) => reason.into(),
            Err(SourceError { error, .. }) => match error {},
        }
    }
}

/// A loop was interrupted.
///
/// Every body has stopped when the loop returns it, as with any other result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interrupted<Y = (), S = Infallible> {
    /// What interrupted the loop.
    pub cause: Cause<S>,
    /// The indices of the bodies that were stopped, in ascending order. A task that completed while it was
    /// being cancelled is not among them: its output is ready.
    pub pending: Vec<usize>,
    /// The results that were ready. `()` for a strategy that has delivered them already, or has none.
    pub ready: Y,
}

/// What interrupted a loop or group, until everything has stopped.
#[derive(Debug)]
pub(crate) struct Cut<S = Infallible> {
    cause: Cause<S>,
    /// The indices of the bodies that ran at that moment.
    running: Vec<usize>,
    /// Those that completed while they were being cancelled.
    ended: Vec<usize>,
    /// Every item was started.
    all_begun: bool,
}

impl<S> Cut<S> {
    pub(crate) fn new(cause: Cause<S>, running: Vec<usize>, all_begun: bool) -> Self {
        Self { cause, running, ended: Vec::new(), all_begun }
    }

    /// Records that an item was left after all.
    pub(crate) fn more_was_left(&mut self) {
        self.all_begun = false;
    }

    /// Whether every item was started.
    pub(crate) fn all_begun(&self) -> bool {
        self.all_begun
    }

    /// Records one more body that runs, or that its runtime has dropped.
    pub(crate) fn one_more(&mut self, index: usize) {
        self.running.push(index);
    }

    /// Records that a body has completed.
    pub(crate) fn ended(&mut self, index: usize) {
        self.ended.push(index);
    }

    /// Converts it once everything has stopped. `None` if it came too late to interrupt anything.
    pub(crate) fn into_interrupted(self) -> Option<Interrupted<(), S>> {
        let Self { cause, mut running, mut ended, all_begun } = self;
        running.sort_unstable();
        ended.sort_unstable();
        running.retain(|index| ended.binary_search(index).is_err());
        let nothing_was_cut = all_begun && running.is_empty();
        (!nothing_was_cut).then_some(Interrupted { cause, pending: running, ready: () })
    }
}

impl<S> Interrupted<(), S> {
    pub(crate) fn with<Y>(self, ready: Y) -> Interrupted<Y, S> {
        Interrupted { cause: self.cause, pending: self.pending, ready }
    }
}

impl<Y, S: fmt::Display> fmt::Display for Interrupted<Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::TimedOut => f.write_str("timed out")?,
            Cause::Cancelled => f.write_str("cancelled")?,
            Cause::Drained => f.write_str("drained before every item was started")?,
            Cause::ConditionMet => f.write_str("stopped by a stop condition")?,
            Cause::Source { index, error } => {
                write!(f, "the source failed at item {index}: {error}")?;
            }
        }
        match self.pending.len() {
            0 => Ok(()),
            1 => f.write_str(" (1 body was stopped)"),
            stopped => write!(f, " ({stopped} bodies were stopped)"),
        }
    }
}

impl<Y: fmt::Debug, S: Error + 'static> Error for Interrupted<Y, S> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Source { error, .. } => Some(error),
            _ => None,
        }
    }
}
