//! How many bodies a worker takes at a time.

/// How many bodies a worker takes at a time: one, unless workers get in each other's way, which they do
/// where bodies are short. So those that compute for long are shared out one by one.
pub(super) struct BatchSize {
    /// In sixteenths.
    get: usize,
}

impl BatchSize {
    pub(super) const SLOWEST: Self = Self { get: 16 };
    const FASTEST: Self = Self { get: 64 * 16 };

    pub(super) fn get(&self) -> usize {
        self.get / 16
    }

    /// The well was free.
    pub(super) fn shrink(&mut self) {
        self.get = (self.get - 1).max(Self::SLOWEST.get);
    }

    /// Somebody else had the well.
    pub(super) fn grow(&mut self) {
        self.get = (2 * self.get).min(Self::FASTEST.get);
    }
}
