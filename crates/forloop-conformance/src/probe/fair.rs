//! A fair lock: whoever lets go of it hands it to whoever has waited longest.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A lock that is handed over in the order of arrival, and belongs to the next from that moment on,
/// also while the next does not run.
///
/// This is what makes a body that stands still a danger to others. The locks of async-lock and the
/// channels of async-channel are of no use for that: theirs is free for a moment when it changes
/// hands, and somebody who comes by takes it.
#[derive(Debug, Clone, Default)]
pub struct Fair {
    line: Arc<Mutex<Line>>,
}

#[derive(Debug, Default)]
struct Line {
    held: bool,
    waiting: VecDeque<Ticket>,
}

/// Somebody who waits, or to whom the lock was handed.
type Ticket = Arc<Mutex<Turn>>;

#[derive(Debug, Default)]
struct Turn {
    has_come: bool,
    waker: Option<Waker>,
}

fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fair {
    /// Waits for the lock, and holds it until what is returned is dropped.
    ///
    /// The place in the line is taken at the first poll.
    pub fn lock(&self) -> impl Future<Output = Held> + Send + use<> {
        Wait { lock: self.clone(), ticket: None }
    }

    fn hand_over(&self) {
        let mut line = open(&self.line);
        let Some(next) = line.waiting.pop_front() else {
            line.held = false;
            return;
        };
        drop(line);
        let mut turn = open(&next);
        turn.has_come = true;
        let waker = turn.waker.take();
        drop(turn);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The lock, held.
#[derive(Debug)]
pub struct Held {
    lock: Fair,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lock.hand_over();
    }
}

struct Wait {
    lock: Fair,
    ticket: Option<Ticket>,
}

impl Future for Wait {
    type Output = Held;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Held> {
        if let Some(ticket) = &self.ticket {
            let mut turn = open(ticket);
            if !turn.has_come {
                turn.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            drop(turn);
            self.ticket = None;
            return Poll::Ready(Held { lock: self.lock.clone() });
        }
        let lock = self.lock.clone();
        let mut line = open(&lock.line);
        if !line.held {
            line.held = true;
            drop(line);
            return Poll::Ready(Held { lock });
        }
        let turn = Turn { has_come: false, waker: Some(cx.waker().clone()) };
        let ticket = Ticket::new(Mutex::new(turn));
        line.waiting.push_back(ticket.clone());
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let mut line = open(&self.lock.line);
        line.waiting.retain(|waiting| !Arc::ptr_eq(waiting, &ticket));
        drop(line);
        if open(&ticket).has_come {
            self.lock.hand_over();
        }
    }
}
