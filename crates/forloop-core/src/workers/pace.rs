//! How many bodies a worker takes at a time.

/// How many bodies a worker takes at a time: one, unless workers get in each other's way, which they do
/// where bodies are short. So those that compute for long are shared out one by one.
pub(super) struct Pace {
    /// In sixteenths.
    at_once: usize,
}

impl Pace {
    pub(super) const SLOWEST: Self = Self { at_once: 16 };
    const FASTEST: Self = Self { at_once: 64 * 16 };

    pub(super) fn at_once(&self) -> usize {
        self.at_once / 16
    }

    /// The well was free.
    pub(super) fn has_not_waited(&mut self) {
        self.at_once = (self.at_once - 1).max(Self::SLOWEST.at_once);
    }

    /// Somebody else had the well.
    pub(super) fn has_waited(&mut self) {
        self.at_once = (2 * self.at_once).min(Self::FASTEST.at_once);
    }
}
