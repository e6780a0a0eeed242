//! Tasks that a cancelled body leaves behind: whoever cancelled the body waits for them.
//!
//! A body that is cancelled drops what it held, and with it the handles of the tasks it had
//! started: each is asked to stop. Nobody awaits them any more, but until they have stopped, the
//! body has not. So whoever cancels a body *adopts* what is dropped with it, and says that the body
//! has stopped only when they have ended, too.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};

use atomic_waker::AtomicWaker;

/// Tasks that were dropped together, on their way to their ends.
#[derive(Debug, Default)]
pub(crate) struct WaitGroup {
    left: AtomicUsize,
    parent: AtomicWaker,
}

impl WaitGroup {
    pub(crate) fn add(&self) {
        self.left.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn done(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.parent.wake();
        }
    }

    /// Polls for the end of all.
    pub(crate) fn poll_wait(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.parent.register(cx.waker());
        match self.left.load(Ordering::SeqCst) {
            0 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

/// Drops something, in `f`, and returns the tasks that were dropped with it. If it is a task's own
/// future, `who` is that task.
#[cfg(feature = "std")]
pub(crate) fn with_wait_group<T>(
    who: Option<usize>,
    f: impl FnOnce() -> T,
) -> (T, Option<Arc<WaitGroup>>) {
    let outer = slot::replace(Some(slot::Scope { who, wait_group: None }));
    let output = f();
    (output, slot::replace(outer).and_then(|current_wait_group| current_wait_group.wait_group))
}

/// Returns who adopts a task that is dropped here, if anybody does. A task that held its own
/// handle is not its own orphan.
#[cfg(feature = "std")]
pub(crate) fn current_wait_group(task: usize) -> Option<Arc<WaitGroup>> {
    let mut current_wait_group = slot::replace(None)?;
    let wait_group = match current_wait_group.who {
        Some(who) if who == task => None,
        _ => Some(current_wait_group.wait_group.get_or_insert_default().clone()),
    };
    slot::replace(Some(current_wait_group));
    wait_group
}

#[cfg(feature = "std")]
mod slot {
    use alloc::sync::Arc;
    use core::cell::Cell;

    use super::WaitGroup;

    /// Whoever drops something on this thread and waits for the tasks that are dropped with it.
    pub(super) struct Scope {
        pub(super) who: Option<usize>,
        pub(super) wait_group: Option<Arc<WaitGroup>>,
    }

    std::thread_local! {
        static SLOT: Cell<Option<Scope>> = const { Cell::new(None) };
    }

    /// Puts a value in the slot and returns what was in it. A thread that ends adopts nobody.
    pub(super) fn replace(current_wait_group: Option<Scope>) -> Option<Scope> {
        SLOT.try_with(|slot| slot.replace(current_wait_group)).unwrap_or_default()
    }
}

// Without std there is nowhere to say who adopts: a dropped task is asked to stop and not waited
// for.

#[cfg(not(feature = "std"))]
pub(crate) fn with_wait_group<T>(
    _: Option<usize>,
    f: impl FnOnce() -> T,
) -> (T, Option<Arc<WaitGroup>>) {
    (f(), None)
}

#[cfg(not(feature = "std"))]
pub(crate) fn current_wait_group(_: usize) -> Option<Arc<WaitGroup>> {
    None
}
