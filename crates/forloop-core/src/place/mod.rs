//! Where bodies run: in the caller's own task, in a task each, or on a pool of workers.

mod blocking;
mod body_set;
mod dispatch;
mod hand_off;
mod inline;
mod layer;
mod layered;
mod layered_source;
mod parent_waker;
mod pool;
mod spawned;
mod traits;

pub use self::blocking::{SpawnedBlocking, SyncBody, spawn_blocking, sync_body};
pub use self::layer::Layer;
pub use self::layered::Layered;
pub use self::layered_source::LayerSource;

pub use self::body_set::{BodySet, StopBodies};
pub use self::dispatch::IntoSource;
pub use self::dispatch::{Dispatch, Pull, Push, Sources};
pub(crate) use self::hand_off::{HandOff, HandOffSet};
pub use self::inline::JobMode;
pub use self::inline::{Inline, InlineJob};
pub use self::parent_waker::{ParentWaker, ParentWakerJob};
pub use self::pool::{
    BatchEnd, BodySource, BoxedSource, DeliveryRule, PoolSet, PullConfig, Pulling, SourceFailure,
    TimeLimits, WorkerOptions,
};
pub(crate) use self::pool::{Delivery, Exchange, SourceBodies};
pub use self::pool::{PushPool, ScopedWorkers, WorkerPool};
pub use self::spawned::{Completer, SpawnedSet};
pub use self::spawned::{Spawned, SpawnedLocal, SpawnedScoped};
pub use self::traits::Place;
