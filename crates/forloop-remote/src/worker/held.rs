//! What a worker holds: jobs that it has taken and whose ends are not recorded.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use forloop_core::{CancelToken, Task};

use crate::queue::lock;

/// The deliveries that a worker holds.
pub(super) struct Held {
    deliveries: Mutex<BTreeMap<String, HeldJob>>,
}

/// One of them.
pub(super) struct HeldJob {
    /// When this worker stops the body by its own clock: before the broker's lease is over.
    pub(super) until: Duration,
    /// Requests that the body stops, and its end is reported.
    pub(super) stop: CancelToken,
    /// Its task; `None` if the body has not started.
    pub(super) task: Option<Task<()>>,
}

impl Held {
    pub(super) fn new() -> Self {
        Self { deliveries: Mutex::new(BTreeMap::new()) }
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.deliveries).len()
    }

    /// How many of them have started.
    pub(super) fn started(&self) -> usize {
        lock(&self.deliveries).values().filter(|held| held.task.is_some()).count()
    }

    pub(super) fn ids(&self) -> Vec<String> {
        lock(&self.deliveries).keys().cloned().collect()
    }

    /// Adds a delivery. `false` if it is held already.
    pub(super) fn insert(&self, id: &str, until: Duration) -> bool {
        let mut deliveries = lock(&self.deliveries);
        if deliveries.contains_key(id) {
            return false;
        }
        let stop = CancelToken::new();
        deliveries.insert(id.to_owned(), HeldJob { until, stop, task: None });
        true
    }

    /// The token of a delivery, if it is still held.
    pub(super) fn stop_token(&self, id: &str) -> Option<CancelToken> {
        Some(lock(&self.deliveries).get(id)?.stop.clone())
    }

    /// Sets the task of a delivery, which is dropped if it is not held any more.
    pub(super) fn set_task(&self, id: &str, task: Task<()>) {
        let mut deliveries = lock(&self.deliveries);
        if let Some(held) = deliveries.get_mut(id) {
            held.task = Some(task);
        } else {
            drop(deliveries);
            drop(task);
        }
    }

    /// Sets the time until which a delivery is held.
    pub(super) fn extend(&self, id: &str, until: Duration) {
        if let Some(held) = lock(&self.deliveries).get_mut(id) {
            held.until = until;
        }
    }

    pub(super) fn remove(&self, id: &str) -> Option<HeldJob> {
        lock(&self.deliveries).remove(id)
    }

    /// Takes what is to be stopped by this worker's own clock.
    pub(super) fn take_expired(&self, now: Duration) -> Vec<HeldJob> {
        let mut deliveries = lock(&self.deliveries);
        let expired = deliveries.iter().filter(|(_, held)| held.until <= now);
        let ids: Vec<_> = expired.map(|(id, _)| id.clone()).collect();
        ids.iter().filter_map(|id| deliveries.remove(id)).collect()
    }

    pub(super) fn take_all(&self) -> BTreeMap<String, HeldJob> {
        std::mem::take(&mut lock(&self.deliveries))
    }
}
