//! What wakes a task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Wake;

use super::World;

/// Wakes a task.
pub(super) struct TaskWaker {
    // A waker does not keep the world.
    world: Weak<World>,
    task: usize,
    /// Since the task was polled last.
    woken: AtomicBool,
}

impl TaskWaker {
    /// The bell of a task that was woken.
    pub(super) fn woken(world: &Arc<World>, task: usize) -> Arc<Self> {
        Arc::new(Self { world: Arc::downgrade(world), task, woken: AtomicBool::new(true) })
    }

    /// Whether it was rung since the task was polled last.
    pub(super) fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    /// From now on it can be rung again.
    pub(super) fn clear(&self) {
        self.woken.store(false, Ordering::SeqCst);
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::SeqCst)
            && let Some(world) = self.world.upgrade()
        {
            world.wake(self.task);
        }
    }
}
