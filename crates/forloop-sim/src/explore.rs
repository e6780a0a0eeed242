//! A program under many schedules.

use std::collections::HashSet;
use std::fmt;
use std::panic::Location;

use crate::Sim;
use crate::failure::{Cause, Failure};
use crate::run_spec::RunSpec;
use crate::schedule::Choices;
use crate::search::{Run, Search};

/// Runs a program under so many random schedules, and panics with a report if it fails under one.
///
/// It fails if it panics, returns an error, waits for ever, comes to no end, or is not the same when it
/// is repeated. A panic of a task that was detached is nobody's. The seeds are always the same ones, so a test that passed passes again.
///
/// # Panics
///
/// If the program fails: with the cause, the shortest choices found that repeat it, the events, and the
/// line that runs it again.
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
        Err(failure) => panic!("{failure}"),
    }
}

/// Runs a program under so many random schedules, and gives what it gives, which must be the same each
/// time.
///
/// # Panics
///
/// As [`check`], and if the program gives something else under one schedule than under another. An `Err` is
/// an answer like others here.
///
/// # Examples
///
/// ```
/// use forloop_core::each;
///
/// // Who comes first is another one each time; what it comes to is not.
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
        Err(failure) => panic!("{failure}"),
    }
}

/// Runs a program again as a report says: `replay("choices=0,2,1", program)`.
///
/// # Panics
///
/// If the program fails, as [`check`]; and if `run_spec` is nothing that a report says.
#[track_caller]
pub fn replay<F: Future<Output: Verdict>>(run_spec: &str, program: impl Fn(Sim) -> F) {
    let run_spec = match run_spec.parse() {
        Ok(run_spec) => run_spec,
        Err(error) => panic!("`{run_spec}` cannot be repeated: {error}"),
    };
    if let Err(failure) = Explore::new(How::RunSpec(run_spec)).run(program) {
        panic!("{failure}");
    }
}

/// Which schedules to run a program under.
///
/// # Examples
///
/// ```
/// use forloop_core::Spawn;
/// use forloop_sim::Explore;
///
/// // Five tasks of one step each can run in 5! orders.
/// let explored = Explore::exhaustive(1000).run(|rt| async move {
///     (0..5).for_each(|_| rt.spawn(async {}));
/// })?;
/// assert_eq!(explored.to_string(), "exhaustive: 120 schedules");
/// # Ok::<(), forloop_sim::Failure>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is explored until `run` is called"]
pub struct Explore {
    how: How,
    most_steps: u64,
    cancels: bool,
    at: &'static Location<'static>,
}

#[derive(Debug, Clone)]
enum How {
    Fifo,
    Random { first: u64, seeds: u64 },
    Pct { first: u64, seeds: u64, depth: u32 },
    Exhaustive { most: u64 },
    Bytes(Vec<u8>),
    RunSpec(RunSpec),
}

impl Explore {
    #[track_caller]
    fn new(how: How) -> Self {
        Self { how, most_steps: 1_000_000, cancels: false, at: Location::caller() }
    }

    /// One schedule: what was woken first runs first.
    #[track_caller]
    pub fn fifo() -> Self {
        Self::new(How::Fifo)
    }

    /// So many random schedules, and first the one without any luck.
    #[track_caller]
    pub fn random(seeds: u64) -> Self {
        Self::new(How::Random { first: 0, seeds })
    }

    /// So many schedules by random priorities, for bugs of that depth: see [`Sim::pct`].
    #[track_caller]
    pub fn pct(seeds: u64, depth: u32) -> Self {
        Self::new(How::Pct { first: 0, seeds, depth })
    }

    /// Every schedule, depth first, but not more than so many.
    #[track_caller]
    pub fn exhaustive(most: u64) -> Self {
        Self::new(How::Exhaustive { most })
    }

    /// The one schedule that bytes say: see [`Sim::bytes`].
    #[track_caller]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(How::Bytes(bytes.into()))
    }

    /// Begins with another seed than 0.
    pub fn from_seed(mut self, seed: u64) -> Self {
        if let How::Random { first, .. } | How::Pct { first, .. } = &mut self.how {
            *first = seed;
        }
        self
    }

    /// So many polls of tasks may one run have, and not a million, before it counts as endless.
    pub fn most_steps(self, most: u64) -> Self {
        Self { most_steps: most, ..self }
    }

    /// Has each schedule run again and again, with the program dropped after no poll, after one, after two
    /// and so on. What it has spawned must then end without time going on, or it is an orphan.
    pub fn cancelling(self) -> Self {
        Self { cancels: true, ..self }
    }

    /// Runs `program` under each schedule, with a simulation of its own.
    ///
    /// When the program is ready, tasks that can still run do so, without time going on; what is left
    /// then is dropped.
    ///
    /// With `FORLOOP_SIM` set in the environment to what a report says, it runs that way, and no other.
    ///
    /// # Errors
    ///
    /// The first [`Failure`], with the shortest choices found that repeat it.
    pub fn run<F: Future<Output: Verdict>>(
        &self,
        program: impl Fn(Sim) -> F,
    ) -> Result<Explored, Failure> {
        self.each_run(&program, |output| output.failure().map(|error| Cause::Failed { error }))
    }

    /// As [`run`](Self::run), with a program that must give the same each time; gives it, too.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run), and [`Cause::Disagrees`].
    pub fn run_agreeing<F>(
        &self,
        program: impl Fn(Sim) -> F,
    ) -> Result<(Explored, F::Output), Failure>
    where
        F: Future<Output: PartialEq + fmt::Debug>,
    {
        let mut first = None;
        // What everything is compared with is given by the run without any luck, also in a replay.
        Self { how: How::Fifo, cancels: false, ..self.clone() }.each(&program, |output| {
            first.get_or_insert(output);
            None
        })?;
        let Some(first) = first else { unreachable!("a run that has not failed gave something") };
        let explored = self.each_run(&program, |output| {
            (output != first).then(|| Cause::Disagrees {
                first: format!("{first:?}"),
                here: format!("{output:?}"),
            })
        })?;
        Ok((explored, first))
    }

    fn each_run<F: Future>(
        &self,
        program: &impl Fn(Sim) -> F,
        judge: impl FnMut(F::Output) -> Option<Cause>,
    ) -> Result<Explored, Failure> {
        match RunSpec::from_env() {
            Some(run_spec) => {
                Self { how: How::RunSpec(run_spec), ..self.clone() }.each(program, judge)
            }
            None => self.each(program, judge),
        }
    }

    fn each<F: Future>(
        &self,
        program: &impl Fn(Sim) -> F,
        mut judge: impl FnMut(F::Output) -> Option<Cause>,
    ) -> Result<Explored, Failure> {
        let mut explored = Explored::new(&self.how);
        let Self { most_steps, cancels, at, .. } = *self;
        let mut search = Search { most_steps, cancels, at, program, judge: &mut judge };
        let mut look = |sim, by: &str| search.look(sim, by, &mut explored);
        let first = |look: &mut dyn FnMut(Sim, &str) -> Result<(), Failure>| {
            // The one that is easiest to read, if it fails.
            look(Sim::replay(Choices::default()), "the first schedule")
        };
        match self.how {
            How::Fifo => first(&mut look)?,
            How::Random { first: from, seeds } => {
                first(&mut look)?;
                for seed in (0..seeds).map(|n| from.wrapping_add(n)) {
                    look(Sim::random(seed), &format!("seed {seed}"))?;
                }
            }
            How::Pct { first: from, seeds, depth } => {
                first(&mut look)?;
                let points = explored.points;
                let mut look = |sim, by: &str| search.look(sim, by, &mut explored);
                for seed in (0..seeds).map(|n| from.wrapping_add(n)) {
                    look(Sim::pct(seed, depth, points), &format!("seed {seed}"))?;
                }
            }
            How::Exhaustive { most } => search.look_at_all(most, &mut explored)?,
            How::Bytes(ref bytes) => look(Sim::bytes(bytes.clone()), "the bytes")?,
            How::RunSpec(ref run_spec) => search.repeat(run_spec, &mut explored)?,
        }
        Ok(explored)
    }
}

/// What a program gives: nothing, or a `Result`.
#[diagnostic::on_unimplemented(
    message = "a program that is checked gives `()` or a `Result<(), E>`, and this one gives `{Self}`",
    note = "`forloop_sim::agree` takes programs that give anything, and wants it to be the same each time"
)]
pub trait Verdict {
    /// Why it has failed, if it has.
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

/// Some schedules of many.
const SAMPLED: &str = "sampled";

/// What was explored without a failure.
///
/// Its `Display` says it in honest words: `exhaustive: 4,320 schedules`, or `sampled: 10,000 seeds, 3,911
/// distinct schedules`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explored {
    /// How many schedules were run.
    pub runs: u64,
    /// How many runs ended with the program being dropped.
    pub dropped_runs: u64,
    /// Whether there is no other schedule.
    pub is_complete: bool,
    kind: &'static str,
    seeds: u64,
    /// How often something was chosen in the first run.
    points: u64,
    seen: HashSet<u64>,
}

impl Explored {
    fn new(how: &How) -> Self {
        let (kind, seeds) = match how {
            How::Random { seeds, .. } | How::Pct { seeds, .. } => (SAMPLED, *seeds),
            How::Exhaustive { .. } => ("exhaustive", 0),
            How::Fifo | How::Bytes(_) | How::RunSpec(_) => ("one schedule", 0),
        };
        Self {
            runs: 0,
            dropped_runs: 0,
            is_complete: false,
            kind,
            seeds,
            points: 0,
            seen: HashSet::new(),
        }
    }

    /// Notes a run of a program that was not dropped.
    pub(crate) fn note(&mut self, run: &Run) {
        if self.runs == 0 {
            self.points = run.points();
        }
        // That one is of no seed.
        if self.runs != 0 || self.kind != SAMPLED {
            self.seen.insert(run.fingerprint);
        }
        self.runs += 1;
    }

    /// How many schedules were different, those of a sample without the first, which is of no seed.
    pub fn distinct(&self) -> u64 {
        self.seen.len() as u64
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64, what: &str| {
            let s = if count == 1 { "" } else { "s" };
            format!("{} {what}{s}", with_commas(count))
        };
        let distinct = self.distinct();
        match self.kind {
            SAMPLED => {
                let seeds = plural(self.seeds, "seed");
                write!(f, "sampled: {seeds}, {}", plural(distinct, "distinct schedule"))
            }
            "exhaustive" if self.is_complete => {
                write!(f, "exhaustive: {}", plural(distinct, "schedule"))
            }
            "exhaustive" => {
                write!(f, "the first {}, and there are more", plural(distinct, "schedule"))
            }
            kind => f.write_str(kind),
        }
    }
}

/// A number as people read it.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at != 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
