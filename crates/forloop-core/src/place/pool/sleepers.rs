//! The workers that sleep until the shared source changes.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::Waker;

use super::sync::{AtomicBool, AtomicWaker, Ordering, fence};

/// The wakers of the workers of a loop, and whether one of them waits for the source.
///
/// A worker that needs the source while another holds it must not miss its return. The worker that
/// returns the source, in turn, must not wake a worker while none waits: it returns the source once for
/// every batch. The two run this handshake:
///
/// - The waiting worker sets the flag ([`wait`](Self::wait)), executes a fence, and tries to take the
///   source once more. Only if that fails does it sleep.
/// - The other worker puts the source back, executes a fence, and reads the flag
///   ([`notify_if_waiting`](Self::notify_if_waiting)).
///
/// The two fences have an order. If the waiting worker's comes first, the other one reads the flag as
/// set and wakes every worker. Otherwise the second attempt of the waiting worker sees the source that was
/// put back. So either the worker is woken or it does not sleep.
///
/// A notification clears the flag and wakes all workers: which of them wait is not recorded. Those that
/// fail again to take the source set the flag again.
///
/// As a waker, it is what the source is polled with. An item that arrives wakes all workers, because the
/// worker that polled the source may be busy or full by then.
pub(super) struct Sleepers {
    has_sleepers: AtomicBool,
    workers: Box<[AtomicWaker]>,
}

impl Sleepers {
    pub(super) fn new(workers: usize) -> Self {
        let workers = (0..workers).map(|_| AtomicWaker::new()).collect();
        Self { has_sleepers: AtomicBool::new(false), workers }
    }

    /// Has notifications wake this worker with `waker` from now on.
    pub(super) fn register(&self, worker: usize, waker: &Waker) {
        self.workers[worker].register(waker);
    }

    /// Wakes all workers.
    pub(super) fn notify_all(&self) {
        self.workers.iter().for_each(AtomicWaker::wake);
    }

    /// Announces that a registered worker is about to sleep. The caller then checks once more for what
    /// it waits for.
    pub(super) fn wait(&self) {
        self.has_sleepers.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Wakes all workers if one of them waits. The caller has already published what they wait for.
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
