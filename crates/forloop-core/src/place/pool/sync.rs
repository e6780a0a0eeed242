//! The synchronisation primitives of the shared source and its sleepers; in the model check, loom's.

#[cfg(not(forloop_loom))]
pub(super) use atomic_waker::AtomicWaker;
#[cfg(not(forloop_loom))]
pub(super) use concurrent_queue::ConcurrentQueue;
#[cfg(not(forloop_loom))]
pub(super) use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
#[cfg(not(forloop_loom))]
pub(super) use try_lock::{Locked, TryLock};

#[cfg(forloop_loom)]
pub(super) use self::model_checked::{ConcurrentQueue, Locked, TryLock};
#[cfg(forloop_loom)]
pub(super) use crate::engine::AtomicWaker;
#[cfg(forloop_loom)]
pub(super) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

#[cfg(forloop_loom)]
mod model_checked {
    use core::ops::{Deref, DerefMut};
    use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
    use std::sync::{Mutex, MutexGuard};

    use concurrent_queue::{PopError, PushError};
    use loom::sync::atomic::{AtomicBool, AtomicUsize};

    const EMPTY: usize = 0;
    const FULL: usize = 1;
    const CLOSED: usize = 2;

    /// A queue with one place. Its operations have acquire and release order and no more, so the model
    /// finds a protocol that relies on more than a queue must give.
    pub(in super::super) struct ConcurrentQueue<T> {
        word: AtomicUsize,
        place: Mutex<Option<T>>,
    }

    impl<T> ConcurrentQueue<T> {
        pub(in super::super) fn bounded(places: usize) -> Self {
            assert_eq!(places, 1);
            Self { word: AtomicUsize::new(EMPTY), place: Mutex::new(None) }
        }

        pub(in super::super) fn push(&self, value: T) -> Result<(), PushError<T>> {
            *self.place.lock().unwrap() = Some(value);
            let pushed = self.word.compare_exchange(EMPTY, FULL, AcqRel, Relaxed);
            pushed.map(drop).map_err(|word| {
                assert_eq!(word, CLOSED, "only the worker that popped the value pushes");
                PushError::Closed(self.place.lock().unwrap().take().unwrap())
            })
        }

        pub(in super::super) fn pop(&self) -> Result<T, PopError> {
            // A closed queue can still be emptied.
            for closed in [0, CLOSED] {
                let (full, empty) = (FULL | closed, EMPTY | closed);
                if self.word.compare_exchange(full, empty, AcqRel, Relaxed).is_ok() {
                    return Ok(self.place.lock().unwrap().take().unwrap());
                }
            }
            Err(PopError::Empty)
        }

        pub(in super::super) fn close(&self) -> bool {
            self.word.fetch_or(CLOSED, AcqRel) & CLOSED == 0
        }

        pub(in super::super) fn is_closed(&self) -> bool {
            self.word.load(Relaxed) & CLOSED != 0
        }
    }

    /// A lock that is only tried, with acquire and release order and no more.
    pub(in super::super) struct TryLock<T> {
        is_locked: AtomicBool,
        value: Mutex<T>,
    }

    impl<T> TryLock<T> {
        pub(in super::super) fn new(value: T) -> Self {
            Self { is_locked: AtomicBool::new(false), value: Mutex::new(value) }
        }

        pub(in super::super) fn try_lock(&self) -> Option<Locked<'_, T>> {
            // No swap: loom does not know that a swap which finds the lock taken comes before the store that unlocks it.
            let locked = self.is_locked.compare_exchange(false, true, Acquire, Relaxed);
            locked.ok().map(|_| Locked { lock: self, value: self.value.try_lock().ok() })
        }
    }

    pub(in super::super) struct Locked<'a, T> {
        lock: &'a TryLock<T>,
        /// `None` once it is dropped.
        value: Option<MutexGuard<'a, T>>,
    }

    impl<T> Deref for Locked<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.value.as_ref().unwrap()
        }
    }

    impl<T> DerefMut for Locked<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.value.as_mut().unwrap()
        }
    }

    impl<T> Drop for Locked<'_, T> {
        fn drop(&mut self) {
            self.value = None;
            self.lock.is_locked.store(false, Release);
        }
    }
}
