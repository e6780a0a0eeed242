//! Which slots were woken: a lock-free list of groups of slots, 63 to a group (31 where a word has
//! 32 bits).
//!
//! A wake sets its slot's bit in its group, and the bit that says that the group is listed. The
//! wake that sets that one puts the group on the list; the one that finds the list asleep wakes
//! the loop. So a wake costs one or two atomic operations, a group is on the list at most once, and
//! a loop that is being polled, or has already been woken, is not woken again.
//!
//! The list is intrusive, its links are indices, and its reader takes all of it at once: there is
//! no entry to free and no A-B-A.

use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::task::Waker;

use atomic_waker::AtomicWaker;

use super::atomic::{AtomicUsize, Ordering};

/// Slots in a group: one bit of its word each, and one to spare.
const GROUP: usize = usize::BITS as usize - 1;
/// The bit to spare: the group is on the list. Only the reader clears it, and only once it has
/// taken the group off the list.
const LISTED: usize = 1 << GROUP;

/// The list is empty and the loop sleeps: the next wake must wake it.
const ASLEEP: usize = usize::MAX;
/// The list is empty and the loop is awake: it looks at the list again before it sleeps.
const EMPTY: usize = usize::MAX - 1;

/// What all groups of one loop share.
#[derive(Debug)]
struct Root {
    /// `ASLEEP`, `EMPTY`, or the index of the group that was listed last.
    head: AtomicUsize,
    /// Whoever polls the loop.
    parent: AtomicWaker,
}

/// As many slots as a word has bits, less one.
#[derive(Debug)]
struct Group {
    root: Arc<Root>,
    index: usize,
    woken: AtomicUsize,
    /// The group listed before this one, or `EMPTY`. Only read and written while listed.
    next: AtomicUsize,
}

/// What a slot's waker points to.
struct SlotWaker {
    group: Arc<Group>,
    bit: usize,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let group = &self.group;
        let before = group.woken.fetch_or(self.bit | LISTED, Ordering::AcqRel);
        if before & LISTED == 0 {
            group.root.list(group);
        }
    }
}

impl Root {
    /// Puts `group` on the list, and wakes the loop if it sleeps.
    fn list(&self, group: &Group) {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let next = if head == ASLEEP { EMPTY } else { head };
            group.next.store(next, Ordering::Relaxed);
            let listed = self.head.compare_exchange_weak(
                head,
                group.index,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            match listed {
                Ok(ASLEEP) => return self.parent.wake(),
                Ok(_) => return,
                Err(changed) => head = changed,
            }
        }
    }
}

/// The reader's side of the list, and the maker of wakers.
#[derive(Debug)]
pub(super) struct Ready {
    root: Arc<Root>,
    groups: Vec<Arc<Group>>,
}

impl Ready {
    pub(super) fn new() -> Self {
        let root = Root { head: AtomicUsize::new(EMPTY), parent: AtomicWaker::new() };
        Self { root: Arc::new(root), groups: Vec::new() }
    }

    /// Makes the waker of `slot`; slots are made in order, from 0.
    pub(super) fn waker(&mut self, slot: usize) -> Waker {
        let (group, bit) = (slot / GROUP, 1 << (slot % GROUP));
        if group == self.groups.len() {
            self.groups.push(Arc::new(Group {
                root: self.root.clone(),
                index: group,
                woken: AtomicUsize::new(0),
                next: AtomicUsize::new(EMPTY),
            }));
        }
        Waker::from(Arc::new(SlotWaker { group: self.groups[group].clone(), bit }))
    }

    /// Whether `slot` was woken and not taken yet.
    pub(super) fn is_woken(&self, slot: usize) -> bool {
        self.groups[slot / GROUP].woken.load(Ordering::Acquire) & (1 << (slot % GROUP)) != 0
    }

    /// Forgets a wake of `slot` that is of no use to its next occupant.
    pub(super) fn forget(&self, slot: usize) {
        let woken = &self.groups[slot / GROUP].woken;
        let bit = 1 << (slot % GROUP);
        // Mostly there is none, and to look is cheaper than to clear.
        if woken.load(Ordering::Relaxed) & bit != 0 {
            woken.fetch_and(!bit, Ordering::AcqRel);
        }
    }

    /// Takes all wakes so far, calling `woken` with each slot once, in no particular order.
    pub(super) fn take(&mut self, mut woken: impl FnMut(usize)) {
        if self.root.head.load(Ordering::Relaxed) == EMPTY {
            return;
        }
        let mut head = self.root.head.swap(EMPTY, Ordering::AcqRel);
        while head != EMPTY && head != ASLEEP {
            let group = &self.groups[head];
            // Before the word is cleared: from then on the group may be listed anew.
            head = group.next.load(Ordering::Relaxed);
            let mut word = group.woken.swap(0, Ordering::AcqRel) & !LISTED;
            while word != 0 {
                woken(group.index * GROUP + word.trailing_zeros() as usize);
                word &= word - 1;
            }
        }
    }

    /// Goes to sleep until a wake, which will wake `parent`; `false` if there was one already.
    pub(super) fn sleep(&self, parent: &Waker) -> bool {
        self.root.parent.register(parent);
        let slept =
            self.root.head.compare_exchange(EMPTY, ASLEEP, Ordering::AcqRel, Ordering::Relaxed);
        slept.is_ok()
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        // A waker that outlives the loop keeps the root, but need not keep whoever polled it.
        drop(self.root.parent.take());
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use alloc::vec;

    use super::*;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn taken(ready: &mut Ready) -> Vec<usize> {
        let mut slots = Vec::new();
        ready.take(|slot| slots.push(slot));
        slots.sort_unstable();
        slots
    }

    #[test]
    fn a_slot_is_listed_once_however_often_it_is_woken() {
        let mut ready = Ready::new();
        let wakers: Vec<_> = (0..130).map(|slot| ready.waker(slot)).collect();
        for slot in [129, 0, GROUP, 129, 129, GROUP - 1] {
            wakers[slot].wake_by_ref();
        }
        assert_eq!(taken(&mut ready), [0, GROUP - 1, GROUP, 129]);
        assert_eq!(taken(&mut ready), vec![]);
    }

    #[test]
    fn a_sleeping_loop_is_woken_once_and_an_awake_one_never() {
        let mut ready = Ready::new();
        let wakers: Vec<_> = (0..65).map(|slot| ready.waker(slot)).collect();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let parent = Waker::from(count.clone());

        wakers[3].wake_by_ref();
        assert!(!ready.sleep(&parent), "there is a wake to look at");
        assert_eq!(taken(&mut ready), [3]);
        assert!(ready.sleep(&parent));
        wakers[4].wake_by_ref();
        wakers[64].wake_by_ref();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(taken(&mut ready), [4, 64]);
    }

    #[test]
    fn a_loop_polled_while_asleep_is_awake_again() {
        let mut ready = Ready::new();
        let waker = ready.waker(0);
        let count = Arc::new(Count(AtomicUsize::new(0)));
        assert!(ready.sleep(&Waker::from(count.clone())));
        assert_eq!(taken(&mut ready), vec![]);
        waker.wake_by_ref();
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        assert_eq!(taken(&mut ready), [0]);
    }

    #[test]
    fn a_forgotten_wake_does_not_come_back() {
        let mut ready = Ready::new();
        let waker = ready.waker(0);
        waker.wake_by_ref();
        ready.forget(0);
        assert_eq!(taken(&mut ready), vec![]);
        waker.wake_by_ref();
        assert_eq!(taken(&mut ready), [0]);
    }

    #[test]
    fn a_group_whose_wakes_were_forgotten_is_not_listed_twice() {
        let mut ready = Ready::new();
        let wakers: Vec<_> = (0..2 * GROUP).map(|slot| ready.waker(slot)).collect();
        wakers[0].wake_by_ref();
        wakers[GROUP].wake_by_ref();
        ready.forget(0);
        wakers[0].wake_by_ref();
        assert_eq!(taken(&mut ready), [0, GROUP]);
        assert_eq!(taken(&mut ready), vec![]);
    }

    #[test]
    fn a_wake_after_the_loop_is_gone_wakes_nobody() {
        let mut ready = Ready::new();
        let waker = ready.waker(0);
        let count = Arc::new(Count(AtomicUsize::new(0)));
        assert!(ready.sleep(&Waker::from(count.clone())));
        drop(ready);
        waker.wake();
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
