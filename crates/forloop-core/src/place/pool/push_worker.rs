//! The intake of a worker to which the dispatcher pushes bodies.

use alloc::sync::Arc;
use alloc::vec::{self, Vec};
use core::cell::RefCell;
use core::ops::ControlFlow;
use core::task::Waker;

use super::completion_queue::{CompletionQueue, SourceFailure};
use super::delivery::DeliveryRule;
use super::inbox::{BodyId, Command, Inbox, PushBatch};
use super::worker::{Intake, Intaken, Worker, WorkerBodies, drop_next, report};
use crate::Outcome;
use crate::body::Body;
use crate::engine::{FutureSet, Key};
use crate::place::inline::InlineJob;

/// Takes commands from an [`Inbox`].
pub(super) struct PushIntake<B> {
    inbox: Arc<Inbox<B>>,
    /// The slot of each body in the worker's set, by the body's id.
    slots: Vec<usize>,
}

/// A worker to which the dispatcher pushes bodies.
pub(super) type PushWorker<B, T> = Worker<B, T, PushIntake<B>>;

impl<B: Body<Returns = T>, T> PushWorker<B, T> {
    pub(super) fn for_inbox(inbox: Arc<Inbox<B>>, completions: Arc<CompletionQueue<T>>) -> Self {
        let intake = PushIntake { inbox, slots: Vec::new() };
        Self::new(intake, FutureSet::new(), completions, DeliveryRule::PROMPT)
    }
}

impl<B: Body<Returns = T>, T> PushIntake<B> {
    /// Starts the bodies of a batch. If the loop is cancelled meanwhile, drops the others.
    fn run(&mut self, mut batch: PushBatch<B>, bodies: &mut WorkerBodies<B, T>) {
        let WorkerBodies { set, buffer, delivery, completions, .. } = bodies;
        buffer.add_pushed(batch.len());
        let rest = RefCell::new(batch.drain(..));
        loop {
            let next = || match rest.borrow().as_slice() {
                [(id, _), ..] if !completions.is_cancelled() => ControlFlow::Continue((id.0, ())),
                _ => ControlFlow::Break(()),
            };
            let make = |_id, ()| match rest.borrow_mut().next() {
                Some((_, body)) => InlineJob::new(body),
                None => unreachable!("`next` has seen it"),
            };
            // One at a time, for the slot of each. Bodies that are ready at once have none.
            let started =
                set.start(None, 1, next, make, |completion| report(buffer, *delivery, completion));
            match started {
                ControlFlow::Continue(Key { slot, index: id }) => {
                    if self.slots.len() <= id {
                        self.slots.resize(id + 1, 0);
                    }
                    self.slots[id] = slot;
                }
                ControlFlow::Break(()) => break,
            }
        }
        drop_each(&mut rest.into_inner(), |id, outcome| buffer.push_prompt(id, outcome));
        self.inbox.recycle(batch);
    }

    /// Stops a body that has timed out, unless it has completed.
    fn expire(&mut self, BodyId(id): BodyId, bodies: &mut WorkerBodies<B, T>) {
        let Some(&slot) = self.slots.get(id) else { return };
        let key = Key { slot, index: id };
        if bodies.set.runs(key)
            && let Some(completion) = bodies.set.expire(None, key)
        {
            // Push dispatch has no terminal completions: the loop itself decides when to stop.
            let _: ControlFlow<()> = report(&mut bodies.buffer, bodies.delivery, completion);
        }
    }
}

/// Drops bodies that were never polled, and passes on their ids and outcomes.
pub(super) fn drop_each<J, T>(
    bodies: &mut vec::Drain<'_, (BodyId, J)>,
    mut dropped: impl FnMut(usize, Outcome<T>),
) {
    while let Some(&(BodyId(id), _)) = bodies.as_slice().first() {
        dropped(id, drop_next(bodies));
    }
}

impl<B: Body<Returns = T>, T> Intake<B, T> for PushIntake<B> {
    const PULLS: bool = false;

    fn register(&self, waker: &Waker) {
        self.inbox.worker.register(waker);
    }

    fn start_bodies(
        &mut self,
        bodies: &mut WorkerBodies<B, T>,
        budget: usize,
        _before_sleep: bool,
    ) -> Intaken {
        let mut polls = 0;
        while polls < budget {
            match self.inbox.receive() {
                None => break,
                Some(Command::Run(batch)) => {
                    polls += batch.len();
                    self.run(batch, bodies);
                }
                Some(Command::Expire(body)) => {
                    polls += 1;
                    self.expire(body, bodies);
                }
            }
        }
        Intaken { polls, may_have_more: false }
    }

    // The dispatcher has the source.
    fn close(&mut self, _bodies: &mut WorkerBodies<B, T>) {}

    // The dispatcher may push more bodies until it cancels or drops the worker.
    fn is_exhausted(&self) -> bool {
        false
    }

    fn drop_unstarted(&mut self, mut dropped: impl FnMut(usize, Outcome<T>)) {
        self.inbox.close();
        while let Some(command) = self.inbox.receive() {
            match command {
                Command::Run(mut batch) => drop_each(&mut batch.drain(..), &mut dropped),
                Command::Expire(_) => {}
            }
        }
    }

    // The dispatcher learns it when it sends the next command.
    fn failure_if_dropped(&self) -> Option<SourceFailure> {
        None
    }

    fn finish(&mut self) {}
}
