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
mod promise;

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::task::{RawWaker, RawWakerVTable, Waker};

use self::block::Block;
use super::atomic::{AtomicPtr, AtomicUsize, AtomicWaker, Driven, Ordering};
use super::firstly::Firstly;
use super::planted::{Bug, is_planted};
use super::polling::{PolledOn, this_thread};

pub(super) use self::promise::Starting;

/// Slots in a group: one bit of its word each, and one to spare.
pub(super) const GROUP: usize = usize::BITS as usize - 1;
/// The bit to spare: the group is on the list. Only the reader clears it, and only once it has
/// taken the group off the list.
const LISTED: usize = 1 << GROUP;

/// The list is empty and the loop sleeps: the next wake must wake it.
const ASLEEP: *mut Group = ptr::without_provenance_mut(1);
/// The list is empty and the loop is awake: it looks at the list again before it sleeps.
const EMPTY: *mut Group = ptr::null_mut();
/// The group listed before the first one here. One that is not listed has `EMPTY` there.
const END: *mut Group = ptr::without_provenance_mut(1);

/// What all groups of one loop share, and the first of them: a small loop has no other.
struct Home {
    /// The loop and every waker that was cloned. At zero all of this is freed.
    refs: AtomicUsize,
    /// `ASLEEP`, `EMPTY`, or the group that was listed last.
    head: AtomicPtr<Group>,
    /// Whoever polls the loop.
    parent: AtomicWaker,
    /// The thread whose wakes need no atomics.
    polled_on: PolledOn,
    /// The group that was listed last by the thread that polls the loop, or `END`.
    head_here: Driven<*mut Group>,
    /// The slot whose body is being polled, as its waker names it.
    polled: Driven<*const ()>,
    /// A body was woken while it was polled itself: it yields.
    has_yielded: Driven<bool>,
    /// Where the other groups are.
    blocks: Driven<Vec<Block<Group>>>,
    first: Group,
    /// Where this is.
    block: Block<Self>,
    #[cfg(forloop_loom)]
    _freed: loom::alloc::Track<()>,
}

/// As many slots as a word has bits, less one. Aligned to more than that, so that the low bits of
/// its address are there for a slot's place.
#[repr(align(64))]
struct Group {
    home: NonNull<Home>,
    number: usize,
    woken: AtomicUsize,
    /// The group listed before this one. Only read and written while listed.
    next: AtomicPtr<Self>,
    /// The same two for the wakes of the thread that polls the loop: what is listed, has a next one.
    woken_here: Driven<usize>,
    next_here: Driven<*mut Self>,
}

/// One more than the highest place that fits into the low bits of a group's address.
const GROUP_ALIGN: usize = align_of::<Group>();
const _: () = assert!(GROUP <= GROUP_ALIGN, "a slot's place fits into the low bits");

impl Group {
    fn new(home: NonNull<Home>, number: usize) -> Self {
        Self {
            home,
            number,
            woken: AtomicUsize::new(0),
            next: AtomicPtr::new(EMPTY),
            woken_here: Driven::new(0),
            next_here: Driven::new(EMPTY),
        }
    }

    /// Wakes a slot, from anywhere.
    #[inline(never)] // so that the other way, which is short, stays so
    fn wake(&self, home: &Home, bit: usize) {
        let before = self.woken.fetch_or(bit | LISTED, Ordering::AcqRel);
        if before & LISTED == 0 {
            home.list(self);
        }
    }

    /// Wakes a slot.
    ///
    /// # Safety
    ///
    /// Called on the thread that polls the loop, from within one of its bodies.
    unsafe fn wake_here(&self, home: &Home, bit: usize) {
        // SAFETY: whoever polls a body has exclusive access to the loop's `Ready`, and waits for
        // this to return.
        unsafe {
            self.woken_here.with(|woken| *woken |= bit);
            if self.next_here.with(|next| next.is_null()) {
                let this = ptr::from_ref(self).cast_mut();
                let next = home.head_here.with(|head| core::mem::replace(head, this));
                self.next_here.with(|link| *link = next);
            }
        }
    }
}

impl Home {
    /// Puts `group` on the list, and wakes the loop if it sleeps.
    fn list(&self, group: &Group) {
        let this = ptr::from_ref(group).cast_mut();
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let next = if head == ASLEEP { EMPTY } else { head };
            group.next.store(next, Ordering::Relaxed);
            let listed =
                self.head.compare_exchange_weak(head, this, Ordering::AcqRel, Ordering::Relaxed);
            match listed {
                Ok(ASLEEP) if is_planted(Bug::WakesNobody) => return,
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
            if is_planted(Bug::LetsGoUnshown) { Ordering::Relaxed } else { Ordering::Release };
        // SAFETY: the caller owns one count, so it is still there.
        if unsafe { (*this.as_ptr()).refs.fetch_sub(1, shown) } != 1 {
            return;
        }
        // What others have done with it happened before they let go. A load and no fence, so that
        // whoever watches for races can follow.
        if !is_planted(Bug::FreesUnseen) {
            // SAFETY: nobody else has a count, so it is still there.
            unsafe { (*this.as_ptr()).refs.load(Ordering::Acquire) };
        }
        // SAFETY: nobody else has a count, so nobody has its address. It is moved out of its memory before
        // that is freed; a group has nothing to drop.
        unsafe {
            let home = this.read();
            home.blocks.with(|blocks| blocks.drain(..).for_each(|block| block.free()));
            home.block.free();
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
fn split(waker: *const ()) -> (*const Group, usize) {
    let place = waker.addr() % GROUP_ALIGN;
    (waker.wrapping_byte_sub(place).cast(), 1 << place)
}

/// What names a slot: together what `split` takes apart.
#[inline]
fn address(group: NonNull<Group>, place: usize) -> *const () {
    debug_assert!(place < GROUP, "a slot has a place in its group");
    group.as_ptr().cast_const().cast::<()>().wrapping_byte_add(place % GROUP_ALIGN)
}

/// # Safety
///
/// `waker` was made by `Wakers::waker`, or cloned, and is alive.
unsafe fn clone_waker(waker: *const ()) -> RawWaker {
    let (group, _) = split(waker);
    // SAFETY: a waker that is alive keeps its group and home.
    unsafe { (*group).home.as_ref().retain() };
    RawWaker::new(waker, &VTABLE)
}

/// # Safety
///
/// As for `clone_waker`.
unsafe fn wake_by_ref(waker: *const ()) {
    // Before anything else: where it is a call, nothing has to be kept meanwhile.
    let thread = this_thread();
    let (group, bit) = split(waker);
    // SAFETY: a waker that is alive keeps its group and home, also while whoever it wakes drops
    // the loop. If this thread polls a body of this loop, whoever polls it has called us.
    unsafe {
        let group = &*group;
        let home = group.home.as_ref();
        if home.polled_on.is(thread) || is_planted(Bug::WakesHereFromElsewhere) {
            if home.polled.with(|polled| *polled == waker) {
                home.has_yielded.with(|has_yielded| *has_yielded = true);
            }
            group.wake_here(home, bit);
        } else {
            group.wake(home, bit);
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
    let (group, _) = split(waker);
    // SAFETY: a cloned waker owns one count. Others are never dropped.
    unsafe { Home::release((*group).home) };
}

/// The waker of a slot, for as long as the loop is there; clones of it may live longer.
pub(super) struct SlotWaker<'a> {
    waker: ManuallyDrop<Waker>,
    _loop: PhantomData<&'a Ready>,
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
    group: NonNull<Group>,
    home: NonNull<Home>,
    _loop: PhantomData<&'a mut Ready>,
}

impl<'a> Wakers<'a> {
    /// The wakers of a group.
    ///
    /// # Safety
    ///
    /// It is there for as long as this is, and whoever has this has exclusive access to the loop.
    #[inline]
    unsafe fn of(group: NonNull<Group>) -> Self {
        // SAFETY: it is there.
        let home = unsafe { group.as_ref() }.home;
        Self { group, home, _loop: PhantomData }
    }

    /// The waker of a slot.
    #[inline]
    pub(super) fn waker(&self, place: usize) -> SlotWaker<'a> {
        // SAFETY: the functions of the table take apart what is put together here. It is not counted,
        // is never dropped, and cannot be used once the loop is gone.
        SlotWaker::new(unsafe { Waker::new(address(self.group, place), &VTABLE) })
    }

    /// The waker of a slot whose body is about to be polled.
    #[inline]
    pub(super) fn waker_to_poll(&self, place: usize) -> SlotWaker<'a> {
        let waker = self.waker(place);
        // SAFETY: home is there as long as the loop is, to which we have exclusive access.
        unsafe { self.home.as_ref().polled.with(|polled| *polled = waker.waker.data()) };
        waker
    }

    /// Whether the slot was woken and not taken yet.
    pub(super) fn is_woken(&self, place: usize) -> bool {
        // SAFETY: groups are there as long as the loop is, to which we have exclusive access.
        let (here, elsewhere) = unsafe {
            let group = self.group.as_ref();
            (group.woken_here.with(|woken| *woken), group.woken.load(Ordering::Acquire))
        };
        (here | elsewhere) & (1 << place) != 0
    }

    /// Forgets wakes of slots, a bit for each, that are of no use to those who come next.
    #[inline]
    pub(super) fn forget(&self, slots: usize) {
        // SAFETY: groups are there as long as the loop is.
        let group = unsafe { self.group.as_ref() };
        // SAFETY: we have exclusive access, and nothing comes back from within.
        let here = unsafe { group.woken_here.with(|woken| *woken) };
        // Mostly there is none, and to look is cheaper than to clear.
        if (here | group.woken.load(Ordering::Relaxed)) & slots & !LISTED != 0 {
            // SAFETY: as above.
            unsafe { group.woken_here.with(|woken| *woken &= !slots) };
            let kept = if is_planted(Bug::ForgetsListed) { 0 } else { LISTED };
            group.woken.fetch_and(!(slots | LISTED) | kept, Ordering::AcqRel);
        }
    }
}

/// A loop whose bodies are being polled on this thread.
pub(super) struct Entered<'a> {
    ready: &'a mut Ready,
    /// It is left on the thread it was entered on.
    _not_send: PhantomData<*mut ()>,
}

impl Entered<'_> {
    /// A group of slots.
    #[inline]
    pub(super) fn group(&mut self, number: usize) -> Wakers<'_> {
        self.ready.group(number)
    }
}

/// Also if a body panics: a loop that is not being polled never seems to be.
impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(home) = self.ready.home {
            // SAFETY: it is there as long as the loop is.
            unsafe { home.as_ref() }.polled_on.leave();
        }
    }
}

/// The reader's side of the list, and the maker of wakers.
pub(super) struct Ready {
    /// Made with the first body that stays, or looks at its waker: a loop without one needs none.
    home: Option<NonNull<Home>>,
    groups: Firstly<Option<NonNull<Group>>>,
}

// SAFETY: what it points to is shared between threads by design: atomics, and cells that only
// whoever has `&mut` to this touches, or is polled by it.
unsafe impl Send for Ready {}
// SAFETY: as above; with `&` there is no way to the cells.
unsafe impl Sync for Ready {}

impl Ready {
    pub(super) const fn new() -> Self {
        Self { home: None, groups: Firstly::new(None) }
    }

    /// Makes the first group, if it is not there.
    #[inline]
    pub(super) fn begin(&mut self) {
        if self.home.is_none() {
            self.move_in(new_home());
        }
    }

    /// Takes over what was made for this loop.
    #[cold]
    fn move_in(&mut self, home: NonNull<Home>) {
        debug_assert!(self.home.is_none(), "it is made once");
        self.home = Some(home);
        *self.groups.first_mut() = Some(first_of(home));
    }

    /// Makes so many more groups, behind the first.
    pub(super) fn grow(&mut self, more: usize) {
        let home = self.home.expect("there is a group already, and it is full");
        self.groups.reserve_exact(more);
        let block = Block::<Group>::new(more);
        for at in 0..more {
            // SAFETY: within the block.
            let group = unsafe { block.start.add(at) };
            // SAFETY: as above, and nobody else knows it.
            unsafe { group.write(Group::new(home, self.groups.len())) };
            self.groups.push(Some(group));
        }
        // SAFETY: we have exclusive access, and nothing comes back from a push.
        unsafe { home.as_ref().blocks.with(|blocks| blocks.push(block)) };
    }

    /// A group of slots.
    #[inline]
    pub(super) fn group(&mut self, number: usize) -> Wakers<'_> {
        let group = self.groups[number].expect("a slot's group was made with it");
        // SAFETY: groups are there as long as this is.
        unsafe { Wakers::of(group) }
    }

    /// Until what this returns is dropped, the bodies of this loop are polled on this thread.
    #[inline]
    pub(super) fn enter(&mut self) -> Entered<'_> {
        if let Some(home) = self.home {
            // Nobody else drives the loop meanwhile, because we have exclusive access.
            // SAFETY: it is there as long as this is.
            unsafe { home.as_ref() }.polled_on.enter();
        }
        Entered { ready: self, _not_send: PhantomData }
    }

    /// Whether a body has woken itself while it was polled, since this was asked last.
    pub(super) fn has_yielded(&mut self) -> bool {
        // SAFETY: it is there as long as this is, and we have exclusive access.
        self.home.is_some_and(|home| unsafe { home.as_ref().has_yielded.with(core::mem::take) })
    }

    /// Takes all wakes so far, calling `woken` with the number of each group and a bit for each
    /// of its slots: in no particular order, and a group twice where it was woken from here and
    /// from elsewhere.
    #[inline]
    pub(super) fn take(&mut self, mut woken: impl FnMut(usize, usize)) {
        let Some(home) = self.home else { return };
        // SAFETY: it is there as long as this is.
        let home = unsafe { home.as_ref() };
        // SAFETY: we have exclusive access, and nothing comes back from within. What is listed is a
        // group of this loop.
        unsafe {
            let mut listed = home.head_here.with(|head| core::mem::replace(head, END));
            while listed != END {
                let group = &*listed;
                listed = group.next_here.with(|next| core::mem::replace(next, EMPTY));
                woken(group.number, group.woken_here.with(core::mem::take));
            }
        }
        if home.head.load(Ordering::Relaxed) == EMPTY {
            return;
        }
        let mut listed = home.head.swap(EMPTY, Ordering::AcqRel);
        while listed != EMPTY && listed != ASLEEP {
            // SAFETY: what is listed is a group of this loop.
            let group = unsafe { &*listed };
            let seen =
                if is_planted(Bug::TakesUnseen) { Ordering::Release } else { Ordering::AcqRel };
            let early = is_planted(Bug::ClearsBeforeNext).then(|| group.woken.swap(0, seen));
            // Before the word is cleared: from then on the group may be listed anew.
            listed = group.next.load(Ordering::Relaxed);
            let word = early.unwrap_or_else(|| group.woken.swap(0, seen));
            woken(group.number, word & !LISTED);
        }
    }

    /// Goes to sleep until a wake, which will wake `parent`; `false` if there was one already.
    pub(super) fn sleep(&mut self, parent: &Waker) -> bool {
        // Nobody could wake a loop that never had a body.
        let Some(home) = self.home else { return true };
        // SAFETY: it is there as long as this is.
        let home = unsafe { home.as_ref() };
        if !is_planted(Bug::RegistersLate) {
            home.parent.register(parent);
        }
        // SAFETY: we have exclusive access.
        let is_woken_here = !unsafe { home.head_here.with(|head| *head == END) };
        if is_woken_here && !is_planted(Bug::SleepsUnseeingHere) {
            return false;
        }
        if is_planted(Bug::SleepsUnseeing) {
            home.head.store(ASLEEP, Ordering::Release);
            return true;
        }
        let slept = home.head.compare_exchange(EMPTY, ASLEEP, Ordering::AcqRel, Ordering::Relaxed);
        if is_planted(Bug::RegistersLate) {
            home.parent.register(parent);
        }
        slept.is_ok()
    }
}

/// The first group.
#[inline]
fn first_of(home: NonNull<Home>) -> NonNull<Group> {
    // SAFETY: whoever has the address of a home knows that it is there.
    unsafe { NonNull::new_unchecked(&raw mut (*home.as_ptr()).first) }
}

/// Makes what the groups of a loop share, counted once, and the first group.
fn new_home() -> NonNull<Home> {
    let block = Block::<Home>::new(1);
    let home = block.start;
    // SAFETY: it is a block of one, and nobody else knows it.
    unsafe {
        home.write(Home {
            refs: AtomicUsize::new(1),
            head: AtomicPtr::new(EMPTY),
            parent: AtomicWaker::new(),
            polled_on: PolledOn::new(),
            head_here: Driven::new(END),
            polled: Driven::new(ptr::null()),
            has_yielded: Driven::new(false),
            blocks: Driven::new(Vec::new()),
            first: Group::new(home, 0),
            block,
            #[cfg(forloop_loom)]
            _freed: loom::alloc::Track::new(()),
        });
    }
    home
}

impl Drop for Ready {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else { return };
        // A waker that outlives the loop keeps its group, but need not keep whoever polled it.
        // SAFETY: the loop owns one count until it is released here.
        unsafe {
            let parent = home.as_ref().parent.take();
            Home::release(home);
            drop(parent);
        }
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("groups", &self.groups.len()).finish_non_exhaustive()
    }
}
