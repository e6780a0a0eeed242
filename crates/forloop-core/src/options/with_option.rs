//! A policy with one more option, and what an option adds to the results of a loop.

use alloc::boxed::Box;
use core::marker::PhantomData;

use super::{AllOrNothing, ItemPolicy, ItemRule, LoopOption, Policy, RaisesPanics, Rule, Sealed};
use crate::admission::{AdmissionQueue, MaybeQueue};
use crate::{Interrupted, Loop, Outcome};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// The same loop with one more option.
    pub(crate) fn with_option<O: LoopOption>(
        self,
        option: O,
    ) -> Loop<S, P, L, WithOption<C, O, O::Adds>> {
        self.with(|policy| WithOption::new(policy, option))
    }
}

/// The policy `C` with one more option `O`; `K` is what the option adds to the results.
///
/// This is the only wrapper of policies. The macro of `hooks.rs` composes the hooks of `C` and `O`.
#[derive(Debug, Clone)]
pub struct WithOption<C, O, K> {
    pub(super) policy: C,
    pub(super) option: O,
    adds: PhantomData<K>,
}

impl<C, O, K> WithOption<C, O, K> {
    pub(crate) fn new(policy: C, option: O) -> Self
    where
        O: LoopOption<Adds = K>,
    {
        Self { policy, option, adds: PhantomData }
    }
}

/// A policy with an option that decides when bodies start, or that observes them.
pub type WithRule<C, O> = WithOption<C, O, AddsRule>;

/// A policy with a signal that may interrupt the loop.
pub type WithInterrupt<C, O> = WithOption<C, O, AddsInterrupt>;

/// A policy with a stop condition, which may interrupt the loop.
pub type WithCondition<C, O> = WithOption<C, O, AddsCondition>;

/// A policy under which each item has an [`Outcome`].
pub type WithOutcomes<C, O> = WithOption<C, O, AddsOutcomes>;

/// What an option adds to the results of a loop with the policy `C`, and to what the loop keeps for its items.
///
/// This trait is sealed: [`AddsRule`], [`AddsInterrupt`], [`AddsCondition`] and [`AddsOutcomes`] implement it.
#[doc(hidden)]
pub trait Adds: Sealed {
    /// [`Policy::Each`].
    type Each<C: Policy, T>;

    /// [`Policy::Gives`].
    type Gives<C: Policy, X, Y>;

    /// [`Policy::AdmissionQueue`].
    type AdmissionQueue<C: Policy, I, R>: MaybeQueue<I, R>;

    /// Whether it is an [`AdmissionQueue`] in any case.
    const HAS_RULES: bool;

    /// [`Policy::each`].
    fn each<C: Policy, T>(outcome: Outcome<T>) -> Result<Self::Each<C, T>, Outcome<T>>;

    /// [`Policy::outcome`].
    fn outcome<C: Policy, T>(each: Self::Each<C, T>) -> Outcome<T>;

    /// [`Policy::gives`].
    fn gives<C: Policy, X, Y>(
        result: Result<X, Interrupted<Y, C::SourceError>>,
    ) -> Self::Gives<C, X, Y>;
}

macro_rules! each_is_unchanged {
    () => {
        type Each<C: Policy, T> = C::Each<T>;

        fn each<C: Policy, T>(outcome: Outcome<T>) -> Result<C::Each<T>, Outcome<T>> {
            C::each(outcome)
        }

        fn outcome<C: Policy, T>(each: C::Each<T>) -> Outcome<T> {
            C::outcome(each)
        }
    };
}

macro_rules! result_is_unchanged {
    () => {
        type Gives<C: Policy, X, Y> = C::Gives<X, Y>;

        fn gives<C: Policy, X, Y>(
            result: Result<X, Interrupted<Y, C::SourceError>>,
        ) -> C::Gives<X, Y> {
            C::gives(result)
        }
    };
}

macro_rules! result_may_be_interrupted {
    () => {
        type Gives<C: Policy, X, Y> = Result<X, Interrupted<Y, C::SourceError>>;

        fn gives<C: Policy, X, Y>(
            result: Result<X, Interrupted<Y, C::SourceError>>,
        ) -> Result<X, Interrupted<Y, C::SourceError>> {
            result
        }
    };
}

macro_rules! queue_is_unchanged {
    () => {
        type AdmissionQueue<C: Policy, I, R> = C::AdmissionQueue<I, R>;

        const HAS_RULES: bool = false;
    };
}

macro_rules! queue_is_added {
    () => {
        type AdmissionQueue<C: Policy, I, R> = Box<AdmissionQueue<I, R>>;

        const HAS_RULES: bool = true;
    };
}

/// An admission queue.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AddsRule;

impl Sealed for AddsRule {}
impl Adds for AddsRule {
    each_is_unchanged!();
    result_is_unchanged!();
    queue_is_added!();
}

/// An [`Interrupted`] in the loop's result.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AddsInterrupt;

impl Sealed for AddsInterrupt {}
impl Adds for AddsInterrupt {
    each_is_unchanged!();
    result_may_be_interrupted!();
    queue_is_unchanged!();
}

/// An admission queue, and an [`Interrupted`] in the loop's result.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AddsCondition;

impl Sealed for AddsCondition {}
impl Adds for AddsCondition {
    each_is_unchanged!();
    result_may_be_interrupted!();
    queue_is_added!();
}

/// An [`Outcome`] for each item.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AddsOutcomes;

impl Sealed for AddsOutcomes {}
impl Adds for AddsOutcomes {
    type Each<C: Policy, T> = Outcome<T>;

    fn each<C: Policy, T>(outcome: Outcome<T>) -> Result<Outcome<T>, Outcome<T>> {
        match outcome {
            // The loop was interrupted, and its result says so.
            Outcome::Cancelled | Outcome::NotRun => Err(outcome),
            _ => Ok(outcome),
        }
    }

    fn outcome<C: Policy, T>(each: Outcome<T>) -> Outcome<T> {
        each
    }

    result_is_unchanged!();
    queue_is_unchanged!();
}

impl<C, O, K> Sealed for WithOption<C, O, K> {}

// One impl for each kind of option, and none with a bound on the kind: rustc reports an option of another kind
// at the call of the strategy. With such a bound, or with `do_not_recommend`, it would report the bound itself, or
// underline the whole loop.
impl<C: AllOrNothing, O: Rule> AllOrNothing for WithOption<C, O, AddsRule> {}
impl<C: AllOrNothing, O: Rule> AllOrNothing for WithOption<C, O, AddsInterrupt> {}
impl<C: AllOrNothing, O: Rule> AllOrNothing for WithOption<C, O, AddsCondition> {}

impl<C: RaisesPanics, O: Rule> RaisesPanics for WithOption<C, O, AddsRule> {}
impl<C: RaisesPanics, O: Rule> RaisesPanics for WithOption<C, O, AddsInterrupt> {}
impl<C: RaisesPanics, O: Rule> RaisesPanics for WithOption<C, O, AddsCondition> {}

impl<I, C: ItemPolicy<I>, O: ItemRule<C::Item>, K: Adds> ItemPolicy<I> for WithOption<C, O, K> {
    type Item = C::Item;

    fn admit(&mut self, given: I) -> Option<C::Item> {
        self.policy.admit(given)
    }

    fn admit_any() -> Option<fn(I) -> C::Item> {
        if O::SEES_STARTS { None } else { C::admit_any() }
    }
}

impl<C: Policy, O: Rule, K: Adds> Policy for WithOption<C, O, K> {
    type SourceError = C::SourceError;
    type Each<T> = K::Each<C, T>;
    type Gives<X, Y> = K::Gives<C, X, Y>;
    type AdmissionQueue<I, R> = K::AdmissionQueue<C, I, R>;

    const HAS_RULES: bool = C::HAS_RULES || K::HAS_RULES;

    fn each<T>(outcome: Outcome<T>) -> Result<Self::Each<T>, Outcome<T>> {
        K::each::<C, T>(outcome)
    }

    fn outcome<T>(each: Self::Each<T>) -> Outcome<T> {
        K::outcome::<C, T>(each)
    }

    fn gives<X, Y>(result: Result<X, Interrupted<Y, C::SourceError>>) -> Self::Gives<X, Y> {
        K::gives::<C, X, Y>(result)
    }

    fn source_error(&mut self) -> Option<C::SourceError> {
        self.policy.source_error()
    }
}
