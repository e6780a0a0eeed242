//! Blocks of cells: what the tasks of a loop share with it, without an allocation or a lock for each.
//!
//! A [`CellBlock`] is the loop's, and has up to 64 cells. The loop [starts](CellBlock::start) a task with a [`TaskRef`] to a
//! free cell: a pointer to the cell that counts as a reference to its block. The task leaves a value there when it
//! completes, and the loop takes it. Then the cell is free for the next task. A block is freed with the last reference to it.
//!
//! # The state of a cell
//!
//! A cell has a value and a waker, and a word for each that says who owns it.
//!
//! *The value.* In the state [`ACTIVE`] it is the task's. A task that completes writes it and stores [`DONE`] with `Release`.
//! Who then exchanges `DONE` for `ACTIVE`, with `Acquire`, takes the value and stores [`FREE`]; mostly that is the loop. Only
//! the loop makes a free cell active.
//!
//! *The waker.* A task that is pending writes its waker and sets [`WAKER`] in `signals`. A loop that wants it to stop sets
//! one of the bits of [`STOP`]. Both do so by one read-modify-write and see what was set before, so the later one sees the
//! other. If it is the loop, it owns the waker from then on, takes it and wakes the task. If it is the task, the loop has not
//! seen the waker: the task takes it back and stops. A task takes its waker back, too, to register another one
//! and when it completes, by clearing `WAKER`, and leaves it to the loop if a bit of `STOP` is set by then. So one
//! of them owns the waker at each time. A task that polls with the waker that it has registered only loads the word.
//!
//! A body that is ready at its first poll costs a reference and no other read-modify-write here, and one for the loop that
//! takes its output.

#![allow(unsafe_code, reason = "who may touch the contents of a cell is said by its state")]

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::task::{RawWakerVTable, Waker};

#[cfg(not(forloop_loom))]
use core::cell::UnsafeCell;
#[cfg(not(forloop_loom))]
use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence,
};
#[cfg(forloop_loom)]
use loom::cell::UnsafeCell;
#[cfg(forloop_loom)]
use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence,
};

use super::mutations::{Mutation, is_mutated};

/// No task has the cell.
const FREE: u8 = 0;

/// A task has the cell, or its value is being taken.
const ACTIVE: u8 = 1;

/// The task has completed, and the cell has its value.
const DONE: u8 = 2;

/// The cell has a waker.
const WAKER: u8 = 1;

/// Asks a task to stop that was polled at least once.
pub(crate) const EXPIRED: u8 = 2;

/// Asks a task to stop.
pub(crate) const CANCELLED: u8 = 4;

/// Asks a task to stop that the loop does not count among those that it leaves behind.
pub(crate) const UNCOUNTED: u8 = 8;

/// What a loop may ask.
const STOP: u8 = EXPIRED | CANCELLED | UNCOUNTED;

/// The most cells of a block.
pub(crate) const MOST_CELLS: usize = 64;

/// A block, followed by its cells. `V` is the value of a cell, and `H` what all cells of the block have in common.
struct Block<V, H> {
    references: AtomicUsize,
    cells: usize,
    header: H,
    _values: PhantomData<V>,
}

/// A cell of a block.
pub(crate) struct Cell<V> {
    value: UnsafeCell<Option<V>>,
    /// The two parts of a waker.
    data: AtomicPtr<()>,
    vtable: AtomicPtr<RawWakerVTable>,
    /// The index of the body. Only the loop uses it.
    pub(crate) index: AtomicUsize,
    /// A link to another cell, for a list.
    pub(crate) link: AtomicU32,
    /// [`FREE`], [`ACTIVE`] or [`DONE`].
    state: AtomicU8,
    /// [`WAKER`] and the bits of [`STOP`].
    signals: AtomicU8,
    /// The position in the block.
    offset: u8,
    /// Whether the task was polled. Only the task uses it, which has no room for it.
    pub(crate) was_polled: AtomicBool,
}

impl<V> Cell<V> {
    fn new(offset: u8) -> Self {
        Self {
            value: UnsafeCell::new(None),
            data: AtomicPtr::new(ptr::null_mut()),
            vtable: AtomicPtr::new(ptr::null_mut()),
            index: AtomicUsize::new(0),
            link: AtomicU32::new(0),
            state: AtomicU8::new(FREE),
            signals: AtomicU8::new(0),
            offset,
            was_polled: AtomicBool::new(false),
        }
    }

    /// Accesses the value.
    ///
    /// # Safety
    ///
    /// The caller owns the value, as [the module](self) says.
    #[inline]
    unsafe fn with_value<R>(&self, access: impl FnOnce(&mut Option<V>) -> R) -> R {
        // SAFETY: nothing else accesses it, and `access` has no access to the cell.
        #[cfg(not(forloop_loom))]
        return access(unsafe { &mut *self.value.get() });
        // SAFETY: as above, and loom checks it.
        #[cfg(forloop_loom)]
        return self.value.with_mut(|value| access(unsafe { &mut *value }));
    }

    /// Stores a waker.
    #[inline]
    fn store_waker(&self, waker: Waker) {
        let waker = ManuallyDrop::new(waker);
        self.data.store(waker.data().cast_mut(), Ordering::Relaxed);
        self.vtable.store(ptr::from_ref(waker.vtable()).cast_mut(), Ordering::Relaxed);
    }

    /// Whether the stored waker is this one.
    #[inline]
    fn has_waker(&self, waker: &Waker) -> bool {
        ptr::eq(self.data.load(Ordering::Relaxed), waker.data())
            && ptr::eq(self.vtable.load(Ordering::Relaxed), waker.vtable())
    }

    /// Takes the stored waker.
    ///
    /// # Safety
    ///
    /// The caller owns the waker, as [the module](self) says, and gives that up.
    #[inline]
    unsafe fn take_waker(&self) -> Waker {
        let (data, vtable) =
            (self.data.load(Ordering::Relaxed), self.vtable.load(Ordering::Relaxed));
        // SAFETY: they are the parts of a waker that was forgotten, and become one only here. Its vtable is a `&'static`.
        unsafe { Waker::new(data, &*vtable) }
    }

    /// Asks the task to stop, and returns its waker if it waits and is not stopping already.
    #[must_use = "the task may be waiting"]
    pub(crate) fn stop(&self, request: u8) -> Option<Waker> {
        debug_assert!(request & !STOP == 0, "a request");
        let signals = self.signals.fetch_or(request & STOP, Ordering::AcqRel);
        let has_waker = signals & WAKER != 0 && signals & STOP == 0;
        // SAFETY: the task has set `WAKER`, and this was the first request, so the waker is ours.
        has_waker.then(|| unsafe { self.take_waker() })
    }

    /// An id that no other live task has.
    pub(crate) fn id(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// What the loop has asked the task.
    #[inline]
    pub(crate) fn requests(&self) -> u8 {
        self.signals.load(Ordering::Acquire) & STOP
    }

    /// Takes the value of a task that has completed.
    #[inline]
    pub(crate) fn take(&self) -> Option<V> {
        let relaxed = Ordering::Relaxed;
        let is_late = is_mutated(Mutation::TakesValueWithoutAcquire);
        let acquire = if is_late { relaxed } else { Ordering::Acquire };
        if self.state.load(relaxed) != DONE
            || self.state.compare_exchange(DONE, ACTIVE, acquire, relaxed).is_err()
        {
            return None;
        }
        // SAFETY: the exchange of `DONE` has made it ours.
        let value = unsafe { self.with_value(Option::take) };
        self.state.store(FREE, Ordering::Release);
        value
    }

    /// Takes the waker back, if the task has registered one. Only the task calls this.
    #[inline]
    fn take_back_waker(&self) -> Option<Waker> {
        if self.signals.load(Ordering::Relaxed) & WAKER == 0 {
            return None;
        }
        let signals = self.signals.fetch_and(!WAKER, Ordering::AcqRel);
        // SAFETY: the loop has not taken it before, and will not find it.
        (signals & STOP == 0).then(|| unsafe { self.take_waker() })
    }
}

/// The loop's reference to a block.
pub(crate) struct CellBlock<V, H> {
    block: NonNull<Block<V, H>>,
    /// As in the block, which need not be read for it.
    cells: usize,
    _owned: PhantomData<UnsafeCell<V>>,
}

// SAFETY: it shares the values and the header with the tasks, and may drop them.
unsafe impl<V: Send, H: Send + Sync> Send for CellBlock<V, H> {}
// SAFETY: as above. With `&` a value can be taken.
unsafe impl<V: Send, H: Send + Sync> Sync for CellBlock<V, H> {}

impl<V, H> Block<V, H> {
    /// Where the cells begin.
    const CELLS: usize = size_of::<Self>().next_multiple_of(align_of::<Cell<V>>());

    fn layout(cells: usize) -> Layout {
        let (block, cells) = (Layout::new::<Self>(), Layout::array::<Cell<V>>(cells));
        let extended = cells.and_then(|cells| block.extend(cells));
        let (layout, offset) = extended.expect("a block is smaller than the address space");
        debug_assert_eq!(offset, Self::CELLS);
        layout.pad_to_align()
    }

    /// A cell.
    ///
    /// # Safety
    ///
    /// The block is allocated, and has a cell there.
    #[inline]
    unsafe fn cell(block: NonNull<Self>, offset: usize) -> NonNull<Cell<V>> {
        // SAFETY: it is inside the allocation.
        unsafe { block.byte_add(Self::CELLS).cast::<Cell<V>>().add(offset) }
    }

    /// Releases a reference to the block, and frees it if it was the last.
    ///
    /// # Safety
    ///
    /// The caller owns a reference, which it does not use any more.
    #[inline]
    unsafe fn release(block: NonNull<Self>) {
        let release = if is_mutated(Mutation::ReleasesBlockRelaxed) {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        // SAFETY: the reference keeps the block alive until here.
        if unsafe { block.as_ref() }.references.fetch_sub(1, release) == 1 {
            if !is_mutated(Mutation::FreesBlockWithoutAcquire) {
                fence(Ordering::Acquire);
            }
            // SAFETY: there is no other reference.
            unsafe { Self::free(block) };
        }
    }

    /// Frees the block.
    ///
    /// # Safety
    ///
    /// There is no reference to it.
    #[cold]
    unsafe fn free(block: NonNull<Self>) {
        /// Frees the memory, also if a destructor panics.
        struct Memory(NonNull<u8>, Layout);
        impl Drop for Memory {
            fn drop(&mut self) {
                // SAFETY: it was allocated with this layout.
                unsafe { dealloc(self.0.as_ptr(), self.1) };
            }
        }
        // SAFETY: the block is allocated.
        let cells = unsafe { block.as_ref() }.cells;
        let _memory = Memory(block.cast(), Self::layout(cells));
        for offset in 0..cells {
            // SAFETY: the cell is in the block and initialised. No task has it, so it has no waker.
            let cell = unsafe { Self::cell(block, offset) };
            // SAFETY: nothing else has the cell.
            drop(unsafe { cell.as_ref().with_value(Option::take) });
            // SAFETY: as above, and it is dropped once.
            unsafe { cell.drop_in_place() };
        }
        // SAFETY: it is initialised, and dropped once.
        unsafe { block.drop_in_place() };
    }
}

impl<V, H> CellBlock<V, H> {
    /// A block with this number of free cells.
    #[cold]
    pub(crate) fn new(header: H, cells: usize) -> Self {
        assert!(0 < cells && cells <= MOST_CELLS, "a number of cells");
        let layout = Block::<V, H>::layout(cells);
        // SAFETY: the layout is not empty.
        let memory = NonNull::new(unsafe { alloc(layout) }.cast::<Block<V, H>>());
        let block = memory.unwrap_or_else(|| handle_alloc_error(layout));
        let references = AtomicUsize::new(1);
        // SAFETY: the memory has this layout and is ours.
        unsafe { block.write(Block { references, cells, header, _values: PhantomData }) };
        for offset in 0..cells {
            // SAFETY: as above. The number fits, because there are at most 64.
            unsafe { Block::cell(block, offset).write(Cell::new(offset as u8)) };
        }
        Self { block, cells, _owned: PhantomData }
    }

    /// The number of cells.
    #[inline]
    pub(crate) fn cells(&self) -> usize {
        self.cells
    }

    /// A cell.
    ///
    /// # Panics
    ///
    /// Panics if there is none.
    #[inline]
    pub(crate) fn cell(&self, offset: usize) -> &Cell<V> {
        assert!(offset < self.cells, "a cell of the block");
        // SAFETY: we own a reference, and the block has the cell.
        unsafe { Block::cell(self.block, offset).as_ref() }
    }

    /// Starts a task in a free cell; `None` if it is not free.
    #[inline]
    pub(crate) fn start(&mut self, offset: usize) -> Option<TaskRef<V, H>> {
        let cell = self.cell(offset);
        if cell.state.load(Ordering::Acquire) != FREE {
            return None;
        }
        // Only the loop makes a free cell active, and we have it alone.
        cell.state.store(ACTIVE, Ordering::Relaxed);
        cell.signals.store(0, Ordering::Relaxed);
        cell.was_polled.store(false, Ordering::Relaxed);
        // SAFETY: we own a reference.
        let references = &unsafe { self.block.as_ref() }.references;
        let count = references.fetch_add(1, Ordering::Relaxed);
        // Only forgotten tasks can come to half of all numbers. An overflow would free what is in use.
        assert!(count < usize::MAX / 2, "too many tasks were forgotten");
        // SAFETY: the block has the cell, and the reference that we have counted is the task's.
        let cell = unsafe { Block::cell(self.block, offset) };
        Some(TaskRef { cell, _owned: PhantomData })
    }
}

impl<V, H> Drop for CellBlock<V, H> {
    fn drop(&mut self) {
        // SAFETY: we own a reference.
        unsafe { Block::release(self.block) };
    }
}

/// A task's reference to its cell, and to the block of the cell.
pub(crate) struct TaskRef<V, H> {
    cell: NonNull<Cell<V>>,
    _owned: PhantomData<(UnsafeCell<V>, H)>,
}

// SAFETY: it shares the value and the header with the loop, and may drop them.
unsafe impl<V: Send, H: Send + Sync> Send for TaskRef<V, H> {}
// SAFETY: as above.
unsafe impl<V: Send, H: Send + Sync> Sync for TaskRef<V, H> {}

impl<V, H> TaskRef<V, H> {
    #[inline]
    fn block(&self) -> NonNull<Block<V, H>> {
        let offset = usize::from(self.offset);
        // SAFETY: the cell is at this position of a block, and its pointer was made from that of the block.
        unsafe { self.cell.sub(offset).byte_sub(Block::<V, H>::CELLS).cast() }
    }

    /// What all cells of the block have in common.
    #[inline]
    pub(crate) fn header(&self) -> &H {
        // SAFETY: we own a reference.
        unsafe { &self.block().as_ref().header }
    }

    /// The position of the cell in its block.
    #[inline]
    pub(crate) fn offset(&self) -> u8 {
        self.offset
    }

    /// Has `waker` woken when the task is asked to stop. Returns `false` if it was asked already.
    #[inline]
    pub(crate) fn register(&mut self, waker: &Waker) -> bool {
        let signals = self.signals.load(Ordering::Acquire);
        if signals & STOP != 0 {
            return false;
        }
        if signals & WAKER != 0 && self.has_waker(waker) {
            return true;
        }
        self.register_other(waker)
    }

    #[inline(never)]
    fn register_other(&mut self, waker: &Waker) -> bool {
        let waker = waker.clone();
        drop(self.take_back_waker());
        if self.requests() != 0 {
            return false;
        }
        self.store_waker(waker);
        let mut signals = self.signals.fetch_or(WAKER, Ordering::AcqRel);
        if is_mutated(Mutation::RegistersWithoutRecheck) {
            signals = 0;
        }
        if signals & STOP == 0 {
            return true;
        }
        self.signals.fetch_and(!WAKER, Ordering::Relaxed);
        // SAFETY: the request came before the waker, so the loop has not taken it.
        drop(unsafe { self.take_waker() });
        false
    }

    /// Completes the task with this value.
    #[inline]
    pub(crate) fn complete(self, value: V) -> CompletedTask<V, H> {
        // SAFETY: the value is ours while the cell is active.
        unsafe { self.with_value(|place| *place = Some(value)) };
        self.end(DONE);
        CompletedTask(ManuallyDrop::new(self))
    }

    /// Ends the task's ownership of the cell.
    #[inline]
    fn end(&self, state: u8) {
        // It may keep the task alive.
        drop(self.take_back_waker());
        let is_early = is_mutated(Mutation::CompletesRelaxed);
        let release = if is_early { Ordering::Relaxed } else { Ordering::Release };
        self.state.store(state, release);
    }
}

impl<V, H> Deref for TaskRef<V, H> {
    type Target = Cell<V>;

    #[inline]
    fn deref(&self) -> &Cell<V> {
        // SAFETY: we own a reference to its block.
        unsafe { self.cell.as_ref() }
    }
}

/// A task that is dropped without a value leaves its cell free.
impl<V, H> Drop for TaskRef<V, H> {
    fn drop(&mut self) {
        self.end(FREE);
        // SAFETY: we own a reference.
        unsafe { Block::release(self.block()) };
    }
}

/// The reference of a task that has completed. Its cell may be another task's already.
pub(crate) struct CompletedTask<V, H>(ManuallyDrop<TaskRef<V, H>>);

impl<V, H> Deref for CompletedTask<V, H> {
    type Target = TaskRef<V, H>;

    #[inline]
    fn deref(&self) -> &TaskRef<V, H> {
        &self.0
    }
}

impl<V, H> Drop for CompletedTask<V, H> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: we own the reference, which `TaskRef` does not release here.
        unsafe { Block::release(self.0.block()) };
    }
}

impl<V, H> fmt::Debug for TaskRef<V, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskRef").field("offset", &self.offset()).finish_non_exhaustive()
    }
}
