//! The events of all bodies, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::event::EventKind;

/// A clock, and the events recorded with its time.
pub(crate) struct Log {
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    created: Duration,
    records: Mutex<Records>,
}

/// The events and bodies recorded so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    pub(crate) events: Vec<Record>,
    pub(crate) bodies: Vec<Body>,
    names: Vec<Arc<str>>,
    /// The group of the single futures of a name, and their number.
    singles: BTreeMap<Arc<str>, (Group, usize)>,
}

/// An event; its sequence number is its index in the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) at: Duration,
    pub(crate) body: BodyId,
    pub(crate) kind: EventKind,
}

/// A body that was created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body {
    pub(crate) group: Group,
    pub(crate) index: usize,
    has_completed: bool,
}

/// The number of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyId(u32);

impl BodyId {
    pub(crate) fn row(self) -> usize {
        self.0 as usize
    }
}

/// The bodies that are watched under one name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group(usize);

impl Log {
    pub(crate) fn new(clock: Box<dyn Fn() -> Duration + Send + Sync>) -> Self {
        let created = clock();
        Self { clock, created, records: Mutex::default() }
    }

    /// Adds a group of bodies.
    pub(crate) fn group(&self, name: &str) -> Group {
        self.records().group(name.into())
    }

    /// Adds a body, with its `Queued` event.
    pub(crate) fn queue(&self, group: Group, index: usize) -> BodyId {
        let at = self.now();
        self.records().queue(at, group, index)
    }

    /// Adds a body that belongs to no loop.
    pub(crate) fn queue_single(&self, name: &str) -> BodyId {
        let at = self.now();
        let mut records = self.records();
        let (group, index) = match records.singles.get_mut(name) {
            Some((group, count)) => {
                *count += 1;
                (*group, *count - 1)
            }
            None => {
                let name: Arc<str> = name.into();
                let group = records.group(name.clone());
                records.singles.insert(name, (group, 1));
                (group, 0)
            }
        };
        records.queue(at, group, index)
    }

    /// Records an event of a body, unless the body has completed.
    pub(crate) fn record(&self, body: BodyId, kind: EventKind) {
        let at = self.now();
        self.records().record(at, body, kind);
    }

    /// Returns a copy of the records, and the time.
    pub(crate) fn snapshot(&self) -> (Records, Duration) {
        let records = self.records().clone();
        (records, self.now())
    }

    fn now(&self) -> Duration {
        (self.clock)().saturating_sub(self.created)
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        // The only panic under this lock is that of `queue`, which happens before any change.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    pub(crate) fn name(&self, group: Group) -> &str {
        &self.names[group.0]
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    pub(crate) fn group(&mut self, name: Arc<str>) -> Group {
        self.names.push(name);
        Group(self.names.len() - 1)
    }

    pub(crate) fn queue(&mut self, at: Duration, group: Group, index: usize) -> BodyId {
        let number = u32::try_from(self.bodies.len());
        let body = BodyId(number.expect("a recorder holds at most four billion bodies"));
        self.bodies.push(Body { group, index, has_completed: false });
        self.record(at, body, EventKind::Queued);
        body
    }

    pub(crate) fn record(&mut self, at: Duration, body: BodyId, kind: EventKind) {
        let has_completed = &mut self.bodies[body.row()].has_completed;
        if *has_completed {
            return;
        }
        *has_completed = kind.is_completion();
        // Two threads may read the clock in one order, and take the lock in the other.
        let at = self.events.last().map_or(at, |last| last.at.max(at));
        self.events.push(Record { at, body, kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_documented_size() {
        assert_eq!(size_of::<Record>(), 24);
        assert_eq!(size_of::<Body>(), 24);
    }

    #[test]
    fn times_do_not_decrease_even_if_threads_record_in_another_order() {
        let mut records = Records::default();
        let group = records.group("body".into());
        let body = records.queue(Duration::from_nanos(7), group, 0);
        records.record(Duration::from_nanos(5), body, EventKind::Woken);
        assert_eq!(records.events[1].at, Duration::from_nanos(7));
    }
}
