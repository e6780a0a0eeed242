//! `try_each`: items that may fail to come.

use futures_core::Stream;

use super::{AllOrNothing, ItemPolicy, NoOptions, OutcomePolicy, Policy, RaisesPanics};
use crate::admission::NoQueue;
use crate::each::{Iter, LimitUnset, Loop, each, each_stream};
use crate::place::Inline;
use crate::{Interrupted, IsStream, Outcome};

/// Begins a loop over items that may fail to come: lines of a file, rows of a cursor, anything that
/// iterates over `Result`s.
///
/// The body gets what is `Ok`. At the first `Err` no further item is pulled, the bodies are
/// stopped, and when they have stopped the strategy gives that error as
/// [`Cause::Source`](crate::Cause::Source) or [`LoopError::Source`](crate::LoopError::Source): never to be taken for a
/// body's. To let the bodies finish instead, give the `Err` to them: [`each`] over the same
/// `Result`s.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use forloop::Cause;
///
/// let rows = ["1", "2", "three"].map(str::parse::<u32>);
/// let doubled = forloop::try_each(rows).sequential().gather(async |n| n * 2).await;
///
/// let interrupted = doubled.unwrap_err();
/// assert!(matches!(interrupted.cause, Cause::Source { index: 2, .. }));
/// assert_eq!(interrupted.ready.len(), 2);
/// # });
/// ```
#[cfg_attr(feature = "simulation", track_caller)]
pub fn try_each<I, E>(items: I) -> Loop<Iter<I::IntoIter>, Inline, LimitUnset, Fallible<E>>
where
    I: IntoIterator<Item: IsResult<Error = E>>,
{
    each(items).with(|NoOptions| Fallible { error: None })
}

/// Begins a loop over a stream of items that may fail to come: see [`try_each`].
#[cfg_attr(feature = "simulation", track_caller)]
pub fn try_each_stream<S, E>(stream: S) -> Loop<S, Inline, LimitUnset, Fallible<E>>
where
    S: IsStream + Stream<Item: IsResult<Error = E>>,
{
    each_stream(stream).with(|NoOptions| Fallible { error: None })
}

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

#[diagnostic::do_not_recommend]
impl<E> AllOrNothing for Fallible<E> {}
#[diagnostic::do_not_recommend]
impl<E> RaisesPanics for Fallible<E> {}

impl<T, E> ItemPolicy<Result<T, E>> for Fallible<E> {
    type Item = T;

    fn admit(&mut self, given: Result<T, E>) -> Option<T> {
        given.map_err(|error| self.error = Some(error)).ok()
    }
}

impl<R, E> OutcomePolicy<R> for Fallible<E> {}

impl<E> Policy for Fallible<E> {
    type SourceError = E;
    type Each<T> = T;
    type Gives<X, Y> = Result<X, Interrupted<Y, E>>;
    type AdmissionQueue<I, R> = NoQueue;

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
