//! The list of all options.

#[cfg(feature = "rate")]
use super::Rated;
#[cfg(feature = "retry")]
use super::Retrying;
use super::hooks::{Rule, Sealed};
use super::with_option::{Adds, AddsCondition, AddsInterrupt, AddsOutcomes, AddsRule};
use super::{
    CancelOn, CatchPanics, Deadline, DrainOn, LimitBy, Observed, Stagger, StopOnCounts,
    StopOnOutput, Timeout, WeightBy,
};

/// An option of a loop.
///
/// The list in this file implements it. It is sealed: no other type is an option.
#[doc(hidden)]
pub trait LoopOption: Rule {
    /// What the option adds to the results of a loop.
    type Adds: Adds;
}

/// Lists the options: the method that sets each, its type, and what it adds to the results.
///
/// An option that is not listed does not compile, because [`Rule`] is sealed.
macro_rules! options {
    ($(
        $(#[$attribute:meta])*
        $method:ident: $Option:ident $(<$($Parameter:ident),*>)? => $Adds:ident;
    )*) => {
        /// The method that sets each option, and the name of what it adds to the results.
        ///
        /// For tests that compare the documentation's tables with it.
        #[doc(hidden)]
        pub const fn option_table() -> &'static [(&'static str, &'static str)] {
            &[$(
                $(#[$attribute])*
                (stringify!($method), stringify!($Adds)),
            )*]
        }

        $(
            $(#[$attribute])*
            impl $(<$($Parameter),*>)? Sealed for $Option $(<$($Parameter),*>)? {}

            $(#[$attribute])*
            impl $(<$($Parameter),*>)? LoopOption for $Option $(<$($Parameter),*>)?
            where
                Self: Rule,
            {
                type Adds = $Adds;
            }
        )*
    };
}

options! {
    cancel_on: CancelOn<W> => AddsInterrupt;
    catch_panics: CatchPanics => AddsOutcomes;
    deadline: Deadline<R> => AddsInterrupt;
    drain_on: DrainOn<W> => AddsInterrupt;
    limit_by: LimitBy<K, G> => AddsRule;
    observe: Observed<R, O> => AddsRule;
    #[cfg(feature = "rate")]
    rate: Rated<R> => AddsRule;
    #[cfg(feature = "retry")]
    retry: Retrying<R, B, D, W> => AddsRule;
    stagger: Stagger<R> => AddsRule;
    stop_on_counts: StopOnCounts<G> => AddsCondition;
    stop_on_output: StopOnOutput<G> => AddsCondition;
    timeout: Timeout<R> => AddsOutcomes;
    weight_by: WeightBy<G> => AddsRule;
}
