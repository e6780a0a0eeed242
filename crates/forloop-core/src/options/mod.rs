//! The options of a loop: what may interrupt it or a body, when bodies start, and who observes them.
//!
//! | file | holds |
//! |---|---|
//! | `hooks.rs` | the hooks of options, each with its default and with how two options share it |
//! | `policy.rs` | a loop's policy: its options together, and what they make of its results |
//! | `with_option.rs` | a policy with one more option |
//! | `wrapper.rs` | the type of a policy with one more option |
//! | `table.rs` | the macro behind the list of all options, which is at the end of this file |
//! | `event.rs` | what happens in a loop, as options receive it |
//! | `alarm.rs` | one timer for a moment of a clock |
//! | `backoff.rs`, `backon_adapter.rs` | the delays of retries, and those of the crate backon |
//! | `rate_value.rs`, `schedule.rs` | a rate, and when its bodies may start |
//! | `rate_limit.rs`, `shared_rate.rs` | a rate that is the loop's own, and one that loops share |
//! | the others | one option each |

mod alarm;
mod backoff;
#[cfg(feature = "backon")]
mod backon_adapter;
mod cancel_on;
mod catch_panics;
mod deadline;
mod drain_on;
mod event;
mod fallible;
mod hooks;
mod limit_by;
mod observe;
mod on_failure;
mod policy;
mod rate;
mod rate_limit;
mod rate_value;
mod retry;
mod schedule;
#[cfg(feature = "std")]
mod shared_limit;
#[cfg(feature = "std")]
mod shared_rate;
mod stagger;
mod stop_on_counts;
mod stop_on_output;
mod table;
mod timeout;
mod weight_by;
mod with_option;
mod wrapper;

pub(crate) use self::alarm::Alarm;
pub use self::backoff::Backoff;
#[cfg(feature = "backon")]
pub use self::backon_adapter::Backon;
pub use self::cancel_on::{CancelOn, IsSignal};
pub use self::catch_panics::CatchPanics;
pub use self::deadline::Deadline;
pub use self::drain_on::DrainOn;
pub use self::event::Event;
pub use self::fallible::{Fallible, UntilError};
use self::hooks::Sealed;
pub use self::hooks::{ItemRule, OutcomeRule, Rule};
pub use self::limit_by::{BorrowedKey, LimitBy};
pub use self::observe::{Observed, Observer};
pub use self::on_failure::{FailedAttempt, OnFailure};
pub use self::policy::{
    AllItems, AllOrNothing, EachPulls, ItemPolicy, LoopParts, Policy, RaisesPanics, ShareDriver,
    WorkerItems, WorkerKind,
};
pub use self::rate::Rated;
pub use self::rate_limit::{IsRate, RateLimit};
pub use self::rate_value::{InvalidRate, Rate};
pub use self::retry::{Adjusted, AnyError, Errors, IntoRetry, Retry, RetryIf, Retrying};
#[cfg(feature = "std")]
pub use self::shared_limit::{SharedLimit, SharesLimit};
#[cfg(feature = "std")]
pub use self::shared_rate::SharedRate;
pub use self::stagger::Stagger;
pub use self::stop_on_counts::{Counts, StopOnCounts};
pub use self::stop_on_output::StopOnOutput;
pub use self::timeout::Timeout;
pub use self::weight_by::WeightBy;
pub use self::with_option::{
    Adds, AddsCondition, AddsInterrupt, AddsOutcomes, AddsRule, AddsTimeLimit, LoopOption,
};
pub use self::with_option::{WithCondition, WithInterrupt, WithOutcomes, WithRule, WithTimeLimit};
pub use self::wrapper::WithOption;

use self::table::options;
use crate::looping::TimerSet;

options! {
    AddsOutcomes as options_with_outcomes {
        catch_panics: CatchPanics,
    }
    AddsTimeLimit as time_limits {
        timeout: Timeout<M: TimerSet>,
    }
    AddsInterrupt as signals {
        cancel_on: CancelOn<W>,
        deadline: Deadline<M: TimerSet>,
        drain_on: DrainOn<W>,
    }
    AddsCondition as conditions {
        stop_on_counts: StopOnCounts<G>,
        stop_on_output: StopOnOutput<G>,
    }
    AddsRule as rules {
        limit_by: LimitBy<K, G>,
        observe: Observed<M: TimerSet, O>,
        on_failure: OnFailure<I, G>,
        rate: Rated<M: TimerSet>,
        retry: Retrying<M: TimerSet, B, D, W>,
        #[cfg(feature = "std")]
        shared_limit: SharesLimit,
        stagger: Stagger<M: TimerSet>,
        weight_by: WeightBy<G>,
    }
}
