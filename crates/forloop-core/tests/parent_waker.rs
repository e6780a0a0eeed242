//! Loops whose bodies are polled with the waker of the task that polls the loop: which waker each part sees,
//! how often bodies are polled, and what the in-task laws demand of bodies that have wakers of their own.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use forloop_core::places::ParentWaker;
use forloop_core::{Cause, Loop, Outcome, TaskSet, Timer, each, each_stream, try_each, wait};
use futures_lite::future::{poll_once, yield_now};
use futures_lite::{Stream, StreamExt};

/// A host that knows its wakers: it polls one future with one waker, and its timers panic if they are
/// polled with another, as embassy's do.
#[derive(Clone)]
struct Host {
    task: Waker,
    flag: Arc<Flag>,
    clock: Arc<Mutex<Clock>>,
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

#[derive(Default)]
struct Clock {
    now: Duration,
    alarms: Vec<(Duration, Waker)>,
    polls: usize,
}

const REFUSES: &str = "the waker is not one of this host";

impl Host {
    fn new() -> Self {
        let flag = Arc::new(Flag::default());
        Self { task: flag.clone().into(), flag, clock: Arc::default() }
    }

    /// Refuses a waker that is not the host's.
    fn check(&self, cx: &Context<'_>) {
        self.clock.lock().unwrap().polls += 1;
        assert!(cx.waker().will_wake(&self.task), "{REFUSES}");
    }

    /// Checks one poll.
    async fn checked(&self) {
        poll_fn(|cx| {
            self.check(cx);
            Poll::Ready(())
        })
        .await;
    }

    async fn millis(&self, n: u64) -> u64 {
        self.sleep(Duration::from_millis(n)).await;
        n
    }

    /// Polls a future whenever its task is woken. While it is not, the clock advances to the next alarm. Returns
    /// the output and the number of polls.
    fn run<F: Future>(&self, future: F) -> (F::Output, usize) {
        let mut future = pin!(future);
        for polls in 1.. {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&self.task))
            {
                return (output, polls);
            }
            while !self.flag.0.swap(false, SeqCst) {
                let mut clock = self.clock.lock().unwrap();
                let next = clock.alarms.iter().map(|&(at, _)| at).min();
                clock.now = next.expect("the task has been woken, or an alarm is set");
                let now = clock.now;
                let (over, left) =
                    std::mem::take(&mut clock.alarms).into_iter().partition(|&(at, _)| at <= now);
                clock.alarms = left;
                drop(clock);
                let over: Vec<(Duration, Waker)> = over;
                over.into_iter().for_each(|(_, waker)| waker.wake());
            }
        }
        unreachable!("no future is polled that often")
    }
}

impl Timer for Host {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let host = self.clone();
        let until = self.now() + duration;
        poll_fn(move |cx| {
            host.check(cx);
            let mut clock = host.clock.lock().unwrap();
            if clock.now >= until {
                return Poll::Ready(());
            }
            clock.alarms.push((until, cx.waker().clone()));
            Poll::Pending
        })
    }

    fn now(&self) -> Duration {
        self.clock.lock().unwrap().now
    }
}

/// A loop over milliseconds to sleep.
fn sleeps<const N: usize>(
    millis: [u64; N],
) -> Loop<
    forloop_core::types::Iter<std::array::IntoIter<u64, N>>,
    ParentWaker,
    forloop_core::types::Bounded,
> {
    each(millis).limit(2).unwrap().with_parent_waker()
}

#[test]
fn every_strategy_polls_its_bodies_with_the_callers_waker() {
    let host = &Host::new();
    let body = async |n| host.millis(n).await;
    let tried =
        async |n| if n == 20 { Err(host.millis(n).await) } else { Ok(host.millis(n).await) };
    host.run(async {
        assert_eq!(sleeps([30, 10, 20]).gather(body).await, [30, 10, 20]);
        let error = sleeps([30, 10, 20]).try_gather(tried).await.unwrap_err();
        assert_eq!(error.first().unwrap().error, 20);
        let settled = sleeps([30, 10, 20]).settle(tried).await;
        assert!(matches!(settled[..], [Outcome::Ok(30), Outcome::Ok(10), Outcome::Err(20)]));
        sleeps([30, 10, 20]).for_each(async |n| drop(body(n).await.to_string())).await;
        let each = sleeps([30, 10, 20]).try_for_each(async |n| tried(n).await.map(drop)).await;
        assert!(each.is_err());
        assert_eq!(sleeps([30, 10, 20]).race(body).await.unwrap(), (1, 10));
        assert_eq!(sleeps([20, 10, 20]).race_ok(tried).await.unwrap(), (1, 10));
        assert_eq!(sleeps([30, 10, 20]).stream(body).collect::<Vec<_>>().await, [30, 10, 20]);
        let unordered = sleeps([30, 10, 5]).stream_unordered(body).collect::<Vec<_>>().await;
        assert_eq!(unordered, [10, 5, 30]);
        let completed = sleeps([30, 10, 5]).as_completed(body).collect::<Vec<_>>().await;
        assert_eq!(completed, [(1, 10), (2, 5), (0, 30)]);
        let mut running = TaskSet::at(&ParentWaker, [30, 10].map(body));
        let (done, pending) = wait(&mut running).first_completed().await;
        assert_eq!((done[0].index, pending.len()), (1, 1));
        assert_eq!(wait(pending).timer(host).timeout(Duration::from_millis(5)).await.0.len(), 0);
        assert_eq!(wait(&mut running).await.0.len(), 1);
    });
    assert!(host.clock.lock().unwrap().polls > 50, "the timers were asked");
}

#[test]
fn a_consumer_its_steps_and_the_source_are_polled_with_the_callers_waker() {
    let host = &Host::new();
    let body = async |n| host.millis(n).await;
    let steps = Cell::new(0);
    let mut source = [30, 10, 20].into_iter();
    let mut due = None;
    let source = futures_lite::stream::poll_fn(|cx| {
        host.check(cx);
        let sleep = due.get_or_insert_with(|| Box::pin(host.sleep(Duration::from_millis(3))));
        std::task::ready!(sleep.as_mut().poll(cx));
        due = None;
        Poll::Ready(source.next())
    });
    host.run(async {
        let looping = each_stream(source).limit(2).unwrap().with_parent_waker();
        let step = async |_| {
            host.millis(7).await;
            steps.set(steps.get() + 1);
        };
        looping.as_completed(body).for_each(step).await;
        let sum = sleeps([30, 10, 20]).stream(body).consume(async |mut feed| {
            let mut sum = 0;
            while let Some(n) = feed.next().await {
                sum += n + host.millis(1).await;
            }
            host.checked().await;
            sum
        });
        assert_eq!(sum.await, 63);
    });
    assert_eq!(steps.get(), 3);
}

#[test]
fn the_timers_and_signals_of_options_are_polled_with_the_callers_waker() {
    let host = &Host::new();
    let time = Duration::from_millis(15);
    host.run(async {
        let body = async |n| host.millis(n).await;
        let start = host.now();
        let outcomes = sleeps([30, 10, 20, 5]).timer(host).timeout(time).gather(body).await;
        let [Outcome::TimedOut, Outcome::Ok(10), Outcome::TimedOut, Outcome::Ok(5)] = outcomes[..]
        else {
            panic!("{outcomes:?}");
        };
        assert_eq!(host.now() - start, Duration::from_millis(25));
        let start = host.now();
        let late = sleeps([30, 10, 20]).timer(host).deadline(time).gather(body).await.unwrap_err();
        assert_eq!((late.cause, late.pending), (Cause::TimedOut, vec![0, 2]));
        assert_eq!(host.now() - start, time);
        let cancelled = sleeps([30, 10, 20]).cancel_on(host.sleep(time)).gather(body).await;
        assert_eq!(cancelled.unwrap_err().cause, Cause::Cancelled);
        let items = [Ok(30), Err("no item"), Ok(20)];
        let failed = try_each(items).unbounded().with_parent_waker().timer(host).deadline(time);
        assert!(failed.gather(body).await.is_err());
    });
}

/// Runs a loop on a host whose timers refuse wakers of others, and returns the panic if it panics.
fn panic_of(looping: impl Future, host: &Host) -> Option<String> {
    let ran = catch_unwind(AssertUnwindSafe(|| drop(host.run(looping))));
    ran.err().map(|panic| *panic.downcast::<String>().unwrap())
}

#[test]
fn a_host_that_refuses_other_wakers_panics_without_it_and_not_with_it() {
    let body = |host: &Host| {
        let host = host.clone();
        move |n| {
            let host = host.clone();
            async move { host.millis(n).await }
        }
    };
    let host = Host::new();
    // Two, of which the second has a waker of another kind than the first.
    for limit in [1, 2] {
        let without = each([1, 2, 3]).limit(limit).unwrap().gather(body(&host));
        assert_eq!(panic_of(without, &host).as_deref(), Some(REFUSES));
        let with = each([1, 2, 3]).limit(limit).unwrap().with_parent_waker().gather(body(&host));
        assert_eq!(panic_of(with, &host), None);
    }
}

/// A waker that counts.
#[derive(Default)]
struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Bodies that complete once they may, and how often each was polled.
#[derive(Default)]
struct Watched {
    polls: RefCell<Vec<usize>>,
    wakers: RefCell<Vec<Option<Waker>>>,
    may_end: Cell<bool>,
}

impl Watched {
    fn body(&self, n: usize) -> impl Future<Output = usize> {
        poll_fn(move |cx| {
            let (mut polls, mut wakers) = (self.polls.borrow_mut(), self.wakers.borrow_mut());
            if polls.len() <= n {
                polls.resize(n + 1, 0);
                wakers.resize(n + 1, None);
            }
            polls[n] += 1;
            wakers[n] = Some(cx.waker().clone());
            if self.may_end.get() { Poll::Ready(n) } else { Poll::Pending }
        })
    }
}

fn poll_with<F: Future>(future: &mut Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

#[test]
fn each_poll_of_the_loop_polls_each_body_once_with_the_waker_of_that_poll() {
    for bodies in [1, 3, 62, 63, 64, 200, 1000] {
        let watched = Watched::default();
        let looping = each(0..bodies).unbounded().with_parent_waker();
        let mut looping = pin!(looping.gather(|n| watched.body(n)));
        // In some cases there are more bodies than one poll of the loop may start.
        let mut started = 0;
        while started < bodies {
            assert!(poll_with(&mut looping, Waker::noop()).is_pending());
            assert!(watched.polls.borrow().len() - started <= 256);
            started = watched.polls.borrow().len();
        }
        for _ in 0..3 {
            let counts = Arc::new(Counts::default());
            let waker: Waker = counts.clone().into();
            watched.polls.borrow_mut().fill(0);
            assert!(poll_with(&mut looping, &waker).is_pending());
            assert!(watched.polls.borrow().iter().all(|&polls| polls == 1), "{bodies} bodies");
            // Each of them wakes the task that polled last, and the loop wakes no task itself.
            let wakers = watched.wakers.borrow();
            assert!(wakers.iter().flatten().all(|own| own.will_wake(&waker)));
            assert_eq!(counts.0.load(SeqCst), 0);
        }
        watched.may_end.set(true);
        let Poll::Ready(outputs) = poll_with(&mut looping, Waker::noop()) else {
            panic!("{bodies} bodies may end");
        };
        assert_eq!(outputs, (0..bodies).collect::<Vec<_>>());
    }
}

#[test]
fn a_stream_that_returned_a_result_within_a_round_polls_all_bodies_before_it_waits() {
    let watched = Watched::default();
    let looping = each(0..100).unbounded().with_parent_waker();
    let mut results = pin!(looping.stream_unordered(async |n| {
        // Half of them end at their second poll, and so in between the others.
        if n % 2 == 0 {
            yield_now().await;
            return n;
        }
        watched.body(n).await
    }));
    let counts = Arc::new(Counts::default());
    let first: Waker = Waker::noop().clone();
    let last: Waker = counts.clone().into();
    let mut cx = Context::from_waker(&first);
    assert!(results.as_mut().poll_next(&mut cx).is_pending());
    let mut cx = Context::from_waker(&last);
    let mut ended = Vec::new();
    while let Poll::Ready(Some(n)) = results.as_mut().poll_next(&mut cx) {
        ended.push(n);
    }
    assert_eq!(ended, (0..100).filter(|n| n % 2 == 0).collect::<Vec<_>>());
    let wakers = watched.wakers.borrow();
    assert!(wakers.iter().flatten().all(|own| own.will_wake(&last)));
    assert_eq!(wakers.iter().flatten().count(), 50);
}

/// Law 9, as for bodies with wakers of their own: the loop yields to the executor.
#[test]
fn a_loop_of_bodies_that_yield_or_are_ready_yields_to_the_executor() {
    let polls = Cell::new(0);
    let restless = async |_| {
        for _ in 0..200 {
            polls.set(polls.get() + 1);
            yield_now().await;
        }
    };
    let ready = async |_: u32| polls.set(polls.get() + 1);
    let most = |mut looping: Pin<&mut dyn Future<Output = ()>>, bodies| {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..1_000_000 {
            polls.set(0);
            let polled = looping.as_mut().poll(&mut cx);
            assert!(polls.get() <= bodies + 256, "{} polls of {bodies} bodies", polls.get());
            if polled.is_ready() {
                return;
            }
        }
        panic!("it never completes");
    };
    let all = |n| each(0..n).unbounded().with_parent_waker();
    let few = |n| each(0..n).limit(3).unwrap().with_parent_waker();
    most(pin!(all(5).for_each(restless)), 5);
    most(pin!(all(1000).for_each(restless)), 1000);
    most(pin!(few(50).for_each(restless)), 3);
    most(pin!(all(10_000).for_each(ready)), 0);
    most(pin!(few(10_000).for_each(ready)), 3);
    most(pin!(all(300).stream(restless).for_each(async |()| restless(0).await)), 301);
    let timed = few(50).timer(&Still).timeout(Duration::from_secs(1)).gather(restless);
    most(pin!(async { drop(timed.await) }), 3);
}

/// A clock that stands still.
#[derive(Clone)]
struct Still;

impl Timer for Still {
    fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send + use<> {
        pending()
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// Law 9: a source that never waits and bodies that are ready at once starve no body that waits.
#[test]
fn a_source_that_is_always_ready_does_not_starve_a_woken_body() {
    let host = Host::new();
    let is_open = Cell::new(false);
    let looping = each(0_u64..).limit(3).unwrap().with_parent_waker().try_for_each(async |n| {
        if n == 0 {
            while !is_open.get() {
                yield_now().await;
            }
            return Err(());
        }
        is_open.set(n >= 5);
        Ok(())
    });
    let (result, _) = host.run(looping);
    assert!(result.is_err());
}

/// Law 4: of failures at one time the one with the lower index wins.
#[test]
fn bodies_are_polled_in_the_order_of_their_indices() {
    let host = &Host::new();
    // Item 0 makes room for item 2 in its slot, so the slot of 2 is before the slot of 1.
    let looping = sleeps([0, 6, 6])
        .try_gather(async |n| if n == 0 { Ok(()) } else { Err(host.millis(n).await) });
    let (error, _) = host.run(looping);
    assert_eq!(error.unwrap_err().first().unwrap().index, Some(1));
    let order = RefCell::new(Vec::new());
    let looping = each(0..300).limit(100).unwrap().with_parent_waker().for_each(async |n: u64| {
        for _ in 0..n % 7 {
            yield_now().await;
            order.borrow_mut().push(n);
        }
        order.borrow_mut().push(1000);
    });
    let mut looping = pin!(looping);
    while poll_with(&mut looping, Waker::noop()).is_pending() {
        // Completed bodies free their slots. The bodies that start next take those slots, between and
        // behind the others.
        let polled = order.take();
        let live: Vec<_> = polled.into_iter().filter(|&n| n != 1000).collect();
        assert!(live.is_sorted(), "{live:?}");
    }
}

/// RTN-1, RTN-2: bodies borrow, and need not be `Send`.
#[test]
fn bodies_borrow_and_need_not_be_send() {
    let words = vec![String::from("to"), String::from("be")];
    let letters = Rc::new(Cell::new(0));
    let looping = each(&words).unbounded().with_parent_waker().gather(async |word: &String| {
        yield_now().await;
        letters.set(letters.get() + word.len());
        &word[..]
    });
    assert_eq!(futures_lite::future::block_on(looping), ["to", "be"]);
    assert_eq!(letters.get(), 4);
}

/// TMO-2, law 2: the loop cannot know whether the body was woken in time, so it polls it a last time.
#[test]
fn a_timed_out_body_that_is_ready_at_its_last_poll_keeps_its_value() {
    let host = &Host::new();
    let is_ready = &Cell::new(false);
    let (outcomes, _) = host.run(async {
        let looping = each([0, 1]).unbounded().with_parent_waker();
        let mut results =
            pin!(looping.timer(host).timeout(Duration::from_millis(5)).as_completed(async |n| {
                poll_fn(|_| if is_ready.get() && n == 1 { Poll::Ready(()) } else { Poll::Pending })
                    .await;
                n
            }));
        assert!(poll_once(results.next()).await.is_none());
        host.millis(10).await;
        // The loop was not polled meanwhile: one body could have completed in time.
        is_ready.set(true);
        results.collect::<Vec<_>>().await
    });
    assert!(matches!(outcomes[..], [(1, Outcome::Ok(1)), (0, Outcome::TimedOut)]), "{outcomes:?}");
}

/// TMO-2, law 2: a body that became ready after its poll, while a later body used up the time.
#[test]
fn a_body_that_became_ready_after_its_poll_is_polled_before_it_times_out() {
    let host = &Host::new();
    let is_ready = &Cell::new(false);
    let has_started = &Cell::new(false);
    let body = async |n: usize| {
        poll_fn(|cx| match n {
            0 if is_ready.get() => Poll::Ready(()),
            1 if has_started.replace(true) => {
                host.clock.lock().unwrap().now += Duration::from_millis(10);
                is_ready.set(true);
                Poll::Pending
            }
            _ => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
        n
    };
    let looping = || each([0, 1]).unbounded().with_parent_waker();
    let time = Duration::from_millis(5);
    let (outcomes, _) = host.run(looping().timer(host).timeout(time).gather(body));
    assert!(matches!(outcomes[..], [Outcome::Ok(0), Outcome::TimedOut]), "{outcomes:?}");
    is_ready.set(false);
    has_started.set(false);
    let (late, _) = host.run(looping().timer(host).deadline(time).gather(body));
    let late = late.unwrap_err();
    assert_eq!(late.pending, [1]);
    assert!(late.ready[0].is_ok(), "{late:?}");
}

#[test]
fn an_idle_loop_is_not_polled_again() {
    let host = &Host::new();
    let (_, polls) = host.run(sleeps([10, 20]).gather(async |n| host.millis(n).await));
    // Once to begin, and once for each time that one of them is woken.
    assert_eq!(polls, 3);
    let (_, polls) = host.run(
        sleeps([10, 20])
            .timer(host)
            .timeout(Duration::from_secs(1))
            .gather(async |n| host.millis(n).await),
    );
    assert!(polls <= 4, "{polls} polls");
}
