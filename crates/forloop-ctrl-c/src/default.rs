//! The default actions of the signals, which apply while no future waits for them.
//!
//! An installed handler cannot be removed, and a program that ignored Ctrl-C from then on would be a
//! nuisance. So a second handler performs the default action while a flag is set.
//!
//! A signal that the program ignored when it started is still ignored then, and has no second handler. `nohup`,
//! and a shell that starts a program in the background, ignore signals for the programs that they start.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::{fs, io};

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
            let ignored = Ignored::now()?;
            for &signal in signals.iter().filter(|&&signal| !ignored.contains(signal)) {
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

/// The signals that the program ignores.
struct Ignored {
    /// A bit for each signal; signal 1 has the lowest.
    mask: u64,
}

impl Ignored {
    /// Reads them from Linux's file on this process: the system call that returns them is not safe to use from Rust.
    /// On other systems the set is empty.
    fn now() -> io::Result<Self> {
        if !cfg!(any(target_os = "linux", target_os = "android")) {
            return Ok(Self { mask: 0 });
        }
        match fs::read_to_string("/proc/self/status") {
            Ok(status) => {
                let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
                let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
                Ok(Self { mask: mask.unwrap_or(0) })
            }
            // The program runs where that file system is not mounted, or may not be read.
            Err(error) if is_absence(&error) => Ok(Self { mask: 0 }),
            Err(error) => Err(error),
        }
    }

    fn contains(&self, signal: Signal) -> bool {
        self.mask & 1 << (signal as i32 - 1) != 0
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
}
