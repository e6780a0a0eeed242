//! The loop as a value: its items, its limit, its place and its options. No behaviour.

use core::num::NonZeroUsize;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use crate::place::Inline;
use crate::simulation::Origin;
use crate::{LocalTimer, ZeroLimit};

/// A loop: its items, its limit, where its bodies run, and its options.
///
/// These are set first, in any order:
///
/// - the limit, by [`sequential`](Loop::sequential), [`limit`](Loop::limit) or
///   [`unbounded`](Loop::unbounded): there is no default;
/// - where the bodies run, by [`on`](Loop::on) and its relatives. By default they run in the caller's
///   task, where they may borrow and need not be `Send`;
/// - options, each of which is set before the strategy; [`Policy`](crate::options::Policy) says what a strategy returns with them.
///
/// | options | set |
/// |---|---|
/// | [`limit_by`](Loop::limit_by), [`limit_by_ref`](Loop::limit_by_ref), [`shared_limit`](Loop::shared_limit), [`weight_by`](Loop::weight_by) | limits per key, limits that loops share, items that take several permits |
/// | [`rate`](Loop::rate), [`stagger`](Loop::stagger) | when bodies may start |
/// | [`timeout`](Loop::timeout), [`deadline`](Loop::deadline) | how long a body may take, and the loop |
/// | [`retry`](Loop::retry) | which failures are retried, and when |
/// | [`cancel_on`](Loop::cancel_on), [`drain_on`](Loop::drain_on) | signals that stop the loop, or let it complete what runs |
/// | [`stop_on_counts`](Loop::stop_on_counts), [`stop_on_output`](Loop::stop_on_output) | conditions that stop the loop |
/// | [`catch_panics`](Loop::catch_panics) | that a panic is an outcome |
/// | [`on_failure`](Loop::on_failure), [`observe`](Loop::observe) | what receives each failure, and each event |
/// | [`chunks`](Loop::chunks), [`within`](Loop::within) | items in chunks, directly after [`each`](crate::each()) |
/// | [`layer`](Loop::layer), [`timer`](Loop::timer) | a wrapper around each body; the clock of the options after it |
///
/// A strategy comes last. It takes the body, a closure that is called with each item and returns a
/// future, and decides what the loop returns.
///
/// | strategy | returns |
/// |---|---|
/// | [`gather`](Loop::gather) | every output, in input order |
/// | [`try_gather`](Loop::try_gather) | every value, in input order; stops at the first failure |
/// | [`settle`](Loop::settle) | every outcome, success or failure, in input order |
/// | [`collect`](Loop::collect), [`try_collect`](Loop::try_collect) | any collection of the outputs, in input order |
/// | [`extend`](Loop::extend) | nothing: adds the outputs to a collection, in completion order |
/// | [`fold`](Loop::fold), [`try_fold`](Loop::try_fold) | one value made of all outputs, in completion order |
/// | [`filter_map`](Loop::filter_map), [`try_filter_map`](Loop::try_filter_map) | the outputs that are `Some`, in input order |
/// | [`for_each`](Loop::for_each), [`try_for_each`](Loop::try_for_each) | nothing; the second stops at the first failure |
/// | [`race`](Loop::race), [`race_ok`](Loop::race_ok) | the earliest output, or the earliest value; cancels the other bodies |
/// | [`first_ok`](Loop::first_ok) | the earliest `n` values; cancels the other bodies |
/// | [`as_completed`](Loop::as_completed) | a stream of index and output, in completion order |
/// | [`stream`](Loop::stream), [`stream_unordered`](Loop::stream_unordered) | a stream of outputs, in input order or in completion order |
///
/// # Stack
///
/// A body is made where it stays. Where the compiler does not optimise, the stack has at most two copies of a body in the
/// caller's task, and at most six at any other place.
///
/// A loop in the body of another is polled by it, on the same stack, and so is a [`scope`](crate::scope). A level of
/// nesting needs 0.6 to 1.5 KiB of the stack in a release build, and 6 to 8 KiB in a debug build. Of the 2 MiB that a
/// thread has by default, a thousand levels fit, or two hundred. Where items lead to items without such a bound, a
/// [`Group`](crate::Group) whose children spawn their own needs no stack for depth, nor do bodies that are tasks, by
/// [`on`](Loop::on).
#[derive(Debug, Clone)]
#[must_use = "a loop does nothing until its strategy is awaited"]
pub struct Loop<S, P = Inline, L = Bounded, C = NoOptions, M = TimerUnset> {
    pub(crate) source: S,
    pub(crate) place: P,
    pub(crate) limit: L,
    pub(crate) policy: C,
    pub(crate) timer: M,
    pub(crate) origin: Origin,
}

impl<S> Loop<S, Inline, LimitUnset> {
    #[cfg_attr(feature = "simulation", track_caller)]
    pub(crate) fn new(source: S) -> Self {
        let (place, limit, policy, timer) = (Inline, LimitUnset, NoOptions, TimerUnset);
        Self { source, place, limit, policy, timer, origin: Origin::here() }
    }
}

impl<S: Stream, P, C, M> Loop<S, P, LimitUnset, C, M> {
    /// Runs one body at a time: the next starts when the one before it has completed.
    pub fn sequential(self) -> Loop<S, P, Bounded, C, M> {
        self.at_most(1)
    }

    /// Runs at most `limit` bodies at a time.
    ///
    /// With a `usize` this returns a `Result` (`.limit(50)?`), because zero is an error before anything
    /// runs. With a constant (`.limit(Const::<50>)`, see [`Const`]) or a [`NonZeroUsize`], which cannot be zero, it
    /// returns the loop itself.
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
    #[doc(alias = "buffer_unordered")]
    #[doc(alias = "Semaphore")]
    #[doc(alias = "p-limit")]
    #[doc(alias = "concurrency")]
    pub fn limit<L: Limit>(self, limit: L) -> L::Limited<Loop<S, P, Bounded, C, M>> {
        limit.apply(|limit| self.at_most(limit.get()))
    }

    /// Runs all bodies at once, for any number of items.
    pub fn unbounded(self) -> Loop<S, P, Bounded, C, M> {
        self.at_most(usize::MAX)
    }

    fn at_most(self, limit: usize) -> Loop<S, P, Bounded, C, M> {
        let Self { source, place, policy, timer, origin, .. } = self;
        Loop { source, place, limit: Bounded { bodies: limit }, policy, timer, origin }
    }
}

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// Sets the clock of the options that follow: [`timeout`](Self::timeout), [`deadline`](Self::deadline),
    /// [`retry`](Self::retry), [`rate`](Self::rate), [`stagger`](Self::stagger) and [`observe`](Self::observe).
    ///
    /// `timer` is a runtime, or any other [`Timer`](crate::Timer). Each option keeps a clone of it. A loop of the crate
    /// `forloop` needs this only for another clock than the one around it. A loop of `forloop-core` has no clock before
    /// this is called, and an option that needs one does not compile.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::time::Duration;
    ///
    /// async fn lengths(clock: &(impl forloop::Timer + Clone + 'static), urls: Vec<String>) {
    ///     let looping = forloop::each(urls).unbounded().timer(clock);
    ///     let lengths = looping
    ///         .timeout(Duration::from_secs(2))
    ///         .observe(|at, event: &forloop::Event| println!("{at:?}: {event:?}"))
    ///         .settle(async |url| Ok::<_, String>(url.len()))
    ///         .await;
    ///     println!("{} of {} failed", lengths.errors().count(), lengths.len());
    /// }
    /// ```
    pub fn timer<R>(self, timer: &R) -> Loop<S, P, L, C, WithTimer<R>>
    where
        R: LocalTimer + Clone + 'static,
    {
        self.with_timer(WithTimer(timer.clone()))
    }

    /// Returns the same loop with another source of clocks.
    #[doc(hidden)]
    pub fn with_timer<R>(self, timer: R) -> Loop<S, P, L, C, R> {
        let Self { source, place, limit, policy, timer: _, origin } = self;
        Loop { source, place, limit, policy, timer, origin }
    }

    /// Returns the same loop over another source.
    pub(crate) fn map_source<Q>(self, source: impl FnOnce(S) -> Q) -> Loop<Q, P, L, C, M> {
        let Self { source: before, place, limit, policy, timer, origin } = self;
        Loop { source: source(before), place, limit, policy, timer, origin }
    }

    /// Returns the same loop at another place.
    pub(crate) fn map_place<Q>(self, place: impl FnOnce(P) -> Q) -> Loop<S, Q, L, C, M> {
        let Self { source, place: before, limit, policy, timer, origin } = self;
        Loop { source, place: place(before), limit, policy, timer, origin }
    }

    /// Returns the same loop under another policy.
    pub(crate) fn with<D>(self, policy: impl FnOnce(C) -> D) -> Loop<S, P, L, D, M> {
        let Self { source, place, limit, policy: before, timer, origin } = self;
        Loop { source, place, limit, policy: policy(before), timer, origin }
    }
}

/// The policy of a loop without options: only a panic, or a runtime that is shut down, ends it early.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOptions;

/// The limit of the loop is not set yet.
#[derive(Debug, Clone, Copy)]
pub struct LimitUnset;

/// The limit of the loop is set; [`unbounded`](Loop::unbounded) is a limit, too.
#[derive(Debug, Clone, Copy)]
pub struct Bounded {
    bodies: usize,
}

/// The limit of a loop, once it is set.
///
/// Whether the limit is set is part of the loop's type. A loop without a limit has no strategy, and so
/// does not compile.
#[diagnostic::on_unimplemented(
    message = "the limit of this loop is not set",
    label = "this strategy needs a loop with a limit",
    note = "call `.sequential()`, `.limit(n)?` or `.unbounded()` before the strategy"
)]
pub trait LimitSet {
    /// How many bodies may run at once.
    fn bodies(&self) -> usize;
}

impl LimitSet for Bounded {
    fn bodies(&self) -> usize {
        self.bodies
    }
}

/// The clock of the loop is not set.
#[derive(Debug, Clone, Copy)]
pub struct TimerUnset;

/// The clock of the loop is set to this one.
#[derive(Debug, Clone, Copy)]
pub struct WithTimer<R>(pub(crate) R);

/// Where a loop's options, a group and a [`wait`](crate::wait()) have their clock from.
///
/// [`WithTimer`] is the clock that [`timer`](Loop::timer) sets. `forloop::Ambient` finds the one around the loop.
#[diagnostic::on_unimplemented(
    message = "no timer is set here",
    label = "this needs a timer",
    note = "call `.timer(&runtime)` before it, with a runtime or a clock that implements `Timer`",
    note = "what begins with the crate `forloop` finds its timer, if one of its features `smol`, `tokio`, `async-std`, \
            `timer` and `sim` is enabled"
)]
pub trait TimerSet {
    /// The clock.
    type Timer: LocalTimer + Clone + 'static;

    /// Returns the clock, for one option.
    fn timer(&self) -> Self::Timer;
}

impl<R: LocalTimer + Clone + 'static> TimerSet for WithTimer<R> {
    type Timer = R;

    fn timer(&self) -> R {
        self.0.clone()
    }
}

/// A limit: a `usize`, which may be 0, or a [`Const`] or [`NonZeroUsize`], which may not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a limit",
    label = "expected `usize`, `Const` or `NonZeroUsize`",
    note = "convert the number to `usize`; `.limit(n)?` returns an error if it is 0"
)]
pub trait Limit {
    /// `T`, or a `Result` of it if the limit may be 0.
    type Limited<T>;

    /// Calls `make` with the limit, unless it is 0.
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

/// A limit that is a constant: `.limit(Const::<50>)` returns the loop, not a `Result`.
///
/// So a body or a function that returns no `Result` needs neither `?` nor `unwrap`. It is a limit wherever a number is
/// one: in [`limit`](Loop::limit), [`limit_by`](Loop::limit_by), [`chunks`](Loop::chunks) and
/// [`SharedLimit::new`](crate::SharedLimit::new).
///
/// `Const::<0>` does not compile: `cargo build` and `cargo test` report it where it is used as a limit, `cargo check`
/// does not.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use forloop::Const;
///
/// let sums = forloop::each(1..=6)
///     .chunks(Const::<2>)
///     .limit(Const::<50>)
///     .gather(async |chunk: Vec<u32>| chunk.iter().sum::<u32>())
///     .await;
/// assert_eq!(sums, [3, 7, 11]);
/// # });
/// ```
///
/// ```compile_fail,E0080
/// # use forloop_core as forloop;
/// let looping = forloop::each(1..=6).limit(forloop::Const::<0>);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Const<const N: usize>;

impl<const N: usize> Const<N> {
    const LIMIT: NonZeroUsize =
        NonZeroUsize::new(N).expect("a loop with a limit of 0 would never run a body");
}

impl<const N: usize> Limit for Const<N> {
    type Limited<T> = T;

    fn apply<T>(self, make: impl FnOnce(NonZeroUsize) -> T) -> T {
        make(Self::LIMIT)
    }
}

/// A [`Stream`].
///
/// Every stream implements it; the trait exists for the compiler's diagnostics.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream",
    label = "expected a `Stream`",
    note = "to loop over a vector, an array, a range or an iterator, use `forloop::each(..)`",
    note = "a receiver of tokio's is not a stream: wrap it in `ReceiverStream` of the crate tokio-stream, or use \
            `futures_lite::stream::poll_fn(|cx| receiver.poll_recv(cx))`"
)]
pub trait IsStream: Stream {}

#[diagnostic::do_not_recommend]
impl<S: Stream> IsStream for S {}

/// What a `for` loop takes: a collection, an array, a range, an iterator.
///
/// Every [`IntoIterator`] implements it; the trait exists for the compiler's diagnostics.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an iterator",
    label = "expected what a `for` loop takes: a collection, a range, an iterator",
    note = "to loop over a `Stream`, use `forloop::each_stream(..)`",
    note = "to loop over the items of a channel, make its receiver a stream"
)]
pub trait IsIterator {
    /// What the iterator yields.
    type Item;

    /// The iterator.
    type Iter: Iterator<Item = Self::Item>;

    /// Returns the iterator.
    fn iterate(self) -> Self::Iter;
}

// The second bound follows from the first. Without it, the compiler would report `IntoIterator` and not this trait.
#[diagnostic::do_not_recommend]
impl<I: IntoIterator<IntoIter: Iterator>> IsIterator for I {
    type Item = I::Item;
    type Iter = I::IntoIter;

    fn iterate(self) -> I::IntoIter {
        self.into_iter()
    }
}

/// The items of an iterator, as a stream that is always ready.
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
