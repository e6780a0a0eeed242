//! Panics as values: caught where a body runs, carried, and raised again in whoever awaits.

use alloc::boxed::Box;
use alloc::string::String;
use core::any::Any;
use core::fmt;

/// What a body panicked with.
pub struct Panic(Box<dyn Any + Send>);

impl Panic {
    /// Returns the panic's message, where it has one (`panic!("...")` does).
    pub fn message(&self) -> Option<&str> {
        let text = self.0.downcast_ref::<&'static str>().copied();
        text.or_else(|| self.0.downcast_ref::<String>().map(String::as_str))
    }

    /// Returns the payload, as `std::panic::catch_unwind` would have.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0
    }

    /// Goes on with the panic in the current thread, with its own payload.
    ///
    /// # Panics
    ///
    /// Always: that is its purpose.
    pub fn resume(self) -> ! {
        #[cfg(feature = "std")]
        std::panic::resume_unwind(self.0);
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
        Self(payload)
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
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Panic> {
    #[cfg(feature = "std")]
    return std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(Panic);
    #[cfg(not(feature = "std"))]
    return Ok(f());
}
