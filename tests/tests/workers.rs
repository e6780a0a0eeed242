//! The number of workers of a loop, and when they start and stop.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use forloop::smol::Smol;
use forloop::tokio::{OwnedRuntime, Tokio};
use forloop::{BlockOn, Cause, Interrupted, Spawn, WorkItem, WorkQueue, each, each_stream};
use forloop_conformance::{Alive, Guard, eventually, yields};

/// A runtime that counts its tasks.
#[derive(Debug, Clone, Default)]
struct Counting {
    spawned: Arc<AtomicUsize>,
    alive: Alive,
}

impl Spawn for Counting {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.spawned.fetch_add(1, Ordering::SeqCst);
        let guard = self.alive.guard();
        Smol.spawn(async move {
            let _alive: Guard = guard;
            future.await;
        });
    }
}

impl Counting {
    fn spawned(&self) -> usize {
        self.spawned.load(Ordering::SeqCst)
    }
}

fn workers(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

async fn body(n: u64) -> u64 {
    yields(3).await;
    n
}

#[test]
fn a_loop_that_is_never_polled_has_no_worker() {
    let runtime = Counting::default();
    drop(each(0..10).unbounded().on_workers(runtime.clone()).gather(body));
    assert_eq!(runtime.spawned(), 0);
}

#[test]
fn a_loop_has_at_most_as_many_workers_as_running_bodies_and_as_configured() {
    for (items, limit, most) in [(0, 9, 0), (1, 9, 1), (3, 9, 3), (1000, 2, 2), (1000, 99, 4)] {
        let runtime = Counting::default();
        let looping = each(0..items).limit(limit).unwrap();
        let looping = looping.on_workers_of(runtime.clone(), workers(4)).gather(body);
        assert!(Smol.block_on(looping).into_iter().eq(0..items));
        assert_eq!(runtime.spawned(), most, "{items} items, limit {limit}");
    }
}

#[test]
fn a_loop_has_as_many_workers_as_its_runtime_has_threads() {
    let owned = OwnedRuntime::multi_thread(NonZeroUsize::new(3)).unwrap();
    assert_eq!(owned.runtime().threads().get(), 3);
    assert_eq!(OwnedRuntime::current_thread().unwrap().runtime().threads().get(), 1);
    let runtime = Counting::default();
    let looping = each(0..1000).unbounded().on_workers(runtime.clone()).gather(body);
    assert_eq!(Smol.block_on(looping).len(), 1000);
    assert_eq!(runtime.spawned(), runtime.threads().get());
}

#[test]
fn workers_stop_with_their_loop() {
    let runtime = Counting::default();
    let mut looping =
        Box::pin(each(0..100).limit(9).unwrap().on_workers(runtime.clone()).gather(body));
    assert_eq!(Smol.block_on(looping.as_mut()).len(), 100);
    // Even if the loop's future is kept.
    Smol.block_on(eventually(&Smol, || runtime.alive.now() == 0));
    let endless = each(0..100).unbounded().on_workers(runtime.clone());
    let mut endless = Box::pin(endless.gather(|_: u64| std::future::pending::<()>()));
    Smol.block_on(async {
        assert!(futures_lite::future::poll_once(endless.as_mut()).await.is_none());
        assert!(runtime.alive.now() > 0);
        drop(endless);
        eventually(&Smol, || runtime.alive.now() == 0).await;
    });
}

#[test]
fn a_runtime_that_is_shut_down_stops_the_loops_of_its_workers() {
    for limit in [1, 7, 1000] {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let runtime = Tokio::from(tokio.handle().clone());
        let alive = Alive::default();
        let looping = each(0..).limit(limit).unwrap().on_workers(runtime);
        let looping = looping.cancel_on(std::future::pending::<()>()).gather({
            let alive = alive.clone();
            move |_: u64| {
                let guard = alive.guard();
                async move {
                    let _alive: Guard = guard;
                    std::future::pending::<()>().await;
                }
            }
        });
        let returned = std::thread::scope(|scope| {
            let thread = scope.spawn(|| futures_lite::future::block_on(looping));
            while alive.now() < limit {
                std::thread::yield_now();
            }
            tokio.shutdown_timeout(Duration::from_secs(60));
            thread.join().unwrap()
        });
        let Err(Interrupted { cause, pending, .. }) = returned else {
            panic!("the loop completed")
        };
        assert_eq!((cause, pending.len()), (Cause::Cancelled, limit));
        assert_eq!(alive.now(), 0);
    }
}

#[test]
fn two_bodies_have_a_worker_each() {
    let owned = OwnedRuntime::multi_thread(NonZeroUsize::new(2)).unwrap();
    let barrier = Arc::new(Barrier::new(2));
    let looping = each(0..2).unbounded().on_workers(owned.runtime()).gather(move |_| {
        let barrier = barrier.clone();
        // On a single worker the first body would block forever.
        async move { barrier.wait().is_leader() }
    });
    let leaders = owned.block_on(looping);
    assert_ne!(leaders[0], leaders[1]);
}

#[test]
fn workers_walk_a_tree_to_its_leaves() {
    let owned = OwnedRuntime::multi_thread(NonZeroUsize::new(2)).unwrap();
    for limit in [1, 2, 1000] {
        let queue = WorkQueue::new([1]).unique_by(|&n: &u64| n);
        let looping = each_stream(queue).limit(limit).unwrap().on_workers(owned.runtime());
        let walked = looping.gather(move |node: WorkItem<u64>| async move {
            for child in [*node * 2, *node * 2 + 1, *node / 2] {
                if (1..10_000).contains(&child) {
                    node.push(child);
                }
                yields(*node as usize % 2).await;
            }
            *node
        });
        let mut walked = owned.block_on(walked);
        walked.sort_unstable();
        assert!(walked.into_iter().eq(1..10_000));
    }
}
