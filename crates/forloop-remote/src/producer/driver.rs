//! The task that asks the broker for a producer.
//!
//! Three futures side by side, in one task. The *sender* submits and stops in batches; after an error it reconciles. The *watcher*
//! receives outcomes. The *keeper* renews the lease, and looks from time to time for what has waited too long.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use forloop_core::{Spawn, race};

use super::{Command, Producer, Reply};
use crate::backoff::Backoff;
use crate::call_error::CallError;
use crate::end::End;
use crate::engine::Submission;
use crate::error::EngineError;
use crate::job::JobKey;
use crate::pending::Pending;
use crate::queue::lock;
use crate::settings::Settings;

/// How many jobs are in one submission, at most.
const BATCH: usize = 500;

/// How many bytes of payloads are in one submission, unless a single one has more.
const BATCH_BYTES: usize = 1 << 20;

/// For how long the watcher waits in the broker.
const WAIT: Duration = Duration::from_secs(5);

impl Producer {
    /// Spawns the driver.
    pub(super) fn spawn_driver(self: Arc<Self>) {
        let runtime = self.runtime.clone();
        // Made outside of the task: a runtime may drop it before its first poll.
        let ended = Ended(self);
        runtime.spawn(async move {
            let ended = ended;
            let parts: [Pin<Box<dyn Future<Output = Last> + Send + '_>>; 3] =
                [Box::pin(ended.0.send()), Box::pin(ended.0.watch()), Box::pin(ended.0.keep())];
            // The other parts are dropped before the end: a late renewal would hold a run that was deleted.
            if let Ok((_, last)) = race(parts).await {
                ended.0.end(last).await;
            }
        });
    }
}

/// What the driver does last.
enum Last {
    Release,
    Forget(Reply),
}

/// Completes what is pending when the driver ends, also if its runtime drops it: nothing else would.
struct Ended(Arc<Producer>);

impl Drop for Ended {
    fn drop(&mut self) {
        let error = CallError::Unavailable("the driver of the run has ended".into());
        let mut table = lock(&self.0.table);
        table.fatal.get_or_insert(error);
        table.has_ended = true;
        drop(table);
        self.0.complete_all(&End::Cancelled);
        // A task that awaits a reply receives an error.
        self.0.commands.drop_all();
    }
}

impl Producer {
    /// Sends what the loop has started and stopped, until the run is closed.
    async fn send(&self) -> Last {
        loop {
            let (mut submits, mut stops) = (Vec::new(), Vec::new());
            let mut must_reconcile = false;
            let mut last = None;
            for command in self.commands.take().await {
                match command {
                    Command::Submit(pending) if pending.is_stopped() => {
                        self.complete(pending.job.key, End::NotRun);
                    }
                    Command::Submit(pending) => submits.push(pending),
                    Command::Stop(pending) if pending.was_submitted() => stops.push(pending),
                    // It was stopped before it was sent, and has completed.
                    Command::Stop(_) => {}
                    Command::Reconcile => must_reconcile = true,
                    Command::Close => last = Some(Last::Release),
                    Command::Forget(reply) => last = Some(Last::Forget(reply)),
                }
            }
            let sent = match self.submit_all(&submits).await {
                Ok(()) => self.stop_all(&stops).await,
                Err(error) => Err(error),
            };
            if sent.is_err() || must_reconcile {
                self.reconcile(sent.err()).await;
            }
            if let Some(last) = last {
                return last;
            }
        }
    }

    /// Submits and stops again all that is pending, until the broker has answered. What is still pending after the patience
    /// fails. `error` is what has failed before.
    async fn reconcile(&self, mut error: Option<EngineError>) {
        let (began, mut backoff) = (self.now(), Backoff::default());
        loop {
            match error {
                None => {}
                Some(EngineError::RunTaken) if !self.still_holds().await => {
                    return self.fail(CallError::RunTaken);
                }
                Some(error) => {
                    if self.now().saturating_sub(began) >= self.settings.patience {
                        self.complete_all(&End::Call(CallError::Unavailable(format!("{error:#}"))));
                    }
                    self.sleep(backoff.next()).await;
                }
            }
            let (stops, submits): (Vec<_>, Vec<_>) =
                self.pending().into_iter().partition(|pending| pending.is_stopped());
            let sent = match self.submit_all(&submits).await {
                Ok(()) => self.stop_all(&stops).await,
                Err(error) => Err(error),
            };
            match sent {
                Ok(()) => return,
                Err(failed) => error = Some(failed),
            }
        }
    }

    async fn hold(&self) -> Result<bool, EngineError> {
        let Settings { lease, expiry, .. } = self.settings;
        self.engine.hold(&self.run, &self.token, lease, expiry).await
    }

    /// Whether this producer has the lease, or acquires it again: a broker may have forgotten it. Without an answer it may.
    async fn still_holds(&self) -> bool {
        let held = self.hold().await;
        held.unwrap_or(true)
    }

    async fn submit_all(&self, pending: &[Arc<Pending>]) -> Result<(), EngineError> {
        let mut rest = pending;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |pending: &&Arc<Pending>| {
                bytes += pending.job.payload.len();
                bytes <= BATCH_BYTES
            };
            let count = rest.iter().take(BATCH).take_while(fits).count().max(1);
            let (batch, later) = rest.split_at(count);
            rest = later;
            let jobs: Vec<_> = batch.iter().map(|pending| pending.job.clone()).collect();
            let now = self.now();
            batch.iter().for_each(|pending| pending.is_submitted(now));
            let answers = self.engine.submit(&self.run, &self.token, &jobs).await?;
            for (job, answer) in jobs.iter().zip(answers) {
                match answer {
                    Submission::Pending => {}
                    Submission::Done(end) => self.complete(job.key, end),
                    Submission::Different => {
                        self.complete(job.key, End::Call(CallError::DifferentItem));
                    }
                }
            }
        }
        Ok(())
    }

    async fn stop_all(&self, pending: &[Arc<Pending>]) -> Result<(), EngineError> {
        let now = self.now();
        pending.iter().for_each(|pending| pending.stop_is_sent(now));
        for batch in pending.chunks(BATCH) {
            let keys: Vec<JobKey> = batch.iter().map(|pending| pending.job.key).collect();
            let ends = self.engine.stop(&self.run, &keys).await?;
            for (key, end) in keys.into_iter().zip(ends) {
                if let Some(end) = end {
                    self.complete(key, end);
                }
            }
        }
        Ok(())
    }

    /// Receives outcomes.
    async fn watch(&self) -> Last {
        let mut backoff = Backoff::default();
        loop {
            match self.engine.outcomes(&self.run, WAIT).await {
                Ok(outcomes) => {
                    backoff.reset();
                    outcomes.into_iter().for_each(|(key, end)| self.complete(key, end));
                }
                Err(_) => {
                    // Outcomes may have been on their way.
                    self.commands.push(Command::Reconcile);
                    self.sleep(backoff.next()).await;
                }
            }
        }
    }

    /// Renews the lease, and looks for what has waited too long.
    async fn keep(&self) -> Last {
        let lease = self.settings.lease;
        let mut not_served_since = None;
        loop {
            self.sleep(self.settings.renewal()).await;
            if let Ok(false) = self.hold().await {
                self.fail(CallError::RunTaken);
                return std::future::pending().await;
            }
            let now = self.now();
            let pending = self.pending();
            // Its worker has died, or cannot answer.
            let grace = lease.saturating_mul(2);
            for pending in pending.iter().filter(|pending| pending.stop_is_overdue(now, grace)) {
                self.complete(pending.job.key, End::Cancelled);
            }
            if pending.iter().any(|pending| pending.waits_since(now, lease)) {
                self.commands.push(Command::Reconcile);
            }
            if pending.iter().any(|pending| pending.was_submitted()) {
                if let ControlFlow::Break(()) = self.check_served(&mut not_served_since).await {
                    not_served_since = None;
                }
            } else {
                not_served_since = None;
            }
        }
    }

    /// Fails what no worker has served for the time of the patience. `Break` if every body is served.
    async fn check_served(&self, since: &mut Option<Duration>) -> ControlFlow<()> {
        let Ok(served) = self.engine.served().await else { return ControlFlow::Continue(()) };
        let mut pending = self.pending();
        pending.retain(|pending| !served.contains(&pending.job.body));
        if pending.is_empty() {
            return ControlFlow::Break(());
        }
        let now = self.now();
        if now.saturating_sub(*since.get_or_insert(now)) >= self.settings.patience {
            for pending in pending {
                let (body, served) = (pending.job.body.clone(), served.clone());
                let error = CallError::NotServed { body, served };
                // It must not run later: the loop has its outcome.
                let _stopped = self.engine.stop(&self.run, &[pending.job.key]).await;
                self.complete(pending.job.key, End::Call(error));
            }
        }
        ControlFlow::Continue(())
    }

    /// Ends the lease, or deletes the run.
    async fn end(&self, last: Last) {
        let Last::Forget(reply) = last else {
            // Without an answer the lease ends by itself.
            let _released = self.engine.release(&self.run, &self.token).await;
            return;
        };
        self.fail(CallError::RunTaken);
        let (began, mut backoff) = (self.now(), Backoff::default());
        let forgotten = loop {
            match self.engine.forget(&self.run, &self.token).await {
                Err(EngineError::Unavailable(error)) => {
                    if self.now().saturating_sub(began) >= self.settings.patience {
                        break Err(EngineError::Unavailable(error));
                    }
                    self.sleep(backoff.next()).await;
                }
                answered => break answered,
            }
        };
        // Before the reply's own.
        reply.0.push(forgotten);
    }
}
