//! The wakers of a loop's first bodies: what other wakers point to is made when one of these is used.
//! Bodies that are ready at once mostly look at none, and a loop that has no others needs no memory for
//! wakers.

#![allow(unsafe_code, reason = "the engine's own: a waker that points to a place on the stack")]

use core::ptr::{self, NonNull};
use core::task::{RawWaker, RawWakerVTable, Waker};

use super::super::atomic::{AtomicPtr, Ordering};
use super::super::mutations::{Mutation, is_mutated};
use super::super::polling::this_thread;
use super::super::slot::{Slot, chunk_of, offset_of};
use super::{PollGuard, ReadyQueue, Shared, SlotWaker, WakerChunk, Wakers};
use super::{address, clone_waker, first_of, new_shared, wake_by_ref};

/// A loop whose bodies are polled for the first time, and their wakers.
pub(in super::super) struct FirstPoll<'a> {
    /// Where their wakers point to; `None` until the first has stayed.
    chunk: Option<NonNull<WakerChunk>>,
    lazy_waker: LazyWaker,
    ready: &'a mut ReadyQueue,
}

/// A home that is made when it is needed. It stays where it is while a waker points to it.
struct LazyWaker {
    shared: AtomicPtr<Shared>,
    /// The thread that polls the loop.
    thread: Option<usize>,
    /// The place, in the first group, of the slot whose body is polled.
    offset: usize,
}

impl PollGuard<'_> {
    /// The wakers for bodies that are started in this slot, or behind it in its group.
    #[inline]
    pub(in super::super) fn first_poll(&mut self, slot: Slot) -> FirstPoll<'_> {
        let chunk = self.ready.shared.map(|_| self.ready.chunk(chunk_of(slot)).chunk);
        let shared = AtomicPtr::new(ptr::null_mut());
        let lazy_waker = LazyWaker { shared, thread: this_thread(), offset: offset_of(slot) };
        FirstPoll { chunk, lazy_waker, ready: self.ready }
    }
}

impl FirstPoll<'_> {
    /// The wakers, if there is something behind them. If not, the first is all there is: it is for one
    /// slot, and once a body has stayed there, [`ReadyQueue::begin`] makes the others.
    #[inline]
    pub(in super::super) fn wakers(&self) -> Option<Wakers<'_>> {
        // SAFETY: it is there as long as the loop is, to which we have exclusive access.
        self.chunk.map(|chunk| unsafe { Wakers::of(chunk) })
    }

    /// The waker of the first slot, whose body is about to be polled.
    #[inline]
    pub(in super::super) fn first_to_poll(&self) -> SlotWaker<'_> {
        let lazy_waker = &self.lazy_waker;
        if let Some(wakers) = self.wakers() {
            return wakers.waker_to_poll(lazy_waker.offset);
        }
        // SAFETY: the functions of the table take it for what it is. It is never dropped, and cannot be
        // used once the promise is gone or might have moved.
        SlotWaker::new(unsafe { Waker::new(ptr::from_ref(lazy_waker).cast(), &LAZY_VTABLE) })
    }

    /// [`Wakers::forget`].
    #[inline]
    pub(in super::super) fn forget(&self, slots: usize) {
        if let Some(chunk) = self.chunk.or_else(|| self.lazy_waker.made().map(first_of)) {
            // SAFETY: it is there as long as the loop is, to which we have exclusive access.
            unsafe { Wakers::of(chunk) }.forget(slots);
        }
    }
}

/// Also if a body panics: what was made is the loop's.
impl Drop for FirstPoll<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.lazy_waker.made() {
            self.ready.move_in(shared);
        }
    }
}

impl LazyWaker {
    /// The home, if somebody has needed it.
    #[inline]
    fn made(&self) -> Option<NonNull<Shared>> {
        NonNull::new(self.shared.load(Ordering::Acquire))
    }

    /// The address of the slot's waker, once there is a home that it can point to.
    #[cold]
    fn keep(&self) -> *const () {
        address(first_of(self.made().unwrap_or_else(|| self.make())), self.offset)
    }

    /// Makes the home, unless another thread does so at the same time.
    fn make(&self) -> NonNull<Shared> {
        let shared = new_shared();
        // As if the loop had had it when it was entered.
        // SAFETY: nobody else knows it yet.
        unsafe {
            shared.as_ref().polled_on.set(self.thread);
            shared.as_ref().polled.with(|polled| *polled = address(first_of(shared), self.offset));
        }
        if is_mutated(Mutation::MakesSharedTwice) {
            self.shared.store(shared.as_ptr(), Ordering::Release);
            return shared;
        }
        let (made, seen) = (Ordering::AcqRel, Ordering::Acquire);
        let made = self.shared.compare_exchange(ptr::null_mut(), shared.as_ptr(), made, seen);
        let Err(others) = made else { return shared };
        // SAFETY: nobody else has heard of it.
        unsafe { Shared::release(shared) };
        NonNull::new(others).expect("what was made is not taken back")
    }
}

/// What makes the address of a promise a waker.
static LAZY_VTABLE: RawWakerVTable = RawWakerVTable::new(clone_lazy, wake_lazy, wake_lazy, |_| {});

/// # Safety
///
/// `lazy_waker` is the address of a promise that is there.
unsafe fn clone_lazy(lazy_waker: *const ()) -> RawWaker {
    // SAFETY: that is what the caller says.
    let waker = unsafe { &*lazy_waker.cast::<LazyWaker>() }.keep();
    // SAFETY: its home is there, because the loop has it as soon as it can be gone otherwise.
    unsafe { clone_waker(waker) }
}

/// # Safety
///
/// As for `clone_lazy`.
unsafe fn wake_lazy(lazy_waker: *const ()) {
    // SAFETY: that is what the caller says.
    let waker = unsafe { &*lazy_waker.cast::<LazyWaker>() }.keep();
    // SAFETY: as above.
    unsafe { wake_by_ref(waker) };
}
