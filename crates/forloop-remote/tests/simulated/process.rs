//! A process of the simulation: its futures stop together, at any poll of any of them, and none of their destructors is of use.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use forloop_core::{Sleep, Spawn, Timer};
use forloop_sim::Sim;

/// A runtime whose tasks die with their process.
#[derive(Clone)]
pub(crate) struct Process {
    sim: Sim,
    state: Arc<State>,
}

struct State {
    polls: AtomicU64,
    /// Before which poll the process dies.
    dies_at: AtomicU64,
    /// Until when no future is polled.
    frozen_until: Mutex<Duration>,
    awaiting: Mutex<Option<Waker>>,
}

impl Process {
    pub(crate) fn new(sim: &Sim) -> Self {
        Self::dying_at(sim, u64::MAX)
    }

    /// A process that dies before this poll of its futures.
    pub(crate) fn dying_at(sim: &Sim, poll: u64) -> Self {
        let state = State {
            polls: AtomicU64::new(0),
            dies_at: AtomicU64::new(poll),
            frozen_until: Mutex::default(),
            awaiting: Mutex::default(),
        };
        Self { sim: sim.clone(), state: Arc::new(state) }
    }

    /// `kill -9`.
    pub(crate) fn kill(&self) {
        self.state.dies_at.store(0, Ordering::SeqCst);
        let awaiting = self.state.awaiting.lock().unwrap().take();
        if let Some(waker) = awaiting {
            waker.wake();
        }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state.polls.load(Ordering::SeqCst) >= self.state.dies_at.load(Ordering::SeqCst)
    }

    /// `SIGSTOP`, and `SIGCONT` after this time.
    pub(crate) fn freeze(&self, time: Duration) {
        *self.state.frozen_until.lock().unwrap() = self.sim.now() + time;
    }

    /// Runs the main future of the process. `None` if the process has died.
    pub(crate) async fn run<F: Future>(&self, main: F) -> Option<F::Output> {
        let mut main = pin!(self.part(main));
        poll_fn(|cx| {
            if self.is_dead() {
                return Poll::Ready(None);
            }
            *self.state.awaiting.lock().unwrap() = Some(cx.waker().clone());
            let polled = main.as_mut().poll(cx).map(Some);
            if self.is_dead() && polled.is_pending() { Poll::Ready(None) } else { polled }
        })
        .await
    }

    /// A future that is not polled any more once the process has died.
    async fn part<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut thaw = pin!(None);
        poll_fn(|cx| {
            loop {
                let left = self.state.frozen_until.lock().unwrap().saturating_sub(self.sim.now());
                if left.is_zero() {
                    break;
                }
                thaw.set(Some(self.sim.sleep(left)));
                if thaw.as_mut().as_pin_mut().unwrap().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
            if self.is_dead() {
                return Poll::Pending;
            }
            if self.state.polls.fetch_add(1, Ordering::SeqCst) + 1
                == self.state.dies_at.load(Ordering::SeqCst)
            {
                self.kill();
                return Poll::Pending;
            }
            future.as_mut().poll(cx)
        })
        .await
    }
}

impl Spawn for Process {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let process = self.clone();
        self.sim.spawn(async move { process.part(future).await });
    }
}

impl Timer for Process {
    fn sleep(&self, duration: Duration) -> impl Sleep + use<> {
        self.sim.sleep(duration)
    }

    fn now(&self) -> Duration {
        self.sim.now()
    }
}
