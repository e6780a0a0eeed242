//! Running the body of a job, in a task of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use forloop_core::{CancelToken, Panic, Timer, spawn};

use super::Worker;
use crate::backoff::Backoff;
use crate::call_error::CallError;
use crate::end::End;
use crate::engine::Delivery;

impl Worker {
    /// Starts a job that is held, in a task.
    pub(super) fn start(self: &Arc<Self>, delivery: Delivery, is_alone: bool) {
        let Some(stop) = self.held.stop_token(&delivery.id) else { return };
        let (worker, id) = (self.clone(), delivery.id.clone());
        let task = spawn(&self.runtime, async move {
            let id = delivery.id.clone();
            match worker.run_body(delivery, is_alone, stop).await {
                Some(end) => worker.ended.push((id, end)),
                None => worker.release_own(&id),
            }
        });
        self.held.set_task(&id, task);
    }

    /// Runs a body. `None` if it may not begin.
    async fn run_body(&self, delivery: Delivery, is_alone: bool, stop: CancelToken) -> Option<End> {
        let Delivery { id, job, .. } = delivery;
        if (job.is_once || is_alone) && !self.begin(&id, is_alone).await {
            return None;
        }
        let Some(body) = self.bodies.start(&job, Some(&self.name)) else {
            let served = self.bodies.ids();
            return Some(End::Call(CallError::NotServed { body: job.body, served }));
        };
        let mut body = Some(body);
        let mut stopped = pin!(stop.cancelled());
        let end = std::future::poll_fn(|cx| {
            if stopped.as_mut().poll(cx).is_ready() {
                return Poll::Ready(End::Cancelled);
            }
            let Some(running) = &mut body else { return Poll::Pending };
            // A body that has panicked is dropped and not polled again.
            match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
                Ok(polled) => polled,
                Err(payload) => Poll::Ready(panicked(payload.into())),
            }
        })
        .await;
        // The body has stopped before its end is reported.
        match catch_unwind(AssertUnwindSafe(|| drop(body.take()))) {
            Ok(()) => Some(end),
            Err(payload) => Some(panicked(payload.into())),
        }
    }

    /// Marks a job as begun. `false` if another worker has it.
    async fn begin(&self, id: &str, is_alone: bool) -> bool {
        let mut backoff = Backoff::default();
        loop {
            // Without an answer the mark may be there, so this worker asks again as long as it holds the job: by its own clock.
            match self.engine.begin(&self.name, id, is_alone).await {
                Ok(may_start) => return may_start,
                Err(_) => self.runtime.sleep(backoff.next()).await,
            }
        }
    }

    /// Forgets a job without an end, in its own task: a task that drops its own handle would cancel itself.
    fn release_own(&self, id: &str) {
        if let Some(task) = self.held.remove(id).and_then(|held| held.task) {
            task.detach();
        }
        self.changed.push(());
    }

    /// Forgets a job, and drops its body if that still runs.
    pub(super) fn release(&self, id: &str) {
        drop(self.held.remove(id));
        self.changed.push(());
    }
}

fn panicked(panic: Panic) -> End {
    End::Panicked(panic.message().map(str::to_owned))
}
