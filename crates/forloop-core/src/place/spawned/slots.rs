//! The slots of a loop's tasks, by number.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::completer::{Completer, Shared};
use super::completions::{Completions, MOST_SLOTS};
use super::sync::Ordering;
use crate::Outcome;
use crate::engine::{CANCELLED, Cell, CellBlock, EXPIRED, MOST_CELLS};
use crate::indices;

/// A table of slots in chunks. A slot is a cell that the loop shares with one task at a time.
///
/// The memory of a burst is freed when most of its bodies have completed: see [`sweep`](Self::sweep).
pub(super) struct Slots<T> {
    chunks: Vec<Chunk<T>>,
    /// The chunks with free slots. The last one is filled first.
    open: Vec<u32>,
    /// The chunks that were freed.
    freed: Vec<u32>,
    /// The slots that are taken by bodies.
    bodies: usize,
    /// The slots that are taken by tasks whose body was not started.
    abandoned: usize,
    /// The slots that there are.
    capacity: usize,
    /// The number of bodies below which memory is freed.
    sweep_below: usize,
}

/// Up to 64 slots.
struct Chunk<T> {
    /// None where it was freed.
    block: Option<CellBlock<Outcome<T>, Shared>>,
    /// A bit for each slot that is free, of those that there are.
    free: u64,
    /// A bit for each slot that is taken by a task whose body was not started.
    abandoned: u64,
}

/// What the task of a body has left in its slot.
pub(super) struct CompletedBody<T> {
    /// The link to the next slot in the list.
    pub(super) link: u32,
    /// The index of the body, if it was started.
    pub(super) index: Option<usize>,
    pub(super) outcome: Outcome<T>,
}

/// The cell of a slot.
pub(super) type BodyCell<T> = Cell<Outcome<T>>;

/// The number of the chunk of a slot, and its position there.
#[inline]
fn place_of(number: u32) -> (usize, usize) {
    (number as usize / MOST_CELLS, number as usize % MOST_CELLS)
}

/// The number of slots that a loop has at first.
const FEWEST: usize = 8;

/// The number of slots that are kept in any case: 256 KiB.
const fn kept<T>() -> usize {
    (256 << 10) / size_of::<BodyCell<T>>()
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            open: Vec::new(),
            freed: Vec::new(),
            bodies: 0,
            abandoned: 0,
            capacity: 0,
            sweep_below: 0,
        }
    }

    /// The number of bodies.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bodies
    }

    /// The number of tasks: those of bodies, and those whose body was not started.
    pub(super) fn tasks(&self) -> usize {
        self.bodies + self.abandoned
    }

    /// Takes a free slot for the task of the body with this index.
    #[inline]
    pub(super) fn start(
        &mut self,
        completions: &Arc<Completions>,
        index: usize,
    ) -> (u32, Completer<T>) {
        let open = self.open.last().copied();
        let chunk_number = open.unwrap_or_else(|| self.open_chunk(completions));
        let chunk = &mut self.chunks[chunk_number as usize];
        let offset = chunk.free.trailing_zeros();
        chunk.free &= chunk.free - 1;
        if chunk.free == 0 {
            self.open.pop();
        }
        let block = chunk.block.as_mut().expect("an open chunk has slots");
        let task = block.start(offset as usize).expect("a free slot has no task");
        task.index.store(index, Ordering::Relaxed);
        self.bodies += 1;
        (chunk_number * MOST_CELLS as u32 + offset, Completer::new(task))
    }

    /// Makes a chunk with free slots, as many as there are slots already, and opens it.
    #[cold]
    #[inline(never)]
    fn open_chunk(&mut self, completions: &Arc<Completions>) -> u32 {
        let number = self.freed.pop().unwrap_or(self.chunks.len() as u32);
        let is_possible = number < MOST_SLOTS / MOST_CELLS as u32;
        assert!(is_possible, "a loop runs fewer than 2^32 tasks at once");
        let slots = self.capacity.clamp(FEWEST, MOST_CELLS);
        let shared = Shared { completions: completions.clone(), first: number * MOST_CELLS as u32 };
        let block = Some(CellBlock::new(shared, slots));
        let chunk = Chunk { block, free: u64::MAX >> (MOST_CELLS - slots), abandoned: 0 };
        match self.chunks.get_mut(number as usize) {
            Some(freed) => *freed = chunk,
            None => self.chunks.push(chunk),
        }
        self.capacity += slots;
        if self.capacity > const { kept::<T>() } {
            self.sweep_below = self.capacity / 4;
        }
        self.open.push(number);
        number
    }

    /// The cell of a slot that is taken.
    #[inline]
    pub(super) fn cell(&self, number: u32) -> &BodyCell<T> {
        let (chunk, offset) = place_of(number);
        self.chunks[chunk].cell(offset)
    }

    /// The start of a body has panicked. Its task, if there is one, is to stop, and the slot is taken until it has.
    #[cold]
    pub(super) fn abandon(&mut self, number: u32) {
        let (chunk, offset) = place_of(number);
        self.chunks[chunk].abandoned |= 1 << offset;
        self.bodies -= 1;
        self.abandoned += 1;
        self.stop(number, CANCELLED);
    }

    /// Asks the task of a slot to stop.
    pub(super) fn stop(&self, number: u32, request: u8) {
        if let Some(waker) = self.cell(number).stop(request) {
            waker.wake();
        }
    }

    /// Frees the slot of a task that has completed, and returns what it has left there.
    #[inline]
    pub(super) fn complete(&mut self, number: u32) -> CompletedBody<T> {
        let (chunk_number, offset) = place_of(number);
        let chunk = &mut self.chunks[chunk_number];
        let cell = chunk.cell(offset);
        let link = cell.link.load(Ordering::Relaxed);
        let index = cell.index.load(Ordering::Relaxed);
        let outcome = match cell.take() {
            // A body that was never polled was dropped by its runtime, and keeps its outcome.
            Some(Outcome::Cancelled) if cell.requests() & EXPIRED != 0 => Outcome::TimedOut,
            outcome => outcome.unwrap_or(Outcome::Cancelled),
        };
        let bit = 1 << offset;
        if chunk.free == 0 {
            self.open.push(chunk_number as u32);
        }
        chunk.free |= bit;
        if chunk.abandoned & bit != 0 {
            chunk.abandoned &= !bit;
            self.abandoned -= 1;
            return CompletedBody { link, index: None, outcome };
        }
        self.bodies -= 1;
        if self.bodies < self.sweep_below {
            self.sweep();
        }
        CompletedBody { link, index: Some(index), outcome }
    }

    /// Whether a slot is taken by the body with this index.
    pub(super) fn runs(&self, number: u32, index: usize) -> bool {
        let (chunk, offset) = place_of(number);
        let Some(chunk) = self.chunks.get(chunk) else { return false };
        let is_taken = chunk.bodies() >> offset & 1 == 1;
        is_taken && self.cell(number).index.load(Ordering::Relaxed) == index
    }

    /// The indices of the bodies, in ascending order.
    pub(super) fn indices(&self) -> Vec<usize> {
        let mut indices = Vec::with_capacity(self.bodies);
        for (number, chunk) in (0..).zip(&self.chunks) {
            let numbers = numbers(number, chunk.bodies());
            indices.extend(numbers.map(|number| self.cell(number).index.load(Ordering::Relaxed)));
        }
        indices::sort(&mut indices);
        indices
    }

    /// The slot of the body with this index. Takes time in proportion to the slots.
    pub(super) fn of_body(&self, index: usize) -> Option<u32> {
        let chunks = (0..).zip(&self.chunks);
        let mut bodies = chunks.flat_map(|(number, chunk)| numbers(number, chunk.bodies()));
        bodies.find(|&number| self.cell(number).index.load(Ordering::Relaxed) == index)
    }

    /// The slots that are taken.
    pub(super) fn taken(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.chunks).flat_map(|(number, chunk)| numbers(number, chunk.taken()))
    }

    /// Frees the chunks in which no slot is taken. Called when fewer than a quarter of the slots are taken, and again when
    /// half of those are free: so its cost is shared by the completions in between.
    #[cold]
    #[inline(never)]
    fn sweep(&mut self) {
        for chunk in &mut self.chunks {
            if chunk.taken() == 0
                && let Some(block) = chunk.block.take()
            {
                self.capacity -= block.cells();
                chunk.free = 0;
            }
        }
        let used = self.chunks.iter().rposition(|chunk| chunk.block.is_some());
        self.chunks.truncate(used.map_or(0, |last| last + 1));
        self.chunks.shrink_to_fit();
        let chunks = || (0..).zip(&self.chunks);
        self.open = chunks().filter(|(_, chunk)| chunk.free != 0).map(|(at, _)| at).collect();
        self.freed =
            chunks().filter(|(_, chunk)| chunk.block.is_none()).map(|(at, _)| at).collect();
        let is_large = self.capacity > const { kept::<T>() };
        self.sweep_below = if is_large { self.bodies / 2 } else { 0 };
    }
}

impl<T> Chunk<T> {
    /// The cell of a slot that is taken.
    #[inline]
    fn cell(&self, offset: usize) -> &BodyCell<T> {
        self.block.as_ref().expect("a chunk with a slot that is taken").cell(offset)
    }

    /// A bit for each slot that is taken.
    fn taken(&self) -> u64 {
        let slots = self.block.as_ref().map_or(0, CellBlock::cells);
        let all = u64::MAX.checked_shr((MOST_CELLS - slots) as u32).unwrap_or(0);
        all & !self.free
    }

    /// A bit for each slot that is taken by a body.
    fn bodies(&self) -> u64 {
        self.taken() & !self.abandoned
    }
}

/// The slots of a chunk with these bits.
fn numbers(chunk: usize, bits: u64) -> impl Iterator<Item = u32> {
    let offsets = (0..MOST_CELLS).filter(move |offset| bits >> offset & 1 == 1);
    offsets.map(move |offset| (chunk * MOST_CELLS + offset) as u32)
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use super::*;

    /// Starts the task of a body and completes it.
    fn start(slots: &mut Slots<()>, completions: &Arc<Completions>, index: usize) -> u32 {
        let (number, completer) = slots.start(completions, index);
        drop(completer);
        number
    }

    #[test]
    fn slots_are_reused_and_freed_after_a_burst() {
        let completions = Arc::new(Completions::new());
        let mut slots = Slots::new();
        let start = |slots: &mut Slots<()>, index| start(slots, &completions, index);
        let numbers: Vec<_> = (0..100_000).map(|index| start(&mut slots, index)).collect();
        assert_eq!(slots.len(), 100_000);
        assert!(slots.capacity <= 100_000 + MOST_CELLS);
        assert!(slots.indices().into_iter().eq(0..100_000));
        assert!(slots.runs(numbers[70], 70) && !slots.runs(numbers[70], 71));
        // Every thousandth body stays.
        let (stay, leave): (Vec<_>, Vec<_>) =
            (0..).zip(numbers).partition(|(index, _)| index % 1000 == 0);
        for &(index, number) in &leave {
            assert_eq!(slots.complete(number).index, Some(index));
        }
        assert_eq!((slots.len(), slots.taken().count()), (100, 100));
        assert!(slots.capacity <= kept::<()>() + 100 * MOST_CELLS);
        let capacity = slots.capacity;
        let more: Vec<_> = (0..1000).map(|index| start(&mut slots, index)).collect();
        assert_eq!(slots.capacity, capacity);
        for number in more.into_iter().chain(stay.into_iter().map(|(_, number)| number)) {
            assert!(slots.complete(number).index.is_some());
        }
        assert_eq!((slots.len(), slots.taken().count()), (0, 0));
        assert!(slots.capacity <= kept::<()>());
    }

    #[test]
    fn a_loop_has_as_many_slots_as_bodies_run_at_once() {
        let completions = Arc::new(Completions::new());
        let mut slots = Slots::new();
        for index in 0..1000 {
            let number = start(&mut slots, &completions, index);
            assert_eq!(slots.complete(number).index, Some(index));
        }
        assert_eq!(slots.capacity, FEWEST);
    }
}
