//! What workers hand things over with: or what loom watches in its place, where the hand-over is
//! model-checked.

#[cfg(not(forloop_loom))]
pub(super) use atomic_waker::AtomicWaker;
#[cfg(not(forloop_loom))]
pub(super) use concurrent_queue::ConcurrentQueue;
#[cfg(not(forloop_loom))]
pub(super) use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

#[cfg(forloop_loom)]
pub(super) use self::watched::ConcurrentQueue;
#[cfg(forloop_loom)]
pub(super) use crate::engine::AtomicWaker;
#[cfg(forloop_loom)]
pub(super) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

#[cfg(forloop_loom)]
mod watched {
    use core::sync::atomic::Ordering::{AcqRel, Relaxed};
    use std::sync::Mutex;

    use concurrent_queue::{PopError, PushError};
    use loom::sync::atomic::AtomicUsize;

    const EMPTY: usize = 0;
    const FULL: usize = 1;
    const CLOSED: usize = 2;

    /// A queue with one place, whose word promises no more order than one must have.
    pub(in super::super) struct ConcurrentQueue<T> {
        word: AtomicUsize,
        place: Mutex<Option<T>>,
    }

    impl<T> ConcurrentQueue<T> {
        pub(in super::super) fn bounded(places: usize) -> Self {
            assert_eq!(places, 1);
            Self { word: AtomicUsize::new(EMPTY), place: Mutex::new(None) }
        }

        pub(in super::super) fn push(&self, thing: T) -> Result<(), PushError<T>> {
            *self.place.lock().unwrap() = Some(thing);
            let pushed = self.word.compare_exchange(EMPTY, FULL, AcqRel, Relaxed);
            pushed.map(drop).map_err(|word| {
                assert_eq!(word, CLOSED, "only who has popped pushes");
                PushError::Closed(self.place.lock().unwrap().take().unwrap())
            })
        }

        pub(in super::super) fn pop(&self) -> Result<T, PopError> {
            // Closed or not, it can be emptied.
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
