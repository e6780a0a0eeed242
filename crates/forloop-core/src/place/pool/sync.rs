//! The synchronisation primitives of the shared source and its sleepers; in the model check, loom's.

#[cfg(not(forloop_loom))]
pub(super) use atomic_waker::AtomicWaker;
#[cfg(not(forloop_loom))]
pub(super) use concurrent_queue::ConcurrentQueue;
#[cfg(not(forloop_loom))]
pub(super) use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

#[cfg(forloop_loom)]
pub(super) use self::model_checked::ConcurrentQueue;
#[cfg(forloop_loom)]
pub(super) use crate::engine::AtomicWaker;
#[cfg(forloop_loom)]
pub(super) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

#[cfg(forloop_loom)]
mod model_checked {
    use core::sync::atomic::Ordering::{AcqRel, Relaxed};
    use std::sync::Mutex;

    use concurrent_queue::{PopError, PushError};
    use loom::sync::atomic::AtomicUsize;

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
}
