//! An interrupted loop: what interrupted it, which bodies it has stopped, and what was ready.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::error::Error;
use core::fmt;

use super::bounded::{BeginningOf, FirstOf};
use super::boxed::unboxed;
use super::chain::write_with_source;
use super::reasons::stop_reasons;
use crate::indices;

/// Makes all that has a variant or a line for each [reason](super::reasons).
macro_rules! causes {
    ($(
        $group:ident { $(
            $(#[$attribute:meta])*
            $Reason:ident: $Effect:ident, $message:literal;
        )* }
    )*) => {
        /// What interrupted a loop.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Cause<S = Infallible> {
            $($(
                $(#[$attribute])*
                $Reason,
            )*)*
            /// The source failed. Only loops that begin with [`try_each`](crate::try_each) have such a source.
            Source {
                /// The index that the next item would have had.
                index: usize,
                /// The error of the source.
                error: S,
            },
        }

        /// Why an option stops a loop: a [`Cause`] other than an error of the source.
        #[doc(hidden)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum StopReason {
            $($(
                $(#[$attribute])*
                $Reason,
            )*)*
        }

        impl StopReason {
            /// What the loop does.
            pub(crate) const fn effect(self) -> StopEffect {
                match self {
                    $($(Self::$Reason => StopEffect::$Effect,)*)*
                }
            }

            /// What has happened to the loop.
            pub(crate) const fn message(self) -> &'static str {
                match self {
                    $($(Self::$Reason => $message,)*)*
                }
            }
        }

        impl<S> From<StopReason> for Cause<S> {
            fn from(reason: StopReason) -> Self {
                match reason {
                    $($(StopReason::$Reason => Self::$Reason,)*)*
                }
            }
        }

        impl<S> Cause<S> {
            /// The reason of an option.
            ///
            /// # Errors
            ///
            /// The error of the source, if that interrupted the loop.
            pub(crate) fn into_reason(self) -> Result<StopReason, SourceError<S>> {
                match self {
                    $($(Self::$Reason => Ok(StopReason::$Reason),)*)*
                    Self::Source { index, error } => Err(SourceError { index, error }),
                }
            }

            /// The same cause, with a reference to the source's error.
            fn as_ref(&self) -> Cause<&S> {
                match self {
                    $($(Self::$Reason => Cause::$Reason,)*)*
                    Self::Source { index, error } => Cause::Source { index: *index, error },
                }
            }
        }
    };
}

stop_reasons!(causes);

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

/// An error of a loop's source.
#[derive(Debug)]
pub(crate) struct SourceError<S> {
    /// The index that the next item would have had.
    pub(crate) index: usize,
    pub(crate) error: S,
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
/// Every body has stopped when the loop returns it, as with any other result. Its `Debug` output is bounded: it has
/// the beginning of long lists.
#[derive(Clone, PartialEq, Eq)]
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
pub(crate) struct Interruption<S = Infallible> {
    cause: Cause<S>,
    /// The indices of the bodies that ran at that moment.
    running: Vec<usize>,
    /// Those that completed while they were being cancelled.
    completed: Vec<usize>,
    /// Every item was started, and every retry that was due.
    all_started: bool,
}

impl<S> Interruption<S> {
    pub(crate) fn new(cause: Cause<S>, running: Vec<usize>, all_started: bool) -> Self {
        Self { cause, running, completed: Vec::new(), all_started }
    }

    /// Records that an item, or the retry of one, was not started after all.
    pub(crate) fn record_unstarted(&mut self) {
        self.all_started = false;
    }

    /// Records that every item was started after all.
    pub(crate) fn record_all_started(&mut self) {
        self.all_started = true;
    }

    /// Whether every item was started, and every retry that was due.
    pub(crate) fn all_started(&self) -> bool {
        self.all_started
    }

    /// Records one more body that runs, or that its runtime has dropped.
    pub(crate) fn record_running(&mut self, index: usize) {
        self.running.push(index);
    }

    /// Records that a body has completed.
    pub(crate) fn record_completed(&mut self, index: usize) {
        self.completed.push(index);
    }

    /// Converts it once everything has stopped. `None` if it came too late to interrupt anything.
    pub(crate) fn into_interrupted(self) -> Option<Interrupted<(), S>> {
        let Self { cause, mut running, completed, all_started } = self;
        indices::sort_without(&mut running, completed);
        let was_complete = all_started && running.is_empty();
        (!was_complete).then_some(Interrupted { cause, pending: running, ready: () })
    }
}

impl<S> Interrupted<(), S> {
    pub(crate) fn with<Y>(self, ready: Y) -> Interrupted<Y, S> {
        Interrupted { cause: self.cause, pending: self.pending, ready }
    }
}

impl<Y: fmt::Debug, S: fmt::Debug> fmt::Debug for Interrupted<Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupted")
            .field("cause", &self.cause)
            .field("pending", &FirstOf(&self.pending))
            .field("ready", &BeginningOf(&self.ready))
            .finish()
    }
}

impl<Y, S: fmt::Display> fmt::Display for Interrupted<Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause.as_ref().into_reason() {
            Ok(reason) => f.write_str(reason.message())?,
            Err(SourceError { index, error }) => {
                write_with_source(f, format_args!("the source failed at item {index}"), error)?;
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
        self.cause.as_ref().into_reason().err().map(|SourceError { error, .. }| unboxed(error))
    }
}
