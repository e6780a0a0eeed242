//! What the tests watch bodies with. Nothing is ordered by sleeping where a channel can order it.

mod clock;
mod fair;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use forloop_core::Timer;

use crate::Backend;

pub use self::clock::VirtualClock;
pub use self::fair::{Fair, Held};

/// Counts what is alive: each guard counts until it is dropped.
#[derive(Debug, Clone, Default)]
pub struct Alive {
    count: Arc<AtomicUsize>,
    made: Arc<AtomicUsize>,
}

/// Something that is alive.
#[derive(Debug)]
pub struct Guard {
    count: Arc<AtomicUsize>,
}

impl Alive {
    /// Makes something that is alive until it is dropped.
    pub fn guard(&self) -> Guard {
        self.made.fetch_add(1, Ordering::SeqCst);
        self.count.fetch_add(1, Ordering::SeqCst);
        Guard { count: self.count.clone() }
    }

    /// How many are alive.
    pub fn now(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// How many were ever made.
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
pub struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

/// Counts bodies in flight and remembers the most there were.
#[derive(Debug, Clone, Default)]
pub struct Peak {
    flying: Alive,
    most: Arc<AtomicUsize>,
}

impl Peak {
    /// Runs `future` as a body in flight.
    pub async fn during<T>(&self, future: impl Future<Output = T>) -> T {
        // Also a body that is dropped is no longer in flight.
        let _guard = self.flying.guard();
        self.most.fetch_max(self.flying.now(), Ordering::SeqCst);
        future.await
    }

    /// The most there were at once.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// A gate that bodies wait at until it opens.
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
    /// Opens the gate for all who wait and all who come.
    pub fn open(&self) {
        self.open.close();
    }

    /// Waits until the gate is open.
    pub async fn passed(&self) {
        let _closed = self.wait.recv().await;
    }
}

/// A log in the order of writing.
#[derive(Debug, Clone)]
pub struct Tally<T = u64> {
    lines: Arc<Mutex<Vec<T>>>,
}

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self { lines: Arc::default() }
    }
}

impl<T: Clone> Tally<T> {
    /// Writes a line.
    pub fn write(&self, line: T) {
        self.lines.lock().expect("no writer panics").push(line);
    }

    /// Reads all lines so far.
    pub fn read(&self) -> Vec<T> {
        self.lines.lock().expect("no writer panics").clone()
    }

    /// Takes all lines so far: the log is empty again.
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.lines.lock().expect("no writer panics"))
    }
}

/// A clock on which a millisecond passes whenever somebody looks at it: so time passes while bodies
/// are busy, however fast the machine.
#[derive(Debug, Clone, Default)]
pub struct RestlessClock {
    looks: Arc<AtomicUsize>,
}

impl Timer for RestlessClock {
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
        Duration::from_millis(self.looks.fetch_add(1, Ordering::SeqCst) as u64)
    }
}

/// Yields to the executor `n` times.
pub async fn yields(n: usize) {
    for _ in 0..n {
        futures_lite::future::yield_now().await;
    }
}

/// Waits, for a generous while, until something becomes true.
///
/// # Panics
///
/// If it does not.
pub async fn eventually(clock: &impl Timer, what: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if what() {
            return;
        }
        clock.sleep(Duration::from_millis(1)).await;
    }
    panic!("it did not become true in ten seconds");
}

/// Waits until something becomes true, and for a good while after: a task has ended a little later than
/// its body.
pub async fn long_after<B: Backend>(backend: &B, what: impl Fn() -> bool) {
    let clock = backend.clock();
    eventually(&clock, what).await;
    clock.sleep(seconds::<B>(30)).await;
}

/// Some seconds of a virtual clock; of a real one, for which somebody waits, as many twentieths.
pub fn seconds<B: Backend>(seconds: u64) -> Duration {
    if B::EXACT { Duration::from_secs(seconds) } else { Duration::from_millis(50 * seconds) }
}

/// How much later than on time is still on time, on a real clock of a busy machine.
const SLACK: Duration = Duration::from_secs(60);

/// Checks that something happened on time: never early, on a virtual clock never late, and on a real
/// one before a while has passed in which it must have happened on any machine.
///
/// # Panics
///
/// If it did not.
pub fn on_time<B: Backend>(happened: Duration, due: Duration) {
    let latest = if B::EXACT { due } else { due + SLACK };
    assert!(due <= happened && happened <= latest, "due at {due:?}, happened at {happened:?}");
}
