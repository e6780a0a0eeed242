//! [`AmbientTimer`]: finds its clock once.

use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use forloop_core::LocalTimer;
use forloop_core::types::TimerSet;

use super::Ambient;
use crate::NoRuntime;

impl TimerSet for Ambient {
    type Timer = AmbientTimer;

    fn timer(&self) -> AmbientTimer {
        AmbientTimer::default()
    }
}

/// A timer on the clock around its first use: see [`Ambient`].
///
/// It finds that clock once and keeps it. A clone finds its own.
///
/// # Panics
///
/// Its first use panics if `sim` is the only runtime among forloop's features and no simulation surrounds the caller, or
/// if the system refuses what a tokio runtime needs. The message names the cure. A sleep panics with tokio's message if
/// the tokio runtime around it was built without timers: enable them, or set another clock with
/// [`timer`](forloop_core::Loop::timer).
#[derive(Debug, Default)]
pub struct AmbientTimer {
    found: OnceLock<Clock>,
}

#[derive(Debug)]
enum Clock {
    #[cfg(feature = "sim")]
    Sim(forloop_sim::Sim),
    #[cfg(feature = "tokio")]
    Tokio(forloop_tokio::Tokio),
    #[cfg(feature = "timer")]
    System(forloop_timer::SystemTimer),
}

impl Clone for AmbientTimer {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Reads the clock that was found.
macro_rules! on_clock {
    ($timer:expr, $clock:ident => $call:expr) => {
        match $timer.found.get_or_init(Clock::around) {
            #[cfg(feature = "sim")]
            Clock::Sim($clock) => $call,
            #[cfg(feature = "tokio")]
            Clock::Tokio($clock) => $call,
            #[cfg(feature = "timer")]
            Clock::System($clock) => $call,
        }
    };
}

// Not a `Timer`, whose sleeps an option would box again.
impl LocalTimer for AmbientTimer {
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep_local(&self, duration: Duration) -> Self::Sleep {
        on_clock!(self, clock => clock.sleep_local(duration))
    }

    fn now_local(&self) -> Duration {
        on_clock!(self, clock => clock.now_local())
    }
}

impl Clock {
    #[cold]
    fn around() -> Self {
        let found: Result<Self, NoRuntime> = Err(NoRuntime::OutsideSimulation);
        #[cfg(feature = "sim")]
        let found = found.or_else(|none| forloop_sim::Sim::current().map(Self::Sim).ok_or(none));
        #[cfg(feature = "tokio")]
        let found = found
            .or_else(|none| forloop_tokio::Tokio::current().map(Self::Tokio).map_err(|_| none));
        #[cfg(feature = "timer")]
        let found = found.or(Ok::<_, NoRuntime>(Self::System(forloop_timer::SystemTimer)));
        #[cfg(feature = "tokio")]
        let found = found.or_else(|_| crate::any::shared_tokio().map(Self::Tokio));
        found.unwrap_or_else(|error| panic!("{error}"))
    }
}
