//! The system's clock, for loops on any thread and in any executor.
//!
//! Time-outs and deadlines ask for a [`Timer`] and for nothing else. [`SystemTimer`] is one that needs no
//! runtime: a thread, a `block_on` of any kind, and this. Its timers are
//! [async-io](https://docs.rs/async-io)'s, whose one thread for the whole program starts with the first.

#![forbid(unsafe_code)]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use forloop_core::Timer;

/// The system's monotonic clock, and timers on it that need no runtime.
///
/// A timer is ready no earlier than it was told, and some microseconds later as a rule. It costs an entry in
/// an ordered map, and two more steps of its size.
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

    /// The time since the first call in this program.
    fn now(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }
}
