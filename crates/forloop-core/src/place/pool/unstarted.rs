//! The bodies that a worker has pulled and not started, where other workers can take them.

use alloc::collections::VecDeque;
use core::mem;

use super::sync::{AtomicBool, AtomicUsize, Locked, Ordering, TryLock, fence};
use crate::body::Attempt;

/// Bodies that were pulled one after another and not started.
pub(super) struct Batch<B> {
    /// The index of the first. Those that follow have consecutive indices, if `attempts` is empty.
    pub(super) first: usize,
    pub(super) bodies: VecDeque<B>,
    /// The attempt of each body, if a driver in the source has started it.
    pub(super) attempts: VecDeque<Attempt>,
}

impl<B> Batch<B> {
    pub(super) const fn new() -> Self {
        Self { first: 0, bodies: VecDeque::new(), attempts: VecDeque::new() }
    }

    /// The index of the first body, if there is one. `has_attempts` is a constant.
    #[inline]
    pub(super) fn first(&self, has_attempts: bool) -> Option<usize> {
        if has_attempts {
            self.attempts.front().map(|attempt| attempt.index)
        } else {
            (!self.bodies.is_empty()).then_some(self.first)
        }
    }

    /// Notes that the body with this index, the first, was taken out.
    #[inline]
    pub(super) fn skip(&mut self, index: usize, has_attempts: bool) {
        if has_attempts {
            self.attempts.pop_front();
        } else {
            self.first = index + 1;
        }
    }

    /// Moves the first bodies, half of them but at most `most`, into an empty batch. Returns whether there were any.
    fn split_into(&mut self, other: &mut Self, most: usize) -> bool {
        let taken = self.bodies.len().div_ceil(2).min(most);
        debug_assert!(other.bodies.is_empty(), "a worker with bodies takes none");
        other.first = self.first;
        other.bodies.extend(self.bodies.drain(..taken));
        other.attempts.extend(self.attempts.drain(..taken.min(self.attempts.len())));
        self.first += taken;
        taken > 0
    }
}

/// The queue of a worker's unstarted bodies. The worker starts them one by one, and any worker that has nothing else to do
/// may take half of them.
///
/// **Why all of them are shared.** The worker takes one body out, and polls it while the others stay in the queue. So no body
/// waits behind one that computes for long while a worker is idle. To take one out is one atomic swap: the lock is held only
/// while bodies are moved, no code of the user runs under it, and no thread waits for it. A worker that finds it locked tries again
/// later, and counts that as work, so that it returns to its executor if that happens often.
///
/// **Why no worker completes while there are bodies.** A worker at the end of the source completes when it finds every queue
/// empty. Bodies that another worker is taking from one queue to its own are in none. So the workers count how often bodies have
/// departed and arrived, and a worker that sees a difference looks again.
///
/// **The end.** A worker that stops [closes](Self::close) its queue, and then takes what is left in every closed one, to report
/// each body. It does not wait for a queue that is locked: the worker that has locked it takes the rest now, or took some of it and
/// does the same when it stops. That worker finds the queue closed, because both set what the other reads, the lock and the flag,
/// and read after a fence.
pub(super) struct Unstarted<B> {
    batch: TryLock<Batch<B>>,
    is_closed: AtomicBool,
}

/// The queue is locked by another worker, for some instructions.
#[derive(Debug)]
pub(super) struct Contended;

impl<B> Unstarted<B> {
    pub(super) fn new() -> Self {
        Self { batch: TryLock::new(Batch::new()), is_closed: AtomicBool::new(false) }
    }

    /// Locks the queue, to take the first body out of it.
    #[inline]
    pub(super) fn lock(&self) -> Result<Locked<'_, Batch<B>>, Contended> {
        self.batch.try_lock().ok_or(Contended)
    }

    /// Fills the queue, which is empty. `batch` gets the memory of the last one.
    pub(super) fn fill(&self, batch: &mut Batch<B>) -> Result<(), Contended> {
        let mut queue = self.lock()?;
        debug_assert!(queue.bodies.is_empty(), "a worker starts what it has before it pulls");
        mem::swap(&mut *queue, batch);
        Ok(())
    }

    /// Moves half of the bodies, but at most `most`, into an empty batch of another worker. Returns whether there were any, and
    /// counts that in `departed` before another worker can see that they are not here any more.
    pub(super) fn take_half(
        &self,
        batch: &mut Batch<B>,
        most: usize,
        departed: &AtomicUsize,
    ) -> Result<bool, Contended> {
        let mut queue = self.lock()?;
        let has_taken = queue.split_into(batch, most);
        if has_taken {
            departed.fetch_add(1, Ordering::SeqCst);
        }
        Ok(has_taken)
    }

    /// Notes that the worker of this queue has stopped. What is left in it is for [`take_rest`](Self::take_rest).
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Takes what is left in the queue, if its worker has stopped and no other one has locked it.
    pub(super) fn take_rest(&self) -> Batch<B> {
        if !self.is_closed.load(Ordering::SeqCst) {
            return Batch::new();
        }
        self.lock().map_or(Batch::new(), |mut queue| mem::replace(&mut *queue, Batch::new()))
    }
}
