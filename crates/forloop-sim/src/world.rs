//! The world of a simulation: its tasks, its clock, and what comes next.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::stuck::{Deadlock, Pending, Stuck};
use forloop_core::simulation::{simulated, who_waits};

use crate::event::{Event, Label, What};
use crate::schedule::{Choices, Point, Schedule, mixed};

/// A time that never comes: who sleeps for longer than can be counted is never woken.
const NEVER: Duration = Duration::MAX;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;
type LocalJob = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// The worlds that run on this thread, each inside the one before it.
    static CURRENT: RefCell<Vec<Weak<World>>> = const { RefCell::new(Vec::new()) };

    /// Tasks that stay on this thread, by their world and number.
    static LOCALS: RefCell<HashMap<(u64, usize), LocalJob>> = RefCell::default();
}

/// How many steps are taken behind a deadlock, to see who goes on.
const AFTERMATH: usize = 10_000;

/// Everything a simulation is.
pub(crate) struct World {
    id: u64,
    state: Mutex<State>,
    /// Something was woken: for who has patience with other threads.
    woken: Condvar,
}

struct State {
    schedule: Schedule,
    /// How long to wait for a wake from another thread before it counts as a deadlock.
    patience: Duration,
    now: Duration,
    tasks: Vec<Task>,
    /// Tasks that were woken, in that order.
    ready: VecDeque<usize>,
    /// Those among them that cannot run now, because who runs them waits for somebody else.
    held_up: Vec<usize>,
    /// The tasks that are being polled, each inside the one before it.
    polled: Vec<usize>,
    timers: BTreeMap<Due, Alarm>,
    timers_made: u64,
    /// What was chosen, of how many.
    chosen: Vec<(u32, u32)>,
    steps: u64,
    /// How many of them a `block_on` may take.
    most_steps: u64,
    /// Why the last `block_on` has panicked, if not for a panic of its program.
    stuck: Option<Stuck>,
    fingerprint: u64,
    log: Option<Vec<Event>>,
}

/// When a timer is due; of those due at one time, the older comes first.
pub(crate) type Due = (Duration, u64);

struct Alarm {
    waker: Waker,
    /// The task that waits for it.
    task: Option<usize>,
}

struct Task {
    job: Where,
    bell: Arc<Bell>,
    waker: Waker,
    label: Label,
}

/// Where a task's future is.
enum Where {
    Here(Job),
    /// On the thread that spawned it.
    There,
    /// With a `block_on`.
    Main,
    /// Being polled.
    Polled,
    Ended,
}

/// What comes next.
enum Next {
    Main,
    Task(usize, Running),
    /// It is later now, and these timers are due.
    Wake(Vec<Waker>),
    Nothing,
}

enum Running {
    Here(Job),
    There,
}

impl World {
    pub(crate) fn new(schedule: Schedule) -> Arc<Self> {
        static WORLDS: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: WORLDS.fetch_add(1, Ordering::Relaxed),
            state: Mutex::new(State {
                schedule,
                patience: Duration::ZERO,
                now: Duration::ZERO,
                tasks: Vec::new(),
                ready: VecDeque::new(),
                held_up: Vec::new(),
                polled: Vec::new(),
                timers: BTreeMap::new(),
                timers_made: 0,
                chosen: Vec::new(),
                steps: 0,
                most_steps: u64::MAX,
                stuck: None,
                fingerprint: 0,
                log: None,
            }),
            woken: Condvar::new(),
        })
    }

    /// The world that runs on this thread, if one does.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(|worlds| worlds.last().and_then(Weak::upgrade))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of a program runs while it is held, so nothing panics then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        self.state().now
    }

    pub(crate) fn set_patience(&self, patience: Duration) {
        self.state().patience = patience;
    }

    /// Keeps what happens from now on.
    pub(crate) fn record(&self) {
        self.state().log = Some(Vec::new());
    }

    pub(crate) fn log(&self) -> Vec<Event> {
        self.state().log.clone().unwrap_or_default()
    }

    /// What was chosen so far, each of how many.
    pub(crate) fn chosen(&self) -> Vec<(u32, u32)> {
        self.state().chosen.clone()
    }

    pub(crate) fn choices(&self) -> Choices {
        self.state().chosen.iter().map(|&(choice, _)| choice).collect::<Vec<_>>().into()
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.state().fingerprint
    }

    /// How many steps were taken, and how many may be.
    pub(crate) fn steps(&self) -> (u64, u64) {
        let state = self.state();
        (state.steps, state.most_steps)
    }

    pub(crate) fn set_most_steps(&self, most: u64) {
        self.state().most_steps = most;
    }

    /// Chooses one of several things that come in some order.
    pub(crate) fn choose(&self, options: usize) -> usize {
        self.state().choose(Point::Order(options))
    }

    pub(crate) fn spawn(self: &Arc<Self>, job: Job, label: Label) {
        self.add(Where::Here(job), label);
    }

    pub(crate) fn spawn_local(self: &Arc<Self>, job: LocalJob, label: Label) {
        let task = self.add(Where::There, label);
        LOCALS.with_borrow_mut(|locals| locals.insert((self.id, task), job));
    }

    /// A new task, which can run at once.
    fn add(self: &Arc<Self>, job: Where, label: Label) -> usize {
        let mut state = self.state();
        let task = state.tasks.len();
        let bell = Bell { world: Arc::downgrade(self), task, rung: AtomicBool::new(true) };
        let bell = Arc::new(bell);
        state.tasks.push(Task { job, waker: bell.clone().into(), bell, label });
        state.ready.push_back(task);
        state.note(What::Spawned(task, label));
        self.tell_others(&state);
        task
    }

    /// How many tasks have not ended.
    pub(crate) fn pending(&self) -> Vec<Pending> {
        let state = self.state();
        let tasks = state.tasks.iter().enumerate();
        let pending = tasks.filter(|(_, task)| !matches!(task.job, Where::Ended));
        pending
            .map(|(number, task)| Pending {
                task: number,
                label: task.label,
                is_main: matches!(task.job, Where::Main),
            })
            .collect()
    }

    /// Drops every task that has not ended.
    pub(crate) fn clear(&self) {
        loop {
            let mut state = self.state();
            let tasks: Vec<(usize, Where)> = state
                .tasks
                .iter_mut()
                .enumerate()
                .filter(|(_, task)| matches!(task.job, Where::Here(_) | Where::There))
                .map(|(number, task)| (number, std::mem::replace(&mut task.job, Where::Ended)))
                .collect();
            drop(state);
            if tasks.is_empty() {
                return;
            }
            for (number, job) in tasks {
                drop(job);
                drop(self.take_local(number));
            }
        }
    }

    fn take_local(&self, task: usize) -> Option<LocalJob> {
        LOCALS.with_borrow_mut(|locals| locals.remove(&(self.id, task)))
    }

    /// Runs tasks until `future` is ready.
    pub(crate) fn block_on<F: Future>(self: &Arc<Self>, future: F, label: Label) -> F::Output {
        let main = Main { task: self.add(Where::Main, label), world: self };
        let waker = self.waker(main.task);
        let mut future = pin!(future);
        let mut poll_main =
            || self.polled(main.task, || future.as_mut().poll(&mut Context::from_waker(&waker)));
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
                        // Polled no more once it is ready.
                        self.end_in_deadlock(main.task, &mut || {
                            is_ready = is_ready || poll_main().is_ready();
                            is_ready
                        });
                    }
                    next => self.go_on(next),
                }
                let (steps, most) = self.steps();
                if most < steps {
                    let stuck = Stuck::Endless { steps: most };
                    self.state().stuck = Some(stuck.clone());
                    panic!("{stuck}");
                }
            }
        })
    }

    /// Runs what can still run, without time going on.
    pub(crate) fn settle(self: &Arc<Self>) {
        self.simulated(|| {
            loop {
                match self.next(None) {
                    Next::Main | Next::Nothing | Next::Wake(_) => return,
                    next => self.go_on(next),
                }
            }
        });
    }

    /// Calls `run`; the loops polled meanwhile have their order chosen here.
    fn simulated<T>(self: &Arc<Self>, run: impl FnOnce() -> T) -> T {
        struct Left;
        impl Drop for Left {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(Vec::pop);
            }
        }
        CURRENT.with_borrow_mut(|worlds| worlds.push(Arc::downgrade(self)));
        let _left = Left;
        if matches!(self.state().schedule, Schedule::Fifo) {
            return run();
        }
        let world = self.clone();
        simulated(Rc::new(move |options| world.choose(options)), run)
    }

    /// Panics and says who waits. To know that, everything is polled although nobody has woken it; and who
    /// goes on then has missed a wake.
    fn end_in_deadlock(self: &Arc<Self>, main: usize, poll_main: &mut dyn FnMut() -> bool) -> ! {
        let at = self.now();
        let mut deadlock = Deadlock { at, pending: self.pending(), went_on: Vec::new() };
        // Also if what is polled without a wake panics.
        self.state().stuck = Some(Stuck::Deadlock(deadlock.clone()));
        (deadlock.pending, deadlock.went_on) = self.ask(main, poll_main);
        for _ in 0..AFTERMATH {
            match self.next(None) {
                Next::Main | Next::Nothing | Next::Wake(_) => break,
                next => self.go_on(next),
            }
        }
        let (left, _) = self.ask(main, poll_main);
        let has_gone_on = |one: &&Pending| deadlock.went_on.contains(one) || !left.contains(one);
        deadlock.went_on = deadlock.pending.iter().filter(has_gone_on).cloned().collect();
        let stuck = Stuck::Deadlock(deadlock);
        self.state().stuck = Some(stuck.clone());
        panic!("{stuck}");
    }

    /// Polls every task that has not ended once; gives them with the bodies inside them, and those that
    /// ended then.
    fn ask(
        self: &Arc<Self>,
        main: usize,
        poll_main: &mut dyn FnMut() -> bool,
    ) -> (Vec<Pending>, Vec<Pending>) {
        let (mut waiting, mut ended) = (Vec::new(), Vec::new());
        for pending in self.pending() {
            let Pending { task, is_main, .. } = pending;
            let mut has_ended = false;
            let bodies = who_waits(|| match (is_main, self.take(task)) {
                (true, _) => has_ended = task == main && poll_main(),
                (false, Some(next)) => {
                    self.go_on(next);
                    has_ended = matches!(self.state().tasks[task].job, Where::Ended);
                }
                (false, None) => {}
            });
            if has_ended {
                ended.push(pending.clone());
            }
            waiting.push(pending);
            waiting.extend(bodies.into_iter().map(|body| Pending {
                task,
                label: Label { index: Some(body.index), at: body.at, of_type: body.of_type },
                is_main: false,
            }));
        }
        (waiting, ended)
    }

    /// Takes a task, to poll it.
    fn take(&self, task: usize) -> Option<Next> {
        let polled = &mut self.state().tasks[task].job;
        match std::mem::replace(polled, Where::Polled) {
            Where::Here(job) => Some(Next::Task(task, Running::Here(job))),
            Where::There => Some(Next::Task(task, Running::There)),
            other => {
                *polled = other;
                None
            }
        }
    }

    /// Why the last `block_on` has panicked, if not for a panic of its program.
    pub(crate) fn stuck(&self) -> Option<Stuck> {
        self.state().stuck.clone()
    }

    fn go_on(self: &Arc<Self>, next: Next) {
        match next {
            Next::Main | Next::Nothing => {}
            Next::Wake(wakers) => wakers.into_iter().for_each(Waker::wake),
            Next::Task(task, Running::Here(job)) => {
                let job = self.run(task, job);
                self.leave(task, job.map(Where::Here));
            }
            Next::Task(task, Running::There) => {
                let Some(job) = self.take_local(task) else {
                    // It is on another thread.
                    return self.leave(task, Some(Where::There));
                };
                let job = self.run(task, job);
                let pending = job.map(|job| {
                    LOCALS.with_borrow_mut(|locals| locals.insert((self.id, task), job));
                    Where::There
                });
                self.leave(task, pending);
            }
        }
    }

    /// Polls a task, and gives it back if it goes on.
    fn run<J>(&self, task: usize, mut job: Pin<Box<J>>) -> Option<Pin<Box<J>>>
    where
        J: Future<Output = ()> + ?Sized,
    {
        let waker = self.waker(task);
        let ended = Leaving { world: self, task };
        let polled =
            self.polled(task, || job.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        std::mem::forget(ended);
        polled.then_some(job)
    }

    /// Has a task be somewhere; `None` if it has ended.
    fn leave(&self, task: usize, job: Option<Where>) {
        let mut state = self.state();
        if job.is_none() {
            state.note(What::Ended(task));
        }
        let polled = &mut state.tasks[task].job;
        // Whoever has cleared the world meanwhile has not seen it.
        let before = std::mem::replace(polled, job.unwrap_or(Where::Ended));
        drop(state);
        drop(before);
    }

    /// Calls `poll` as a step of a task.
    fn polled<T>(&self, task: usize, poll: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        state.polled.push(task);
        state.steps += 1;
        state.note(What::Polled(task));
        state.tasks[task].bell.rung.store(false, Ordering::SeqCst);
        drop(state);
        let _polled = Polled { world: self };
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
            if let Some(due) = state.jump() {
                return Next::Wake(due);
            }
            if state.patience.is_zero() {
                return Next::Nothing;
            }
            let patience = state.patience;
            let waited =
                self.woken.wait_timeout_while(state, patience, |state| state.ready.is_empty());
            let (left, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            state = left;
            if waited.timed_out() {
                return Next::Nothing;
            }
        }
    }

    fn wake(&self, task: usize) {
        let mut state = self.state();
        if matches!(state.tasks[task].job, Where::Ended) {
            return;
        }
        state.ready.push_back(task);
        state.note(What::Woken(task));
        self.tell_others(&state);
    }

    /// To wake a thread is a call of the operating system: only for who may wait.
    fn tell_others(&self, state: &State) {
        if !state.patience.is_zero() {
            self.woken.notify_all();
        }
    }

    /// A place among the timers due at that time.
    pub(crate) fn timer(&self, duration: Duration) -> Due {
        let mut state = self.state();
        state.timers_made += 1;
        (state.now.saturating_add(duration), state.timers_made)
    }

    /// Polls a timer: from its first poll to its end it is waited for.
    pub(crate) fn poll_timer(&self, due: Due, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if due.0 <= state.now && due.0 != NEVER {
            return Poll::Ready(());
        }
        let task = state.polled.last().copied();
        let before = state.timers.insert(due, Alarm { waker: cx.waker().clone(), task });
        // The last waker of a body may drop the body, and that its timers.
        drop(state);
        drop(before);
        Poll::Pending
    }

    pub(crate) fn drop_timer(&self, due: Due) {
        let before = self.state().timers.remove(&due);
        drop(before);
    }
}

impl State {
    fn note(&mut self, what: What) {
        let (kind, a, b) = match what {
            What::Spawned(task, _) => (1, task, 0),
            What::Woken(task) => (2, task, 0),
            What::Polled(task) => (3, task, 0),
            What::Ended(task) => (4, task, 0),
            What::Chosen { choice, options } => (5, choice, options),
            What::Jumped { timers } => (6, timers, 0),
        };
        let word = kind << 60 ^ (a as u64) << 30 ^ b as u64;
        self.fingerprint = mixed(self.fingerprint ^ word);
        if kind == 6 {
            let now = self.now;
            self.fingerprint =
                mixed(self.fingerprint ^ now.as_secs() << 30 ^ u64::from(now.subsec_nanos()));
        }
        let at = self.now;
        if let Some(log) = &mut self.log {
            log.push(Event { at, what });
        }
    }

    fn choose(&mut self, point: Point<'_>) -> usize {
        let options = point.options();
        if options < 2 {
            return 0;
        }
        let choice = self.schedule.choose(point);
        self.chosen.push((choice as u32, options as u32));
        self.note(What::Chosen { choice, options });
        choice
    }

    /// Takes one of the tasks that can run.
    fn next_ready(&mut self, main: Option<usize>) -> Option<Next> {
        while !self.ready.is_empty() {
            let ready = std::mem::take(&mut self.ready);
            let choice = self.choose(Point::Tasks(&ready));
            self.ready = ready;
            let task = self.ready.remove(choice)?;
            let job = &mut self.tasks[task].job;
            match job {
                Where::Here(_) | Where::There => {
                    let running = match std::mem::replace(job, Where::Polled) {
                        Where::Here(job) => Running::Here(job),
                        _ => Running::There,
                    };
                    return Some(Next::Task(task, running));
                }
                Where::Main if main == Some(task) => return Some(Next::Main),
                Where::Main | Where::Polled => self.held_up.push(task),
                Where::Ended => {}
            }
        }
        None
    }

    /// Makes it the time of the next timers, and gives the wakers of those due then, in some order.
    fn jump(&mut self) -> Option<Vec<Waker>> {
        let (&(next, _), _) = self.timers.first_key_value()?;
        if next == NEVER {
            return None;
        }
        self.now = next;
        let later = self.timers.split_off(&(next, u64::MAX));
        let due = std::mem::replace(&mut self.timers, later);
        self.note(What::Jumped { timers: due.len() });
        // Those of different tasks wake different tasks, and the order of these is chosen later.
        let mut due: Vec<Alarm> = due.into_values().collect();
        due.sort_by_key(|alarm| alarm.task);
        let mut wakers = Vec::with_capacity(due.len());
        for of_task in due.chunk_by_mut(|a, b| a.task == b.task) {
            for first in 0..of_task.len() {
                let chosen = first + self.choose(Point::Order(of_task.len() - first));
                of_task[first..=chosen].rotate_right(1);
            }
            wakers.extend(of_task.iter().map(|alarm| alarm.waker.clone()));
        }
        Some(wakers)
    }
}

/// Wakes a task.
struct Bell {
    // A waker does not keep the world.
    world: Weak<World>,
    task: usize,
    /// Since the task was polled last.
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::SeqCst)
            && let Some(world) = self.world.upgrade()
        {
            world.wake(self.task);
        }
    }
}

/// A `block_on`.
struct Main<'a> {
    world: &'a World,
    task: usize,
}

impl Drop for Main<'_> {
    fn drop(&mut self) {
        let mut state = self.world.state();
        state.tasks[self.task].job = Where::Ended;
        state.note(What::Ended(self.task));
        let held_up = std::mem::take(&mut state.held_up);
        state.ready.extend(held_up);
    }
}

/// A task whose future is gone unless this is forgotten: it has panicked.
struct Leaving<'a> {
    world: &'a World,
    task: usize,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.world.leave(self.task, None);
    }
}

/// A step of a task.
struct Polled<'a> {
    world: &'a World,
}

impl Drop for Polled<'_> {
    fn drop(&mut self) {
        self.world.state().polled.pop();
    }
}
