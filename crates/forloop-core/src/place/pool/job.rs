//! A body on its way to a worker.

use crate::place::inline::{InlineJob, JobMode};

/// The mode of bodies that workers poll.
///
/// Without workers, such a body runs in the caller's own task.
#[derive(Debug, Clone, Copy)]
pub struct OnPool;

impl JobMode for OnPool {
    const ON_POOL: bool = true;
    const PARENT_WAKER: bool = false;
}

/// A body on its way to a worker.
pub type PoolJob<B> = InlineJob<B, OnPool>;
