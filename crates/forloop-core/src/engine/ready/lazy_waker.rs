//! The waker of a loop's first body, before there is anything for wakers to point to.
//!
//! Many loops never have a pending body: each body is ready at its first poll and never looks at its
//! waker. Such a loop should allocate nothing. So the first body is polled with a waker whose data is the
//! address of a [`LazyWaker`] on the stack of the poll. Cloning or waking it makes the [`Shared`] of
//! the loop and continues with the ordinary waker of the slot; if the body does neither, nothing is made.
//!
//! A body may lend its waker to other threads for the duration of the poll, so two threads may use it
//! at once. Each makes a `Shared` and installs it by compare-exchange from null. The loser releases its own
//! and takes the winner's, so all clones have the same data. The thread that polls and the slot that is
//! polled are recorded in the new `Shared` before it is installed, as if the loop had had it when it was
//! entered. So a wake by the polling thread takes the owner's path and counts as a yield.
//!
//! The address is valid as long as it is reachable: the borrowed waker ends with the poll, and a clone of
//! it is an ordinary waker. [`FirstPoll`] hands what was made to the loop when it is dropped, also if the
//! body panics. If the body is pending and nothing was made, [`ReadyQueue::begin`] makes it, before the
//! second body is started.

#![allow(unsafe_code, reason = "a waker that points to the stack of its poll")]

use core::ptr::{self, NonNull};
use core::task::{RawWaker, RawWakerVTable, Waker};

use super::super::atomic::{AtomicPtr, Ordering};
use super::super::mutations::{Mutation, is_mutated};
use super::super::polling::{ThreadId, this_thread};
use super::super::slot::{Slot, number_of, offset_of};
use super::waker::{
    Shared, SlotWaker, WakerChunk, Wakers, address, clone_waker, wake_by_ref as wake_slot,
};
use super::{PollGuard, ReadyQueue};

/// A loop whose bodies are being polled for the first time, and their wakers.
pub(in super::super) struct FirstPoll<'a> {
    /// What their wakers point to; `None` until a body is pending.
    chunk: Option<NonNull<WakerChunk>>,
    lazy_waker: LazyWaker,
    ready: &'a mut ReadyQueue,
}

/// A [`Shared`] that is made when it is needed. It does not move while a waker points to it.
struct LazyWaker {
    shared: AtomicPtr<Shared>,
    /// The thread that polls the loop.
    thread: Option<ThreadId>,
    /// The offset, in the first chunk, of the slot whose body is polled.
    offset: usize,
}

impl PollGuard<'_> {
    /// The wakers for bodies that are started in this slot, or behind it in its chunk.
    #[inline]
    pub(in super::super) fn first_poll(&mut self, slot: Slot) -> FirstPoll<'_> {
        let chunk = self.ready.shared.map(|_| self.ready.chunk(number_of(slot)).chunk);
        let shared = AtomicPtr::new(ptr::null_mut());
        let lazy_waker = LazyWaker { shared, thread: this_thread(), offset: offset_of(slot) };
        FirstPoll { chunk, lazy_waker, ready: self.ready }
    }
}

impl FirstPoll<'_> {
    /// The wakers of the chunk, if it has some. Otherwise there is the waker of the first slot only.
    #[inline]
    pub(in super::super) fn wakers(&self) -> Option<Wakers<'_>> {
        // SAFETY: the chunk is alive as long as the loop is, to which we have exclusive access.
        self.chunk.map(|chunk| unsafe { Wakers::of(chunk) })
    }

    /// The waker of the first slot, whose body is about to be polled.
    #[inline]
    pub(in super::super) fn first_to_poll(&self) -> SlotWaker<'_> {
        let lazy_waker = &self.lazy_waker;
        if let Some(wakers) = self.wakers() {
            return wakers.waker_to_poll(lazy_waker.offset);
        }
        // SAFETY: the functions of the table take this data. The waker is never dropped, and borrows from
        // `self`, so the data does not move meanwhile.
        SlotWaker::new(unsafe { Waker::new(ptr::from_ref(lazy_waker).cast(), &LAZY_VTABLE) })
    }

    /// [`Wakers::forget`].
    #[inline]
    pub(in super::super) fn forget(&self, slots: usize) {
        if let Some(chunk) = self.chunk.or_else(|| self.lazy_waker.made().map(Shared::first_chunk))
        {
            // SAFETY: the chunk is alive as long as the loop is, to which we have exclusive access.
            unsafe { Wakers::of(chunk) }.forget(slots);
        }
    }
}

/// Also runs if a body panics: what was made belongs to the loop.
impl Drop for FirstPoll<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.lazy_waker.made() {
            self.ready.adopt(shared);
        }
    }
}

impl LazyWaker {
    /// What was made, if a thread has needed it.
    #[inline]
    fn made(&self) -> Option<NonNull<Shared>> {
        NonNull::new(self.shared.load(Ordering::Acquire))
    }

    /// The data of the slot's ordinary waker, after making what it points to.
    #[cold]
    fn upgrade(&self) -> *const () {
        address(Shared::first_chunk(self.made().unwrap_or_else(|| self.make())), self.offset)
    }

    /// Makes what the waker points to, unless another thread does so at the same time.
    fn make(&self) -> NonNull<Shared> {
        let shared = Shared::new();
        let polled = address(Shared::first_chunk(shared), self.offset);
        // SAFETY: nothing else has its address yet.
        unsafe {
            shared.as_ref().polled_on.set(self.thread);
            shared.as_ref().polled.with(|slot| *slot = polled);
        }
        if is_mutated(Mutation::MakesSharedTwice) {
            self.shared.store(shared.as_ptr(), Ordering::Release);
            return shared;
        }
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let installed =
            self.shared.compare_exchange(ptr::null_mut(), shared.as_ptr(), success, failure);
        let Err(winner) = installed else { return shared };
        // SAFETY: nothing else has its address.
        unsafe { Shared::release_loop(shared) };
        NonNull::new(winner).expect("what was installed stays installed")
    }
}

/// The table of wakers whose data is the address of a `LazyWaker`.
static LAZY_VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake_by_ref, wake_by_ref, |_| {});

/// # Safety
///
/// `lazy_waker` is the address of a `LazyWaker` that is alive.
unsafe fn clone(lazy_waker: *const ()) -> RawWaker {
    // SAFETY: the caller ensures it.
    let waker = unsafe { &*lazy_waker.cast::<LazyWaker>() }.upgrade();
    // SAFETY: what it points to is alive: the loop takes it over before the `LazyWaker` is dropped.
    unsafe { clone_waker(waker) }
}

/// # Safety
///
/// As for `clone`.
unsafe fn wake_by_ref(lazy_waker: *const ()) {
    // SAFETY: the caller ensures it.
    let waker = unsafe { &*lazy_waker.cast::<LazyWaker>() }.upgrade();
    // SAFETY: as in `clone`.
    unsafe { wake_slot(waker) };
}
