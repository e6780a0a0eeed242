//! An error in a box that is an error itself.

use alloc::boxed::Box;
use core::error::Error;
use core::fmt;

/// A boxed error that implements [`Error`], which `Box<dyn Error>` does not.
///
/// It stands for the error in the box: it has its message and its [`source`](Error::source). Where it is the error of
/// a body, the source of the [`LoopError`](crate::LoopError) is the error in the box itself, which `downcast_ref` finds there.
#[derive(Debug)]
pub struct BoxError(pub Box<dyn Error + Send + Sync>);

impl fmt::Display for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for BoxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Returns what is in the box, if the error is a [`BoxError`], so that a chain of sources has each error once.
pub(crate) fn unboxed<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    match error.downcast_ref() {
        Some(BoxError(inner)) => &**inner,
        None => error,
    }
}
