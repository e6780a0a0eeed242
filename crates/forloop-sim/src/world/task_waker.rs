//! The waker of a task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Wake;

/// What can make a task ready to run.
pub(super) trait WakeTask: Send + Sync {
    fn wake_task(&self, task: usize);
}

/// The waker of a task.
pub(super) struct TaskWaker {
    // Weak: a waker does not keep its world alive.
    world: Weak<dyn WakeTask>,
    task: usize,
    /// Whether the task was woken since its last poll.
    woken: AtomicBool,
}

impl TaskWaker {
    /// Creates the waker of a task that is ready from the start.
    pub(super) fn woken(world: Weak<dyn WakeTask>, task: usize) -> Arc<Self> {
        Arc::new(Self { world, task, woken: AtomicBool::new(true) })
    }

    /// Whether the task was woken since its last poll.
    pub(super) fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    /// Called before each poll: the next wake makes the task ready again.
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
            world.wake_task(self.task);
        }
    }
}
