//! A loop whose workers share a driver that decides everything: see [`super::shared`].

use alloc::sync::Arc;
use core::ops::ControlFlow;
use core::pin::Pin;

use futures_core::Stream;

use super::phase::Phase;
use super::{Drive, Spawner, deliver};
use crate::Outcome;
use crate::admission::MaybeQueue;
use crate::budget::budget;
use crate::engine::Completion;
use crate::options::{ItemPolicy, OutcomeRule};
use crate::outcome::Interruption;
use crate::place::BodySet;
use crate::single::Single;

impl<S, A, J, Q, C, U> Drive<S, A, J, Q, C, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
{
    /// Leaves all decisions to a driver that workers share, which puts its interruption there.
    pub(super) fn delegated(mut self, interruption: Option<Arc<Single<Interruption<U>>>>) -> Self {
        if let Some(interruption) = interruption {
            self.phase = Phase::Delegated(interruption);
        }
        self
    }

    /// As [`poll_round`](Self::poll_round), where a driver that workers share has handled what a body has returned.
    pub(super) fn deliver_round<B>(
        mut self: Pin<&mut Self>,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let this = self.as_mut().project();
        let pass_on = |completion: Completion<_>| match completion.outcome {
            Outcome::Cancelled | Outcome::NotRun => ControlFlow::Break(Err(completion)),
            _ => on_complete(Some(completion)).map_break(Ok),
        };
        match this.running.poll_round(this.polls_this_turn, budget(), pass_on) {
            ControlFlow::Continue(()) => self.check_source(),
            ControlFlow::Break(Ok(value)) => return ControlFlow::Break(value),
            ControlFlow::Break(Err(completion)) => {
                if let Some(completion) = self.handle_completion(completion) {
                    return deliver(completion, on_complete);
                }
            }
        }
        on_complete(None)
    }
}
