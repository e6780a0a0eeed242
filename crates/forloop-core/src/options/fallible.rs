//! `try_each`: items that may fail to come.

use super::{AllOrNothing, ItemPolicy, ItemRule, OutcomeRule, Policy, RaisesPanics, Rule, Sealed};
use crate::admission::NoQueue;
use crate::looping::NoOptions;
use crate::{Interrupted, Outcome};

/// An item that may have failed to come: every `Result` is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `Result`: such an item cannot fail to come",
    label = "items that may fail to come are wanted here: `Result`s",
    note = "if what comes is the item itself, begin the loop with `forloop::each(..)` or \
            `forloop::each_stream(..)`"
)]
pub trait IsResult {
    /// Why the item has not come.
    type Error;
}

impl<T, E> IsResult for Result<T, E> {
    type Error = E;
}

/// The source may fail with an `E`, which cuts the loop short.
#[derive(Debug, Clone)]
pub struct Fallible<E> {
    error: Option<E>,
}

impl<E> Fallible<E> {
    pub(crate) const fn new() -> Self {
        Self { error: None }
    }
}

#[diagnostic::do_not_recommend]
impl<E> AllOrNothing for Fallible<E> {}
#[diagnostic::do_not_recommend]
impl<E> RaisesPanics for Fallible<E> {}

impl<T, E> ItemPolicy<Result<T, E>> for Fallible<E> {
    type Item = T;

    fn admit(&mut self, given: Result<T, E>) -> Option<T> {
        given.map_err(|error| self.error = Some(error)).ok()
    }

    fn admit_any() -> Option<fn(Result<T, E>) -> T> {
        None
    }
}

impl<E> Sealed for Fallible<E> {}

impl<E> Rule for Fallible<E> {
    const HAS_SIGNALS: bool = false;
}

impl<I, E> ItemRule<I> for Fallible<E> {}
impl<R, E> OutcomeRule<R> for Fallible<E> {}

impl<E> Policy for Fallible<E> {
    type SourceError = E;
    type Each<T> = T;
    type Gives<X, Y> = Result<X, Interrupted<Y, E>>;
    type AdmissionQueue<I, R> = NoQueue;

    const HAS_RULES: bool = false;

    fn each<T>(outcome: Outcome<T>) -> Result<T, Outcome<T>> {
        NoOptions::each(outcome)
    }

    fn outcome<T>(each: T) -> Outcome<T> {
        NoOptions::outcome(each)
    }

    fn gives<X, Y>(result: Result<X, Interrupted<Y, E>>) -> Self::Gives<X, Y> {
        result
    }

    fn source_error(&mut self) -> Option<E> {
        self.error.take()
    }
}
