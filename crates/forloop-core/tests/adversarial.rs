//! What a careful engine must survive: bodies of odd shapes, wakers in odd places, destructors that
//! panic, loops that are forgotten, and callbacks that come back. Run under Miri and the sanitizers.

#![forbid(unsafe_code)]
#![allow(clippy::waker_clone_wake, reason = "to clone and to wake by value are what is tried")]

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::future::{pending, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use forloop_core as forloop;
use futures_lite::future::{block_on, yield_now};
use futures_lite::stream;

/// Polls once, with a waker that does nothing.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Checks at each poll that a value of any type stays where it was, at an address that its type permits.
async fn stays<T>(index: usize, body: T) -> usize {
    let at = (&raw const body).addr();
    for _ in 0..3 {
        yield_now().await;
        assert_eq!((&raw const body).addr(), at);
        assert_eq!(at % align_of::<T>(), 0);
    }
    index
}

#[test]
fn bodies_of_any_size_and_alignment_stay_where_they_are() {
    #[derive(Clone, Copy)]
    #[repr(align(128))]
    struct Aligned(#[expect(dead_code, reason = "it takes room")] u8);
    #[derive(Clone, Copy)]
    #[repr(align(4096))]
    struct PageAligned;

    let all: Vec<_> = (0..150).collect();
    assert_eq!(block_on(forloop::gather((0..150).map(|n| stays(n, Aligned(1))))), all);
    assert_eq!(block_on(forloop::gather((0..150).map(|n| stays(n, PageAligned)))), all);
    assert_eq!(block_on(forloop::gather((0..150).map(|n| stays(n, [7_u8; 10_000])))), all);
    let looping = forloop::each(0..150).limit(65).unwrap();
    assert_eq!(block_on(looping.gather(|n| stays(n, Aligned(1)))), all);
}

#[test]
fn bodies_without_size_are_each_polled_and_dropped() {
    thread_local! {
        static DROPPED: Cell<usize> = const { Cell::new(0) };
    }
    struct Nothing;
    impl Future for Nothing {
        type Output = ();
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
    impl Drop for Nothing {
        fn drop(&mut self) {
            DROPPED.set(DROPPED.get() + 1);
        }
    }
    let made = Cell::new(0);
    {
        let bodies = (0..1000).map(|_| {
            made.set(made.get() + 1);
            Nothing
        });
        let mut looping = pin!(forloop::gather(bodies));
        (0..20).for_each(|_| assert!(poll(looping.as_mut()).is_pending()));
        assert!(made.get() > 100);
    }
    assert_eq!(DROPPED.get(), made.get());
}

#[test]
fn a_source_with_a_wrong_size_hint_only_costs_memory() {
    struct Lying(usize, (usize, Option<usize>));
    impl Iterator for Lying {
        type Item = usize;
        fn next(&mut self) -> Option<usize> {
            self.0 = self.0.checked_sub(1)?;
            Some(self.0)
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            self.1
        }
    }
    let hints = [(0, None), (0, Some(0)), (5, Some(3)), (usize::MAX, None), (usize::MAX, Some(1))];
    for hint in hints {
        let looping = forloop::each(Lying(200, hint)).unbounded();
        let sum = block_on(looping.gather(|n| async move {
            yield_now().await;
            n
        }));
        assert_eq!(sum.len(), 200);
        let queue = forloop::each_stream(forloop::WorkQueue::new(Lying(200, hint))).unbounded();
        assert_eq!(block_on(queue.gather(async |n| *n)).len(), 200);
        let futures = Lying(200, hint).map(|n| async move { n });
        assert_eq!(forloop::task_list(&Thrown, futures).len(), 200);
    }
}

/// A runtime that drops what it is given.
struct Thrown;

impl forloop::Spawn for Thrown {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(future);
    }
}

#[test]
fn a_body_may_run_a_loop_of_its_own_and_wake_a_sibling_from_there() {
    let sibling = RefCell::new(None::<Waker>);
    let woken = Cell::new(false);
    let first = async {
        poll_fn(|cx| {
            *sibling.borrow_mut() = Some(cx.waker().clone());
            if woken.get() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    };
    let second = async {
        yield_now().await;
        let inner = (0..100).map(|n| {
            let (sibling, woken) = (&sibling, &woken);
            async move {
                yield_now().await;
                if n == 70 {
                    woken.set(true);
                    sibling.borrow().as_ref().unwrap().wake_by_ref();
                }
            }
        });
        block_on(forloop::gather(inner));
    };
    let bodies: [Pin<Box<dyn Future<Output = ()>>>; 2] = [Box::pin(first), Box::pin(second)];
    block_on(forloop::gather(bodies));
}

#[test]
fn a_body_may_poll_a_loop_that_it_holds_and_drop_it_before_it_completes() {
    let some = if cfg!(miri) { 12 } else { 70 };
    let wakers = RefCell::new(Vec::new());
    block_on(forloop::gather((0..some).map(|n| {
        let wakers = &wakers;
        async move {
            let mut held = Box::pin(forloop::gather((0..some).map(move |m| {
                poll_fn(move |cx| {
                    wakers.borrow_mut().push(cx.waker().clone());
                    if m == n { Poll::Ready(()) } else { Poll::Pending }
                })
            })));
            for _ in 0..2 {
                assert!(poll(held.as_mut()).is_pending());
                // Wakers of this loop and of its siblings' loops, some of which were dropped.
                wakers.borrow().iter().step_by(7).for_each(Waker::wake_by_ref);
                yield_now().await;
            }
        }
    })));
    wakers.into_inner().into_iter().for_each(Waker::wake);
}

#[test]
fn threads_may_borrow_a_waker_while_its_body_is_polled() {
    let polls = AtomicUsize::new(0);
    block_on(forloop::gather((0..5).map(|_| {
        let mut times = 3;
        let polls = &polls;
        poll_fn(move |cx| {
            polls.fetch_add(1, SeqCst);
            let waker = cx.waker();
            thread::scope(|scope| {
                scope.spawn(|| waker.wake_by_ref());
                scope.spawn(|| waker.clone().wake());
                waker.wake_by_ref();
            });
            times -= 1;
            if times == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
    })));
    // Three wakes at once are one poll each: they were of the same moment, or seen a round later.
    assert_eq!(polls.load(SeqCst), 15);
}

#[test]
fn a_loop_may_be_polled_by_one_thread_after_another() {
    let looping = forloop::gather((0..100).map(|n| stays(n, [n; 3])));
    let mut looping = Some(Box::pin(looping));
    let outputs = loop {
        let mut going = looping.take().unwrap();
        let polled = thread::scope(|scope| {
            scope
                .spawn(|| match poll(going.as_mut()) {
                    Poll::Ready(outputs) => Ok(outputs),
                    Poll::Pending => Err(going),
                })
                .join()
                .unwrap()
        });
        match polled {
            Ok(outputs) => break outputs,
            Err(going) => looping = Some(going),
        }
    };
    assert_eq!(outputs, (0..100).collect::<Vec<_>>());
}

/// Stores its waker in the list, and never completes.
fn stores_waker(wakers: &Mutex<Vec<Waker>>) -> impl Future<Output = ()> {
    poll_fn(|cx| {
        wakers.lock().unwrap().push(cx.waker().clone());
        Poll::Pending
    })
}

#[test]
fn wakers_may_be_woken_after_their_loop_was_forgotten_or_dropped() {
    for forget in [false, true] {
        let wakers = Arc::new(Mutex::new(Vec::new()));
        let theirs = wakers.clone();
        let bodies = (0..200).map(move |_| {
            let wakers = theirs.clone();
            async move { stores_waker(&wakers).await }
        });
        let mut looping = Box::pin(forloop::gather(bodies));
        assert!(poll(looping.as_mut()).is_pending());
        if forget {
            // Kept where a leak checker finds a pointer to it.
            static FORGOTTEN: Mutex<Vec<Pin<Box<dyn Future<Output = Vec<()>> + Send>>>> =
                Mutex::new(Vec::new());
            FORGOTTEN.lock().unwrap().push(looping);
        } else {
            drop(looping);
        }
        let mut wakers = mem::take(&mut *wakers.lock().unwrap());
        let there = wakers.split_off(100);
        thread::spawn(|| there.into_iter().for_each(Waker::wake)).join().unwrap();
        wakers.into_iter().for_each(|waker| waker.clone().wake());
    }
}

#[test]
fn a_waker_may_be_woken_by_a_thread_that_ends() {
    struct AtExit(Option<Waker>);
    impl Drop for AtExit {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(Waker::wake);
        }
    }
    thread_local! {
        static AT_EXIT: RefCell<AtExit> = const { RefCell::new(AtExit(None)) };
    }
    block_on(forloop::gather((0..3).map(|_| {
        let mut has_started = false;
        poll_fn(move |cx| {
            if mem::replace(&mut has_started, true) {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            thread::spawn(move || AT_EXIT.with_borrow_mut(|at_exit| at_exit.0 = Some(waker)));
            Poll::Pending
        })
    })));
}

/// Wakes and drops the wakers of its siblings when it is dropped, and may then panic.
struct WakesOnDrop<'a> {
    wakers: &'a RefCell<Vec<Waker>>,
    dropped: &'a Cell<usize>,
    panics: bool,
}

impl Drop for WakesOnDrop<'_> {
    fn drop(&mut self) {
        self.dropped.set(self.dropped.get() + 1);
        let waker = self.wakers.borrow_mut().pop();
        waker.into_iter().for_each(Waker::wake);
        self.wakers.borrow().iter().for_each(Waker::wake_by_ref);
        assert!(!self.panics, "a destructor panics");
    }
}

#[test]
fn destructors_may_wake_siblings_and_panic() {
    for when_polled in [false, true] {
        let (wakers, dropped) = (RefCell::new(Vec::new()), Cell::new(0));
        let bodies = (0..130).map(|n| {
            let on_drop = WakesOnDrop { wakers: &wakers, dropped: &dropped, panics: n % 40 == 3 };
            let mut polls = 0;
            poll_fn(move |cx| {
                polls += 1;
                // The closure captures all of it.
                let on_drop = &on_drop;
                on_drop.wakers.borrow_mut().push(cx.waker().clone());
                if when_polled && polls > 1 && n == 3 { Poll::Ready(()) } else { Poll::Pending }
            })
        });
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut looping = Box::pin(forloop::gather(bodies));
            assert!(poll(looping.as_mut()).is_pending());
            wakers.borrow().iter().for_each(Waker::wake_by_ref);
            assert!(poll(looping.as_mut()).is_pending());
        }));
        assert!(result.is_err());
        assert_eq!(dropped.get(), 130);
        wakers.into_inner().into_iter().for_each(Waker::wake);
    }
}

#[test]
fn a_parent_may_wake_the_bodies_when_it_is_woken_or_dropped() {
    #[derive(Default)]
    struct WakesBodies(Mutex<Vec<Waker>>, AtomicUsize);
    impl WakesBodies {
        fn wake_bodies(&self) {
            let wakers = self.0.lock().map(|wakers| wakers.clone()).unwrap();
            if self.1.fetch_add(1, SeqCst) < 5 {
                wakers.iter().for_each(Waker::wake_by_ref);
            }
        }
    }
    struct Parent(Arc<WakesBodies>);
    impl Wake for Parent {
        fn wake(self: Arc<Self>) {
            self.0.wake_bodies();
        }
    }
    impl Drop for Parent {
        fn drop(&mut self) {
            self.0.wake_bodies();
        }
    }
    let shared = Arc::new(WakesBodies::default());
    let mut looping = Box::pin(forloop::gather((0..70).map(|_| stores_waker(&shared.0))));
    for _ in 0..10 {
        // Another parent each time: the one before is dropped while the loop goes to sleep.
        let parent = Waker::from(Arc::new(Parent(shared.clone())));
        assert!(looping.as_mut().poll(&mut Context::from_waker(&parent)).is_pending());
        drop(parent);
        let first = shared.0.lock().unwrap()[0].clone();
        first.wake();
    }
    drop(looping);
    mem::take(&mut *shared.0.lock().unwrap()).into_iter().for_each(Waker::wake);
}

#[test]
fn will_wake_is_true_for_wakers_of_the_same_body_only() {
    let wakers = Mutex::new(Vec::new());
    let mut looping = pin!(forloop::gather((0..200).map(|_| stores_waker(&wakers))));
    assert!(poll(looping.as_mut()).is_pending());
    let wakers = mem::take(&mut *wakers.lock().unwrap());
    let data: HashSet<_> = wakers.iter().map(|waker| waker.data().addr()).collect();
    assert_eq!(data.len(), wakers.len());
    assert!(wakers[0].will_wake(&wakers[0].clone()) && !wakers[0].will_wake(&wakers[1]));
}

#[test]
fn the_first_waker_of_a_loop_may_be_used_on_any_thread_while_its_body_is_polled() {
    for stays in [false, true] {
        let polls = Cell::new(0);
        let kept = Mutex::new(Vec::new());
        let first = poll_fn(|cx| {
            polls.set(polls.get() + 1);
            if polls.get() == 2 {
                return Poll::Ready(());
            }
            let waker = cx.waker();
            thread::scope(|scope| {
                scope.spawn(|| waker.wake_by_ref());
                scope.spawn(|| waker.clone().wake());
                scope.spawn(|| kept.lock().unwrap().push(waker.clone()));
            });
            kept.lock().unwrap().push(waker.clone());
            if stays { Poll::Pending } else { Poll::Ready(()) }
        });
        let others =
            (1..3).map(|_| Box::pin(yield_now()) as Pin<Box<dyn Future<Output = ()> + '_>>);
        let all = [Box::pin(first) as Pin<Box<dyn Future<Output = ()> + '_>>];
        block_on(forloop::gather(all.into_iter().chain(others)));
        assert_eq!(polls.get(), 1 + usize::from(stays));
        let kept = kept.into_inner().unwrap();
        assert!(kept[0].will_wake(&kept[1]));
        kept.into_iter().for_each(Waker::wake);
    }
}

#[test]
fn a_dropped_stream_drops_the_results_that_were_not_taken() {
    let alive = Arc::new(());
    let mut results = forloop::each(0..200).limit(70).unwrap().stream({
        let alive = alive.clone();
        move |n| {
            let alive = alive.clone();
            async move {
                if n == 100 {
                    pending::<()>().await;
                }
                yield_now().await;
                alive
            }
        }
    });
    block_on(async {
        for _ in 0..50 {
            stream::StreamExt::next(&mut results).await.unwrap();
        }
    });
    drop(results);
    assert_eq!(Arc::strong_count(&alive), 1);
}
