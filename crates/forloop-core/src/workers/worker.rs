//! A worker: a task that drives an engine over the bodies it is given, or draws.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::mem;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use super::depot::{Depot, Got};
use super::desk::{Chunk, Desk, Ended, Home, Note, SOURCE, Tray, Weight};
use super::pace::Pace;
use super::well::Buckets;
use crate::engine::{End, Room, Set};
use crate::orphans::{Orphans, adopting};
use crate::panic::catch;
use crate::place::{Body, Unspawned};
use crate::policy::Ticket;
use crate::task::next_end;
use crate::turn::turn;
use crate::{Outcome, Panic};

/// Body polls after which a worker looks whether it was told to stop.
const GLANCE: usize = 32;

/// A worker's task. Whatever becomes of it, the front hears of the end of each body that it was given.
pub(super) struct Worker<B: Body<Returns = T>, T> {
    bodies: Set<Unspawned<B>>,
    intake: Intake<B>,
    home: Arc<Home<T>>,
    tray: Tray<T>,
    weighing: Weighing<T>,
    is_stopping: bool,
    /// What bodies that were never polled have left behind.
    orphans: Option<Arc<Orphans>>,
}

/// How much the ends of bodies tell.
pub(crate) struct Weighing<T> {
    /// How much an output tells; if nothing else is said, it is light.
    pub(crate) output: Option<fn(&T) -> Weight>,
    /// How much a panic does.
    pub(crate) panic: Weight,
}

impl<T> Clone for Weighing<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Weighing<T> {}

impl<T> Weighing<T> {
    /// Each end is news.
    const NEWS: Self = Self { output: Some(|_| Weight::News), panic: Weight::News };
}

/// Where a worker's bodies come from.
enum Intake<B> {
    /// The front brings them.
    Desk {
        desk: Arc<Desk<B>>,
        /// By the front's slots: where the body is here.
        places: Vec<usize>,
    },
    /// The worker draws them.
    Depot(Draws<B>),
}

/// A worker that draws its bodies.
struct Draws<B> {
    depot: Arc<Depot<B>>,
    /// Which of the workers it is.
    me: usize,
    /// How many bodies it may have at once.
    most: usize,
    /// How many it takes at a time.
    pace: Pace,
    drawn: Buckets<B>,
    source_waker: Waker,
    /// No more can be drawn.
    is_over: bool,
    /// The front was told that this worker has ended.
    has_left: bool,
}

impl<B: Body<Returns = T> + Send + 'static, T> Worker<B, T> {
    /// A worker whose bodies are put on its desk.
    pub(super) fn fed(desk: Arc<Desk<B>>, home: Arc<Home<T>>) -> Self {
        Self::new(Intake::Desk { desk, places: Vec::new() }, home, Weighing::NEWS)
    }

    /// A worker that draws its bodies, `most` at once.
    pub(super) fn drawing(
        depot: Arc<Depot<B>>,
        me: usize,
        most: usize,
        home: Arc<Home<T>>,
        weighing: Weighing<T>,
    ) -> Self {
        home.one_more();
        let source_waker = Waker::from(depot.bells.clone());
        let drawn = Buckets::new();
        let draws = Draws {
            depot,
            me,
            most,
            pace: Pace::SLOWEST,
            drawn,
            source_waker,
            is_over: false,
            has_left: false,
        };
        let mut worker = Self::new(Intake::Depot(draws), home, weighing);
        worker.bodies.expect(Room::of(most, (0, None)));
        worker
    }

    /// Has the worker begin with bodies that were drawn for it.
    pub(super) fn with(mut self, bodies: Buckets<B>) -> Self {
        if let Intake::Depot(draws) = &mut self.intake {
            draws.drawn = bodies;
        }
        self
    }
}

impl<B: Body<Returns = T>, T> Worker<B, T> {
    fn new(intake: Intake<B>, home: Arc<Home<T>>, weighing: Weighing<T>) -> Self {
        Self {
            bodies: Set::new(),
            intake,
            tray: Tray::new(home.clone()),
            home,
            weighing,
            is_stopping: false,
            orphans: None,
        }
    }

    /// Has the worker's task woken by whoever has something to tell it from now on.
    fn listen(&self, cx: &Context<'_>) {
        match &self.intake {
            Intake::Desk { desk, .. } => desk.worker.register(cx.waker()),
            Intake::Depot(draws) => draws.depot.bells.listen(draws.me, cx.waker()),
        }
    }

    /// Begins more bodies, and does what else it was told; gives how many bodies were polled for it,
    /// and whether there may be more at once. One that `must_wait` has nothing else to do.
    fn intake(&mut self, most: usize, must_wait: bool) -> (usize, bool) {
        if let Intake::Depot(_) = self.intake {
            return self.draw(most, must_wait);
        }
        let mut polls = 0;
        while polls < most {
            let Intake::Desk { desk, .. } = &self.intake else { break };
            match desk.read() {
                None => break,
                Some(Note::Run(chunk)) => {
                    polls += chunk.len();
                    self.begin(chunk);
                }
                Some(Note::Expire(slot)) => {
                    polls += 1;
                    self.expire(slot);
                }
            }
        }
        (polls, false)
    }

    /// Begins the bodies of a chunk.
    fn begin(&mut self, mut chunk: Chunk<B>) {
        let Intake::Desk { desk, places } = &mut self.intake else { return };
        self.tray.expect(chunk.len());
        let mut arrived = chunk.drain(..);
        loop {
            let next = || match arrived.next() {
                Some((slot, body)) if !self.home.is_doomed() => {
                    ControlFlow::Continue((slot, Unspawned::new(body)))
                }
                left => ControlFlow::Break(left),
            };
            let going = self.bodies.start(None, 1, next, |end| {
                tell(&mut self.tray, end, self.weighing);
                ControlFlow::Continue(())
            });
            let Ticket { slot, index, .. } = match going {
                ControlFlow::Continue(ticket) => ticket,
                ControlFlow::Break(left) => {
                    let left = left.into_iter().chain(arrived);
                    left.for_each(|(slot, body)| self.tray.put(unpolled(slot, body), false));
                    break;
                }
            };
            if places.len() <= index {
                places.resize(index + 1, 0);
            }
            places[index] = slot;
        }
        desk.recycle(chunk);
    }

    /// Draws once and begins what it has got, as far as there is room and up to `most`; gives how many, and
    /// whether there may be more at once.
    fn draw(&mut self, most: usize, must_wait: bool) -> (usize, bool) {
        let Intake::Depot(draws) = &mut self.intake else { return (0, false) };
        let room = draws.most.saturating_sub(self.bodies.len());
        if room == 0 {
            return (0, false);
        }
        let (home, tray, weighing) = (&self.home, &mut self.tray, self.weighing);
        let (mut begun, has_ended, mut is_last) = (0, Cell::new(0), false);
        let (mut has_drawn, mut odd) = (false, None);
        let next = || {
            if begun == most || home.is_doomed() {
                return ControlFlow::Break(());
            }
            if draws.drawn.is_empty() && !has_drawn {
                has_drawn = true;
                // Together with those that stay, no more than there is room for.
                let free = (room - (begun - has_ended.get())).min(most - begun);
                odd = draws.refill(free, must_wait && begun == 0);
            }
            let Some((index, body)) = draws.drawn.pop_front() else {
                return ControlFlow::Break(());
            };
            begun += 1;
            ControlFlow::Continue((index, Unspawned::new(body)))
        };
        // Why no more can be begun is no matter: the next time tells.
        let _: ControlFlow<(), Ticket> = self.bodies.start(None, room, next, |end| {
            has_ended.set(has_ended.get() + 1);
            is_last = tell(tray, end, weighing);
            if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let is_more = odd.is_some();
        if let Some((index, panic)) = odd {
            let end = End { index, at: 0, outcome: Outcome::Panicked(panic) };
            is_last |= tell(tray, end, weighing);
        }
        if is_last {
            self.close();
        }
        (begun, is_more)
    }

    /// Has nobody draw any more: the loop stops.
    #[cold]
    fn close(&mut self) {
        if let Intake::Depot(draws) = &self.intake
            && let Some(panic) = draws.depot.close()
        {
            let end = End { index: SOURCE, at: 0, outcome: Outcome::Panicked(panic) };
            tell(&mut self.tray, end, self.weighing);
        }
    }

    /// Stops a body that has no time left, unless it has ended.
    fn expire(&mut self, slot: usize) {
        let Intake::Desk { places, .. } = &self.intake else { return };
        let Some(&place) = places.get(slot) else { return };
        let ticket = Ticket { slot: place, index: slot, attempt: 1 };
        if self.bodies.runs(ticket)
            && let Some(end) = self.bodies.expire(None, ticket)
        {
            tell(&mut self.tray, end, self.weighing);
        }
    }

    /// Drops every body, also those that have not been polled.
    fn drop_bodies(&mut self) {
        let tray = &mut self.tray;
        self.bodies.stop_each(|slot, dropped| {
            let outcome = stopped(dropped, Outcome::Cancelled);
            tray.put(Ended { slot, at: next_end(), outcome }, false);
        });
        let mut drop_one = |(slot, body)| tray.put(unpolled(slot, body), false);
        match &mut self.intake {
            Intake::Desk { desk, .. } => {
                desk.close();
                while let Some(note) = desk.read() {
                    if let Note::Run(chunk) = note {
                        chunk.into_iter().for_each(&mut drop_one);
                    }
                }
            }
            Intake::Depot(draws) => draws.drawn.drain(..).for_each(drop_one),
        }
    }

    /// Drops every body and waits for what they leave behind. Only then has each of them stopped.
    fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_stopping {
            self.is_stopping = true;
            self.tray.hold();
            let ((), orphans) = adopting(None, || self.drop_bodies());
            self.orphans = orphans;
        }
        if let Some(orphans) = &self.orphans {
            ready!(orphans.poll_ended(cx));
            self.orphans = None;
        }
        // Bodies without time that had left something behind when the loop was stopped.
        while self.bodies.is_amid_round() || self.bodies.next_round() {
            while let Some(polled) = self.bodies.poll_next_woken() {
                if let Some(end) = polled {
                    tell(&mut self.tray, end, self.weighing);
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
        self.tray.send();
        if let Intake::Depot(draws) = &mut self.intake
            && !mem::replace(&mut draws.has_left, true)
        {
            self.home.one_less();
        }
    }

    /// Whether no body is left, and none will come.
    fn is_done(&self) -> bool {
        match &self.intake {
            Intake::Desk { .. } => false,
            Intake::Depot(draws) => {
                draws.is_over && draws.drawn.is_empty() && self.bodies.is_empty()
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
        let Self { depot, pace, drawn, source_waker, .. } = self;
        match depot.draw(most, pace, must_wait, source_waker, drawn) {
            Got::Some | Got::Wait => None,
            Got::Dry => {
                self.is_over = true;
                None
            }
            Got::BodyPanicked(index, panic) => Some((index, panic)),
            Got::SourcePanicked(panic) => Some((SOURCE, panic)),
        }
    }
}

/// Puts the end of a body into the tray; `true` if it stops the loop.
#[inline]
fn tell<T>(tray: &mut Tray<T>, end: End<T>, weighing: Weighing<T>) -> bool {
    let End { index: slot, outcome, .. } = end;
    let (weight, outcome) = match (outcome, weighing.output) {
        (Outcome::Ok(output), None) => {
            tray.put_light(slot, output);
            return false;
        }
        (Outcome::Ok(output), Some(weigh)) => match weigh(&output) {
            Weight::None => return false,
            Weight::Light => {
                tray.put_light(slot, output);
                return false;
            }
            weight => (weight, Outcome::Ok(output)),
        },
        (Outcome::Panicked(panic), _) => (weighing.panic, Outcome::Panicked(panic)),
        (outcome, _) => (Weight::News, outcome),
    };
    let is_last = weight == Weight::Last;
    tray.put(Ended { slot, at: next_end(), outcome }, is_last);
    is_last
}

/// Drops a body that has not been polled.
pub(super) fn unpolled<B, T>(slot: usize, body: B) -> Ended<T> {
    let outcome = stopped(catch(|| drop(body)), Outcome::NotRun);
    Ended { slot, at: next_end(), outcome }
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
        let may_go_on = matches!(this.intake, Intake::Depot(_));
        let (mut had_a_round, mut must_wait) = (false, false);
        loop {
            if this.home.is_doomed() {
                return this.poll_stop(cx);
            }
            if polls >= turn() {
                break;
            }
            if !this.bodies.is_amid_round() {
                let (begun, is_more) = this.intake(turn() - polls, must_wait);
                polls += begun;
                if may_go_on {
                    this.tray.send_if_due();
                }
                // Whatever more there is, nobody wakes this task for what was there.
                if polls >= turn() || had_a_round && !may_go_on && this.bodies.has_yielded() {
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
                    this.tray.send_if_due();
                    if this.bodies.sleep(cx) {
                        return Poll::Pending;
                    }
                    break;
                }
            }
            let (tray, weighing) = (&mut this.tray, this.weighing);
            let most = turn().min(polls + GLANCE);
            let last = this.bodies.poll_round(&mut polls, most, |end| {
                if tell(tray, end, weighing) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
            if last.is_break() {
                this.close();
            }
        }
        this.tray.send_if_due();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<B: Body<Returns = T>, T> Drop for Worker<B, T> {
    fn drop(&mut self) {
        self.drop_bodies();
        // Whoever is dropped before its time has not run whatever would have come.
        if let Intake::Depot(draws) = &self.intake
            && !draws.has_left
            && !self.home.is_doomed()
        {
            let end = Ended { slot: SOURCE, at: next_end(), outcome: Outcome::NotRun };
            self.tray.put(end, false);
        }
        self.leave();
    }
}
