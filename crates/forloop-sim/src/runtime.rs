//! The simulated runtime, and its timers.

use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use forloop_core::{BlockOn, Spawn, SpawnBlocking, SpawnLocal, Timer, simulation};

use crate::deadlock::Pending;
use crate::event::{Event, Label};
use crate::schedule::{Choices, Pct, Random, Schedule};
use crate::world::{Due, World};

/// A simulated runtime: one thread, a virtual clock, and a controlled schedule.
///
/// Clones are handles to the same simulation. Tasks run only inside a
/// [`block_on`](BlockOn::block_on) of the simulation, on its thread. The clock stands still while any task
/// can run, and then advances to the next timer: an hour takes no real time. If there is no timer either,
/// `block_on` panics and lists the tasks that wait: a deadlock.
///
/// The schedule chooses which of the ready tasks is polled next, in which order timers of one instant wake
/// one task, and in which order a loop polls those of its bodies in the caller's task that were woken
/// together. The rest is as on a single-threaded runtime: a task is not interrupted between two awaits.
/// Threads, clocks and files that the program uses by itself are not simulated.
///
/// A task that holds a handle keeps the simulation alive: see [`drop_tasks`](Self::drop_tasks).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use forloop_core::{BlockOn, Timer, each};
/// use forloop_sim::Sim;
/// use futures_util::StreamExt;
///
/// let sim = Sim::new();
/// let ages = each([3600, 60, 1]).unbounded().on(sim.clone()).as_completed(|seconds| {
///     let sim = sim.clone();
///     async move {
///         sim.sleep(Duration::from_secs(seconds)).await;
///         seconds
///     }
/// });
/// let ages = sim.block_on(ages.collect::<Vec<_>>());
/// assert_eq!(ages, [(2, 1), (1, 60), (0, 3600)]);
/// assert_eq!(sim.now(), Duration::from_secs(3600));
/// ```
#[derive(Clone)]
pub struct Sim {
    world: Arc<World>,
}

/// The first-in, first-out schedule: tasks run in the order in which they were woken.
impl Default for Sim {
    fn default() -> Self {
        Self::new()
    }
}

impl Sim {
    /// Runs tasks in the order in which they were woken. For documentation, and for tests of values.
    pub fn new() -> Self {
        Self::scheduled(Schedule::Fifo)
    }

    /// Picks each ready task with the same probability. A seed means the same schedule on every machine.
    pub fn random(seed: u64) -> Self {
        Self::scheduled(Schedule::Random(Random::seeded(seed)))
    }

    /// Runs the task of the highest random priority; priorities change `depth - 1` times in about `steps`
    /// steps. Among many tasks this finds a bug that needs `depth` steps in a certain order more often than
    /// [`random`](Self::random) does.
    pub fn pct(seed: u64, depth: u32, steps: u64) -> Self {
        Self::scheduled(Schedule::Pct(Pct::new(seed, depth, steps)))
    }

    /// Repeats the choices of another run of the same program.
    pub fn replay(choices: Choices) -> Self {
        Self::scheduled(Schedule::Replay { choices, at: 0 })
    }

    /// Takes the choices from bytes, such as those of a fuzzer: one byte for each choice, or two if there
    /// are more than 256 options. Behind the last byte, every choice is the first option.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::scheduled(Schedule::Bytes { bytes: bytes.into(), at: 0 })
    }

    fn scheduled(schedule: Schedule) -> Self {
        Self { world: World::new(schedule) }
    }

    /// Returns the simulation that the caller runs in: that of the innermost
    /// [`block_on`](BlockOn::block_on) around the call.
    pub fn current() -> Option<Self> {
        World::current().map(|world| Self { world })
    }

    /// Waits up to `timeout`, in real time, for a wake from another thread before reporting a deadlock.
    /// The default is zero. A program with threads is not deterministic.
    pub fn with_deadlock_timeout(self, timeout: Duration) -> Self {
        self.world.set_deadlock_timeout(timeout);
        self
    }

    /// Records events from now on, for [`events`](Self::events). Each takes a few bytes.
    pub fn record(&self) {
        self.world.record();
    }

    /// Returns the events since [`record`](Self::record).
    pub fn events(&self) -> Vec<Event> {
        self.world.log()
    }

    /// Returns the choices made so far; [`replay`](Self::replay) repeats them.
    pub fn choices(&self) -> Choices {
        self.world.choices()
    }

    /// Returns a hash of the events so far and of their order. Two runs of one program with the same
    /// fingerprint are the same run.
    pub fn fingerprint(&self) -> u64 {
        self.world.fingerprint()
    }

    /// Returns the number of polls of tasks so far.
    pub fn steps(&self) -> u64 {
        self.world.steps().0
    }

    /// Runs the tasks that can run now, without advancing the clock. Afterwards, tasks that were cancelled
    /// have stopped.
    pub fn settle(&self) {
        self.world.settle();
    }

    /// Returns the tasks that have not completed.
    pub fn pending(&self) -> Vec<Pending> {
        self.world.pending()
    }

    /// Drops the tasks that have not completed. Tasks may hold handles to the simulation, which would
    /// otherwise keep it alive.
    pub fn drop_tasks(&self) {
        self.world.clear();
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }
}

impl Spawn for Sim {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let label = label_of(&future);
        self.world.spawn(Box::pin(future), label);
    }

    /// Four, so that loops on workers have something to choose from; all of them run on one thread.
    fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::MIN.saturating_add(3)
    }
}

/// A blocking call is one step of the simulation.
impl SpawnBlocking for Sim {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.spawn(future);
    }
}

impl SpawnLocal for Sim {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        let label = label_of(&future);
        self.world.spawn_local(Box::pin(future), label);
    }
}

impl Timer for Sim {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        Sleep { due: self.world.timer(duration), world: self.world.clone() }
    }

    fn now(&self) -> Duration {
        self.world.now()
    }
}

impl BlockOn for Sim {
    /// Runs all tasks until `future` is ready.
    ///
    /// # Panics
    ///
    /// Panics on a deadlock: no task can run and no timer is set. The message lists what waits. A panic in
    /// a task spawned with [`Spawn::spawn`] propagates to the caller, too.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.world.block_on(future, Label::default())
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// Returns the origin of a future that is about to be spawned.
fn label_of<F>(_future: &F) -> Label {
    let body = simulation::body();
    Label {
        index: body.and_then(|body| body.index),
        at: body.map(|body| body.at),
        of_type: std::any::type_name::<F>(),
    }
}

/// A timer.
struct Sleep {
    world: Arc<World>,
    due: Due,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.world.poll_timer(self.due, cx)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.world.drop_timer(self.due);
    }
}
