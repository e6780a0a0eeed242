//! A worker: a task that drives an engine over the bodies it is given, or draws.

use super::delivery::{Delivery, DeliveryRule};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::mem;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use super::batch_size::BatchSize;
use super::body_source::Batch;
use super::channel::{
    BatchBuffer, Command, CompletionQueue, Inbox, PoolCompletion, PushBatch, SOURCE,
};
use super::shared_source::{PullResult, SharedSource};
use crate::body::Body;
use crate::budget::budget;
use crate::engine::{CapacityHint, Completion, FutureSet, Key};
use crate::outcome::catch;
use crate::place::InlineJob;
use crate::task::next_sequence;
use crate::wait_group::{WaitGroup, with_wait_group};
use crate::{Outcome, Panic};

/// Body polls after which a worker looks whether it was told to stop.
const GLANCE: usize = 32;

/// A worker's task. Whatever becomes of it, the front hears of the end of each body that it was given.
pub(super) struct Worker<B: Body<Returns = T>, T> {
    bodies: FutureSet<InlineJob<B>>,
    intake: Intake<B>,
    completions: Arc<CompletionQueue<T>>,
    buffer: BatchBuffer<T>,
    delivery: DeliveryRule<T>,
    is_stopping: bool,
    /// What bodies that were never polled have left behind.
    wait_group: Option<Arc<WaitGroup>>,
}

/// Where a worker's bodies come from.
enum Intake<B> {
    /// The front brings them.
    Inbox {
        channel: Arc<Inbox<B>>,
        /// By the front's slots: where the body is here.
        places: Vec<usize>,
    },
    /// The worker draws them.
    SharedSource(Draws<B>),
}

/// A worker that draws its bodies.
struct Draws<B> {
    shared_source: Arc<SharedSource<B>>,
    /// Which of the workers it is.
    me: usize,
    /// How many bodies it may have at once.
    most: usize,
    /// How many it takes at a time.
    batch_size: BatchSize,
    pulled: Batch<B>,
    source_waker: Waker,
    /// No more can be drawn.
    is_over: bool,
    /// The front was told that this worker has ended.
    has_left: bool,
}

impl<B: Body<Returns = T> + Send + 'static, T> Worker<B, T> {
    /// A worker whose bodies are put on its desk.
    pub(super) fn push(channel: Arc<Inbox<B>>, completions: Arc<CompletionQueue<T>>) -> Self {
        Self::new(Intake::Inbox { channel, places: Vec::new() }, completions, DeliveryRule::PROMPT)
    }

    /// A worker that draws its bodies, `most` at once.
    pub(super) fn pull(
        shared_source: Arc<SharedSource<B>>,
        me: usize,
        most: usize,
        completions: Arc<CompletionQueue<T>>,
        delivery: DeliveryRule<T>,
    ) -> Self {
        completions.one_more();
        let source_waker = Waker::from(shared_source.sleepers.clone());
        let pulled = Batch::new();
        let draws = Draws {
            shared_source,
            me,
            most,
            batch_size: BatchSize::SLOWEST,
            pulled,
            source_waker,
            is_over: false,
            has_left: false,
        };
        let mut worker = Self::new(Intake::SharedSource(draws), completions, delivery);
        worker.bodies.set_capacity_hint(CapacityHint::of(most, (0, None)));
        worker
    }

    /// Has the worker begin with bodies that were drawn for it.
    pub(super) fn with(mut self, bodies: Batch<B>) -> Self {
        if let Intake::SharedSource(draws) = &mut self.intake {
            draws.pulled = bodies;
        }
        self
    }
}

impl<B: Body<Returns = T>, T> Worker<B, T> {
    fn new(
        intake: Intake<B>,
        completions: Arc<CompletionQueue<T>>,
        delivery: DeliveryRule<T>,
    ) -> Self {
        Self {
            bodies: FutureSet::new(),
            intake,
            buffer: BatchBuffer::new(completions.clone()),
            completions,
            delivery,
            is_stopping: false,
            wait_group: None,
        }
    }

    /// Has the worker's task woken by whoever has something to tell it from now on.
    fn listen(&self, cx: &Context<'_>) {
        match &self.intake {
            Intake::Inbox { channel, .. } => channel.worker.register(cx.waker()),
            Intake::SharedSource(draws) => {
                draws.shared_source.sleepers.listen(draws.me, cx.waker())
            }
        }
    }

    /// Begins more bodies, and does what else it was told; gives how many bodies were polled for it,
    /// and whether there may be more at once. One that `must_wait` has nothing else to do.
    fn intake(&mut self, most: usize, must_wait: bool) -> (usize, bool) {
        if let Intake::SharedSource(_) = self.intake {
            return self.pull_batch(most, must_wait);
        }
        let mut polls = 0;
        while polls < most {
            let Intake::Inbox { channel, .. } = &self.intake else { break };
            match channel.read() {
                None => break,
                Some(Command::Run(batch)) => {
                    polls += batch.len();
                    self.begin(batch);
                }
                Some(Command::Expire(slot)) => {
                    polls += 1;
                    self.expire(slot);
                }
            }
        }
        (polls, false)
    }

    /// Begins the bodies of a chunk.
    fn begin(&mut self, mut batch: PushBatch<B>) {
        let Intake::Inbox { channel, places } = &mut self.intake else { return };
        self.buffer.expect(batch.len());
        let mut arrived = batch.drain(..);
        loop {
            let next = || match arrived.next() {
                Some((slot, body)) if !self.completions.is_cancelled() => {
                    ControlFlow::Continue((slot, InlineJob::new(body)))
                }
                left => ControlFlow::Break(left),
            };
            let going = self.bodies.start(None, 1, next, |end| {
                tell(&mut self.buffer, end, self.delivery);
                ControlFlow::Continue(())
            });
            let Key { slot, index, .. } = match going {
                ControlFlow::Continue(ticket) => ticket,
                ControlFlow::Break(left) => {
                    let left = left.into_iter().chain(arrived);
                    left.for_each(|(slot, body)| self.buffer.put(unpolled(slot, body), false));
                    break;
                }
            };
            if places.len() <= index {
                places.resize(index + 1, 0);
            }
            places[index] = slot;
        }
        channel.recycle(batch);
    }

    /// Draws once and begins what it has got, as far as there is room and up to `most`; gives how many, and
    /// whether there may be more at once.
    fn pull_batch(&mut self, most: usize, must_wait: bool) -> (usize, bool) {
        let Intake::SharedSource(draws) = &mut self.intake else { return (0, false) };
        let room = draws.most.saturating_sub(self.bodies.len());
        if room == 0 {
            return (0, false);
        }
        let (completions, buffer, delivery) = (&self.completions, &mut self.buffer, self.delivery);
        let (mut begun, has_ended, mut is_last) = (0, Cell::new(0), false);
        let (mut has_drawn, mut odd) = (false, None);
        let next = || {
            if begun == most || completions.is_cancelled() {
                return ControlFlow::Break(());
            }
            if draws.pulled.is_empty() && !has_drawn {
                has_drawn = true;
                // Together with those that stay, no more than there is room for.
                let free = (room - (begun - has_ended.get())).min(most - begun);
                odd = draws.refill(free, must_wait && begun == 0);
            }
            let Some((index, body)) = draws.pulled.pop_front() else {
                return ControlFlow::Break(());
            };
            begun += 1;
            ControlFlow::Continue((index, InlineJob::new(body)))
        };
        // Why no more can be begun is no matter: the next time tells.
        let _: ControlFlow<(), Key> = self.bodies.start(None, room, next, |end| {
            has_ended.set(has_ended.get() + 1);
            is_last = tell(buffer, end, delivery);
            if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let is_more = odd.is_some();
        if let Some((index, panic)) = odd {
            let end = Completion { index, seq: 0, outcome: Outcome::Panicked(panic) };
            is_last |= tell(buffer, end, delivery);
        }
        if is_last {
            self.close();
        }
        (begun, is_more)
    }

    /// Has nobody draw any more: the loop stops.
    #[cold]
    fn close(&mut self) {
        if let Intake::SharedSource(draws) = &self.intake
            && let Some(panic) = draws.shared_source.close()
        {
            let end = Completion { index: SOURCE, seq: 0, outcome: Outcome::Panicked(panic) };
            tell(&mut self.buffer, end, self.delivery);
        }
    }

    /// Stops a body that has no time left, unless it has ended.
    fn expire(&mut self, slot: usize) {
        let Intake::Inbox { places, .. } = &self.intake else { return };
        let Some(&place) = places.get(slot) else { return };
        let ticket = Key { slot: place, index: slot, attempt: 1 };
        if self.bodies.runs(ticket)
            && let Some(end) = self.bodies.expire(None, ticket)
        {
            tell(&mut self.buffer, end, self.delivery);
        }
    }

    /// Drops every body, also those that have not been polled.
    fn drop_bodies(&mut self) {
        let buffer = &mut self.buffer;
        self.bodies.cancel_each(|slot, dropped| {
            let outcome = stopped(dropped, Outcome::Cancelled);
            buffer.put(PoolCompletion { slot, seq: next_sequence(), outcome }, false);
        });
        let mut drop_one = |(slot, body)| buffer.put(unpolled(slot, body), false);
        match &mut self.intake {
            Intake::Inbox { channel, .. } => {
                channel.close();
                while let Some(note) = channel.read() {
                    if let Command::Run(batch) = note {
                        batch.into_iter().for_each(&mut drop_one);
                    }
                }
            }
            Intake::SharedSource(draws) => draws.pulled.drain(..).for_each(drop_one),
        }
    }

    /// Drops every body and waits for what they leave behind. Only then has each of them stopped.
    fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_stopping {
            self.is_stopping = true;
            self.buffer.hold();
            let ((), wait_group) = with_wait_group(None, || self.drop_bodies());
            self.wait_group = wait_group;
        }
        if let Some(wait_group) = &self.wait_group {
            ready!(wait_group.poll_wait(cx));
            self.wait_group = None;
        }
        // Bodies without time that had left something behind when the loop was stopped.
        while self.bodies.is_round_in_progress() || self.bodies.next_round() {
            while let Some(polled) = self.bodies.poll_next_woken() {
                if let Some(end) = polled {
                    tell(&mut self.buffer, end, self.delivery);
                }
            }
        }
        if !self.bodies.is_empty() {
            if !self.bodies.sleep(cx) {
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        self.leave();
        Poll::Ready(())
    }

    /// Sends home what is left to tell, and goes.
    fn leave(&mut self) {
        self.buffer.send();
        if let Intake::SharedSource(draws) = &mut self.intake
            && !mem::replace(&mut draws.has_left, true)
        {
            self.completions.one_less();
        }
    }

    /// Whether no body is left, and none will come.
    fn is_done(&self) -> bool {
        match &self.intake {
            Intake::Inbox { .. } => false,
            Intake::SharedSource(draws) => {
                draws.is_over && draws.pulled.is_empty() && self.bodies.is_empty()
            }
        }
    }
}

impl<B> Draws<B> {
    /// Draws up to `most` bodies. Gives what has panicked, if that is how it ended: the closure over the
    /// item of an index, or the source.
    fn refill(&mut self, most: usize, must_wait: bool) -> Option<(usize, Panic)> {
        if self.is_over || most == 0 {
            return None;
        }
        let Self { shared_source, batch_size, pulled, source_waker, .. } = self;
        match shared_source.pull_batch(most, batch_size, must_wait, source_waker, pulled) {
            PullResult::Some | PullResult::Wait => None,
            PullResult::Dry => {
                self.is_over = true;
                None
            }
            PullResult::BodyPanicked(index, panic) => Some((index, panic)),
            PullResult::SourcePanicked(panic) => Some((SOURCE, panic)),
        }
    }
}

/// Puts the end of a body into the tray; `true` if it stops the loop.
#[inline]
fn tell<T>(buffer: &mut BatchBuffer<T>, end: Completion<T>, delivery: DeliveryRule<T>) -> bool {
    let Completion { index: slot, outcome, .. } = end;
    let (weight, outcome) = match (outcome, delivery.output) {
        (Outcome::Ok(output), None) => {
            buffer.put_batched(slot, output);
            return false;
        }
        (Outcome::Ok(output), Some(weight_by)) => match weight_by(&output) {
            Delivery::Discard => return false,
            Delivery::Batched => {
                buffer.put_batched(slot, output);
                return false;
            }
            weight => (weight, Outcome::Ok(output)),
        },
        (Outcome::Panicked(panic), _) => (delivery.panic, Outcome::Panicked(panic)),
        (outcome, _) => (Delivery::Prompt, outcome),
    };
    let is_last = weight == Delivery::Terminal;
    buffer.put(PoolCompletion { slot, seq: next_sequence(), outcome }, is_last);
    is_last
}

/// Drops a body that has not been polled.
pub(super) fn unpolled<B, T>(slot: usize, body: B) -> PoolCompletion<T> {
    let outcome = stopped(catch(|| drop(body)), Outcome::NotRun);
    PoolCompletion { slot, seq: next_sequence(), outcome }
}

fn stopped<T>(dropped: Result<(), Panic>, end: Outcome<T>) -> Outcome<T> {
    match dropped {
        Ok(()) => end,
        Err(panic) => Outcome::Panicked(panic),
    }
}

// Its bodies are pinned where its set has them.
impl<B: Body<Returns = T>, T> Unpin for Worker<B, T> {}

impl<B: Body<Returns = T>, T> Future for Worker<B, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.listen(cx);
        let mut polls = 0;
        // A body that yields has yielded to the executor, and not only to its siblings: where bodies are
        // brought, after each round, as in the caller's task; elsewhere, after the polls of a turn.
        let may_go_on = matches!(this.intake, Intake::SharedSource(_));
        let (mut had_a_round, mut must_wait) = (false, false);
        loop {
            if this.completions.is_cancelled() {
                return this.poll_stop(cx);
            }
            if polls >= budget() {
                break;
            }
            if !this.bodies.is_round_in_progress() {
                let (begun, is_more) = this.intake(budget() - polls, must_wait);
                polls += begun;
                if may_go_on {
                    this.buffer.send_if_due();
                }
                // Whatever more there is, nobody wakes this task for what was there.
                if polls >= budget() || had_a_round && !may_go_on && this.bodies.has_yielded() {
                    break;
                }
                had_a_round = true;
                if this.bodies.next_round() {
                    must_wait = false;
                } else {
                    let is_last_look = mem::replace(&mut must_wait, may_go_on);
                    if is_more || begun > 0 || is_last_look != must_wait {
                        continue;
                    }
                    if this.is_done() {
                        this.leave();
                        return Poll::Ready(());
                    }
                    this.buffer.send_if_due();
                    if this.bodies.sleep(cx) {
                        return Poll::Pending;
                    }
                    break;
                }
            }
            let (buffer, delivery) = (&mut this.buffer, this.delivery);
            let most = budget().min(polls + GLANCE);
            let last = this.bodies.poll_round(&mut polls, most, |end| {
                if tell(buffer, end, delivery) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
            if last.is_break() {
                this.close();
            }
        }
        this.buffer.send_if_due();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<B: Body<Returns = T>, T> Drop for Worker<B, T> {
    fn drop(&mut self) {
        self.drop_bodies();
        // Whoever is dropped before its time has not run whatever would have come.
        if let Intake::SharedSource(draws) = &self.intake
            && !draws.has_left
            && !self.completions.is_cancelled()
        {
            let end =
                PoolCompletion { slot: SOURCE, seq: next_sequence(), outcome: Outcome::NotRun };
            self.buffer.put(end, false);
        }
        self.leave();
    }
}
