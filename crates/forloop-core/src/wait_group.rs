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
        self.add_many(1);
    }

    /// Adds tasks.
    pub(crate) fn add_many(&self, tasks: usize) {
        self.running.fetch_add(tasks, Ordering::SeqCst);
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
#[inline]
pub(crate) fn with_wait_group<T>(
    task: Option<usize>,
    f: impl FnOnce() -> T,
) -> (T, Option<Arc<WaitGroup>>) {
    let outer = current::enter(task.unwrap_or(NO_TASK));
    let output = f();
    (output, current::leave(outer))
}

/// The wait group of the current scope, for a task whose handle is dropped. A task that held its own handle
/// does not wait for itself.
#[cfg(feature = "std")]
pub(crate) fn current_wait_group(task: usize) -> Option<Arc<WaitGroup>> {
    if current::task()? == task && task != NO_TASK { None } else { current::wait_group() }
}

/// Whether the current scope is the end of this task: its own future is dropped.
#[cfg(feature = "std")]
pub(crate) fn is_dropped_by(task: usize) -> bool {
    current::task() == Some(task)
}

#[cfg(feature = "std")]
mod current {
    use alloc::sync::Arc;
    use core::cell::Cell;

    use super::WaitGroup;

    /// A call of [`with_wait_group`](super::with_wait_group) on this thread.
    #[derive(Clone, Copy)]
    struct Scope {
        task: usize,
        /// Whether `WAIT_GROUP` has one.
        has_wait_group: bool,
    }

    std::thread_local! {
        // Every task that completes enters a scope, and most leave no task behind. So what that takes needs no
        // destructor, and is beside what does.
        static SCOPE: Cell<Option<Scope>> = const { Cell::new(None) };
        static WAIT_GROUP: Cell<Option<Arc<WaitGroup>>> = const { Cell::new(None) };
    }

    /// What was current before a scope.
    pub(super) struct Outer {
        scope: Option<Scope>,
        wait_group: Option<Arc<WaitGroup>>,
    }

    /// Begins a scope.
    #[inline]
    pub(super) fn enter(task: usize) -> Outer {
        let scope = SCOPE.replace(Some(Scope { task, has_wait_group: false }));
        Outer { scope, wait_group: take_wait_group(scope) }
    }

    /// Ends the scope, and returns its wait group.
    #[inline]
    pub(super) fn leave(outer: Outer) -> Option<Arc<WaitGroup>> {
        let wait_group = take_wait_group(SCOPE.replace(outer.scope));
        if outer.wait_group.is_some() {
            set_wait_group(outer.wait_group);
        }
        wait_group
    }

    /// The task of the current scope.
    pub(super) fn task() -> Option<usize> {
        SCOPE.get().map(|scope| scope.task)
    }

    /// The wait group of the current scope, which is made if there is none.
    pub(super) fn wait_group() -> Option<Arc<WaitGroup>> {
        let scope = SCOPE.get()?;
        let wait_group = take_wait_group(Some(scope)).unwrap_or_default();
        SCOPE.set(Some(Scope { has_wait_group: true, ..scope }));
        set_wait_group(Some(wait_group.clone())).then_some(wait_group)
    }

    #[inline]
    fn take_wait_group(scope: Option<Scope>) -> Option<Arc<WaitGroup>> {
        if scope?.has_wait_group { replace_wait_group(None).flatten() } else { None }
    }

    #[cold]
    fn set_wait_group(wait_group: Option<Arc<WaitGroup>>) -> bool {
        replace_wait_group(wait_group).is_some()
    }

    /// While the thread-local variables of a thread are destroyed, there is no wait group.
    #[cold]
    fn replace_wait_group(wait_group: Option<Arc<WaitGroup>>) -> Option<Option<Arc<WaitGroup>>> {
        WAIT_GROUP.try_with(|current| current.replace(wait_group)).ok()
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

#[cfg(not(feature = "std"))]
pub(crate) fn is_dropped_by(_: usize) -> bool {
    false
}
