//! A queue with one consumer, which takes everything at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Items from any thread for one task. The lock is held for a push or a swap only, and nothing is called under it.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    items: Vec<T>,
    consumer: Option<Waker>,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { items: Vec::new(), consumer: None }) }
    }

    pub(crate) fn push(&self, item: T) {
        let mut state = lock(&self.state);
        state.items.push(item);
        let consumer = state.consumer.take();
        drop(state);
        if let Some(consumer) = consumer {
            consumer.wake();
        }
    }

    /// Drops what is in the queue.
    pub(crate) fn drop_all(&self) {
        let items = std::mem::take(&mut lock(&self.state).items);
        drop(items);
    }

    /// Waits until there are items, and takes them all. Dropping the future takes nothing.
    pub(crate) fn take(&self) -> impl Future<Output = Vec<T>> {
        std::future::poll_fn(|cx| {
            let mut state = lock(&self.state);
            if state.items.is_empty() {
                state.consumer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(std::mem::take(&mut state.items))
        })
    }
}

/// Locks, also after a panic under the lock: what is in these mutexes is whole between two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
