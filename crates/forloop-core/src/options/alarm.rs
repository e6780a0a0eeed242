//! A timer for a moment of a clock.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::LocalTimer;

/// Wakes the loop at a moment of a clock. It holds at most one timer of the runtime.
///
/// The clock decides whether the moment has come, and the timer only wakes the loop. A runtime may poll a
/// timer late, behind bodies that are busy, although its moment has passed. So each poll reads the
/// clock first, which is also cheaper than polling a timer.
///
/// An alarm may be asked for a later moment than the one its timer is set for. It keeps that timer: the
/// loop wakes once too early, and the alarm then sets a timer for the rest. So moments that only move
/// forward, such as the due times of a queue of time-outs, cost a timer when the loop has slept and not one
/// for each body.
///
/// The clock determines the type of the sleep. So a loop is `Send` unless the sleeps of its clock stay on their thread.
pub(crate) struct Alarm<R: LocalTimer> {
    set: Option<SetTimer<R::Sleep>>,
}

struct SetTimer<S> {
    /// When the timer wakes the loop. It may be earlier than the moment that is waited for.
    wakes_at: Duration,
    sleep: S,
}

impl<R: LocalTimer> Default for Alarm<R> {
    fn default() -> Self {
        Self { set: None }
    }
}

impl<R: LocalTimer> Alarm<R> {
    /// Ready when `timer`'s clock shows `due`.
    pub(crate) fn poll_until(
        &mut self,
        timer: &R,
        due: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            let left = due.saturating_sub(timer.now_local());
            if left.is_zero() {
                self.clear();
                return Poll::Ready(());
            }
            self.set.take_if(|set| set.wakes_at > due);
            let set = self
                .set
                .get_or_insert_with(|| SetTimer { wakes_at: due, sleep: timer.sleep_local(left) });
            ready!(Pin::new(&mut set.sleep).poll(cx));
            self.clear();
        }
    }

    /// Drops the timer: nothing is waited for.
    pub(crate) fn clear(&mut self) {
        self.set = None;
    }
}
