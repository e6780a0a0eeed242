//! Panics as values: caught where a body runs, carried, and raised again in whoever awaits.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::any::Any;
use core::fmt;

use concurrent_queue::ConcurrentQueue;

/// What a body panicked with.
pub struct Panic(Box<Caught>);

struct Caught {
    /// Read from the payload when it was caught.
    message: Option<Cow<'static, str>>,
    /// A payload need not be `Sync`, so nobody gets a reference to it: whoever owns the panic takes
    /// it out. So outcomes can be shared between threads.
    payload: ConcurrentQueue<Box<dyn Any + Send>>,
}

impl Panic {
    /// Returns the panic's message, where it has one (`panic!("...")` does).
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the payload, as `std::panic::catch_unwind` would have.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload.pop().expect("a payload is taken out once")
    }

    /// Goes on with the panic in the current thread, with its own payload.
    ///
    /// # Panics
    ///
    /// Always: that is its purpose.
    pub fn resume(self) -> ! {
        #[cfg(feature = "std")]
        std::panic::resume_unwind(self.into_payload());
        // Without std nothing catches a panic, so there is none to resume but a hand-made one.
        #[cfg(not(feature = "std"))]
        panic!("{}", self.message().unwrap_or("a body panicked"));
    }

    /// Goes on with the panic, unless the thread is on its way down already: a second one would
    /// end the program.
    pub(crate) fn resume_unless_panicking(self) {
        #[cfg(feature = "std")]
        if std::thread::panicking() {
            return;
        }
        self.resume();
    }
}

impl From<Box<dyn Any + Send>> for Panic {
    fn from(payload: Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&'static str>().copied().map(Cow::Borrowed);
        let message = text.or_else(|| payload.downcast_ref::<String>().cloned().map(Cow::Owned));
        let queue = ConcurrentQueue::bounded(1);
        let has_room = queue.push(payload).is_ok();
        debug_assert!(has_room, "nothing was in it");
        Self(Box::new(Caught { message, payload: queue }))
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message().unwrap_or("..")).finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            Some(message) => write!(f, "panicked: {message}"),
            None => f.write_str("panicked"),
        }
    }
}

/// Calls `f`, and catches its panic where there is a std to catch it with.
///
/// Of what `f` touched, a future or a source that panicked is dropped and never polled again. A body's
/// closure is called again where panics are outcomes: that is what its owner has asked for.
#[inline(always)]
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Panic> {
    #[cfg(feature = "std")]
    return std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(Panic::from);
    #[cfg(not(feature = "std"))]
    return Ok(f());
}
