//! The failures of a loop or group, and the error they make.

use alloc::vec::Vec;

use crate::engine::Completion;
use crate::outcome::{FailureIndex, SourceError};
use crate::{Cause, Failure, Interrupted, LoopError, Outcome, indices};

/// Everything other than success that bodies have completed with.
pub(super) struct Failures<E> {
    /// Each with its position in completion order.
    errors: Vec<(usize, Failure<E>)>,
    /// The indices of the bodies that timed out.
    timed_out: Vec<usize>,
    /// The indices of the bodies that were lost.
    lost: Vec<usize>,
    /// A body was cancelled or never polled.
    cancelled: bool,
}

impl<E> Failures<E> {
    pub(super) const fn new() -> Self {
        Self { errors: Vec::new(), timed_out: Vec::new(), lost: Vec::new(), cancelled: false }
    }

    /// Records an error; `index` is `None` for the body of a group.
    pub(super) fn record(&mut self, at: usize, index: Option<usize>, error: E) {
        self.errors.push((at, Failure { index, attempts: 1, error }));
    }

    /// Returns the value of a body that succeeded, and records any other completion.
    pub(super) fn split_failure<T>(&mut self, completion: Completion<Result<T, E>>) -> Option<T> {
        self.split_outcome(completion.seq, completion.index, completion.outcome.into())
    }

    /// Returns the value of a body that succeeded, and records any other outcome.
    ///
    /// # Panics
    ///
    /// Resumes the panic of a body that panicked.
    pub(super) fn split_outcome<T>(
        &mut self,
        at: usize,
        index: usize,
        outcome: Outcome<T, E>,
    ) -> Option<T> {
        match outcome {
            Outcome::Ok(value) => return Some(value),
            Outcome::Err(error) => self.record(at, Some(index), error),
            Outcome::Panicked(panic) => panic.resume(),
            Outcome::TimedOut => self.timed_out.push(index),
            Outcome::Lost => self.lost.push(index),
            // The loop cancels the siblings of a body that failed.
            Outcome::Cancelled | Outcome::NotRun => self.cancelled = true,
        }
        None
    }

    /// Sets the attempts of the failures; `retried` is in ascending order of the index.
    pub(super) fn with_attempts(mut self, retried: &[(usize, u32)]) -> Self {
        for (_, failure) in self.errors.iter_mut().filter(|_| !retried.is_empty()) {
            let Some(index) = failure.index else { continue };
            if let Ok(found) = retried.binary_search_by_key(&index, |&(index, _)| index) {
                failure.attempts = retried[found].1;
            }
        }
        self
    }

    /// Whether no body has returned an error.
    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Returns every error, in completion order.
    pub(super) fn into_vec(mut self) -> Vec<Failure<E>> {
        // Stable: in-task completions all have the same position, and were recorded in completion order.
        self.errors.sort_by_key(|&(at, _)| at);
        self.errors.into_iter().map(|(_, failure)| failure).collect()
    }

    /// Returns the most severe error: an error of the source, then of a body, a time-out, a cancellation.
    pub(super) fn into_result<S>(
        mut self,
        interrupted: Option<Interrupted<(), S>>,
    ) -> Result<(), LoopError<E, S>> {
        let cancelled = self.cancelled;
        let mut timed_out = core::mem::take(&mut self.timed_out);
        let mut lost = core::mem::take(&mut self.lost);
        indices::sort(&mut lost);
        let failures = self.into_vec();
        let cause = interrupted.map(|Interrupted { cause, pending, .. }| {
            if let Cause::TimedOut = cause {
                timed_out.extend(pending);
            }
            cause
        });
        // A body that failed while its group stopped has failed, and has not timed out.
        if !timed_out.is_empty() {
            let failed = failures.iter().filter_map(|failure| failure.index).collect();
            indices::sort_without(&mut timed_out, failed);
        }
        let by_index = FailureIndex::of(&failures);
        let reason = match cause.map(Cause::into_reason).transpose() {
            Err(SourceError { index, error }) => {
                return Err(LoopError::Source { index, error, failures, timed_out, by_index });
            }
            Ok(reason) => reason,
        };
        let cause = reason.map(Cause::from);
        Err(match reason {
            _ if !failures.is_empty() => LoopError::Failed { failures, timed_out, cause, by_index },
            _ if !lost.is_empty() => LoopError::Lost { lost, timed_out, cause },
            _ if !timed_out.is_empty() => LoopError::TimedOut { timed_out, cause },
            Some(reason) => LoopError::stopped(reason, timed_out),
            None if cancelled => LoopError::Cancelled,
            None => return Ok(()),
        })
    }
}
