//! What strategies ask a loop.

use futures_core::Stream;

use super::{Drive, Spawner};
use crate::admission::{AdmissionQueue, MaybeQueue};
use crate::options::{ItemPolicy, OutcomeRule};
use crate::place::BodySet;

impl<S, A, J, Q, C, U> Drive<S, A, J, Q, C, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
{
    /// Whether the loop was stopped by something that [`finish`](Self::finish) will report.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.panic.is_some() || self.phase.interruption().is_some()
    }

    /// Whether [`finish`](Self::finish) was called.
    pub(crate) fn is_finished(&self) -> bool {
        self.phase.is_finished()
    }

    /// An upper bound on the number of completions to come. `None` if there is none, or workers know it.
    pub(crate) fn most_completions(&self) -> Option<usize> {
        if self.is_finished() {
            return Some(0);
        }
        if J::ON_POOL && (self.source.is_none() || self.running.pulled().is_some()) {
            return None;
        }
        let to_pull = match &self.source {
            Some(source) if self.phase.is_running() => source.size_hint().1?,
            _ => 0,
        };
        let waiting = self.admission.queue().map_or(0, AdmissionQueue::waiting);
        to_pull.checked_add(self.running.len())?.checked_add(waiting)
    }

    /// Whether bodies may have completed that were not passed on.
    pub(crate) fn has_completions(&self) -> bool {
        self.running.is_round_in_progress()
    }

    /// How many bodies were started so far.
    pub(crate) fn started(&self) -> usize {
        self.running.pulled().map_or(self.started, |(pulled, _)| pulled)
    }
}
