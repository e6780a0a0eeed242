//! The system's clock, for loops on any thread and in any executor.
//!
//! Time-outs and deadlines need a [`Timer`] and nothing else. [`SystemTimer`] is one without a runtime: any
//! thread with any `block_on` can use it. Its timers are those of [async-io](https://docs.rs/async-io),
//! which starts one thread for the whole program with the first timer.

#![forbid(unsafe_code)]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use forloop_core::Timer;

/// The system's monotonic clock, and timers on it that need no runtime.
///
/// A timer never fires early, and usually fires some microseconds late. It costs an entry in an ordered map:
/// inserting and removing it take logarithmic time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use forloop_core::{Outcome, Timer, each};
/// use forloop_timer::SystemTimer;
///
/// let slow = each([1, 60_000]).unbounded().timeout(&SystemTimer, Duration::from_secs(1));
/// let slow = slow.settle(async |ms| {
///     SystemTimer.sleep(Duration::from_millis(ms)).await;
///     Ok::<_, std::io::Error>(ms)
/// });
/// let slow = futures_lite::future::block_on(slow);
/// assert!(matches!(slow[..], [Outcome::Ok(1), Outcome::TimedOut]));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTimer;

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
