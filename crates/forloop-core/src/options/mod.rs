//! What may keep a loop from its end, or a body from its own, and what a strategy gives then.
//!
//! A loop's policy is a type, so that a loop which nothing can cut short gives plain results and
//! pays for no check. Options wrap the policy that was there: a loop may have several of each kind.

#[macro_use]
mod forward;

mod alarm;
mod cancel_on;
mod catch_panics;
mod deadline;
mod drain_on;
mod event;
mod fallible;
mod limit_by;
mod observe;
#[cfg(feature = "rate")]
mod rate;
#[cfg(feature = "retry")]
mod retry;
mod stagger;
mod stop_on_counts;
mod stop_on_output;
mod timeout;
mod weight_by;
mod with_rule;

pub use self::cancel_on::CancelOn;
pub use self::catch_panics::CatchPanics;
pub use self::deadline::Deadline;
pub use self::drain_on::DrainOn;
pub use self::event::Event;
pub use self::fallible::{Fallible, IsResult};
pub use self::limit_by::LimitBy;
pub use self::observe::{Observed, Observer};
#[cfg(feature = "rate")]
pub use self::rate::{InvalidRate, Rate, Rated};
#[cfg(feature = "retry")]
pub use self::retry::{AnyError, Retry, RetryIf, Retrying};
pub use self::stagger::Stagger;
pub use self::stop_on_counts::{Counts, StopOnCounts};
pub use self::stop_on_output::StopOnOutput;
pub use self::timeout::Timeout;
pub use self::weight_by::WeightBy;
pub use self::with_rule::{ItemRule, OutcomeRule, Rule, WithRule};

use core::convert::Infallible;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::admission::{MaybeQueue, NoQueue};
use crate::engine::Key;
use crate::looping::NoOptions;
use crate::{Interrupted, Outcome, StopReason};

/// What may keep a loop or its bodies from their ends, and how its results say so.
///
/// The options of a loop make it; [`NoOptions`] is a loop without any.
///
/// | option | what stands for a body's output `T` ([`Each`](Self::Each)) | what stands for the loop's result `X` ([`Gives`](Self::Gives)) |
/// |---|---|---|
/// | none | `T` | `X` |
/// | [`timeout`](crate::Loop::timeout), [`catch_panics`](crate::Loop::catch_panics) | [`Outcome<T>`](Outcome) | as before |
/// | [`deadline`](crate::Loop::deadline), [`cancel_on`](crate::Loop::cancel_on), [`drain_on`](crate::Loop::drain_on), [`stop_on_counts`](crate::Loop::stop_on_counts), [`stop_on_output`](crate::Loop::stop_on_output), [`try_each`] | as before | [`Result<X, Interrupted>`](Interrupted) |
/// | [`retry`](crate::Loop::retry), [`rate`](crate::Loop::rate), [`stagger`](crate::Loop::stagger), [`limit_by`](crate::Loop::limit_by), [`weight_by`](crate::Loop::weight_by), [`observe`](crate::Loop::observe) | as before | as before |
pub trait Policy {
    /// What the source gives when it fails; never made where it cannot.
    type SourceError;

    /// What a strategy gives for a body's output.
    type Each<T>;

    /// What a strategy gives for its result `X`, where `Y` is what was ready when it was cut short.
    type Gives<X, Y>;

    /// Where items `I` wait that have been pulled and do not run, where their bodies return an `R`.
    #[doc(hidden)]
    type AdmissionQueue<I, R>: MaybeQueue<I, R>;

    /// Whether a body's panic is its outcome.
    const CATCHES_PANICS: bool = false;

    /// Whether it has a say in when each item begins, or hears of it.
    #[doc(hidden)]
    const HAS_RULES: bool = false;

    /// Whether there is anything to look out for, besides the bodies.
    const HAS_SIGNALS: bool = false;

    /// Makes what is given for one body; or returns the outcome of one that has nothing to give.
    ///
    /// # Errors
    ///
    /// The outcome, if it has no place in [`Each`](Self::Each).
    fn each<T>(outcome: Outcome<T>) -> Result<Self::Each<T>, Outcome<T>>;

    /// Makes an outcome again of what [`each`](Self::each) has made of one.
    fn outcome<T>(each: Self::Each<T>) -> Outcome<T>;

    /// Makes what the strategy gives.
    fn gives<X, Y>(result: Result<X, Interrupted<Y, Self::SourceError>>) -> Self::Gives<X, Y>;

    /// Takes the error that the source gave.
    fn source_error(&mut self) -> Option<Self::SourceError>;

    /// Polls for the moment at which the loop is cut short. `again` if a glance will do, because it
    /// is polled once more before the loop sleeps.
    fn poll_interrupt(&mut self, _cx: &mut Context<'_>, _again: bool) -> Poll<StopReason> {
        Poll::Pending
    }

    /// Takes note of a body that has begun. `alive` tells which of those that had begun still run.
    fn begun(&mut self, _body: Key, _alive: impl Fn(Key) -> bool) {}

    /// Polls for the next body that has no time left.
    fn poll_overdue(&mut self, _cx: &mut Context<'_>, _alive: impl Fn(Key) -> bool) -> Poll<Key> {
        Poll::Pending
    }

    /// Polls for the moment at which a body may begin, as many as run.
    #[doc(hidden)]
    fn poll_begin(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Polls for the next item whose body is called again.
    #[doc(hidden)]
    fn poll_again(&mut self, _cx: &mut Context<'_>) -> Poll<usize> {
        Poll::Pending
    }

    /// Whether it is too late for another attempt at this item, which was to have one.
    #[doc(hidden)]
    fn is_too_late(&self, _index: usize) -> bool {
        false
    }

    /// The next item that was held back and is not any more.
    #[doc(hidden)]
    fn released(&mut self) -> Option<usize> {
        None
    }

    /// How many places this item's body takes besides one.
    #[doc(hidden)]
    fn extra(&self, _index: usize) -> usize {
        0
    }

    /// How many places those that run take besides one each.
    #[doc(hidden)]
    fn extras(&self) -> usize {
        0
    }

    /// Hears what has happened, and may want the loop to be cut short.
    #[doc(hidden)]
    fn on_event(&mut self, _event: &Event) -> Option<StopReason> {
        None
    }
}

/// How a loop takes what its source gives, an `I`.
#[diagnostic::on_unimplemented(
    message = "this loop cannot be run over items of type `{I}`",
    label = "items begun with `try_each` are `Result`s",
    note = "begin the loop with `forloop::each(..)` if what comes is the item itself"
)]
pub trait ItemPolicy<I>: Policy {
    /// What the body gets.
    type Item;

    /// Unwraps an item. `None` if the source gave an error instead, which is kept.
    fn admit(&mut self, given: I) -> Option<Self::Item>;

    /// Unwraps an item where that needs no policy, and bodies may begin without its knowledge. `None` if
    /// they may not.
    fn admit_any() -> Option<fn(I) -> Self::Item> {
        None
    }

    /// Takes note of an item; `false` if it is held back, until it is [released](Policy::released).
    #[doc(hidden)]
    fn arrive(&mut self, _index: usize, _item: &Self::Item) -> bool {
        true
    }

    /// What is needed of an item to call its body again, if that may be.
    #[doc(hidden)]
    fn keep(&self, _item: &Self::Item) -> Option<Self::Item> {
        None
    }
}

/// How a loop takes what its bodies return, an `R`.
#[diagnostic::on_unimplemented(
    message = "this loop is for bodies that may fail, and this one returns no `Result`",
    label = "needs bodies that return a `Result`",
    note = "`retry` calls a body again that has failed: let it return a `Result`"
)]
pub trait OutcomePolicy<R>: Policy {
    /// Whether the body is called again after this outcome of its `attempt`, and how long after.
    #[doc(hidden)]
    fn again(&mut self, _index: usize, _attempt: u32, _outcome: &Outcome<R>) -> Option<Duration> {
        None
    }

    /// Whether what the body has returned is an error, if that can be known here.
    #[doc(hidden)]
    fn is_error(&self, _returned: &R) -> bool {
        false
    }

    /// Looks at the outcome of an item that is done with, and may want the loop to be cut short.
    #[doc(hidden)]
    fn on_outcome(&mut self, _index: usize, _outcome: &Outcome<R>) -> Option<StopReason> {
        None
    }
}

/// A policy under which a body that ends without an output ends the loop, too.
#[diagnostic::on_unimplemented(
    message = "this strategy has no place for a body that timed out or whose panic was caught",
    label = "each item of this loop has an outcome",
    note = "`settle` gives every outcome, `as_completed(..).for_each(..)` each as it comes, and \
            `try_for_each` stops at the first body without time"
)]
pub trait AllOrNothing: Policy {}

/// A policy under which a body's panic goes on in the caller.
#[diagnostic::on_unimplemented(
    message = "this strategy has no place for a panic that was caught",
    label = "this loop catches panics",
    note = "leave out `catch_panics()`, under which `settle`, `gather` and the streams give outcomes"
)]
pub trait RaisesPanics: Policy {}

#[diagnostic::do_not_recommend]
impl AllOrNothing for NoOptions {}
#[diagnostic::do_not_recommend]
impl RaisesPanics for NoOptions {}

impl<R> OutcomePolicy<R> for NoOptions {}

impl<I> ItemPolicy<I> for NoOptions {
    type Item = I;

    fn admit(&mut self, given: I) -> Option<I> {
        Some(given)
    }

    fn admit_any() -> Option<fn(I) -> I> {
        Some(core::convert::identity)
    }
}

impl Policy for NoOptions {
    type SourceError = Infallible;
    type Each<T> = T;
    type Gives<X, Y> = X;
    type AdmissionQueue<I, R> = NoQueue;

    fn each<T>(outcome: Outcome<T>) -> Result<T, Outcome<T>> {
        match outcome {
            Outcome::Ok(output) => Ok(output),
            other => Err(other),
        }
    }

    fn outcome<T>(each: T) -> Outcome<T> {
        Outcome::Ok(each)
    }

    fn gives<X, Y>(result: Result<X, Interrupted<Y>>) -> X {
        match result {
            Ok(given) => given,
            // Nothing else cuts this loop short, and it has no error to return.
            Err(Interrupted { pending, .. }) => panic!(
                "the runtime was shut down while a loop ran on it: body {} did not finish",
                pending.first().copied().unwrap_or_default(),
            ),
        }
    }

    fn source_error(&mut self) -> Option<Infallible> {
        None
    }
}

/// Something that cuts a loop short.
pub trait Interrupt {
    /// Whether bodies that run then go on, so that the loop must know of each that begins.
    #[doc(hidden)]
    const DRAINS: bool = false;

    /// Polls for the moment at which it does; `again` if a glance will do.
    fn poll_interrupt(&mut self, cx: &mut Context<'_>, again: bool) -> Poll<StopReason>;
}

/// A policy under which the loop may be cut short by `W`, too.
#[derive(Debug, Clone)]
pub struct WithInterrupt<C, W> {
    policy: C,
    interrupt: W,
}

impl<C, W> WithInterrupt<C, W> {
    pub(crate) fn new(policy: C, interrupt: W) -> Self {
        Self { policy, interrupt }
    }
}

#[diagnostic::do_not_recommend]
impl<C: AllOrNothing, W: Interrupt> AllOrNothing for WithInterrupt<C, W> {}
#[diagnostic::do_not_recommend]
impl<C: RaisesPanics, W: Interrupt> RaisesPanics for WithInterrupt<C, W> {}

#[diagnostic::do_not_recommend]
impl<I, C: ItemPolicy<I>, W: Interrupt> ItemPolicy<I> for WithInterrupt<C, W> {
    type Item = C::Item;

    fn admit(&mut self, given: I) -> Option<C::Item> {
        self.policy.admit(given)
    }

    fn admit_any() -> Option<fn(I) -> C::Item> {
        if W::DRAINS { None } else { C::admit_any() }
    }

    forward_items!();
}

#[diagnostic::do_not_recommend]
impl<R, C: OutcomePolicy<R>, W: Interrupt> OutcomePolicy<R> for WithInterrupt<C, W> {
    forward_review!(R);
}

impl<C: Policy, W: Interrupt> Policy for WithInterrupt<C, W> {
    type SourceError = C::SourceError;
    type Each<T> = C::Each<T>;
    type Gives<X, Y> = Result<X, Interrupted<Y, C::SourceError>>;
    type AdmissionQueue<I, R> = C::AdmissionQueue<I, R>;

    const CATCHES_PANICS: bool = C::CATCHES_PANICS;
    const HAS_SIGNALS: bool = true;
    const HAS_RULES: bool = C::HAS_RULES;

    fn each<T>(outcome: Outcome<T>) -> Result<C::Each<T>, Outcome<T>> {
        C::each(outcome)
    }

    fn outcome<T>(each: C::Each<T>) -> Outcome<T> {
        C::outcome(each)
    }

    fn gives<X, Y>(result: Result<X, Interrupted<Y, C::SourceError>>) -> Self::Gives<X, Y> {
        result
    }

    fn source_error(&mut self) -> Option<C::SourceError> {
        self.policy.source_error()
    }

    fn poll_interrupt(&mut self, cx: &mut Context<'_>, again: bool) -> Poll<StopReason> {
        // Said first decides of two at the same time.
        match self.policy.poll_interrupt(cx, again) {
            Poll::Ready(cause) => Poll::Ready(cause),
            Poll::Pending => self.interrupt.poll_interrupt(cx, again),
        }
    }

    fn begun(&mut self, body: Key, alive: impl Fn(Key) -> bool) {
        self.policy.begun(body, alive);
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>, alive: impl Fn(Key) -> bool) -> Poll<Key> {
        self.policy.poll_overdue(cx, alive)
    }

    forward_govern!();
}

/// What makes an outcome of the end of a body that has not returned.
pub trait OutcomeOption {
    /// Whether a panic is one.
    const CATCHES_PANICS: bool = false;

    /// Whether there is anything to look out for, besides the bodies.
    const HAS_SIGNALS: bool = false;

    /// Takes note of a body that has begun.
    fn begun(&mut self, _body: Key, _alive: impl Fn(Key) -> bool) {}

    /// Polls for the next body that has no time left.
    fn poll_overdue(&mut self, _cx: &mut Context<'_>, _alive: impl Fn(Key) -> bool) -> Poll<Key> {
        Poll::Pending
    }
}

/// A policy under which each item has an outcome: `M` says which ends are one.
#[derive(Debug, Clone)]
pub struct WithOutcomes<C, M> {
    policy: C,
    ends: M,
}

impl<C, M> WithOutcomes<C, M> {
    pub(crate) fn new(policy: C, ends: M) -> Self {
        Self { policy, ends }
    }
}

#[diagnostic::do_not_recommend]
impl<I, C: ItemPolicy<I>, M: OutcomeOption> ItemPolicy<I> for WithOutcomes<C, M> {
    type Item = C::Item;

    fn admit(&mut self, given: I) -> Option<C::Item> {
        self.policy.admit(given)
    }

    fn admit_any() -> Option<fn(I) -> C::Item> {
        if M::HAS_SIGNALS { None } else { C::admit_any() }
    }

    forward_items!();
}

#[diagnostic::do_not_recommend]
impl<R, C: OutcomePolicy<R>, M: OutcomeOption> OutcomePolicy<R> for WithOutcomes<C, M> {
    forward_review!(R);
}

impl<C: Policy, M: OutcomeOption> Policy for WithOutcomes<C, M> {
    type SourceError = C::SourceError;
    type Each<T> = Outcome<T>;
    type Gives<X, Y> = C::Gives<X, Y>;
    type AdmissionQueue<I, R> = C::AdmissionQueue<I, R>;

    const CATCHES_PANICS: bool = C::CATCHES_PANICS || M::CATCHES_PANICS;
    const HAS_SIGNALS: bool = C::HAS_SIGNALS || M::HAS_SIGNALS;
    const HAS_RULES: bool = C::HAS_RULES;

    fn each<T>(outcome: Outcome<T>) -> Result<Outcome<T>, Outcome<T>> {
        match outcome {
            // Their loop has been cut short, and says so itself.
            Outcome::Cancelled | Outcome::NotRun => Err(outcome),
            _ => Ok(outcome),
        }
    }

    fn outcome<T>(each: Outcome<T>) -> Outcome<T> {
        each
    }

    forward_cuts!();

    fn begun(&mut self, body: Key, alive: impl Fn(Key) -> bool) {
        self.policy.begun(body, &alive);
        self.ends.begun(body, alive);
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>, alive: impl Fn(Key) -> bool) -> Poll<Key> {
        match self.policy.poll_overdue(cx, &alive) {
            Poll::Ready(body) => Poll::Ready(body),
            Poll::Pending => self.ends.poll_overdue(cx, alive),
        }
    }

    forward_govern!();
}
