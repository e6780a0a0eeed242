//! A source that takes long for each item delays bodies and other tasks by one item, on an executor with one thread.
//!
//! Time is set by the source: it passes while an item is pulled.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use forloop_core::{Spawn, each, try_each};

/// The time that the source takes for an item.
const PULL: Duration = Duration::from_millis(20);

const ITEMS: usize = 40;

/// The polls of tasks after which the executor looks at its timers, if it is never idle. As tokio's.
const POLLS_PER_LOOK: usize = 61;

type BoxedFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An executor with one thread, and its clock.
#[derive(Clone)]
struct Executor(Arc<Shared>);

struct Shared {
    thread: ThreadId,
    woken: Mutex<VecDeque<Arc<Task>>>,
    timers: Mutex<Vec<(Duration, Waker)>>,
    now: Mutex<Duration>,
}

struct Task {
    executor: Executor,
    future: Mutex<Option<BoxedFuture>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        assert_eq!(self.executor.0.thread, thread::current().id());
        self.executor.0.woken.lock().unwrap().push_back(self.clone());
    }
}

impl Spawn for Executor {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let future: BoxedFuture = Box::pin(future);
        let task = Task { executor: self.clone(), future: Mutex::new(Some(future)) };
        Arc::new(task).wake();
    }

    fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}

impl Executor {
    fn new() -> Self {
        forloop_budget::set_time(Some(Duration::ZERO));
        Self(Arc::new(Shared {
            thread: thread::current().id(),
            woken: Mutex::default(),
            timers: Mutex::default(),
            now: Mutex::default(),
        }))
    }

    fn now(&self) -> Duration {
        *self.0.now.lock().unwrap()
    }

    fn advance(&self, by: Duration) {
        let mut now = self.0.now.lock().unwrap();
        *now += by;
        forloop_budget::set_time(Some(*now));
    }

    async fn sleep(&self, duration: Duration) {
        let due = self.now() + duration;
        std::future::poll_fn(|cx| {
            if self.now() >= due {
                return Poll::Ready(());
            }
            self.0.timers.lock().unwrap().push((due, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    fn fire_timers(&self) {
        let now = self.now();
        let mut timers = self.0.timers.lock().unwrap();
        let due: Vec<_> = timers.extract_if(.., |(due, _)| *due <= now).collect();
        drop(timers);
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Polls a task that runs `future`, and the tasks that it spawns, until it is ready.
    fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        let output = Arc::new(Mutex::new(None));
        let returned = output.clone();
        self.spawn(async move {
            let value = future.await;
            *returned.lock().unwrap() = Some(value);
        });
        for poll in 1.. {
            let next = self.0.woken.lock().unwrap().pop_front();
            let Some(task) = next else {
                // It is idle until the next timer.
                self.advance(Duration::from_millis(1));
                self.fire_timers();
                continue;
            };
            let mut slot = task.future.lock().unwrap();
            if let Some(future) = slot.as_mut() {
                let waker = Waker::from(task.clone());
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    *slot = None;
                }
            }
            if poll % POLLS_PER_LOOK == 0 {
                self.fire_timers();
            }
            if let Some(output) = output.lock().unwrap().take() {
                return output;
            }
        }
        unreachable!("the future is ready, or time passes")
    }

    /// A source without an exact size.
    fn slow_source(&self) -> impl Iterator<Item = usize> + Send + use<> {
        let executor = self.clone();
        (0..ITEMS).filter(move |_| {
            executor.advance(PULL);
            true
        })
    }

    /// A body that sleeps for less than the source takes for an item, and how long that took.
    fn body(&self, worst: &Arc<Mutex<Duration>>) -> impl Fn(usize) -> BoxedFuture + Clone + use<> {
        let (executor, worst) = (self.clone(), worst.clone());
        move |_| {
            let (executor, worst) = (executor.clone(), worst.clone());
            Box::pin(async move {
                let start = executor.now();
                executor.sleep(PULL / 4).await;
                let mut worst = worst.lock().unwrap();
                *worst = worst.max(executor.now() - start);
            })
        }
    }
}

/// Runs a loop, and checks how long its bodies have slept.
macro_rules! sleeps_as_long_as_one_pull {
    ($name:ident, |$executor:ident, $source:ident, $body:ident| $looping:expr) => {
        #[test]
        fn $name() {
            let $executor = Executor::new();
            let worst = Arc::new(Mutex::new(Duration::ZERO));
            let ($source, $body) = ($executor.slow_source(), $executor.body(&worst));
            $executor.run($looping);
            let worst = *worst.lock().unwrap();
            // It may have become idle in between.
            assert!(PULL / 4 <= worst && worst <= PULL + PULL / 4, "{worst:?}");
        }
    };
}

sleeps_as_long_as_one_pull! {
    a_slow_source_delays_bodies_in_its_task_by_one_item,
    |executor, source, body| each(source).limit(100).unwrap().for_each(body)
}

sleeps_as_long_as_one_pull! {
    a_slow_source_delays_tasks_by_one_item,
    |executor, source, body| each(source).limit(100).unwrap().on(executor.clone()).for_each(body)
}

sleeps_as_long_as_one_pull! {
    a_slow_source_delays_bodies_on_workers_by_one_item,
    |executor, source, body| {
        each(source).limit(100).unwrap().on_workers(executor.clone()).for_each(body)
    }
}

sleeps_as_long_as_one_pull! {
    a_slow_source_delays_bodies_that_are_pushed_to_workers_by_one_item,
    |executor, source, body| {
        let looping = each(source).limit(100).unwrap().weight_by(|_| 1);
        looping.on_workers(executor.clone()).for_each(body)
    }
}

sleeps_as_long_as_one_pull! {
    a_slow_source_delays_bodies_of_a_loop_with_rules_by_one_item,
    |executor, source, body| each(source).limit(100).unwrap().weight_by(|_| 1).for_each(body)
}

sleeps_as_long_as_one_pull! {
    a_slow_fallible_source_delays_bodies_by_one_item,
    |executor, source, body| {
        let looping = try_each(source.map(Ok::<_, ()>)).limit(100).unwrap();
        async move { looping.for_each(body).await.unwrap() }
    }
}

sleeps_as_long_as_one_pull! {
    a_slow_source_delays_bodies_of_a_stream_by_one_item,
    |executor, source, body| {
        let outputs = each(source).limit(100).unwrap().stream_unordered(body);
        async move { futures_lite::StreamExt::count(outputs).await }
    }
}

sleeps_as_long_as_one_pull! {
    a_slow_source_delays_bodies_beside_a_consumer_by_one_item,
    |executor, source, body| {
        let outputs = each(source).limit(100).unwrap().stream_unordered(body);
        outputs.consume(async move |mut outputs| while outputs.next().await.is_some() {})
    }
}

/// Polls a loop until it is ready. Returns how many items each poll has pulled.
fn pulls_per_poll(looping: impl Future, pulled: &Cell<usize>) -> Vec<usize> {
    let mut looping = pin!(looping);
    let mut pulls = Vec::new();
    while looping.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        pulls.push(pulled.take());
    }
    pulls.push(pulled.take());
    pulls.retain(|&pulls| pulls > 0);
    pulls
}

/// Iterates over `items` items, and sets the time so that item `n` takes `millis(n)`.
fn timed(
    items: usize,
    pulled: Rc<Cell<usize>>,
    millis: impl Fn(usize) -> u64,
) -> impl ExactSizeIterator<Item = usize> {
    let mut now = Duration::ZERO;
    forloop_budget::set_time(Some(now));
    (0..items).inspect(move |&n| {
        pulled.set(pulled.get() + 1);
        now += Duration::from_millis(millis(n));
        forloop_budget::set_time(Some(now));
    })
}

#[test]
fn a_fast_source_returns_as_many_items_in_a_poll_as_the_budget_allows() {
    let pulled = Rc::new(Cell::new(0));
    for is_exact in [true, false] {
        let source = timed(1000, pulled.clone(), |_| 0).filter(|_| true);
        let looping = async {
            if is_exact {
                each(timed(1000, pulled.clone(), |_| 0)).unbounded().gather(async |n| n).await
            } else {
                each(source).unbounded().gather(async |n| n).await
            }
        };
        assert_eq!(pulls_per_poll(looping, &pulled), [256, 256, 256, 232], "exact: {is_exact}");
    }
}

#[test]
fn a_slow_source_of_exact_size_is_noticed_after_twenty_items() {
    let pulled = Rc::new(Cell::new(0));
    let source = timed(30, pulled.clone(), |_| 20);
    let pulls = pulls_per_poll(each(source).unbounded().gather(async |n| n), &pulled);
    assert_eq!(pulls[0], 20);
    assert!(pulls[1..].iter().all(|&pulls| pulls == 1), "{pulls:?}");
}

#[test]
fn a_source_that_becomes_slow_is_noticed_after_sixteen_items_and_may_be_fast_again() {
    let pulled = Rc::new(Cell::new(0));
    let is_slow = |n| (100..200).contains(&n);
    let source = timed(500, pulled.clone(), move |n| if is_slow(n) { 20 } else { 0 });
    let looping = each(source.filter(|_| true)).unbounded().for_each(async |_| {});
    let pulls = pulls_per_poll(looping, &pulled);
    assert!((100..=116).contains(&pulls[0]), "{pulls:?}");
    let slow = 200 - pulls[0];
    assert!(pulls[1..slow].iter().all(|&pulls| pulls == 1), "{pulls:?}");
    assert!(pulls.len() <= slow + 4, "{pulls:?}");
}

#[test]
fn a_source_of_a_tenth_of_a_millisecond_an_item_yields_after_some_milliseconds() {
    let pulled = Rc::new(Cell::new(0));
    let now = Cell::new(Duration::ZERO);
    let pull = |_: &_| {
        pulled.set(pulled.get() + 1);
        now.set(now.get() + Duration::from_micros(100));
        forloop_budget::set_time(Some(now.get()));
        true
    };
    let source = (0..1000).filter(pull);
    let pulls = pulls_per_poll(each(source).unbounded().for_each(async |_| {}), &pulled);
    let whole = &pulls[..pulls.len() - 1];
    assert!(whole.iter().all(|pulls| (50..=70).contains(pulls)), "{pulls:?}");
}

#[test]
fn bodies_that_take_long_to_start_are_delayed_by_one_another_alone() {
    let started = Cell::new(0);
    let now = Cell::new(Duration::ZERO);
    forloop_budget::set_time(Some(Duration::ZERO));
    let looping = each((0..10).filter(|_| true)).unbounded().for_each(async |_| {
        started.set(started.get() + 1);
        now.set(now.get() + PULL);
        forloop_budget::set_time(Some(now.get()));
    });
    assert_eq!(pulls_per_poll(looping, &started), [1; 10]);
}

#[test]
fn a_slow_source_returns_no_more_items_after_a_failure() {
    let pulled = Rc::new(Cell::new(0));
    let seen = RefCell::new(Vec::new());
    let source = timed(100, pulled.clone(), |_| 20).filter(|_| true);
    let looping = async {
        let failed = each(source).limit(50).unwrap().try_for_each(async |n| {
            seen.borrow_mut().push(n);
            if n == 3 { Err(n) } else { Ok(()) }
        });
        assert!(failed.await.is_err());
    };
    assert_eq!(pulls_per_poll(looping, &pulled), [1; 4]);
    assert_eq!(seen.take(), [0, 1, 2, 3]);
}

#[test]
fn the_clock_of_the_system_is_read_without_a_simulation() {
    forloop_budget::set_time(None);
    let pulled = Cell::new(0);
    // Ten times as long as it takes to notice.
    let source = (0..3).filter(|_| {
        pulled.set(pulled.get() + 1);
        thread::sleep(10 * forloop_budget::LONG);
        true
    });
    let looping = each(source).unbounded().for_each(async |_| {});
    assert_eq!(pulls_per_poll(looping, &pulled), [1; 3]);
}
