//! A rate that several loops share, on the clock around them.

use forloop_core::types::RateLimit;
use forloop_core::{LocalTimer, Rate};

#[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
use crate::AmbientTimer;

/// A rate that several loops share: they start as many bodies per period together as one loop with that [`Rate`].
///
/// This is a handle, as an [`Arc`](std::sync::Arc) is: a clone is the same rate. A loop that is cloned shares it with its
/// clone. Pass it to [`Loop::rate`](crate::Loop::rate) in place of a `Rate`. The loops may run on any threads and on
/// different runtimes.
///
/// Loops that want to start bodies at the same time take turns. A loop that is dropped or stops returns its slot,
/// and one that is not polled misses it.
///
/// # Costs
///
/// Two allocations for the rate. For each start, a lock is held for some instructions, and no waker is called under it.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # fn main() {
/// # use forloop::{BlockOn, Timer, sim::Sim};
/// # let rt = Sim::new();
/// # rt.block_on(async {
/// use std::time::Duration;
///
/// use forloop::{Rate, SharedRate};
/// use futures_lite::future::zip;
///
/// let api = SharedRate::new(Rate::per_second(10)?);
/// let new = forloop::each(0..10).limit(5)?.rate(&api).gather(async |n| n);
/// let old = forloop::each(0..10).limit(2)?.rate(&api).gather(async |n| n);
/// // Ten per second, and each loop has five of them while both want more.
/// zip(new, old).await;
/// assert_eq!(rt.now(), Duration::from_millis(1900));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// # #[cfg(not(feature = "sim"))]
/// # fn main() {}
/// ```
#[doc(alias = "rate limiter")]
#[doc(alias = "token bucket")]
#[doc(alias = "governor")]
#[derive(Debug, Clone)]
pub struct SharedRate(forloop_core::SharedRate);

impl SharedRate {
    /// A rate that loops can share. It is measured on the clock around the first loop that starts a body with it: see
    /// [`Ambient`](crate::Ambient).
    ///
    /// Needs one of the features `smol`, `tokio`, `async-std`, `timer` and `sim`.
    #[cfg(any(feature = "tokio", feature = "timer", feature = "sim"))]
    pub fn new(rate: Rate) -> Self {
        Self::with_timer(&AmbientTimer::default(), rate)
    }

    /// A rate that is measured on the clock of `timer`, a runtime for example. Each loop waits with its own timer.
    pub fn with_timer<R>(timer: &R, rate: Rate) -> Self
    where
        R: LocalTimer + Clone + Send + Sync + 'static,
    {
        Self(forloop_core::SharedRate::new(timer, rate))
    }

    /// The rate of all loops together.
    pub fn rate(&self) -> Rate {
        self.0.rate()
    }
}

impl From<SharedRate> for RateLimit {
    fn from(shared: SharedRate) -> Self {
        shared.0.into()
    }
}

impl From<&SharedRate> for RateLimit {
    fn from(shared: &SharedRate) -> Self {
        (&shared.0).into()
    }
}
