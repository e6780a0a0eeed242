//! A loop on a few workers: tasks of a runtime, each of which drives an engine of its own.
//!
//! As a rule the workers [draw](shared_source) their bodies: one after another takes the loop's source and the
//! body's closure, its [`body_source`], makes as many bodies as it has room for, and polls them as in-task bodies are. The loop's
//! own task, the *front*, hears of their ends and has the workers stop: that is [`pull`].
//!
//! Where the source or the closure cannot be sent to a thread, or the loop's policy must see each body
//! begin, the front pulls the items and calls the closure itself. Then bodies travel in chunks to the
//! worker with the fewest: that is the [`pool`].
//!
//! Either way the ends come back in chunks. What the two sides share is in [`channel`] and [`shared_source`]: queues
//! and flags, no lock. A [`body_set`] is what a loop sees, whether it has workers or not.

mod batch_size;
mod body_set;
mod body_source;
mod channel;
mod delivery;
mod handle;
mod job;
#[cfg(all(test, forloop_loom))]
mod model;
mod pull;
mod push;
mod shared;
mod shared_source;
mod sleepers;
mod worker;
mod worker_pool;

pub(crate) use self::body_set::BodySet;
pub(crate) use self::body_source::{BoxedSource, SourceBodies};
pub(crate) use self::channel::SOURCE;
pub(crate) use self::delivery::{Delivery, DeliveryRule};
pub(crate) use self::handle::{PoolHandle, PullConfig};
pub use self::job::PoolJob;
pub use self::worker_pool::{PushPool, WorkerPool};
