//! A rate that several loops share.

use std::boxed::Box;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Rate;
use super::schedule::Schedule;
use crate::LocalTimer;

/// A rate that several loops share: they start as many bodies per period together as one loop with that [`Rate`].
///
/// This is a handle, as an [`Arc`] is: a clone is the same rate. A loop that is cloned shares it with its clone. Pass
/// it to [`Loop::rate`](crate::Loop::rate) in place of a `Rate`. The loops may run on any threads and on different
/// runtimes.
///
/// Loops that want to start bodies at the same time take turns. A loop that is dropped or stops returns its slot,
/// and one that is not polled misses it.
///
/// # Costs
///
/// One allocation for the rate. For each start, a lock is held for some instructions, and no waker is called under it.
///
/// # Examples
///
/// ```
/// # use forloop_core as forloop;
/// use forloop::{Rate, SharedRate};
/// use futures_lite::future::zip;
///
/// async fn fetch_all<R>(clock: &R, new: &[String], old: &[String]) -> Result<(), Box<dyn std::error::Error>>
/// where
///     R: forloop::Timer + Clone + Send + Sync + 'static,
/// {
///     let api = SharedRate::new(clock, Rate::per_second(10)?);
///     let new = forloop::each(new).limit(5)?.timer(clock).rate(&api);
///     let old = forloop::each(old).limit(2)?.timer(clock).rate(&api);
///     // Ten per second, and each loop has five of them while both want more.
///     zip(new.gather(async |url| url.len()), old.gather(async |url| url.len())).await;
///     Ok(())
/// }
/// ```
#[doc(alias = "rate limiter")]
#[doc(alias = "token bucket")]
#[doc(alias = "governor")]
#[derive(Clone)]
pub struct SharedRate {
    shared: Arc<Shared>,
}

struct Shared {
    rate: Rate,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    schedule: Mutex<Schedule>,
}

impl SharedRate {
    /// A rate that loops can share. It is measured on the clock of `timer`, a runtime for example; each loop waits with
    /// its own timer. `forloop::SharedRate::new` needs no timer.
    pub fn new<R: LocalTimer + Clone + Send + Sync + 'static>(timer: &R, rate: Rate) -> Self {
        let timer = timer.clone();
        let clock = Box::new(move || timer.now_local());
        Self { shared: Arc::new(Shared { rate, clock, schedule: Mutex::new(Schedule::new(rate)) }) }
    }

    /// The rate of all loops together.
    pub fn rate(&self) -> Rate {
        self.shared.rate
    }

    pub(super) fn now(&self) -> Duration {
        (self.shared.clock)()
    }

    pub(super) fn with<T>(&self, call: impl FnOnce(&mut Schedule) -> T) -> T {
        // Nothing panics while it is locked.
        call(&mut self.shared.schedule.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for SharedRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRate").field("rate", &self.shared.rate).finish_non_exhaustive()
    }
}
