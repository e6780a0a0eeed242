//! The items of a loop between the source and the end of their last attempt.
//!
//! Only a loop whose options have a say in when an item starts has an [`AdmissionQueue`]: rates, keys, weights,
//! retries, observers. In any other loop an item starts as soon as it was pulled.
//!
//! # What an item waits for
//!
//! Each item that the queue knows is in one [state](State):
//!
//! ```text
//!  received ──> Held ──> Queued ──> Running ──> (completed: forgotten)
//!                 released    ^        │ ^
//!                             │  failed│ │starts again
//!                       permit│        v │
//!                             │   BackingOff ──> Due
//! ```
//!
//! A held or queued item has no permit. One that backs off keeps its permit, so that an overloaded server gets no
//! other requests during the back-off, and memory stays bounded by the limit. `queued` and `due` are the indices of
//! the items in those two states, in the order in which they start: the queued ones in input order, because the
//! results of others may wait for theirs; those that are due in the order in which their back-offs ended.
//!
//! When the loop closes, everything that waits becomes a [leftover](Leftover), and leaves the queue one by one:
//! first the items that back off, each with the failure of its last attempt, then those that never ran.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::engine::{Completion, Key};
use crate::indices::IndexSet;
use crate::item_map::ItemMap;
use crate::single::Single;

/// What a loop keeps for its items beside the bodies: [`NoQueue`] or an [`AdmissionQueue`].
#[doc(hidden)]
pub trait MaybeQueue<I, R> {
    /// Makes an empty queue. `is_error` checks whether an output is an error, if the strategy knows.
    fn new(is_error: Option<fn(&R) -> bool>) -> Self;

    /// The queue, if the loop has one.
    fn queue(&self) -> Option<&AdmissionQueue<I, R>>;

    /// As [`queue`](Self::queue), to change it.
    fn queue_mut(&mut self) -> Option<&mut AdmissionQueue<I, R>>;

    /// Whether no item waits.
    fn is_empty(&self) -> bool;

    /// Whether this is the latest attempt at its item.
    fn is_latest(&self, body: Key, attempt: u32) -> bool;
}

/// For loops in which no item ever waits.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default)]
pub struct NoQueue;

impl<I, R> MaybeQueue<I, R> for NoQueue {
    #[inline(always)]
    fn new(_is_error: Option<fn(&R) -> bool>) -> Self {
        Self
    }

    #[inline(always)]
    fn queue(&self) -> Option<&AdmissionQueue<I, R>> {
        None
    }

    #[inline(always)]
    fn queue_mut(&mut self) -> Option<&mut AdmissionQueue<I, R>> {
        None
    }

    #[inline(always)]
    fn is_empty(&self) -> bool {
        true
    }

    #[inline(always)]
    fn is_latest(&self, _body: Key, _attempt: u32) -> bool {
        true
    }
}

/// The items of a loop that wait, or may be retried: see [the module](self).
#[doc(hidden)]
pub struct AdmissionQueue<I, R> {
    items: ItemMap<State<I, R>>,
    /// The items in [`State::Queued`].
    queued: IndexSet,
    /// The items in [`State::Due`], the first to start first.
    due: VecDeque<usize>,
    /// How many items are held or queued.
    unstarted: usize,
    /// How many items back off or are due.
    backing_off: usize,
    leftovers: VecDeque<(usize, Leftover<I, R>)>,
    /// Whether what a body has returned is an error, if the strategy knows.
    is_error: Option<fn(&R) -> bool>,
    log: AttemptLog,
    /// What this queue and that of the driver which workers share tell each other.
    pub(crate) shared: Option<Arc<SharedAttempts>>,
    /// Index and attempts of the items that were logged.
    logged: Vec<(usize, u32)>,
    /// Results are given in input order.
    pub(crate) is_ordered: bool,
    /// The observers have received that the loop has started.
    pub(crate) has_announced_start: bool,
}

/// What an item waits for, and what is kept for it meanwhile.
enum State<I, R> {
    /// For an option to release it.
    Held(I),
    /// For a permit.
    Queued(I),
    /// For its body to complete.
    Running(Retained<I>),
    /// For the end of its back-off, after this failure.
    BackingOff(Retained<I>, Completion<R>),
    /// To start again: its back-off is over.
    Due(Retained<I>, Completion<R>),
}

impl<I, R> State<I, R> {
    /// The number of the attempt at the item that runs, or was the last one.
    fn attempt(&self) -> u32 {
        match self {
            Self::Running(retained) | Self::BackingOff(retained, _) | Self::Due(retained, _) => {
                1 + retained.retries
            }
            Self::Held(_) | Self::Queued(_) => 1,
        }
    }
}

/// What is kept of an item for its next attempt.
struct Retained<I> {
    item: Option<I>,
    /// How many attempts came before this one.
    retries: u32,
}

/// What is left of an item that waited when the loop was closed.
pub(crate) enum Leftover<I, R> {
    /// It waited for another attempt, or would have been retried, and this was its last failure.
    Failed(Completion<R>),
    /// It was never started.
    Unstarted(I),
}

/// Whose attempts are logged when they complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptLog {
    /// Those of no item.
    None,
    /// Those of items that failed.
    Failures,
    /// Those of every item.
    All,
}

/// What the queue of a loop and that of the driver which its workers share tell each other.
pub(crate) struct SharedAttempts {
    /// Whose attempts are logged, and whether results are given in input order.
    begin: Single<(AttemptLog, bool)>,
    logged: Single<Vec<(usize, u32)>>,
}

impl SharedAttempts {
    pub(crate) const fn new() -> Self {
        Self { begin: Single::empty(), logged: Single::empty() }
    }
}

impl<I, R> MaybeQueue<I, R> for Box<AdmissionQueue<I, R>> {
    fn new(is_error: Option<fn(&R) -> bool>) -> Self {
        Self::new(AdmissionQueue {
            items: ItemMap::new(),
            queued: IndexSet::new(),
            due: VecDeque::new(),
            unstarted: 0,
            backing_off: 0,
            leftovers: VecDeque::new(),
            is_error,
            log: AttemptLog::None,
            shared: None,
            logged: Vec::new(),
            is_ordered: false,
            has_announced_start: false,
        })
    }

    fn queue(&self) -> Option<&AdmissionQueue<I, R>> {
        Some(self)
    }

    fn queue_mut(&mut self) -> Option<&mut AdmissionQueue<I, R>> {
        Some(self)
    }

    fn is_empty(&self) -> bool {
        AdmissionQueue::is_empty(self)
    }

    fn is_latest(&self, body: Key, attempt: u32) -> bool {
        self.attempt(body.index) == attempt
    }
}

impl<I, R> AdmissionQueue<I, R> {
    pub(crate) fn is_error(&self, returned: &R) -> bool {
        self.is_error.is_some_and(|is_error| is_error(returned))
    }

    /// Begins the loop: what was set here is for the queue of the driver that workers share, if there is one.
    pub(crate) fn begin(&self) {
        if let Some(shared) = &self.shared {
            let put = shared.begin.put((self.log, self.is_ordered));
            debug_assert!(put.is_ok(), "a loop begins once");
        }
    }

    /// Begins the loop of a driver that workers share.
    pub(crate) fn begin_shared(&mut self, shared: &SharedAttempts) {
        (self.log, self.is_ordered) = shared.begin.take().unwrap_or((AttemptLog::None, false));
    }

    /// Ends the loop of a driver that workers share. Items that run are logged, too: they may fail later.
    pub(crate) fn end_shared(&mut self, shared: &SharedAttempts) {
        let mut logged = core::mem::take(&mut self.logged);
        if self.log != AttemptLog::None {
            for (index, state) in self.items.iter() {
                if let State::Running(Retained { retries: 1.., .. }) = state {
                    logged.push((index, state.attempt()));
                }
            }
        }
        drop(shared.logged.put(logged));
    }

    /// Sets whose attempts are logged.
    pub(crate) fn log_attempts(&mut self, log: AttemptLog) {
        self.log = log;
    }

    /// Whether no item waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.unstarted == 0 && self.backing_off == 0 && self.leftovers.is_empty()
    }

    /// How many items wait for their first attempt.
    pub(crate) fn unstarted(&self) -> usize {
        self.unstarted
    }

    /// How many items wait for an attempt, or have ended without a body and were not passed on.
    pub(crate) fn waiting(&self) -> usize {
        self.unstarted + self.backing_off + self.leftovers.len()
    }

    /// How many items wait for another attempt: they keep their permits.
    pub(crate) fn backing_off(&self) -> usize {
        self.backing_off
    }

    /// Takes in an item: one that [may start](Self::next_queued) as soon as there is a permit for it, or one that is
    /// held back until it is [released](Self::release).
    pub(crate) fn receive(&mut self, index: usize, item: I, is_held: bool) {
        self.unstarted += 1;
        let state = if is_held {
            State::Held(item)
        } else {
            self.queued.insert(index);
            State::Queued(item)
        };
        self.items.insert(index, state);
    }

    /// Holds this item back no longer.
    pub(crate) fn release(&mut self, index: usize) {
        match self.items.remove(index) {
            Some(State::Held(item)) => {
                self.queued.insert(index);
                self.items.insert(index, State::Queued(item));
            }
            Some(state) => drop(self.items.insert(index, state)),
            None => {}
        }
    }

    /// The queued item that starts next.
    pub(crate) fn next_queued(&self) -> Option<usize> {
        self.queued.first()
    }

    /// Takes out the queued item that starts next.
    pub(crate) fn take_queued(&mut self) -> Option<(usize, I)> {
        let index = self.queued.pop_first()?;
        match self.items.remove(index)? {
            State::Held(item) | State::Queued(item) => {
                self.unstarted -= 1;
                Some((index, item))
            }
            State::Running(_) | State::BackingOff(..) | State::Due(..) => {
                unreachable!("an index in `queued` is that of a queued item")
            }
        }
    }

    /// Keeps what is needed for another attempt at an item that starts.
    pub(crate) fn retain(&mut self, index: usize, item: I) {
        let retries = self.attempt(index) - 1;
        self.items.insert(index, State::Running(Retained { item: Some(item), retries }));
    }

    /// Keeps a failure after which the item is retried.
    pub(crate) fn back_off(&mut self, failure: Completion<R>) {
        let index = failure.index;
        let mut retained = match self.items.remove(index) {
            Some(State::Running(retained)) => retained,
            _ => Retained { item: None, retries: 0 },
        };
        retained.retries += 1;
        self.backing_off += 1;
        self.items.insert(index, State::BackingOff(retained, failure));
    }

    /// Notes that this item's back-off is over.
    pub(crate) fn back_off_is_over(&mut self, index: usize) {
        match self.items.remove(index) {
            Some(State::BackingOff(retained, failure)) => {
                self.due.push_back(index);
                self.items.insert(index, State::Due(retained, failure));
            }
            Some(state) => drop(self.items.insert(index, state)),
            None => {}
        }
    }

    /// The item that starts again next.
    pub(crate) fn next_due(&self) -> Option<usize> {
        self.due.front().copied()
    }

    /// Takes out the item that [starts again next](Self::next_due), with its last failure.
    pub(crate) fn take_due(&mut self, index: usize) -> (Option<I>, Completion<R>) {
        self.due.pop_front();
        match self.items.remove(index) {
            Some(State::Due(Retained { item, retries }, failure)) => {
                self.backing_off -= 1;
                self.items.insert(index, State::Running(Retained { item: None, retries }));
                (item, failure)
            }
            _ => unreachable!("an index in `due` is that of an item which is due"),
        }
    }

    /// The number of the attempt at this item that runs or has just completed, starting at 1.
    pub(crate) fn attempt(&self, index: usize) -> u32 {
        self.items.get(index).map_or(1, State::attempt)
    }

    /// There is no further attempt at this running item after all: the one before was the last.
    pub(crate) fn give_up(&mut self, index: usize) {
        if let Some(State::Running(retained)) = self.items.get_mut(index) {
            retained.retries -= 1;
        }
    }

    /// Forgets an item that has completed. Returns how many attempts there were.
    pub(crate) fn forget(&mut self, index: usize, has_failed: bool) -> u32 {
        let state = self.items.remove(index);
        let retries = match &state {
            Some(State::Running(retained)) => retained.retries,
            _ => 0,
        };
        let is_logged = match self.log {
            AttemptLog::None => false,
            AttemptLog::Failures => has_failed,
            AttemptLog::All => true,
        };
        if is_logged && retries > 0 {
            self.logged.push((index, 1 + retries));
        }
        // Last, because this may panic.
        drop(state);
        1 + retries
    }

    /// Leaves the failure of an item over that would have been retried if the queue were not closed.
    pub(crate) fn defer(&mut self, failure: Completion<R>) {
        self.leftovers.push_back((failure.index, Leftover::Failed(failure)));
    }

    /// Nothing starts any more: what waits is [left over](Self::take_leftover).
    pub(crate) fn close(&mut self) {
        self.queued.clear();
        self.due.clear();
        self.unstarted = 0;
        self.backing_off = 0;
        let mut unstarted = Vec::new();
        for (index, state) in self.items.take() {
            match state {
                State::Held(item) | State::Queued(item) => {
                    unstarted.push((index, Leftover::Unstarted(item)));
                }
                State::BackingOff(mut retained, failure) | State::Due(mut retained, failure) => {
                    retained.retries -= 1;
                    self.items.insert(index, State::Running(retained));
                    self.leftovers.push_back((index, Leftover::Failed(failure)));
                }
                State::Running(retained) => {
                    self.items.insert(index, State::Running(retained));
                }
            }
        }
        self.leftovers.extend(unstarted);
    }

    /// Drops what is still kept of any item.
    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.leftovers.clear();
    }

    /// Takes out the next item that waited when the queue was closed.
    pub(crate) fn take_leftover(&mut self) -> Option<(usize, Leftover<I, R>)> {
        self.leftovers.pop_front()
    }

    /// Takes index and attempts of the items that were logged, in ascending order.
    pub(crate) fn logged_attempts(&mut self) -> Vec<(usize, u32)> {
        let mut logged = match &self.shared {
            Some(shared) => shared.logged.take().unwrap_or_default(),
            None => core::mem::take(&mut self.logged),
        };
        logged.sort_unstable();
        logged
    }
}

impl<I, R> fmt::Debug for AdmissionQueue<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmissionQueue")
            .field("unstarted", &self.unstarted)
            .field("backing_off", &self.backing_off)
            .finish_non_exhaustive()
    }
}
