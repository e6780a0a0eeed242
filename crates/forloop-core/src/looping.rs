//! The loop as a value: its items, its limit, its place and its options. No behaviour.

use core::num::NonZeroUsize;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use crate::ZeroLimit;
use crate::place::Inline;
use crate::simulation::Origin;

/// A loop: its items, how many bodies may run at once, where they run, and what may keep it from
/// its end.
///
/// These are said first, in any order:
///
/// - how many at once, by [`sequential`](Loop::sequential), [`limit`](Loop::limit) or
///   [`unbounded`](Loop::unbounded): there is no default;
/// - where, by [`on`](Loop::on), without which the bodies run in the caller's own task, where they may
///   borrow and need not be `Send`;
/// - what may cut it short: [`timeout`](Loop::timeout) for each body, [`deadline`](Loop::deadline)
///   for the loop, a signal to [`cancel_on`](Loop::cancel_on); and whether to
///   [`catch_panics`](Loop::catch_panics). What a strategy gives then is in the table of [`Policy`](crate::Policy).
///
/// What the loop gives is up to the strategy, which takes the body: a closure that is called with each
/// item and returns a future.
///
/// | strategy | gives |
/// |---|---|
/// | [`gather`](Loop::gather) | every output, in input order |
/// | [`try_gather`](Loop::try_gather) | the same, or stops at the first failure in time |
/// | [`settle`](Loop::settle) | every outcome, good or bad, in input order |
/// | [`collect`](Loop::collect), [`try_collect`](Loop::try_collect) | any collection of the outputs, in input order |
/// | [`extend`](Loop::extend) | nothing: the outputs are put into a collection as they finish |
/// | [`fold`](Loop::fold), [`try_fold`](Loop::try_fold) | one value of all outputs, made as they finish |
/// | [`filter_map`](Loop::filter_map), [`try_filter_map`](Loop::try_filter_map) | what bodies did not leave out, in input order |
/// | [`for_each`](Loop::for_each), [`try_for_each`](Loop::try_for_each) | nothing; the second stops at the first failure |
/// | [`race`](Loop::race), [`race_ok`](Loop::race_ok) | the first output, or the first value, in time; the others are stopped |
/// | [`first_ok`](Loop::first_ok) | the first so many values in time; the others are stopped |
/// | [`as_completed`](Loop::as_completed) | a stream of index and output, as they finish |
/// | [`stream`](Loop::stream), [`stream_unordered`](Loop::stream_unordered) | a stream of outputs, in input order or as they finish |
#[derive(Debug, Clone)]
#[must_use = "a loop does nothing until its strategy is awaited"]
pub struct Loop<S, P = Inline, L = Bounded, C = NoOptions> {
    pub(crate) source: S,
    pub(crate) place: P,
    pub(crate) limit: L,
    pub(crate) policy: C,
    pub(crate) origin: Origin,
}

impl<S> Loop<S, Inline, LimitUnset> {
    #[cfg_attr(feature = "simulation", track_caller)]
    pub(crate) fn new(source: S) -> Self {
        Self { source, place: Inline, limit: LimitUnset, policy: NoOptions, origin: Origin::here() }
    }
}

impl<S: Stream, P, C> Loop<S, P, LimitUnset, C> {
    /// One body at a time: the next begins when the one before it has finished.
    pub fn sequential(self) -> Loop<S, P, Bounded, C> {
        self.at_most(1)
    }

    /// At most `limit` bodies at a time.
    ///
    /// Give a number, and get a `Result` to put a `?` behind (`.limit(50)?`); or give a
    /// [`NonZeroUsize`], which cannot be wrong, and get the loop itself.
    ///
    /// # Errors
    ///
    /// [`ZeroLimit`] if `limit` is 0: such a loop would never run a body.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::num::NonZeroUsize;
    ///
    /// let jobs = NonZeroUsize::MIN.saturating_add(3);
    /// let doubled = forloop::each(0..5).limit(jobs).gather(|n| async move { n * 2 }).await;
    /// assert_eq!(doubled, [0, 2, 4, 6, 8]);
    ///
    /// assert_eq!(forloop::each(0..5).limit(0).err(), Some(forloop::ZeroLimit));
    /// # });
    /// ```
    pub fn limit<L: Limit>(self, limit: L) -> L::Limited<Loop<S, P, Bounded, C>> {
        limit.apply(|limit| self.at_most(limit.get()))
    }

    /// All bodies at once, however many items there are.
    pub fn unbounded(self) -> Loop<S, P, Bounded, C> {
        self.at_most(usize::MAX)
    }

    fn at_most(self, limit: usize) -> Loop<S, P, Bounded, C> {
        let Self { source, place, policy, origin, .. } = self;
        Loop { source, place, limit: Bounded { bodies: limit }, policy, origin }
    }
}

impl<S, P, L, C> Loop<S, P, L, C> {
    /// The same loop, somewhere else.
    pub(crate) fn map_place<Q>(self, place: impl FnOnce(P) -> Q) -> Loop<S, Q, L, C> {
        let Self { source, place: before, limit, policy, origin } = self;
        Loop { source, place: place(before), limit, policy, origin }
    }

    /// The same loop under another policy.
    pub(crate) fn with<D>(self, policy: impl FnOnce(C) -> D) -> Loop<S, P, L, D> {
        let Self { source, place, limit, policy: before, origin } = self;
        Loop { source, place, limit, policy: policy(before), origin }
    }
}

/// Nothing but a panic, or a runtime that is shut down, ends a body or the loop early.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOptions;

/// It was not said yet how many bodies may run at once.
#[derive(Debug, Clone, Copy)]
pub struct LimitUnset;

/// At most so many bodies at once.
#[derive(Debug, Clone, Copy)]
pub struct Bounded {
    bodies: usize,
}

/// A loop of which it was said how many bodies may run at once.
#[diagnostic::on_unimplemented(
    message = "this loop was not told how many bodies may run at once",
    label = "needs a number before it can run",
    note = "put `.sequential()`, `.limit(n)?` or `.unbounded()` in front of it"
)]
pub trait LimitSet {
    /// How many.
    fn bodies(&self) -> usize;
}

impl LimitSet for Bounded {
    fn bodies(&self) -> usize {
        self.bodies
    }
}

/// A number of bodies: a `usize`, which may turn out to be 0, or a [`NonZeroUsize`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a limit",
    label = "how many bodies may run at once is a `usize` or a `NonZeroUsize`",
    note = "a `usize` may be 0, so it gives a `Result`: `.limit(n)?`"
)]
pub trait Limit {
    /// `T`, or a `Result` of it where the number may be 0.
    type Limited<T>;

    /// Makes a loop with this limit.
    fn apply<T>(self, make: impl FnOnce(NonZeroUsize) -> T) -> Self::Limited<T>;
}

impl Limit for usize {
    type Limited<T> = Result<T, ZeroLimit>;

    fn apply<T>(self, make: impl FnOnce(NonZeroUsize) -> T) -> Result<T, ZeroLimit> {
        NonZeroUsize::new(self).map(make).ok_or(ZeroLimit)
    }
}

impl Limit for NonZeroUsize {
    type Limited<T> = T;

    fn apply<T>(self, make: impl FnOnce(Self) -> T) -> T {
        make(self)
    }
}

/// A stream, and nothing that only resembles one.
///
/// Every [`Stream`] is one; the trait exists so that the compiler can say what to do with a
/// vector.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream",
    label = "a stream is wanted here: items that arrive in time",
    note = "to loop over a vector, an array, a range or an iterator, use `forloop::each(..)`"
)]
pub trait IsStream: Stream {}

#[diagnostic::do_not_recommend]
impl<S: Stream> IsStream for S {}

/// An iterator's items as a stream that never waits.
#[derive(Debug, Clone)]
pub struct Iter<I> {
    items: I,
}

impl<I> Iter<I> {
    pub(crate) const fn new(items: I) -> Self {
        Self { items }
    }
}

// The iterator is never pinned.
impl<I> Unpin for Iter<I> {}

impl<I: Iterator> Stream for Iter<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.items.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}
