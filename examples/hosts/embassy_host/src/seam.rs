//! embassy's clock as a timer of loops.

use std::time::Duration;

use embassy_time::Instant;
use forloop::Timer;

/// The clock of `embassy-time`, with any driver. Its timers work only in tasks of embassy's executor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Embassy;

impl Timer for Embassy {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        // Rounded up to whole ticks. A time beyond the range of the clock never comes.
        let ticks = duration.as_nanos().saturating_mul(embassy_time::TICK_HZ.into());
        let ticks = u64::try_from(ticks.div_ceil(1_000_000_000)).unwrap_or(u64::MAX);
        let due = Instant::now().as_ticks().saturating_add(ticks);
        embassy_time::Timer::at(Instant::from_ticks(due))
    }

    fn now(&self) -> Duration {
        Instant::now().duration_since(Instant::MIN).into()
    }
}
