//! A count that a loop keeps in a register.

/// A count that is kept in a register, mostly, and noted when this is dropped.
pub(crate) struct Counter<'a> {
    pub(crate) count: usize,
    pub(crate) noted: &'a mut usize,
}

impl Drop for Counter<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.noted = self.count;
    }
}
