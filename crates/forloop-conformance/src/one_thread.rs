//! A runtime of one thread, whose tasks and sleeps stay there, as a backend.
//!
//! The laws move their bodies and clocks as if they ran on several threads, so both must be `Send`. Here they are keys:
//! the runtime and its sleeps are in thread-locals of the thread that has made them, which is the only one that runs
//! them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use forloop_core::places::SpawnedLocal;
use forloop_core::types::{GroupDriver, GroupFuture};
use forloop_core::{BlockOn, LocalTimer, Spawn, SpawnLocal, Task, Timer};

use crate::backend::{Backend, Job, Spawning};

type Local = Pin<Box<dyn Future<Output = ()>>>;

/// A runtime that is [`SpawnLocal`], [`LocalTimer`] and [`BlockOn`], and need not be `Send`: it spawns tasks on the
/// thread that blocks.
///
/// [`suite!(local name: expression)`](crate::suite) puts the value of its expression into it.
///
/// Such a runtime may refuse calls outside of its `block_on`. So a task that a law spawns there is spawned when
/// `block_on` begins, and a sleep is made when it is first polled, for the rest of its time.
///
/// # Panics
///
/// Its clock and its tasks panic if a law uses them on another thread.
pub struct OneThread<R: SpawnLocal + LocalTimer + BlockOn + 'static> {
    local: Entering<R>,
    key: u64,
}

impl<R: SpawnLocal + LocalTimer + BlockOn + 'static> OneThread<R> {
    /// Makes a backend of a runtime of this thread.
    pub fn new(runtime: R) -> Self {
        let (is_blocking, queued) = (Cell::new(false), RefCell::default());
        let entered = Rc::new(Entered { runtime, is_blocking, queued });
        let key = next_key();
        RUNTIMES.with(|runtimes| runtimes.borrow_mut().insert(key, entered.clone()));
        Self { local: Entering { entered }, key }
    }
}

impl<R: SpawnLocal + LocalTimer + BlockOn + 'static> Drop for OneThread<R> {
    fn drop(&mut self) {
        let runtime = RUNTIMES.with(|runtimes| runtimes.borrow_mut().remove(&self.key));
        drop(runtime);
        // They may hold the runtime, and it holds them.
        let queued = self.local.entered.queued.take();
        drop(queued);
    }
}

impl<R: SpawnLocal + LocalTimer + BlockOn + 'static> fmt::Debug for OneThread<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneThread").finish_non_exhaustive()
    }
}

impl<R: SpawnLocal + LocalTimer + BlockOn + 'static> Backend for OneThread<R> {
    type Place = SpawnedLocal<Entering<R>>;
    type Clock = ThreadClock;
    type Group = forloop_core::Group<ThreadSpawn, String>;

    const SPAWNED: bool = true;
    const ON_ONE_THREAD: bool = true;

    fn place(&self) -> Self::Place {
        SpawnedLocal(self.local.clone())
    }

    fn clock(&self) -> ThreadClock {
        ThreadClock { runtime: self.key }
    }

    fn group<T: Send + 'static>(
        &self,
        body: impl FnOnce(Self::Group) -> Job<Result<T, String>> + 'static,
    ) -> GroupFuture<impl GroupDriver<Value = T, Error = String> + 'static> {
        forloop_core::task_group(self.runtime(), body)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        /// Also if the runtime panics.
        struct Leave<'a>(&'a Cell<bool>);

        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.set(false);
            }
        }

        let entered = &self.local.entered;
        let _leave = Leave(&entered.is_blocking);
        entered.runtime.block_on(async {
            entered.is_blocking.set(true);
            for task in entered.queued.take() {
                entered.runtime.spawn_local(task);
            }
            future.await
        })
    }
}

impl<R: SpawnLocal + LocalTimer + BlockOn + 'static> Spawning for OneThread<R> {
    type Runtime = ThreadSpawn;

    fn runtime(&self) -> ThreadSpawn {
        ThreadSpawn { runtime: self.key }
    }

    fn spawn<T: Send + 'static>(&self, job: Job<T>) -> Task<T> {
        forloop_core::spawn_local(&self.local, job)
    }
}

/// Spawns tasks on a runtime once its `block_on` has begun.
pub struct Entering<R> {
    entered: Rc<Entered<R>>,
}

/// A runtime, and the tasks that were spawned outside of its `block_on`.
struct Entered<R> {
    runtime: R,
    is_blocking: Cell<bool>,
    queued: RefCell<Vec<Local>>,
}

impl<R> Clone for Entering<R> {
    fn clone(&self) -> Self {
        Self { entered: self.entered.clone() }
    }
}

impl<R> fmt::Debug for Entering<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entering").finish_non_exhaustive()
    }
}

impl<R: SpawnLocal> Entered<R> {
    fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        if self.is_blocking.get() {
            self.runtime.spawn_local(future);
        } else {
            self.queued.borrow_mut().push(Box::pin(future));
        }
    }
}

impl<R: SpawnLocal> SpawnLocal for Entering<R> {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        self.entered.spawn(future);
    }
}

/// [`Entered`] as a trait object.
trait OnThisThread {
    fn spawn(&self, future: Local);

    /// Starts a sleep, if that is possible now.
    fn sleep(&self, duration: Duration) -> Option<Local>;

    fn now(&self) -> Duration;
}

impl<R: SpawnLocal + LocalTimer> OnThisThread for Entered<R> {
    fn spawn(&self, future: Local) {
        Self::spawn(self, future);
    }

    fn sleep(&self, duration: Duration) -> Option<Local> {
        let is_blocking = self.is_blocking.get();
        is_blocking.then(|| -> Local { Box::pin(self.runtime.sleep_local(duration)) })
    }

    fn now(&self) -> Duration {
        self.runtime.now_local()
    }
}

thread_local! {
    static RUNTIMES: RefCell<BTreeMap<u64, Rc<dyn OnThisThread>>> = RefCell::default();
    static SLEEPS: RefCell<BTreeMap<u64, Local>> = RefCell::default();
}

fn next_key() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The runtime of this key, unless it has ended or is another thread's. It is not borrowed while it is called.
fn runtime(key: u64) -> Option<Rc<dyn OnThisThread>> {
    RUNTIMES.with(|runtimes| runtimes.borrow().get(&key).cloned())
}

/// The clock of a runtime of one thread. It may be sent, and is used on the thread of its runtime.
#[derive(Debug, Clone)]
pub struct ThreadClock {
    runtime: u64,
}

impl ThreadClock {
    fn runtime(&self) -> Rc<dyn OnThisThread> {
        runtime(self.runtime).expect("a clock of one thread is used there, before its runtime ends")
    }
}

impl Timer for ThreadClock {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let runtime = self.runtime();
        let due = runtime.now().saturating_add(duration);
        let sleep = ThreadSleep { clock: self.clone(), due, key: next_key() };
        if let Some(started) = runtime.sleep(duration) {
            sleep.store(started);
        }
        sleep
    }

    fn now(&self) -> Duration {
        self.runtime().now()
    }
}

struct ThreadSleep {
    clock: ThreadClock,
    due: Duration,
    key: u64,
}

impl ThreadSleep {
    fn store(&self, sleep: Local) {
        SLEEPS.with(|sleeps| sleeps.borrow_mut().insert(self.key, sleep));
    }

    /// Takes the sleep, because what it calls may poll, make or drop others.
    fn take(&self) -> Option<Local> {
        SLEEPS.try_with(|sleeps| sleeps.borrow_mut().remove(&self.key)).ok().flatten()
    }
}

impl Future for ThreadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let started = self.take().or_else(|| {
            let runtime = self.clock.runtime();
            runtime.sleep(self.due.saturating_sub(runtime.now()))
        });
        // Nothing wakes it outside of `block_on`, which polls it again.
        let Some(mut sleep) = started else { return Poll::Pending };
        let poll = sleep.as_mut().poll(cx);
        if poll.is_pending() {
            self.store(sleep);
        }
        poll
    }
}

impl Drop for ThreadSleep {
    fn drop(&mut self) {
        let sleep = self.take();
        drop(sleep);
    }
}

/// Spawns tasks on the thread of a runtime, from that thread.
#[derive(Debug, Clone)]
pub struct ThreadSpawn {
    runtime: u64,
}

impl Spawn for ThreadSpawn {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        // A runtime that has ended drops the task.
        if let Some(runtime) = runtime(self.runtime) {
            runtime.spawn(Box::pin(future));
        }
    }

    fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}
