//! A loop over boxed futures that uses the engine and nothing else.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::{pending, poll_fn, ready};
use core::ops::ControlFlow;
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};

use crate::engine::{Completion, FutureSet, JobHandle};
use crate::outcome::Outcome;

/// A body that is polled where it is stored, and stops when it is dropped.
struct Boxed<T>(Pin<Box<dyn Future<Output = T>>>);

impl<T> Boxed<T> {
    fn new(body: impl Future<Output = T> + 'static) -> Self {
        Self(Box::pin(body))
    }
}

impl<T> JobHandle for Boxed<T> {
    type Output = T;

    const INLINE: bool = true;

    fn watch(self: Pin<&mut Self>, _cx: &mut Context<'_>) {}

    fn poll_outcome(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        self.0.as_mut().poll(cx).map(Outcome::Ok)
    }

    fn mark_cancelled(self: Pin<&Self>) {}

    fn cancel(self: Pin<&mut Self>) -> bool {
        true
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        true
    }

    fn rank(self: Pin<&Self>, index: usize) -> Option<usize> {
        Some(index)
    }

    fn sequence(&self) -> usize {
        0
    }

    fn next_sequence() -> usize {
        0
    }
}

/// The task that polls the loop: counts its wakes.
#[derive(Default)]
struct Parent(AtomicUsize);

impl Wake for Parent {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// An event that one body waits for.
#[derive(Clone, Default)]
struct Event(Rc<(Cell<bool>, RefCell<Option<Waker>>)>);

impl Event {
    fn set(&self) {
        self.0.0.set(true);
        if let Some(waker) = self.0.1.take() {
            waker.wake();
        }
    }

    fn wait(&self) -> impl Future<Output = ()> + use<> {
        let Self(event) = self.clone();
        poll_fn(move |cx| {
            if event.0.get() {
                return Poll::Ready(());
            }
            *event.1.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}

async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if core::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A body as large as a hundred words, at an address that must not change.
struct Large {
    body: Boxed<usize>,
    address: Cell<Option<usize>>,
    _large: [usize; 100],
}

impl Large {
    fn check_address(&self) {
        let address = (&raw const *self).addr();
        assert_eq!(self.address.replace(Some(address)).unwrap_or(address), address, "it has moved");
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        self.check_address();
    }
}

impl JobHandle for Large {
    type Output = usize;

    const INLINE: bool = true;

    fn watch(self: Pin<&mut Self>, _cx: &mut Context<'_>) {}

    fn poll_outcome(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<usize>> {
        self.check_address();
        self.body.0.as_mut().poll(cx).map(Outcome::Ok)
    }

    fn mark_cancelled(self: Pin<&Self>) {}

    fn cancel(self: Pin<&mut Self>) -> bool {
        true
    }

    fn expire(self: Pin<&mut Self>) -> bool {
        true
    }

    fn rank(self: Pin<&Self>, index: usize) -> Option<usize> {
        Some(index)
    }

    fn sequence(&self) -> usize {
        0
    }

    fn next_sequence() -> usize {
        0
    }
}

#[test]
fn a_set_that_grows_and_shrinks_keeps_every_body_and_its_index() {
    let (mut set, mut random, mut started) = (FutureSet::new(), 1_usize, 0);
    // By index, who wakes the bodies that run, and when they may complete.
    let wakers = Rc::new(RefCell::new(BTreeMap::<usize, Waker>::new()));
    let (bursts, most) = if cfg!(miri) { (3, 600) } else { (60, 4000) };
    for burst in 0..bursts {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let burst_of = started..started + (random >> 33) % most;
        for index in burst_of {
            let wakers = wakers.clone();
            let mut polls = 0;
            let body = poll_fn(move |cx| {
                polls += 1;
                // Some are ready at once, so that indices are not consecutive.
                if polls == 2 || burst % 3 == 1 && index % 7 == 0 {
                    return Poll::Ready(index);
                }
                wakers.borrow_mut().insert(index, cx.waker().clone());
                Poll::Pending
            });
            let mut large =
                Some(Large { body: Boxed::new(body), address: Cell::new(None), _large: [0; 100] });
            let next = || match large.take() {
                Some(large) => ControlFlow::Continue((index, large)),
                None => ControlFlow::Break(()),
            };
            let last = set.start(None, 1, next, |_index, large| large, check_index);
            let _: ControlFlow<()> = last.map_continue(drop);
            started = index + 1;
        }
        assert_eq!(set.len(), wakers.borrow().len());
        // All but some stay, in an order of their own.
        let stays = |index: &usize| burst % 5 == 4 || index % 97 != burst % 97;
        let woken: Vec<_> = wakers.borrow().keys().copied().filter(stays).collect();
        for at in 0..woken.len() {
            let index = woken[if burst % 2 == 0 { at } else { woken.len() - 1 - at }];
            wakers.borrow_mut().remove(&index).unwrap().wake();
            if at % 1000 == 0 || at + 1 == woken.len() {
                while set.next_round() {
                    assert!(set.poll_round(&mut 0, usize::MAX, check_index).is_continue());
                }
            }
        }
        assert_eq!(set.indices(), wakers.borrow().keys().copied().collect::<Vec<_>>());
    }
}

fn check_index(Completion { index, outcome, .. }: Completion<usize>) -> ControlFlow<()> {
    assert_eq!(outcome.ok(), Some(index));
    ControlFlow::Continue(())
}

/// Collects completions, and never stops the loop.
fn into<T>(
    completed: &mut Vec<(usize, T)>,
) -> impl FnMut(Completion<T>) -> ControlFlow<()> + use<'_, T> {
    |Completion { index, outcome, .. }| {
        completed.push((index, outcome.ok().expect("the body returned")));
        ControlFlow::Continue(())
    }
}

/// Starts all bodies.
fn start<T>(set: &mut FutureSet<Boxed<T>>, bodies: Vec<Boxed<T>>, completed: &mut Vec<(usize, T)>) {
    let mut bodies = bodies.into_iter().enumerate();
    let next = || match bodies.next() {
        Some(body) => ControlFlow::Continue(body),
        None => ControlFlow::Break(()),
    };
    assert!(set.start(None, usize::MAX, next, |_index, body| body, into(completed)).is_break());
}

/// Polls every body that was woken, and those that these wake, until none is left. Returns the number of
/// rounds.
fn run_rounds<T>(set: &mut FutureSet<Boxed<T>>, completed: &mut Vec<(usize, T)>) -> usize {
    let mut rounds = 0;
    while set.next_round() {
        rounds += 1;
        let mut polls = 0;
        assert!(set.poll_round(&mut polls, usize::MAX, into(completed)).is_continue());
        assert!(!set.is_round_in_progress());
    }
    rounds
}

#[test]
fn three_bodies_complete_at_their_start_in_a_round_and_after_a_wake_between_rounds() {
    let parent = Arc::new(Parent::default());
    let waker = Waker::from(parent.clone());
    let cx = Context::from_waker(&waker);
    let event = Event::default();
    let waits = {
        let wait = event.wait();
        async move {
            wait.await;
            'a'
        }
    };
    let yields = async {
        yield_once().await;
        'c'
    };
    let bodies = vec![Boxed::new(waits), Boxed::new(ready('b')), Boxed::new(yields)];

    let (mut set, mut completed) = (FutureSet::new(), Vec::new());
    start(&mut set, bodies, &mut completed);
    assert_eq!(completed, [(1, 'b')]);
    assert_eq!(set.len(), 2);

    // The third body has woken itself: it is polled in the first round, and the loop may sleep after it.
    assert!(!set.sleep(&cx));
    assert_eq!(run_rounds(&mut set, &mut completed), 1);
    assert_eq!(completed, [(1, 'b'), (2, 'c')]);
    assert!(set.sleep(&cx));

    // A wake between rounds wakes the parent, and the next round has the body.
    assert_eq!(parent.0.load(Ordering::Relaxed), 0);
    event.set();
    assert_eq!(parent.0.load(Ordering::Relaxed), 1);
    assert_eq!(run_rounds(&mut set, &mut completed), 1);
    assert_eq!(completed, [(1, 'b'), (2, 'c'), (0, 'a')]);
    assert!(set.is_empty());
}

#[test]
fn a_cancelled_set_has_dropped_its_bodies_and_ignores_their_wakes() {
    let cx = Context::from_waker(Waker::noop());
    let event = Event::default();
    let held = Rc::new(());
    let waits = || {
        let (wait, held) = (event.wait(), held.clone());
        async move {
            wait.await;
            drop(held);
        }
    };
    let (mut set, mut completed) = (FutureSet::new(), Vec::new());
    let bodies = vec![Boxed::new(waits()), Boxed::new(ready(())), Boxed::new(pending())];
    start(&mut set, bodies, &mut completed);
    assert_eq!((completed.len(), set.indices()), (1, vec![0, 2]));
    assert_eq!(Rc::strong_count(&held), 2);

    set.cancel(|panic| panic!("a destructor panicked: {panic}"));
    assert!(set.is_empty());
    assert_eq!(Rc::strong_count(&held), 1);
    assert!(set.poll_wait_groups(&mut { cx }).is_ready());

    event.set();
    assert_eq!(run_rounds(&mut set, &mut completed), 0);
    assert_eq!(completed.len(), 1);
}
