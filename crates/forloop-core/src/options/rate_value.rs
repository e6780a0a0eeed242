//! A rate as a value: how many bodies may start per period.

use core::error::Error;
use core::fmt;
use core::num::NonZeroU32;
use core::time::Duration;

/// A number of starts per period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The time between two starts.
    interval: Duration,
    /// How many starts may come at once.
    burst: NonZeroU32,
}

/// The longest interval. No program waits longer.
const LONGEST: Duration = Duration::from_secs(60 * 60 * 24 * 365);

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

    /// How long before its evenly spaced time a start of a burst may come.
    pub(super) fn span_of_burst(self) -> Duration {
        self.interval.saturating_mul(self.burst.get() - 1)
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
