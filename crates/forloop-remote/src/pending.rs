//! A job that the producer waits for.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use forloop_core::Task;
use forloop_core::places::JobHandle;

use crate::end::End;
use crate::job::Job;
use crate::queue::lock;

/// A job whose end a loop waits for. The loop's handle and the producer's table share it.
pub(crate) struct Pending {
    pub(crate) job: Arc<Job>,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    waker: Option<Waker>,
    /// When the job was last submitted, if it was.
    submitted: Option<Duration>,
    /// When the stop was first sent, if it was requested.
    stop: Stop,
}

enum Phase {
    Waiting,
    Ended { end: End, sequence: usize },
    Taken { sequence: usize },
}

#[derive(Clone, Copy)]
enum Stop {
    No,
    Requested,
    SentAt(Duration),
}

impl Pending {
    pub(crate) fn new(job: Job) -> Self {
        let state = State { phase: Phase::Waiting, waker: None, submitted: None, stop: Stop::No };
        Self { job: Arc::new(job), state: Mutex::new(state) }
    }

    /// Sets the end, unless there is one: the first one counts.
    pub(crate) fn complete(&self, end: End) {
        let mut state = lock(&self.state);
        if !matches!(state.phase, Phase::Waiting) {
            return;
        }
        state.phase = Phase::Ended { end, sequence: next_sequence() };
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes the end, which must be done once.
    pub(crate) fn poll_end(&self, cx: &Context<'_>) -> Poll<End> {
        let mut state = lock(&self.state);
        match state.phase {
            Phase::Ended { sequence, .. } => {
                match std::mem::replace(&mut state.phase, Phase::Taken { sequence }) {
                    Phase::Ended { end, .. } => Poll::Ready(end),
                    Phase::Waiting | Phase::Taken { .. } => Poll::Pending,
                }
            }
            Phase::Waiting | Phase::Taken { .. } => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Has `cx` woken when there is an end, or at once if there is.
    pub(crate) fn watch(&self, cx: &Context<'_>) {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Waiting) {
            state.waker = Some(cx.waker().clone());
        } else {
            drop(state);
            cx.waker().wake_by_ref();
        }
    }

    /// The position of the end among all completions, once there is one.
    pub(crate) fn sequence(&self) -> Option<usize> {
        match lock(&self.state).phase {
            Phase::Waiting => None,
            Phase::Ended { sequence, .. } | Phase::Taken { sequence } => Some(sequence),
        }
    }

    /// Requests a stop. `true` if it is the first request, and there is no end.
    pub(crate) fn request_stop(&self) -> bool {
        let mut state = lock(&self.state);
        let is_first = matches!((&state.phase, state.stop), (Phase::Waiting, Stop::No));
        if is_first {
            state.stop = Stop::Requested;
        }
        is_first
    }

    pub(crate) fn is_stopped(&self) -> bool {
        !matches!(lock(&self.state).stop, Stop::No)
    }

    /// Records that a stop is sent now.
    pub(crate) fn stop_is_sent(&self, now: Duration) {
        let mut state = lock(&self.state);
        if !matches!(state.stop, Stop::SentAt(_)) {
            state.stop = Stop::SentAt(now);
        }
    }

    /// Whether a stop was sent `grace` ago or earlier.
    pub(crate) fn stop_is_overdue(&self, now: Duration, grace: Duration) -> bool {
        matches!(lock(&self.state).stop, Stop::SentAt(at) if now.saturating_sub(at) >= grace)
    }

    /// Records that the job is submitted now.
    pub(crate) fn is_submitted(&self, now: Duration) {
        lock(&self.state).submitted = Some(now);
    }

    pub(crate) fn was_submitted(&self) -> bool {
        lock(&self.state).submitted.is_some()
    }

    /// Whether the job was submitted `time` ago or earlier, and not since.
    pub(crate) fn waits_since(&self, now: Duration, time: Duration) -> bool {
        lock(&self.state).submitted.is_some_and(|at| now.saturating_sub(at) >= time)
    }
}

/// The next number of the sequence that completions of tasks have.
fn next_sequence() -> usize {
    <Task<End> as JobHandle>::next_sequence()
}
