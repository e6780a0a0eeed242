//! The future of a task beside the owner of the task, until the future is dropped in place.
//!
//! A runtime has one [`InPlace`] for each task that is alive, and some round its size up. So it has no tag where the owner
//! is a pointer: that the future is there is known from the pointer, which is not null. To drop the pinned future and to
//! take the owner out of such an enum is what safe code cannot do.

#![allow(
    unsafe_code,
    reason = "a pinned future is dropped where it is, and what lies beside it is kept"
)]

use core::pin::Pin;
use core::ptr;

use crate::outcome::{Panic, catch};

/// A pinned future `F` and its owner `O`, or what is left of them.
pub(crate) struct InPlace<F, O, E>(State<F, O, E>);

enum State<F, O, E> {
    /// The future is pinned, and the owner is not.
    Running {
        future: F,
        owner: O,
    },
    Ended(E),
}

impl<F, O, E: Default> InPlace<F, O, E> {
    pub(crate) const fn new(future: F, owner: O) -> Self {
        Self(State::Running { future, owner })
    }

    /// What is left of a task whose future was dropped.
    pub(crate) const fn ended(left: E) -> Self {
        Self(State::Ended(left))
    }

    /// The future and its owner.
    ///
    /// # Errors
    ///
    /// What is left, if the future was dropped.
    #[inline]
    pub(crate) fn get(self: Pin<&mut Self>) -> Result<(Pin<&mut F>, &mut O), &mut E> {
        // SAFETY: the future is moved nowhere. The others are not pinned: nothing returns a pinned reference to them.
        match unsafe { &mut self.get_unchecked_mut().0 } {
            // SAFETY: the future is pinned, because `self` is. It has no other place, and is dropped in it.
            State::Running { future, owner } => Ok((unsafe { Pin::new_unchecked(future) }, owner)),
            State::Ended(left) => Err(left),
        }
    }

    /// The owner, before the first poll.
    pub(crate) const fn owner(&self) -> Option<&O> {
        match &self.0 {
            State::Running { owner, .. } => Some(owner),
            State::Ended(_) => None,
        }
    }

    /// Drops the future where it is, and returns its owner and whether the destructor has panicked. `None` if it was
    /// dropped before.
    #[inline]
    pub(crate) fn drop_future(self: Pin<&mut Self>) -> Option<(O, Result<(), Panic>)> {
        // SAFETY: the future is dropped and not moved.
        unsafe { self.get_unchecked_mut() }.drop_unpinned_future()
    }

    /// As [`drop_future`](Self::drop_future), before the first poll.
    pub(crate) fn drop_unpinned_future(&mut self) -> Option<(O, Result<(), Panic>)> {
        let state = &raw mut self.0;
        // SAFETY: the pointer is to what `self` borrows. The references end before the state is overwritten by it.
        let State::Running { future, owner } = (unsafe { &mut *state }) else { return None };
        // SAFETY: the state is overwritten without being dropped, so the owner is not used twice.
        let owner = unsafe { ptr::read(owner) };
        let end = End(state);
        // SAFETY: as above. We have the only reference to the future, which is not used again.
        let dropped = catch(|| unsafe { ptr::drop_in_place(future) });
        drop(end);
        Some((owner, dropped))
    }
}

/// Overwrites the state of a task whose future and owner are gone. It does so in its destructor, because without `std`
/// the panic of a future's destructor is not caught.
struct End<F, O, E: Default>(*mut State<F, O, E>);

impl<F, O, E: Default> Drop for End<F, O, E> {
    fn drop(&mut self) {
        // SAFETY: the pointer is to the state in `drop_unpinned_future`, which has borrowed it. Everything that was there
        // was taken or dropped.
        unsafe { ptr::write(self.0, State::Ended(E::default())) };
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    extern crate std;

    use alloc::boxed::Box;
    use alloc::rc::Rc;
    use core::cell::Cell;
    use core::pin::pin;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    struct Dropped(Rc<Cell<u32>>, bool);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
            assert!(!self.1, "as told");
        }
    }

    type Left = Option<Box<u32>>;

    #[test]
    fn an_owner_that_is_a_pointer_needs_no_tag() {
        type Owned<F> = InPlace<F, Box<u32>, Left>;
        assert_eq!(size_of::<Owned<[usize; 1]>>(), 2 * size_of::<usize>());
        assert_eq!(size_of::<Owned<[usize; 2]>>(), 3 * size_of::<usize>());
    }

    #[test]
    fn each_part_is_dropped_once() {
        let (futures, owners) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let make = |panics| {
            let owner = Box::new(Dropped(owners.clone(), false));
            InPlace::<_, _, Left>::new(Dropped(futures.clone(), panics), owner)
        };
        drop(make(false));
        assert_eq!((futures.take(), owners.take()), (1, 1));
        for panics in [false, true] {
            let mut task = pin!(make(panics));
            assert!(task.as_mut().get().is_ok());
            // Without `std` the panic unwinds from here, and the owner is dropped on its way.
            let dropped = catch_unwind(AssertUnwindSafe(|| {
                let (owner, dropped) = task.as_mut().drop_future().expect("it was not dropped");
                assert_eq!((futures.get(), owners.get()), (1, 0));
                drop(owner);
                dropped.is_ok()
            }));
            assert_eq!(dropped.unwrap_or(false), !panics);
            assert_eq!((futures.take(), owners.take()), (1, 1));
            assert!(task.as_mut().drop_future().is_none());
            assert!(matches!(task.as_mut().get(), Err(None)));
        }
        assert_eq!((futures.get(), owners.get()), (0, 0));
    }
}
