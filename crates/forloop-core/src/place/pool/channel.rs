//! What the front and its workers share.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use atomic_waker::AtomicWaker;
use concurrent_queue::{ConcurrentQueue, PushError};

use crate::Outcome;

/// Bodies that travel together, each with its slot.
pub(super) type PushBatch<B> = Vec<(usize, B)>;

/// More bodies than this do not travel together.
pub(super) const BATCH: usize = 64;

/// In the place of a body's: that of the source itself.
pub(crate) const SOURCE: usize = usize::MAX;

/// The end of a body on its way to the front.
pub(super) struct PoolCompletion<T> {
    /// Where the front has its index; or the index itself, where the workers draw the bodies.
    pub(super) slot: usize,
    /// Its place in the order of ends.
    pub(super) seq: usize,
    pub(super) outcome: Outcome<T>,
}

/// Ends that travel together.
pub(super) struct CompletionBatch<T> {
    /// Outputs that nobody waits for, each with its index: most of what there is.
    pub(super) batched: Vec<(usize, T)>,
    /// All others.
    pub(super) news: Vec<PoolCompletion<T>>,
}

impl<T> CompletionBatch<T> {
    const fn new() -> Self {
        Self { batched: Vec::new(), news: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.batched.is_empty() && self.news.is_empty()
    }
}

/// What a worker finds in its tray.
pub(super) enum Command<B> {
    /// Bodies to run.
    Run(PushBatch<B>),
    /// The body of this slot has no time left.
    Expire(usize),
}

/// A worker's desk: what it is told is put there.
pub(super) struct Inbox<B> {
    /// Closed when the worker has gone.
    notes: ConcurrentQueue<Command<B>>,
    /// Emptied chunks, to be used again.
    empty: ConcurrentQueue<PushBatch<B>>,
    pub(super) worker: AtomicWaker,
}

impl<B> Inbox<B> {
    pub(super) fn new() -> Self {
        Self {
            notes: ConcurrentQueue::unbounded(),
            empty: ConcurrentQueue::bounded(SPARE),
            worker: AtomicWaker::new(),
        }
    }

    /// Tells the worker something; gives it back if the worker has gone.
    pub(super) fn tell(&self, note: Command<B>) -> Option<Command<B>> {
        match self.notes.push(note) {
            Ok(()) => {
                self.worker.wake();
                None
            }
            Err(refused) => Some(refused.into_inner()),
        }
    }

    /// The next note.
    pub(super) fn read(&self) -> Option<Command<B>> {
        self.notes.pop().ok()
    }

    /// Refuses further notes.
    pub(super) fn close(&self) {
        self.notes.close();
    }

    /// A chunk with nothing in it.
    pub(super) fn empty_batch(&self) -> PushBatch<B> {
        self.empty.pop().unwrap_or_default()
    }

    /// Keeps an emptied chunk for the next.
    pub(super) fn recycle(&self, batch: PushBatch<B>) {
        debug_assert!(batch.is_empty(), "whatever travelled has arrived");
        // As many as are in use are there already.
        drop(self.empty.push(batch));
    }
}

/// How many emptied chunks of bodies are kept.
const SPARE: usize = 8;

/// Where the ends of a loop's bodies come together.
pub(super) struct CompletionQueue<T> {
    /// Closed when the front has gone. What does not fit in is in `more`, which allocates as it grows.
    ends: ConcurrentQueue<CompletionBatch<T>>,
    more: ConcurrentQueue<CompletionBatch<T>>,
    /// Emptied ends, to be used again.
    empty: ConcurrentQueue<CompletionBatch<T>>,
    pub(super) dispatcher: AtomicWaker,
    /// No body goes on.
    cancelled: AtomicBool,
    /// How many workers have not ended that draw their bodies themselves.
    going: AtomicUsize,
}

impl<T> CompletionQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            ends: ConcurrentQueue::bounded(BATCH),
            more: ConcurrentQueue::unbounded(),
            empty: ConcurrentQueue::bounded(BATCH),
            dispatcher: AtomicWaker::new(),
            cancelled: AtomicBool::new(false),
            going: AtomicUsize::new(0),
        }
    }

    /// How many workers have not ended: what those that have ended had to send has come.
    pub(super) fn going(&self) -> usize {
        self.going.load(Ordering::SeqCst)
    }

    /// One more worker begins.
    pub(super) fn one_more(&self) {
        self.going.fetch_add(1, Ordering::SeqCst);
    }

    /// A worker has ended.
    pub(super) fn one_less(&self) {
        self.going.fetch_sub(1, Ordering::SeqCst);
        self.dispatcher.wake();
    }

    /// Has no body go on. Workers that sleep are woken otherwise.
    pub(super) fn mark_cancelled(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Brings ends; drops them here and now if the front has gone.
    fn push(&self, ends: CompletionBatch<T>) {
        let is_there = match self.ends.push(ends) {
            Err(PushError::Full(ends)) => self.more.push(ends).is_ok(),
            brought => brought.is_ok(),
        };
        if is_there {
            self.dispatcher.wake();
        }
    }

    /// The next ends that have come.
    pub(super) fn take(&self) -> Option<CompletionBatch<T>> {
        self.ends.pop().or_else(|_| self.more.pop()).ok()
    }

    pub(super) fn has_ends(&self) -> bool {
        !self.ends.is_empty() || !self.more.is_empty()
    }

    /// Keeps emptied ends for the next.
    pub(super) fn recycle(&self, ends: CompletionBatch<T>) {
        debug_assert!(ends.is_empty(), "all of them were taken");
        drop(self.empty.push(ends));
    }

    /// Nobody will read another end: those that have come are dropped here and now.
    pub(super) fn close(&self) {
        self.ends.close();
        self.more.close();
        while self.take().is_some() {}
    }
}

/// As many ends as may wait together.
const MANY: usize = 1024;

/// Ends on a worker's desk, before they are sent home together.
pub(super) struct BatchBuffer<T> {
    completions: Arc<CompletionQueue<T>>,
    ends: CompletionBatch<T>,
    /// How many bodies the worker has that have not ended, if it is brought others in their place.
    left: usize,
    /// What is in it is not sent before the word is given.
    is_held: bool,
}

impl<T> BatchBuffer<T> {
    pub(super) fn new(completions: Arc<CompletionQueue<T>>) -> Self {
        Self { completions, ends: CompletionBatch::new(), left: 0, is_held: false }
    }

    /// So many more bodies were brought.
    pub(super) fn expect(&mut self, bodies: usize) {
        self.left += bodies;
    }

    /// Puts in an output that nobody waits for.
    #[inline]
    pub(super) fn put_batched(&mut self, index: usize, output: T) {
        self.ends.batched.push((index, output));
        if self.ends.batched.len() >= MANY {
            self.send_unless_held();
        }
    }

    /// Puts in an end that somebody waits for. It is sent home with the others of its round, and at once if
    /// it `is_last`. Where bodies are brought, half of what there is is sent at once, so that what comes in
    /// its place is there before the other half has ended.
    pub(super) fn put(&mut self, end: PoolCompletion<T>, is_last: bool) {
        self.ends.news.push(end);
        let enough = match self.left {
            0 => BATCH,
            _ => {
                self.left -= 1;
                self.left.min(BATCH / 2)
            }
        };
        if self.ends.news.len() >= enough || is_last {
            self.send_unless_held();
        }
    }

    /// Keeps what is put in until it is told to send it.
    pub(super) fn hold(&mut self) {
        self.is_held = true;
    }

    /// Sends home what is in it, if somebody waits for it.
    #[inline]
    pub(super) fn send_if_due(&mut self) {
        if !self.ends.news.is_empty() {
            self.send();
        }
    }

    #[cold]
    fn send_unless_held(&mut self) {
        if !self.is_held {
            self.send();
        }
    }

    /// Sends home what is in it.
    pub(super) fn send(&mut self) {
        if self.ends.is_empty() {
            return;
        }
        let empty = self.completions.empty.pop().unwrap_or(CompletionBatch::new());
        self.completions.push(mem::replace(&mut self.ends, empty));
    }
}

/// Something that only its owner touches, and that is `Sync` therefore.
pub(super) struct SyncWrapper<T> {
    kept: ConcurrentQueue<T>,
}

impl<T: Default> SyncWrapper<T> {
    pub(super) fn new(thing: T) -> Self {
        let kept = ConcurrentQueue::bounded(1);
        drop(kept.push(thing));
        Self { kept }
    }

    /// Lends the thing to `f`.
    pub(super) fn with<U>(&mut self, f: impl FnOnce(&mut T) -> U) -> U {
        let mut lent = TakeGuard { thing: self.kept.pop().unwrap_or_default(), kept: &self.kept };
        f(&mut lent.thing)
    }
}

/// Puts back what was lent, also after a panic.
struct TakeGuard<'a, T: Default> {
    thing: T,
    kept: &'a ConcurrentQueue<T>,
}

impl<T: Default> Drop for TakeGuard<'_, T> {
    fn drop(&mut self) {
        let was_lent_twice = self.kept.push(mem::take(&mut self.thing)).is_err();
        debug_assert!(!was_lent_twice, "its owner has it once");
    }
}
