//! What happens to a body.

use std::time::Duration;

/// Something that has happened to a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// Its place in the order in which events were recorded, from 0. Later events have no earlier
    /// [time](Self::at).
    pub sequence: usize,
    /// When it happened, from when the recorder was made, on the clock of the recorder's timer.
    pub at: Duration,
    /// Which of all bodies of the recorder, in the order in which they were made, from 0: its row in
    /// the picture.
    pub body: usize,
    /// The name under which the body is watched.
    pub name: &'a str,
    /// Which of the bodies of one [`watch`](crate::Recorder::watch), from 0: the index of its item, if
    /// one loop has used what `watch` gave. A single future has the number of those of its name before it.
    pub index: usize,
    /// What has happened.
    pub kind: EventKind,
}

/// What can happen to a body.
///
/// In this order: it is `Queued` and `JobHandle`; `Suspended` and `Resumed` by turns; and it ends in one of
/// the four ways, once. It is `Woken` at any time before its end. It runs from `JobHandle` or `Resumed` to
/// `Suspended`, `Done`, `Failed` or `Panicked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// The loop has called the closure with its item: the body is being made.
    Queued,
    /// Its first poll begins.
    JobHandle,
    /// A later poll begins.
    Resumed,
    /// A poll has ended, and the body waits for something.
    Suspended,
    /// Somebody has woken it. A wake after its end is not recorded.
    Woken,
    /// A poll has ended, and so has the body, with its output.
    Done,
    /// The same, and the output is an `Err`. Only [`try_watch`](crate::Recorder::try_watch) and
    /// [`try_watch_future`](crate::Recorder::try_watch_future) tell this from `Done`.
    Failed,
    /// It has panicked, while it was polled or while the closure made it.
    Panicked,
    /// It was dropped before it has ended, perhaps before it was polled, and now it is gone.
    Cancelled,
}

impl EventKind {
    /// Whether nothing can happen to a body after this.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Panicked | Self::Cancelled)
    }
}
