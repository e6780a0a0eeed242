//! A loop that was cut short: by whom, what was still running, and what was ready.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::error::Error;
use core::fmt;

/// Why a loop was cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause<S = Infallible> {
    /// Its [deadline](crate::Loop::deadline) had passed.
    TimedOut,
    /// It was [cancelled](crate::Loop::cancel_on), or the runtime of its bodies was shut down.
    Cancelled,
    /// It was asked to [finish what runs](crate::Loop::drain_on), and has.
    Drained,
    /// Its [stop policy](crate::Loop::stop_on_counts) had seen enough.
    ConditionMet,
    /// Its source failed: only loops begun with [`try_each`](crate::try_each) have such a source.
    Source {
        /// The index that the item would have had.
        index: usize,
        /// What the source gave instead.
        error: S,
    },
}

/// Why an option stops a loop: a [`Cause`] that holds nothing.
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
    /// It starts nothing and cancels the bodies that run.
    Cancel,
    /// It polls the bodies that are woken a last time, and cancels the others.
    LastRound,
    /// It starts nothing and lets the bodies that run complete.
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

impl Cause<()> {
    /// The same cause, with the error of the source if it was that.
    pub(crate) fn with_source_error<S>(self, error: Option<S>) -> Cause<S> {
        match (self, error) {
            (Self::Source { index, .. }, Some(error)) => Cause::Source { index, error },
            (Self::TimedOut, _) => Cause::TimedOut,
            (Self::Drained, _) => Cause::Drained,
            (Self::ConditionMet, _) => Cause::ConditionMet,
            (Self::Cancelled | Self::Source { .. }, _) => Cause::Cancelled,
        }
    }
}

impl Cause {
    /// The same cause, where a source could have failed.
    pub(crate) fn widen<S>(self) -> Cause<S> {
        match self {
            Self::TimedOut => Cause::TimedOut,
            Self::Cancelled => Cause::Cancelled,
            Self::Drained => Cause::Drained,
            Self::ConditionMet => Cause::ConditionMet,
            Self::Source { error, .. } => match error {},
        }
    }
}

/// A loop was cut short.
///
/// When it is told, every body has stopped, as when a loop returns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interrupted<Y = (), S = Infallible> {
    /// By what.
    pub cause: Cause<S>,
    /// The indices of the bodies that it has stopped, in ascending order. A task that came to its own
    /// end while it was asked to stop is not among them, and its output is one of those ready.
    pub pending: Vec<usize>,
    /// The results that were ready: `()` for a strategy that has given them already, or gives none.
    pub ready: Y,
}

/// What has cut a loop or group short, until everything has stopped.
#[derive(Debug)]
pub(crate) struct Cut<S = Infallible> {
    cause: Cause<S>,
    /// The indices of the bodies that ran then.
    running: Vec<usize>,
    /// Those that came to their own ends while they were asked to stop.
    ended: Vec<usize>,
    /// No body was left to begin.
    all_begun: bool,
}

impl<S> Cut<S> {
    pub(crate) fn new(cause: Cause<S>, running: Vec<usize>, all_begun: bool) -> Self {
        Self { cause, running, ended: Vec::new(), all_begun }
    }

    /// Whether bodies that ran were let go on.
    pub(crate) fn is_drain(&self) -> bool {
        matches!(self.cause, Cause::Drained)
    }

    /// There was more to begin than was known.
    pub(crate) fn more_was_left(&mut self) {
        self.all_begun = false;
    }

    /// Whether no body was left to begin.
    pub(crate) fn all_begun(&self) -> bool {
        self.all_begun
    }

    /// Takes note of one more body that runs, or does not run any more and yet has no end.
    pub(crate) fn one_more(&mut self, index: usize) {
        self.running.push(index);
    }

    /// Takes note of a body that came to its own end.
    pub(crate) fn ended(&mut self, index: usize) {
        self.ended.push(index);
    }

    /// Tells what was cut short, once everything has stopped. `None` if it came too late to cut
    /// anything.
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
            Cause::TimedOut => f.write_str("the loop's deadline passed")?,
            Cause::Cancelled => f.write_str("the loop was cancelled")?,
            Cause::Drained => f.write_str("the loop was asked to finish before its end")?,
            Cause::ConditionMet => f.write_str("the loop's stop policy had seen enough")?,
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
