//! The events of all bodies in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::EventKind;

/// A clock, and what has happened on it.
pub(crate) struct Log {
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    created: Duration,
    records: Mutex<Records>,
}

/// What has happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    pub(crate) events: Vec<Record>,
    pub(crate) bodies: Vec<Body>,
    names: Vec<Arc<str>>,
    /// Single futures: their group, and how many there are, by name.
    singles: BTreeMap<Arc<str>, (Group, usize)>,
}

/// An event: its sequence number is its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) at: Duration,
    pub(crate) body: BodyId,
    pub(crate) kind: EventKind,
}

/// A body that was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body {
    pub(crate) group: Group,
    pub(crate) index: usize,
    has_ended: bool,
}

/// Which of all bodies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyId(u32);

impl BodyId {
    pub(crate) fn row(self) -> usize {
        self.0 as usize
    }
}

/// Bodies that are watched under one name.
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

    /// Adds a body, which is queued now.
    pub(crate) fn queue(&self, group: Group, index: usize) -> BodyId {
        let at = self.now();
        self.records().queue(at, group, index)
    }

    /// Adds a body that is in no loop.
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

    /// Adds what happens to a body now, unless it has ended.
    pub(crate) fn record(&self, body: BodyId, kind: EventKind) {
        let at = self.now();
        self.records().record(at, body, kind);
    }

    /// What has happened, and the time.
    pub(crate) fn snapshot(&self) -> (Records, Duration) {
        let records = self.records().clone();
        (records, self.now())
    }

    fn now(&self) -> Duration {
        (self.clock)().saturating_sub(self.created)
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        // Nothing panics that holds it but for want of numbers, and then nothing has been changed.
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

    fn group(&mut self, name: Arc<str>) -> Group {
        self.names.push(name);
        Group(self.names.len() - 1)
    }

    fn queue(&mut self, at: Duration, group: Group, index: usize) -> BodyId {
        let number = u32::try_from(self.bodies.len());
        let body = BodyId(number.expect("a recorder has numbers for four billion bodies"));
        self.bodies.push(Body { group, index, has_ended: false });
        self.record(at, body, EventKind::Queued);
        body
    }

    fn record(&mut self, at: Duration, body: BodyId, kind: EventKind) {
        let has_ended = &mut self.bodies[body.row()].has_ended;
        if *has_ended {
            return;
        }
        *has_ended = kind.is_end();
        // Two threads may have looked at the clock in one order and come here in the other.
        let at = self.events.last().map_or(at, |last| last.at.max(at));
        self.events.push(Record { at, body, kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_size_that_the_documentation_says() {
        assert_eq!(size_of::<Record>(), 24);
        assert_eq!(size_of::<Body>(), 24);
    }

    #[test]
    fn times_do_not_go_back_even_if_threads_come_in_another_order() {
        let mut records = Records::default();
        let group = records.group("body".into());
        let body = records.queue(Duration::from_nanos(7), group, 0);
        records.record(Duration::from_nanos(5), body, EventKind::Woken);
        assert_eq!(records.events[1].at, Duration::from_nanos(7));
    }
}
