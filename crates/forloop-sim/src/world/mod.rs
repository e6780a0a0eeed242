//! The state of a simulation: its tasks, its clock, and the loop that runs them.

mod deadlock;
mod state;
mod task_waker;

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use forloop_core::Panic;
use forloop_core::simulation::simulated;

pub(crate) use self::state::Due;
use self::state::{Job, NEVER, Next, State, Task, TaskFuture, TaskState, TimerEntry};
use self::task_waker::{TaskWaker, WakeTask};
use crate::deadlock::{NoProgress, Pending};
use crate::event::{Event, EventKind, Label};
use crate::schedule::{Choices, Point, Schedule};

type LocalJob = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// The worlds that run on this thread, innermost last.
    static CURRENT: RefCell<Vec<Weak<World>>> = const { RefCell::new(Vec::new()) };

    /// The futures of tasks that stay on this thread, by world and task number.
    static LOCALS: RefCell<HashMap<(u64, usize), LocalJob>> = RefCell::default();
}

/// The seed of the thread's random numbers.
const RANDOM_NUMBERS: u64 = 0x666f_726c_6f6f_7021;

/// The state behind all handles of a simulation.
pub(crate) struct World {
    id: u64,
    state: Mutex<State>,
    /// Notified when a task was woken, for a `block_on` that waits for other threads.
    woken: Condvar,
}

impl World {
    pub(crate) fn new(schedule: Schedule) -> Arc<Self> {
        // The jitter of a back-off takes its random numbers from `fastrand`: they are the same in each run.
        fastrand::seed(RANDOM_NUMBERS);
        static WORLDS: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: WORLDS.fetch_add(1, Ordering::Relaxed),
            state: Mutex::new(State::new(schedule)),
            woken: Condvar::new(),
        })
    }

    /// Returns the innermost world that runs on this thread.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(|worlds| worlds.last().and_then(Weak::upgrade))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of the program runs while the lock is held, so the state is consistent after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        self.state().now
    }

    pub(crate) fn set_deadlock_timeout(&self, deadlock_timeout: Duration) {
        self.state().deadlock_timeout = deadlock_timeout;
    }

    /// Records events from now on.
    pub(crate) fn record(&self) {
        self.state().log = Some(Vec::new());
    }

    pub(crate) fn log(&self) -> Vec<Event> {
        let state = self.state();
        state.log_before_deadlock.clone().or_else(|| state.log.clone()).unwrap_or_default()
    }

    /// Returns the choices made so far, each with the number of its options.
    pub(crate) fn chosen(&self) -> Vec<(u32, u32)> {
        self.state().chosen.clone()
    }

    pub(crate) fn choices(&self) -> Choices {
        self.state().chosen.iter().map(|&(choice, _)| choice).collect::<Vec<_>>().into()
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.state().fingerprint
    }

    /// Returns the number of steps taken, and their limit.
    pub(crate) fn steps(&self) -> (u64, u64) {
        let state = self.state();
        (state.steps, state.max_steps)
    }

    pub(crate) fn set_max_steps(&self, max: u64) {
        self.state().max_steps = max;
    }

    /// Chooses one of several things that have no order.
    pub(crate) fn choose(&self, options: usize) -> usize {
        self.state().choose(Point::Order(options))
    }

    pub(crate) fn spawn(self: &Arc<Self>, job: Job, label: Label) {
        self.add(TaskState::Stored(job), label);
    }

    pub(crate) fn spawn_local(self: &Arc<Self>, job: LocalJob, label: Label) {
        let task = self.add(TaskState::ThreadLocal, label);
        LOCALS.with_borrow_mut(|locals| locals.insert((self.id, task), job));
    }

    /// Adds a task that can run at once.
    fn add(self: &Arc<Self>, task_state: TaskState, label: Label) -> usize {
        let mut state = self.state();
        let task = state.tasks.len();
        let this: Weak<Self> = Arc::downgrade(self);
        let task_waker = TaskWaker::woken(this, task);
        state.tasks.push(Task {
            state: task_state,
            waker: task_waker.clone().into(),
            task_waker,
            label,
        });
        state.ready.push(task);
        state.record_event(EventKind::Spawned(task, label));
        self.notify_threads(&state);
        task
    }

    /// Returns the tasks that have not completed.
    pub(crate) fn pending(&self) -> Vec<Pending> {
        let state = self.state();
        let tasks = state.tasks.iter().enumerate();
        let pending = tasks.filter(|(_, task)| !matches!(task.state, TaskState::Completed));
        pending
            .map(|(number, task)| Pending {
                task: number,
                label: task.label,
                is_main: matches!(task.state, TaskState::BlockOn),
            })
            .collect()
    }

    /// Drops every task that has not completed.
    pub(crate) fn clear(&self) {
        let mut panicked: Option<Panic> = None;
        loop {
            let mut state = self.state();
            let tasks: Vec<(usize, TaskState)> = state
                .tasks
                .iter_mut()
                .enumerate()
                .filter(|(_, task)| {
                    matches!(task.state, TaskState::Stored(_) | TaskState::ThreadLocal)
                })
                .map(|(number, task)| {
                    (number, std::mem::replace(&mut task.state, TaskState::Completed))
                })
                .collect();
            drop(state);
            if tasks.is_empty() {
                break panicked.map_or((), |panic| panic.resume());
            }
            for (number, job) in tasks {
                // Each is dropped separately: a panic in one destructor does not prevent the others.
                for dropped in [
                    catch_unwind(AssertUnwindSafe(|| drop(job))),
                    catch_unwind(AssertUnwindSafe(|| drop(self.take_local(number)))),
                ] {
                    if let Err(payload) = dropped {
                        panicked.get_or_insert(Panic::from(payload));
                    }
                }
            }
        }
    }

    fn take_local(&self, task: usize) -> Option<LocalJob> {
        // The map does not exist any more while the thread exits.
        LOCALS.try_with(|locals| locals.borrow_mut().remove(&(self.id, task))).ok().flatten()
    }

    /// Runs tasks until `future` is ready.
    pub(crate) fn block_on<F: Future>(self: &Arc<Self>, future: F, label: Label) -> F::Output {
        let main = Main { task: self.add(TaskState::BlockOn, label), world: self };
        let waker = self.waker(main.task);
        let mut future = pin!(future);
        let mut poll_main =
            || self.poll_step(main.task, || future.as_mut().poll(&mut Context::from_waker(&waker)));
        self.simulated(|| {
            loop {
                match self.next(Some(main.task)) {
                    Next::Main => {
                        if let Poll::Ready(output) = poll_main() {
                            return output;
                        }
                    }
                    Next::Nothing => {
                        let mut is_ready = false;
                        // The future is not polled again once it is ready.
                        self.panic_with_deadlock(main.task, &mut || {
                            is_ready = is_ready || poll_main().is_ready();
                            is_ready
                        });
                    }
                    next => self.perform(next),
                }
                self.count_steps();
            }
        })
    }

    /// Panics if the run exceeded its limit of steps.
    fn count_steps(&self) {
        let (steps, max) = self.steps();
        if max < steps {
            let no_progress = NoProgress::StepLimit { steps: max };
            self.state().deadlock = Some(no_progress.clone());
            panic!("{no_progress}");
        }
    }

    /// Runs the tasks that can run now, without advancing the clock.
    pub(crate) fn settle(self: &Arc<Self>) {
        self.simulated(|| {
            loop {
                match self.next(None) {
                    Next::Main | Next::Nothing | Next::Wake(_) => break,
                    next => self.perform(next),
                }
                self.count_steps();
            }
        });
        self.state().requeue_blocked();
    }

    /// Calls `run` as a part of this simulation: it chooses the order of the loops polled inside.
    fn simulated<T>(self: &Arc<Self>, run: impl FnOnce() -> T) -> T {
        struct PopWorld;
        impl Drop for PopWorld {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(Vec::pop);
            }
        }
        CURRENT.with_borrow_mut(|worlds| worlds.push(Arc::downgrade(self)));
        let _pop_world = PopWorld;
        let is_fifo = matches!(self.state().schedule, Schedule::Fifo);
        let world = self.clone();
        let choose = move |options| world.choose(options);
        simulated((!is_fifo).then(|| Rc::new(choose) as Rc<_>), run)
    }

    /// Why the last `block_on` panicked, unless the program itself panicked.
    pub(crate) fn no_progress(&self) -> Option<NoProgress> {
        self.state().deadlock.clone()
    }

    /// Performs a step.
    fn perform(self: &Arc<Self>, next: Next) {
        match next {
            Next::Main | Next::Nothing => {}
            Next::Wake(wakers) => wakers.into_iter().for_each(Waker::wake),
            Next::Task(task, TaskFuture::Stored(job)) => {
                let job = self.run(task, job);
                self.finish_poll(task, job.map(TaskState::Stored));
            }
            Next::Task(task, TaskFuture::ThreadLocal) => {
                let Some(job) = self.take_local(task) else {
                    // The future belongs to another thread, and can run when a `block_on` there polls it.
                    self.finish_poll(task, Some(TaskState::ThreadLocal));
                    return self.state().blocked.push(task);
                };
                let job = self.run(task, job);
                let pending = job.map(|job| {
                    LOCALS.with_borrow_mut(|locals| locals.insert((self.id, task), job));
                    TaskState::ThreadLocal
                });
                self.finish_poll(task, pending);
            }
        }
    }

    /// Polls a task, and returns its future if that is pending.
    fn run<J>(&self, task: usize, mut job: Pin<Box<J>>) -> Option<Pin<Box<J>>>
    where
        J: Future<Output = ()> + ?Sized,
    {
        let waker = self.waker(task);
        let guard = CompleteOnPanic { world: self, task };
        let polled = self
            .poll_step(task, || job.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        std::mem::forget(guard);
        polled.then_some(job)
    }

    /// Puts a task back after a poll; `None` if it completed.
    fn finish_poll(&self, task: usize, job: Option<TaskState>) {
        let mut state = self.state();
        if job.is_none() {
            state.record_event(EventKind::Completed(task));
            state.forget(task);
        }
        let polled = &mut state.tasks[task].state;
        let before = std::mem::replace(polled, job.unwrap_or(TaskState::Completed));
        drop(state);
        drop(before);
    }

    /// Calls `poll` as a step of a task.
    fn poll_step<T>(&self, task: usize, poll: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        state.polling.push(task);
        state.steps += 1;
        state.record_event(EventKind::Polled(task));
        state.tasks[task].task_waker.clear();
        drop(state);
        let _guard = PollGuard { world: self };
        poll()
    }

    fn waker(&self, task: usize) -> Waker {
        self.state().tasks[task].waker.clone()
    }

    fn next(&self, main: Option<usize>) -> Next {
        let mut state = self.state();
        loop {
            if let Some(next) = state.next_ready(main) {
                return next;
            }
            if main.is_none() {
                return Next::Nothing;
            }
            if let Some(due) = state.advance_clock() {
                return Next::Wake(due);
            }
            if state.deadlock_timeout.is_zero() {
                return Next::Nothing;
            }
            let deadlock_timeout = state.deadlock_timeout;
            state.waiting += 1;
            let waited = self
                .woken
                .wait_timeout_while(state, deadlock_timeout, |state| state.ready.is_empty());
            let (left, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            state = left;
            state.waiting -= 1;
            if waited.timed_out() {
                return Next::Nothing;
            }
        }
    }

    /// Notifies the threads that wait for a task. Without one there is no system call: `notify_all` makes
    /// one each time, and a program wakes tasks far more often than a thread waits.
    fn notify_threads(&self, state: &State) {
        if 0 < state.waiting {
            self.woken.notify_all();
        }
    }

    /// Returns the key of a new timer. Of the timers due at one time, the older one comes first.
    pub(crate) fn timer(&self, duration: Duration) -> Due {
        let mut state = self.state();
        state.timer_count += 1;
        (state.now.saturating_add(duration), state.timer_count)
    }

    /// Polls a timer, which is registered from its first poll until it is due or dropped.
    pub(crate) fn poll_timer(&self, due: Due, cx: &mut Context<'_>) -> Poll<()> {
        // A foreign waker is called only while no lock is held.
        let waker = cx.waker().clone();
        let mut state = self.state();
        if due.0 <= state.now && due.0 != NEVER {
            return Poll::Ready(());
        }
        let task = state.polling.last().copied();
        let before = state.timers.insert(due, TimerEntry { waker, task });
        // Dropping a waker may drop a body, and that may drop timers of its own.
        drop(state);
        drop(before);
        Poll::Pending
    }

    pub(crate) fn drop_timer(&self, due: Due) {
        let before = self.state().timers.remove(&due);
        drop(before);
    }
}

impl WakeTask for World {
    fn wake_task(&self, task: usize) {
        let mut state = self.state();
        if matches!(state.tasks[task].state, TaskState::Completed) {
            return;
        }
        state.ready.push(task);
        state.record_event(EventKind::Woken(task));
        self.notify_threads(&state);
    }
}

/// Drops the tasks that stayed on this thread; those on other threads are dropped with their threads.
impl Drop for World {
    fn drop(&mut self) {
        let tasks = self.state().tasks.len();
        let locals = (0..tasks).filter_map(|task| self.take_local(task));
        drop(locals.collect::<Vec<_>>());
    }
}

/// A running `block_on`.
struct Main<'a> {
    world: &'a World,
    task: usize,
}

impl Drop for Main<'_> {
    fn drop(&mut self) {
        let mut state = self.world.state();
        state.tasks[self.task].state = TaskState::Completed;
        state.record_event(EventKind::Completed(self.task));
        state.forget(self.task);
        state.requeue_blocked();
    }
}

/// Marks a task as completed if its poll panics. A poll that returns forgets this guard.
struct CompleteOnPanic<'a> {
    world: &'a World,
    task: usize,
}

impl Drop for CompleteOnPanic<'_> {
    fn drop(&mut self) {
        self.world.finish_poll(self.task, None);
    }
}

/// The running step of a task.
struct PollGuard<'a> {
    world: &'a World,
}

impl Drop for PollGuard<'_> {
    fn drop(&mut self) {
        self.world.state().polling.pop();
    }
}
