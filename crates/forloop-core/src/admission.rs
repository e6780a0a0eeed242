//! Where items wait that were pulled and do not run: for their turn, or for another attempt.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::fmt;

use crate::engine::Completion;

/// What a loop keeps for its items beside the bodies: [`NoQueue`] or a [`AdmissionQueue`], which are all there are.
#[doc(hidden)]
pub trait MaybeQueue<I, R> {
    /// One, for bodies of which an `R` may be an error, if that is known.
    fn of(is_error: Option<fn(&R) -> bool>) -> Self;

    /// What is kept, if anything ever is.
    fn admission(&mut self) -> Option<&mut AdmissionQueue<I, R>>;

    /// As [`admission`](Self::admission), to look at.
    fn admission_ref(&self) -> Option<&AdmissionQueue<I, R>>;
}

/// For loops in which no item ever waits.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default)]
pub struct NoQueue;

impl<I, R> MaybeQueue<I, R> for NoQueue {
    #[inline(always)]
    fn of(_is_error: Option<fn(&R) -> bool>) -> Self {
        Self
    }

    #[inline(always)]
    fn admission(&mut self) -> Option<&mut AdmissionQueue<I, R>> {
        None
    }

    #[inline(always)]
    fn admission_ref(&self) -> Option<&AdmissionQueue<I, R>> {
        None
    }
}

/// The items of a loop that wait, each under its index.
#[doc(hidden)]
pub struct AdmissionQueue<I, R> {
    /// Whether what a body has returned is an error, if the strategy knows.
    is_error: Option<fn(&R) -> bool>,
    /// Those that were not begun yet.
    waiting: BTreeMap<usize, I>,
    /// Of them, those that nothing holds back but the number of bodies that may run. The first of the input is the
    /// first to begin: the results of others may wait for its own.
    free: BTreeSet<usize>,
    /// What is left of each that runs and may run again.
    running: BTreeMap<usize, I>,
    /// How each has failed that will run again.
    failed: BTreeMap<usize, Completion<R>>,
    /// Of those, the ones whose time has come.
    due: VecDeque<usize>,
    /// How often each was tried again that is not done with.
    retries: BTreeMap<usize, u32>,
    /// Index and attempts of those that are done with and were tried more than once.
    tried: Vec<(usize, u32)>,
    notes: AttemptLog,
    /// Nothing more begins: what waits is told its end.
    pub(crate) is_closed: bool,
    /// Results are given in input order.
    pub(crate) is_ordered: bool,
    /// The loop's observers know that it has begun.
    pub(crate) has_told: bool,
}

/// Whose attempts are kept when they are done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptLog {
    /// Nobody's.
    None,
    /// Those of the failed.
    Failures,
    /// Everyone's.
    All,
}

impl<I, R> MaybeQueue<I, R> for Box<AdmissionQueue<I, R>> {
    fn of(is_error: Option<fn(&R) -> bool>) -> Self {
        Self::new(AdmissionQueue {
            is_error,
            waiting: BTreeMap::new(),
            free: BTreeSet::new(),
            running: BTreeMap::new(),
            failed: BTreeMap::new(),
            due: VecDeque::new(),
            retries: BTreeMap::new(),
            tried: Vec::new(),
            notes: AttemptLog::None,
            is_closed: false,
            is_ordered: false,
            has_told: false,
        })
    }

    fn admission(&mut self) -> Option<&mut AdmissionQueue<I, R>> {
        Some(self)
    }

    fn admission_ref(&self) -> Option<&AdmissionQueue<I, R>> {
        Some(self)
    }
}

impl<I, R> AdmissionQueue<I, R> {
    pub(crate) fn is_error(&self, returned: &R) -> bool {
        self.is_error.is_some_and(|is_error| is_error(returned))
    }

    /// Says whose attempts are to be kept.
    pub(crate) fn note(&mut self, notes: AttemptLog) {
        self.notes = notes;
    }

    /// Nobody waits here.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.failed.is_empty()
    }

    /// How many wait for their first attempt.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many wait for another attempt: they keep their places.
    pub(crate) fn failed(&self) -> usize {
        self.failed.len()
    }

    /// Takes in an item; `is_free` if nothing holds it back but the number of bodies that may run.
    pub(crate) fn arrive(&mut self, index: usize, item: I, is_free: bool) {
        self.waiting.insert(index, item);
        if is_free {
            self.free.insert(index);
        }
    }

    /// Nothing holds this item back any more.
    pub(crate) fn release(&mut self, index: usize) {
        self.free.insert(index);
    }

    /// Which item is the next to begin.
    pub(crate) fn next_free(&self) -> Option<usize> {
        self.free.first().copied()
    }

    /// Takes out the item that is the next to begin.
    pub(crate) fn take_free(&mut self) -> Option<(usize, I)> {
        let index = self.free.pop_first()?;
        self.waiting.remove(&index).map(|item| (index, item))
    }

    /// Keeps what is needed for another attempt.
    pub(crate) fn keep(&mut self, index: usize, item: I) {
        self.running.insert(index, item);
    }

    /// Keeps the end of an attempt that will not be the last. Tells which attempt it was.
    pub(crate) fn fail(&mut self, end: Completion<R>) {
        *self.retries.entry(end.index).or_default() += 1;
        self.failed.insert(end.index, end);
    }

    /// The time of this item's next attempt has come.
    pub(crate) fn is_due(&mut self, index: usize) {
        self.due.push_back(index);
    }

    /// Whether the time of some item's next attempt has come.
    pub(crate) fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Takes out the item that is the next to begin again, and how its last attempt has ended.
    pub(crate) fn take_due(&mut self) -> Option<(usize, I, Completion<R>)> {
        let index = self.due.pop_front()?;
        let end = self.failed.remove(&index)?;
        let item = self.running.remove(&index)?;
        Some((index, item, end))
    }

    /// The how many-th attempt at this item it is that runs, or has just ended.
    pub(crate) fn attempt(&self, index: usize) -> u32 {
        1 + self.retries.get(&index).copied().unwrap_or(0)
    }

    /// There will be no further attempt at this item, after all.
    pub(crate) fn give_up(&mut self, index: usize) {
        self.retries.entry(index).and_modify(|retries| *retries -= 1);
    }

    /// This item is done with: forgets it, and returns how many attempts there were.
    pub(crate) fn forget(&mut self, index: usize, has_failed: bool) -> u32 {
        let kept = self.running.remove(&index);
        let retries = self.retries.remove(&index);
        // Last, because this may panic.
        drop(kept);
        let Some(retries) = retries else { return 1 };
        let is_kept = match self.notes {
            AttemptLog::None => false,
            AttemptLog::Failures => has_failed,
            AttemptLog::All => true,
        };
        if is_kept && retries > 0 {
            self.tried.push((index, 1 + retries));
        }
        1 + retries
    }

    /// Nothing more begins.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.free.clear();
        self.due.clear();
    }

    /// Takes out one that will not begin: its index, and how its last attempt has ended if there was one.
    pub(crate) fn take_left(&mut self) -> Option<(usize, Option<Completion<R>>)> {
        if let Some((index, end)) = self.failed.pop_first() {
            self.give_up(index);
            return Some((index, Some(end)));
        }
        self.waiting.pop_first().map(|(index, _)| (index, None))
    }

    /// Index and attempts of the items that were noted.
    pub(crate) fn tried(&mut self) -> Vec<(usize, u32)> {
        let mut tried = core::mem::take(&mut self.tried);
        tried.sort_unstable();
        tried
    }
}

impl<I, R> fmt::Debug for AdmissionQueue<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lobby")
            .field("waiting", &self.waiting.len())
            .field("failed", &self.failed.len())
            .finish_non_exhaustive()
    }
}
