//! How loops and waits begin: those of the core, with the clock around them.
//!
//! `tests/tests/tidy/wrapped.rs` checks that their docs are those of the core.

use forloop_core::places::{BodySet, Inline, IsResult};
use forloop_core::types::{Fallible, IsIterator, IsStream, Iter, LimitUnset, NoOptions};
use forloop_core::{Loop, TaskSet, Wait};
use futures_lite::Stream;

use crate::Ambient;

/// Begins a loop over anything that can be iterated: a vector, an array, a range, an iterator.
///
/// Set the limit next: [`sequential`](Loop::sequential), [`limit`](Loop::limit) or
/// [`unbounded`](Loop::unbounded). The loop pulls items one by one, and only when a body can be
/// started, so the iterator may be endless.
///
/// While the iterator is asked for an item, nothing else runs in this task. If that takes longer than five milliseconds,
/// the loop yields after it, so bodies and other tasks wait for one item. An iterator of exact size must be slow for
/// twenty items before that is noticed.
///
/// The clock of its options is the one around the loop: see [`Ambient`].
///
/// # Examples
///
/// ```
/// # futures_lite::future::block_on(async {
/// let words = vec!["to", "be", "or"];
/// let lengths = forloop::each(&words).limit(2)?.gather(|word| async move { word.len() }).await;
/// assert_eq!(lengths, [2, 2, 2]);
/// # Ok::<(), forloop::ZeroLimit>(())
/// # }).unwrap();
/// ```
#[doc(alias = "map_concurrent")]
#[doc(alias = "parallel map")]
#[doc(alias = "p-map")]
#[cfg_attr(feature = "sim", track_caller)]
pub fn each<I>(items: I) -> Loop<Iter<I::Iter>, Inline, LimitUnset, NoOptions, Ambient>
where
    I: IsIterator,
{
    forloop_core::each(items).with_timer(Ambient)
}

/// Begins a loop over a [`Stream`], whose items arrive over time.
///
/// The loop polls the stream only while a body can be started.
///
/// The clock of its options is the one around the loop: see [`Ambient`].
///
/// # Examples
///
/// ```
/// # futures_lite::future::block_on(async {
/// let squares = forloop::each_stream(futures_lite::stream::iter(1..=3))
///     .unbounded()
///     .gather(|n| async move { n * n })
///     .await;
/// assert_eq!(squares, [1, 4, 9]);
/// # });
/// ```
#[doc(alias = "buffer_unordered")]
#[doc(alias = "map_concurrent")]
#[cfg_attr(feature = "sim", track_caller)]
pub fn each_stream<S>(stream: S) -> Loop<S, Inline, LimitUnset, NoOptions, Ambient>
where
    S: IsStream,
{
    forloop_core::each_stream(stream).with_timer(Ambient)
}

/// Begins a loop over a fallible source: lines of a file, rows of a cursor, anything that iterates
/// over `Result`s.
///
/// The body gets the value of each `Ok`. At the first `Err` the loop pulls no further item and cancels
/// the bodies. Once they have stopped, the strategy gives that error as
/// [`Cause::Source`](crate::Cause::Source) or [`LoopError::Source`](crate::LoopError::Source), so it
/// cannot be mistaken for a body's error. To have the bodies complete instead, pass the `Result`s to
/// them: use [`each`].
///
/// The clock of its options is the one around the loop: see [`Ambient`].
///
/// # Examples
///
/// ```
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
#[cfg_attr(feature = "sim", track_caller)]
pub fn try_each<I, E>(items: I) -> Loop<Iter<I::Iter>, Inline, LimitUnset, Fallible<E>, Ambient>
where
    I: IsIterator<Item: IsResult<Error = E>>,
{
    forloop_core::try_each(items).with_timer(Ambient)
}

/// Begins a loop over a fallible stream: see [`try_each`].
#[cfg_attr(feature = "sim", track_caller)]
pub fn try_each_stream<S, E>(stream: S) -> Loop<S, Inline, LimitUnset, Fallible<E>, Ambient>
where
    S: IsStream + Stream<Item: IsResult<Error = E>>,
{
    forloop_core::try_each_stream(stream).with_timer(Ambient)
}

/// Waits until every future or task of a set has completed, or until the condition that was set.
///
/// It returns `(done, pending)`: what has completed, in completion order and each once; and the set,
/// in which the others can be waited for again. A failure or a panic is part of the outcome, and the
/// wait itself never fails. A wait for an empty set completes at the first poll.
///
/// Equivalent to Python's `asyncio.wait`.
///
/// The clock of its [`timeout`](Wait::timeout) is the one around it: see [`Ambient`].
///
/// # Examples
///
/// ```
/// # futures_lite::future::block_on(async {
/// use forloop::TaskSet;
/// use futures_lite::future::yield_now;
///
/// let count = async |n: u32| { for _ in 0..n { yield_now().await } n };
/// let mut set = TaskSet::new([count(30), count(10), count(20)]);
///
/// let (done, pending) = forloop::wait(&mut set).first_completed().await;
/// assert_eq!(done[0].index, 1);
/// assert_eq!(pending.len(), 2);
///
/// let (done, pending) = forloop::wait(pending).await;
/// assert_eq!(done.iter().map(|done| done.index).collect::<Vec<_>>(), [2, 0]);
/// assert!(pending.is_empty());
/// # });
/// ```
///
/// # Cancel safety
///
/// Dropping a wait loses nothing: the set keeps what runs and what has completed for the next wait.
#[doc(alias = "asyncio.wait")]
#[doc(alias = "join_next")]
pub fn wait<J, R: BodySet<Job = J>>(set: &mut TaskSet<J, R>) -> Wait<'_, J, R, Ambient> {
    forloop_core::wait(set).with_timer(Ambient)
}
