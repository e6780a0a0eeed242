//! A timer that is set for a time of a clock.

use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::Timer;

/// A timer that sleeps until some time, or none.
#[derive(Default)]
pub(super) struct Alarm {
    set: Option<(Duration, Pin<Box<dyn Future<Output = ()> + Send>>)>,
}

impl Alarm {
    /// Waits for the clock to show `due`; if it was set for another time, for this one from now on.
    ///
    /// The clock decides: a timer may be late, where a runtime has it wait for its turn.
    pub(super) fn poll_until<R: Timer + 'static>(
        &mut self,
        timer: &R,
        due: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            let left = due.saturating_sub(timer.now());
            if left.is_zero() {
                self.set = None;
                return Poll::Ready(());
            }
            self.set.take_if(|(set_for, _)| *set_for != due);
            let (_, sleep) = self.set.get_or_insert_with(|| (due, Box::pin(timer.sleep(left))));
            ready!(sleep.as_mut().poll(cx));
            self.set = None;
        }
    }
}
