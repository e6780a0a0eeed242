//! The bodies: futures of known size with one behaviour each, the same for every peer.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use crate::counters;

/// The body of W1, ready at its first poll. It is so short that a run-time check whether to count would
/// dominate the measurement, so the type decides that.
pub(crate) async fn small<const COUNTED: bool>(n: usize) -> usize {
    if COUNTED {
        counters::body_polled();
    }
    n
}

/// The size of [`small`]'s future.
pub(crate) const SMALL: usize = 16;

/// The same with 256 bytes, like a body that holds a request and its response.
#[derive(Debug)]
pub(crate) struct Wide<const COUNTED: bool> {
    words: [usize; 32],
}

impl<const COUNTED: bool> Wide<COUNTED> {
    pub(crate) fn new(n: usize) -> Self {
        Self { words: [n; 32] }
    }
}

impl<const COUNTED: bool> Future for Wide<COUNTED> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<usize> {
        if COUNTED {
            counters::body_polled();
        }
        Poll::Ready(self.words[0])
    }
}

/// A future that wakes itself and is pending `times` times.
#[derive(Debug)]
pub(crate) struct Yields {
    item: usize,
    remaining: usize,
}

impl Yields {
    pub(crate) fn new(item: usize, times: usize) -> Self {
        Self { item, remaining: times }
    }
}

impl Future for Yields {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        counters::body_polled();
        if self.remaining == 0 {
            return Poll::Ready(self.item);
        }
        self.remaining -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The same without an output, for loops that discard outputs.
#[derive(Debug)]
pub(crate) struct Silent(pub(crate) Yields);

impl Future for Silent {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

/// The wakers of the bodies, for the code that wakes them.
#[derive(Debug)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    waker: OnceLock<Waker>,
    state: AtomicU8,
}

const WAITING: u8 = 0;
const WOKEN: u8 = 1;
const DONE: u8 = 2;

impl Slots {
    /// Creates slots that are never freed: bodies hold a plain reference, without a reference count.
    pub(crate) fn leaked(n: usize) -> &'static Self {
        Box::leak(Box::new(Self { slots: (0..n).map(|_| Slot::default()).collect() }))
    }

    /// Returns the body of a slot.
    pub(crate) fn body(&'static self, index: usize) -> Woken {
        Woken { slots: self, index }
    }

    /// Whether the body was polled, and can be woken.
    pub(crate) fn waits(&self, index: usize) -> bool {
        self.slots[index].waker.get().is_some()
    }

    pub(crate) fn is_done(&self, index: usize) -> bool {
        self.slots[index].state.load(Ordering::Acquire) == DONE
    }

    /// Wakes the body, which completes at its next poll.
    pub(crate) fn wake(&self, index: usize) {
        let slot = &self.slots[index];
        slot.state.store(WOKEN, Ordering::Release);
        slot.waker.get().expect("only a waiting body is woken").wake_by_ref();
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// A future that stores its waker at its first poll, and is ready once it was woken.
#[derive(Debug)]
pub(crate) struct Woken {
    slots: &'static Slots,
    index: usize,
}

impl Future for Woken {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        counters::body_polled();
        let slot = &self.slots.slots[self.index];
        if slot.state.load(Ordering::Acquire) != WAITING {
            slot.state.store(DONE, Ordering::Release);
            return Poll::Ready(self.index);
        }
        // No peer passes a different waker while a body waits. With one that did, the loop would hang
        // until its time limit.
        slot.waker.get_or_init(|| cx.waker().clone());
        Poll::Pending
    }
}

static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// A value owned by each body, so that there is something to drop.
#[derive(Debug)]
pub(crate) struct Owned;

impl Owned {
    /// Returns the number of values dropped so far.
    pub(crate) fn dropped() -> usize {
        DROPPED.load(Ordering::Relaxed)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // The bodies of these loops share a thread, so this need not be atomic.
        DROPPED.store(DROPPED.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// A future that computes for about twenty microseconds.
#[derive(Debug)]
pub(crate) struct Computes {
    pub(crate) seed: usize,
}

impl Future for Computes {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<usize> {
        counters::body_polled();
        let mut state = self.seed as u64 | 1;
        for _ in 0..10_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
        }
        Poll::Ready(std::hint::black_box(state as usize))
    }
}

/// Yields to the executor once.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Counts the polls of a future.
pub(crate) async fn polls_counted<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    poll_fn(|cx| {
        counters::body_polled();
        future.as_mut().poll(cx)
    })
    .await
}

/// Returns the numbers below `n` in a shuffled order, the same every time.
pub(crate) fn shuffled(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    for i in (1..n).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(i, (state >> 33) as usize % (i + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffled_order_contains_every_number_once() {
        let mut order = shuffled(1000);
        assert_ne!(order[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        order.sort_unstable();
        assert!(order.into_iter().eq(0..1000));
    }
}
