//! A task of a loop, as [`Run`](crate::task::Run) sees it.
//!
//! *Completion.* The task has dropped its future. It leaves its outcome in the cell and then pushes the number of its
//! slot onto the list of the loop's [`Completions`], with `Release`; the loop takes the list with `Acquire`, and finds the
//! outcome. After the push the task does not touch its cell, so the loop may reuse it at once.
//!
//! *Cancellation.* A loop that is cancelled marks that in its [`Completions`], and then asks each task to stop; one that has
//! timed out is asked alone. A task looks for both before it polls its future. Only if its future is pending does it
//! register its waker, and looks again: see [`TaskRef`]. So the later one sees the other, and a task that is asked
//! to stop in the middle of a poll stops at the end of it. A cancelled task that was never polled is not polled; one that
//! has timed out is polled once.
//!
//! *Dropped loops.* See [`Completions`]. A task that finds the list closed takes its outcome back and drops it. A task
//! whose own body drops the loop must not be waited for by itself: it is not counted, and knows, because the thread that
//! drops the body is the one that completes the task.

use alloc::sync::Arc;
use core::fmt;
use core::task::Context;

use super::completions::{Completions, LoopDropped};
use super::sync::Ordering;
use crate::Outcome;
use crate::engine::{EXPIRED, TaskRef, UNCOUNTED};
use crate::outcome::catch;
use crate::task::{Owner, Request};

/// What the tasks of a block of slots have in common.
pub(super) struct Shared {
    pub(super) completions: Arc<Completions>,
    /// The number of the first slot.
    pub(super) first: u32,
}

/// What a task of a loop reports its completion to: the cell that it shares with its loop.
///
/// A completer that is dropped completes, so that no loop waits for a task that is not there.
pub struct Completer<T>(Option<TaskRef<Outcome<T>, Shared>>);

impl<T> Completer<T> {
    #[inline]
    pub(super) fn new(task: TaskRef<Outcome<T>, Shared>) -> Self {
        Self(Some(task))
    }

    #[inline]
    fn report(task: TaskRef<Outcome<T>, Shared>, outcome: Outcome<T>) {
        let is_counted = task.requests() & UNCOUNTED == 0;
        let task = task.complete(outcome);
        let Shared { completions, first } = task.header();
        let number = first + u32::from(task.offset());
        if let Err(LoopDropped) = completions.push(number, &task.link) {
            // No task receives the panic of a destructor here.
            drop(catch(|| drop(task.take())));
            if is_counted {
                completions.stopped();
            }
        }
    }
}

impl<T> Owner for Completer<T> {
    type Output = T;

    /// The address of the cell.
    fn id(&self) -> usize {
        self.0.as_ref().map_or(0, |task| task.id())
    }

    #[inline]
    fn poll_request(&mut self, _cx: &mut Context<'_>) -> Request {
        let Some(task) = &self.0 else { return Request::Stop };
        let requests = task.requests();
        if requests != 0 || task.header().completions.is_cancelled() {
            let expires = requests == EXPIRED && !task.header().completions.is_cancelled();
            // One that has timed out is polled once.
            if !expires || task.was_polled.load(Ordering::Relaxed) {
                return Request::Stop;
            }
        }
        task.was_polled.store(true, Ordering::Relaxed);
        Request::Run
    }

    #[inline]
    fn was_polled(&self) -> bool {
        self.0.as_ref().is_some_and(|task| task.was_polled.load(Ordering::Relaxed))
    }

    #[inline]
    fn must_stop(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(task) = &mut self.0 else { return true };
        !task.register(cx.waker()) || task.header().completions.is_cancelled()
    }

    fn on_last_poll(&self) {}

    #[inline]
    fn complete(&mut self, outcome: Outcome<T>) {
        if let Some(task) = self.0.take() {
            Self::report(task, outcome);
        }
    }
}

impl<T> Drop for Completer<T> {
    #[inline]
    fn drop(&mut self) {
        self.complete(Outcome::NotRun);
    }
}

impl<T> fmt::Debug for Completer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Completer").field(&self.0).finish()
    }
}
