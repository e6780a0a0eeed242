//! The events of a body.

use std::time::Duration;

/// An event of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The position of the event in recording order, starting at 0. The [time](Self::at) never decreases
    /// in this order.
    pub sequence: usize,
    /// The time since the recorder was created, on the clock of the recorder's timer.
    pub at: Duration,
    /// The number of the body among all bodies of the recorder, in order of creation, starting at 0. It is
    /// also the row of the body in the picture.
    pub body: usize,
    /// The name under which the body is watched.
    pub name: &'a str,
    /// The number of the body among those of one [`watch`](crate::Recorder::watch), starting at 0. If one
    /// loop uses the watched closure, this is the index of the item. Single futures are numbered by name.
    pub index: usize,
    /// The kind of the event.
    pub kind: EventKind,
}

/// The kind of an [`Event`].
///
/// A body is first `Queued` and then `Started`. `Suspended` and `Resumed` alternate until exactly one of
/// the last four kinds completes it. `Woken` may come at any time before that. The body is being polled
/// from `Started` or `Resumed` to `Suspended`, `Completed`, `Failed` or `Panicked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// The loop calls the closure with the item, to create the body.
    Queued,
    /// The first poll begins.
    Started,
    /// A later poll begins.
    Resumed,
    /// A poll returned `Pending`.
    Suspended,
    /// The body's waker was called. A wake after completion is not recorded.
    Woken,
    /// The body completed with an output.
    Completed,
    /// The body completed with an `Err`. Only [`try_watch`](crate::Recorder::try_watch) and
    /// [`try_watch_future`](crate::Recorder::try_watch_future) distinguish this from `Completed`.
    Failed,
    /// The body panicked, in a poll or in the call of the closure.
    Panicked,
    /// The body was dropped before it completed, perhaps before its first poll. Its destructors have run.
    Cancelled,
}

impl EventKind {
    /// Whether this kind completes a body, so that no event of the body follows.
    pub fn is_completion(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Panicked | Self::Cancelled)
    }
}
