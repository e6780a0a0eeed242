//! A clock on which nobody waits: when nothing can run, it is the time of the next timer.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use forloop_core::{BlockOn, Timer};

/// A clock that stands still while the future that it blocks on can go on, and jumps to the next
/// timer when that one cannot: an hour takes no time, and ten bodies of a second end at exactly 1 s.
///
/// What another thread wakes is waited for as long as no timer is set.
#[derive(Debug, Clone, Default)]
pub struct VirtualClock {
    dial: Arc<Mutex<Dial>>,
}

#[derive(Debug, Default)]
struct Dial {
    now: Duration,
    /// How many timers were ever made: of those due at one time, the older comes first.
    made: u64,
    waiting: BTreeMap<Due, Waker>,
}

type Due = (Duration, u64);

impl VirtualClock {
    fn dial(&self) -> MutexGuard<'_, Dial> {
        // Nothing panics that holds it, and a test that has panicked elsewhere may still look at it.
        self.dial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass while the caller is busy: it goes on `duration` later, and timers that were due by
    /// then have woken whom they wake, each at its time.
    pub fn spend(&self, duration: Duration) {
        let until = self.now().saturating_add(duration);
        while self.jump(until) {}
        self.dial().now = until;
    }

    /// Makes it the time of the next timer; `false` if there is none until then.
    fn jump(&self, latest: Duration) -> bool {
        let mut dial = self.dial();
        let Some((&(next, _), _)) = dial.waiting.first_key_value() else { return false };
        if latest < next {
            return false;
        }
        dial.now = next;
        let later = dial.waiting.split_off(&(next, u64::MAX));
        let due = std::mem::replace(&mut dial.waiting, later);
        // A waker may do anything, also set a timer.
        drop(dial);
        due.into_values().for_each(Waker::wake);
        true
    }
}

impl Timer for VirtualClock {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let mut dial = self.dial();
        dial.made += 1;
        let due = (dial.now.saturating_add(duration), dial.made);
        drop(dial);
        Sleep { clock: self.clone(), due }
    }

    fn now(&self) -> Duration {
        self.dial().now
    }
}

impl BlockOn for VirtualClock {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let bell = Arc::new(Bell { rung: AtomicBool::new(false), thread: thread::current() });
        let waker = Waker::from(bell.clone());
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            while !bell.rung.swap(false, Ordering::SeqCst) {
                if !self.jump(Duration::MAX) {
                    thread::park();
                }
            }
        }
    }
}

/// Wakes a thread that blocks.
struct Bell {
    rung: AtomicBool,
    thread: Thread,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// A timer: on the dial from its first poll to its end.
struct Sleep {
    clock: VirtualClock,
    due: Due,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut dial = self.clock.dial();
        if self.due.0 <= dial.now {
            return Poll::Ready(());
        }
        let before = dial.waiting.insert(self.due, cx.waker().clone());
        // The last waker of a task may drop the task, and that its timers.
        drop(dial);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.clock.dial().waiting.remove(&self.due);
        drop(waker);
    }
}
