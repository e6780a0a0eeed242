//! `rate`: so many starts per period.

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
    /// Begins at most so many bodies per period, evenly spaced: at ten per second, one body each 100 ms.
    ///
    /// The rate is one of starts, and has nothing to do with how many run at once: that is for the
    /// [`limit`](Self::limit). Another [attempt](Self::retry) is a start as well. The first body begins at once; a body
    /// that begins late, because its item or its place came late, lets none behind it begin earlier than a whole
    /// interval after it. No item is pulled before its body may begin.
    ///
    /// Known as the generic cell rate algorithm (GCRA), here as the crate `governor` computes it, by the clock of
    /// `timer`.
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
    /// Between two starts.
    interval: Duration,
    burst: NonZeroU32,
}

/// Longer intervals are none that a program waits for, and shorter ones are what the clock of a rate can count.
const LONGEST: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// Where the limiter's clock stands still, after some centuries: it counts nanoseconds.
const LAST: Duration = Duration::from_nanos(u64::MAX / 2);

impl Rate {
    /// So many starts per `period`.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if either is zero, or if that makes an interval between two starts of more than a year.
    pub fn new(starts: u32, period: Duration) -> Result<Self, InvalidRate> {
        let starts = NonZeroU32::new(starts).ok_or(InvalidRate)?;
        if period.is_zero() {
            return Err(InvalidRate);
        }
        // Never more than that many: so it is rounded up.
        let nanos = period.as_nanos().div_ceil(u128::from(starts.get()));
        let interval = u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| InvalidRate)?;
        if interval > LONGEST {
            return Err(InvalidRate);
        }
        Ok(Self { interval, burst: NonZeroU32::MIN })
    }

    /// So many starts per second.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if that is zero.
    pub fn per_second(starts: u32) -> Result<Self, InvalidRate> {
        Self::new(starts, Duration::from_secs(1))
    }

    /// So many starts per minute.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if that is zero.
    pub fn per_minute(starts: u32) -> Result<Self, InvalidRate> {
        Self::new(starts, Duration::from_secs(60))
    }

    /// The same rate, in which up to `starts` may come at once after a while without any; and at the beginning.
    /// Without this it is one.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if that is zero, or more than come in a year.
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

/// A rate of zero, at which no body would ever begin, or one of less than one start a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRate;

impl fmt::Display for InvalidRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rate is at least 1 start in a period that is not zero, and one start a year")
    }
}

impl Error for InvalidRate {}

/// How many bodies may begin per period.
pub struct Rated<R> {
    timer: R,
    rate: Rate,
    /// Made when the first body may begin.
    meter: Option<Meter>,
    alarm: Alarm,
}

/// Counts starts.
struct Meter {
    limiter: Limiter,
    /// What the limiter takes for the time: moved on by hand, so that it stands still while it is asked.
    clock: FakeRelativeClock,
    origin: Duration,
    /// When the next body may begin, by the runtime's clock.
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

    /// Counts a start.
    fn count(&mut self, now: Duration) {
        let shown = Duration::from(self.clock.now());
        let passed = now.saturating_sub(self.origin).min(LAST);
        self.clock.advance(passed.saturating_sub(shown));
        // Whether the next may begin at once must not be asked: the answer would count as a start.
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
    fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<()> {
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
