//! The number of bodies that a worker pulls at a time.

/// The number of bodies that a worker pulls at a time, adapted to how often workers contend for the
/// source.
///
/// The size doubles when another worker holds the source and shrinks by a sixteenth of a body when the
/// source is free. Workers contend where bodies are short: there a batch saves most of the contention.
/// Where bodies compute for long, workers seldom meet at the source and pull one body at a time, so
/// no worker keeps bodies that an idle one could run. No clock is read, so in a simulation the same
/// schedule gives the same batches.
pub(super) struct BatchSize {
    sixteenths: usize,
}

impl BatchSize {
    /// One body.
    pub(super) const MIN: Self = Self { sixteenths: 16 };
    const MAX: Self = Self { sixteenths: 64 * 16 };

    pub(super) fn get(&self) -> usize {
        self.sixteenths / 16
    }

    /// The source was free.
    pub(super) fn shrink(&mut self) {
        self.sixteenths = (self.sixteenths - 1).max(Self::MIN.sixteenths);
    }

    /// Another worker held the source.
    pub(super) fn grow(&mut self) {
        self.sixteenths = (2 * self.sixteenths).min(Self::MAX.sixteenths);
    }
}
