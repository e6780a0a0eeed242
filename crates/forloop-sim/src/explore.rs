//! The entry points that run a program under many schedules.

use std::fmt;
use std::panic::Location;

use crate::explored::{Coverage, Explored};
use crate::failure::{Failure, FailureCause};
use crate::run_spec::RunSpec;
use crate::runtime::Sim;
use crate::schedule::Choices;
use crate::search::Search;

/// Runs a program under `seeds` random schedules, and panics with a report if it fails under one.
///
/// A program fails if it panics, returns an error, deadlocks, exceeds its step limit, or behaves
/// differently when the same choices are repeated. A panic in a detached task is not a failure. The seeds
/// are fixed, so a test that passed once passes again.
///
/// # Panics
///
/// Panics if the program fails. The message contains the cause, the shortest list of choices found that reproduces it,
/// the events, and the command that repeats the run. With the feature `timeline` it also names a file with the picture
/// of that schedule: [`Failure::timeline`].
///
/// # Examples
///
/// ```
/// use forloop_core::each;
///
/// forloop_sim::check(1000, |rt| async move {
///     let squares = each(0..4).limit(2)?.on(rt).gather(|n| async move { n * n }).await;
///     assert_eq!(squares, [0, 1, 4, 9]);
///     Ok::<(), forloop_core::ZeroLimit>(())
/// });
/// ```
#[track_caller]
pub fn check<F: Future<Output: Verdict>>(seeds: u64, program: impl Fn(Sim) -> F) -> Explored {
    match Explore::random(seeds).run(program) {
        Ok(explored) => explored,
        Err(failure) => fail(&failure),
    }
}

/// Runs a program under `seeds` random schedules, requires the same output each time, and returns it.
///
/// # Panics
///
/// As [`check`], and if the outputs of two schedules differ. An `Err` is an ordinary output here.
///
/// # Examples
///
/// ```
/// use forloop_core::each;
///
/// // The completion order differs between schedules; the sum does not.
/// let sum = forloop_sim::agree(1000, |rt| async move {
///     each(1..=4).unbounded().on(rt).gather(|n| async move { n }).await.iter().sum::<i32>()
/// });
/// assert_eq!(sum, 10);
/// ```
#[track_caller]
pub fn agree<F>(seeds: u64, program: impl Fn(Sim) -> F) -> F::Output
where
    F: Future<Output: PartialEq + fmt::Debug>,
{
    match Explore::random(seeds).run_agreeing(program) {
        Ok((_, output)) => output,
        Err(failure) => fail(&failure),
    }
}

/// Repeats the run that a report names: `replay("choices=0,2,1", program)`.
///
/// # Panics
///
/// As [`check`], and if `run_spec` cannot be parsed.
#[track_caller]
pub fn replay<F: Future<Output: Verdict>>(run_spec: &str, program: impl Fn(Sim) -> F) {
    let run_spec = match run_spec.parse() {
        Ok(run_spec) => run_spec,
        Err(error) => panic!("cannot parse `{run_spec}`: {error}"),
    };
    if let Err(failure) = Explore::new(Mode::RunSpec(run_spec)).run(program) {
        fail(&failure);
    }
}

/// Panics with the report of a failure, which names the file with the picture of its schedule.
#[track_caller]
fn fail(failure: &Failure) -> ! {
    #[cfg(feature = "timeline")]
    if let Some(path) = failure.write_picture() {
        panic!("{failure}\nthe schedule as a picture: {}", path.display());
    }
    panic!("{failure}")
}

/// Selects the schedules to run a program under.
///
/// # Examples
///
/// ```
/// use forloop_core::Spawn;
/// use forloop_sim::Explore;
///
/// // Five tasks of one step each have 5! orders.
/// let explored = Explore::exhaustive(1000).run(|rt| async move {
///     (0..5).for_each(|_| rt.spawn(async {}));
/// })?;
/// assert_eq!(explored.to_string(), "exhaustive: 120 schedules");
/// # Ok::<(), forloop_sim::Failure>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "an `Explore` does nothing until `run` is called"]
pub struct Explore {
    mode: Mode,
    max_steps: u64,
    cancels: bool,
    at: &'static Location<'static>,
}

#[derive(Debug, Clone)]
enum Mode {
    Fifo,
    Random { first: u64, seeds: u64 },
    Pct { first: u64, seeds: u64, depth: u32 },
    Exhaustive { max: u64 },
    Bytes(Vec<u8>),
    RunSpec(RunSpec),
}

impl Mode {
    fn coverage(&self) -> Coverage {
        match *self {
            Self::Random { seeds, .. } | Self::Pct { seeds, .. } => Coverage::Sampled { seeds },
            Self::Exhaustive { .. } => Coverage::Exhaustive,
            Self::Fifo | Self::Bytes(_) | Self::RunSpec(_) => Coverage::One,
        }
    }
}

impl Explore {
    #[track_caller]
    fn new(mode: Mode) -> Self {
        Self { mode, max_steps: 1_000_000, cancels: false, at: Location::caller() }
    }

    /// Runs one schedule: tasks run in the order in which they were woken.
    #[track_caller]
    pub fn fifo() -> Self {
        Self::new(Mode::Fifo)
    }

    /// Runs the first-in, first-out schedule and then `seeds` random schedules.
    #[track_caller]
    pub fn random(seeds: u64) -> Self {
        Self::new(Mode::Random { first: 0, seeds })
    }

    /// Runs `seeds` schedules by random priorities, to find bugs of the given `depth`: see [`Sim::pct`].
    #[track_caller]
    pub fn pct(seeds: u64, depth: u32) -> Self {
        Self::new(Mode::Pct { first: 0, seeds, depth })
    }

    /// Runs every schedule, depth first, up to `max` schedules.
    #[track_caller]
    pub fn exhaustive(max: u64) -> Self {
        Self::new(Mode::Exhaustive { max })
    }

    /// Runs the one schedule that the bytes encode: see [`Sim::bytes`].
    #[track_caller]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Mode::Bytes(bytes.into()))
    }

    /// Starts with `seed` instead of 0.
    pub fn from_seed(mut self, seed: u64) -> Self {
        if let Mode::Random { first, .. } | Mode::Pct { first, .. } = &mut self.mode {
            *first = seed;
        }
        self
    }

    /// Limits the polls of tasks in one run; a run that exceeds the limit fails. The default is a million.
    pub fn max_steps(self, max: u64) -> Self {
        Self { max_steps: max, ..self }
    }

    /// Repeats each schedule with the program dropped after zero polls, after one, after two, and so on.
    ///
    /// Each task that the program spawned must then complete before the clock advances; a task that does
    /// not is reported as left.
    pub fn cancelling(self) -> Self {
        Self { cancels: true, ..self }
    }

    /// Runs `program` under each schedule, each time in a new simulation.
    ///
    /// When the program completes, the tasks that can still run do so, without advancing the clock. The
    /// remaining tasks are then dropped.
    ///
    /// If the environment variable `FORLOOP_SIM` is set, only the run that it describes is made.
    ///
    /// # Errors
    ///
    /// Returns the first [`Failure`], with the shortest list of choices found that reproduces it.
    pub fn run<F: Future<Output: Verdict>>(
        &self,
        program: impl Fn(Sim) -> F,
    ) -> Result<Explored, Failure> {
        self.run_all(&program, |output| {
            output.failure().map(|error| FailureCause::Failed { error })
        })
    }

    /// Like [`run`](Self::run), but requires the same output each time, and returns it too.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and [`FailureCause::OutputsDiffer`] if two outputs differ.
    pub fn run_agreeing<F>(
        &self,
        program: impl Fn(Sim) -> F,
    ) -> Result<(Explored, F::Output), Failure>
    where
        F: Future<Output: PartialEq + fmt::Debug>,
    {
        let mut first = None;
        // The reference output is that of the first-in, first-out schedule, also in a replay.
        Self { mode: Mode::Fifo, cancels: false, ..self.clone() }.search(&program, |output| {
            first.get_or_insert(output);
            None
        })?;
        let Some(first) = first else { unreachable!("a run that did not fail returned an output") };
        let explored = self.run_all(&program, |output| {
            (output != first).then(|| FailureCause::OutputsDiffer {
                first: format!("{first:?}"),
                other: format!("{output:?}"),
            })
        })?;
        Ok((explored, first))
    }

    fn run_all<F: Future>(
        &self,
        program: &impl Fn(Sim) -> F,
        failure_of: impl FnMut(F::Output) -> Option<FailureCause>,
    ) -> Result<Explored, Failure> {
        match RunSpec::from_env() {
            Some(run_spec) => {
                Self { mode: Mode::RunSpec(run_spec), ..self.clone() }.search(program, failure_of)
            }
            None => self.search(program, failure_of),
        }
    }

    fn search<F: Future>(
        &self,
        program: &impl Fn(Sim) -> F,
        mut failure_of: impl FnMut(F::Output) -> Option<FailureCause>,
    ) -> Result<Explored, Failure> {
        let mut explored = Explored::new(self.mode.coverage());
        let Self { max_steps, cancels, at, .. } = *self;
        let mut search = Search { max_steps, cancels, at, program, failure_of: &mut failure_of };
        let mut run = |sim, by: &str| search.run_schedule(sim, by, &mut explored);
        let first = |run: &mut dyn FnMut(Sim, &str) -> Result<(), Failure>| {
            // If this schedule fails, its report is the easiest to read.
            run(Sim::replay(Choices::default()), "the first schedule")
        };
        match self.mode {
            Mode::Fifo => first(&mut run)?,
            Mode::Random { first: from, seeds } => {
                first(&mut run)?;
                for seed in (0..seeds).map(|n| from.wrapping_add(n)) {
                    run(Sim::random(seed), &format!("seed {seed}"))?;
                }
            }
            Mode::Pct { first: from, seeds, depth } => {
                first(&mut run)?;
                let points = explored.points();
                let mut run = |sim, by: &str| search.run_schedule(sim, by, &mut explored);
                for seed in (0..seeds).map(|n| from.wrapping_add(n)) {
                    run(Sim::pct(seed, depth, points), &format!("seed {seed}"))?;
                }
            }
            Mode::Exhaustive { max } => search.run_every_schedule(max, &mut explored)?,
            Mode::Bytes(ref bytes) => run(Sim::bytes(bytes.clone()), "the bytes")?,
            Mode::RunSpec(ref run_spec) => search.repeat(run_spec, &mut explored)?,
        }
        Ok(explored)
    }
}

/// The output of a checked program: `()` or a `Result`.
#[diagnostic::on_unimplemented(
    message = "a checked program must return `()` or `Result<(), E>`, found `{Self}`",
    label = "expected `()` or `Result<(), E>`",
    note = "`forloop_sim::agree` accepts any output and requires it to be the same under every schedule"
)]
pub trait Verdict {
    /// Returns the error that makes the run a failure, if there is one.
    fn failure(self) -> Option<String>;
}

impl Verdict for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<E: fmt::Debug> Verdict for Result<(), E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| format!("{error:?}"))
    }
}
