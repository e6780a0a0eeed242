//! A fair mutex: unlocking it hands it over to the task that has waited longest.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A mutex that is handed over in first-in, first-out order: the next waiter holds it even before it is polled.
///
/// So a body that is not polled blocks the other waiters, and a law can detect it. The mutex of async-lock is not
/// suitable, because it is unlocked for a moment when it changes hands, and a new task may acquire it.
#[derive(Debug, Clone, Default)]
pub struct FairMutex {
    queue: Arc<Mutex<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    is_locked: bool,
    waiters: VecDeque<Arc<Mutex<Waiter>>>,
}

/// A task that waits for the mutex, or to which the mutex was handed over.
#[derive(Debug, Default)]
struct Waiter {
    is_owner: bool,
    waker: Option<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FairMutex {
    /// Locks the mutex until the guard is dropped.
    ///
    /// The task is queued at the first poll.
    pub fn lock(&self) -> impl Future<Output = FairMutexGuard> + Send + use<> {
        Lock { mutex: self.clone(), waiter: None }
    }

    fn hand_over(&self) {
        let mut queue = lock(&self.queue);
        let Some(next) = queue.waiters.pop_front() else {
            queue.is_locked = false;
            return;
        };
        drop(queue);
        let mut next = lock(&next);
        next.is_owner = true;
        let waker = next.waker.take();
        drop(next);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Holds a [`FairMutex`], and hands it over when dropped.
#[derive(Debug)]
pub struct FairMutexGuard {
    mutex: FairMutex,
}

impl Drop for FairMutexGuard {
    fn drop(&mut self) {
        self.mutex.hand_over();
    }
}

struct Lock {
    mutex: FairMutex,
    waiter: Option<Arc<Mutex<Waiter>>>,
}

impl Future for Lock {
    type Output = FairMutexGuard;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<FairMutexGuard> {
        if let Some(waiter) = &self.waiter {
            let mut waiter = lock(waiter);
            if !waiter.is_owner {
                waiter.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            drop(waiter);
            self.waiter = None;
            return Poll::Ready(FairMutexGuard { mutex: self.mutex.clone() });
        }
        let mutex = self.mutex.clone();
        let mut queue = lock(&mutex.queue);
        if !queue.is_locked {
            queue.is_locked = true;
            drop(queue);
            return Poll::Ready(FairMutexGuard { mutex });
        }
        let waiter = Waiter { is_owner: false, waker: Some(cx.waker().clone()) };
        let waiter = Arc::new(Mutex::new(waiter));
        queue.waiters.push_back(waiter.clone());
        self.waiter = Some(waiter);
        Poll::Pending
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let Some(waiter) = self.waiter.take() else { return };
        let mut queue = lock(&self.mutex.queue);
        queue.waiters.retain(|other| !Arc::ptr_eq(other, &waiter));
        drop(queue);
        if lock(&waiter).is_owner {
            self.mutex.hand_over();
        }
    }
}
