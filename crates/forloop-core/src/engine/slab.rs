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

use super::inline_vec::InlineVec;
use super::ready::CHUNK_SLOTS;
use super::slot::{NO_OFFSET, Slot, bits, chunk_of, count, lowest, offset_of, slot_at};
use crate::Panic;
use crate::outcome::catch;

/// No group.
const NOWHERE: usize = usize::MAX;

/// Some slots side by side, a group, and what is known of each: a bit in each word.
pub(super) struct Chunk<J> {
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
    is_in_empty_list: bool,
    is_in_holed_list: bool,
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
    chunks: InlineVec<Chunk<J>>,
    /// The memory of the bays, with its size in slots: at least as many as there are.
    blocks: InlineVec<(NonNull<MaybeUninit<J>>, usize)>,
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
            chunks: InlineVec::new(Chunk::NONE),
            blocks: InlineVec::new((NonNull::dangling(), 0)),
            current: NOWHERE,
            cursor: NO_OFFSET,
            taken: 0,
            begun: 0,
            empty: NOWHERE,
            holed: NOWHERE,
            _owns: PhantomData,
        }
    }

    /// How many slots there are.
    pub(super) fn capacity(&self) -> usize {
        let last = &self.chunks[self.chunks.len() - 1];
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
        *self.chunks.first_mut() = Chunk { slots: block.0, all, begun: 1, ..Chunk::NONE };
        *self.blocks.first_mut() = block;
        (self.current, self.cursor, self.begun) = (0, 0, 1);
        slot_at(0, 0)
    }

    /// Makes so many more slots, where no group is free any more, and begins the first of them. Returns
    /// how many groups they are in.
    pub(super) fn grow(&mut self, slots: usize) -> usize {
        let chunks = if slots <= CHUNK_SLOTS { 1 } else { slots.div_ceil(CHUNK_SLOTS) };
        let (before, first) = (self.capacity(), self.chunks.len());
        self.chunks.reserve_exact(chunks);
        self.blocks.reserve_exact(1);
        let block = Self::block(slots);
        for number in 0..chunks {
            let at = number * CHUNK_SLOTS;
            let is_last = number + 1 == chunks;
            self.chunks.push(Chunk {
                // SAFETY: within the block.
                slots: unsafe { block.0.add(at) },
                before: before + at,
                all: usize::MAX >> (usize::BITS as usize - CHUNK_SLOTS.min(slots - at)),
                is_in_empty_list: number > 0,
                next_empty: if is_last { NOWHERE } else { first + number + 1 },
                ..Chunk::NONE
            });
        }
        debug_assert!(self.empty == NOWHERE, "no group is free");
        if chunks > 1 {
            self.empty = first + 1;
        }
        self.blocks.push(block);
        self.go_to(first);
        chunks
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
        (self.cursor < NO_OFFSET).then(|| slot_at(self.current, self.cursor))
    }

    /// Goes to a group all of whose slots are free; `false` if there is none.
    pub(super) fn next_empty(&mut self) -> bool {
        while self.empty != NOWHERE {
            let number = self.empty;
            let chunk = self.chunk_mut(number);
            chunk.is_in_empty_list = false;
            let (next, is_empty) = (chunk.next_empty, chunk.taken == 0);
            self.empty = next;
            if is_empty {
                self.go_to(number);
                return true;
            }
        }
        false
    }

    /// Goes to a group in which slots became free between others; `false` if there is none.
    pub(super) fn next_holed(&mut self) -> bool {
        self.leave();
        while self.holed != NOWHERE {
            let number = self.holed;
            let chunk = self.chunk_mut(number);
            chunk.is_in_holed_list = false;
            let (next, is_holed) = (chunk.next_holed, chunk.taken != 0 && chunk.taken != chunk.all);
            self.holed = next;
            if is_holed {
                self.go_to(number);
                self.chunk_mut(number).is_mixed = true;
                return true;
            }
        }
        false
    }

    /// Begins a group that has a free slot.
    fn go_to(&mut self, number: usize) {
        self.leave();
        self.begun += 1;
        let begun = self.begun;
        let chunk = self.chunk_mut(number);
        chunk.begun = begun;
        let cursor = (chunk.all & !chunk.taken).trailing_zeros() as usize;
        (self.current, self.cursor) = (number, cursor);
    }

    /// Leaves the current group, all of whose slots were given. Some may be free again.
    fn leave(&mut self) {
        let (number, holed) = (self.current, self.holed);
        self.current = NOWHERE;
        self.cursor = NO_OFFSET;
        if let Some(chunk) = self.chunks.get_mut(number)
            && chunk.taken != chunk.all
            && !chunk.is_in_holed_list
        {
            chunk.is_in_holed_list = true;
            chunk.next_holed = holed;
            self.holed = number;
        }
    }

    /// The free slots of the group whose slots are given, with its number.
    #[inline]
    pub(super) fn vacant_entries(&mut self) -> (usize, VacantEntries<'_, J>) {
        let chunk = &mut self.chunks[self.current];
        let free = chunk.all & !chunk.taken & (usize::MAX << self.cursor);
        let vacant_entries = VacantEntries {
            slots: chunk.slots,
            free,
            spare: 0,
            given: free,
            cursor: &mut self.cursor,
            taken: &mut self.taken,
            chunk,
        };
        (self.current, vacant_entries)
    }

    /// What is known of a group.
    #[inline]
    pub(super) fn chunk(&self, number: usize) -> &Chunk<J> {
        &self.chunks[number]
    }

    /// What is known of a group.
    #[inline]
    pub(super) fn chunk_mut(&mut self, number: usize) -> &mut Chunk<J> {
        &mut self.chunks[number]
    }

    /// All groups, with their numbers.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (usize, &Chunk<J>)> {
        self.chunks.iter().enumerate()
    }

    /// Drops every body. Returns the first panic of their destructors.
    pub(super) fn clear(&mut self) -> Option<Panic> {
        let mut first = None;
        if self.taken == 0 {
            return first;
        }
        for number in 0..self.chunks.len() {
            self.chunk_mut(number).clear(|panic| {
                first.get_or_insert(panic);
            });
        }
        first
    }

    /// All slots, in the order of their ranks.
    pub(super) fn all_slots(&self) -> impl Iterator<Item = Slot> {
        let slots = |(number, chunk): (usize, &Chunk<J>)| {
            bits(chunk.all).map(move |offset| slot_at(number, offset))
        };
        self.chunks().flat_map(slots)
    }

    /// The body in the slot.
    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Option<Pin<&J>> {
        self.chunk(chunk_of(slot)).get(offset_of(slot))
    }

    /// Makes empty slots of a group free, a bit for each.
    #[inline]
    pub(super) fn free(&mut self, number: usize, slots: usize) {
        let (current, empty, holed) = (self.current, self.empty, self.holed);
        let chunk = &mut self.chunks[number];
        assert!(
            slots & (!chunk.taken | chunk.occupied) == 0,
            "what is freed was taken and is empty"
        );
        if slots == 0 {
            return;
        }
        self.taken -= count(slots);
        chunk.taken &= !slots;
        chunk.overdue &= !slots;
        let is_empty = chunk.taken == 0;
        if is_empty {
            chunk.is_mixed = false;
        }
        if number == current {
            if is_empty {
                self.go_to(number);
            }
        } else if is_empty && !chunk.is_in_empty_list {
            chunk.is_in_empty_list = true;
            chunk.next_empty = empty;
            self.empty = number;
        } else if !is_empty && !chunk.is_in_holed_list {
            chunk.is_in_holed_list = true;
            chunk.next_holed = holed;
            self.holed = number;
        }
    }
}

impl<J> Chunk<J> {
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
        is_in_empty_list: false,
        is_in_holed_list: false,
        next_empty: NOWHERE,
        next_holed: NOWHERE,
        first_index: 0,
    };

    /// The bodies at these places, to be polled one after another.
    #[inline]
    pub(super) fn entries(&mut self, due: usize) -> OccupiedEntries<'_, J> {
        // Until they are noted again, there are none: were that forgotten, they would be, too.
        let occupied = core::mem::take(&mut self.occupied);
        OccupiedEntries { slots: self.slots, left: due & occupied, occupied, chunk: self }
    }

    #[inline]
    fn at(&self, offset: usize) -> Option<NonNull<J>> {
        let is_occupied = self.occupied & (1 << offset) != 0;
        // SAFETY: what is occupied is there.
        is_occupied.then(|| unsafe { self.slots.add(offset) }.cast())
    }

    /// The body at a place.
    #[inline]
    pub(super) fn get(&self, offset: usize) -> Option<Pin<&J>> {
        // SAFETY: it is occupied, and bodies never move: they are dropped where they are.
        self.at(offset).map(|job| unsafe { Pin::new_unchecked(job.as_ref()) })
    }

    /// The body at a place.
    #[inline]
    pub(super) fn get_mut(&mut self, offset: usize) -> Option<Pin<&mut J>> {
        // SAFETY: as in `get`, and we have exclusive access.
        self.at(offset).map(|mut job| unsafe { Pin::new_unchecked(job.as_mut()) })
    }

    /// Drops the body at a place, if there is one. The slot is not free by that, but empty, also if
    /// the body's destructor panics.
    #[inline]
    pub(super) fn empty(&mut self, offset: usize) {
        if let Some(job) = self.at(offset) {
            self.occupied &= !(1 << offset);
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
        while let Err(panic) = catch(|| bits(self.occupied).for_each(|offset| self.empty(offset))) {
            panicked(panic);
        }
        occupied
    }
}

/// The free slots of a group, the lowest first, to start bodies in. What was made of them is kept here,
/// in registers mostly, and noted when this is dropped.
pub(super) struct VacantEntries<'a, J> {
    slots: NonNull<MaybeUninit<J>>,
    /// Those that are free.
    free: usize,
    /// Those that are free, too, and not to be used.
    spare: usize,
    /// Those that were free at first.
    given: usize,
    cursor: &'a mut usize,
    taken: &'a mut usize,
    chunk: &'a mut Chunk<J>,
}

impl<J> VacantEntries<'_, J> {
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
    pub(super) fn offset(&self) -> usize {
        self.free.trailing_zeros() as usize
    }

    /// How many of them were taken.
    #[inline]
    pub(super) fn given(&self) -> usize {
        count(self.given & !(self.free | self.spare))
    }

    /// Moves a body into the first of them. It is dropped there, unless it stays.
    #[inline]
    pub(super) fn put(&mut self, job: J) -> VacantEntry<'_, J> {
        assert!(self.free != 0, "bodies go into an empty slot");
        // SAFETY: the slot is there, and nothing is in it.
        let slot = unsafe { self.slots.add(self.offset()) }.cast();
        // SAFETY: as above.
        unsafe { slot.write(job) };
        VacantEntry { job: slot, free: &mut self.free }
    }

    /// What is known of the group, and whether the body that came last is the only one.
    #[inline]
    pub(super) fn chunk(&mut self) -> (&mut Chunk<J>, bool) {
        let stayed = self.given & !(self.free | self.spare);
        let is_only = self.chunk.taken == 0 && stayed & stayed.wrapping_sub(1) == 0;
        (self.chunk, is_only)
    }
}

impl<J> Drop for VacantEntries<'_, J> {
    #[inline]
    fn drop(&mut self) {
        let free = self.free | self.spare;
        let stayed = self.given & !free;
        self.chunk.occupied |= stayed;
        self.chunk.taken |= stayed;
        *self.taken += count(stayed);
        *self.cursor = free.trailing_zeros() as usize;
    }
}

/// A body in a slot that does not count as occupied yet: mostly it is not worth it.
pub(super) struct VacantEntry<'a, J> {
    job: NonNull<J>,
    free: &'a mut usize,
}

impl<J> VacantEntry<'_, J> {
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

impl<J> Drop for VacantEntry<'_, J> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is there, and nobody uses it after this.
        unsafe { self.job.as_ptr().drop_in_place() };
    }
}

/// Bodies of a group that are polled one after another, the lowest first. Which slots hold a body is
/// kept here meanwhile, in registers mostly, and noted when this is dropped.
pub(super) struct OccupiedEntries<'a, J> {
    slots: NonNull<MaybeUninit<J>>,
    /// Those that had no turn yet: all of them are occupied.
    left: usize,
    occupied: usize,
    chunk: &'a mut Chunk<J>,
}

impl<'a, J> OccupiedEntries<'a, J> {
    /// The next body.
    #[inline]
    pub(super) fn next(&mut self) -> Option<OccupiedEntry<'_, 'a, J>> {
        if self.left == 0 {
            return None;
        }
        let offset = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(OccupiedEntry { entries: self, offset })
    }

    /// Those that had no turn.
    #[inline]
    pub(super) fn left(&self) -> usize {
        self.left
    }
}

impl<J> Drop for OccupiedEntries<'_, J> {
    #[inline]
    fn drop(&mut self) {
        self.chunk.occupied = self.occupied;
    }
}

/// A body whose turn it is.
pub(super) struct OccupiedEntry<'a, 'b, J> {
    entries: &'a mut OccupiedEntries<'b, J>,
    offset: usize,
}

impl<J> OccupiedEntry<'_, '_, J> {
    #[inline]
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    #[inline]
    pub(super) fn as_mut(&mut self) -> Pin<&mut J> {
        // SAFETY: what had no turn yet was occupied, and only `empty` changes that, which has the last
        // word.
        let mut job = unsafe { self.entries.slots.add(self.offset) }.cast();
        // SAFETY: it is there, and bodies never move: they are dropped where they are.
        unsafe { Pin::new_unchecked(job.as_mut()) }
    }

    /// Whether the body had no time left and was asked to stop.
    #[inline]
    pub(super) fn is_overdue(&self) -> bool {
        self.entries.chunk.is_overdue(self.offset)
    }

    /// Drops the body. Its slot is not free by that, but empty, also if the body's destructor panics.
    #[inline]
    pub(super) fn empty(self) {
        self.entries.occupied &= !(1 << self.offset);
        // SAFETY: it was occupied and is not any more, so nobody drops it again or uses it.
        unsafe { self.entries.slots.add(self.offset).cast::<J>().as_ptr().drop_in_place() };
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
