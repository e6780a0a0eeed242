//! Which slots were woken: an intrusive, lock-free queue of chunks, with a bit for each slot.
//!
//! # A wake
//!
//! A wake sets two bits in the word `woken` of its slot's chunk with one `fetch_or`: that of the slot,
//! and [`QUEUED`](waker::QUEUED). If `QUEUED` was set before, the chunk is in the queue already and the
//! wake is done. Otherwise this wake pushes the chunk onto the queue. If the push replaces
//! [`ASLEEP`](waker::ASLEEP), it wakes the parent, the task that polls the loop. So a wake is one or two
//! atomic operations, it allocates nothing, a chunk is in the queue at most once, and a parent is woken
//! at most once per sleep.
//!
//! # Taking the queue
//!
//! [`ReadyQueue::take`] swaps the head for `EMPTY` and follows the links. For each chunk it reads the
//! link and then swaps `woken` for zero, in this order. Until that swap `QUEUED` is set and no wake
//! writes the link. After it, a wake may push the chunk again and overwrite the link. No wake is lost:
//! a bit that was set before the swap is returned by the swap, and a wake after it finds `QUEUED` clear
//! and pushes the chunk. The reader takes the whole queue and never pops a single chunk, so there is no
//! ABA problem. `woken` is written with `Release` and taken with `Acquire`, so a body that is polled for
//! a wake sees what the thread did before the wake.
//!
//! # Sleep
//!
//! [`ReadyQueue::sleep`] stores the parent's waker first, and then exchanges `EMPTY` for `ASLEEP`. If
//! a wake came first, the exchange fails and the loop begins another round instead of sleeping. A wake
//! that comes later finds `ASLEEP` and wakes the parent, whose waker is stored by then. While the head is
//! anything else, the loop is being polled or its parent has been woken. In both cases it looks at the
//! queue again before it sleeps, so such a wake need not wake the parent. `parent.rs` says who may touch the
//! waker when.
//!
//! # Wakes by the thread that polls
//!
//! Bodies mostly wake each other, on the thread that polls their loop. Such a wake runs inside the poll
//! of a body, which has exclusive access to the `ReadyQueue`, so it cannot be concurrent with the reader or
//! with another such wake. It uses a second queue of the same shape whose words and links are plain cells.
//! [`PolledOn`](super::polling::PolledOn) tells which path to take. A slot may be set in both queues. Then
//! its chunk is taken twice in the same round, and the bits are united by the reader.
//!
//! # Forgotten wakes
//!
//! When a body completes, the bit of its slot is cleared, so that the next body in the slot is not polled
//! for it. `QUEUED` stays set: the chunk is still linked, and a second push would turn the queue into a
//! cycle and lose its tail. This is why a chunk has 63 slots and not 64, or 31 where a word has 32 bits.
//!
//! `waker.rs` has what wakers point to and the path of a wake; this file has the reader.

#![allow(unsafe_code, reason = "the queue is read through pointers that wakers share")]

mod block;
mod lazy_waker;
mod parent;
mod waker;

use core::fmt;
use core::marker::PhantomData;
use core::mem::replace;
use core::ptr::NonNull;
use core::task::Waker;

use self::block::WakerBlock;
use self::waker::{ASLEEP, EMPTY, END, QUEUED, Shared, WakerChunk};
use super::atomic::Ordering;
use super::inline_vec::InlineVec;
use super::mutations::{Mutation, is_mutated};

pub(super) use self::lazy_waker::FirstPoll;
pub(super) use self::waker::{CHUNK_SLOTS, Wakers};

/// Up to this number of chunks, none is made ahead.
const FEW: usize = 16;

/// The reader's side of the queue, and the source of wakers.
pub(super) struct ReadyQueue {
    /// Made for the first body that is pending or uses its waker. A loop without such a body needs none.
    shared: Option<NonNull<Shared>>,
    chunks: InlineVec<Option<NonNull<WakerChunk>>>,
}

// SAFETY: it points to atomics, and to cells that are touched only with `&mut` to this or from within the
// poll of a body by its holder.
unsafe impl Send for ReadyQueue {}
// SAFETY: as above. With `&` there is no access to the cells.
unsafe impl Sync for ReadyQueue {}

impl ReadyQueue {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { shared: None, chunks: InlineVec::new(None) }
    }

    /// Makes the first chunk, if there is none.
    #[inline]
    pub(super) fn begin(&mut self) {
        if self.shared.is_none() {
            self.adopt(Shared::new());
        }
    }

    /// Takes ownership of the reference to `shared`.
    #[cold]
    fn adopt(&mut self, shared: NonNull<Shared>) {
        debug_assert!(self.shared.is_none(), "it is made once");
        self.shared = Some(shared);
        *self.chunks.first_mut() = Some(Shared::first_chunk(shared));
    }

    /// Makes chunks behind the existing ones, until there are at least `chunks`. They are never freed before the
    /// last waker: one may outlive the bodies of its chunk.
    pub(super) fn grow_to(&mut self, chunks: usize) {
        let shared = self.shared.expect("the first chunk exists and is full");
        let len = self.chunks.len();
        if chunks <= len {
            return;
        }
        // In proportion to the length, except that a few are made exactly.
        let more = if len < FEW { chunks - len } else { (chunks - len).max(len / 2) };
        self.chunks.reserve_exact(more);
        let block = WakerBlock::<WakerChunk>::new(more);
        for at in 0..more {
            // SAFETY: `at` is less than the length of the block.
            let chunk = unsafe { block.start.add(at) };
            // SAFETY: as above, and nothing else has its address.
            unsafe { chunk.write(WakerChunk::new(shared, self.chunks.len())) };
            self.chunks.push(Some(chunk));
        }
        // SAFETY: we have exclusive access, and a push does not call back.
        unsafe { shared.as_ref().blocks.with(|blocks| blocks.push(block)) };
    }

    /// The wakers of a chunk.
    #[inline]
    pub(super) fn chunk(&mut self, number: usize) -> Wakers<'_> {
        let chunk = self.chunks[number].expect("a chunk has its wakers before it has bodies");
        // SAFETY: the chunk lives at least as long as the queue, to which we have exclusive access.
        unsafe { Wakers::of(chunk) }
    }

    /// Marks the bodies of this loop as being polled on this thread, until the guard is dropped.
    #[inline]
    pub(super) fn enter(&mut self) -> PollGuard<'_> {
        if let Some(shared) = self.shared {
            // SAFETY: the queue owns a reference. Nothing else polls the loop, because we have exclusive
            // access.
            unsafe { shared.as_ref() }.polled_on.enter();
        }
        PollGuard { ready: self, _not_send: PhantomData }
    }

    /// Whether a body has woken itself while it was polled, since the last call.
    pub(super) fn has_yielded(&mut self) -> bool {
        // SAFETY: the queue owns a reference, and we have exclusive access.
        self.shared
            .is_some_and(|shared| unsafe { shared.as_ref().has_yielded.with(core::mem::take) })
    }

    /// Takes all wakes so far, and calls `woken` with the number of each chunk and a bit for each of its
    /// slots. The chunks come in no particular order, and one that is in both queues comes twice.
    #[inline]
    pub(super) fn take(&mut self, mut woken: impl FnMut(usize, usize)) {
        let Some(shared) = self.shared else { return };
        // SAFETY: the queue owns a reference.
        let shared = unsafe { shared.as_ref() };
        // SAFETY: we have exclusive access, and the closures do not call back. A queued chunk belongs to
        // this loop.
        unsafe {
            let mut queued = shared.owner_head.with(|head| replace(head, END));
            while queued != END {
                let chunk = &*queued;
                queued = chunk.owner_next.with(|next| replace(next, EMPTY));
                woken(chunk.number, chunk.owner_woken.with(core::mem::take));
            }
        }
        if shared.head.load(Ordering::Relaxed) == EMPTY {
            return;
        }
        let mut queued = shared.head.swap(EMPTY, Ordering::AcqRel);
        if queued == ASLEEP {
            // SAFETY: we have exclusive access, and have replaced `ASLEEP`.
            unsafe { shared.parent.take_back() };
            return;
        }
        while queued != EMPTY {
            // SAFETY: a queued chunk belongs to this loop.
            let chunk = unsafe { &*queued };
            let order = if is_mutated(Mutation::TakesWithoutAcquire) {
                Ordering::Release
            } else {
                Ordering::AcqRel
            };
            let early = is_mutated(Mutation::ClearsBeforeNext).then(|| chunk.woken.swap(0, order));
            // Before the word is cleared: from then on the chunk may be pushed again.
            queued = chunk.next.load(Ordering::Relaxed);
            let word = early.unwrap_or_else(|| chunk.woken.swap(0, order));
            woken(chunk.number, word & !QUEUED);
        }
    }

    /// Goes to sleep until a wake, which will wake `parent`. Returns `false` if there was a wake already.
    pub(super) fn sleep(&mut self, parent: &Waker) -> bool {
        // Without `shared` no waker exists.
        let Some(shared) = self.shared else { return true };
        // SAFETY: the queue owns a reference.
        let shared = unsafe { shared.as_ref() };
        // SAFETY: we have exclusive access.
        let is_owner_queue_empty = unsafe { shared.owner_head.with(|head| *head == END) };
        if !is_owner_queue_empty && !is_mutated(Mutation::SleepsWithoutOwnerCheck) {
            return false;
        }
        // SAFETY: we have exclusive access.
        let lend = || unsafe { shared.parent.lend(parent) };
        if !is_mutated(Mutation::RegistersLate) && !lend() {
            return false;
        }
        if is_mutated(Mutation::SleepsWithoutCheck) {
            shared.head.store(ASLEEP, Ordering::Release);
            return true;
        }
        let slept =
            shared.head.compare_exchange(EMPTY, ASLEEP, Ordering::AcqRel, Ordering::Relaxed);
        if is_mutated(Mutation::RegistersLate) {
            lend();
        }
        if slept.is_err() {
            // SAFETY: we have exclusive access, and have not slept.
            unsafe { shared.parent.take_back() };
        }
        slept.is_ok()
    }
}

impl Drop for ReadyQueue {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        // A waker that outlives the loop keeps its chunk, but need not keep the parent's waker.
        // SAFETY: the queue owns a reference until it is released here.
        unsafe {
            let parent = shared.as_ref().take_parent();
            Shared::release_loop(shared);
            drop(parent);
        }
    }
}

impl fmt::Debug for ReadyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyQueue").field("chunks", &self.chunks.len()).finish_non_exhaustive()
    }
}

/// A loop whose bodies are being polled on this thread.
pub(super) struct PollGuard<'a> {
    ready: &'a mut ReadyQueue,
    /// It is dropped on the thread that made it.
    _not_send: PhantomData<*mut ()>,
}

impl PollGuard<'_> {
    /// The wakers of a chunk.
    #[inline]
    pub(super) fn chunk(&mut self, number: usize) -> Wakers<'_> {
        self.ready.chunk(number)
    }
}

/// Also runs if a body panics, so that a loop is never taken for one that is being polled.
impl Drop for PollGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.ready.shared {
            // SAFETY: the queue owns a reference.
            unsafe { shared.as_ref() }.polled_on.leave();
        }
    }
}
