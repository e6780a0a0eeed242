//! The front of a loop on workers: who has which body, and which ends have come.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;
use core::mem;
use core::num::NonZeroUsize;
use core::ops::ControlFlow;
use core::task::{Context, Poll, ready};

use super::Errand;
use super::desk::{CHUNK, Chunk, Desk, Ended, Home, Note, Own};
use super::worker::{Weighing, Worker, unpolled};
use crate::engine::End;
use crate::orphans::{Orphans, adopting};
use crate::panic::catch;
use crate::place::{Body, Started};
use crate::policy::Ticket;
use crate::simulation::Origin;
use crate::task::{Task, spawn_from};
use crate::{Outcome, Panic, Spawn};

/// The workers of a loop, for bodies of the kind `J`.
///
/// What they are made of has no part in its type: a loop is `Send` whatever its bodies return.
pub struct Crew<J>(Box<dyn Work<J> + Send + Sync>);

impl<J> Crew<J> {
    pub(super) fn new(work: impl Work<J> + Send + Sync + 'static) -> Self {
        Self(Box::new(work))
    }

    pub(super) fn work(&mut self) -> &mut dyn Work<J> {
        &mut *self.0
    }

    pub(super) fn staff(&self) -> &dyn Work<J> {
        &*self.0
    }
}

impl<J> fmt::Debug for Crew<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").field("running", &self.0.len()).finish_non_exhaustive()
    }
}

/// What a team asks of its crew: the same as of a set, with the same meaning.
pub(super) trait Work<J> {
    /// What workers do that draw their bodies themselves, from where they draw them.
    fn drawing(&mut self) -> Option<&mut dyn Drawing<J>>
    where
        J: Started,
    {
        None
    }

    /// How many bodies were drawn so far, and whether none is left, if the workers draw them.
    fn drawn(&self) -> Option<(usize, bool)> {
        None
    }

    /// How many bodies have not ended, or ended and were not told.
    fn len(&self) -> usize;

    /// Takes the bodies that `next` gives with their indices, until it has no more, and gives the ticket
    /// of the last.
    fn take(&mut self, next: &mut dyn FnMut() -> Option<(usize, J)>) -> Option<Ticket>;

    /// Gives the bodies that were taken to workers.
    fn hand_out(&mut self);

    /// Whether a body has not ended, or was not told.
    fn runs(&self, body: Ticket) -> bool;

    /// The indices of those bodies, in ascending order.
    fn indices(&self) -> Vec<usize>;

    /// Asks a body that has no time left to stop, once it has been polled.
    fn expire(&mut self, body: Ticket);

    /// Tells the ends of this round, the first in time first, until `told` has had enough. Counts them.
    fn tell(
        &mut self,
        polls: &mut usize,
        most: usize,
        told: &mut dyn FnMut(End<J::Output>) -> ControlFlow<()>,
    ) where
        J: Started;

    /// Whether ends of this round were not told yet.
    fn is_amid_round(&self) -> bool;

    /// Begins the next round with the ends that have come by now; `false` if there are none.
    fn next_round(&mut self) -> bool;

    /// Goes to sleep until ends come; `false` if there are some.
    fn sleep(&mut self, cx: &Context<'_>) -> bool;

    /// Asks every body to stop. Gives a panic of what was dropped for it.
    fn cancel(&mut self) -> Option<Panic>;

    /// Polls for the end of what bodies that never went to a worker have left behind, and lets the
    /// workers go.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// What is asked of workers that draw their bodies.
pub(super) trait Drawing<J: Started> {
    /// Begins; gives how many bodies there will be, if the source tells the truth.
    fn begin(&mut self, terms: Terms<J::Output>) -> (usize, Option<usize>);

    /// Hears how many of the ends told still count against the limit.
    fn hold(&mut self, held: usize);
}

/// On which terms workers draw their bodies.
pub(crate) struct Terms<T> {
    /// How many may run at once.
    pub(crate) limit: usize,
    /// Whether ends count against the limit until they are taken.
    pub(crate) are_held: bool,
    /// Whether the closure goes on after it has panicked.
    pub(crate) catches: bool,
    pub(crate) weighing: Weighing<T>,
}

/// The front: see [the module](super).
pub(super) struct Front<B, T, R> {
    runtime: R,
    /// How many workers there may be, once somebody has asked.
    most: Option<NonZeroUsize>,
    home: Arc<Home<T>>,
    workers: Vec<Hired<B>>,
    /// Bodies that no worker has yet.
    waiting: Own<Chunk<B>>,
    waits: usize,
    /// The ends of this round, the next one last.
    ends: Own<Vec<Ended<T>>>,
    untold: usize,
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// Tasks that bodies which never went to a worker have left behind.
    orphans: Vec<Arc<Orphans>>,
}

/// A worker, as the front knows it.
struct Hired<B> {
    desk: Arc<Desk<B>>,
    /// How many bodies it has.
    load: usize,
    /// Its owner: once this is dropped, the worker stops.
    _task: Task<()>,
}

/// What is known of a body.
#[derive(Clone, Copy)]
struct Slot {
    /// `NOBODY` while the slot is free.
    index: usize,
    /// `NOBODY` while no worker has it.
    worker: usize,
    is_overdue: bool,
}

const NOBODY: usize = usize::MAX;

impl<B, T, R> Front<B, T, R>
where
    R: Spawn,
    B: Body<Returns = T> + Send + 'static,
    T: Send + 'static,
{
    pub(super) fn new(runtime: R, most: Option<NonZeroUsize>) -> Self {
        Self {
            runtime,
            most,
            home: Arc::new(Home::new()),
            workers: Vec::new(),
            waiting: Own::new(Vec::new()),
            waits: 0,
            ends: Own::new(Vec::new()),
            untold: 0,
            slots: Vec::new(),
            free: Vec::new(),
            orphans: Vec::new(),
        }
    }

    /// Gives so many waiting bodies to a worker.
    fn give(&mut self, worker: usize, bodies: usize) {
        let mut left = bodies;
        while left > 0 {
            let size = left.min(CHUNK);
            let desk = &self.workers[worker].desk;
            let mut chunk = desk.empty_chunk();
            self.waiting.with(|waiting| {
                let first = waiting.len() - size;
                if first == 0 {
                    mem::swap(&mut chunk, waiting);
                } else {
                    chunk.extend(waiting.drain(first..));
                }
            });
            left -= size;
            self.waits -= size;
            chunk.iter().for_each(|&(slot, _)| self.slots[slot].worker = worker);
            if let Some(Note::Run(chunk)) = desk.tell(Note::Run(chunk)) {
                // The runtime was shut down.
                self.refuse(chunk);
            }
        }
    }

    /// Ends bodies that no worker will run.
    fn refuse(&mut self, bodies: Chunk<B>) {
        let (ends, orphans) = adopting(None, || {
            let ends = bodies.into_iter().map(|(slot, body)| unpolled(slot, body));
            ends.collect::<Vec<_>>()
        });
        self.orphans.extend(orphans);
        self.add(&mut { ends });
    }

    /// Adds ends to those of this round.
    fn add(&mut self, more: &mut Vec<Ended<T>>) {
        self.untold += more.len();
        self.ends.with(|ends| {
            if ends.is_empty() {
                mem::swap(ends, more);
            } else {
                ends.append(more);
            }
        });
    }

    /// Hires one more worker, which begins with nothing to do.
    fn hire(&mut self) {
        let desk = Arc::new(Desk::new());
        let task = spawn_from(
            Origin::unknown(),
            &self.runtime,
            Worker::fed(desk.clone(), self.home.clone()),
        );
        self.workers.push(Hired { desk, load: 0, _task: task });
    }

    /// How many bodies the busiest worker gets at most, if all have about as many.
    fn fair_share(&mut self) -> usize {
        let runtime = &self.runtime;
        let most = self.most.get_or_insert_with(|| runtime.threads()).get();
        let bodies = self.waits + self.workers.iter().map(|worker| worker.load).sum::<usize>();
        bodies.div_ceil(most)
    }
}

impl<B, T, R> Work<Errand<B>> for Front<B, T, R>
where
    Errand<B>: Started<Output = T>,
    R: Spawn,
    B: Body<Returns = T> + Send + 'static,
    T: Send + 'static,
{
    fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    fn take(&mut self, next: &mut dyn FnMut() -> Option<(usize, Errand<B>)>) -> Option<Ticket> {
        let (slots, free) = (&mut self.slots, &mut self.free);
        let mut last = None;
        self.waits = self.waiting.with(|waiting| {
            while let Some((index, errand)) = next() {
                let record = Slot { index, worker: NOBODY, is_overdue: false };
                let slot = match free.pop() {
                    Some(slot) => {
                        slots[slot] = record;
                        slot
                    }
                    None => {
                        slots.push(record);
                        slots.len() - 1
                    }
                };
                waiting.push((slot, errand.body));
                last = Some(Ticket { slot, index, attempt: 1 });
            }
            waiting.len()
        });
        last
    }

    fn hand_out(&mut self) {
        if self.waits == 0 {
            return;
        }
        let share = self.fair_share();
        for worker in 0.. {
            if self.waits == 0 {
                return;
            }
            if worker == self.workers.len() {
                self.hire();
            }
            let bodies = share.saturating_sub(self.workers[worker].load).min(self.waits);
            self.workers[worker].load += bodies;
            self.give(worker, bodies);
        }
    }

    fn runs(&self, body: Ticket) -> bool {
        self.slots.get(body.slot).is_some_and(|slot| slot.index == body.index)
    }

    fn indices(&self) -> Vec<usize> {
        let taken = self.slots.iter().filter(|slot| slot.index != NOBODY);
        let mut indices: Vec<_> = taken.map(|slot| slot.index).collect();
        indices.sort_unstable();
        indices
    }

    fn expire(&mut self, body: Ticket) {
        self.hand_out();
        if !self.runs(body) {
            return;
        }
        let slot = &mut self.slots[body.slot];
        if mem::replace(&mut slot.is_overdue, true) {
            return;
        }
        // If the worker has gone, it has told the end of its bodies.
        if let Some(hired) = self.workers.get(slot.worker) {
            drop(hired.desk.tell(Note::Expire(body.slot)));
        }
    }

    fn tell(
        &mut self,
        polls: &mut usize,
        most: usize,
        told: &mut dyn FnMut(End<T>) -> ControlFlow<()>,
    ) where
        Errand<B>: Started,
    {
        let (slots, free) = (&mut self.slots, &mut self.free);
        let workers = &mut self.workers;
        self.untold = self.ends.with(|ends| {
            while *polls < most {
                let Some(Ended { slot, at, outcome }) = ends.pop() else { break };
                let Slot { index, worker, is_overdue } = slots[slot];
                slots[slot].index = NOBODY;
                free.push(slot);
                if let Some(hired) = workers.get_mut(worker) {
                    hired.load -= 1;
                }
                *polls += 1;
                let outcome = match outcome {
                    Outcome::Cancelled if is_overdue => Outcome::TimedOut,
                    outcome => outcome,
                };
                if told(End { index, at, outcome }).is_break() {
                    break;
                }
            }
            ends.len()
        });
    }

    fn is_amid_round(&self) -> bool {
        self.untold > 0
    }

    fn next_round(&mut self) -> bool {
        self.hand_out();
        // What could not be handed out has ended, too.
        while let Some(mut ends) = self.home.take() {
            self.add(&mut ends.news);
            self.home.recycle(ends);
        }
        if self.untold > 0 {
            self.ends.with(|ends| ends.sort_unstable_by_key(|end| Reverse(end.at)));
        }
        self.is_amid_round()
    }

    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.hand_out();
        if self.is_amid_round() {
            return false;
        }
        self.home.front.register(cx.waker());
        !self.home.has_ends()
    }

    fn cancel(&mut self) -> Option<Panic> {
        self.home.doom();
        self.workers.iter().for_each(|hired| hired.desk.worker.wake());
        self.waits = 0;
        let waiting = self.waiting.with(mem::take);
        self.refuse(waiting);
        None
    }

    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(orphans) = self.orphans.last() {
            ready!(orphans.poll_ended(cx));
            self.orphans.pop();
        }
        self.workers.clear();
        Poll::Ready(())
    }
}

impl<B, T, R> Drop for Front<B, T, R> {
    fn drop(&mut self) {
        // None goes on for the news of another's end.
        self.home.doom();
        self.home.close();
        // One by one: the panic of one body's destructor keeps no other from running.
        let waiting = self.waiting.with(mem::take);
        let panics = waiting.into_iter().filter_map(|body| catch(|| drop(body)).err());
        if let Some(panic) = panics.reduce(|first, _| first) {
            panic.resume_unless_panicking();
        }
    }
}
