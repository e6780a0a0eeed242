//! What every loop does, whatever becomes of the results: pull items, start bodies, poll the
//! woken ones, tell each end once.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::engine::{End, Set};
use crate::panic::catch;
use crate::place::{Launch, Started};
use crate::{Outcome, Panic};

/// Body polls after which the executor gets a turn.
pub(crate) const TURN: usize = 256;

/// Bodies started in a row before the woken ones are looked at again, so that a source that never
/// runs dry and bodies that are ready at once cannot starve a body that waits.
const ROUND: usize = 64;

pin_project! {
    /// A loop on its way: source, body, place and the bodies that run.
    ///
    /// A panic, of a body or of the source, stops the loop and is kept until every body has
    /// stopped; `raise` then goes on with it. So nobody behind this sees one, unless it catches
    /// them.
    pub(crate) struct Drive<S, A, J> {
        // Gone once it has run dry or the loop was stopped; never asked again.
        #[pin]
        source: Option<S>,
        launcher: Option<A>,
        limit: usize,
        catches: bool,
        running: Set<J>,
        started: usize,
        started_this_round: usize,
        polls_this_turn: usize,
        had_its_round: bool,
        stopping: bool,
        panic: Option<Panic>,
    }
}

impl<S, A, J> Drive<S, A, J>
where
    S: Stream,
    A: Launch<S::Item, J>,
    J: Started,
{
    pub(crate) fn new(source: S, launcher: A, limit: usize) -> Self {
        Self {
            source: Some(source),
            launcher: Some(launcher),
            limit,
            catches: false,
            running: Set::new(),
            started: 0,
            started_this_round: 0,
            polls_this_turn: 0,
            had_its_round: false,
            stopping: false,
            panic: None,
        }
    }

    /// Tells a body's panic as its end, instead of stopping the loop for it.
    pub(crate) fn catching(self) -> Self {
        Self { catches: true, ..self }
    }

    /// Whether a panic has stopped the loop.
    pub(crate) fn has_panicked(&self) -> bool {
        self.panic.is_some()
    }

    /// Goes on with the panic that stopped the loop, if one did: for when nothing runs any more.
    pub(crate) fn raise(self: Pin<&mut Self>) {
        if let Some(panic) = self.project().panic.take() {
            panic.resume();
        }
    }

    /// How many bodies may run at once.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many bodies were started so far.
    pub(crate) fn started(&self) -> usize {
        self.started
    }

    /// Goes on until a body ends, and tells its end; `None` once every body has ended and the
    /// source has run dry or the loop was stopped. `held` are ends told that still count against
    /// the limit.
    pub(crate) fn poll_end(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        held: usize,
    ) -> Poll<Option<End<J::Output>>> {
        loop {
            let this = self.as_mut().project();
            if *this.polls_this_turn >= TURN {
                return self.next_turn(cx);
            }
            if let Some(polled) = this.running.poll_next_woken() {
                *this.polls_this_turn += 1;
                if let Some(end) = polled.and_then(|end| self.as_mut().admit(end)) {
                    return Poll::Ready(Some(end));
                }
                continue;
            }
            let has_room = this.running.len().saturating_add(held) < *this.limit;
            if has_room
                && *this.started_this_round < ROUND
                && let Poll::Ready(end) = self.as_mut().poll_start(cx)
            {
                match end {
                    Some(end) => return Poll::Ready(Some(end)),
                    None => continue,
                }
            }
            let this = self.as_mut().project();
            let round_was_full = *this.started_this_round >= ROUND;
            *this.started_this_round = 0;
            if this.running.is_empty() && this.source.is_none() {
                return this.running.poll_orphans(cx).map(|()| None);
            }
            if !*this.had_its_round {
                *this.had_its_round = true;
                if this.running.next_round() {
                    continue;
                }
            }
            if round_was_full {
                continue;
            }
            if this.running.sleep(cx) {
                *this.polls_this_turn = 0;
                *this.had_its_round = false;
                return Poll::Pending;
            }
            return self.next_turn(cx);
        }
    }

    /// Gives the executor a turn. After one round at the latest: so a body that yields has
    /// yielded to the executor, and not only to its siblings.
    fn next_turn(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<End<J::Output>>> {
        let this = self.project();
        *this.polls_this_turn = 0;
        *this.had_its_round = false;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Starts the next body, if the source has an item. `Ready(None)` when something happened but
    /// no body ended, `Pending` when nothing can be started now.
    fn poll_start(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<End<J::Output>>> {
        let mut this = self.as_mut().project();
        let (Some(source), Some(launcher)) = (this.source.as_mut().as_pin_mut(), this.launcher)
        else {
            return Poll::Pending;
        };
        let item = match catch(|| source.poll_next(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Some(item))) => item,
            Ok(Poll::Ready(None)) => {
                self.close();
                return Poll::Ready(None);
            }
            Err(panic) => {
                self.stop_for(panic);
                return Poll::Ready(None);
            }
        };
        let index = *this.started;
        *this.started += 1;
        *this.started_this_round += 1;
        *this.polls_this_turn += 1;
        let end = match catch(|| launcher.launch(item)) {
            Ok(job) => this.running.start(index, job),
            Err(panic) => Some(End { index, at: 0, outcome: Outcome::Panicked(panic) }),
        };
        Poll::Ready(end.and_then(|end| self.admit(end)))
    }

    /// Keeps a panic back to raise it when the loop has stopped; passes on any other end.
    fn admit(self: Pin<&mut Self>, end: End<J::Output>) -> Option<End<J::Output>> {
        match end.outcome {
            Outcome::Panicked(panic) if !self.catches => {
                self.stop_for(panic);
                None
            }
            _ => Some(end),
        }
    }

    fn stop_for(mut self: Pin<&mut Self>, panic: Panic) {
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
    fn close(self: Pin<&mut Self>) {
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

impl<S, A, J> fmt::Debug for Drive<S, A, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive")
            .field("limit", &self.limit)
            .field("started", &self.started)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}
