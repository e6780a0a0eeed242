//! The page as a host of loops: tasks that run between the page's own events, and its timers.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use forloop::{SpawnLocal, Timer};

use crate::page;

/// The page: its one thread runs the tasks, and its timers wake them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page;

thread_local! {
    static TASKS: RefCell<Tasks> = RefCell::default();
}

#[derive(Default)]
struct Tasks {
    next: u32,
    /// A task that is being polled is not in the map.
    waiting: BTreeMap<u32, Pin<Box<dyn Future<Output = ()>>>>,
    woken: VecDeque<u32>,
    timers: BTreeMap<u32, Arc<Sleeper>>,
}

impl Tasks {
    fn id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}

/// Identifies a task. Waking it borrows nothing.
struct Name(u32);

impl Wake for Name {
    fn wake(self: Arc<Self>) {
        let is_first = TASKS.with_borrow_mut(|tasks| {
            tasks.woken.push_back(self.0);
            tasks.woken.len() == 1
        });
        if is_first {
            page::schedule_run();
        }
    }
}

/// Polls the tasks that were woken.
pub(crate) fn run_ready_tasks() {
    let woken = TASKS.with_borrow_mut(|tasks| std::mem::take(&mut tasks.woken));
    for id in woken {
        // The task may have completed since it was woken.
        let task = TASKS.with_borrow_mut(|tasks| tasks.waiting.remove(&id));
        let Some(mut task) = task else { continue };
        let waker = Waker::from(Arc::new(Name(id)));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            TASKS.with_borrow_mut(|tasks| tasks.waiting.insert(id, task));
        }
    }
}

impl SpawnLocal for Page {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        let id = TASKS.with_borrow_mut(|tasks| {
            let id = tasks.id();
            tasks.waiting.insert(id, Box::pin(future));
            id
        });
        Waker::from(Arc::new(Name(id))).wake();
    }
}

/// The state shared between a sleep and its timer, so that the sleep is `Send`.
#[derive(Default)]
struct Sleeper(Mutex<Option<Waker>>);

impl Sleeper {
    fn waker(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the task that sleeps until this timer is due.
pub(crate) fn timer_is_over(id: u32) {
    let sleeper = TASKS.with_borrow_mut(|tasks| tasks.timers.remove(&id));
    let waker = sleeper.and_then(|sleeper| sleeper.waker().take());
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A timer of the page, cancelled when it is dropped.
struct Alarm {
    id: u32,
    sleeper: Arc<Sleeper>,
}

/// The longest time of one timer of a page, about 24 days: longer ones would fire at once.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

impl Alarm {
    fn new(left: Duration) -> Self {
        let sleeper = Arc::<Sleeper>::default();
        let id = TASKS.with_borrow_mut(|tasks| {
            let id = tasks.id();
            tasks.timers.insert(id, sleeper.clone());
            id
        });
        // Rounded up to whole milliseconds.
        page::set_timer(id, left.min(LONGEST).as_micros().div_ceil(1000) as f64);
        Self { id, sleeper }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if TASKS.with_borrow_mut(|tasks| tasks.timers.remove(&self.id)).is_some() {
            page::clear_timer(self.id);
        }
    }
}

impl Timer for Page {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let due = self.now().saturating_add(duration);
        let mut alarm = Alarm::new(duration);
        poll_fn(move |cx| {
            let left = due.saturating_sub(Self.now());
            if left.is_zero() {
                return Poll::Ready(());
            }
            let is_over = TASKS.with_borrow(|tasks| !tasks.timers.contains_key(&alarm.id));
            if is_over {
                // The time exceeds one timer, or the timer fired early.
                alarm = Alarm::new(left);
            }
            *alarm.sleeper.waker() = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    fn now(&self) -> Duration {
        Duration::from_micros((page::now() * 1000.0) as u64)
    }
}
