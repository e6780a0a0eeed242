//! Which loop this thread is polling a body of: a wake from within that body needs no atomics.

/// Until what this returns is dropped, this thread polls bodies of the loop known by `address`.
#[inline]
pub(super) fn polling(address: *const ()) -> Polling {
    Polling { outer: thread::replace(address) }
}

/// The loop of which this thread is polling a body: the innermost.
#[inline]
pub(super) fn polled() -> *const () {
    thread::current()
}

/// This thread is polling a body. Also if that panics, this is dropped: a loop that is not being
/// polled never seems to be.
pub(super) struct Polling {
    /// The loop that was polled before: a body may run a loop of its own. Not `Send`, as is this.
    outer: *const (),
}

impl Drop for Polling {
    #[inline]
    fn drop(&mut self) {
        thread::replace(self.outer);
    }
}

#[cfg(all(feature = "std", not(forloop_loom)))]
mod thread {
    use core::cell::Cell;
    use core::ptr;

    std::thread_local! {
        static POLLED: Cell<*const ()> = const { Cell::new(ptr::null()) };
    }

    #[inline]
    pub(super) fn replace(address: *const ()) -> *const () {
        POLLED.replace(address)
    }

    #[inline]
    pub(super) fn current() -> *const () {
        POLLED.get()
    }
}

#[cfg(all(feature = "std", forloop_loom))]
mod thread {
    use core::cell::Cell;
    use core::ptr;

    loom::thread_local! {
        static POLLED: Cell<*const ()> = Cell::new(ptr::null());
    }

    pub(super) fn replace(address: *const ()) -> *const () {
        POLLED.with(|polled| polled.replace(address))
    }

    pub(super) fn current() -> *const () {
        POLLED.with(Cell::get)
    }
}

// Without std no thread knows what it polls: every wake takes the way of those from elsewhere.
#[cfg(not(feature = "std"))]
mod thread {
    use core::ptr;

    pub(super) fn replace(_address: *const ()) -> *const () {
        ptr::null()
    }

    pub(super) fn current() -> *const () {
        ptr::null()
    }
}
