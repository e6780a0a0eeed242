//! How a loop stops: what cuts it short, and what it does then.

use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::{Drive, LastRound};
use crate::engine::End;
use crate::interrupted::Cut;
use crate::panic::catch;
use crate::place::{Launch, Started};
use crate::policy::Admit;
use crate::workers::SOURCE;
use crate::{Cause, Outcome, Panic};

impl<S, A, J, C> Drive<S, A, J, C>
where
    S: Stream,
    A: Launch<C::Item, J>,
    J: Started,
    C: Admit<S::Item>,
{
    /// Stops the loop if something wants it to be cut short. Once its work is done, nothing can.
    /// `again` if a glance will do.
    pub(super) fn look_out(mut self: Pin<&mut Self>, cx: &mut Context<'_>, again: bool) {
        let this = self.as_mut().project();
        let is_done = this.source.is_none() && this.running.is_empty();
        let is_stopping = *this.stopping || *this.last_round != LastRound::No;
        let Some(policy) = this.policy.as_mut().filter(|_| !is_done && !is_stopping) else {
            return;
        };
        match catch(|| policy.poll_interrupt(cx, again)) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(Cause::TimedOut)) => {
                *this.last_round = LastRound::Due;
                self.polled_anew();
            }
            Ok(Poll::Ready(_)) => self.cut_short(Cause::Cancelled, None),
            Err(panic) => self.stop_for(panic),
        }
    }

    /// Asks the bodies that have no time left to stop; tells the end of the first that has stopped.
    pub(super) fn expire(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<End<J::Output>> {
        while !self.stopping {
            let this = self.as_mut().project();
            let (policy, running) = (this.policy.as_mut()?, &*this.running);
            let body = match catch(|| policy.poll_overdue(cx, |body| running.runs(body))) {
                Ok(Poll::Ready(body)) => body,
                Ok(Poll::Pending) => return None,
                Err(panic) => {
                    self.stop_for(panic);
                    return None;
                }
            };
            *this.polls_this_turn += 1;
            if let Some(end) = this.running.expire(cx.waker(), body)
                && let Some(end) = self.as_mut().sift(end)
            {
                return Some(end);
            }
        }
        None
    }

    /// Passes on an end; keeps back a panic, to raise it when the loop has stopped. A body that
    /// nobody has stopped and that yet came to no end was dropped by its runtime.
    pub(super) fn sift(mut self: Pin<&mut Self>, end: End<J::Output>) -> Option<End<J::Output>> {
        let this = self.as_mut().project();
        match end.outcome {
            Outcome::Panicked(panic) if !C::CATCHES || end.index == SOURCE => {
                self.stop_for(panic);
                return None;
            }
            // A worker was dropped by its runtime while it had no body.
            _ if end.index == SOURCE => {
                self.cut_short(Cause::Cancelled, None);
                return None;
            }
            Outcome::Cancelled | Outcome::NotRun if *this.stopping => {
                // Those that workers had drawn are not known before.
                if this.running.drawn().is_some() {
                    this.cut.iter_mut().for_each(|cut| cut.one_more(end.index));
                }
            }
            Outcome::Cancelled | Outcome::NotRun => {
                self.cut_short(Cause::Cancelled, Some(end.index));
            }
            _ => this.cut.iter_mut().for_each(|cut| cut.ended(end.index)),
        }
        Some(end)
    }

    /// Stops the loop before its end. `lost` is a body that does not run any more.
    pub(super) fn cut_short(mut self: Pin<&mut Self>, cause: Cause<()>, lost: Option<usize>) {
        let this = self.as_mut().project();
        // A source that says it is at its end need not be asked once more.
        let is_dry = |source: Pin<&mut S>| catch(|| source.size_hint().1 == Some(0));
        let has_failed = matches!(cause, Cause::Source { .. });
        let all_begun = !has_failed
            && match this.running.drawn() {
                Some((_, none_is_left)) => none_is_left,
                None => {
                    this.source.as_pin_mut().is_none_or(|source| is_dry(source).unwrap_or(false))
                }
            };
        let mut cut = Cut::new(cause, this.running.indices(), all_begun);
        lost.into_iter().for_each(|index| cut.one_more(index));
        this.cut.get_or_insert(cut);
        self.stop();
    }

    pub(crate) fn stop_for(mut self: Pin<&mut Self>, panic: Panic) {
        // The first is the one to show: the others came of the stop, or at the same time.
        self.as_mut().project().panic.get_or_insert(panic);
        self.stop();
    }

    /// Starts no more bodies and asks those that run to stop; their ends are still told.
    pub(crate) fn stop(mut self: Pin<&mut Self>) {
        if self.stopping {
            return;
        }
        *self.as_mut().project().stopping = true;
        self.as_mut().close();
        let this = self.project();
        let panic = this.panic;
        this.running.cancel(|caught| {
            panic.get_or_insert(caught);
        });
    }

    /// Lets go of the source and the launcher: no item is pulled and no body is called any more.
    pub(super) fn close(self: Pin<&mut Self>) {
        let mut this = self.project();
        let closed = catch(|| {
            this.source.set(None);
            *this.launcher = None;
        });
        if let Err(panic) = closed {
            this.panic.get_or_insert(panic);
        }
    }
}
