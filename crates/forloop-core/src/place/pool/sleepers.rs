//! The workers that sleep until there is something to do.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::Waker;

use super::sync::{AtomicBool, AtomicWaker, Ordering, fence};

/// The wakers of the workers of a loop.
///
/// A worker that needs what another one has must not miss its return. The worker that returns it, in turn, must not wake a
/// worker while none waits: it returns the source once for every batch. So for each thing that workers wait for there is a flag,
/// and the two run this handshake:
///
/// - The waiting worker sets the flag ([`announce`]), which ends with a fence, and looks once more. Only if it finds nothing
///   does it sleep.
/// - The other worker makes the thing available, executes a fence, and reads the flag
///   ([`notify_if`](Self::notify_if)).
///
/// The two fences have an order. If the waiting worker's comes first, the other one reads the flag as
/// set and wakes every worker. Otherwise the second attempt of the waiting worker sees what was made
/// available. So either the worker is woken or it does not sleep.
///
/// A notification clears the flag and wakes all workers: which of them wait is not recorded. Those that
/// fail again set the flag again. Each thing has a flag of its own, because a worker may return one while it waits for another:
/// it would wake itself without end.
///
/// As a waker, it is what the source is polled with. An item that arrives wakes all workers, because the
/// worker that polled the source may be busy or full by then.
pub(super) struct Sleepers {
    workers: Box<[AtomicWaker]>,
}

/// Announces that a registered worker is about to sleep. The caller then looks once more for what the flag is for.
pub(super) fn announce(flag: &AtomicBool) {
    flag.store(true, Ordering::SeqCst);
    fence(Ordering::SeqCst);
}

impl Sleepers {
    pub(super) fn new(workers: usize) -> Self {
        Self { workers: (0..workers).map(|_| AtomicWaker::new()).collect() }
    }

    /// Has notifications wake this worker with `waker` from now on.
    pub(super) fn register(&self, worker: usize, waker: &Waker) {
        self.workers[worker].register(waker);
    }

    /// Wakes all workers.
    pub(super) fn notify_all(&self) {
        self.workers.iter().for_each(AtomicWaker::wake);
    }

    /// Wakes all workers if one of them waits for what the flag is for. The caller has already made it available.
    pub(super) fn notify_if(&self, flag: &AtomicBool) {
        fence(Ordering::SeqCst);
        if flag.load(Ordering::SeqCst) && flag.swap(false, Ordering::SeqCst) {
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
