//! A loop on a few workers: tasks of a runtime, each of which polls many bodies.
//!
//! A loop on workers has a *dispatcher*, in the loop's own task, and *workers*. There are two ways to
//! dispatch:
//!
//! - **Pull.** The workers pull the items and call the closure themselves, one worker at a time. The
//!   dispatcher ([`pull`]) spawns the workers, delivers their completions and stops them. What the workers
//!   share is the [`shared_source`].
//!   If options decide when items start, the source has a driver: workers report to it what has completed.
//! - **Push.** The dispatcher ([`push`]) pulls the items, calls the closure and sends the bodies in
//!   batches to the [`inbox`] of a worker. Loops use it where items or closure cannot be sent to another
//!   thread.
//!
//! Both kinds of workers are one [`worker`] with a different intake ([`pull_worker`], [`push_worker`]).
//! Both send their completions in batches, through the [`completion_queue`]. A strategy says for each
//! output how soon it must be delivered ([`delivery`]).
//!
//! Bodies that a worker has pulled and not started are where the others can take them ([`unstarted`]).
//!
//! The rest of the loop sees a [`pool_set`]. No thread waits for a lock: queues, flags, and locks that are only tried are
//! all that the dispatcher and its workers share.

mod batch_buffer;
mod batch_size;
mod body_source;
mod completion_queue;
mod delivery;
mod handle;
mod inbox;
#[cfg(all(test, forloop_loom))]
mod model;
mod pool_set;
mod pull;
mod pull_worker;
mod push;
mod push_worker;
mod recycling;
mod shared_source;
mod sleepers;
mod start_worker;
mod sync;
mod sync_wrapper;
mod unstarted;
mod worker;
mod worker_options;
mod worker_pool;

pub use self::body_source::{BatchEnd, BodySource, BoxedSource, Pulling};
pub(crate) use self::body_source::{Exchange, SourceBodies};
pub use self::completion_queue::SourceFailure;
pub(crate) use self::delivery::Delivery;
pub use self::delivery::DeliveryRule;
pub use self::handle::PullConfig;
pub use self::pool_set::PoolSet;
pub use self::worker_options::{TimeLimits, WorkerOptions};
pub use self::worker_pool::{PushPool, ScopedWorkers, WorkerPool};
