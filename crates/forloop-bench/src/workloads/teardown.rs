//! W7: loops that end with their bodies in flight. What is measured is the end alone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::future::{AbortHandle, Abortable};

use crate::body::{Owned, Slots};
use crate::host::Bell;
use crate::meter::Meter;
use crate::peers::{self, Peer, Visit, failing};

/// How the loop ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A body in the middle fails, and its loop stops the others.
    Fails,
    /// A signal stops the loop: our `cancel_on`; around the others, futures-util's `abortable`.
    Cancelled,
    /// The loop's future is dropped.
    Dropped,
}

pub(super) fn run(peer: Peer, end: End, n: usize, meter: &mut Meter<'_>) {
    let (slots, dropped) = (Slots::leaked(n), Owned::dropped());
    // Each body owns something that is to be dropped, as bodies do.
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
    assert_eq!(Owned::dropped() - dropped, n, "every body has been dropped, once");
}

/// Polls a loop until all its bodies wait.
fn start(looping: Pin<&mut impl Future>, bell: &Arc<Bell>) {
    poll_while_rung(looping, bell, "its bodies wait");
}

fn poll_while_rung<F: Future>(mut looping: Pin<&mut F>, bell: &Arc<Bell>, expected: &str) {
    let waker = Waker::from(bell.clone());
    let mut cx = Context::from_waker(&waker);
    while looping.as_mut().poll(&mut cx).is_pending() {
        if !bell.was_rung() {
            return;
        }
    }
    panic!("the loop ended before {expected}");
}

/// Polls a loop that ends now, and drops it.
fn finish<F: Future>(mut looping: Pin<Box<F>>, bell: &Arc<Bell>) {
    let waker = Waker::from(bell.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        match looping.as_mut().poll(&mut cx) {
            Poll::Ready(output) => {
                drop(looping);
                return drop(std::hint::black_box(output));
            }
            Poll::Pending => assert!(bell.was_rung(), "a loop that ends goes on"),
        }
    }
}

struct Dropping<'a, 'b> {
    meter: &'a mut Meter<'b>,
}

impl Visit for Dropping<'_, '_> {
    fn visit(self, looping: impl Future<Output = ()>) {
        let (mut looping, bell) = (Box::pin(looping), Bell::new());
        start(looping.as_mut(), &bell);
        self.meter.measured(|| drop(looping));
    }
}

struct Aborting<'a, 'b> {
    meter: &'a mut Meter<'b>,
}

impl Visit for Aborting<'_, '_> {
    fn visit(self, looping: impl Future<Output = ()>) {
        let (abort, registration) = AbortHandle::new_pair();
        let bell = Bell::new();
        let mut looping = Box::pin(Abortable::new(looping, registration));
        start(looping.as_mut(), &bell);
        self.meter.measured(|| {
            abort.abort();
            finish(looping, &bell);
        });
    }
}

fn cancelled<B: Future<Output = usize>>(
    n: usize,
    body: impl Fn(usize) -> B,
    meter: &mut Meter<'_>,
) {
    let (token, bell) = (forloop::CancelToken::new(), Bell::new());
    let looping = forloop::each(0..n).unbounded().cancel_on(&token).gather(body);
    let mut looping = Box::pin(looping);
    start(looping.as_mut(), &bell);
    meter.measured(|| {
        token.cancel();
        finish(looping, &bell);
    });
}

struct Failing<'a, 'b> {
    meter: &'a mut Meter<'b>,
    slots: &'static Slots,
    fails: usize,
}

impl Visit for Failing<'_, '_> {
    fn visit(self, looping: impl Future<Output = ()>) {
        let (mut looping, bell) = (Box::pin(looping), Bell::new());
        start(looping.as_mut(), &bell);
        self.meter.measured(|| {
            self.slots.wake(self.fails);
            finish(looping, &bell);
        });
    }
}
