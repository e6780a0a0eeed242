//! The end of a runtime, for bodies on its blocking threads.
//!
//! A runtime that shuts down drops its tasks, but it waits for its blocking threads, and a body there may await what never
//! comes. A task of the runtime that does nothing tells the two apart: when the runtime drops it, the bodies are
//! cancelled.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::OnceLock;
use std::task::Poll;

use forloop_core::{CancelToken, Cancellation};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// Tells when a runtime shuts down. The task exists from the first body that awaits until this value is dropped.
#[derive(Debug, Default)]
pub(crate) struct Shutdown {
    task: OnceLock<Task>,
}

#[derive(Debug)]
struct Task {
    has_started: CancelToken,
    task: AbortHandle,
}

impl Shutdown {
    /// Polls `future` until it is ready or the runtime of `handle` shuts down. A future that never awaits costs nothing
    /// more than without this.
    pub(crate) async fn or_completed(&self, handle: &Handle, future: impl Future<Output = ()>) {
        if self.task.get().is_some_and(|task| task.has_started.is_cancelled()) {
            return;
        }
        let mut future = pin!(future);
        let mut shutdown: Option<Cancellation> = None;
        poll_fn(|cx| {
            if let Some(shutdown) = &mut shutdown
                && pin!(shutdown).poll(cx).is_ready()
            {
                return Poll::Ready(());
            }
            if future.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if shutdown.is_some() {
                return Poll::Pending;
            }
            let has_started = self.task(handle).has_started.cancelled();
            pin!(shutdown.insert(has_started)).poll(cx)
        })
        .await;
    }

    fn task(&self, handle: &Handle) -> &Task {
        self.task.get_or_init(|| {
            let has_started = CancelToken::new();
            let cancelled_when_dropped = CancelWhenDropped(has_started.clone());
            let task = handle.spawn(async move {
                let _dropped = cancelled_when_dropped;
                pending::<()>().await;
            });
            Task { has_started, task: task.abort_handle() }
        })
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct CancelWhenDropped(CancelToken);

impl Drop for CancelWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
