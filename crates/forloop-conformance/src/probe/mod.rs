//! Probes that observe and order bodies. A test does not sleep where a channel can order it.

mod clock;
mod fair;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use forloop_core::Timer;

use crate::{Backend, Group, job};

pub use self::clock::VirtualClock;
pub use self::fair::{FairMutex, FairMutexGuard};

/// Counts the guards that exist.
#[derive(Debug, Clone, Default)]
pub struct Alive {
    count: Arc<AtomicUsize>,
    made: Arc<AtomicUsize>,
}

/// Counts in [`Alive`] until it is dropped.
#[derive(Debug)]
pub struct Guard {
    count: Arc<AtomicUsize>,
}

impl Alive {
    /// Makes a guard that counts until it is dropped.
    pub fn guard(&self) -> Guard {
        self.made.fetch_add(1, Ordering::SeqCst);
        self.count.fetch_add(1, Ordering::SeqCst);
        Guard { count: self.count.clone() }
    }

    /// Returns the number of guards that exist.
    pub fn now(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Returns the number of guards that were ever made.
    pub fn ever(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let before = self.count.fetch_sub(1, Ordering::SeqCst);
        assert_ne!(before, 0, "dropped twice");
    }
}

/// Panics when it is dropped.
#[derive(Debug)]
pub struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

/// Counts the bodies in flight, and keeps the maximum.
#[derive(Debug, Clone, Default)]
pub struct Peak {
    in_flight: Alive,
    most: Arc<AtomicUsize>,
}

impl Peak {
    /// Runs `future` as a body in flight.
    pub async fn during<T>(&self, future: impl Future<Output = T>) -> T {
        // The guard also counts down when the body is dropped.
        let _guard = self.in_flight.guard();
        self.most.fetch_max(self.in_flight.now(), Ordering::SeqCst);
        future.await
    }

    /// Returns the maximum number of bodies in flight.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// A gate at which bodies wait until it is opened.
#[derive(Debug, Clone)]
pub struct Gate {
    open: async_channel::Sender<()>,
    wait: async_channel::Receiver<()>,
}

impl Default for Gate {
    fn default() -> Self {
        let (open, wait) = async_channel::bounded(1);
        Self { open, wait }
    }
}

impl Gate {
    /// Opens the gate for all current and future waiters.
    pub fn open(&self) {
        self.open.close();
    }

    /// Waits until the gate is open.
    pub async fn passed(&self) {
        let _closed = self.wait.recv().await;
    }
}

/// A log shared by clones, in the order of its writes.
#[derive(Debug, Clone)]
pub struct Log<T = u64> {
    entries: Arc<Mutex<Vec<T>>>,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { entries: Arc::default() }
    }
}

impl<T: Clone> Log<T> {
    /// Appends an entry.
    pub fn write(&self, entry: T) {
        self.entries.lock().expect("no writer panics").push(entry);
    }

    /// Returns all entries so far.
    pub fn read(&self) -> Vec<T> {
        self.entries.lock().expect("no writer panics").clone()
    }

    /// Takes all entries, so the log is empty again.
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.entries.lock().expect("no writer panics"))
    }
}

/// A clock that advances by one millisecond each time it is read, so time passes while bodies are busy, on any
/// machine.
#[derive(Debug, Clone, Default)]
pub struct TickingClock {
    reads: Arc<AtomicUsize>,
}

impl Timer for TickingClock {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (clock, due) = (self.clone(), self.now().saturating_add(duration));
        std::future::poll_fn(move |cx| {
            if due <= clock.now() {
                return Poll::Ready(());
            }
            if due < Duration::MAX {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.reads.fetch_add(1, Ordering::SeqCst) as u64)
    }
}

/// Yields to the executor `n` times.
pub async fn yields(n: usize) {
    for _ in 0..n {
        futures_lite::future::yield_now().await;
    }
}

/// Waits until the condition is true.
///
/// # Panics
///
/// If it is still false after ten seconds of the clock.
pub async fn eventually(clock: &impl Timer, condition: impl Fn() -> bool) {
    // Ten thousand sleeps may be far longer, because each may be late.
    let start = clock.now();
    let mut sleeps = 0;
    while !condition() {
        let waited = clock.now().saturating_sub(start);
        assert!(waited < Duration::from_secs(10), "the condition is false after {waited:?}");
        clock.sleep(Duration::from_millis(1)).await;
        sleeps += 1;
        assert!(
            sleeps < 1_000_000,
            "the clock stands still: it shows {waited:?} after {sleeps} sleeps"
        );
    }
}

/// Waits until the condition is true, and for a while afterwards, because a task completes a little later than its
/// body.
pub async fn long_after<B: Backend>(backend: &B, condition: impl Fn() -> bool) {
    let clock = backend.clock();
    eventually(&clock, condition).await;
    clock.sleep(seconds::<B>(30)).await;
}

/// Seconds of a virtual clock. On a real clock, a second is shortened to 50 ms, because the test waits for it.
pub fn seconds<B: Backend>(seconds: u64) -> Duration {
    if B::EXACT { Duration::from_secs(seconds) } else { Duration::from_millis(50 * seconds) }
}

/// The delay that still counts as on time, on a real clock of a busy machine.
const SLACK: Duration = Duration::from_secs(60);

/// Checks that an event happened on time: never early; on a virtual clock never late, and on a real one at most a
/// minute late.
///
/// # Panics
///
/// If it was early or late.
pub fn on_time<B: Backend>(happened: Duration, due: Duration) {
    let latest = if B::EXACT { due } else { due + SLACK };
    assert!(due <= happened && happened <= latest, "due at {due:?}, happened at {happened:?}");
}

/// Fails a law that has `many` tasks at once if each task has a thread of its own.
///
/// A process that starts so many threads is aborted by its runtime library or by the system, and no other law is
/// tested. So a few hundred tasks wait together first, and each notes its thread.
///
/// # Panics
///
/// If each task has a thread of its own.
pub fn needs_many_tasks<B: Backend>(backend: &B, many: usize) {
    const FEW: usize = 256;
    let threads = Arc::new(Mutex::new(HashSet::new()));
    let (polled, all) = (Arc::new(AtomicUsize::new(0)), Gate::default());
    let noted = threads.clone();
    let group = backend.group(move |group| {
        job(async move {
            for _ in 0..FEW {
                let (threads, polled, all) = (noted.clone(), polled.clone(), all.clone());
                group.spawn(job(async move {
                    threads.lock().expect("no task panics").insert(thread::current().id());
                    if polled.fetch_add(1, Ordering::SeqCst) + 1 == FEW {
                        all.open();
                    }
                    all.passed().await;
                    Ok(0)
                }));
            }
            Ok(())
        })
    });
    assert_eq!(backend.block_on(group), Ok(()));
    let threads = threads.lock().expect("no task panics").len();
    assert!(threads < FEW, "each task has a thread of its own, and this law has {many} at once");
}
