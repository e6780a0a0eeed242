//! The phases of a loop.

use alloc::sync::Arc;

use crate::outcome::{Interruption, StopReason};
use crate::single::Single;

/// What a loop does next. It goes from the first phase towards the last and never back.
///
/// ```text
/// Running ──────────────┬───────────────────────────┬─> Stopping ──> Finished
///    │ exhausted, idle  │ drain_on                  │      │
///    └──> Finished      ├─> Draining ──> Finished   │      └ every body has stopped
///                       │ deadline, failure         │
///                       └─> LastRound ──────────────┘
/// ```
///
/// A phase owns what is known of the interruption that led to it, with the error of the source, a `U`, if it was that.
/// So there is no interruption without its phase.
#[derive(Debug)]
#[repr(u8)] // a tag of its own: every step looks at the phase
pub(super) enum Phase<U> {
    /// Items are pulled and bodies are started, until the source is exhausted.
    Running,
    /// Workers share a driver that decides everything. It leaves here what has interrupted the loop.
    Delegated(Arc<Single<Interruption<U>>>),
    /// `drain_on`: nothing is started any more; bodies that run complete.
    Draining(Interruption<U>),
    /// The deadline has passed, or a body has failed in a loop that stops at a failure: the bodies that were woken by
    /// then, or those of the round in which it failed, are polled once more, and then the loop stops.
    LastRound {
        /// Why the loop stops after it; `None` if a body has failed.
        reason: Option<StopReason>,
        /// That round has started.
        has_started: bool,
        /// The loop was draining.
        drained: Option<Interruption<U>>,
    },
    /// The bodies were cancelled, and the loop waits until they have stopped. Without an interruption it was
    /// its strategy that stopped it, or a panic.
    Stopping(Option<Interruption<U>>),
    /// Nothing runs, and the result was taken.
    Finished,
}

impl<U> Phase<U> {
    /// Whether nothing new may start.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Running
            | Self::Delegated(_)
            | Self::LastRound { reason: Some(_), drained: None, .. } => false,
            Self::Draining(_) | Self::LastRound { .. } | Self::Stopping(_) | Self::Finished => true,
        }
    }

    /// Whether the bodies were cancelled.
    #[inline]
    pub(super) fn is_stopping(&self) -> bool {
        match self {
            Self::Running | Self::Delegated(_) | Self::Draining(_) | Self::LastRound { .. } => {
                false
            }
            Self::Stopping(_) | Self::Finished => true,
        }
    }

    /// Whether items are pulled and bodies are started.
    #[inline]
    pub(super) fn is_running(&self) -> bool {
        matches!(self, Self::Running)
    }

    /// Whether nothing is left.
    pub(super) fn is_finished(&self) -> bool {
        matches!(self, Self::Finished)
    }

    /// Whether workers share a driver that decides everything.
    pub(super) fn is_delegated(&self) -> bool {
        matches!(self, Self::Delegated(_))
    }

    /// Whether the loop stops at a failure when its round is over. Nothing new may start, or stop it earlier.
    pub(super) fn is_failing(&self) -> bool {
        matches!(self, Self::LastRound { reason: None, .. })
    }

    /// Whether the options' signals are still of interest.
    pub(super) fn polls_signals(&self) -> bool {
        match self {
            Self::Running | Self::Draining(_) => true,
            Self::Delegated(_) | Self::LastRound { .. } | Self::Stopping(_) | Self::Finished => {
                false
            }
        }
    }

    /// The interruption, if there was one.
    #[inline]
    pub(super) fn interruption(&self) -> Option<&Interruption<U>> {
        match self {
            Self::Draining(interruption) => Some(interruption),
            Self::LastRound { drained: interruption, .. } | Self::Stopping(interruption) => {
                interruption.as_ref()
            }
            Self::Running | Self::Delegated(_) | Self::Finished => None,
        }
    }

    /// As [`interruption`](Self::interruption).
    pub(super) fn interruption_mut(&mut self) -> Option<&mut Interruption<U>> {
        match self {
            Self::Draining(interruption) => Some(interruption),
            Self::LastRound { drained: interruption, .. } | Self::Stopping(interruption) => {
                interruption.as_mut()
            }
            Self::Running | Self::Delegated(_) | Self::Finished => None,
        }
    }

    /// Takes the interruption out. What follows enters the phase that it leads to.
    pub(super) fn take_interruption(&mut self) -> Option<Interruption<U>> {
        let is_stopping = self.is_stopping();
        let interruption = self.finish();
        *self = if is_stopping { Self::Stopping(None) } else { Self::Running };
        interruption
    }

    /// Leaves this phase for the last one. Returns the interruption.
    #[inline]
    pub(super) fn finish(&mut self) -> Option<Interruption<U>> {
        // Most loops are not interrupted, and have nothing to drop here.
        if let Self::Running | Self::Finished = self {
            core::mem::forget(core::mem::replace(self, Self::Finished));
            return None;
        }
        self.finish_interrupted()
    }

    /// [`finish`](Self::finish) in any other phase than the first and the last.
    #[cold]
    fn finish_interrupted(&mut self) -> Option<Interruption<U>> {
        match core::mem::replace(self, Self::Finished) {
            Self::Draining(interruption) => Some(interruption),
            Self::LastRound { drained: interruption, .. } | Self::Stopping(interruption) => {
                interruption
            }
            Self::Running | Self::Delegated(_) | Self::Finished => None,
        }
    }
}
