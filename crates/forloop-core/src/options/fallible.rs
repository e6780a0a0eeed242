//! `try_each`: a source that may fail.

use core::marker::PhantomData;

use super::{AllOrNothing, ItemPolicy, ItemRule, OutcomeRule, Policy, RaisesPanics, Rule, Sealed};
use crate::admission::NoQueue;
use crate::looping::NoOptions;
use crate::{Interrupted, Outcome};

/// What a fallible source gives. Every `Result` implements it, and nothing else.
#[diagnostic::on_unimplemented(
    message = "`try_each` needs items of type `Result<T, E>`, found `{Self}`",
    label = "the items of this source are not `Result`s",
    note = "use `forloop::each(..)` or `forloop::each_stream(..)` for a source that cannot fail"
)]
pub trait IsResult: Sealed {
    /// The error of the source.
    type Error;
}

impl<T, E> Sealed for Result<T, E> {}

impl<T, E> IsResult for Result<T, E> {
    type Error = E;
}

/// The policy of a loop over a fallible source. The source's error, an `E`, interrupts the loop.
#[derive(Debug, Clone)]
pub struct Fallible<E> {
    error: PhantomData<E>,
}

impl<E> Fallible<E> {
    pub(crate) const fn new() -> Self {
        Self { error: PhantomData }
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

    fn worker_item_of() -> Option<fn(Result<T, E>) -> T> {
        None
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

    const HAS_RULES: bool = false;

    fn output_of<T>(outcome: Outcome<T>) -> Result<T, Outcome<T>> {
        NoOptions::output_of(outcome)
    }

    fn outcome_of<T>(output: T) -> Outcome<T> {
        NoOptions::outcome_of(output)
    }

    fn result_of<X, Y>(result: Result<X, Interrupted<Y, E>>) -> Self::Result<X, Y> {
        result
    }
}
