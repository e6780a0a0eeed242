//! The policy of a loop: its options together, and what they make of its results.

use alloc::sync::Arc;
use core::convert::Infallible;
use core::fmt;

use super::{ItemRule, OutcomeRule, Rule, Sealed};
use crate::admission::{MaybeQueue, NoQueue, SharedAttempts};
use crate::looping::NoOptions;
use crate::outcome::Interruption;
use crate::simulation::Origin;
use crate::single::Single;
use crate::{Interrupted, Outcome};

/// The options of a loop, and what they make of its results.
///
/// [`NoOptions`] is the policy of a loop without options, and [`Fallible`](crate::options::Fallible) that of a loop over a
/// fallible source. Each option wraps the policy that was there. The policy is a type, so a loop that nothing can
/// interrupt returns plain results and pays for no check.
///
/// | option | type of a body's output `T` ([`Output`](Self::Output)) | type of the loop's result `X` ([`Result`](Self::Result)) |
/// |---|---|---|
/// | none | `T` | `X` |
#[doc = concat!("| ", super::options_with_outcomes!(), super::time_limits!(), " | [`Outcome<T>`](Outcome) | unchanged |")]
#[doc = concat!("| ", super::signals!(), super::conditions!(), "[`try_each`](crate::try_each) | unchanged | [`Result<X, Interrupted>`](Interrupted) |")]
#[doc = concat!("| ", super::rules!(), " | unchanged | unchanged |")]
///
/// This trait is sealed.
pub trait Policy: Rule {
    /// The error of a fallible source. It has no values where the source cannot fail.
    type SourceError;

    /// What a strategy returns for a body's output.
    type Output<T>;

    /// What a strategy returns for its result `X`. `Y` is what is ready when the loop is interrupted.
    type Result<X, Y>;

    /// Where items `I` wait that were pulled and do not run; their bodies return an `R`.
    #[doc(hidden)]
    type AdmissionQueue<I, R>: MaybeQueue<I, R>;

    /// Whether workers that pull share a driver.
    #[doc(hidden)]
    type WorkerKind: WorkerKind;

    /// How workers that pull unwrap what the source gives.
    #[doc(hidden)]
    type WorkerItems;

    /// The options that limit the time of a body, for workers that pull: each worker has its own.
    #[doc(hidden)]
    type TimeLimits: Rule;

    /// Whether items wait in an [`AdmissionQueue`](Self::AdmissionQueue), and the options receive events.
    #[doc(hidden)]
    const HAS_RULES: bool;

    /// Whether [`Output`](Self::Output) is an outcome, which may be that a body was lost.
    #[doc(hidden)]
    const HAS_OUTCOMES: bool;

    /// Whether the loop's result may say that the loop was interrupted.
    #[doc(hidden)]
    const MAY_BE_INTERRUPTED: bool;

    /// Converts a body's outcome to the strategy's item type.
    ///
    /// # Errors
    ///
    /// The unchanged outcome, if it has no representation in [`Output`](Self::Output).
    fn output_of<T>(outcome: Outcome<T>) -> Result<Self::Output<T>, Outcome<T>>;

    /// Converts what [`output_of`](Self::output_of) has returned back to an outcome.
    fn outcome_of<T>(output: Self::Output<T>) -> Outcome<T>;

    /// Converts the end of the loop to what the strategy returns.
    fn result_of<X, Y>(result: Result<X, Interrupted<Y, Self::SourceError>>) -> Self::Result<X, Y>;

    /// Makes the [`WorkerItems`](Self::WorkerItems) of a loop.
    #[doc(hidden)]
    fn worker_items(&mut self) -> Self::WorkerItems;

    /// Takes the error of the source that workers have seen.
    #[doc(hidden)]
    fn take_source_error(&mut self) -> Option<Self::SourceError>;

    /// Makes the [`TimeLimits`](Self::TimeLimits) of a loop.
    #[doc(hidden)]
    fn time_limits(&self) -> Self::TimeLimits;
}

/// Whether workers share a driver: [`EachPulls`] or [`ShareDriver`].
#[doc(hidden)]
pub trait WorkerKind {
    /// What workers have of the policy `C`.
    type Part<C: Policy, R>;

    /// Takes it out of a loop.
    fn part<C: Policy, R>(parts: &mut LoopParts<C, R>) -> Self::Part<C, R>;
}

/// What a loop has of its options.
#[doc(hidden)]
pub struct LoopParts<C: Policy, R> {
    /// `None` if a driver has it that workers share.
    pub(crate) policy: Option<C>,
    pub(crate) limit: usize,
    pub(crate) origin: Origin,
    pub(crate) is_error: Option<fn(&R) -> bool>,
    /// Where such a driver puts the interruption of the loop.
    pub(crate) interruption: Option<Arc<Single<Interruption<C::SourceError>>>>,
    /// What such a driver and the loop tell each other of attempts.
    pub(crate) attempts: Option<Arc<SharedAttempts>>,
}

impl<C: Policy, R> LoopParts<C, R> {
    #[inline]
    pub(crate) fn new(
        policy: C,
        limit: usize,
        origin: Origin,
        is_error: Option<fn(&R) -> bool>,
    ) -> Self {
        let (interruption, attempts) = (None, None);
        Self { policy: Some(policy), limit, origin, is_error, interruption, attempts }
    }
}

impl<C: Policy, R> fmt::Debug for LoopParts<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopParts").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Workers pull items by themselves: no option decides when they start.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct EachPulls;

/// Workers share a driver, which starts the items as the options decide.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ShareDriver;

/// Unwraps what a source gives to workers, a `G`.
#[doc(hidden)]
pub trait WorkerItems<G> {
    /// What the body takes.
    type Item;

    /// The item, or `None` if the source has failed.
    fn item_of(&mut self, given: G) -> Option<Self::Item>;
}

/// The items of a source that cannot fail.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct AllItems;

impl<G> WorkerItems<G> for AllItems {
    type Item = G;

    #[inline]
    fn item_of(&mut self, given: G) -> Option<G> {
        Some(given)
    }
}

/// A policy for a source of `I`s.
#[diagnostic::on_unimplemented(
    message = "`try_each` needs items of type `Result<T, E>`, found `{I}`",
    label = "the items of this loop are not `Result`s",
    note = "use `forloop::each(..)` or `forloop::each_stream(..)` for a source that cannot fail"
)]
pub trait ItemPolicy<I>: Policy + ItemRule<<Self as ItemPolicy<I>>::Item> {
    /// What the body takes.
    type Item;

    /// Unwraps what the source has given.
    ///
    /// # Errors
    ///
    /// The error of the source, if it has failed.
    fn item_of(given: I) -> Result<Self::Item, Self::SourceError>;

    /// Passes a pulled item to the options. Returns whether it may be started; if not, it comes out of
    /// [`Rule::take_released`] later.
    #[doc(hidden)]
    fn receive(&mut self, index: usize, item: &Self::Item) -> bool {
        self.on_receive(index, item);
        self.try_admit(index)
    }
}

/// A policy under which every body that completes has an output.
#[diagnostic::on_unimplemented(
    message = "this strategy cannot be combined with `timeout` or `catch_panics`",
    label = "this strategy returns no outcome for each item",
    note = "`settle` returns the outcome of every item, and `as_completed(..).for_each(..)` handles each outcome \
            as the body completes",
    note = "`try_for_each` accepts `timeout`: it stops at the first time-out"
)]
pub trait AllOrNothing: Policy {}

/// A policy under which a body's panic propagates to the caller.
#[diagnostic::on_unimplemented(
    message = "this strategy cannot be combined with `catch_panics`",
    label = "this strategy cannot return a caught panic",
    note = "remove `.catch_panics()`, or use `settle`, `gather` or a stream, which return outcomes"
)]
pub trait RaisesPanics: Policy {}

impl Sealed for NoOptions {}

impl Rule for NoOptions {
    fn for_worker(&self) -> Option<Self> {
        Some(Self)
    }
}

impl<I> ItemRule<I> for NoOptions {}
impl<R> OutcomeRule<R> for NoOptions {}

#[diagnostic::do_not_recommend]
impl AllOrNothing for NoOptions {}
#[diagnostic::do_not_recommend]
impl RaisesPanics for NoOptions {}

impl<I> ItemPolicy<I> for NoOptions {
    type Item = I;

    fn item_of(given: I) -> Result<I, Infallible> {
        Ok(given)
    }
}

impl Policy for NoOptions {
    type SourceError = Infallible;
    type Output<T> = T;
    type Result<X, Y> = X;
    type AdmissionQueue<I, R> = NoQueue;
    type WorkerKind = EachPulls;
    type WorkerItems = AllItems;
    type TimeLimits = Self;

    const HAS_RULES: bool = false;
    const HAS_OUTCOMES: bool = false;
    const MAY_BE_INTERRUPTED: bool = false;

    fn output_of<T>(outcome: Outcome<T>) -> Result<T, Outcome<T>> {
        match outcome {
            Outcome::Ok(output) => Ok(output),
            other => Err(other),
        }
    }

    fn outcome_of<T>(output: T) -> Outcome<T> {
        Outcome::Ok(output)
    }

    fn result_of<X, Y>(result: Result<X, Interrupted<Y>>) -> X {
        match result {
            Ok(given) => given,
            // Nothing else interrupts this loop, and its result has no room for an error.
            Err(Interrupted { pending, .. }) => panic!(
                "the runtime was shut down while a loop ran on it: body {} did not finish",
                pending.first().copied().unwrap_or_default(),
            ),
        }
    }

    fn worker_items(&mut self) -> AllItems {
        AllItems
    }

    fn take_source_error(&mut self) -> Option<Infallible> {
        None
    }

    fn time_limits(&self) -> Self {
        Self
    }
}
