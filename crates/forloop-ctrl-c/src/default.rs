//! The default actions of the signals, which apply while no future waits for them.
//!
//! An installed handler cannot be removed, and a program that ignored Ctrl-C from then on would be a
//! nuisance. So a second handler performs the default action while a flag is set.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_signal::Signal;
use signal_hook::flag::register_conditional_default;

/// Defers the default action of the signals as long as it exists; a future holds one while it waits.
#[derive(Debug)]
pub(crate) struct Deferred(());

struct Handlers {
    /// The number of [`Deferred`] values.
    deferred: usize,
    /// Whether the handlers are installed.
    is_installed: bool,
}

static HANDLERS: Mutex<Handlers> = Mutex::new(Handlers { deferred: 0, is_installed: false });

/// Whether the default action applies. The handler reads this flag, because it must not take a lock.
static IS_DEFAULT: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

impl Deferred {
    pub(crate) fn new(signals: &[Signal]) -> io::Result<Self> {
        let mut handlers = HANDLERS.lock().unwrap_or_else(PoisonError::into_inner);
        if !handlers.is_installed {
            for &signal in signals {
                register_conditional_default(signal as i32, IS_DEFAULT.clone())?;
            }
            handlers.is_installed = true;
        }
        handlers.deferred += 1;
        IS_DEFAULT.store(false, Ordering::SeqCst);
        Ok(Self(()))
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        let mut handlers = HANDLERS.lock().unwrap_or_else(PoisonError::into_inner);
        handlers.deferred -= 1;
        IS_DEFAULT.store(handlers.deferred == 0, Ordering::SeqCst);
    }
}
