//! What wakers point to, and the path of a wake into the queue.
//!
//! A waker is the address of its slot's chunk with the slot's offset in the low bits, so it costs no memory.
//! All chunks of a loop share one [`Shared`] and its reference count: the loop has a reference, and so
//! has every cloned waker. The wakers that the engine itself passes to bodies are not counted. They borrow
//! from the loop.
//!
//! # The reference count
//!
//! Most wakers are cloned by a body while it is polled, and many are dropped by one. That is on the thread that polls
//! the loop, so it takes no atomic operation: the count has two parts, whose sum is the number of wakers. One is
//! atomic; the other is a plain cell that only that thread touches, while it polls the loop. A waker may be counted in one
//! and discounted in the other, so either part may be negative by itself.
//!
//! While the loop exists, nothing is freed: its reference counts as [`LOOP`], more than any number of wakers, in the
//! atomic part. When the loop is dropped, it replaces that by the plain part. From then on there is only
//! the atomic part, and who makes it zero frees the memory.
//!
//! # Bodies
//!
//! The bodies are elsewhere, in the slab, and are not counted. A waker that outlives its loop sets a
//! bit in a chunk that is never read, and the last one frees the memory.

#![allow(unsafe_code, reason = "wakers without an allocation are made by hand")]

use alloc::vec::Vec;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, replace};
use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::task::{RawWaker, RawWakerVTable, Waker};

use super::super::atomic::{AtomicPtr, AtomicUsize, Ordering, OwnerCell};
use super::super::mutations::{Mutation, is_mutated};
use super::super::polling::{PolledOn, this_thread};
use super::block::WakerBlock;
use super::parent::Parent;

/// The number of slots in a chunk: one bit of a word each, and one to spare.
pub(in super::super) const CHUNK_SLOTS: usize = usize::BITS as usize - 1;

/// The spare bit: the chunk is in the queue. Only the reader clears it, after it has taken the chunk off
/// the queue.
pub(super) const QUEUED: usize = 1 << CHUNK_SLOTS;

/// The head of a queue that is empty while the loop sleeps: the next wake must wake the parent.
pub(super) const ASLEEP: *mut WakerChunk = ptr::without_provenance_mut(1);

/// The head of a queue that is empty while the loop is awake, and the link of the last chunk. In the
/// owner's queue, the link of a chunk that is not queued.
pub(super) const EMPTY: *mut WakerChunk = ptr::null_mut();

/// The head of the owner's queue while it is empty, and the link of its last chunk. It differs from
/// `EMPTY`, so that a link tells whether its chunk is queued.
pub(super) const END: *mut WakerChunk = ptr::without_provenance_mut(1);

/// What the loop's own reference counts as.
const LOOP: usize = 1 << (usize::BITS - 2);

/// The most wakers that each part of the count may have.
const MOST_WAKERS: usize = LOOP / 2;

/// What all chunks of one loop share, and the first of them. A small loop has no other.
pub(super) struct Shared {
    /// The wakers that were cloned by other threads than the one that polled the loop, less those dropped so; and
    /// `LOOP`, while the loop exists. After that, all wakers; at zero all of this is freed.
    refs: AtomicUsize,
    /// The wakers that were cloned by the thread that polled the loop, less those dropped so, modulo 2 to the width of a
    /// word.
    owner_refs: OwnerCell<usize>,
    /// The chunk that was pushed last, or `EMPTY`, or `ASLEEP`.
    pub(super) head: AtomicPtr<WakerChunk>,
    /// The task that polls the loop.
    pub(super) parent: Parent,
    /// The thread whose wakes take the path without atomics.
    pub(super) polled_on: PolledOn,
    /// The head of the queue of that thread, or `END`.
    pub(super) owner_head: OwnerCell<*mut WakerChunk>,
    /// The slot whose body is being polled, as its waker's data.
    pub(super) polled: OwnerCell<*const ()>,
    /// Whether a body was woken while it was being polled itself.
    pub(super) has_yielded: OwnerCell<bool>,
    /// The memory of the other chunks.
    pub(super) blocks: OwnerCell<Vec<WakerBlock<WakerChunk>>>,
    first: WakerChunk,
    /// The memory of this.
    block: WakerBlock<Self>,
    #[cfg(forloop_loom)]
    _freed: loom::alloc::Track<()>,
}

/// What the wakers of a chunk of slots point to. Aligned so that the low bits of its address have room for
/// an offset.
#[repr(align(64))]
pub(super) struct WakerChunk {
    shared: NonNull<Shared>,
    /// The number of the chunk in the slab.
    pub(super) number: usize,
    /// A bit for each slot that was woken, and `QUEUED`.
    pub(super) woken: AtomicUsize,
    /// The chunk that was pushed before this one. Valid while this one is queued.
    pub(super) next: AtomicPtr<Self>,
    /// The same two for the owner's queue. The link is `EMPTY` if the chunk is not in that queue.
    pub(super) owner_woken: OwnerCell<usize>,
    pub(super) owner_next: OwnerCell<*mut Self>,
}

/// One more than the highest offset that fits into the low bits of a chunk's address.
const CHUNK_ALIGN: usize = align_of::<WakerChunk>();
const _: () = assert!(CHUNK_SLOTS <= CHUNK_ALIGN, "an offset fits into the low bits");

impl WakerChunk {
    pub(super) fn new(shared: NonNull<Shared>, number: usize) -> Self {
        Self {
            shared,
            number,
            woken: AtomicUsize::new(0),
            next: AtomicPtr::new(EMPTY),
            owner_woken: OwnerCell::new(0),
            owner_next: OwnerCell::new(EMPTY),
        }
    }

    /// Wakes a slot, from any thread.
    #[inline(never)] // keeps the owner's path short
    fn wake(&self, shared: &Shared, bit: usize) {
        let before = self.woken.fetch_or(bit | QUEUED, Ordering::AcqRel);
        if before & QUEUED == 0 {
            shared.push(self);
        }
    }

    /// Wakes a slot, on the thread that polls the loop. `waker` is the data of its waker.
    ///
    /// # Safety
    ///
    /// The caller is called from within a body of the loop while it is polled.
    #[inline]
    unsafe fn wake_by_owner(&self, shared: &Shared, waker: *const (), bit: usize) {
        // SAFETY: the poll of the body has exclusive access to the `ReadyQueue`, and waits for this to
        // return.
        unsafe {
            if shared.polled.with(|polled| *polled == waker) {
                shared.has_yielded.with(|has_yielded| *has_yielded = true);
            }
            self.owner_woken.with(|woken| *woken |= bit);
            if self.owner_next.with(|next| next.is_null()) {
                let this = ptr::from_ref(self).cast_mut();
                let next = shared.owner_head.with(|head| replace(head, this));
                self.owner_next.with(|link| *link = next);
            }
        }
    }
}

impl Shared {
    /// Makes what the chunks of a loop share, with the loop's reference, and the first chunk.
    pub(super) fn new() -> NonNull<Self> {
        let block = WakerBlock::<Self>::new(1);
        let shared = block.start;
        // SAFETY: the block has room for one, and nothing else has its address.
        unsafe {
            shared.write(Self {
                refs: AtomicUsize::new(LOOP),
                owner_refs: OwnerCell::new(0),
                head: AtomicPtr::new(EMPTY),
                parent: Parent::new(),
                polled_on: PolledOn::new(),
                owner_head: OwnerCell::new(END),
                polled: OwnerCell::new(ptr::null()),
                has_yielded: OwnerCell::new(false),
                blocks: OwnerCell::new(Vec::new()),
                first: WakerChunk::new(shared, 0),
                block,
                #[cfg(forloop_loom)]
                _freed: loom::alloc::Track::new(()),
            });
        }
        shared
    }

    /// The first chunk of something that is alive.
    #[inline]
    pub(super) fn first_chunk(this: NonNull<Self>) -> NonNull<WakerChunk> {
        // SAFETY: a caller with an address of this has a reference, so it is alive.
        unsafe { NonNull::new_unchecked(&raw mut (*this.as_ptr()).first) }
    }

    /// Pushes `chunk` onto the queue, and wakes the parent if the loop sleeps.
    fn push(&self, chunk: &WakerChunk) {
        let this = ptr::from_ref(chunk).cast_mut();
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let next = if head == ASLEEP { EMPTY } else { head };
            chunk.next.store(next, Ordering::Relaxed);
            let pushed =
                self.head.compare_exchange_weak(head, this, Ordering::AcqRel, Ordering::Relaxed);
            match pushed {
                Ok(ASLEEP) if is_mutated(Mutation::SkipsParentWake) => return,
                Ok(ASLEEP) => return self.wake_parent(),
                Ok(_) => return,
                Err(changed) => head = changed,
            }
        }
    }

    /// Wakes the parent of a loop that has slept until now.
    fn wake_parent(&self) {
        // SAFETY: the caller has replaced `ASLEEP`.
        if let Some(parent) = unsafe { self.parent.take() } {
            parent.wake();
        }
    }

    /// Takes the waker of the parent when the loop is dropped, unless a wake has it.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access to the `ReadyQueue`.
    pub(super) unsafe fn take_parent(&self) -> Option<Waker> {
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        if self.parent.is_lent()
            && self.head.compare_exchange(ASLEEP, EMPTY, success, failure).is_err()
        {
            return None;
        }
        // SAFETY: it is not lent, or we have replaced `ASLEEP`.
        unsafe { self.parent.take() }
    }

    /// Adds the reference of a waker, on any thread.
    #[inline(never)] // keeps the owner's path short
    fn retain(&self) {
        // Only forgotten wakers can come to so many. An overflow would free what is in use.
        if self.refs.fetch_add(1, Ordering::Relaxed) > LOOP + MOST_WAKERS {
            abort();
        }
    }

    /// Adds the reference of a waker, on the thread that polls the loop.
    ///
    /// # Safety
    ///
    /// The caller is called from within a body of the loop while it is polled.
    #[inline]
    unsafe fn retain_by_owner(&self) {
        // SAFETY: the poll of the body has exclusive access to the `ReadyQueue`, and waits for this to return.
        let refs = unsafe {
            self.owner_refs.with(|refs| {
                *refs = refs.wrapping_add(1);
                *refs
            })
        };
        // As above. A great number is a negative one.
        if refs > MOST_WAKERS && refs < usize::MAX / 2 {
            abort();
        }
    }

    /// Releases the reference of a waker, on the thread that polls the loop.
    ///
    /// # Safety
    ///
    /// As for `retain_by_owner`. The caller owns the reference and does not use it any more.
    #[inline]
    unsafe fn release_by_owner(&self) {
        // SAFETY: as above. The loop exists, so this is not the last reference.
        unsafe { self.owner_refs.with(|refs| *refs = refs.wrapping_sub(1)) };
    }

    /// Releases the reference of a waker, on any thread, and frees everything with the last.
    ///
    /// # Safety
    ///
    /// The caller owns the reference and does not use it any more.
    unsafe fn release(this: NonNull<Self>) {
        // SAFETY: the caller ensures it.
        unsafe { Self::subtract(this, 1) };
    }

    /// Releases the reference of the loop, and frees everything if there is no waker.
    ///
    /// # Safety
    ///
    /// The caller has exclusive access to the `ReadyQueue`, owns its reference and does not use it any more.
    pub(super) unsafe fn release_loop(this: NonNull<Self>) {
        // SAFETY: the caller owns the reference, so it is alive, and has exclusive access.
        let by_owner = unsafe { this.as_ref().owner_refs.with(|refs| *refs) };
        let by_owner = if is_mutated(Mutation::LeavesOutOwnerRefs) { 0 } else { by_owner };
        // SAFETY: the caller ensures it.
        unsafe { Self::subtract(this, LOOP.wrapping_sub(by_owner)) };
    }

    /// Subtracts from the atomic part of the count, and frees everything if nothing is left.
    ///
    /// # Safety
    ///
    /// The caller owns references to the number of `refs`, and does not use them any more.
    unsafe fn subtract(this: NonNull<Self>, refs: usize) {
        let order = if is_mutated(Mutation::ReleasesRelaxed) {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        // SAFETY: the caller owns a reference, so it is alive.
        if unsafe { (*this.as_ptr()).refs.fetch_sub(refs, order) } != refs {
            return;
        }
        // Orders all use by other threads before the memory is freed. A load and not a fence, because
        // race detectors do not understand fences.
        if !is_mutated(Mutation::FreesWithoutAcquire) {
            // SAFETY: there is no other reference, so it is alive until it is freed here.
            unsafe { (*this.as_ptr()).refs.load(Ordering::Acquire) };
        }
        // SAFETY: there is no other reference, so nothing else has its address. It is moved out of its
        // memory before that is freed, and a chunk has nothing to drop.
        unsafe {
            let shared = this.read();
            shared.blocks.with(|blocks| blocks.drain(..).for_each(|block| block.free()));
            shared.block.free();
        }
    }
}

/// Aborts the process: continuing would not be sound.
fn abort() -> ! {
    #[cfg(feature = "std")]
    std::process::abort();
    // A panic while panicking aborts, too.
    #[cfg(not(feature = "std"))]
    {
        struct PanicsAgain;
        impl Drop for PanicsAgain {
            fn drop(&mut self) {
                panic!("too many wakers were forgotten");
            }
        }
        let _again = PanicsAgain;
        panic!("too many wakers were forgotten");
    }
}

/// A `static`, so that `will_wake` is true of two wakers of one slot.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone_waker, wake, wake_by_ref, drop_waker);

/// The chunk and the bit of the slot that a waker's data names.
#[inline]
fn split(waker: *const ()) -> (*const WakerChunk, usize) {
    let offset = waker.addr() % CHUNK_ALIGN;
    (waker.wrapping_byte_sub(offset).cast(), 1 << offset)
}

/// The data of a slot's waker: what `split` takes apart.
#[inline]
pub(super) fn address(chunk: NonNull<WakerChunk>, offset: usize) -> *const () {
    debug_assert!(offset < CHUNK_SLOTS, "an offset is less than the number of slots");
    chunk.as_ptr().cast_const().cast::<()>().wrapping_byte_add(offset % CHUNK_ALIGN)
}

/// # Safety
///
/// `waker` is the data of a waker that is alive.
pub(super) unsafe fn clone_waker(waker: *const ()) -> RawWaker {
    let thread = this_thread();
    let (chunk, _) = split(waker);
    // SAFETY: a waker that is alive has a reference, or borrows from a loop that has one. If this thread is polling the
    // loop, the poll of one of its bodies has called us.
    unsafe {
        let shared = (*chunk).shared.as_ref();
        if shared.polled_on.is(thread) {
            shared.retain_by_owner();
        } else {
            shared.retain();
        }
    }
    RawWaker::new(waker, &VTABLE)
}

/// # Safety
///
/// As for `clone_waker`.
pub(super) unsafe fn wake_by_ref(waker: *const ()) {
    // First of all: where this is a call, no register has to be saved across it.
    let thread = this_thread();
    let (chunk, bit) = split(waker);
    // SAFETY: a waker that is alive has a reference, or borrows from a loop that has one. It keeps the
    // chunk alive even if the parent that is woken drops the loop. If this thread is polling the loop, the
    // poll of one of its bodies has called us.
    unsafe {
        let chunk = &*chunk;
        let shared = chunk.shared.as_ref();
        if shared.polled_on.is(thread) || is_mutated(Mutation::TakesOwnerPathElsewhere) {
            chunk.wake_by_owner(shared, waker, bit);
        } else {
            chunk.wake(shared, bit);
        }
    }
}

/// # Safety
///
/// As for `clone_waker`, and the waker is not used any more.
unsafe fn wake(waker: *const ()) {
    let thread = this_thread();
    let (chunk, bit) = split(waker);
    // SAFETY: as in `wake_by_ref`. The waker owns a reference.
    unsafe {
        let chunk = &*chunk;
        let shared = chunk.shared.as_ref();
        if shared.polled_on.is(thread) {
            chunk.wake_by_owner(shared, waker, bit);
            shared.release_by_owner();
            return;
        }
    }
    // SAFETY: the caller ensures it.
    unsafe { wake_elsewhere(waker) };
}

/// # Safety
///
/// As for `wake`.
#[inline(never)] // keeps the owner's path short
unsafe fn wake_elsewhere(waker: *const ()) {
    // The waker is dropped at the end, also if the parent's waker panics.
    // SAFETY: it was made with this table, and nothing else drops it.
    unsafe { Waker::new(waker, &VTABLE) }.wake_by_ref();
}

/// # Safety
///
/// As for `clone_waker`, and the waker is not used any more.
unsafe fn drop_waker(waker: *const ()) {
    let thread = this_thread();
    let (chunk, _) = split(waker);
    // SAFETY: a cloned waker owns a reference. Others are never dropped. If this thread is polling the loop, the poll of
    // one of its bodies has called us.
    unsafe {
        let shared = (*chunk).shared;
        if shared.as_ref().polled_on.is(thread) {
            shared.as_ref().release_by_owner();
        } else {
            Shared::release(shared);
        }
    }
}

/// The waker of a slot, borrowed from the loop. Clones of it may outlive the loop.
pub(in super::super) struct SlotWaker<'a> {
    waker: ManuallyDrop<Waker>,
    _loop: PhantomData<&'a ()>,
}

impl SlotWaker<'_> {
    #[inline]
    pub(super) fn new(waker: Waker) -> Self {
        Self { waker: ManuallyDrop::new(waker), _loop: PhantomData }
    }
}

impl Deref for SlotWaker<'_> {
    type Target = Waker;

    #[inline]
    fn deref(&self) -> &Waker {
        &self.waker
    }
}

/// The wakers of a chunk of slots. It has exclusive access to the queue of the loop.
pub(in super::super) struct Wakers<'a> {
    pub(super) chunk: NonNull<WakerChunk>,
    shared: NonNull<Shared>,
    _loop: PhantomData<&'a mut ()>,
}

impl<'a> Wakers<'a> {
    /// The wakers of a chunk.
    ///
    /// # Safety
    ///
    /// The chunk is alive as long as this is, and the owner of this has exclusive access to the queue.
    #[inline]
    pub(super) unsafe fn of(chunk: NonNull<WakerChunk>) -> Self {
        // SAFETY: the chunk is alive.
        let shared = unsafe { chunk.as_ref() }.shared;
        Self { chunk, shared, _loop: PhantomData }
    }

    /// The waker of a slot.
    #[inline]
    pub(in super::super) fn waker(&self, offset: usize) -> SlotWaker<'a> {
        // SAFETY: the functions of the table take this data. The waker has no reference, so it is never
        // dropped, and it borrows from the loop.
        SlotWaker::new(unsafe { Waker::new(address(self.chunk, offset), &VTABLE) })
    }

    /// The waker of a slot whose body is about to be polled.
    #[inline]
    pub(in super::super) fn waker_to_poll(&self, offset: usize) -> SlotWaker<'a> {
        let waker = self.waker(offset);
        // SAFETY: it is alive as long as the loop is, to which we have exclusive access.
        unsafe { self.shared.as_ref().polled.with(|polled| *polled = waker.waker.data()) };
        waker
    }

    /// Whether the slot has a wake that was not taken yet.
    pub(in super::super) fn is_woken(&self, offset: usize) -> bool {
        // SAFETY: the chunk is alive as long as the loop is, to which we have exclusive access.
        let (by_owner, elsewhere) = unsafe {
            let chunk = self.chunk.as_ref();
            (chunk.owner_woken.with(|woken| *woken), chunk.woken.load(Ordering::Acquire))
        };
        (by_owner | elsewhere) & (1 << offset) != 0
    }

    /// Forgets the wakes of slots whose bodies have completed. `slots` has a bit for each.
    #[inline]
    pub(in super::super) fn forget(&self, slots: usize) {
        // SAFETY: the chunk is alive as long as the loop is.
        let chunk = unsafe { self.chunk.as_ref() };
        // SAFETY: we have exclusive access, and the closure does not call back.
        let by_owner = unsafe { chunk.owner_woken.with(|woken| *woken) };
        // Mostly there is no wake, and a load is cheaper than a read-modify-write.
        if (by_owner | chunk.woken.load(Ordering::Relaxed)) & slots & !QUEUED != 0 {
            // SAFETY: as above.
            unsafe { chunk.owner_woken.with(|woken| *woken &= !slots) };
            let kept = if is_mutated(Mutation::ForgetsQueued) { 0 } else { QUEUED };
            chunk.woken.fetch_and(!(slots | QUEUED) | kept, Ordering::AcqRel);
        }
    }
}
