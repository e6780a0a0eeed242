//! `task_group`, `scope`, `local_scope`: a block that outlives everything it has started.

// From the bottom up: a module imports from those above it in this list only.
mod child;
mod group_state;
mod start;

mod children;
mod deferred_notify;
mod inline_children;
mod running_children;
mod task_children;

mod group_future;

mod driver;

mod scope;
mod task_group;

pub use self::child::Child;
pub use self::group_future::{
    FailFast, FailureMode, GroupDriver, GroupFuture, Supervise, Supervised,
};
pub use self::scope::{LocalScope, Scope, local_scope, scope};
pub use self::start::{ReadySignal, StartError};
pub use self::task_group::{Group, task_group};
