//! W7: loops that stop with their bodies in flight. Only the stopping is measured.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::future::{AbortHandle, Abortable};

use crate::body::{Owned, Slots};
use crate::host::ThreadWaker;
use crate::meter::Meter;
use crate::peers::{self, Peer, Visit, failing};

/// How the loop stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A body in the middle fails, and its loop cancels the others.
    Fails,
    /// A signal cancels the loop: our `cancel_on`, or futures-util's `abortable` around the others.
    Cancelled,
    /// The loop's future is dropped.
    Dropped,
}

pub(super) fn run(peer: Peer, end: End, n: usize, meter: &mut Meter<'_>) {
    let (slots, dropped) = (Slots::leaked(n), Owned::dropped());
    // Each body owns a value, so that cancelling it has something to drop.
    let body = |item| {
        let (body, owned) = (slots.body(item), Owned);
        async move {
            let item = body.await;
            drop(owned);
            item
        }
    };
    match end {
        End::Dropped => peers::in_task(peer, n, body, Dropping { meter }),
        End::Cancelled if peer == Peer::Forloop => cancelled(n, body, meter),
        End::Cancelled => peers::in_task(peer, n, body, Aborting { meter }),
        End::Fails => {
            let fails = n / 2;
            let body = |item| {
                let body = body(item);
                async move {
                    let item = body.await;
                    if item == fails { Err(failing::Failure) } else { Ok(item) }
                }
            };
            failing::in_task(peer, n, body, Failing { meter, slots, fails });
        }
    }
    assert_eq!(Owned::dropped() - dropped, n, "every body was dropped exactly once");
}

/// Polls a loop until all its bodies wait.
fn start(looping: Pin<&mut impl Future>, thread_waker: &Arc<ThreadWaker>) {
    poll_while_woken(looping, thread_waker, "its bodies wait");
}

fn poll_while_woken<F: Future>(
    mut looping: Pin<&mut F>,
    thread_waker: &Arc<ThreadWaker>,
    expected: &str,
) {
    let waker = Waker::from(thread_waker.clone());
    let mut cx = Context::from_waker(&waker);
    while looping.as_mut().poll(&mut cx).is_pending() {
        if !thread_waker.take_wake() {
            return;
        }
    }
    panic!("the loop completed before {expected}");
}

/// Polls a loop that is about to complete, and drops it.
fn finish<F: Future>(mut looping: Pin<Box<F>>, thread_waker: &Arc<ThreadWaker>) {
    let waker = Waker::from(thread_waker.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        match looping.as_mut().poll(&mut cx) {
            Poll::Ready(output) => {
                drop(looping);
                return drop(std::hint::black_box(output));
            }
            Poll::Pending => {
                assert!(thread_waker.take_wake(), "a loop that stops needs no further wake");
            }
        }
    }
}

struct Dropping<'a, 'b> {
    meter: &'a mut Meter<'b>,
}

impl Visit for Dropping<'_, '_> {
    fn visit(self, looping: impl Future<Output = ()>) {
        let (mut looping, thread_waker) = (Box::pin(looping), ThreadWaker::new());
        start(looping.as_mut(), &thread_waker);
        self.meter.measured(|| drop(looping));
    }
}

struct Aborting<'a, 'b> {
    meter: &'a mut Meter<'b>,
}

impl Visit for Aborting<'_, '_> {
    fn visit(self, looping: impl Future<Output = ()>) {
        let (abort, registration) = AbortHandle::new_pair();
        let thread_waker = ThreadWaker::new();
        let mut looping = Box::pin(Abortable::new(looping, registration));
        start(looping.as_mut(), &thread_waker);
        self.meter.measured(|| {
            abort.abort();
            finish(looping, &thread_waker);
        });
    }
}

fn cancelled<B: Future<Output = usize>>(
    n: usize,
    body: impl Fn(usize) -> B,
    meter: &mut Meter<'_>,
) {
    let (token, thread_waker) = (forloop::CancelToken::new(), ThreadWaker::new());
    let looping = forloop::each(0..n).unbounded().cancel_on(&token).gather(body);
    let mut looping = Box::pin(looping);
    start(looping.as_mut(), &thread_waker);
    meter.measured(|| {
        token.cancel();
        finish(looping, &thread_waker);
    });
}

struct Failing<'a, 'b> {
    meter: &'a mut Meter<'b>,
    slots: &'static Slots,
    fails: usize,
}

impl Visit for Failing<'_, '_> {
    fn visit(self, looping: impl Future<Output = ()>) {
        let (mut looping, thread_waker) = (Box::pin(looping), ThreadWaker::new());
        start(looping.as_mut(), &thread_waker);
        self.meter.measured(|| {
            self.slots.wake(self.fails);
            finish(looping, &thread_waker);
        });
    }
}
