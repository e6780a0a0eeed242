//! A task of a loop, as [`Run`] sees it.
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
use crate::task::{Owner, Request, Run};

/// What the tasks of a block of slots have in common.
pub(super) struct Shared {
    pub(super) completions: Arc<Completions>,
    /// The number of the first slot.
    pub(super) first: u32,
}

/// What the task of a loop that is about to start reports its completion to.
///
/// A completer that is dropped completes, so that no loop waits for a task that is not there.
pub struct Completer<T>(Option<LoopTask<T>>);

impl<T> Completer<T> {
    #[inline]
    pub(super) fn new(task: TaskRef<Outcome<T>, Shared>) -> Self {
        Self(Some(LoopTask(task)))
    }

    /// Makes the future of the task, which runs `body`.
    #[inline]
    pub(super) fn run<B: Future<Output = T>>(self, body: B) -> Run<B, LoopTask<T>> {
        Run::new(body, self.into_task())
    }

    #[inline]
    pub(super) fn into_task(mut self) -> LoopTask<T> {
        self.0.take().expect("a completer has its task until it is dropped")
    }
}

impl<T> Drop for Completer<T> {
    #[inline]
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|task| task.complete(Outcome::NotRun));
    }
}

/// A task of a loop: the cell that it shares with the loop. It completes once.
pub(crate) struct LoopTask<T>(TaskRef<Outcome<T>, Shared>);

impl<T> Owner for LoopTask<T> {
    type Output = T;

    /// The address of the cell.
    fn id(&self) -> usize {
        self.0.id()
    }

    #[inline]
    fn poll_request(&mut self, _cx: &mut Context<'_>) -> Request {
        let Self(task) = self;
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
        self.0.was_polled.load(Ordering::Relaxed)
    }

    #[inline]
    fn must_stop(&mut self, cx: &mut Context<'_>) -> bool {
        let Self(task) = self;
        !task.register(cx.waker()) || task.header().completions.is_cancelled()
    }

    fn on_last_poll(&self) {}

    #[inline]
    fn complete(self, outcome: Outcome<T>) {
        let Self(task) = self;
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

impl<T> fmt::Debug for Completer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = self.0.as_ref().map(|LoopTask(task)| task);
        f.debug_tuple("Completer").field(&task).finish()
    }
}
