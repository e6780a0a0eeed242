//! A policy with one more option, and what an option adds to the results of a loop.

use alloc::boxed::Box;
use core::marker::PhantomData;

use super::wrapper::WithOption;
use super::{
    AllOrNothing, ItemPolicy, ItemRule, Policy, RaisesPanics, Rule, Sealed, ShareDriver, WorkerKind,
};
use crate::admission::{AdmissionQueue, MaybeQueue};
use crate::{Interrupted, Loop, Outcome};

impl<S, P, L, C, M> Loop<S, P, L, C, M> {
    /// The same loop with one more option.
    pub(crate) fn with_option<O: LoopOption>(
        self,
        option: O,
    ) -> Loop<S, P, L, WithOption<C, O, O::Adds>, M> {
        self.with(|policy| WithOption::new(policy, option))
    }
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

/// A policy with a limit on the time of each body, under which each item has an [`Outcome`].
pub type WithTimeLimit<C, O> = WithOption<C, O, AddsTimeLimit>;

/// An option of a loop.
///
/// The list in `mod.rs` implements it. It is sealed: no other type is an option.
#[doc(hidden)]
pub trait LoopOption: Rule {
    /// What the option adds to the results of a loop.
    type Adds: Adds;
}

/// What an option adds to the results of a loop with the policy `C`, and to what the loop keeps for its items.
///
/// This trait is sealed: [`AddsRule`], [`AddsInterrupt`], [`AddsCondition`], [`AddsOutcomes`] and [`AddsTimeLimit`]
/// implement it.
#[doc(hidden)]
pub trait Adds: Sealed {
    /// [`Policy::Output`].
    type Output<C: Policy, T>;

    /// [`Policy::Result`].
    type Result<C: Policy, X, Y>;

    /// [`Policy::AdmissionQueue`].
    type AdmissionQueue<C: Policy, I, R>: MaybeQueue<I, R>;

    /// [`Policy::WorkerKind`].
    type WorkerKind<C: Policy>: WorkerKind;

    /// [`Policy::TimeLimits`].
    type TimeLimits<C: Policy, O: Rule>: Rule;

    /// Whether it is an [`AdmissionQueue`] in any case.
    const HAS_RULES: bool;

    /// [`Policy::HAS_OUTCOMES`], beside that of the policy.
    const HAS_OUTCOMES: bool;

    /// Whether the loop's result may say in any case that the loop was interrupted.
    const MAY_BE_INTERRUPTED: bool;

    /// [`Policy::output_of`].
    fn output_of<C: Policy, T>(outcome: Outcome<T>) -> Result<Self::Output<C, T>, Outcome<T>>;

    /// [`Policy::outcome_of`].
    fn outcome_of<C: Policy, T>(output: Self::Output<C, T>) -> Outcome<T>;

    /// [`Policy::result_of`].
    fn result_of<C: Policy, X, Y>(
        result: Result<X, Interrupted<Y, C::SourceError>>,
    ) -> Self::Result<C, X, Y>;

    /// [`Policy::time_limits`].
    fn time_limits<C: Policy, O: Rule>(policy: &C, option: &O) -> Self::TimeLimits<C, O>;
}

macro_rules! each_is_unchanged {
    () => {
        type Output<C: Policy, T> = C::Output<T>;

        const HAS_OUTCOMES: bool = false;

        fn output_of<C: Policy, T>(outcome: Outcome<T>) -> Result<C::Output<T>, Outcome<T>> {
            C::output_of(outcome)
        }

        fn outcome_of<C: Policy, T>(output: C::Output<T>) -> Outcome<T> {
            C::outcome_of(output)
        }
    };
}

macro_rules! each_has_an_outcome {
    () => {
        type Output<C: Policy, T> = Outcome<T>;

        const HAS_OUTCOMES: bool = true;

        fn output_of<C: Policy, T>(outcome: Outcome<T>) -> Result<Outcome<T>, Outcome<T>> {
            match outcome {
                // The loop was interrupted, and its result says so.
                Outcome::Cancelled | Outcome::NotRun => Err(outcome),
                _ => Ok(outcome),
            }
        }

        fn outcome_of<C: Policy, T>(output: Outcome<T>) -> Outcome<T> {
            output
        }
    };
}

macro_rules! result_is_unchanged {
    () => {
        const MAY_BE_INTERRUPTED: bool = false;

        type Result<C: Policy, X, Y> = C::Result<X, Y>;

        fn result_of<C: Policy, X, Y>(
            result: Result<X, Interrupted<Y, C::SourceError>>,
        ) -> C::Result<X, Y> {
            C::result_of(result)
        }
    };
}

macro_rules! result_may_be_interrupted {
    () => {
        const MAY_BE_INTERRUPTED: bool = true;

        type Result<C: Policy, X, Y> = Result<X, Interrupted<Y, C::SourceError>>;

        fn result_of<C: Policy, X, Y>(
            result: Result<X, Interrupted<Y, C::SourceError>>,
        ) -> Result<X, Interrupted<Y, C::SourceError>> {
            result
        }
    };
}

macro_rules! limits_are_unchanged {
    () => {
        type TimeLimits<C: Policy, O: Rule> = C::TimeLimits;

        fn time_limits<C: Policy, O: Rule>(policy: &C, _option: &O) -> C::TimeLimits {
            policy.time_limits()
        }
    };
}

macro_rules! queue_is_unchanged {
    () => {
        type AdmissionQueue<C: Policy, I, R> = C::AdmissionQueue<I, R>;
        type WorkerKind<C: Policy> = C::WorkerKind;

        const HAS_RULES: bool = false;
    };
}

macro_rules! queue_is_added {
    () => {
        type AdmissionQueue<C: Policy, I, R> = Box<AdmissionQueue<I, R>>;
        type WorkerKind<C: Policy> = ShareDriver;

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
    limits_are_unchanged!();
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
    limits_are_unchanged!();
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
    limits_are_unchanged!();
    queue_is_added!();
}

/// An [`Outcome`] for each item.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AddsOutcomes;

impl Sealed for AddsOutcomes {}
impl Adds for AddsOutcomes {
    each_has_an_outcome!();
    result_is_unchanged!();
    limits_are_unchanged!();
    queue_is_unchanged!();
}

/// An [`Outcome`] for each item, and a limit on the time of each body.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AddsTimeLimit;

impl Sealed for AddsTimeLimit {}
impl Adds for AddsTimeLimit {
    type TimeLimits<C: Policy, O: Rule> = WithOption<C::TimeLimits, O, Self>;

    each_has_an_outcome!();
    result_is_unchanged!();
    queue_is_unchanged!();

    fn time_limits<C: Policy, O: Rule>(policy: &C, option: &O) -> Self::TimeLimits<C, O> {
        let option = option.for_worker().expect("an option that limits the time of a body");
        WithOption { policy: policy.time_limits(), option, adds: PhantomData }
    }
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

    fn item_of(given: I) -> Result<C::Item, C::SourceError> {
        C::item_of(given)
    }
}

impl<C: Policy, O: Rule, K: Adds> Policy for WithOption<C, O, K> {
    type SourceError = C::SourceError;
    type Output<T> = K::Output<C, T>;
    type Result<X, Y> = K::Result<C, X, Y>;
    type AdmissionQueue<I, R> = K::AdmissionQueue<C, I, R>;
    type WorkerKind = K::WorkerKind<C>;
    type WorkerItems = C::WorkerItems;
    type TimeLimits = K::TimeLimits<C, O>;

    const HAS_RULES: bool = C::HAS_RULES || K::HAS_RULES;
    const HAS_OUTCOMES: bool = C::HAS_OUTCOMES || K::HAS_OUTCOMES;
    const MAY_BE_INTERRUPTED: bool = C::MAY_BE_INTERRUPTED || K::MAY_BE_INTERRUPTED;

    fn output_of<T>(outcome: Outcome<T>) -> Result<Self::Output<T>, Outcome<T>> {
        K::output_of::<C, T>(outcome)
    }

    fn outcome_of<T>(output: Self::Output<T>) -> Outcome<T> {
        K::outcome_of::<C, T>(output)
    }

    fn result_of<X, Y>(result: Result<X, Interrupted<Y, C::SourceError>>) -> Self::Result<X, Y> {
        K::result_of::<C, X, Y>(result)
    }

    fn worker_items(&mut self) -> C::WorkerItems {
        self.policy.worker_items()
    }

    fn take_source_error(&mut self) -> Option<C::SourceError> {
        self.policy.take_source_error()
    }

    fn time_limits(&self) -> Self::TimeLimits {
        K::time_limits(&self.policy, &self.option)
    }
}
