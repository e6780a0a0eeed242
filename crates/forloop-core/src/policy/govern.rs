//! Policies that have a say in when each item begins, or hear what becomes of it.

use alloc::boxed::Box;
use core::task::{Context, Poll};
use core::time::Duration;

use super::{Admit, AllOrNothing, Policy, RaisesPanics, Review, Ticket};
use crate::lobby::Lobby;
use crate::{Cause, Event, Interrupted, Loop, Outcome};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// The same loop, governed by `rule`, too.
    pub(crate) fn governed<G>(self, rule: G) -> Loop<S, P, L, Governed<C, G>> {
        self.with(|policy| Governed { policy, rule })
    }
}

/// A rule of when items begin, or of what is to be heard of them.
///
/// Those of this library are all there are.
#[doc(hidden)]
pub trait Govern {
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

    /// [`Policy::hear`].
    fn hear(&mut self, _event: &Event) -> Option<Cause> {
        None
    }
}

/// A rule for items `I`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this loop cannot be run over items of type `{I}`",
    label = "an option of this loop does not fit these items",
    note = "`retry` calls a body again with a clone of its item: borrow the items (`forloop::each(&items)`) or let \
            them be `Clone`; the closures of `limit_by` and `weigh` take the loop's items by reference"
)]
pub trait GovernItems<I>: Govern {
    /// Takes note of an item, before [`Govern::enter`].
    fn arrive(&mut self, _index: usize, _item: &I) {}

    /// [`Admit::keep`].
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
            told; the closure of `stop_if` is shown what the body returns"
)]
pub trait GovernReturns<R>: Govern {
    /// [`Review::again`].
    fn again(&mut self, _index: usize, _attempt: u32, _outcome: &Outcome<R>) -> Option<Duration> {
        None
    }

    /// [`Review::is_error`].
    fn is_error(&self, _returned: &R) -> bool {
        false
    }

    /// [`Review::judge`].
    fn judge(&mut self, _index: usize, _outcome: &Outcome<R>) -> Option<Cause> {
        None
    }
}

/// A policy under which items are governed by the rule `G`, too.
#[derive(Debug, Clone)]
pub struct Governed<C, G> {
    policy: C,
    rule: G,
}

#[diagnostic::do_not_recommend]
impl<C: AllOrNothing, G: Govern> AllOrNothing for Governed<C, G> {}
#[diagnostic::do_not_recommend]
impl<C: RaisesPanics, G: Govern> RaisesPanics for Governed<C, G> {}

impl<I, C: Admit<I>, G: GovernItems<C::Item>> Admit<I> for Governed<C, G> {
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

impl<R, C: Review<R>, G: GovernReturns<R>> Review<R> for Governed<C, G> {
    fn again(&mut self, index: usize, attempt: u32, outcome: &Outcome<R>) -> Option<Duration> {
        self.policy
            .again(index, attempt, outcome)
            .or_else(|| self.rule.again(index, attempt, outcome))
    }

    fn is_error(&self, returned: &R) -> bool {
        self.policy.is_error(returned) || self.rule.is_error(returned)
    }

    fn judge(&mut self, index: usize, outcome: &Outcome<R>) -> Option<Cause> {
        let cause = self.policy.judge(index, outcome);
        self.rule.judge(index, outcome).or(cause)
    }
}

impl<C: Policy, G: Govern> Policy for Governed<C, G> {
    type SourceError = C::SourceError;
    type Each<T> = C::Each<T>;
    type Gives<X, Y> = C::Gives<X, Y>;
    type Lobby<I, R> = Box<Lobby<I, R>>;

    const CATCHES: bool = C::CATCHES;
    const WATCHES: bool = true;
    const GOVERNS: bool = true;

    fn each<T>(outcome: Outcome<T>) -> Result<C::Each<T>, Outcome<T>> {
        C::each(outcome)
    }

    fn outcome<T>(each: C::Each<T>) -> Outcome<T> {
        C::outcome(each)
    }

    forward_cuts!();

    fn begun(&mut self, body: Ticket, alive: impl Fn(Ticket) -> bool) {
        self.policy.begun(body, alive);
    }

    fn poll_overdue(
        &mut self,
        cx: &mut Context<'_>,
        alive: impl Fn(Ticket) -> bool,
    ) -> Poll<Ticket> {
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

    fn hear(&mut self, event: &Event) -> Option<Cause> {
        let cause = self.policy.hear(event);
        self.rule.hear(event).or(cause)
    }
}
