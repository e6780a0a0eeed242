//! A vector that is filled in any order: the outputs of a loop, each at the index of its item.
//!
//! Outputs mostly arrive in order. Then `values` is an ordinary vector without a gap, `next` is where the
//! next output goes, and storing it is one comparison and one write. The first output that arrives out of
//! order opens a gap: `prefix` is the number of outputs before the gap, and `filled` has a bit for each
//! output behind it. When the gap closes the buffer is dense again. So a slot is initialised if it is in
//! the prefix or if its bit is set. Only such slots are read or dropped.

#![allow(unsafe_code, reason = "a vector that is filled in any order")]

use alloc::vec::Vec;
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit, needs_drop, take};

use super::bit_set::{bit_of, word_of};
use crate::outcome::catch;

/// The number of bytes that are allocated at the first output if the size hint is large enough. Few, because
/// a hint may be wrong, and a loop may stop early.
const FIRST_ALLOCATION: usize = 64 << 10;

/// A vector that is filled in any order.
pub(crate) struct OrderedBuffer<T> {
    /// The outputs. Its length is up to date only while there is a gap, or after `set_dense_len`.
    values: Vec<MaybeUninit<T>>,
    /// Where the next output goes if there is no gap.
    next: Next,
    /// The number of outputs behind the first gap. Zero if there is no gap.
    behind: usize,
    /// The number of outputs before the gap, if there is one.
    prefix: usize,
    /// A bit for each slot behind the gap: set if the slot has an output.
    filled: Vec<usize>,
    /// The expected number of outputs.
    expected: usize,
}

/// The index behind all outputs, or none while there is a gap: an `Option<usize>` in one word. No vector
/// has the length `usize::MAX`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Next(usize);

impl Next {
    const BEHIND_A_GAP: Self = Self(usize::MAX);

    #[inline]
    fn is(self, index: usize) -> bool {
        self.0 == index
    }
}

impl<T> OrderedBuffer<T> {
    pub(crate) const fn new() -> Self {
        Self {
            values: Vec::new(),
            next: Next(0),
            behind: 0,
            prefix: 0,
            filled: Vec::new(),
            expected: 0,
        }
    }

    /// Sets the expected number of outputs. It is a hint and may be wrong.
    pub(crate) fn expect(&mut self, outputs: usize) {
        self.expected = outputs;
    }

    /// Stores the output of an index.
    ///
    /// # Panics
    ///
    /// If the index has an output already.
    #[inline]
    pub(crate) fn put(&mut self, index: usize, value: T) {
        if !self.next.is(index) || index >= self.values.capacity() {
            return self.put_out_of_order(index, value);
        }
        // SAFETY: `index` is less than the capacity.
        unsafe { self.values.as_mut_ptr().add(index).write(MaybeUninit::new(value)) };
        self.next = Next(index + 1);
    }

    fn put_out_of_order(&mut self, index: usize, value: T) {
        if self.next.is(index) {
            // SAFETY: there is no gap, so the first `index` values are initialised.
            unsafe { self.values.set_len(index) };
            self.reserve(index + 1);
            return self.put(index, value);
        }
        if self.behind == 0 {
            self.open_gap(index);
        }
        if index >= self.values.len() {
            self.extend_to(index);
        }
        if index == self.prefix {
            self.values[index] = MaybeUninit::new(value);
            self.prefix += 1;
            return self.absorb();
        }
        let (word, bit) = (&mut self.filled[word_of(index)], bit_of(index));
        assert!(index > self.prefix && *word & bit == 0, "each body has one output");
        self.values[index] = MaybeUninit::new(value);
        *word |= bit;
        self.behind += 1;
    }

    /// Notes that the output of `index` comes before others. There is a gap once it is stored.
    #[cold]
    fn open_gap(&mut self, index: usize) {
        assert!(!self.is_filled(index), "each body has one output");
        self.set_dense_len();
        self.extend_to(index);
        // Nothing can panic from here until the output is stored.
        self.prefix = self.next.0;
        self.next = Next::BEHIND_A_GAP;
    }

    /// Makes slots for this index and for some behind it.
    #[cold]
    fn extend_to(&mut self, index: usize) {
        self.reserve(index + 1);
        let len = self.values.capacity().min(index.saturating_mul(2) + 1);
        self.filled.resize((word_of(len) + 1).max(self.filled.len()), 0);
        if len > self.values.len() {
            // SAFETY: the capacity suffices, and the values need not be initialised: no bit is set for them.
            unsafe { self.values.set_len(len) };
        }
    }

    /// Moves the end of the prefix behind the outputs that follow it.
    #[inline]
    fn absorb(&mut self) {
        loop {
            let word = &mut self.filled[word_of(self.prefix)];
            let at = self.prefix % usize::BITS as usize;
            let run = (*word >> at).trailing_ones() as usize;
            if run == 0 {
                return;
            }
            *word &= !(usize::MAX >> (usize::BITS as usize - run) << at);
            self.prefix += run;
            self.behind -= run;
            if self.behind == 0 {
                self.next = Next(self.prefix);
                return;
            }
        }
    }

    /// Sets the length of the vector, if there is no gap.
    fn set_dense_len(&mut self) {
        if self.behind == 0 {
            // SAFETY: there is no gap, so the first `next` values are initialised.
            unsafe { self.values.set_len(self.next.0) };
        }
    }

    #[inline]
    fn is_filled(&self, index: usize) -> bool {
        if self.behind == 0 {
            return index < self.next.0;
        }
        let word = self.filled.get(word_of(index));
        index < self.prefix || word.is_some_and(|word| word & bit_of(index) != 0)
    }

    /// Reserves memory for `needed` outputs, and for all expected ones unless the size hint is much larger
    /// than the buffer.
    #[cold]
    fn reserve(&mut self, needed: usize) {
        let (len, capacity) = (self.values.len(), self.values.capacity());
        if needed <= capacity {
            return;
        }
        let proportion = (FIRST_ALLOCATION / size_of::<T>().max(1)).max(capacity.saturating_mul(4));
        match self.expected.min(proportion) {
            wanted if wanted >= needed && capacity == 0 => {
                self.values = Vec::with_capacity(wanted);
            }
            wanted if wanted >= needed => self.values.reserve_exact(wanted - len),
            _ => self.values.reserve(needed - len),
        }
    }

    /// Returns the outputs as a vector.
    ///
    /// # Panics
    ///
    /// If there is a gap.
    pub(crate) fn into_vec(mut self) -> Vec<T> {
        assert!(self.behind == 0, "every body that was started has an output");
        self.set_dense_len();
        let mut values = ManuallyDrop::new(take(&mut self.values));
        self.forget_all();
        let (len, capacity) = (values.len(), values.capacity());
        // SAFETY: they are the parts of a vector whose values are all initialised, and it is not used again.
        unsafe { Vec::from_raw_parts(values.as_mut_ptr().cast(), len, capacity) }
    }

    /// Forgets the outputs, which were moved out.
    fn forget_all(&mut self) {
        self.values.clear();
        (self.next, self.behind) = (Next(0), 0);
    }

    /// Returns the output of each of the first `len` indices, if there is one.
    pub(crate) fn into_options(mut self, len: usize) -> Vec<Option<T>> {
        let mut options = Vec::with_capacity(len);
        self.set_dense_len();
        for index in 0..self.values.len().min(len) {
            // SAFETY: called if the value is initialised, and once: all are forgotten below.
            let read = |value: &MaybeUninit<T>| unsafe { value.assume_init_read() };
            options.push(self.is_filled(index).then(|| read(&self.values[index])));
        }
        self.forget_all();
        options.resize_with(len, || None);
        options
    }
}

impl<T> Drop for OrderedBuffer<T> {
    fn drop(&mut self) {
        if !needs_drop::<T>() {
            return;
        }
        self.set_dense_len();
        // One by one: a destructor that panics does not prevent the others from running.
        let mut first = None;
        for index in 0..self.values.len() {
            if self.is_filled(index) {
                let value = &mut self.values[index];
                // SAFETY: it is initialised, and dropped once.
                if let Err(panic) = catch(|| unsafe { value.assume_init_drop() }) {
                    first.get_or_insert(panic);
                }
            }
        }
        if let Some(panic) = first {
            panic.resume_unless_panicking();
        }
    }
}

impl<T> fmt::Debug for OrderedBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderedBuffer")
            .field("capacity", &self.values.capacity())
            .field("has_gap", &(self.behind > 0))
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use alloc::rc::Rc;
    use alloc::vec;

    use super::*;

    /// A permutation of the first `n` numbers without long runs.
    fn scattered(n: usize) -> impl Iterator<Item = usize> {
        (0..n).map(move |at| (at * 7919 + 13) % n)
    }

    #[test]
    fn outputs_stored_in_any_order_come_out_in_index_order() {
        for n in [0, 1, 2, 63, 64, 65, 128, 1000] {
            for expected in [0, 1, n, 2 * n, usize::MAX] {
                let mut buffer = OrderedBuffer::new();
                buffer.expect(expected);
                scattered(n).for_each(|index| buffer.put(index, index));
                assert_eq!(buffer.into_vec(), (0..n).collect::<Vec<_>>());
            }
        }
    }

    /// Runs of numbers, each of this length, of which every second one comes before the one that precedes it.
    fn swapped_runs(n: usize, length: usize) -> impl Iterator<Item = usize> {
        let at = move |run: usize| (run * length).min(n)..((run + 1) * length).min(n);
        (0..n.div_ceil(2 * length)).flat_map(move |pair| at(2 * pair + 1).chain(at(2 * pair)))
    }

    #[test]
    fn outputs_stored_in_runs_come_out_in_index_order() {
        for (n, length) in [(10, 1), (128, 64), (200, 7), (1000, 256), (1024, 63), (5000, 1024)] {
            let mut buffer = OrderedBuffer::new();
            swapped_runs(n, length).for_each(|index| buffer.put(index, index));
            assert_eq!(buffer.into_vec(), (0..n).collect::<Vec<_>>());
            let mut buffer = OrderedBuffer::new();
            swapped_runs(n, length).for_each(|index| buffer.put(index, ()));
            assert_eq!(buffer.into_vec().len(), n);
        }
    }

    #[test]
    #[should_panic(expected = "each body has one output")]
    fn an_index_before_a_gap_has_one_output() {
        let mut buffer = OrderedBuffer::new();
        [0, 1, 5, 0].into_iter().for_each(|index| buffer.put(index, ()));
    }

    #[test]
    fn missing_outputs_are_none() {
        let mut buffer = OrderedBuffer::new();
        [0, 1, 4].into_iter().for_each(|index| buffer.put(index, index));
        assert_eq!(buffer.into_options(6), [Some(0), Some(1), None, None, Some(4), None]);
    }

    #[test]
    fn every_output_is_dropped_once() {
        for indices in [vec![], vec![0], vec![5], vec![0, 1, 200, 3]] {
            let value = Rc::new(());
            let fill = || {
                let mut buffer = OrderedBuffer::new();
                indices.iter().for_each(|&index| buffer.put(index, value.clone()));
                buffer
            };
            drop(fill());
            assert_eq!(Rc::strong_count(&value), 1);
            let options = fill().into_options(201);
            assert_eq!(Rc::strong_count(&value), 1 + indices.len());
            drop(options);
            assert_eq!(Rc::strong_count(&value), 1);
        }
    }

    #[test]
    #[should_panic(expected = "each body has one output")]
    fn an_index_has_one_output() {
        let mut buffer = OrderedBuffer::new();
        buffer.put(3, ());
        buffer.put(3, ());
    }

    #[test]
    #[should_panic(expected = "has an output")]
    fn a_buffer_with_a_gap_does_not_become_a_vector() {
        let mut buffer = OrderedBuffer::new();
        buffer.put(1, ());
        buffer.into_vec();
    }
}
