//! A virtual clock: when no future can run, it advances to the next timer.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use forloop_core::{BlockOn, Timer};

/// A clock that stands still while the future that it blocks on can run, and advances to the next timer when the
/// future cannot run: an hour takes no time, and ten bodies of one second complete at exactly 1 s.
///
/// If no timer is set, it waits for a wake from another thread.
#[derive(Debug, Clone, Default)]
pub struct VirtualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    /// The number of timers that were ever made: of two that are due at the same time, the older one fires first.
    made: u64,
    timers: BTreeMap<Due, Waker>,
}

type Due = (Duration, u64);

impl VirtualClock {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and a test that has panicked may still read the clock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Advances the clock by `duration`, as if the caller were busy for that time. The timers that are due by then fire
    /// in order, each at its own time.
    pub fn advance(&self, duration: Duration) {
        let until = self.now().saturating_add(duration);
        while self.advance_to_next_timer(until) {}
        self.state().now = until;
    }

    /// Advances to the next timer, and fires all that are due then; returns `false` if none is due until `latest`.
    fn advance_to_next_timer(&self, latest: Duration) -> bool {
        let mut state = self.state();
        let Some((&(next, _), _)) = state.timers.first_key_value() else { return false };
        if latest < next {
            return false;
        }
        state.now = next;
        let later = state.timers.split_off(&(next, u64::MAX));
        let due = std::mem::replace(&mut state.timers, later);
        // A waker may set a timer, so the lock is not held.
        drop(state);
        due.into_values().for_each(Waker::wake);
        true
    }
}

impl Timer for VirtualClock {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.state();
        state.made += 1;
        let due = (state.now.saturating_add(duration), state.made);
        drop(state);
        Sleep { clock: self.clone(), due }
    }

    fn now(&self) -> Duration {
        self.state().now
    }
}

impl BlockOn for VirtualClock {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let thread = Arc::new(Unpark { woken: AtomicBool::new(false), thread: thread::current() });
        let waker = Waker::from(thread.clone());
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            while !thread.woken.swap(false, Ordering::SeqCst) {
                if !self.advance_to_next_timer(Duration::MAX) {
                    thread::park();
                }
            }
        }
    }
}

/// Unparks the thread that blocks.
struct Unpark {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// A timer, which is set from its first poll until it is dropped.
struct Sleep {
    clock: VirtualClock,
    due: Due,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if self.due.0 <= state.now {
            return Poll::Ready(());
        }
        let before = state.timers.insert(self.due, cx.waker().clone());
        // The last waker of a task may drop the task and its timers, so the lock is not held.
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.clock.state().timers.remove(&self.due);
        drop(waker);
    }
}
