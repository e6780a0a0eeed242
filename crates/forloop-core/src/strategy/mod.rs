//! The strategies, one per file: what a loop makes of its completions.
//!
//! Each strategy repeats what it needs of limit, options, closure, body and place. One trait with a blanket
//! implementation could stand for the bounds on the place. The compiler then reports a wrong runtime four times
//! instead of three, and each time with one more requirement: see
//! `a_runtime_where_scoped_threads_are_wanted.stderr` in `tests/compile_fail/ui`.

mod as_completed;
mod collect;
mod collector;
mod consume;
mod extend;
mod failures;
mod filter_map;
mod first_ok;
mod fold;
mod for_each;
mod gather;
mod group;
mod output_buffer;
mod race;
mod result_channel;
mod result_queue;
mod results;
mod sequential;
mod settle;
mod settled;
mod steps;
mod stream;
mod task_list;
mod try_gather;
mod until;
mod wait;

pub use self::as_completed::{AsCompleted, as_completed};
pub use self::filter_map::FilterBody;
pub use self::gather::gather;
pub use self::group::{
    Child, FailFast, FailureMode, Group, GroupDriver, GroupFuture, LocalScope, ReadySignal, Scope,
    StartError, Supervise, Supervised, local_scope, scope, task_group,
};
pub use self::output_buffer::OutputBuffer;
pub use self::race::{race, race_ok};
pub use self::result_channel::ResultReceiver;
pub use self::results::Results;
pub use self::sequential::sequential;
pub use self::settle::settle;
pub use self::settled::Settled;
pub use self::stream::{InOrder, Unordered};
pub use self::task_list::task_list;
pub use self::try_gather::try_gather;
pub use self::until::until;
pub use self::wait::{Completed, TaskSet, Wait, wait};
