//! The wakers of a loop's first bodies: what other wakers point to is made when one of these is used.
//! Bodies that are ready at once mostly look at none, and a loop that has no others needs no memory for
//! wakers.

#![allow(unsafe_code, reason = "the engine's own: a waker that points to a place on the stack")]

use core::ptr::{self, NonNull};
use core::task::{RawWaker, RawWakerVTable, Waker};

use super::super::atomic::{AtomicPtr, Ordering};
use super::super::planted::{Bug, is_planted};
use super::super::polling::this_thread;
use super::super::slot::{Slot, group_of, place_of};
use super::{Entered, Group, Home, Ready, SlotWaker, Wakers};
use super::{address, clone_waker, first_of, new_home, wake_by_ref};

/// A loop whose bodies are polled for the first time, and their wakers.
pub(in super::super) struct Starting<'a> {
    /// Where their wakers point to; `None` until the first has stayed.
    group: Option<NonNull<Group>>,
    promise: Promise,
    ready: &'a mut Ready,
}

/// A home that is made when it is needed. It stays where it is while a waker points to it.
struct Promise {
    home: AtomicPtr<Home>,
    /// The thread that polls the loop.
    thread: Option<usize>,
    /// The place, in the first group, of the slot whose body is polled.
    place: usize,
}

impl Entered<'_> {
    /// The wakers for bodies that are started in this slot, or behind it in its group.
    #[inline]
    pub(in super::super) fn starting(&mut self, slot: Slot) -> Starting<'_> {
        let group = self.ready.home.map(|_| self.ready.group(group_of(slot)).group);
        let home = AtomicPtr::new(ptr::null_mut());
        let promise = Promise { home, thread: this_thread(), place: place_of(slot) };
        Starting { group, promise, ready: self.ready }
    }
}

impl Starting<'_> {
    /// The wakers, if there is something behind them. If not, the first is all there is: it is for one
    /// slot, and once a body has stayed there, [`Ready::begin`] makes the others.
    #[inline]
    pub(in super::super) fn wakers(&self) -> Option<Wakers<'_>> {
        // SAFETY: it is there as long as the loop is, to which we have exclusive access.
        self.group.map(|group| unsafe { Wakers::of(group) })
    }

    /// The waker of the first slot, whose body is about to be polled.
    #[inline]
    pub(in super::super) fn first_to_poll(&self) -> SlotWaker<'_> {
        let promise = &self.promise;
        if let Some(wakers) = self.wakers() {
            return wakers.waker_to_poll(promise.place);
        }
        // SAFETY: the functions of the table take it for what it is. It is never dropped, and cannot be
        // used once the promise is gone or might have moved.
        SlotWaker::new(unsafe { Waker::new(ptr::from_ref(promise).cast(), &PROMISED) })
    }

    /// [`Wakers::forget`].
    #[inline]
    pub(in super::super) fn forget(&self, slots: usize) {
        if let Some(group) = self.group.or_else(|| self.promise.made().map(first_of)) {
            // SAFETY: it is there as long as the loop is, to which we have exclusive access.
            unsafe { Wakers::of(group) }.forget(slots);
        }
    }
}

/// Also if a body panics: what was made is the loop's.
impl Drop for Starting<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(home) = self.promise.made() {
            self.ready.move_in(home);
        }
    }
}

impl Promise {
    /// The home, if somebody has needed it.
    #[inline]
    fn made(&self) -> Option<NonNull<Home>> {
        NonNull::new(self.home.load(Ordering::Acquire))
    }

    /// The address of the slot's waker, once there is a home that it can point to.
    #[cold]
    fn keep(&self) -> *const () {
        address(first_of(self.made().unwrap_or_else(|| self.make())), self.place)
    }

    /// Makes the home, unless another thread does so at the same time.
    fn make(&self) -> NonNull<Home> {
        let home = new_home();
        // As if the loop had had it when it was entered.
        // SAFETY: nobody else knows it yet.
        unsafe {
            home.as_ref().polled_on.set(self.thread);
            home.as_ref().polled.with(|polled| *polled = address(first_of(home), self.place));
        }
        if is_planted(Bug::MakesHomesTwice) {
            self.home.store(home.as_ptr(), Ordering::Release);
            return home;
        }
        let (made, seen) = (Ordering::AcqRel, Ordering::Acquire);
        let made = self.home.compare_exchange(ptr::null_mut(), home.as_ptr(), made, seen);
        let Err(others) = made else { return home };
        // SAFETY: nobody else has heard of it.
        unsafe { Home::release(home) };
        NonNull::new(others).expect("what was made is not taken back")
    }
}

/// What makes the address of a promise a waker.
static PROMISED: RawWakerVTable =
    RawWakerVTable::new(clone_promised, wake_promised, wake_promised, |_| {});

/// # Safety
///
/// `promise` is the address of a promise that is there.
unsafe fn clone_promised(promise: *const ()) -> RawWaker {
    // SAFETY: that is what the caller says.
    let waker = unsafe { &*promise.cast::<Promise>() }.keep();
    // SAFETY: its home is there, because the loop has it as soon as it can be gone otherwise.
    unsafe { clone_waker(waker) }
}

/// # Safety
///
/// As for `clone_promised`.
unsafe fn wake_promised(promise: *const ()) {
    // SAFETY: that is what the caller says.
    let waker = unsafe { &*promise.cast::<Promise>() }.keep();
    // SAFETY: as above.
    unsafe { wake_by_ref(waker) };
}
