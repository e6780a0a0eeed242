//! What one step of the driver did, and how it passes a completion on.

use core::ops::ControlFlow;

use crate::engine::Completion;

/// The result of one [step](super::Drive::step).
pub(super) enum Step<B> {
    /// Something was done, and there may be more to do.
    Progress,
    /// The receiver of the completions wants no more for now.
    Break(B),
    /// The budget is used up: let the executor run other tasks, and then continue.
    OutOfBudget,
    /// Everything has had its part of this turn: let the executor run other tasks, and then begin a round.
    Yield,
    /// There is nothing to do until the task is woken, and it will be.
    Sleep,
    /// The source is exhausted or the loop has stopped, and no body runs.
    Complete,
}

impl<B> From<ControlFlow<B>> for Step<B> {
    #[inline]
    fn from(flow: ControlFlow<B>) -> Self {
        match flow {
            ControlFlow::Continue(()) => Self::Progress,
            ControlFlow::Break(value) => Self::Break(value),
        }
    }
}

/// Passes on a completion that is a batch of its own.
#[inline]
pub(super) fn deliver<T, B>(
    completion: Completion<T>,
    on_complete: &mut impl FnMut(Option<Completion<T>>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    on_complete(Some(completion))?;
    on_complete(None)
}
