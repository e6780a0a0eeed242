//! Panics as values: caught where a body runs, and resumed in the task that awaits it.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::any::Any;
use core::fmt;

use crate::single::Single;

/// The panic of a body.
///
/// Dropping it drops the payload, and catches the panic of a payload that panics when it is dropped.
///
/// Two panics are equal if they have the same message. One without a message equals no other, because nothing is known
/// of its payload.
pub struct Panic(Box<Caught>);

struct Caught {
    /// The message in the payload, read when the panic was caught.
    message: Option<Cow<'static, str>>,
    /// A payload need not be `Sync`, so there is no access by reference: the owner of the panic takes it
    /// out. This makes `Panic` and outcomes `Sync`.
    payload: Single<Box<dyn Any + Send>>,
}

impl Drop for Caught {
    fn drop(&mut self) {
        let Some(payload) = self.payload.take() else { return };
        // A payload may panic when it is dropped. Where a panic is dropped, that would stop a loop or a thread
        // instead of the panic that counts.
        if let Err(panic) = catch(|| drop(payload)) {
            // The new payload may do the same, and so on without end.
            core::mem::forget(panic.into_payload());
        }
    }
}

impl Panic {
    /// Returns the panic's message, if it has one, as that of `panic!("...")` does.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the payload, as `std::panic::catch_unwind` does.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload.take().expect("a payload is taken out once")
    }

    /// Resumes the panic on the current thread, with its own payload.
    ///
    /// # Panics
    ///
    /// Always.
    pub fn resume(self) -> ! {
        #[cfg(feature = "std")]
        std::panic::resume_unwind(self.into_payload());
        // Without std no panic is caught, so this one was made by hand.
        #[cfg(not(feature = "std"))]
        panic!("{}", self.message().unwrap_or("a body panicked"));
    }

    /// Resumes the panic, unless the thread is panicking already: a second panic would abort the process.
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
        Self(Box::new(Caught { message, payload: Single::of(payload) }))
    }
}

impl PartialEq for Panic {
    fn eq(&self, other: &Self) -> bool {
        self.message().is_some() && self.message() == other.message()
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

/// Calls `f`, and catches its panic. Without `std` panics are not caught.
///
/// `AssertUnwindSafe` is justified as follows. A future or source that panicked inside `f` is dropped and
/// never polled again, so its broken state is not observed. The closure of a body is called again only where
/// panics are outcomes, which its user has chosen.
#[inline(always)]
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Panic> {
    #[cfg(feature = "std")]
    return std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(Panic::from);
    #[cfg(not(feature = "std"))]
    return Ok(f());
}
