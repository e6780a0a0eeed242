//! A small runtime, honest or with one fault.

// Each test uses some of the faults.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use forloop_core::{BlockOn, Spawn, Timer};

/// What is wrong with a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// `block_on` polls its future once.
    DeafBlockOn,
    /// `spawn` polls the task.
    PolledInSpawn,
    /// `wake` polls the task.
    PolledInWake,
    /// Both.
    PolledInBoth,
    /// A wake on a thread that is not the runtime's is lost.
    ForeignWakeLost,
    /// A wake during a poll is lost.
    WakeInPollLost,
    /// A task is polled once more after it has completed.
    PolledAfterItsEnd,
    /// The future of a completed task is not dropped.
    NeverDropped,
    /// A completed task is dropped under the lock that `spawn` takes.
    DroppedUnderLock,
    /// The task that was woken last is polled next.
    LastWokenFirst,
    /// A task that wakes itself is polled again and again.
    BusyTaskFirst,
    /// Tasks that wait are not dropped when the runtime ends.
    LeakedAtItsEnd,
    /// A wake after the runtime has ended panics.
    WakerPanics,
    /// `now` goes back now and then.
    ClockGoesBack,
    /// `sleep` is a millisecond early.
    EarlySleep,
    /// A sleep wakes the task that has polled it first.
    SleepWakesTheFirst,
    /// Each wake leads to two polls, which is legal.
    SpuriousPolls,
    /// `sleep` is up to this late, each time by another amount, which is legal.
    Late(Duration),
    /// The clock counts ticks of this length, which is legal.
    Coarse(Duration),
}

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Two threads that poll tasks in the order of their wakes, and end with the last handle.
#[derive(Clone)]
pub(crate) struct Runtime {
    queue: Arc<Queue>,
    _owner: Arc<Owner>,
}

struct Queue {
    fault: Fault,
    ready: Mutex<Ready>,
    is_ready: Condvar,
    tasks: Mutex<Vec<Weak<Task>>>,
    /// Held while a task is dropped, under one of the faults.
    dropping: Mutex<()>,
    reads: AtomicUsize,
}

#[derive(Default)]
struct Ready {
    tasks: VecDeque<Arc<Task>>,
    is_closed: bool,
}

struct Task {
    queue: Arc<Queue>,
    future: Mutex<Option<Job>>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Ready,
    Polled,
    WokenWhilePolled,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runtime {
    /// Starts its threads.
    pub(crate) fn new(fault: Fault) -> Self {
        let queue = Arc::new(Queue {
            fault,
            ready: Mutex::default(),
            is_ready: Condvar::new(),
            tasks: Mutex::default(),
            dropping: Mutex::default(),
            reads: AtomicUsize::new(0),
        });
        for _ in 0..2 {
            let queue = queue.clone();
            let named = thread::Builder::new().name("runtime".to_owned());
            named.spawn(move || queue.run()).expect("a thread can be started");
        }
        Self { _owner: Arc::new(Owner { queue: queue.clone() }), queue }
    }
}

impl Queue {
    fn run(&self) {
        loop {
            let mut ready = lock(&self.ready);
            let task = loop {
                if ready.is_closed {
                    return;
                }
                let next = match self.fault {
                    Fault::LastWokenFirst => ready.tasks.pop_back(),
                    _ => ready.tasks.pop_front(),
                };
                match next {
                    Some(task) => break task,
                    None => {
                        ready = self.is_ready.wait(ready).unwrap_or_else(PoisonError::into_inner);
                    }
                }
            };
            drop(ready);
            task.poll();
        }
    }

    fn push(&self, task: Arc<Task>) {
        let mut ready = lock(&self.ready);
        if !ready.is_closed {
            ready.tasks.push_back(task);
            self.is_ready.notify_one();
        }
    }
}

impl Task {
    fn poll(self: &Arc<Self>) {
        loop {
            *lock(&self.state) = State::Polled;
            let Some(mut future) = lock(&self.future).take() else { return };
            let waker = Waker::from(self.clone());
            let mut cx = Context::from_waker(&waker);
            let mut poll = future.as_mut().poll(&mut cx);
            if self.queue.fault == Fault::SpuriousPolls && poll.is_pending() {
                poll = future.as_mut().poll(&mut cx);
            }
            if poll.is_ready() {
                match self.queue.fault {
                    Fault::PolledAfterItsEnd => drop(future.as_mut().poll(&mut cx)),
                    Fault::NeverDropped => return std::mem::forget(future),
                    Fault::DroppedUnderLock => {
                        let _held = lock(&self.queue.dropping);
                        return drop(future);
                    }
                    _ => {}
                }
                return;
            }
            *lock(&self.future) = Some(future);
            if lock(&self.queue.ready).is_closed {
                return self.end();
            }
            let mut state = lock(&self.state);
            if *state == State::Polled {
                *state = State::Idle;
                return;
            }
            *state = State::Ready;
            drop(state);
            if self.queue.fault != Fault::BusyTaskFirst {
                return self.queue.push(self.clone());
            }
        }
    }

    fn end(&self) {
        let future = lock(&self.future).take();
        match self.queue.fault {
            Fault::LeakedAtItsEnd => std::mem::forget(future),
            _ => drop(future),
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let fault = self.queue.fault;
        let is_foreign = thread::current().name() != Some("runtime");
        if fault == Fault::ForeignWakeLost && is_foreign {
            return;
        }
        if fault == Fault::WakerPanics {
            assert!(!lock(&self.queue.ready).is_closed, "the runtime has ended");
        }
        let mut state = lock(&self.state);
        match *state {
            State::Idle => *state = State::Ready,
            State::Polled if fault == Fault::WakeInPollLost => return,
            State::Polled => {
                *state = State::WokenWhilePolled;
                return;
            }
            State::Ready | State::WokenWhilePolled => return,
        }
        drop(state);
        match fault {
            Fault::PolledInWake | Fault::PolledInBoth => self.poll(),
            _ => self.queue.push(self.clone()),
        }
    }
}

/// Ends the runtime when it is dropped.
struct Owner {
    queue: Arc<Queue>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut ready = lock(&self.queue.ready);
        ready.is_closed = true;
        let tasks = std::mem::take(&mut ready.tasks);
        drop(ready);
        self.queue.is_ready.notify_all();
        drop(tasks);
        let all = std::mem::take(&mut *lock(&self.queue.tasks));
        all.iter().filter_map(Weak::upgrade).for_each(|task| task.end());
    }
}

impl Spawn for Runtime {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(lock(&self.queue.dropping));
        let task = Arc::new(Task {
            queue: self.queue.clone(),
            future: Mutex::new(Some(Box::pin(future))),
            state: Mutex::new(State::Ready),
        });
        lock(&self.queue.tasks).push(Arc::downgrade(&task));
        match self.queue.fault {
            Fault::PolledInSpawn | Fault::PolledInBoth => task.poll(),
            _ => self.queue.push(task),
        }
    }
}

impl Timer for Runtime {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let fault = self.queue.fault;
        let duration = match fault {
            Fault::EarlySleep => duration.saturating_sub(Duration::from_millis(1)),
            Fault::Late(most) => {
                // A few amounts in turn, from nothing to the most.
                let part = self.queue.reads.fetch_add(7, Ordering::Relaxed) % 11;
                duration.saturating_add(most * part as u32 / 10)
            }
            Fault::Coarse(tick) => duration.saturating_add(tick),
            _ => duration,
        };
        let (mut timer, mut first) = (async_io::Timer::after(duration), None::<Waker>);
        std::future::poll_fn(move |cx| {
            let waker = match fault {
                Fault::SleepWakesTheFirst => &*first.get_or_insert_with(|| cx.waker().clone()),
                _ => cx.waker(),
            };
            pin!(&mut timer).poll(&mut Context::from_waker(waker)).map(drop)
        })
    }

    fn now(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let now = ORIGIN.get_or_init(Instant::now).elapsed() + Duration::from_secs(1);
        let reads = self.queue.reads.fetch_add(1, Ordering::Relaxed);
        match self.queue.fault {
            Fault::ClockGoesBack if reads % 500 == 499 => now - Duration::from_millis(500),
            Fault::Coarse(tick) => {
                now - Duration::from_nanos((now.as_nanos() % tick.as_nanos()) as u64)
            }
            _ => now,
        }
    }
}

impl BlockOn for Runtime {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        if self.queue.fault == Fault::DeafBlockOn {
            let mut future = pin!(future);
            loop {
                match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(output) => return output,
                    Poll::Pending => thread::park(),
                }
            }
        }
        async_io::block_on(future)
    }
}
