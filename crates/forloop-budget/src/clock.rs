//! The clock of the system, of a test, or none.

#[cfg(not(feature = "std"))]
pub(crate) use self::none::Instant;
#[cfg(feature = "simulation")]
pub(crate) use self::simulated::Instant;
#[cfg(feature = "simulation")]
pub use self::simulated::{follow_system, set_time};
#[cfg(all(feature = "std", not(feature = "simulation")))]
pub(crate) use self::system::Instant;

/// A clock that stands still.
#[cfg(any(not(feature = "std"), all(target_family = "wasm", target_os = "unknown")))]
mod none {
    use core::time::Duration;

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Instant;

    impl Instant {
        pub(crate) fn now() -> Self {
            Self
        }

        pub(crate) fn elapsed(self) -> Duration {
            Duration::ZERO
        }
    }
}

#[cfg(feature = "std")]
mod system {
    // In a browser, the standard library has a clock that panics.
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    pub(crate) use super::none::Instant;
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    pub(crate) use std::time::Instant;
}

#[cfg(feature = "simulation")]
mod simulated {
    use core::cell::Cell;
    use core::sync::atomic::{AtomicBool, Ordering};
    use core::time::Duration;

    use super::system;

    static FOLLOWS_SYSTEM: AtomicBool = AtomicBool::new(false);

    std::thread_local! {
        static TIME: Cell<Option<Duration>> = const { Cell::new(Some(Duration::ZERO)) };
    }

    /// Sets the time of this thread's clock, which stands still otherwise. `None` is the time of the system.
    pub fn set_time(time: Option<Duration>) {
        TIME.set(time);
    }

    /// Has the clocks of all threads show the time of the system from now on: for a program that measures time.
    pub fn follow_system() {
        FOLLOWS_SYSTEM.store(true, Ordering::Relaxed);
    }

    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Instant {
        Set(Duration),
        System(system::Instant),
    }

    impl Instant {
        pub(crate) fn now() -> Self {
            match TIME.get() {
                Some(time) if !FOLLOWS_SYSTEM.load(Ordering::Relaxed) => Self::Set(time),
                _ => Self::System(system::Instant::now()),
            }
        }

        pub(crate) fn elapsed(self) -> Duration {
            match self {
                Self::Set(then) => TIME.get().unwrap_or(then).saturating_sub(then),
                Self::System(then) => then.elapsed(),
            }
        }
    }
}
