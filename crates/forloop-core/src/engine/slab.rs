//! Where the bodies of a loop are: slots in groups, at addresses that never change.
//!
//! A slot costs what its body does and a few bits. Slots are used again, the lowest of a group
//! first, and freed all at once with the slab.

#![allow(unsafe_code, reason = "the engine's own: bodies are pinned in memory that is used again")]

mod marks;

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit, needs_drop};
use core::pin::Pin;
use core::ptr::NonNull;

use super::firstly::Firstly;
use super::ready::GROUP;
use super::slot::{NO_PLACE, Slot, count, group_of, lowest, place_of, places, slot_at};
use crate::Panic;
use crate::panic::catch;

/// No group.
const NOWHERE: usize = usize::MAX;

/// Some slots side by side, a group, and what is known of each: a bit in each word.
pub(super) struct Bay<J> {
    slots: NonNull<MaybeUninit<J>>,
    /// How many slots there are in the groups before this one.
    before: usize,
    /// The slots that there are.
    all: usize,
    /// Those that hold a body.
    occupied: usize,
    /// Those that are not free.
    taken: usize,
    /// Those that were woken and have not had their turn in this round.
    due: usize,
    /// Those whose body had no time left and was asked to stop.
    overdue: usize,
    /// When the group was begun, among all groups: a later one has the later bodies.
    begun: usize,
    /// Slots were given again while others were still taken: the higher slot need not have the later
    /// body.
    is_mixed: bool,
    /// Which lists the group is on, and the next one there.
    is_empty_listed: bool,
    is_holed_listed: bool,
    next_empty: usize,
    next_holed: usize,
    /// The index of the body at the first place, if they came one after another.
    first_index: usize,
}

/// The slots of a loop.
///
/// They are given in ascending order, one group after another, and a group whose slots are all free
/// again is begun anew: so within a round, bodies are in the order of their indices if taken in the
/// order of groups and slots. Only where that would take too many slots are those given that became
/// free between others.
pub(super) struct Slab<J> {
    /// The groups. While there is no slot, the first has none.
    bays: Firstly<Bay<J>>,
    /// The memory of the bays, with its size in slots: at least as many as there are.
    blocks: Firstly<(NonNull<MaybeUninit<J>>, usize)>,
    /// The group whose slots are given, and the next one of them.
    current: usize,
    cursor: usize,
    /// How many slots are not free.
    taken: usize,
    /// How many groups were begun.
    begun: usize,
    /// The last group whose slots all became free.
    empty: usize,
    /// The last group of which a slot became free between others.
    holed: usize,
    _owns: PhantomData<J>,
}

// SAFETY: it owns its bodies, and gives no access to them but through a reference to itself.
unsafe impl<J: Send> Send for Slab<J> {}
// SAFETY: as above.
unsafe impl<J: Sync> Sync for Slab<J> {}

// The bodies are pinned, the slab is not.
impl<J> Unpin for Slab<J> {}

impl<J> Slab<J> {
    pub(super) const fn new() -> Self {
        Self {
            bays: Firstly::new(Bay::NONE),
            blocks: Firstly::new((NonNull::dangling(), 0)),
            current: NOWHERE,
            cursor: NO_PLACE,
            taken: 0,
            begun: 0,
            empty: NOWHERE,
            holed: NOWHERE,
            _owns: PhantomData,
        }
    }

    /// How many slots there are.
    pub(super) fn capacity(&self) -> usize {
        let last = &self.bays[self.bays.len() - 1];
        last.before + (usize::BITS - last.all.leading_zeros()) as usize
    }

    /// How many slots are not free.
    #[inline]
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Whether there was no slot yet.
    #[inline]
    pub(super) fn is_new(&self) -> bool {
        self.begun == 0
    }

    /// Makes the first slots, of which there are none: as many as fit into a group. Returns the first.
    pub(super) fn begin(&mut self, slots: usize) -> Slot {
        let block = Self::block(slots);
        let all = usize::MAX >> (usize::BITS as usize - slots);
        *self.bays.first_mut() = Bay { slots: block.0, all, begun: 1, ..Bay::NONE };
        *self.blocks.first_mut() = block;
        (self.current, self.cursor, self.begun) = (0, 0, 1);
        slot_at(0, 0)
    }

    /// Makes so many more slots, where no group is free any more, and begins the first of them. Returns
    /// how many groups they are in.
    pub(super) fn grow(&mut self, slots: usize) -> usize {
        let groups = if slots <= GROUP { 1 } else { slots.div_ceil(GROUP) };
        let (before, first) = (self.capacity(), self.bays.len());
        self.bays.reserve_exact(groups);
        self.blocks.reserve_exact(1);
        let block = Self::block(slots);
        for group in 0..groups {
            let at = group * GROUP;
            let is_last = group + 1 == groups;
            self.bays.push(Bay {
                // SAFETY: within the block.
                slots: unsafe { block.0.add(at) },
                before: before + at,
                all: usize::MAX >> (usize::BITS as usize - GROUP.min(slots - at)),
                is_empty_listed: group > 0,
                next_empty: if is_last { NOWHERE } else { first + group + 1 },
                ..Bay::NONE
            });
        }
        debug_assert!(self.empty == NOWHERE, "no group is free");
        if groups > 1 {
            self.empty = first + 1;
        }
        self.blocks.push(block);
        self.go_to(first);
        groups
    }

    /// Memory for so many slots, and for how many it is.
    fn block(slots: usize) -> (NonNull<MaybeUninit<J>>, usize) {
        let mut block = ManuallyDrop::new(Vec::with_capacity(slots));
        // A vector may have more than it was asked for, and must be freed with what it has.
        let capacity = block.capacity();
        // SAFETY: a vector's address is not null.
        (unsafe { NonNull::new_unchecked(block.as_mut_ptr()) }, capacity)
    }

    /// The next slot, if the current group has one.
    #[inline]
    pub(super) fn vacancy(&self) -> Option<Slot> {
        (self.cursor < NO_PLACE).then(|| slot_at(self.current, self.cursor))
    }

    /// Goes to a group all of whose slots are free; `false` if there is none.
    pub(super) fn next_empty(&mut self) -> bool {
        while self.empty != NOWHERE {
            let group = self.empty;
            let bay = self.bay_mut(group);
            bay.is_empty_listed = false;
            let (next, is_empty) = (bay.next_empty, bay.taken == 0);
            self.empty = next;
            if is_empty {
                self.go_to(group);
                return true;
            }
        }
        false
    }

    /// Goes to a group in which slots became free between others; `false` if there is none.
    pub(super) fn next_holed(&mut self) -> bool {
        self.leave();
        while self.holed != NOWHERE {
            let group = self.holed;
            let bay = self.bay_mut(group);
            bay.is_holed_listed = false;
            let (next, is_holed) = (bay.next_holed, bay.taken != 0 && bay.taken != bay.all);
            self.holed = next;
            if is_holed {
                self.go_to(group);
                self.bay_mut(group).is_mixed = true;
                return true;
            }
        }
        false
    }

    /// Begins a group that has a free slot.
    fn go_to(&mut self, group: usize) {
        self.leave();
        self.begun += 1;
        let begun = self.begun;
        let bay = self.bay_mut(group);
        bay.begun = begun;
        let cursor = (bay.all & !bay.taken).trailing_zeros() as usize;
        (self.current, self.cursor) = (group, cursor);
    }

    /// Leaves the current group, all of whose slots were given. Some may be free again.
    fn leave(&mut self) {
        let (group, holed) = (self.current, self.holed);
        self.current = NOWHERE;
        self.cursor = NO_PLACE;
        if let Some(bay) = self.bays.get_mut(group)
            && bay.taken != bay.all
            && !bay.is_holed_listed
        {
            bay.is_holed_listed = true;
            bay.next_holed = holed;
            self.holed = group;
        }
    }

    /// The free slots of the group whose slots are given, with its number.
    #[inline]
    pub(super) fn vacancies(&mut self) -> (usize, Vacancies<'_, J>) {
        let bay = &mut self.bays[self.current];
        let free = bay.all & !bay.taken & (usize::MAX << self.cursor);
        let vacancies = Vacancies {
            slots: bay.slots,
            free,
            spare: 0,
            given: free,
            cursor: &mut self.cursor,
            taken: &mut self.taken,
            bay,
        };
        (self.current, vacancies)
    }

    /// What is known of a group.
    #[inline]
    pub(super) fn bay(&self, group: usize) -> &Bay<J> {
        &self.bays[group]
    }

    /// What is known of a group.
    #[inline]
    pub(super) fn bay_mut(&mut self, group: usize) -> &mut Bay<J> {
        &mut self.bays[group]
    }

    /// All groups, with their numbers.
    pub(super) fn bays(&self) -> impl Iterator<Item = (usize, &Bay<J>)> {
        self.bays.iter().enumerate()
    }

    /// Drops every body. Returns the first panic of their destructors.
    pub(super) fn clear(&mut self) -> Option<Panic> {
        let mut first = None;
        if self.taken == 0 {
            return first;
        }
        for group in 0..self.bays.len() {
            self.bay_mut(group).clear(|panic| {
                first.get_or_insert(panic);
            });
        }
        first
    }

    /// All slots, in the order of their ranks.
    pub(super) fn all_slots(&self) -> impl Iterator<Item = Slot> {
        let slots = |(group, bay): (usize, &Bay<J>)| {
            places(bay.all).map(move |place| slot_at(group, place))
        };
        self.bays().flat_map(slots)
    }

    /// The body in the slot.
    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Option<Pin<&J>> {
        self.bay(group_of(slot)).get(place_of(slot))
    }

    /// Makes empty slots of a group free, a bit for each.
    #[inline]
    pub(super) fn free(&mut self, group: usize, slots: usize) {
        let (current, empty, holed) = (self.current, self.empty, self.holed);
        let bay = &mut self.bays[group];
        assert!(slots & (!bay.taken | bay.occupied) == 0, "what is freed was taken and is empty");
        if slots == 0 {
            return;
        }
        self.taken -= count(slots);
        bay.taken &= !slots;
        bay.overdue &= !slots;
        let is_empty = bay.taken == 0;
        if is_empty {
            bay.is_mixed = false;
        }
        if group == current {
            if is_empty {
                self.go_to(group);
            }
        } else if is_empty && !bay.is_empty_listed {
            bay.is_empty_listed = true;
            bay.next_empty = empty;
            self.empty = group;
        } else if !is_empty && !bay.is_holed_listed {
            bay.is_holed_listed = true;
            bay.next_holed = holed;
            self.holed = group;
        }
    }
}

impl<J> Bay<J> {
    /// A group without slots.
    const NONE: Self = Self {
        slots: NonNull::dangling(),
        before: 0,
        all: 0,
        occupied: 0,
        taken: 0,
        due: 0,
        overdue: 0,
        begun: 0,
        is_mixed: false,
        is_empty_listed: false,
        is_holed_listed: false,
        next_empty: NOWHERE,
        next_holed: NOWHERE,
        first_index: 0,
    };

    /// The bodies at these places, to be polled one after another.
    #[inline]
    pub(super) fn turns(&mut self, due: usize) -> Turns<'_, J> {
        // Until they are noted again, there are none: were that forgotten, they would be, too.
        let occupied = core::mem::take(&mut self.occupied);
        Turns { slots: self.slots, left: due & occupied, occupied, bay: self }
    }

    #[inline]
    fn at(&self, place: usize) -> Option<NonNull<J>> {
        let is_occupied = self.occupied & (1 << place) != 0;
        // SAFETY: what is occupied is there.
        is_occupied.then(|| unsafe { self.slots.add(place) }.cast())
    }

    /// The body at a place.
    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<Pin<&J>> {
        // SAFETY: it is occupied, and bodies never move: they are dropped where they are.
        self.at(place).map(|job| unsafe { Pin::new_unchecked(job.as_ref()) })
    }

    /// The body at a place.
    #[inline]
    pub(super) fn get_mut(&mut self, place: usize) -> Option<Pin<&mut J>> {
        // SAFETY: as in `get`, and we have exclusive access.
        self.at(place).map(|mut job| unsafe { Pin::new_unchecked(job.as_mut()) })
    }

    /// Drops the body at a place, if there is one. The slot is not free by that, but empty, also if
    /// the body's destructor panics.
    #[inline]
    pub(super) fn empty(&mut self, place: usize) {
        if let Some(job) = self.at(place) {
            self.occupied &= !(1 << place);
            // SAFETY: it was occupied and is not any more, so nobody drops it again or uses it.
            unsafe { job.as_ptr().drop_in_place() };
        }
    }

    /// Drops the bodies of the group, and returns where they were. The panic of one destructor keeps no other
    /// from running.
    pub(super) fn clear(&mut self, mut panicked: impl FnMut(Panic)) -> usize {
        let occupied = self.occupied;
        if !needs_drop::<J>() {
            self.occupied = 0;
        }
        // Behind a body that panics, it goes on.
        while let Err(panic) = catch(|| places(self.occupied).for_each(|place| self.empty(place))) {
            panicked(panic);
        }
        occupied
    }
}

/// The free slots of a group, the lowest first, to start bodies in. What was made of them is kept here,
/// in registers mostly, and noted when this is dropped.
pub(super) struct Vacancies<'a, J> {
    slots: NonNull<MaybeUninit<J>>,
    /// Those that are free.
    free: usize,
    /// Those that are free, too, and not to be used.
    spare: usize,
    /// Those that were free at first.
    given: usize,
    cursor: &'a mut usize,
    taken: &'a mut usize,
    bay: &'a mut Bay<J>,
}

impl<J> Vacancies<'_, J> {
    /// Leaves all but the first `most` of them.
    #[inline]
    pub(super) fn use_only(&mut self, most: usize) {
        let used = lowest(self.free, most);
        self.spare |= self.free & !used;
        self.free = used;
    }

    /// Whether there is none left.
    #[inline]
    pub(super) fn are_none(&self) -> bool {
        self.free == 0
    }

    /// The place of the first.
    #[inline]
    pub(super) fn place(&self) -> usize {
        self.free.trailing_zeros() as usize
    }

    /// How many of them were taken.
    #[inline]
    pub(super) fn given(&self) -> usize {
        count(self.given & !(self.free | self.spare))
    }

    /// Moves a body into the first of them. It is dropped there, unless it stays.
    #[inline]
    pub(super) fn put(&mut self, job: J) -> Guest<'_, J> {
        assert!(self.free != 0, "bodies go into an empty slot");
        // SAFETY: the slot is there, and nothing is in it.
        let slot = unsafe { self.slots.add(self.place()) }.cast();
        // SAFETY: as above.
        unsafe { slot.write(job) };
        Guest { job: slot, free: &mut self.free }
    }

    /// What is known of the group, and whether the body that came last is the only one.
    #[inline]
    pub(super) fn bay(&mut self) -> (&mut Bay<J>, bool) {
        let stayed = self.given & !(self.free | self.spare);
        let is_only = self.bay.taken == 0 && stayed & stayed.wrapping_sub(1) == 0;
        (self.bay, is_only)
    }
}

impl<J> Drop for Vacancies<'_, J> {
    #[inline]
    fn drop(&mut self) {
        let free = self.free | self.spare;
        let stayed = self.given & !free;
        self.bay.occupied |= stayed;
        self.bay.taken |= stayed;
        *self.taken += count(stayed);
        *self.cursor = free.trailing_zeros() as usize;
    }
}

/// A body in a slot that does not count as occupied yet: mostly it is not worth it.
pub(super) struct Guest<'a, J> {
    job: NonNull<J>,
    free: &'a mut usize,
}

impl<J> Guest<'_, J> {
    #[inline]
    pub(super) fn as_mut(&mut self) -> Pin<&mut J> {
        // SAFETY: it is there until this is dropped or stays, and never moves.
        unsafe { Pin::new_unchecked(self.job.as_mut()) }
    }

    /// Has the body stay in the slot, which is then occupied.
    #[inline]
    pub(super) fn stay(self) {
        let mut this = ManuallyDrop::new(self);
        *this.free &= *this.free - 1;
    }
}

impl<J> Drop for Guest<'_, J> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is there, and nobody uses it after this.
        unsafe { self.job.as_ptr().drop_in_place() };
    }
}

/// Bodies of a group that are polled one after another, the lowest first. Which slots hold a body is
/// kept here meanwhile, in registers mostly, and noted when this is dropped.
pub(super) struct Turns<'a, J> {
    slots: NonNull<MaybeUninit<J>>,
    /// Those that had no turn yet: all of them are occupied.
    left: usize,
    occupied: usize,
    bay: &'a mut Bay<J>,
}

impl<'a, J> Turns<'a, J> {
    /// The next body.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Turn<'_, 'a, J>> {
        if self.left == 0 {
            return None;
        }
        let place = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(Turn { turns: self, place })
    }

    /// Those that had no turn.
    #[inline]
    pub(super) fn left(&self) -> usize {
        self.left
    }
}

impl<J> Drop for Turns<'_, J> {
    #[inline]
    fn drop(&mut self) {
        self.bay.occupied = self.occupied;
    }
}

/// A body whose turn it is.
pub(super) struct Turn<'a, 'b, J> {
    turns: &'a mut Turns<'b, J>,
    place: usize,
}

impl<J> Turn<'_, '_, J> {
    #[inline]
    pub(super) fn place(&self) -> usize {
        self.place
    }

    #[inline]
    pub(super) fn as_mut(&mut self) -> Pin<&mut J> {
        // SAFETY: what had no turn yet was occupied, and only `empty` changes that, which has the last
        // word.
        let mut job = unsafe { self.turns.slots.add(self.place) }.cast();
        // SAFETY: it is there, and bodies never move: they are dropped where they are.
        unsafe { Pin::new_unchecked(job.as_mut()) }
    }

    /// Whether the body had no time left and was asked to stop.
    #[inline]
    pub(super) fn is_overdue(&self) -> bool {
        self.turns.bay.is_overdue(self.place)
    }

    /// Drops the body. Its slot is not free by that, but empty, also if the body's destructor panics.
    #[inline]
    pub(super) fn empty(self) {
        self.turns.occupied &= !(1 << self.place);
        // SAFETY: it was occupied and is not any more, so nobody drops it again or uses it.
        unsafe { self.turns.slots.add(self.place).cast::<J>().as_ptr().drop_in_place() };
    }
}

impl<J> Drop for Slab<J> {
    fn drop(&mut self) {
        // What is pinned is dropped before its memory is freed. If a destructor panics here, the
        // memory is not freed at all.
        if let Some(panic) = self.clear() {
            panic.resume_unless_panicking();
        }
        for &(block, capacity) in self.blocks.iter() {
            // SAFETY: it came from a vector of this capacity, and is used no more.
            drop(unsafe { Vec::from_raw_parts(block.as_ptr(), 0, capacity) });
        }
    }
}

impl<J> fmt::Debug for Slab<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slab").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
