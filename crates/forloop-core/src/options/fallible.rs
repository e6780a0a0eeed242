//! `try_each`: a source that may fail.

use alloc::sync::Arc;
use core::fmt;

use super::{
    AllOrNothing, EachPulls, ItemPolicy, ItemRule, OutcomeRule, Policy, RaisesPanics, Rule, Sealed,
    WorkerItems,
};
use crate::admission::NoQueue;
use crate::looping::NoOptions;
use crate::single::Single;
use crate::{Interrupted, Outcome};

/// The policy of a loop over a fallible source. The source's error, an `E`, interrupts the loop.
pub struct Fallible<E> {
    /// Where workers that pull put the error. `None` in a loop that pulls the items itself.
    error: Option<Arc<Single<E>>>,
}

impl<E> Fallible<E> {
    pub(crate) const fn new() -> Self {
        Self { error: None }
    }
}

impl<E> Clone for Fallible<E> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<E> fmt::Debug for Fallible<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallible").finish_non_exhaustive()
    }
}

/// Unwraps what a source gives to workers, up to its first error. That one is kept for the loop.
#[doc(hidden)]
pub struct UntilError<E>(Arc<Single<E>>);

impl<E> fmt::Debug for UntilError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntilError").finish_non_exhaustive()
    }
}

impl<T, E> WorkerItems<Result<T, E>> for UntilError<E> {
    type Item = T;

    fn item_of(&mut self, given: Result<T, E>) -> Option<T> {
        // There is no error here yet: the source ends with the first.
        given.map_err(|error| drop(self.0.put(error))).ok()
    }
}

#[diagnostic::do_not_recommend]
impl<E> AllOrNothing for Fallible<E> {}
#[diagnostic::do_not_recommend]
impl<E> RaisesPanics for Fallible<E> {}

impl<T, E> ItemPolicy<Result<T, E>> for Fallible<E> {
    type Item = T;

    fn item_of(given: Result<T, E>) -> Result<T, E> {
        given
    }
}

impl<E> Sealed for Fallible<E> {}

impl<E> Rule for Fallible<E> {}

impl<I, E> ItemRule<I> for Fallible<E> {}
impl<R, E> OutcomeRule<R> for Fallible<E> {}

impl<E> Policy for Fallible<E> {
    type SourceError = E;
    type Output<T> = T;
    type Result<X, Y> = Result<X, Interrupted<Y, E>>;
    type AdmissionQueue<I, R> = NoQueue;
    type WorkerKind = EachPulls;
    type WorkerItems = UntilError<E>;
    type TimeLimits = NoOptions;

    const HAS_RULES: bool = false;
    const HAS_OUTCOMES: bool = false;
    const MAY_BE_INTERRUPTED: bool = true;

    fn output_of<T>(outcome: Outcome<T>) -> Result<T, Outcome<T>> {
        NoOptions::output_of(outcome)
    }

    fn outcome_of<T>(output: T) -> Outcome<T> {
        NoOptions::outcome_of(output)
    }

    fn result_of<X, Y>(result: Result<X, Interrupted<Y, E>>) -> Self::Result<X, Y> {
        result
    }

    fn worker_items(&mut self) -> UntilError<E> {
        UntilError(self.error.insert(Arc::new(Single::empty())).clone())
    }

    fn take_source_error(&mut self) -> Option<E> {
        self.error.as_ref()?.take()
    }

    fn time_limits(&self) -> NoOptions {
        NoOptions
    }
}
