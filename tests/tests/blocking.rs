//! Bodies that block, on a runtime's pool of threads for that.

use std::collections::VecDeque;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use forloop::async_std::AsyncStd;
use forloop::sim::Sim;
use forloop::smol::{Executor, Local, LocalExecutor, Smol};
use forloop::{
    BlockOn, CancelToken, LoopError, Outcome, SpawnBlocking, block_on, sync_body, tokio,
};
use forloop_conformance::VirtualClock;

/// A pool that has no thread but the test's.
#[derive(Clone, Default)]
struct Pool {
    line: Arc<Mutex<VecDeque<Pin<Box<dyn Future<Output = ()> + Send>>>>>,
}

impl SpawnBlocking for Pool {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.line.lock().unwrap().push_back(Box::pin(future));
    }
}

impl Pool {
    fn run_one(&self) {
        let next = self.line.lock().unwrap().pop_front();
        block_on(next.expect("somebody waits for a thread"));
    }

    fn shut_down(&self) {
        let left = std::mem::take(&mut *self.line.lock().unwrap());
        drop(left);
    }
}

/// What was called, in order.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<u64>>>);

impl Calls {
    fn body(&self) -> impl Fn(u64) -> Result<u64, String> + Send + Sync + 'static {
        let calls = self.clone();
        move |n| {
            calls.0.lock().unwrap().push(n);
            Ok(n)
        }
    }

    fn made(&self) -> Vec<u64> {
        self.0.lock().unwrap().clone()
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn as_many_as_may_block_side_by_side_and_no_more<R: SpawnBlocking>(runtime: R, run: impl BlockOn) {
    let three = Arc::new(Barrier::new(3));
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let here = thread::current().id();
    let peak = most.clone();
    let work = move |n: usize| {
        peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        assert_ne!(thread::current().id(), here, "the caller's thread is not blocked");
        if n < 3 {
            three.wait();
        }
        running.fetch_sub(1, Ordering::SeqCst);
        n * n
    };
    let squares =
        forloop::each(0..30).limit(3).unwrap().on_blocking(runtime).gather(sync_body(work));
    assert_eq!(run.block_on(squares), (0..30).map(|n| n * n).collect::<Vec<_>>());
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn as_many_as_may_block_side_by_side_and_no_more_on_every_runtime() {
    as_many_as_may_block_side_by_side_and_no_more(Smol, Smol);
    as_many_as_may_block_side_by_side_and_no_more(AsyncStd, AsyncStd);
    for owned in [tokio::OwnedRuntime::current_thread(), tokio::OwnedRuntime::multi_thread(None)] {
        let owned = owned.unwrap();
        as_many_as_may_block_side_by_side_and_no_more(owned.runtime(), owned);
    }
    let executor = Executor::from(Arc::new(async_executor::Executor::new()));
    as_many_as_may_block_side_by_side_and_no_more(executor.clone(), executor);
    let local = Local::from(Rc::new(LocalExecutor::new()));
    as_many_as_may_block_side_by_side_and_no_more(local.clone(), local);
}

#[test]
fn a_simulation_runs_what_blocks_as_one_step() {
    forloop::sim::agree(200, |sim: Sim| async move {
        let bodies = forloop::each(0..5_u64).limit(2).unwrap().on_blocking(sim);
        bodies.gather(sync_body(|n| n + 1)).await
    });
}

#[test]
fn a_body_on_the_pool_may_await() {
    let owned = tokio::OwnedRuntime::current_thread().unwrap();
    let runtime = owned.runtime();
    let slept = forloop::each([1, 2]).unbounded().on_blocking(owned.runtime()).gather(|n| {
        let runtime = runtime.clone();
        async move {
            forloop::Timer::sleep(&runtime, Duration::from_millis(n)).await;
            thread::sleep(Duration::from_millis(n));
            n
        }
    });
    assert_eq!(owned.block_on(slept), [1, 2]);
}

#[test]
fn a_body_that_waits_for_a_thread_when_its_loop_stops_never_begins() {
    let (pool, calls, stop) = (Pool::default(), Calls::default(), CancelToken::new());
    let bodies = forloop::each(0..3).limit(2).unwrap().cancel_on(&stop).on_blocking(pool.clone());
    let mut settled = pin!(bodies.settle(sync_body(calls.body())));
    assert!(poll_once(settled.as_mut()).is_pending());
    pool.run_one();
    stop.cancel();
    // No thread is ever free for the second, and nobody waits for one.
    let Poll::Ready(settled) = poll_once(settled) else { panic!("it waits for a thread") };
    assert!(matches!(settled[..], [Outcome::Ok(0), Outcome::NotRun]), "{settled:?}");
    assert_eq!(calls.made(), [0]);
    pool.run_one();
    assert_eq!(calls.made(), [0]);
}

#[test]
fn a_body_that_waits_for_a_thread_when_its_time_is_over_never_begins() {
    let (pool, calls, clock) = (Pool::default(), Calls::default(), VirtualClock::default());
    let bodies = forloop::each(0..2).unbounded().on_blocking(pool.clone());
    let bodies = bodies.timeout(&clock, Duration::from_secs(1));
    let settled = clock.block_on(bodies.settle(sync_body(calls.body())));
    assert!(matches!(settled[..], [Outcome::TimedOut, Outcome::TimedOut]), "{settled:?}");
    pool.run_one();
    pool.run_one();
    assert!(calls.made().is_empty());
}

#[test]
fn a_pool_that_shuts_down_ends_what_it_has_not_begun() {
    let (pool, calls) = (Pool::default(), Calls::default());
    let mut settled = pin!(
        forloop::each(0..2).unbounded().on_blocking(pool.clone()).settle(sync_body(calls.body()))
    );
    assert!(poll_once(settled.as_mut()).is_pending());
    pool.run_one();
    pool.shut_down();
    let settled = block_on(settled);
    assert!(matches!(settled[..], [Outcome::Ok(0), Outcome::NotRun]), "{settled:?}");
    assert_eq!(calls.made(), [0]);
}

#[test]
fn a_loop_that_stops_waits_for_a_call_that_has_begun() {
    let (begun, has_begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    let work = move |n| {
        if n == 0 {
            begun.send(()).unwrap();
            may_go_on.lock().unwrap().recv().unwrap();
            over.store(true, Ordering::SeqCst);
            return Ok(());
        }
        Err("no")
    };
    let mut failed =
        pin!(forloop::each([0, 1]).unbounded().on_blocking(Smol).try_gather(sync_body(work)));
    assert!(poll_once(failed.as_mut()).is_pending());
    has_begun.recv().unwrap();
    // Whether or not the failure has come by now.
    for _ in 0..100 {
        assert!(poll_once(failed.as_mut()).is_pending());
        thread::yield_now();
    }
    go_on.send(()).unwrap();
    let error = block_on(failed).unwrap_err();
    assert!(is_over.load(Ordering::SeqCst));
    assert!(matches!(&error, LoopError::Failed { .. }), "{error:?}");
    assert_eq!(error.first().unwrap().index, Some(1));
}

#[test]
fn a_panic_goes_on_in_the_caller_or_is_that_bodys_outcome() {
    let work = |n: u32| {
        assert_ne!(n, 1, "one is too many");
        n
    };
    let gather = forloop::each(0..3).limit(1).unwrap().on_blocking(Smol).gather(sync_body(work));
    let panic = catch_unwind(AssertUnwindSafe(|| block_on(gather))).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("one is too many"));

    let work = move |n| Ok::<_, String>(work(n));
    let caught = forloop::each(0..3).limit(1).unwrap().catch_panics().on_blocking(Smol);
    let settled = block_on(caught.settle(sync_body(work)));
    assert!(
        matches!(settled[..], [Outcome::Ok(0), Outcome::Panicked(_), Outcome::Ok(2)]),
        "{settled:?}"
    );
}

#[test]
fn a_body_that_never_began_has_stopped_when_the_tasks_it_held_have() {
    let executor = Rc::new(LocalExecutor::new());
    let (pool, stop) = (Pool::default(), CancelToken::new());
    let task = forloop::spawn_local(&Local::from(executor.clone()), pending::<()>());
    let mut task = Some(task);
    let mut looping = pin!(
        forloop::each([()]).unbounded().cancel_on(&stop).on_blocking(pool.clone()).for_each(|()| {
            let held = task.take();
            async move { drop(held) }
        })
    );
    assert!(poll_once(looping.as_mut()).is_pending());
    stop.cancel();
    assert!(poll_once(looping.as_mut()).is_pending(), "the task it held goes on");
    while executor.try_tick() {}
    assert!(executor.is_empty());
    pool.run_one();
    assert!(poll_once(looping).is_ready());
}

#[test]
fn one_call_is_owned_by_its_handle() {
    let pool = Pool::default();
    let call = forloop::spawn_blocking(&pool, || 7);
    pool.run_one();
    assert_eq!(block_on(call), Ok(7));

    let calls = Calls::default();
    let body = calls.body();
    let call = forloop::spawn_blocking(&pool, move || body(1));
    assert_eq!(block_on(call.cancel()), None);
    let body = calls.body();
    drop(forloop::spawn_blocking(&pool, move || body(2)));
    let body = calls.body();
    forloop::spawn_blocking(&pool, move || body(3)).detach();
    for _ in 0..3 {
        pool.run_one();
    }
    assert_eq!(calls.made(), [3]);
}
