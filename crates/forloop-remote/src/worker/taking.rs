//! Taking jobs, renewing their leases, and reporting their ends.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use forloop_core::{Timer, race};

use super::Worker;
use crate::backoff::Backoff;
use crate::end::End;
use crate::engine::{Delivery, Lease};
use crate::error::EngineError;

/// After so many deaths a job runs alone.
const SUSPECT: u32 = 2;

impl Worker {
    /// Takes jobs while there is room, and starts them. Returns when the worker has drained.
    pub(super) async fn take_jobs(self: &Arc<Self>) -> Result<(), EngineError> {
        let mut suspects = VecDeque::new();
        let mut backoff = Backoff::default();
        let mut reclaimed = None;
        loop {
            if let Some(suspect) = suspects.pop_front() {
                self.run_alone(suspect).await;
                continue;
            }
            if self.is_draining.load(Ordering::SeqCst) {
                if self.held.len() == 0 {
                    return Ok(());
                }
                self.changed.take().await;
                continue;
            }
            let room = self.limit.saturating_sub(self.held.len());
            if room == 0 || self.ids.is_empty() {
                self.changed.take().await;
                continue;
            }
            let now = self.runtime.now();
            let is_due = |at: Duration| now.saturating_sub(at) >= self.settings.renewal();
            let taken = if reclaimed.is_none_or(is_due) {
                reclaimed = Some(now);
                self.engine.reclaim(&self.name, &self.ids, room, self.settings.lease).await
            } else {
                let (lease, wait) = (self.settings.lease, self.settings.renewal());
                self.engine.take(&self.name, &self.ids, room, lease, wait).await
            };
            match taken {
                Ok(deliveries) => {
                    backoff.reset();
                    // The lease has begun after `now`.
                    let until = self.own_end(now);
                    for delivery in deliveries {
                        if !self.held.insert(&delivery.id, until) {
                            // It was late, and has it again: the body still runs.
                            self.held.extend(&delivery.id, until);
                        } else if delivery.deaths >= SUSPECT {
                            suspects.push_back(delivery);
                        } else {
                            self.start(delivery, false);
                        }
                    }
                }
                Err(EngineError::Refused(why)) => return Err(EngineError::Refused(why)),
                Err(_) => self.runtime.sleep(backoff.next()).await,
            }
        }
    }

    /// Runs a job when everything else has completed, and nothing beside it. Other suspects are held and have not started.
    async fn run_alone(self: &Arc<Self>, suspect: Delivery) {
        while self.held.started() > 0 {
            self.changed.take().await;
        }
        self.start(suspect, true);
        while self.held.started() > 0 {
            self.changed.take().await;
        }
    }

    /// When a worker stops what it has renewed at `now`, if it cannot renew it again: a renewal before the lease is over.
    fn own_end(&self, now: Duration) -> Duration {
        now + self.settings.lease - self.settings.renewal()
    }

    /// Renews the leases of what is held, again and again, and stops what is not held any more.
    pub(super) async fn renew_leases(&self) -> Result<(), EngineError> {
        loop {
            self.runtime.sleep(self.settings.renewal()).await;
            let now = self.runtime.now();
            let ids = self.held.ids();
            if !ids.is_empty() {
                // A broker that does not answer must not delay the worker's own clock.
                let renewal =
                    async { self.engine.renew(&self.name, &ids, self.settings.lease).await.ok() };
                let leases = self.at_most(self.settings.renewal(), renewal).await;
                for (id, lease) in ids.iter().zip(leases.into_iter().flatten()) {
                    match lease {
                        Lease::Kept => self.held.extend(id, self.own_end(now)),
                        Lease::Stopped => self.stop(id, self.own_end(now)),
                        Lease::TakenOver => self.release(id),
                    }
                }
            }
            let expired = self.held.take_expired(self.runtime.now());
            if !expired.is_empty() {
                drop(expired);
                self.changed.push(());
            }
        }
    }

    /// Stops a body for its producer. One that has not begun ends at once.
    fn stop(&self, id: &str, until: Duration) {
        self.held.extend(id, until);
        if let Some(stop) = self.held.stop_token(id) {
            stop.cancel();
        }
    }

    /// The output of a future, or `None` if it takes longer.
    async fn at_most<T: Send>(
        &self,
        time: Duration,
        future: impl Future<Output = Option<T>> + Send,
    ) -> Option<T> {
        let sleep = async {
            self.runtime.sleep(time).await;
            None
        };
        let parts: [Pin<Box<dyn Future<Output = Option<T>> + Send + '_>>; 2] =
            [Box::pin(future), Box::pin(sleep)];
        race(parts).await.ok().and_then(|(_, output)| output)
    }

    /// Reports ends in batches: while one is on its way, the next one gathers.
    pub(super) async fn report_ends(&self) -> Result<(), EngineError> {
        loop {
            let batch: Vec<(String, End)> = self.ended.take().await;
            let mut backoff = Backoff::default();
            loop {
                match self.engine.complete(&self.name, &batch).await {
                    Ok(()) => break,
                    Err(EngineError::Refused(why)) => return Err(EngineError::Refused(why)),
                    Err(_) => self.runtime.sleep(backoff.next()).await,
                }
            }
            // What this worker has let go meanwhile runs elsewhere, and this end may still have been the first.
            batch.iter().for_each(|(id, _)| self.release(id));
        }
    }
}
