//! The system's clock, for loops on any thread and in any executor.
//!
//! Time-outs and deadlines need a [`Timer`] and nothing else. [`SystemTimer`] is one without a runtime: any
//! thread with any `block_on` can use it. Its timers are those of [async-io](https://docs.rs/async-io),
//! which starts one thread for the whole program with the first timer.

#![forbid(unsafe_code)]

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use std::{io, thread};

use forloop_core::Timer;
use polling::Poller;

/// The system's monotonic clock, and timers on it that need no runtime.
///
/// A timer never fires early, and usually fires some microseconds late. It costs an entry in an ordered map:
/// inserting and removing it take logarithmic time.
///
/// # Panics
///
/// The first timer of a program panics when it is polled, with async-io's message, if the system refuses the thread or
/// the file descriptors. [`SystemTimer::start`] returns that as an error.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use forloop_core::{Outcome, Timer, each};
/// use forloop_timer::SystemTimer;
///
/// let slow = each([1, 60_000]).unbounded().timer(&SystemTimer).timeout(Duration::from_secs(1));
/// let slow = slow.settle(async |ms| {
///     SystemTimer.sleep(Duration::from_millis(ms)).await;
///     Ok::<_, std::io::Error>(ms)
/// });
/// let slow = futures_lite::future::block_on(slow);
/// assert!(matches!(slow[..], [Outcome::Ok(1), Outcome::TimedOut]));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTimer;

impl SystemTimer {
    /// Starts what the program's timers share: a thread of async-io's, and two or three file descriptors.
    ///
    /// Without it the first timer starts them. Call it early where too few descriptors may be left: no timer can fail
    /// later. A second call has no effect.
    ///
    /// # Errors
    ///
    /// Returns the error of the system if it refuses the thread or the descriptors. A later call tries again.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// forloop_timer::SystemTimer::start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start() -> io::Result<()> {
        static STARTED: OnceLock<()> = OnceLock::new();
        if STARTED.get().is_none() {
            // async-io panics if it is refused these, so they are requested and released here first. Another thread
            // may take the last descriptor between the two; there is no call of async-io's that would return an error.
            drop(Poller::new()?);
            let probe = thread::Builder::new().spawn(|| ())?;
            probe.join().expect("a thread that does nothing does not panic");
            let first = pin!(async_io::Timer::after(Duration::from_secs(1)));
            let _pending = first.poll(&mut Context::from_waker(Waker::noop()));
            STARTED.get_or_init(|| ());
        }
        Ok(())
    }
}

impl Timer for SystemTimer {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let timer = async_io::Timer::after(duration);
        async move {
            timer.await;
        }
    }

    /// Returns the time since the first call in this program.
    fn now(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }
}
