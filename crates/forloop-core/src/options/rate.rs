//! `rate`: a limit of starts per period.

use core::error::Error;
use core::fmt;
use core::num::NonZeroU32;
use core::task::{Context, Poll};
use core::time::Duration;

use governor::clock::{Clock, FakeRelativeClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::alarm::Alarm;
use super::{ItemRule, OutcomeRule, Rule, WithRule};
use crate::{Event, Loop, StopReason, Timer};

impl<S, P, L, C> Loop<S, P, L, C> {
    /// Starts at most as many bodies per period as `rate` says, evenly spaced: at ten per second, one body every
    /// 100 ms.
    ///
    /// The rate limits starts, and the [`limit`](Self::limit) limits how many bodies run at once: both apply. A
    /// [retry](Self::retry) is a start as well. The first body starts at once. A body that starts late, because
    /// its item or its permit came late, still delays the next one by a whole interval.
    ///
    /// The loop pulls at most one item before its body may start. So it ends with its last body, or when its source
    /// fails, and not when another body might start. If the loop stops, that item is reported as not run.
    ///
    /// The algorithm is the generic cell rate algorithm (GCRA) of the crate `governor`, on the clock of `timer`.
    ///
    /// # Costs
    ///
    /// One timer for the loop, and a reading of the clock for each start.
    /// On a [worker pool](Self::on_workers) the loop's task calls the body's closure and hands the bodies out.
    /// Workers do not pull items themselves.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::error::Error;
    ///
    /// use forloop::Rate;
    ///
    /// async fn lengths<R>(runtime: &R, urls: Vec<String>) -> Result<Vec<usize>, Box<dyn Error>>
    /// where
    ///     R: forloop::Timer + Clone + 'static,
    /// {
    ///     let polite = forloop::each(urls).limit(50)?.rate(runtime, Rate::per_second(10)?);
    ///     Ok(polite.gather(async |url| url.len()).await)
    /// }
    /// ```
    #[doc(alias = "throttle")]
    pub fn rate<R: Timer + Clone + 'static>(
        self,
        timer: &R,
        rate: Rate,
    ) -> Loop<S, P, L, WithRule<C, Rated<R>>> {
        self.with_option(Rated::new(timer.clone(), rate))
    }
}

/// A number of starts per period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The time between two starts.
    interval: Duration,
    /// How many starts may come at once.
    burst: NonZeroU32,
}

/// The longest interval. The limiter's clock can count it many times over, and no program waits longer.
const LONGEST: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The last moment of the limiter's clock. It counts nanoseconds in a `u64` and stands still after some centuries.
const LAST: Duration = Duration::from_nanos(u64::MAX / 2);

impl Rate {
    /// A rate of `starts` per `period`.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if either is zero, or if the interval between two starts is longer than a year.
    pub fn new(starts: u32, period: Duration) -> Result<Self, InvalidRate> {
        let starts = NonZeroU32::new(starts).ok_or(InvalidRate)?;
        if period.is_zero() {
            return Err(InvalidRate);
        }
        // Rounded up, so that there are never more starts than that.
        let nanos = period.as_nanos().div_ceil(u128::from(starts.get()));
        let interval = u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| InvalidRate)?;
        if interval > LONGEST {
            return Err(InvalidRate);
        }
        Ok(Self { interval, burst: NonZeroU32::MIN })
    }

    /// A rate of `starts` per second.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if `starts` is zero.
    pub fn per_second(starts: u32) -> Result<Self, InvalidRate> {
        Self::new(starts, Duration::from_secs(1))
    }

    /// A rate of `starts` per minute.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if `starts` is zero.
    pub fn per_minute(starts: u32) -> Result<Self, InvalidRate> {
        Self::new(starts, Duration::from_secs(60))
    }

    /// The same rate with a burst: up to `starts` bodies may start at once, when the loop starts and after a pause.
    /// The default is 1.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if `starts` is zero, or more than the rate permits in a year.
    pub fn burst(self, starts: u32) -> Result<Self, InvalidRate> {
        let burst = NonZeroU32::new(starts).ok_or(InvalidRate)?;
        let whole = self.interval.checked_mul(starts).filter(|whole| *whole <= LONGEST);
        whole.map(|_| Self { burst, ..self }).ok_or(InvalidRate)
    }

    /// The time between two starts.
    pub fn interval(&self) -> Duration {
        self.interval
    }
}

/// The rate is zero, so that no body would ever start, or less than one start per year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRate;

impl fmt::Display for InvalidRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rate must be at least 1 start per year, in a period that is not zero")
    }
}

impl Error for InvalidRate {}

/// A limit of starts per period.
///
/// `governor` decides whether a start conforms to the rate, on a clock of its own that this option advances by hand
/// to the time of the runtime's clock. The option counts a start when it happens, and then computes the earliest
/// time of the next one. Until that time, [`poll_start`](Rule::poll_start) is pending and an alarm is set for it.
pub struct Rated<R> {
    timer: R,
    rate: Rate,
    /// Made at the first start.
    meter: Option<Meter>,
    alarm: Alarm,
}

/// Counts starts.
struct Meter {
    limiter: Limiter,
    /// The limiter's clock. It stands still between two calls of `count`.
    clock: FakeRelativeClock,
    /// The time of the first start, by the runtime's clock. The limiter's clock shows zero then.
    origin: Duration,
    /// When the next body may start, by the runtime's clock.
    next: Duration,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, FakeRelativeClock, StateInformationMiddleware>;

impl Meter {
    fn new(rate: Rate, now: Duration) -> Self {
        let clock = FakeRelativeClock::default();
        let quota = Quota::with_period(rate.interval).expect("an interval is not zero");
        let limiter = RateLimiter::direct_with_clock(quota.allow_burst(rate.burst), clock.clone());
        Self { limiter: limiter.with_middleware(), clock, origin: now, next: now }
    }

    /// Counts a start, and computes when the next one may be.
    fn count(&mut self, now: Duration) {
        let shown = Duration::from(self.clock.now());
        let passed = now.saturating_sub(self.origin).min(LAST);
        self.clock.advance(passed.saturating_sub(shown));
        // The limiter has no question without an effect: a check that succeeds counts as a start. So a second
        // check is made only when it must fail, which is when the first one has used up the burst.
        let earliest = match self.limiter.check() {
            Ok(granted) if granted.remaining_burst_capacity() > 0 => return,
            Ok(_) => self.limiter.check().err(),
            Err(not_until) => Some(not_until),
        };
        if let Some(not_until) = earliest {
            let earliest = Duration::from(not_until.earliest_possible());
            self.next = self.origin.saturating_add(earliest);
        }
    }
}

impl<R> Rated<R> {
    fn new(timer: R, rate: Rate) -> Self {
        Self { timer, rate, meter: None, alarm: Alarm::default() }
    }
}

impl<R: Timer + 'static> Rule for Rated<R> {
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.meter {
            Some(meter) => self.alarm.poll_until(&self.timer, meter.next, cx),
            None => Poll::Ready(()),
        }
    }

    fn on_event(&mut self, event: &Event) -> Option<StopReason> {
        if let Event::Started { .. } = event {
            let now = self.timer.now();
            self.meter.get_or_insert_with(|| Meter::new(self.rate, now)).count(now);
        }
        None
    }
}

impl<I, R: Timer + 'static> ItemRule<I> for Rated<R> {}
impl<T, R: Timer + 'static> OutcomeRule<T> for Rated<R> {}

impl<R: Clone> Clone for Rated<R> {
    fn clone(&self) -> Self {
        Self::new(self.timer.clone(), self.rate)
    }
}

impl<R> fmt::Debug for Rated<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rated").field("rate", &self.rate).finish_non_exhaustive()
    }
}
