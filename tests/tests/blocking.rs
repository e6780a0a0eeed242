//! Blocking bodies, on a runtime's pool of blocking threads.

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
use forloop_conformance::{VirtualClock, with_watchdog};

/// A pool whose only thread is that of the test.
#[derive(Clone, Default)]
struct Pool {
    queue: Arc<Mutex<VecDeque<Pin<Box<dyn Future<Output = ()> + Send>>>>>,
}

impl SpawnBlocking for Pool {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.queue.lock().unwrap().push_back(Box::pin(future));
    }
}

impl Pool {
    fn run_one(&self) {
        let next = self.queue.lock().unwrap().pop_front();
        block_on(next.expect("a body is queued"));
    }

    fn shut_down(&self) {
        let queued = std::mem::take(&mut *self.queue.lock().unwrap());
        drop(queued);
    }
}

/// The arguments of the calls so far, in order.
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

fn a_limit_of_blocking_bodies_is_reached_and_kept<R: SpawnBlocking>(runtime: R, run: impl BlockOn) {
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
fn a_limit_of_blocking_bodies_is_reached_and_kept_on_every_runtime() {
    a_limit_of_blocking_bodies_is_reached_and_kept(Smol, Smol);
    a_limit_of_blocking_bodies_is_reached_and_kept(AsyncStd, AsyncStd);
    for owned in [tokio::OwnedRuntime::current_thread(), tokio::OwnedRuntime::multi_thread(None)] {
        let owned = owned.unwrap();
        a_limit_of_blocking_bodies_is_reached_and_kept(owned.runtime(), owned);
    }
    let executor = Executor::from(Arc::new(async_executor::Executor::new()));
    a_limit_of_blocking_bodies_is_reached_and_kept(executor.clone(), executor);
    let local = Local::from(Rc::new(LocalExecutor::new()));
    a_limit_of_blocking_bodies_is_reached_and_kept(local.clone(), local);
}

#[test]
fn a_simulation_runs_a_blocking_body_as_one_step() {
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
fn a_body_queued_for_a_thread_when_its_loop_stops_never_starts() {
    let (pool, calls, stop) = (Pool::default(), Calls::default(), CancelToken::new());
    let bodies = forloop::each(0..3).limit(2).unwrap().cancel_on(&stop).on_blocking(pool.clone());
    let mut settled = pin!(bodies.settle(sync_body(calls.body())));
    assert!(poll_once(settled.as_mut()).is_pending());
    pool.run_one();
    stop.cancel();
    // No thread becomes free for the second body, and the loop does not wait for one.
    let Poll::Ready(settled) = poll_once(settled) else { panic!("the loop waits for a thread") };
    assert!(matches!(settled[..], [Outcome::Ok(0), Outcome::NotRun]), "{settled:?}");
    assert_eq!(calls.made(), [0]);
    pool.run_one();
    assert_eq!(calls.made(), [0]);
}

#[test]
fn a_body_queued_for_a_thread_when_it_times_out_never_starts() {
    let (pool, calls, clock) = (Pool::default(), Calls::default(), VirtualClock::default());
    let bodies = forloop::each(0..2).unbounded().on_blocking(pool.clone());
    let bodies = bodies.timer(&clock).timeout(Duration::from_secs(1));
    let settled = clock.block_on(bodies.settle(sync_body(calls.body())));
    assert!(matches!(settled[..], [Outcome::TimedOut, Outcome::TimedOut]), "{settled:?}");
    pool.run_one();
    pool.run_one();
    assert!(calls.made().is_empty());
}

#[test]
fn a_pool_that_shuts_down_drops_the_queued_bodies() {
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

/// What a body is doing when its runtime shuts down.
#[derive(Debug, Clone, Copy)]
enum When {
    AwaitsNothing,
    Sleeps,
    /// It is woken over and over.
    Yields,
    /// It is in a blocking call, and awaits after that.
    Blocks,
}

#[test]
fn a_tokio_runtime_that_shuts_down_cancels_the_bodies_on_its_blocking_threads() {
    for kind in ["current_thread", "multi_thread"] {
        for shutdown in ["drop", "timeout", "background"] {
            for when in [When::AwaitsNothing, When::Sleeps, When::Yields, When::Blocks] {
                with_watchdog(move || {
                    let settled = settled_by_shutdown(kind, shutdown, when);
                    // The third may get the thread of one that was cancelled.
                    let expected = matches!(
                        settled[..],
                        [
                            Outcome::Cancelled,
                            Outcome::Cancelled,
                            Outcome::Cancelled | Outcome::NotRun
                        ]
                    );
                    assert!(expected, "{kind} {shutdown} {when:?}: {settled:?}");
                });
            }
        }
    }
}

/// The outcomes of two bodies that run, and one that waits for a thread, when their runtime shuts down.
fn settled_by_shutdown(kind: &str, shutdown: &str, when: When) -> Vec<Outcome<(), String>> {
    let mut builder = match kind {
        "current_thread" => ::tokio::runtime::Builder::new_current_thread(),
        _ => ::tokio::runtime::Builder::new_multi_thread(),
    };
    // The workers of a multi-thread runtime have their own.
    let owned = builder.worker_threads(1).max_blocking_threads(2).enable_time().build().unwrap();
    let runtime = tokio::Tokio::from(owned.handle().clone());
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let released = Arc::new(Mutex::new(released));
    let sleeper = runtime.clone();
    let looping = forloop::each(0..3).unbounded().on_blocking(runtime).settle(move |_| {
        let (started, released, sleeper) = (started.clone(), released.clone(), sleeper.clone());
        async move {
            let nap = forloop::Timer::sleep(&sleeper, Duration::from_secs(3600));
            if let When::Sleeps = when {
                let (mut nap, mut polls) = (Box::pin(nap), 0);
                // A timer panics if it is polled after the shutdown, so the body reports its start after the poll.
                return futures_lite::future::poll_fn(|cx| {
                    assert!(nap.as_mut().poll(cx).is_pending());
                    polls += 1;
                    match polls {
                        1 => cx.waker().wake_by_ref(),
                        2 => started.send(()).unwrap(),
                        _ => {}
                    }
                    Poll::Pending
                })
                .await;
            }
            started.send(()).unwrap();
            match when {
                When::AwaitsNothing | When::Sleeps => pending().await,
                When::Yields => loop {
                    futures_lite::future::yield_now().await;
                },
                When::Blocks => {
                    released.lock().unwrap().recv().unwrap();
                    pending::<()>().await;
                }
            }
            Ok(())
        }
    });
    thread::scope(|scope| {
        let thread = scope.spawn(|| block_on(looping));
        has_started.recv().unwrap();
        has_started.recv().unwrap();
        if matches!(when, When::Blocks) {
            // Each body receives one of them, before or after the shutdown begins.
            (0..3).for_each(|_| release.send(()).unwrap());
        }
        match shutdown {
            "drop" => drop(owned),
            // A current-thread runtime drops its tasks after that time, and not before.
            "timeout" => owned.shutdown_timeout(Duration::from_millis(20)),
            _ => owned.shutdown_background(),
        }
        thread.join().unwrap().into_iter().collect()
    })
}

#[test]
fn a_loop_that_stops_waits_for_a_running_call() {
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let is_done = Arc::new(AtomicBool::new(false));
    let done = is_done.clone();
    let work = move |n| {
        if n == 0 {
            started.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
            done.store(true, Ordering::SeqCst);
            return Ok(());
        }
        Err("no")
    };
    let mut failed =
        pin!(forloop::each([0, 1]).unbounded().on_blocking(Smol).try_gather(sync_body(work)));
    assert!(poll_once(failed.as_mut()).is_pending());
    has_started.recv().unwrap();
    // The loop is pending whether or not the other body has failed by now.
    for _ in 0..100 {
        assert!(poll_once(failed.as_mut()).is_pending());
        thread::yield_now();
    }
    release.send(()).unwrap();
    let error = block_on(failed).unwrap_err();
    assert!(is_done.load(Ordering::SeqCst));
    assert!(matches!(&error, LoopError::Failed { .. }), "{error:?}");
    assert_eq!(error.first().unwrap().index, Some(1));
}

#[test]
fn a_panic_propagates_to_the_caller_or_is_the_outcome_of_its_body() {
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
fn a_body_that_never_started_has_stopped_when_the_tasks_that_it_holds_have() {
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
    assert!(poll_once(looping.as_mut()).is_pending(), "the task that the body holds is running");
    while executor.try_tick() {}
    assert!(executor.is_empty());
    pool.run_one();
    assert!(poll_once(looping).is_ready());
}

#[test]
fn a_single_blocking_call_is_owned_by_its_handle() {
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
