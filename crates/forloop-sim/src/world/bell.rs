//! What wakes a task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Wake;

use super::World;

/// Wakes a task.
pub(super) struct Bell {
    // A waker does not keep the world.
    world: Weak<World>,
    task: usize,
    /// Since the task was polled last.
    rung: AtomicBool,
}

impl Bell {
    /// The bell of a task that was woken.
    pub(super) fn rung(world: &Arc<World>, task: usize) -> Arc<Self> {
        Arc::new(Self { world: Arc::downgrade(world), task, rung: AtomicBool::new(true) })
    }

    /// Whether it was rung since the task was polled last.
    pub(super) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::SeqCst)
    }

    /// From now on it can be rung again.
    pub(super) fn hush(&self) {
        self.rung.store(false, Ordering::SeqCst);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::SeqCst)
            && let Some(world) = self.world.upgrade()
        {
            world.wake(self.task);
        }
    }
}
