//! Starting bodies, as long as there are items and room.

use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::stopping::Disposition;
use super::{Drive, ROUND, Spawner, deliver};
use crate::body::Attempt;
use crate::budget::BUDGET;
use crate::engine::{Completion, JobHandle};
use crate::options::{ItemPolicy, OutcomePolicy};
use crate::outcome::catch;
use crate::simulation::beginning;
use crate::{Cause, Outcome, Panic};

/// Why no more bodies are started for now.
pub(super) enum StartEnd<B, T> {
    /// The source has no item yet, or an option holds back those that there are.
    NoItem,
    /// The source is exhausted.
    Exhausted,
    /// As many bodies run as may.
    Full,
    /// As many were started in a row as may be.
    Quota,
    /// The receiver of the completions wants no more for now.
    Break(B),
    /// A body has completed in a way that the driver must look at.
    Completed(Completion<T>),
    /// The source gave an error.
    SourceFailed,
    /// The source, an option or the closure of the body panicked.
    Panicked(Panic),
}

/// A count that is kept in a register, mostly, and stored when this is dropped.
struct Counter<'a> {
    count: usize,
    stored: &'a mut usize,
}

impl Drop for Counter<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.stored = self.count;
    }
}

impl<S, A, J, C> Drive<S, A, J, C>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: JobHandle,
    C: ItemPolicy<S::Item> + OutcomePolicy<J::Output>,
{
    /// Starts bodies, and passes on the completions of those that are ready at once. `Pending` if nothing
    /// can be started now; `Continue` if it is time to look at what runs.
    #[inline(always)] // in one place
    pub(super) fn poll_starts<B>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> Poll<ControlFlow<B>> {
        let first = self.started;
        let most = (ROUND - self.started_this_round).min(BUDGET - self.polls_this_turn);
        // Signals are polled before each body that is started.
        let quota = if C::HAS_SIGNALS { 1 } else { most };
        let result = if C::HAS_RULES {
            self.as_mut().admit_one(cx, held)
        } else {
            self.as_mut().start_some(cx, held, quota, on_complete)
        };
        let this = self.as_mut().project();
        let started = *this.started - first;
        *this.started_this_round += started;
        *this.polls_this_turn += started;
        match result {
            StartEnd::Break(enough) => return Poll::Ready(ControlFlow::Break(enough)),
            StartEnd::NoItem if started == 0 => return Poll::Pending,
            StartEnd::NoItem | StartEnd::Full | StartEnd::Quota => {}
            // Queued items still need the body's closure.
            StartEnd::Exhausted if C::HAS_RULES => self.close_source(),
            StartEnd::Exhausted => self.close(),
            StartEnd::SourceFailed => {
                let index = self.started;
                self.cut_short(Cause::Source { index, error: () }, None);
            }
            StartEnd::Panicked(panic) => self.stop_for(panic),
            StartEnd::Completed(end) => {
                if let Disposition::Deliver(end) = self.dispose(end) {
                    return Poll::Ready(deliver(end, on_complete));
                }
            }
        }
        Poll::Ready(ControlFlow::Continue(()))
    }

    /// Starts up to `quota` bodies of a loop without rules: each item begins as soon as it was pulled.
    #[inline]
    fn start_some<B>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
        quota: usize,
        on_complete: &mut impl FnMut(Option<Completion<J::Output>>) -> ControlFlow<B>,
    ) -> StartEnd<B, J::Output> {
        let mut this = self.project();
        let (Some(mut source), Some(launcher), Some(policy)) =
            (this.source.as_mut().as_pin_mut(), this.launcher, this.policy)
        else {
            return StartEnd::NoItem;
        };
        let mut started = Counter { count: *this.started, stored: this.started };
        let last = started.count + quota;
        let (origin, caller) = (*this.origin, cx.waker());
        loop {
            let next = || {
                if started.count == last {
                    return ControlFlow::Break(StartEnd::Quota);
                }
                let given = match catch(|| source.as_mut().poll_next(cx)) {
                    Ok(Poll::Ready(Some(given))) => given,
                    Ok(Poll::Ready(None)) => return ControlFlow::Break(StartEnd::Exhausted),
                    Ok(Poll::Pending) => return ControlFlow::Break(StartEnd::NoItem),
                    Err(panic) => return ControlFlow::Break(StartEnd::Panicked(panic)),
                };
                let Some(item) = policy.admit(given) else {
                    return ControlFlow::Break(StartEnd::SourceFailed);
                };
                let index = started.count;
                started.count += 1;
                match catch(|| {
                    beginning(origin, index, || launcher.launch(Attempt::first(index), item))
                }) {
                    Ok(job) => ControlFlow::Continue((index, job)),
                    Err(panic) => {
                        let outcome = Outcome::Panicked(panic);
                        let end = Completion { index, seq: J::next_sequence(), outcome };
                        ControlFlow::Break(StartEnd::Completed(end))
                    }
                }
            };
            let room = this.limit.saturating_sub(this.running.len().saturating_add(held));
            // Options that time bodies are notified of each start.
            let most = if C::HAS_SIGNALS { 1 } else { room };
            let last_started = this.running.start(caller, most, next, |end| match end.outcome {
                Outcome::Ok(_) => deliver(end, on_complete).map_break(StartEnd::Break),
                _ => ControlFlow::Break(StartEnd::Completed(end)),
            });
            let key = match last_started {
                ControlFlow::Continue(key) => key,
                ControlFlow::Break(result) => return result,
            };
            let running = &*this.running;
            if let Err(panic) = catch(|| policy.begun(key, |body| running.runs(body))) {
                return StartEnd::Panicked(panic);
            }
            if room == most {
                return StartEnd::Full;
            }
        }
    }
}
