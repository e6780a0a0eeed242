//! Wait groups: the loop that cancels a body waits for the tasks that the body leaves behind.
//!
//! A cancelled body is dropped, and with it the handles of the tasks it had spawned. Each of those tasks is
//! cancelled by that and stops some time later, on its own thread. No handle is left to await it, but until it
//! has stopped, the body has not. So a loop, a group or a task that cancels a body drops the body inside
//! [`with_wait_group`]. A handle that is dropped meanwhile joins its task to the current wait group, and the
//! canceller waits for the group before it reports that the body has stopped. A task in the group does
//! the same with its own future, so "stopped" means the body and everything below it. One that is dropped while it
//! waits [hands its wait group over](WaitGroup::join_current) to the current one.
//!
//! The current wait group is a thread-local variable, because a destructor takes no arguments. Nested scopes
//! replace it and restore it: the innermost canceller waits. The group is allocated by the first handle that
//! joins it, so cancelling bodies without tasks costs no allocation.
//!
//! Without `std` there is no thread-local variable. A dropped task is then cancelled and not waited for.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};

use atomic_waker::AtomicWaker;

/// A counter of running tasks, and the waker of the task that waits for them.
///
/// [`poll_wait`](Self::poll_wait) registers the waker and then loads the counter. [`done`](Self::done)
/// decrements the counter and, at zero, wakes. So either the load sees zero or the wake finds the waker.
#[derive(Debug, Default)]
pub(crate) struct WaitGroup {
    running: AtomicUsize,
    waiter: AtomicWaker,
}

impl WaitGroup {
    /// Adds a task.
    pub(crate) fn add(&self) {
        self.running.fetch_add(1, Ordering::SeqCst);
    }

    /// Removes a task that has stopped.
    pub(crate) fn done(&self) {
        if self.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.waiter.wake();
        }
    }

    /// Polls until all tasks have stopped.
    pub(crate) fn poll_wait(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waiter.register(cx.waker());
        match self.running.load(Ordering::SeqCst) {
            0 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    /// Has the current wait group, if there is one, wait for the tasks of this one, which no task waits for any more.
    pub(crate) fn join_current(&self) {
        let Some(outer) = current_wait_group(NO_TASK) else { return };
        outer.add();
        let link = Waker::from(Arc::new(Link { outer, is_done: AtomicBool::new(false) }));
        if self.poll_wait(&mut Context::from_waker(&link)).is_ready() {
            link.wake();
        }
    }
}

/// The id of no task.
const NO_TASK: usize = 0;

/// The waiter of a wait group that has joined another one.
struct Link {
    outer: Arc<WaitGroup>,
    is_done: AtomicBool,
}

impl Wake for Link {
    fn wake(self: Arc<Self>) {
        if !self.is_done.swap(true, Ordering::SeqCst) {
            self.outer.done();
        }
    }
}

/// Calls `f`, which drops a body, and returns the wait group of the tasks that were dropped with it, if there
/// are any. `task` is the id of the task whose own future is dropped.
#[cfg(feature = "std")]
pub(crate) fn with_wait_group<T>(
    task: Option<usize>,
    f: impl FnOnce() -> T,
) -> (T, Option<Arc<WaitGroup>>) {
    let outer = current::replace(Some(current::Scope { task, wait_group: None }));
    let output = f();
    (output, current::replace(outer).and_then(|scope| scope.wait_group))
}

/// The wait group of the current scope, for a task whose handle is dropped. A task that held its own handle
/// does not wait for itself.
#[cfg(feature = "std")]
pub(crate) fn current_wait_group(task: usize) -> Option<Arc<WaitGroup>> {
    let mut scope = current::replace(None)?;
    let wait_group = match scope.task {
        Some(dropped) if dropped == task => None,
        _ => Some(scope.wait_group.get_or_insert_default().clone()),
    };
    current::replace(Some(scope));
    wait_group
}

#[cfg(feature = "std")]
mod current {
    use alloc::sync::Arc;
    use core::cell::Cell;

    use super::WaitGroup;

    /// A call of [`with_wait_group`](super::with_wait_group) on this thread.
    pub(super) struct Scope {
        pub(super) task: Option<usize>,
        pub(super) wait_group: Option<Arc<WaitGroup>>,
    }

    std::thread_local! {
        static SCOPE: Cell<Option<Scope>> = const { Cell::new(None) };
    }

    /// Replaces the current scope. While the thread-local variables of a thread are destroyed, there is none.
    pub(super) fn replace(scope: Option<Scope>) -> Option<Scope> {
        SCOPE.try_with(|current| current.replace(scope)).unwrap_or_default()
    }
}

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
