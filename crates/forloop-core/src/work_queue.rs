//! A source to which the bodies of its own loop add items.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::hash::Hash;
use core::ops::{Deref, DerefMut};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_core::Stream;

/// A source to which the bodies of its own loop add items: a crawl, a walk through a tree, a queue of work.
///
/// A body receives a [`WorkItem`] and adds items with [`WorkItem::push`]. The queue ends when it has no items and no
/// body runs that could add one, so the loop ends with its last body. Any strategy, option and place can be used: the
/// queue is a [`Stream`], and goes into [`each_stream`](crate::each_stream).
///
/// An item counts as unfinished as long as its `WorkItem` exists. A body that fails, panics, times out or is cancelled
/// drops it, and a loop that [retries](crate::Loop::retry) keeps a clone until the last attempt.
///
/// Python's `asyncio.Queue` does this with `task_done` and `join`.
///
/// # Examples
///
/// Every page is visited once, however many others link to it.
///
/// ```
/// # use forloop_core as forloop;
/// # futures_lite::future::block_on(async {
/// use forloop::{WorkItem, WorkQueue};
///
/// async fn links(page: u32) -> Vec<u32> {
///     [page * 2, page * 3].into_iter().filter(|&link| link < 20).collect()
/// }
///
/// let pages = WorkQueue::new([1]).unique_by(|&page| page);
/// let visited = forloop::each_stream(pages).limit(4)?.gather(async |page: WorkItem<u32>| {
///     for link in links(*page).await {
///         page.push(link);
///     }
///     *page
/// });
/// let mut visited = visited.await;
/// visited.sort();
/// assert_eq!(visited, [1, 2, 3, 4, 6, 8, 9, 12, 16, 18]);
/// # Ok::<(), forloop::ZeroLimit>(())
/// # }).unwrap();
/// ```
///
/// # Costs
///
/// Memory is for the items that wait, and with [`unique_by`](Self::unique_by) for every key there ever was. A push or pull
/// locks a mutex for a few instructions.
///
/// # Cancel safety
///
/// Dropping the queue, as the loop does when it ends, drops the items that wait. A later push is rejected.
#[doc(alias = "crawler")]
#[doc(alias = "tree walk")]
#[must_use = "a queue does nothing until a loop takes its items: see `each_stream`"]
#[doc(alias = "recursive")]
#[doc(alias = "task_done")]
pub struct WorkQueue<T> {
    shared: Arc<Shared<T>>,
}

/// An item of a [`WorkQueue`], which can add others. It dereferences to the item.
///
/// The queue does not end as long as it exists.
pub struct WorkItem<T> {
    item: T,
    handle: WorkHandle<T>,
}

/// Adds items to a [`WorkQueue`] from outside its loop, or closes it.
///
/// The queue does not end as long as a handle exists, unless it is closed. So a body does not need one, and a closure
/// that captures one keeps its own loop from ending: a body adds items with [`WorkItem::push`].
pub struct WorkHandle<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Whether an item is a new one. It has a lock of its own, because it calls its user's code.
    is_new: Mutex<Option<IsNew<T>>>,
}

type IsNew<T> = Box<dyn FnMut(&T) -> bool + Send>;

struct State<T> {
    items: VecDeque<T>,
    /// The number of handles, of which each `WorkItem` has one.
    handles: usize,
    is_lifo: bool,
    is_closed: bool,
    /// Of the loop, while it waits for an item or for the end.
    waker: Option<Waker>,
}

/// The number of items whose memory an emptied queue keeps.
const KEPT: usize = 64;

impl<T> State<T> {
    /// Frees half of the memory if less than a quarter holds items. So the items that are moved are fewer than those that
    /// were taken since.
    fn shrink(&mut self) {
        let capacity = self.items.capacity();
        if capacity / 4 > self.items.len().max(KEPT) {
            self.items.shrink_to(capacity / 2);
        }
    }
}

impl<T> Shared<T> {
    /// A panic in the user's code cannot leave the state half changed, so a poisoned lock is like any other.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item, unless the queue is closed or has had the key of the item.
    fn push(&self, item: T) -> bool {
        if self.state().is_closed {
            return false;
        }
        let mut is_new = self.is_new.lock().unwrap_or_else(PoisonError::into_inner);
        if is_new.as_mut().is_some_and(|is_new| !is_new(&item)) {
            return false;
        }
        drop(is_new);
        let mut state = self.state();
        // It may have been closed meanwhile.
        if state.is_closed {
            return false;
        }
        state.items.push_back(item);
        let waker = state.waker.take();
        drop(state);
        wake(waker);
        true
    }

    /// Rejects later items. The loop ends once it has run those that wait.
    fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }
}

/// Wakes the loop. No lock is held, because a waker may run any code.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl<T> WorkQueue<T> {
    /// Makes a queue with these items, from which items are taken in the order in which they were added.
    pub fn new(items: impl IntoIterator<Item = T>) -> Self {
        let mut queued = VecDeque::new();
        // Not collected, because a size hint may be wrong.
        for item in items {
            queued.push_back(item);
        }
        let state =
            State { items: queued, handles: 0, is_lifo: false, is_closed: false, waker: None };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), is_new: Mutex::new(None) }) }
    }

    /// Takes the item that was added last first: depth first through a tree, where fewer items wait.
    pub fn lifo(self) -> Self {
        self.shared.state().is_lifo = true;
        self
    }

    /// Rejects an item whose key the queue has had before, also among the first items.
    ///
    /// The queue keeps the keys and drops them with the last handle. `key` must not add an item: it would wait for itself.
    pub fn unique_by<K: Hash + Eq + Send + 'static>(
        self,
        mut key: impl FnMut(&T) -> K + Send + 'static,
    ) -> Self {
        let mut keys = HashSet::new();
        let mut is_new = move |item: &T| keys.insert(key(item));
        self.shared.state().items.retain(&mut is_new);
        *self.shared.is_new.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(is_new));
        self
    }

    /// Returns a handle that adds items from outside the loop.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use forloop::WorkQueue;
    ///
    /// let requests = WorkQueue::new([]);
    /// let handle = requests.handle();
    /// let server = forloop::each_stream(requests).unbounded().for_each(async |request| println!("{}", *request));
    /// let client = async {
    ///     handle.push("a");
    ///     handle.push("b");
    ///     handle.close();
    /// };
    /// futures_lite::future::block_on(futures_lite::future::zip(server, client));
    /// ```
    pub fn handle(&self) -> WorkHandle<T> {
        WorkHandle::new(&self.shared)
    }
}

impl<T> Stream for WorkQueue<T> {
    type Item = WorkItem<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<WorkItem<T>>> {
        let mut state = self.shared.state();
        let item = if state.is_lifo { state.items.pop_back() } else { state.items.pop_front() };
        if let Some(item) = item {
            state.handles += 1;
            state.shrink();
            drop(state);
            let handle = WorkHandle { shared: self.shared.clone() };
            return Poll::Ready(Some(WorkItem { item, handle }));
        }
        if state.handles == 0 || state.is_closed {
            return Poll::Ready(None);
        }
        let is_same = state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        let replaced = if is_same { None } else { state.waker.replace(cx.waker().clone()) };
        drop(state);
        // A waker's destructor may run any code.
        drop(replaced);
        Poll::Pending
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let state = self.shared.state();
        let waiting = state.items.len();
        (waiting, (state.handles == 0 || state.is_closed).then_some(waiting).filter(|&n| n == 0))
    }
}

impl<T> Drop for WorkQueue<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_closed = true;
        let (items, waker) = (core::mem::take(&mut state.items), state.waker.take());
        drop(state);
        // An item's destructor may push another.
        drop((items, waker));
    }
}

impl<T> WorkItem<T> {
    /// Adds an item to the queue. Returns whether the queue took it: it is closed once its loop has ended, and
    /// [`unique_by`](WorkQueue::unique_by) rejects items it has had.
    pub fn push(&self, item: T) -> bool {
        self.handle.push(item)
    }

    /// Returns a handle, for a function that adds items.
    pub fn handle(&self) -> &WorkHandle<T> {
        &self.handle
    }
}

impl<T> WorkHandle<T> {
    fn new(shared: &Arc<Shared<T>>) -> Self {
        shared.state().handles += 1;
        Self { shared: shared.clone() }
    }

    /// Adds an item to the queue. Returns whether the queue took it: see [`WorkItem::push`].
    pub fn push(&self, item: T) -> bool {
        self.shared.push(item)
    }

    /// Closes the queue: it rejects every later item, and ends when those that wait were taken.
    pub fn close(&self) {
        self.shared.close();
    }
}

impl<T> Clone for WorkHandle<T> {
    fn clone(&self) -> Self {
        Self::new(&self.shared)
    }
}

impl<T> Drop for WorkHandle<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.handles -= 1;
        let is_last = state.handles == 0 && state.items.is_empty();
        let waker = if is_last { state.waker.take() } else { None };
        drop(state);
        wake(waker);
    }
}

impl<T: Clone> Clone for WorkItem<T> {
    fn clone(&self) -> Self {
        Self { item: self.item.clone(), handle: self.handle.clone() }
    }
}

impl<T> Deref for WorkItem<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T> DerefMut for WorkItem<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<T: fmt::Debug> fmt::Debug for WorkItem<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkItem").field(&self.item).finish()
    }
}

impl<T: fmt::Display> fmt::Display for WorkItem<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.item.fmt(f)
    }
}

impl<T> fmt::Debug for WorkQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state();
        f.debug_struct("WorkQueue")
            .field("waiting", &state.items.len())
            .field("handles", &state.handles)
            .field("is_closed", &state.is_closed)
            .finish()
    }
}

impl<T> fmt::Debug for WorkHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkHandle").finish_non_exhaustive()
    }
}
