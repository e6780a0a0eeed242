//! The runtime value of this adapter, and its timers.

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

/// A simulated runtime: one thread, a clock that stands still while anything can run, and a schedule
/// that is chosen.
///
/// Clones are handles to the same simulation. Tasks run while a [`block_on`](BlockOn::block_on) of it
/// goes on, on its thread, and only then. When nothing can run, it is the time of the next timer: an hour
/// takes no time. When there is no timer either, `block_on` panics and says who waits: a deadlock.
///
/// What it chooses is which of the tasks that can run does so next; in which order the timers of one
/// instant wake one task; and in which order a loop polls those of its bodies, in the caller's task,
/// that were woken together. Everything else is as it is on one thread: a task is not interrupted between
/// two awaits, and what a program does with threads, clocks and files of its own is not simulated.
///
/// A task that holds a handle keeps the simulation: see [`drop_tasks`](Self::drop_tasks).
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

/// The schedule without any luck: what was woken first runs first.
impl Default for Sim {
    fn default() -> Self {
        Self::new()
    }
}

impl Sim {
    /// First in, first out: what was woken first runs first. For documentation, and for tests of values.
    pub fn new() -> Self {
        Self::scheduled(Schedule::Fifo)
    }

    /// Any order, with the same probability; the same for the same seed, on every machine.
    pub fn random(seed: u64) -> Self {
        Self::scheduled(Schedule::Random(Random::seeded(seed)))
    }

    /// By priorities that are random and change `depth - 1` times in about so many `steps`: finds a bug
    /// that needs `depth` steps in a certain order more often than [`random`](Self::random) does, where
    /// there are many tasks.
    pub fn pct(seed: u64, depth: u32, steps: u64) -> Self {
        Self::scheduled(Schedule::Pct(Pct::new(seed, depth, steps)))
    }

    /// As it was chosen in another run of the same program.
    pub fn replay(choices: Choices) -> Self {
        Self::scheduled(Schedule::Replay { choices, at: 0 })
    }

    /// As bytes say, for instance those of a fuzzer: one for each choice (two, for a choice of more than
    /// 256), and what comes first once there are none left.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::scheduled(Schedule::Bytes { bytes: bytes.into(), at: 0 })
    }

    fn scheduled(schedule: Schedule) -> Self {
        Self { world: World::new(schedule) }
    }

    /// The simulation that the caller runs in, if it does: what was called inside a
    /// [`block_on`](BlockOn::block_on) of it.
    pub fn current() -> Option<Self> {
        World::current().map(|world| Self { world })
    }

    /// Waits so long for a wake from another thread, in real time, before it calls that a deadlock; without
    /// this, it does not wait. A program with threads is not the same in each run.
    pub fn with_patience(self, patience: Duration) -> Self {
        self.world.set_patience(patience);
        self
    }

    /// Keeps the events from now on, for [`events`](Self::events): a few bytes for each.
    pub fn record(&self) {
        self.world.record();
    }

    /// What happened since [`record`](Self::record).
    pub fn events(&self) -> Vec<Event> {
        self.world.log()
    }

    /// What was chosen so far: [`replay`](Self::replay) repeats it.
    pub fn choices(&self) -> Choices {
        self.world.choices()
    }

    /// A number for what happened so far, and for its order: two runs of one program that have the same
    /// are the same run.
    pub fn fingerprint(&self) -> u64 {
        self.world.fingerprint()
    }

    /// How many polls of tasks there were so far.
    pub fn steps(&self) -> u64 {
        self.world.steps().0
    }

    /// Runs what can still run now, without time going on: tasks that were asked to stop have stopped
    /// behind it.
    pub fn settle(&self) {
        self.world.settle();
    }

    /// The tasks that have not ended.
    pub fn pending(&self) -> Vec<Pending> {
        self.world.pending()
    }

    /// Drops the tasks that have not ended: for who is done with the simulation, where tasks may hold
    /// handles to it.
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

    /// Four, so that loops on workers have something to choose; all of them run on one thread.
    fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::MIN.saturating_add(3)
    }
}

/// What blocks is one step of the simulation.
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
    /// Runs everything until `future` is ready.
    ///
    /// # Panics
    ///
    /// If nothing can run and no timer is set, with a list of who waits: in the real world that is a
    /// program which hangs. A task that is spawned with [`Spawn::spawn`] and panics has it panic, too.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.world.block_on(future, Label::default())
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// What is known of a future that is to be spawned.
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
