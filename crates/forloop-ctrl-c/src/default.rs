//! What the signals do by default, while nobody waits for them.
//!
//! A handler that was installed stays, and a program that ignores Ctrl-C for the rest of its life is a nuisance.
//! So there is one more handler, which does what would have been done without any, while a flag says so.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_signal::Signal;
use signal_hook::flag::register_conditional_default;

/// Who waits for a signal: while there is one, its default is deferred.
#[derive(Debug)]
pub(crate) struct Deferred(());

struct Waiting {
    /// How many wait; read and written by nobody else meanwhile.
    many: usize,
    /// Whether the handlers are there.
    has_begun: bool,
}

static WAITING: Mutex<Waiting> = Mutex::new(Waiting { many: 0, has_begun: false });

/// What the handler reads, which may not take a lock.
static NOBODY_WAITS: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

impl Deferred {
    pub(crate) fn new(signals: &[Signal]) -> io::Result<Self> {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.has_begun {
            for &signal in signals {
                register_conditional_default(signal as i32, NOBODY_WAITS.clone())?;
            }
            waiting.has_begun = true;
        }
        waiting.many += 1;
        NOBODY_WAITS.store(false, Ordering::SeqCst);
        Ok(Self(()))
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.many -= 1;
        NOBODY_WAITS.store(waiting.many == 0, Ordering::SeqCst);
    }
}
