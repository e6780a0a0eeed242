//! Tasks on a host that does not own them: a task lives only as long as something may wake it.

use std::cell::RefCell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use forloop_core::{CancelToken, Outcome, Spawn, Task, each, spawn};

/// A host whose queue owns the tasks that are ready, and which keeps none that waits.
#[derive(Clone)]
struct Host {
    ready: Sender<Arc<HostTask>>,
}

struct HostTask {
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    ready: Sender<Arc<Self>>,
}

impl Wake for HostTask {
    fn wake(self: Arc<Self>) {
        let ready = self.ready.clone();
        // Without the host the task is dropped.
        drop(ready.send(self));
    }
}

impl Spawn for Host {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let future = Mutex::new(Some(Box::pin(future) as _));
        Arc::new(HostTask { future, ready: self.ready.clone() }).wake();
    }

    fn threads(&self) -> std::num::NonZeroUsize {
        std::num::NonZeroUsize::MIN
    }
}

fn host() -> (Host, Receiver<Arc<HostTask>>) {
    let (ready, queue) = channel();
    (Host { ready }, queue)
}

/// Polls each task that is ready, once per wake. Returns the number of polls.
fn run(queue: &Receiver<Arc<HostTask>>) -> usize {
    let mut polls = 0;
    while let Ok(task) = queue.try_recv() {
        polls += 1;
        let waker = Waker::from(task.clone());
        let mut future = task.future.lock().unwrap().take().unwrap();
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            *task.future.lock().unwrap() = Some(future);
        }
    }
    polls
}

/// Counts the values that were dropped.
#[derive(Clone, Default)]
struct Dropped(Arc<AtomicUsize>);

impl Dropped {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

struct Counts(Dropped);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn endless(dropped: &Dropped) -> impl Future<Output = ()> + Send + use<> {
    let counts = Counts(dropped.clone());
    async move {
        let _counts = counts;
        pending::<()>().await;
    }
}

#[test]
fn a_detached_task_that_nobody_can_wake_is_dropped() {
    for polled_before in [false, true] {
        let (host, queue) = host();
        let dropped = Dropped::default();
        let task = spawn(&host, endless(&dropped));
        if polled_before {
            assert_eq!(run(&queue), 1);
            assert_eq!(dropped.count(), 0, "the handle may still cancel it");
        }
        task.detach();
        run(&queue);
        assert_eq!(dropped.count(), 1, "polled before: {polled_before}");
    }
}

#[test]
fn a_detached_task_that_somebody_can_wake_runs_on() {
    let (host, queue) = host();
    let dropped = Dropped::default();
    let stop = CancelToken::new();
    let (counts, stopped) = (Counts(dropped.clone()), stop.cancelled());
    spawn(&host, async move {
        let _counts = counts;
        stopped.await;
    })
    .detach();
    run(&queue);
    assert_eq!(dropped.count(), 0);
    stop.cancel();
    assert_eq!((run(&queue), dropped.count()), (1, 1));
}

#[test]
fn a_detached_task_runs_on_while_it_can_be_cancelled_and_stops_when_it_is() {
    let (host, queue) = host();
    for cancels in [true, false] {
        let dropped = Dropped::default();
        let task = spawn(&host, endless(&dropped));
        let handles = [task.cancel_handle(), task.cancel_handle().clone()];
        task.detach();
        assert_eq!((run(&queue), dropped.count()), (1, 0));
        let [first, second] = handles;
        drop(first);
        assert_eq!((run(&queue), dropped.count(), second.is_finished()), (0, 0, false));
        if cancels {
            second.request_cancel();
            assert_eq!((run(&queue), dropped.count(), second.is_finished()), (1, 1, true));
        } else {
            // No task can wake it any more, so it is dropped.
            drop(second);
            assert_eq!((run(&queue), dropped.count()), (0, 1));
        }
    }
}

#[test]
fn a_dropped_or_cancelled_task_is_dropped_at_its_next_poll() {
    for cancels in [false, true] {
        let (host, queue) = host();
        let dropped = Dropped::default();
        let task = spawn(&host, endless(&dropped));
        run(&queue);
        if cancels {
            task.request_cancel();
            run(&queue);
            assert!(task.is_finished());
        } else {
            drop(task);
            run(&queue);
        }
        assert_eq!(dropped.count(), 1, "cancels: {cancels}");
    }
}

#[test]
fn a_task_that_is_cancelled_in_the_middle_of_a_poll_stops_at_the_end_of_it() {
    thread_local! {
        static OWN: RefCell<Option<Task<()>>> = const { RefCell::new(None) };
    }
    let (host, queue) = host();
    let dropped = Dropped::default();
    let counts = Counts(dropped.clone());
    let task = spawn(&host, async move {
        let _counts = counts;
        OWN.with_borrow(|own| own.as_ref().unwrap().request_cancel());
        pending::<()>().await;
    });
    OWN.set(Some(task));
    let woken = queue.recv().unwrap();
    woken.clone().wake();
    let waker = Waker::noop();
    let mut future = woken.future.lock().unwrap().take().unwrap();
    assert!(future.as_mut().poll(&mut Context::from_waker(waker)).is_ready());
    assert_eq!(dropped.count(), 1);
    let task = OWN.take().unwrap();
    assert!(task.is_finished());
}

#[test]
fn a_dropped_handle_wakes_nobody_when_its_task_completes() {
    let (host, queue) = host();
    let woken = Arc::new(CountWakes::default());
    let waker = Waker::from(woken.clone());
    let mut task = spawn(&host, async {});
    assert_eq!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)), Poll::Pending);
    task.detach();
    run(&queue);
    assert_eq!(woken.wakes.load(Ordering::SeqCst), 0);
    drop(waker);
    assert_eq!(Arc::strong_count(&woken), 1);
}

#[derive(Default)]
struct CountWakes {
    wakes: AtomicUsize,
}

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn an_output_that_nobody_takes_is_dropped_when_its_task_completes() {
    let (host, queue) = host();
    let dropped = Dropped::default();
    let output = dropped.clone();
    spawn(&host, async move { Counts(output) }).detach();
    let task = queue.recv().unwrap();
    let mut future = task.future.lock().unwrap().take().unwrap();
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    // The host has not dropped the task.
    assert_eq!(dropped.count(), 1);
    drop(future);
    assert_eq!(dropped.count(), 1);
}

/// A value whose destructor panics.
struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a destructor panics");
    }
}

fn panics(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

#[test]
fn the_panic_of_a_values_destructor_propagates_to_who_drops_it() {
    let (host, queue) = host();
    let [dropped, detached] = [(); 2].map(|()| spawn(&host, async { Panics }));
    run(&queue);
    assert!(panics(|| drop(dropped)));
    assert!(panics(|| detached.detach()));
    // The task drops a value that no one can take any more.
    spawn(&host, async { Panics }).detach();
    assert!(!panics(|| assert_eq!(run(&queue), 1)));
}

/// Cancels a task that is pending, and returns its outcome.
fn cancelled(queue: &Receiver<Arc<HostTask>>, task: Task<()>) -> Outcome<()> {
    run(queue);
    task.request_cancel();
    let mut outcome = pin!(task.outcome());
    loop {
        run(queue);
        if let Poll::Ready(outcome) = outcome.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            return outcome;
        }
    }
}

#[test]
fn a_cancelled_task_panics_for_its_own_destructors_and_not_for_those_of_its_tasks() {
    let (host, queue) = host();
    let body = async |_| {
        let _panics = Panics;
        pending::<()>().await;
    };
    // They are woken only by being cancelled.
    let own = spawn(&host, body(0));
    assert!(matches!(cancelled(&queue, own), Outcome::Panicked(_)));
    let in_task = spawn(&host, each(0..2).unbounded().for_each(body));
    assert!(matches!(cancelled(&queue, in_task), Outcome::Panicked(_)));
    let tasks = spawn(&host, each(0..2).unbounded().on(host.clone()).for_each(body));
    assert!(matches!(cancelled(&queue, tasks), Outcome::Cancelled));
}
