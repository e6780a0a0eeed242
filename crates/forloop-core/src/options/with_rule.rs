//! Policies that have a say in when each item begins, or hear what becomes of it.

use alloc::boxed::Box;
use core::task::{Context, Poll};
use core::time::Duration;

use super::{AllOrNothing, ItemPolicy, Key, OutcomePolicy, Policy, RaisesPanics};
use crate::admission::AdmissionQueue;
use crate::{Event, Interrupted, Loop, Outcome, StopReason};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// The same loop, governed by `rule`, too.
    pub(crate) fn with_rule<G>(self, rule: G) -> Loop<S, P, L, WithRule<C, G>> {
        self.with(|policy| WithRule { policy, rule })
    }
}

/// A rule of when items begin, or of what is to be heard of them.
///
/// Those of this library are all there are.
#[doc(hidden)]
pub trait Rule {
    /// [`Policy::poll_begin`].
    fn poll_begin(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// [`Policy::poll_again`].
    fn poll_again(&mut self, _cx: &mut Context<'_>) -> Poll<usize> {
        Poll::Pending
    }

    /// [`Policy::is_too_late`].
    fn is_too_late(&self, _index: usize) -> bool {
        false
    }

    /// Whether an item that was held back by others is held back here as well.
    fn enter(&mut self, _index: usize) -> bool {
        true
    }

    /// [`Policy::released`].
    fn released(&mut self) -> Option<usize> {
        None
    }

    /// [`Policy::extra`].
    fn extra(&self, _index: usize) -> usize {
        0
    }

    /// [`Policy::extras`].
    fn extras(&self) -> usize {
        0
    }

    /// [`Policy::on_event`].
    fn on_event(&mut self, _event: &Event) -> Option<StopReason> {
        None
    }
}

/// A rule for items `I`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this loop cannot be run over items of type `{I}`",
    label = "an option of this loop does not fit these items",
    note = "`retry` calls a body again with a clone of its item: borrow the items (`forloop::each(&items)`) or let \
            them be `Clone`; the closures of `limit_by` and `weight_by` take the loop's items by reference"
)]
pub trait ItemRule<I>: Rule {
    /// Takes note of an item, before [`Rule::enter`].
    fn arrive(&mut self, _index: usize, _item: &I) {}

    /// [`ItemPolicy::keep`].
    fn keep(&self, _item: &I) -> Option<I> {
        None
    }
}

/// A rule for bodies that return an `R`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an option of this loop does not fit bodies that return `{R}`",
    label = "an option needs bodies that return something else",
    note = "`retry` calls a body again that has failed: let it return a `Result`, of the error that `Retry::when` is \
            told; the closure of `stop_on_output` is shown what the body returns"
)]
pub trait OutcomeRule<R>: Rule {
    /// [`OutcomePolicy::again`].
    fn again(&mut self, _index: usize, _attempt: u32, _outcome: &Outcome<R>) -> Option<Duration> {
        None
    }

    /// [`OutcomePolicy::is_error`].
    fn is_error(&self, _returned: &R) -> bool {
        false
    }

    /// [`OutcomePolicy::on_outcome`].
    fn on_outcome(&mut self, _index: usize, _outcome: &Outcome<R>) -> Option<StopReason> {
        None
    }
}

/// A policy under which items are governed by the rule `G`, too.
#[derive(Debug, Clone)]
pub struct WithRule<C, G> {
    policy: C,
    rule: G,
}

#[diagnostic::do_not_recommend]
impl<C: AllOrNothing, G: Rule> AllOrNothing for WithRule<C, G> {}
#[diagnostic::do_not_recommend]
impl<C: RaisesPanics, G: Rule> RaisesPanics for WithRule<C, G> {}

impl<I, C: ItemPolicy<I>, G: ItemRule<C::Item>> ItemPolicy<I> for WithRule<C, G> {
    type Item = C::Item;

    fn admit(&mut self, given: I) -> Option<C::Item> {
        self.policy.admit(given)
    }

    fn arrive(&mut self, index: usize, item: &C::Item) -> bool {
        self.rule.arrive(index, item);
        self.policy.arrive(index, item) && self.rule.enter(index)
    }

    fn keep(&self, item: &C::Item) -> Option<C::Item> {
        self.policy.keep(item).or_else(|| self.rule.keep(item))
    }
}

impl<R, C: OutcomePolicy<R>, G: OutcomeRule<R>> OutcomePolicy<R> for WithRule<C, G> {
    fn again(&mut self, index: usize, attempt: u32, outcome: &Outcome<R>) -> Option<Duration> {
        self.policy
            .again(index, attempt, outcome)
            .or_else(|| self.rule.again(index, attempt, outcome))
    }

    fn is_error(&self, returned: &R) -> bool {
        self.policy.is_error(returned) || self.rule.is_error(returned)
    }

    fn on_outcome(&mut self, index: usize, outcome: &Outcome<R>) -> Option<StopReason> {
        let cause = self.policy.on_outcome(index, outcome);
        self.rule.on_outcome(index, outcome).or(cause)
    }
}

impl<C: Policy, G: Rule> Policy for WithRule<C, G> {
    type SourceError = C::SourceError;
    type Each<T> = C::Each<T>;
    type Gives<X, Y> = C::Gives<X, Y>;
    type AdmissionQueue<I, R> = Box<AdmissionQueue<I, R>>;

    const CATCHES_PANICS: bool = C::CATCHES_PANICS;
    const HAS_SIGNALS: bool = true;
    const HAS_RULES: bool = true;

    fn each<T>(outcome: Outcome<T>) -> Result<C::Each<T>, Outcome<T>> {
        C::each(outcome)
    }

    fn outcome<T>(each: C::Each<T>) -> Outcome<T> {
        C::outcome(each)
    }

    forward_cuts!();

    fn begun(&mut self, body: Key, alive: impl Fn(Key) -> bool) {
        self.policy.begun(body, alive);
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>, alive: impl Fn(Key) -> bool) -> Poll<Key> {
        self.policy.poll_overdue(cx, alive)
    }

    fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.policy.poll_begin(cx) {
            Poll::Ready(()) => self.rule.poll_begin(cx),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_again(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        match self.policy.poll_again(cx) {
            Poll::Ready(index) => Poll::Ready(index),
            Poll::Pending => self.rule.poll_again(cx),
        }
    }

    fn is_too_late(&self, index: usize) -> bool {
        self.policy.is_too_late(index) || self.rule.is_too_late(index)
    }

    fn released(&mut self) -> Option<usize> {
        while let Some(index) = self.policy.released() {
            if self.rule.enter(index) {
                return Some(index);
            }
        }
        self.rule.released()
    }

    fn extra(&self, index: usize) -> usize {
        self.policy.extra(index).saturating_add(self.rule.extra(index))
    }

    fn extras(&self) -> usize {
        self.policy.extras().saturating_add(self.rule.extras())
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        let cause = self.policy.on_event(event);
        self.rule.on_event(event).or(cause)
    }
}
