//! Law 6 in bytes: a loop holds memory for what is there, and not for its limit or for what was there before.
//!
//! What is counted is what the test's own thread allocates. Other threads of the process do not change a figure.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::hint::black_box;
use std::mem::take;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use allocation_counter::measure;
use forloop::{LocalScope, TaskSet, WorkQueue, each, each_stream, local_scope, wait};
use forloop_conformance::yields;
use futures_lite::future::block_on;
use futures_lite::{Stream, StreamExt};

/// What a body of the first test returns, or holds while it runs.
type Large = [u8; 4096];

fn most_held<F: Future>(make: impl FnOnce() -> F) -> u64 {
    measure(|| drop(black_box(block_on(make())))).bytes_max
}

/// The most bytes that a loop of ten items holds at once, for each strategy that keeps outputs or bodies.
fn held_by_ten(limit: usize) -> [u64; 9] {
    let looping = || each(0..10).limit(limit).unwrap();
    let returns = async |_| {
        yields(1).await;
        black_box([1; size_of::<Large>()])
    };
    let holds = async |_| {
        let large: Large = black_box([1; size_of::<Large>()]);
        yields(1).await;
        drop(black_box(large.to_vec()));
    };
    let step = async |_: Large| yields(1).await;
    [
        most_held(|| looping().stream(returns).for_each(step)),
        most_held(|| looping().stream_unordered(returns).for_each(step)),
        most_held(|| looping().as_completed(returns).for_each(async |_| yields(1).await)),
        most_held(|| looping().stream(returns).consume(|_results| yields(30))),
        most_held(|| looping().gather(returns)),
        most_held(|| looping().settle(async |n| Ok::<_, Infallible>(returns(n).await))),
        most_held(|| looping().for_each(holds)),
        most_held(|| looping().with_parent_waker().for_each(holds)),
        most_held(|| looping().race(returns)),
    ]
}

#[test]
fn a_loop_holds_memory_for_what_is_there_and_not_for_its_limit() {
    let _warm_up = held_by_ten(10);
    let ten = held_by_ten(10);
    // Ten outputs or bodies, a buffer that has doubled, and the outputs on their way.
    let bound = 40 * size_of::<Large>() as u64;
    assert!(ten.iter().all(|&bytes| bytes < bound), "{ten:?}");
    for limit in [11, 63, 64, 1023, 1024, 1025, 100_000, usize::MAX] {
        assert_eq!(held_by_ten(limit), ten, "limit {limit}");
    }
}

/// What a body holds while it runs.
const HELD: usize = 2700;

/// How many bodies run at once during a burst.
const BURST: usize = 20_000;

/// The bodies of an endless loop, and when each may complete.
#[derive(Default)]
struct Gate {
    /// How many items the source has given.
    given: Cell<usize>,
    /// How many it may give.
    allowed: Cell<usize>,
    /// Who waits for it to give more.
    puller: RefCell<Option<Waker>>,
    /// The bodies below this number complete.
    open: Cell<usize>,
    /// Every body with a number that this divides stays.
    stays: usize,
    wakers: RefCell<Vec<(usize, Waker)>>,
}

impl Gate {
    /// A source that gives the items that it may.
    fn source(self: Rc<Self>) -> impl Stream<Item = usize> {
        futures_lite::stream::poll_fn(move |cx| {
            let next = self.given.get();
            if next == self.allowed.get() {
                self.puller.replace(Some(cx.waker().clone()));
                return Poll::Pending;
            }
            self.given.set(next + 1);
            Poll::Ready(Some(next))
        })
    }

    /// A body that holds memory until it may complete.
    async fn body(self: Rc<Self>, number: usize) {
        let held = black_box([1_u8; HELD]);
        poll_fn(|cx| {
            if number < self.open.get() && !(number + 1).is_multiple_of(self.stays) {
                return Poll::Ready(());
            }
            self.wakers.borrow_mut().push((number, cx.waker().clone()));
            Poll::Pending
        })
        .await;
        black_box(&held);
    }

    /// Lets the source give items up to `allowed`.
    fn allow(&self, allowed: usize) {
        self.allowed.set(allowed);
        self.puller.take().into_iter().for_each(Waker::wake);
    }

    /// Lets the bodies below `open` complete.
    fn open(&self, open: usize) {
        self.open.set(open);
        let wakers = take(&mut *self.wakers.borrow_mut());
        let (woken, others) = wakers.into_iter().partition(|&(number, _)| number < open);
        *self.wakers.borrow_mut() = others;
        let woken: Vec<_> = woken;
        woken.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

/// A task that was woken since it was last polled.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// Polls a loop until it sleeps.
fn run_until_it_sleeps(mut looping: Pin<&mut dyn Future<Output = ()>>) {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    while woken.0.swap(false, SeqCst) {
        assert!(looping.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
}

/// An endless loop.
type Endless = Pin<Box<dyn Future<Output = ()>>>;

/// The bytes that a loop holds while five bodies run, before and after a burst.
fn held_before_and_after_a_burst(
    stays: usize,
    (name, looping): (&str, fn(Rc<Gate>) -> Endless),
) -> (i64, i64) {
    let gate = Rc::new(Gate { stays, ..Gate::default() });
    let mut looping = looping(gate.clone());
    let mut held = 0;
    let mut bodies = |started: usize, open: usize| {
        let change = measure(|| {
            gate.allow(started);
            gate.open(open);
            run_until_it_sleeps(looping.as_mut());
        });
        held += change.bytes_current;
        held - (gate.wakers.borrow().capacity() * size_of::<(usize, Waker)>()) as i64
    };
    let before = bodies(5, 0);
    let most = bodies(BURST, 0);
    assert!(most > (BURST * HELD) as i64, "{name}: {most} bytes held in the burst");
    bodies(BURST, BURST - 5);
    // The loop continues with few bodies.
    for number in BURST..BURST + 200 {
        bodies(number, number - 5);
    }
    let after = bodies(BURST + 200, BURST + 195);
    (before, after)
}

/// Endless loops, in every place of the caller's task and with every kind of consumer.
fn endless() -> Vec<(&'static str, fn(Rc<Gate>) -> Endless)> {
    fn items(gate: &Rc<Gate>) -> impl Stream<Item = usize> + use<> {
        gate.clone().source()
    }
    vec![
        ("for_each", |gate| {
            Box::pin(each_stream(items(&gate)).unbounded().for_each(move |n| gate.clone().body(n)))
        }),
        ("limit", |gate| {
            let looping = each_stream(items(&gate)).limit(10 * BURST).unwrap();
            Box::pin(looping.for_each(move |n| gate.clone().body(n)))
        }),
        ("cancel_on", |gate| {
            let looping = each_stream(items(&gate)).unbounded().cancel_on(pending::<()>());
            Box::pin(async move { drop(looping.for_each(move |n| gate.clone().body(n)).await) })
        }),
        ("parent waker", |gate| {
            let looping = each_stream(items(&gate)).unbounded().with_parent_waker();
            Box::pin(looping.for_each(move |n| gate.clone().body(n)))
        }),
        ("stream", |gate| {
            let results =
                each_stream(items(&gate)).unbounded().stream(move |n| gate.clone().body(n));
            Box::pin(async move {
                pin!(results).count().await;
            })
        }),
        ("consume", |gate| {
            let results =
                each_stream(items(&gate)).unbounded().stream(move |n| gate.clone().body(n));
            Box::pin(results.for_each(async |()| ()))
        }),
        ("consume unordered", |gate| {
            let looping = each_stream(items(&gate)).unbounded();
            Box::pin(
                looping.stream_unordered(move |n| gate.clone().body(n)).for_each(async |()| ()),
            )
        }),
        ("wait", |gate| {
            Box::pin(async move {
                let mut source = pin!(items(&gate));
                let mut set = TaskSet::new([]);
                loop {
                    let received = poll_fn(|cx| {
                        let mut received = false;
                        while let Poll::Ready(Some(n)) = source.as_mut().poll_next(cx) {
                            set.push(gate.clone().body(n));
                            received = true;
                        }
                        let waited = pin!(wait(&mut set).first_completed()).poll(cx).is_ready();
                        black_box((received, waited));
                        Poll::Pending
                    });
                    let () = received.await;
                }
            })
        }),
        ("scope", |gate| {
            Box::pin(async move {
                let group = local_scope(|scope: LocalScope<'_, ()>| async move {
                    let mut source = pin!(items(&gate));
                    while let Some(n) = source.next().await {
                        let body = gate.clone().body(n);
                        scope.spawn(async move {
                            body.await;
                            Ok(())
                        });
                    }
                    Ok(())
                });
                group.await.unwrap();
            })
        }),
    ]
}

#[test]
fn memory_falls_with_the_bodies_that_run() {
    for (name, looping) in endless() {
        let (before, after) = held_before_and_after_a_burst(usize::MAX, (name, looping));
        // What is kept at least, and what wakers point to, which may outlive the bodies.
        let kept = (256 << 10) + 16 * BURST as i64;
        assert!(
            after <= before + kept,
            "{name}: {before} bytes before the burst, {after} after it"
        );
    }
}

#[test]
fn a_body_that_stays_keeps_the_memory_of_few_others() {
    let stays = 1000;
    for (name, looping) in endless() {
        let (before, after) = held_before_and_after_a_burst(stays, (name, looping));
        let kept = (256 << 10) + 16 * BURST as i64 + (BURST / stays * (64 << 10)) as i64;
        assert!(
            after <= before + 2 * kept,
            "{name}: {before} bytes before the burst, {after} after it"
        );
    }
}

/// Bytes that are still held at the end, of what the step between the two calls allocated.
fn kept(step: impl FnOnce()) -> i64 {
    measure(step).bytes_current
}

#[test]
fn a_queue_of_work_that_was_emptied_keeps_little_memory() {
    for is_lifo in [false, true] {
        let queue = WorkQueue::new([]);
        let mut queue = pin!(if is_lifo { queue.lifo() } else { queue });
        let handle = queue.handle();
        let kept = kept(|| {
            for n in 0..100_000_u32 {
                assert!(handle.push([n; 64]));
            }
            for _ in 0..100_000 {
                drop(block_on(queue.next()));
            }
        });
        assert!(kept < 256 << 10, "{kept} bytes");
    }
}

#[test]
fn results_that_were_consumed_keep_little_memory() {
    let stays = Cell::new(true);
    let is_over = || poll_fn(|_| if stays.get() { Poll::Pending } else { Poll::Ready(()) });
    let looping = each(0..20_001).unbounded().stream_unordered(async |n| {
        if n == 0 {
            is_over().await;
        }
        black_box([n; 128])
    });
    let consumed = looping.consume(async |mut results| {
        // Until all are queued.
        yields(1000).await;
        for _ in 0..20_000 {
            black_box(results.next().await);
        }
        pending::<()>().await;
    });
    let mut consumed = pin!(consumed);
    let change = measure(|| run_until_it_sleeps(consumed.as_mut()));
    assert!(change.bytes_max > 20_000 * 512, "{} bytes at most", change.bytes_max);
    assert!(change.bytes_current < 1 << 20, "{} bytes", change.bytes_current);
}
