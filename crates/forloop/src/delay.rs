//! A time after the first poll of a future.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use forloop_core::LocalTimer;

use crate::AmbientTimer;

/// A time that counts from [`start`](Self::start), on the clock around the call that made it.
pub(crate) struct Delay {
    timer: AmbientTimer,
    state: State,
}

enum State {
    NotStarted {
        duration: Duration,
    },
    /// When the time is over, and the timer that wakes the caller then. A time that no clock can show never comes.
    Started {
        due: Option<Duration>,
        sleep: Option<<AmbientTimer as LocalTimer>::Sleep>,
    },
}

impl Delay {
    pub(crate) fn new(duration: Duration) -> Self {
        Self { timer: AmbientTimer::default(), state: State::NotStarted { duration } }
    }

    /// Starts to count, the first time that this is called.
    pub(crate) fn start(&mut self) {
        if let State::NotStarted { duration } = self.state {
            let due = self.timer.now_local().checked_add(duration);
            self.state = State::Started { due, sleep: None };
        }
    }

    /// Ready when the time is over.
    ///
    /// The clock decides, because a future may use up what the runtime allows the task in a turn: tokio's timers are
    /// then pending although they are due.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Started { due: Some(due), sleep } = &mut self.state else {
            return Poll::Pending;
        };
        loop {
            let left = due.saturating_sub(self.timer.now_local());
            if left.is_zero() {
                return Poll::Ready(());
            }
            let timer = sleep.get_or_insert_with(|| self.timer.sleep_local(left));
            ready!(timer.as_mut().poll(cx));
            *sleep = None;
        }
    }
}
