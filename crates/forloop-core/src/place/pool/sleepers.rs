//! Who wakes workers that wait for something.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::Waker;

use super::shared::{AtomicBool, AtomicWaker, Ordering, fence};

/// What wakes the workers of a loop.
pub(super) struct Sleepers {
    /// Somebody waits for what the others have, or for what is to come.
    has_sleepers: AtomicBool,
    workers: Box<[AtomicWaker]>,
}

impl Sleepers {
    pub(super) fn new(workers: usize) -> Self {
        let workers = (0..workers).map(|_| AtomicWaker::new()).collect();
        Self { has_sleepers: AtomicBool::new(false), workers }
    }

    /// Has a worker woken from now on.
    pub(super) fn listen(&self, worker: usize, waker: &Waker) {
        self.workers[worker].register(waker);
    }

    /// Wakes everyone.
    pub(super) fn notify_all(&self) {
        self.workers.iter().for_each(AtomicWaker::wake);
    }

    /// Says that a worker waits: whoever gives something back from now on rings.
    pub(super) fn wait(&self) {
        self.has_sleepers.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Wakes everyone, if somebody waits for what was given back before.
    pub(super) fn notify_if_waiting(&self) {
        fence(Ordering::SeqCst);
        if self.has_sleepers.load(Ordering::SeqCst)
            && self.has_sleepers.swap(false, Ordering::SeqCst)
        {
            self.notify_all();
        }
    }
}

impl Wake for Sleepers {
    fn wake(self: Arc<Self>) {
        self.notify_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.notify_all();
    }
}
