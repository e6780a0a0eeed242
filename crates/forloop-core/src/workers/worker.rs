//! A worker: a task that drives an engine over the bodies it is given.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use super::desk::{Chunk, Desk, Ended, Home, Note, Tray};
use crate::drive::TURN;
use crate::engine::{End, Set};
use crate::orphans::{Orphans, adopting};
use crate::panic::catch;
use crate::place::{Body, Unspawned};
use crate::policy::Ticket;
use crate::task::next_end;
use crate::{Outcome, Panic};

/// Body polls after which a worker looks whether it was told to stop.
const GLANCE: usize = 32;

/// A worker's task. Whatever becomes of it, the front hears of the end of each body that it was given.
pub(super) struct Worker<B: Body<Returns = T>, T> {
    bodies: Set<Unspawned<B>>,
    /// By the front's slots: where the body is here.
    places: Vec<usize>,
    desk: Arc<Desk<B>>,
    home: Arc<Home<T>>,
    tray: Tray<T>,
    is_stopping: bool,
    /// What bodies that were never polled have left behind.
    orphans: Option<Arc<Orphans>>,
}

impl<B: Body<Returns = T>, T> Worker<B, T> {
    pub(super) fn new(desk: Arc<Desk<B>>, home: Arc<Home<T>>) -> Self {
        Self {
            bodies: Set::new(),
            places: Vec::new(),
            desk,
            tray: Tray::new(home.clone()),
            home,
            is_stopping: false,
            orphans: None,
        }
    }

    /// Does what it was told. Gives how many bodies were polled for it.
    fn read(&mut self, most: usize) -> usize {
        let mut polls = 0;
        while polls < most {
            match self.desk.read() {
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
        polls
    }

    /// Begins the bodies of a chunk.
    fn begin(&mut self, mut chunk: Chunk<B>) {
        self.tray.expect(chunk.len());
        let mut arrived = chunk.drain(..);
        loop {
            let next = || match arrived.next() {
                Some((slot, body)) if !self.home.is_doomed() => {
                    ControlFlow::Continue((slot, Unspawned::new(body)))
                }
                left => ControlFlow::Break(left),
            };
            let going = self.bodies.start(1, next, |end| {
                self.tray.put(ended(end));
                ControlFlow::Continue(())
            });
            let Ticket { slot, index } = match going {
                ControlFlow::Continue(ticket) => ticket,
                ControlFlow::Break(left) => {
                    let left = left.into_iter().chain(arrived);
                    left.for_each(|(slot, body)| self.tray.put(unpolled(slot, body)));
                    break;
                }
            };
            if self.places.len() <= index {
                self.places.resize(index + 1, 0);
            }
            self.places[index] = slot;
        }
        self.desk.recycle(chunk);
    }

    /// Stops a body that has no time left, unless it has ended.
    fn expire(&mut self, slot: usize) {
        let Some(&place) = self.places.get(slot) else { return };
        let ticket = Ticket { slot: place, index: slot };
        if self.bodies.runs(ticket)
            && let Some(end) = self.bodies.expire(ticket)
        {
            self.tray.put(ended(end));
        }
    }

    /// Drops every body, also those that have not been polled.
    fn drop_bodies(&mut self) {
        let tray = &mut self.tray;
        self.bodies.stop_each(|slot, dropped| {
            let outcome = stopped(dropped, Outcome::Cancelled);
            tray.put(Ended { slot, at: next_end(), outcome });
        });
        self.desk.close();
        while let Some(note) = self.desk.read() {
            if let Note::Run(chunk) = note {
                tray.expect(chunk.len());
                chunk.into_iter().for_each(|(slot, body)| tray.put(unpolled(slot, body)));
            }
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
                polled.into_iter().for_each(|end| self.tray.put(ended(end)));
            }
        }
        if !self.bodies.is_empty() {
            if !self.bodies.sleep(cx) {
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        self.tray.send();
        Poll::Ready(())
    }
}

/// The end of a body, on its way home.
fn ended<T>(End { index, outcome, .. }: End<T>) -> Ended<T> {
    Ended { slot: index, at: next_end(), outcome }
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
        // Whoever puts something on the desk from now on wakes this task again.
        this.desk.worker.register(cx.waker());
        let mut polls = 0;
        let mut had_a_round = false;
        loop {
            if this.home.is_doomed() {
                return this.poll_stop(cx);
            }
            if polls >= TURN {
                break;
            }
            if !this.bodies.is_amid_round() {
                polls += this.read(TURN - polls);
                // There may be more on the desk, and nobody wakes this task for what was there. And a
                // body that yields has yielded to the executor, and not only to its siblings.
                if polls >= TURN || had_a_round && this.bodies.has_yielded() {
                    break;
                }
                had_a_round = true;
                if !this.bodies.next_round() {
                    this.tray.send();
                    if this.bodies.sleep(cx) {
                        return Poll::Pending;
                    }
                    break;
                }
            }
            let tray = &mut this.tray;
            let most = TURN.min(polls + GLANCE);
            let all: ControlFlow<()> = this.bodies.poll_round(&mut polls, most, |end| {
                tray.put(ended(end));
                ControlFlow::Continue(())
            });
            debug_assert!(all.is_continue(), "no end is enough");
        }
        this.tray.send();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<B: Body<Returns = T>, T> Drop for Worker<B, T> {
    fn drop(&mut self) {
        self.drop_bodies();
        self.tray.send();
    }
}
