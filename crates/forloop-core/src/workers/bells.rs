//! Who wakes workers that wait for something.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::Waker;

use super::shared::{AtomicBool, AtomicWaker, Ordering, fence};

/// What wakes the workers of a loop.
pub(super) struct Bells {
    /// Somebody waits for what the others have, or for what is to come.
    is_waited_for: AtomicBool,
    workers: Box<[AtomicWaker]>,
}

impl Bells {
    pub(super) fn new(workers: usize) -> Self {
        let workers = (0..workers).map(|_| AtomicWaker::new()).collect();
        Self { is_waited_for: AtomicBool::new(false), workers }
    }

    /// Has a worker woken from now on.
    pub(super) fn listen(&self, worker: usize, waker: &Waker) {
        self.workers[worker].register(waker);
    }

    /// Wakes everyone.
    pub(super) fn ring(&self) {
        self.workers.iter().for_each(AtomicWaker::wake);
    }

    /// Says that a worker waits: whoever gives something back from now on rings.
    pub(super) fn wait(&self) {
        self.is_waited_for.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Wakes everyone, if somebody waits for what was given back before.
    pub(super) fn ring_if_waited_for(&self) {
        fence(Ordering::SeqCst);
        if self.is_waited_for.load(Ordering::SeqCst)
            && self.is_waited_for.swap(false, Ordering::SeqCst)
        {
            self.ring();
        }
    }
}

impl Wake for Bells {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}
