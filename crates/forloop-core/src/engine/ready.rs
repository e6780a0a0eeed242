//! Which slots were woken: a lock-free list of groups of slots, 63 to a group (31 where a word has
//! 32 bits).
//!
//! A waker is the address of its slot's group, with the slot's place in the group in the low bits:
//! it costs no memory. A wake sets its slot's bit in the group, and the bit that says that the group
//! is listed. The wake that sets that one puts the group on the list; the one that finds the list
//! asleep wakes the loop. So a wake costs one or two atomic operations, a group is on the list at
//! most once, and a loop that is being polled, or has already been woken, is not woken again.
//!
//! The list is intrusive and its reader takes all of it at once: there is no entry to free and no
//! A-B-A. There is a second list of the same kind for the wakes that come from within a body of the
//! loop while it is polled, on the thread that polls it: those need no atomics.
//!
//! What wakers point to is counted and outlives the loop where a waker does; the bodies are
//! elsewhere and do not. A wake after the loop's end finds a group to set a bit in, and nobody to
//! read it.

#![allow(unsafe_code, reason = "the engine's own: wakers that cost nothing are made by hand")]

mod block;
mod lazy_waker;

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::task::{RawWaker, RawWakerVTable, Waker};

use self::block::Block;
use super::atomic::{AtomicPtr, AtomicUsize, AtomicWaker, Ordering, OwnerCell};
use super::inline_vec::InlineVec;
use super::mutations::{Mutation, is_mutated};
use super::polling::{PolledOn, this_thread};

pub(super) use self::lazy_waker::FirstPoll;

/// Slots in a group: one bit of its word each, and one to spare.
pub(super) const CHUNK_SLOTS: usize = usize::BITS as usize - 1;
/// The bit to spare: the group is on the list. Only the reader clears it, and only once it has
/// taken the group off the list.
const QUEUED: usize = 1 << CHUNK_SLOTS;

/// The list is empty and the loop sleeps: the next wake must wake it.
const ASLEEP: *mut WakerChunk = ptr::without_provenance_mut(1);
/// The list is empty and the loop is awake: it looks at the list again before it sleeps.
const EMPTY: *mut WakerChunk = ptr::null_mut();
/// The group listed before the first one here. One that is not listed has `EMPTY` there.
const END: *mut WakerChunk = ptr::without_provenance_mut(1);

/// What all groups of one loop share, and the first of them: a small loop has no other.
struct Shared {
    /// The loop and every waker that was cloned. At zero all of this is freed.
    refs: AtomicUsize,
    /// `ASLEEP`, `EMPTY`, or the group that was listed last.
    head: AtomicPtr<WakerChunk>,
    /// Whoever polls the loop.
    parent: AtomicWaker,
    /// The thread whose wakes need no atomics.
    polled_on: PolledOn,
    /// The group that was listed last by the thread that polls the loop, or `END`.
    head_here: OwnerCell<*mut WakerChunk>,
    /// The slot whose body is being polled, as its waker names it.
    polled: OwnerCell<*const ()>,
    /// A body was woken while it was polled itself: it yields.
    has_yielded: OwnerCell<bool>,
    /// Where the other groups are.
    blocks: OwnerCell<Vec<Block<WakerChunk>>>,
    first: WakerChunk,
    /// Where this is.
    block: Block<Self>,
    #[cfg(forloop_loom)]
    _freed: loom::alloc::Track<()>,
}

/// As many slots as a word has bits, less one. Aligned to more than that, so that the low bits of
/// its address are there for a slot's place.
#[repr(align(64))]
struct WakerChunk {
    shared: NonNull<Shared>,
    number: usize,
    woken: AtomicUsize,
    /// The group listed before this one. Only read and written while listed.
    next: AtomicPtr<Self>,
    /// The same two for the wakes of the thread that polls the loop: what is listed, has a next one.
    woken_here: OwnerCell<usize>,
    next_here: OwnerCell<*mut Self>,
}

/// One more than the highest place that fits into the low bits of a group's address.
const CHUNK_ALIGN: usize = align_of::<WakerChunk>();
const _: () = assert!(CHUNK_SLOTS <= CHUNK_ALIGN, "a slot's place fits into the low bits");

impl WakerChunk {
    fn new(shared: NonNull<Shared>, number: usize) -> Self {
        Self {
            shared,
            number,
            woken: AtomicUsize::new(0),
            next: AtomicPtr::new(EMPTY),
            woken_here: OwnerCell::new(0),
            next_here: OwnerCell::new(EMPTY),
        }
    }

    /// Wakes a slot, from anywhere.
    #[inline(never)] // so that the other way, which is short, stays so
    fn wake(&self, shared: &Shared, bit: usize) {
        let before = self.woken.fetch_or(bit | QUEUED, Ordering::AcqRel);
        if before & QUEUED == 0 {
            shared.queue(self);
        }
    }

    /// Wakes a slot.
    ///
    /// # Safety
    ///
    /// Called on the thread that polls the loop, from within one of its bodies.
    unsafe fn wake_here(&self, shared: &Shared, bit: usize) {
        // SAFETY: whoever polls a body has exclusive access to the loop's `ReadyQueue`, and waits for
        // this to return.
        unsafe {
            self.woken_here.with(|woken| *woken |= bit);
            if self.next_here.with(|next| next.is_null()) {
                let this = ptr::from_ref(self).cast_mut();
                let next = shared.head_here.with(|head| core::mem::replace(head, this));
                self.next_here.with(|link| *link = next);
            }
        }
    }
}

impl Shared {
    /// Puts `chunk` on the list, and wakes the loop if it sleeps.
    fn queue(&self, chunk: &WakerChunk) {
        let this = ptr::from_ref(chunk).cast_mut();
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let next = if head == ASLEEP { EMPTY } else { head };
            chunk.next.store(next, Ordering::Relaxed);
            let queued =
                self.head.compare_exchange_weak(head, this, Ordering::AcqRel, Ordering::Relaxed);
            match queued {
                Ok(ASLEEP) if is_mutated(Mutation::WakesNobody) => return,
                Ok(ASLEEP) => return self.parent.wake(),
                Ok(_) => return,
                Err(changed) => head = changed,
            }
        }
    }

    /// Counts one more waker.
    fn retain(&self) {
        // As many as half of all numbers are forgotten wakers: to go on would free what is in use.
        if self.refs.fetch_add(1, Ordering::Relaxed) > usize::MAX / 2 {
            abort();
        }
    }

    /// Counts one less of the loop and its wakers, and frees everything with the last.
    ///
    /// # Safety
    ///
    /// The caller owns what was counted, and does not use it any more.
    unsafe fn release(this: NonNull<Self>) {
        let shown =
            if is_mutated(Mutation::LetsGoUnshown) { Ordering::Relaxed } else { Ordering::Release };
        // SAFETY: the caller owns one count, so it is still there.
        if unsafe { (*this.as_ptr()).refs.fetch_sub(1, shown) } != 1 {
            return;
        }
        // What others have done with it happened before they let go. A load and no fence, so that
        // whoever watches for races can follow.
        if !is_mutated(Mutation::FreesUnseen) {
            // SAFETY: nobody else has a count, so it is still there.
            unsafe { (*this.as_ptr()).refs.load(Ordering::Acquire) };
        }
        // SAFETY: nobody else has a count, so nobody has its address. It is moved out of its memory before
        // that is freed; a group has nothing to drop.
        unsafe {
            let shared = this.read();
            shared.blocks.with(|blocks| blocks.drain(..).for_each(|block| block.free()));
            shared.block.free();
        }
    }
}

/// Ends the program: there is nothing left that would be sound.
fn abort() -> ! {
    #[cfg(feature = "std")]
    std::process::abort();
    // A panic while panicking ends the program, too.
    #[cfg(not(feature = "std"))]
    {
        struct Again;
        impl Drop for Again {
            fn drop(&mut self) {
                panic!("too many wakers were forgotten");
            }
        }
        let _again = Again;
        panic!("too many wakers were forgotten");
    }
}

/// What makes an address a waker. A `static`, so that two wakers of one slot know each other.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone_waker, wake, wake_by_ref, drop_waker);

/// The group and the bit that a waker names.
#[inline]
fn split(waker: *const ()) -> (*const WakerChunk, usize) {
    let offset = waker.addr() % CHUNK_ALIGN;
    (waker.wrapping_byte_sub(offset).cast(), 1 << offset)
}

/// What names a slot: together what `split` takes apart.
#[inline]
fn address(chunk: NonNull<WakerChunk>, offset: usize) -> *const () {
    debug_assert!(offset < CHUNK_SLOTS, "a slot has a place in its group");
    chunk.as_ptr().cast_const().cast::<()>().wrapping_byte_add(offset % CHUNK_ALIGN)
}

/// # Safety
///
/// `waker` was made by `Wakers::waker`, or cloned, and is alive.
unsafe fn clone_waker(waker: *const ()) -> RawWaker {
    let (chunk, _) = split(waker);
    // SAFETY: a waker that is alive keeps its group and home.
    unsafe { (*chunk).shared.as_ref().retain() };
    RawWaker::new(waker, &VTABLE)
}

/// # Safety
///
/// As for `clone_waker`.
unsafe fn wake_by_ref(waker: *const ()) {
    // Before anything else: where it is a call, nothing has to be kept meanwhile.
    let thread = this_thread();
    let (chunk, bit) = split(waker);
    // SAFETY: a waker that is alive keeps its group and home, also while whoever it wakes drops
    // the loop. If this thread polls a body of this loop, whoever polls it has called us.
    unsafe {
        let chunk = &*chunk;
        let shared = chunk.shared.as_ref();
        if shared.polled_on.is(thread) || is_mutated(Mutation::WakesHereFromElsewhere) {
            if shared.polled.with(|polled| *polled == waker) {
                shared.has_yielded.with(|has_yielded| *has_yielded = true);
            }
            chunk.wake_here(shared, bit);
        } else {
            chunk.wake(shared, bit);
        }
    }
}

/// # Safety
///
/// As for `clone_waker`; and it is not used any more.
unsafe fn wake(waker: *const ()) {
    // Dropped at the end, also if whoever is woken panics.
    // SAFETY: it was made with this table, and nobody else drops it.
    unsafe { Waker::new(waker, &VTABLE) }.wake_by_ref();
}

/// # Safety
///
/// As for `clone_waker`; and it is not used any more.
unsafe fn drop_waker(waker: *const ()) {
    let (chunk, _) = split(waker);
    // SAFETY: a cloned waker owns one count. Others are never dropped.
    unsafe { Shared::release((*chunk).shared) };
}

/// The waker of a slot, for as long as the loop is there; clones of it may live longer.
pub(super) struct SlotWaker<'a> {
    waker: ManuallyDrop<Waker>,
    _loop: PhantomData<&'a ReadyQueue>,
}

impl SlotWaker<'_> {
    #[inline]
    fn new(waker: Waker) -> Self {
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

/// The wakers of a group of slots, for whoever drives the loop: this is access to it that nobody else
/// has, on one thread.
pub(super) struct Wakers<'a> {
    chunk: NonNull<WakerChunk>,
    shared: NonNull<Shared>,
    _loop: PhantomData<&'a mut ReadyQueue>,
}

impl<'a> Wakers<'a> {
    /// The wakers of a group.
    ///
    /// # Safety
    ///
    /// It is there for as long as this is, and whoever has this has exclusive access to the loop.
    #[inline]
    unsafe fn of(chunk: NonNull<WakerChunk>) -> Self {
        // SAFETY: it is there.
        let shared = unsafe { chunk.as_ref() }.shared;
        Self { chunk, shared, _loop: PhantomData }
    }

    /// The waker of a slot.
    #[inline]
    pub(super) fn waker(&self, offset: usize) -> SlotWaker<'a> {
        // SAFETY: the functions of the table take apart what is put together here. It is not counted,
        // is never dropped, and cannot be used once the loop is gone.
        SlotWaker::new(unsafe { Waker::new(address(self.chunk, offset), &VTABLE) })
    }

    /// The waker of a slot whose body is about to be polled.
    #[inline]
    pub(super) fn waker_to_poll(&self, offset: usize) -> SlotWaker<'a> {
        let waker = self.waker(offset);
        // SAFETY: home is there as long as the loop is, to which we have exclusive access.
        unsafe { self.shared.as_ref().polled.with(|polled| *polled = waker.waker.data()) };
        waker
    }

    /// Whether the slot was woken and not taken yet.
    pub(super) fn is_woken(&self, offset: usize) -> bool {
        // SAFETY: groups are there as long as the loop is, to which we have exclusive access.
        let (here, elsewhere) = unsafe {
            let chunk = self.chunk.as_ref();
            (chunk.woken_here.with(|woken| *woken), chunk.woken.load(Ordering::Acquire))
        };
        (here | elsewhere) & (1 << offset) != 0
    }

    /// Forgets wakes of slots, a bit for each, that are of no use to those who come next.
    #[inline]
    pub(super) fn forget(&self, slots: usize) {
        // SAFETY: groups are there as long as the loop is.
        let chunk = unsafe { self.chunk.as_ref() };
        // SAFETY: we have exclusive access, and nothing comes back from within.
        let here = unsafe { chunk.woken_here.with(|woken| *woken) };
        // Mostly there is none, and to look is cheaper than to clear.
        if (here | chunk.woken.load(Ordering::Relaxed)) & slots & !QUEUED != 0 {
            // SAFETY: as above.
            unsafe { chunk.woken_here.with(|woken| *woken &= !slots) };
            let kept = if is_mutated(Mutation::ForgetsListed) { 0 } else { QUEUED };
            chunk.woken.fetch_and(!(slots | QUEUED) | kept, Ordering::AcqRel);
        }
    }
}

/// A loop whose bodies are being polled on this thread.
pub(super) struct PollGuard<'a> {
    ready: &'a mut ReadyQueue,
    /// It is left on the thread it was entered on.
    _not_send: PhantomData<*mut ()>,
}

impl PollGuard<'_> {
    /// A group of slots.
    #[inline]
    pub(super) fn chunk(&mut self, number: usize) -> Wakers<'_> {
        self.ready.chunk(number)
    }
}

/// Also if a body panics: a loop that is not being polled never seems to be.
impl Drop for PollGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.ready.shared {
            // SAFETY: it is there as long as the loop is.
            unsafe { shared.as_ref() }.polled_on.leave();
        }
    }
}

/// The reader's side of the list, and the maker of wakers.
pub(super) struct ReadyQueue {
    /// Made with the first body that stays, or looks at its waker: a loop without one needs none.
    shared: Option<NonNull<Shared>>,
    chunks: InlineVec<Option<NonNull<WakerChunk>>>,
}

// SAFETY: what it points to is shared between threads by design: atomics, and cells that only
// whoever has `&mut` to this touches, or is polled by it.
unsafe impl Send for ReadyQueue {}
// SAFETY: as above; with `&` there is no way to the cells.
unsafe impl Sync for ReadyQueue {}

impl ReadyQueue {
    pub(super) const fn new() -> Self {
        Self { shared: None, chunks: InlineVec::new(None) }
    }

    /// Makes the first group, if it is not there.
    #[inline]
    pub(super) fn begin(&mut self) {
        if self.shared.is_none() {
            self.move_in(new_shared());
        }
    }

    /// Takes over what was made for this loop.
    #[cold]
    fn move_in(&mut self, shared: NonNull<Shared>) {
        debug_assert!(self.shared.is_none(), "it is made once");
        self.shared = Some(shared);
        *self.chunks.first_mut() = Some(first_of(shared));
    }

    /// Makes so many more groups, behind the first.
    pub(super) fn grow(&mut self, more: usize) {
        let shared = self.shared.expect("there is a group already, and it is full");
        self.chunks.reserve_exact(more);
        let block = Block::<WakerChunk>::new(more);
        for at in 0..more {
            // SAFETY: within the block.
            let chunk = unsafe { block.start.add(at) };
            // SAFETY: as above, and nobody else knows it.
            unsafe { chunk.write(WakerChunk::new(shared, self.chunks.len())) };
            self.chunks.push(Some(chunk));
        }
        // SAFETY: we have exclusive access, and nothing comes back from a push.
        unsafe { shared.as_ref().blocks.with(|blocks| blocks.push(block)) };
    }

    /// A group of slots.
    #[inline]
    pub(super) fn chunk(&mut self, number: usize) -> Wakers<'_> {
        let chunk = self.chunks[number].expect("a slot's group was made with it");
        // SAFETY: groups are there as long as this is.
        unsafe { Wakers::of(chunk) }
    }

    /// Until what this returns is dropped, the bodies of this loop are polled on this thread.
    #[inline]
    pub(super) fn enter(&mut self) -> PollGuard<'_> {
        if let Some(shared) = self.shared {
            // Nobody else drives the loop meanwhile, because we have exclusive access.
            // SAFETY: it is there as long as this is.
            unsafe { shared.as_ref() }.polled_on.enter();
        }
        PollGuard { ready: self, _not_send: PhantomData }
    }

    /// Whether a body has woken itself while it was polled, since this was asked last.
    pub(super) fn has_yielded(&mut self) -> bool {
        // SAFETY: it is there as long as this is, and we have exclusive access.
        self.shared
            .is_some_and(|shared| unsafe { shared.as_ref().has_yielded.with(core::mem::take) })
    }

    /// Takes all wakes so far, calling `woken` with the number of each group and a bit for each
    /// of its slots: in no particular order, and a group twice where it was woken from here and
    /// from elsewhere.
    #[inline]
    pub(super) fn take(&mut self, mut woken: impl FnMut(usize, usize)) {
        let Some(shared) = self.shared else { return };
        // SAFETY: it is there as long as this is.
        let shared = unsafe { shared.as_ref() };
        // SAFETY: we have exclusive access, and nothing comes back from within. What is listed is a
        // group of this loop.
        unsafe {
            let mut queued = shared.head_here.with(|head| core::mem::replace(head, END));
            while queued != END {
                let chunk = &*queued;
                queued = chunk.next_here.with(|next| core::mem::replace(next, EMPTY));
                woken(chunk.number, chunk.woken_here.with(core::mem::take));
            }
        }
        if shared.head.load(Ordering::Relaxed) == EMPTY {
            return;
        }
        let mut queued = shared.head.swap(EMPTY, Ordering::AcqRel);
        while queued != EMPTY && queued != ASLEEP {
            // SAFETY: what is listed is a group of this loop.
            let chunk = unsafe { &*queued };
            let seen = if is_mutated(Mutation::TakesUnseen) {
                Ordering::Release
            } else {
                Ordering::AcqRel
            };
            let early = is_mutated(Mutation::ClearsBeforeNext).then(|| chunk.woken.swap(0, seen));
            // Before the word is cleared: from then on the group may be listed anew.
            queued = chunk.next.load(Ordering::Relaxed);
            let word = early.unwrap_or_else(|| chunk.woken.swap(0, seen));
            woken(chunk.number, word & !QUEUED);
        }
    }

    /// Goes to sleep until a wake, which will wake `parent`; `false` if there was one already.
    pub(super) fn sleep(&mut self, parent: &Waker) -> bool {
        // Nobody could wake a loop that never had a body.
        let Some(shared) = self.shared else { return true };
        // SAFETY: it is there as long as this is.
        let shared = unsafe { shared.as_ref() };
        if !is_mutated(Mutation::RegistersLate) {
            shared.parent.register(parent);
        }
        // SAFETY: we have exclusive access.
        let is_woken_here = !unsafe { shared.head_here.with(|head| *head == END) };
        if is_woken_here && !is_mutated(Mutation::SleepsUnseeingHere) {
            return false;
        }
        if is_mutated(Mutation::SleepsUnseeing) {
            shared.head.store(ASLEEP, Ordering::Release);
            return true;
        }
        let slept =
            shared.head.compare_exchange(EMPTY, ASLEEP, Ordering::AcqRel, Ordering::Relaxed);
        if is_mutated(Mutation::RegistersLate) {
            shared.parent.register(parent);
        }
        slept.is_ok()
    }
}

/// The first group.
#[inline]
fn first_of(shared: NonNull<Shared>) -> NonNull<WakerChunk> {
    // SAFETY: whoever has the address of a home knows that it is there.
    unsafe { NonNull::new_unchecked(&raw mut (*shared.as_ptr()).first) }
}

/// Makes what the groups of a loop share, counted once, and the first group.
fn new_shared() -> NonNull<Shared> {
    let block = Block::<Shared>::new(1);
    let shared = block.start;
    // SAFETY: it is a block of one, and nobody else knows it.
    unsafe {
        shared.write(Shared {
            refs: AtomicUsize::new(1),
            head: AtomicPtr::new(EMPTY),
            parent: AtomicWaker::new(),
            polled_on: PolledOn::new(),
            head_here: OwnerCell::new(END),
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

impl Drop for ReadyQueue {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        // A waker that outlives the loop keeps its group, but need not keep whoever polled it.
        // SAFETY: the loop owns one count until it is released here.
        unsafe {
            let parent = shared.as_ref().parent.take();
            Shared::release(shared);
            drop(parent);
        }
    }
}

impl fmt::Debug for ReadyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("groups", &self.chunks.len()).finish_non_exhaustive()
    }
}
