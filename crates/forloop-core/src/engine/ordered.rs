//! Results at their indices: written once, in any order, to where they are wanted.

#![allow(unsafe_code, reason = "the engine's own: a vector that is filled in any order")]

use alloc::vec::Vec;
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit, needs_drop, take};

use crate::outcome::catch;

/// Bytes that are set aside at the first result, if the source says that there will be so many.
const SET_ASIDE: usize = 1 << 20;

/// A vector that is filled in any order.
pub(crate) struct OrderedBuffer<T> {
    /// Where they are. While there is no gap, it is not told how many.
    values: Vec<MaybeUninit<T>>,
    /// Where the next one goes: behind all others. `NOWHERE` if there is a gap.
    next: usize,
    /// How many are filled behind the first gap. If there are none, all are filled.
    held: usize,
    /// If there are: so many are filled before the gap.
    run: usize,
    /// Which are filled behind the gap: a bit each.
    behind: Vec<usize>,
    /// How many there will be, as far as is known.
    expected: usize,
}

/// No index.
const NOWHERE: usize = usize::MAX;

impl<T> OrderedBuffer<T> {
    pub(crate) const fn new() -> Self {
        Self { values: Vec::new(), next: 0, held: 0, run: 0, behind: Vec::new(), expected: 0 }
    }

    /// Says how many results there will be: a guess, which may be wrong.
    pub(crate) fn expect(&mut self, results: usize) {
        self.expected = results;
    }

    /// Puts a value at its index.
    ///
    /// # Panics
    ///
    /// If there is one already.
    #[inline]
    pub(crate) fn put(&mut self, index: usize, value: T) {
        if index != self.next || index >= self.values.capacity() {
            return self.put_out_of_turn(index, value);
        }
        // SAFETY: there is room for it.
        unsafe { self.values.as_mut_ptr().add(index).write(MaybeUninit::new(value)) };
        self.next = index + 1;
    }

    fn put_out_of_turn(&mut self, index: usize, value: T) {
        if index == self.next {
            // SAFETY: there is room for so many, and they are filled, because there is no gap.
            unsafe { self.values.set_len(index) };
            self.reserve(index + 1);
            return self.put(index, value);
        }
        assert!(!self.is_filled(index), "each body has one result");
        self.note_len();
        if index >= self.values.len() {
            self.reserve(index + 1);
        }
        if index >= self.values.len() {
            let words = (index + 1).div_ceil(usize::BITS as usize);
            self.behind.resize(words.max(self.behind.len()), 0);
            // SAFETY: there is room, and nothing in it needs to be initialized. Nothing can panic
            // between this and the word that there is a gap.
            unsafe { self.values.set_len(index + 1) };
        }
        if self.held == 0 {
            self.run = self.next;
            self.next = NOWHERE;
        }
        self.values[index] = MaybeUninit::new(value);
        self.behind[word_of(index)] |= bit_of(index);
        self.held += 1;
        while self.held > 0 && self.behind[word_of(self.run)] & bit_of(self.run) != 0 {
            self.behind[word_of(self.run)] &= !bit_of(self.run);
            self.held -= 1;
            self.run += 1;
        }
        if self.held == 0 {
            self.next = self.run;
        }
    }

    /// Tells the vector how many there are.
    fn note_len(&mut self) {
        if self.held == 0 {
            // SAFETY: there is room for so many, and they are filled.
            unsafe { self.values.set_len(self.next) };
        }
    }

    #[inline]
    fn is_filled(&self, index: usize) -> bool {
        if self.held == 0 {
            return index < self.next;
        }
        let word = self.behind.get(word_of(index));
        index < self.run || word.is_some_and(|word| word & bit_of(index) != 0)
    }

    /// Makes room for so many, and for all that are expected, if that is not out of proportion.
    #[cold]
    fn reserve(&mut self, needed: usize) {
        let (len, capacity) = (self.values.len(), self.values.capacity());
        if needed <= capacity {
            return;
        }
        let proportion = (SET_ASIDE / size_of::<T>().max(1)).max(capacity.saturating_mul(4));
        match self.expected.min(proportion) {
            wanted if wanted >= needed && capacity == 0 => {
                self.values = Vec::with_capacity(wanted);
            }
            wanted if wanted >= needed => self.values.reserve_exact(wanted - len),
            _ => self.values.reserve(needed - len),
        }
    }

    /// Returns the values as a vector: no place is free.
    ///
    /// # Panics
    ///
    /// If one is.
    pub(crate) fn into_vec(mut self) -> Vec<T> {
        assert!(self.held == 0, "every body that was started has a result");
        self.note_len();
        let mut values = ManuallyDrop::new(take(&mut self.values));
        self.forget();
        let (len, capacity) = (values.len(), values.capacity());
        // SAFETY: they are a vector's, and all are filled. We do not keep them.
        unsafe { Vec::from_raw_parts(values.as_mut_ptr().cast(), len, capacity) }
    }

    /// Forgets what was moved out.
    fn forget(&mut self) {
        self.values.clear();
        (self.next, self.held) = (0, 0);
    }

    /// Returns what is at each of the first `len` indices.
    pub(crate) fn into_options(mut self, len: usize) -> Vec<Option<T>> {
        let mut options = Vec::with_capacity(len);
        self.note_len();
        for index in 0..self.values.len().min(len) {
            // SAFETY: it is filled, and read once: who drops `self` finds no places.
            let value = |place: &MaybeUninit<T>| unsafe { place.assume_init_read() };
            options.push(self.is_filled(index).then(|| value(&self.values[index])));
        }
        self.forget();
        options.resize_with(len, || None);
        options
    }
}

#[inline]
const fn word_of(index: usize) -> usize {
    index / usize::BITS as usize
}

#[inline]
const fn bit_of(index: usize) -> usize {
    1 << (index % usize::BITS as usize)
}

impl<T> Drop for OrderedBuffer<T> {
    fn drop(&mut self) {
        if !needs_drop::<T>() {
            return;
        }
        self.note_len();
        // One by one: the panic of one destructor keeps no other from running.
        let mut first = None;
        for index in 0..self.values.len() {
            if self.is_filled(index) {
                let place = &mut self.values[index];
                // SAFETY: it is filled, and dropped once.
                if let Err(panic) = catch(|| unsafe { place.assume_init_drop() }) {
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
        f.debug_struct("Places")
            .field("places", &self.values.capacity())
            .field("gaps", &(self.held > 0))
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use alloc::rc::Rc;
    use alloc::vec;

    use super::*;

    /// A permutation of the first `n` numbers that goes all over the place.
    fn scattered(n: usize) -> impl Iterator<Item = usize> {
        (0..n).map(move |at| (at * 7919 + 13) % n)
    }

    #[test]
    fn what_is_put_in_any_order_comes_out_in_order() {
        for n in [0, 1, 2, 63, 64, 65, 128, 1000] {
            for expected in [0, 1, n, 2 * n, usize::MAX] {
                let mut bits = OrderedBuffer::new();
                bits.expect(expected);
                scattered(n).for_each(|index| bits.put(index, index));
                assert_eq!(bits.into_vec(), (0..n).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn gaps_are_told() {
        let mut bits = OrderedBuffer::new();
        [0, 1, 4].into_iter().for_each(|index| bits.put(index, index));
        assert_eq!(bits.into_options(6), [Some(0), Some(1), None, None, Some(4), None]);
    }

    #[test]
    fn every_value_is_dropped_once() {
        for indices in [vec![], vec![0], vec![5], vec![0, 1, 200, 3]] {
            let value = Rc::new(());
            let fill = || {
                let mut bits = OrderedBuffer::new();
                indices.iter().for_each(|&index| bits.put(index, value.clone()));
                bits
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
    #[should_panic(expected = "each body has one result")]
    fn a_place_is_filled_once() {
        let mut bits = OrderedBuffer::new();
        bits.put(3, ());
        bits.put(3, ());
    }

    #[test]
    #[should_panic(expected = "has a result")]
    fn a_vector_has_no_gaps() {
        let mut bits = OrderedBuffer::new();
        bits.put(1, ());
        bits.into_vec();
    }
}
