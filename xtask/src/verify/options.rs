//! The command line of `cargo xtask verify`.

use std::{error, fmt, num::NonZeroU32, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

use super::{
    backend::{self, Backend},
    schedule::Schedule,
};

/// The help text.
pub const HELP: &str = "\
Runs every example on every backend and compares the outputs.

usage: cargo xtask verify [options]

options:
  --runtime NAME    select a backend: smol, async-std, tokio-current-thread,
                    tokio-multi-thread, sim, asyncio, sha256sum, redis
                    (repeatable, or a comma-separated list)
  --example NAME    select an example (repeatable, or a comma-separated list)
  --bless           write examples/NAME.out if all backends agree
  --repeat N        run each program N times; no effect on sim
  --timeout SECONDS time limit of each program (60)
  --seeds N         sim: number of random schedules (1000)
  --schedules N     sim: maximum number of schedules that are searched (200)
  --schedule S      sim: run under one schedule, `seed=17` or `choices=1,0x3,2`;
                    selects sim unless --runtime is set
  --json            print the report as JSON on stdout, and messages on stderr
  --help            print this text

sim runs each example in simulation: in first-in, first-out order, then under
random schedules, then under every schedule up to the maximum. The output must be
the same under all of them.

redis runs an example whose bodies have names with a redis-server, a producer, and
three workers on three runtimes, one of which is killed.

exit codes:
  0 all agree    1 some differ    2 error    130 interrupted
";

/// The request of the command line.
#[derive(Debug)]
pub enum Request {
    /// Print the help text.
    Help,
    /// Verify the examples.
    Verify(Options),
}

/// The options of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The selected backends; empty for all.
    pub runtimes: Vec<Backend>,
    /// The selected examples; empty for all.
    pub examples: Vec<String>,
    /// Whether to write the expected outputs.
    pub bless: bool,
    /// The number of runs of each program.
    pub rounds: NonZeroU32,
    /// The number of seeds per simulated program.
    pub seeds: u32,
    /// The maximum number of schedules per search.
    pub schedules: u32,
    /// The only schedule to simulate, if one is selected.
    pub schedule: Option<Schedule>,
    /// The time limit of each program.
    pub timeout: Duration,
    /// Whether the report is printed as JSON.
    pub json: bool,
}

impl Options {
    /// The default time limit.
    pub const TIMEOUT: Duration = Duration::from_secs(60);
    /// The default number of seeds.
    pub const SEEDS: u32 = 1000;
    /// The default maximum number of schedules per search.
    pub const SCHEDULES: u32 = 200;

    /// Refuses options that contradict each other, selects sim for a schedule, and sorts the backends.
    fn normalise(mut self) -> Result<Self, UsageError> {
        if self.bless && (!self.runtimes.is_empty() || self.schedule.is_some()) {
            return Err(UsageError::BlessSelection);
        }
        if self.schedule.is_some() {
            if self.runtimes.is_empty() {
                self.runtimes.push(Backend::Sim);
            }
            if !self.runtimes.contains(&Backend::Sim) {
                return Err(UsageError::ScheduleWithoutSim);
            }
        }
        self.runtimes.sort_unstable();
        Ok(self)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runtimes: Vec::new(),
            examples: Vec::new(),
            bless: false,
            rounds: NonZeroU32::MIN,
            seeds: Self::SEEDS,
            schedules: Self::SCHEDULES,
            schedule: None,
            timeout: Self::TIMEOUT,
            json: false,
        }
    }
}

/// Parses the arguments after `verify`.
///
/// # Errors
///
/// [`UsageError`] for an unknown argument or an invalid value.
pub fn parse(mut arguments: Parser) -> Result<Request, UsageError> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            Arg::Long("runtime") => {
                for name in arguments.value()?.string()?.split(',') {
                    let named = Backend::named(name);
                    let backend =
                        named.ok_or_else(|| UsageError::UnknownRuntime(name.to_owned()))?;
                    if !options.runtimes.contains(&backend) {
                        options.runtimes.push(backend);
                    }
                }
            }
            Arg::Long("example") => {
                let names = arguments.value()?.string()?;
                options.examples.extend(names.split(',').map(str::to_owned));
            }
            Arg::Long("bless") => options.bless = true,
            Arg::Long("repeat") => {
                let rounds = arguments.value()?.string()?;
                options.rounds = rounds.parse().map_err(|_| UsageError::Repeat(rounds))?;
            }
            Arg::Long("seeds") => {
                let seeds = arguments.value()?.string()?;
                options.seeds = seeds.parse().map_err(|_| UsageError::Bound("seeds", seeds))?;
            }
            Arg::Long("schedules") => {
                let schedules = arguments.value()?.string()?;
                options.schedules =
                    schedules.parse().map_err(|_| UsageError::Bound("schedules", schedules))?;
            }
            Arg::Long("schedule") => {
                let schedule = arguments.value()?.string()?;
                options.schedule =
                    Some(schedule.parse().map_err(|_| UsageError::Schedule(schedule))?);
            }
            Arg::Long("timeout") => {
                let seconds = arguments.value()?.string()?;
                options.timeout = parse_timeout(&seconds).ok_or(UsageError::Timeout(seconds))?;
            }
            Arg::Long("json") => options.json = true,
            other => return Err(other.unexpected().into()),
        }
    }
    options.normalise().map(Request::Verify)
}

fn parse_timeout(seconds: &str) -> Option<Duration> {
    let timeout = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    (!timeout.is_zero()).then_some(timeout)
}

/// An error in the command line.
#[derive(Debug)]
#[non_exhaustive]
pub enum UsageError {
    /// An unknown backend.
    UnknownRuntime(String),
    /// The value of `--repeat` is invalid.
    Repeat(String),
    /// The value of `--seeds` or `--schedules` is invalid.
    Bound(&'static str, String),
    /// The schedule is invalid.
    Schedule(String),
    /// `--schedule` without the simulated runtime.
    ScheduleWithoutSim,
    /// The time limit is invalid.
    Timeout(String),
    /// `--bless` together with an option that selects backends or a schedule.
    BlessSelection,
    /// An unknown argument, or one without its value.
    Argument(lexopt::Error),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownRuntime(name) => {
                write!(
                    f,
                    "unknown runtime `{name}`, expected one of: {}",
                    backend::names(&Backend::ALL, ", ")
                )
            }
            Self::Repeat(given) => {
                write!(f, "`--repeat {given}`: expected an integer of at least 1")
            }
            Self::Bound(what, given) => {
                write!(f, "`--{what} {given}`: expected an integer of at least 0")
            }
            Self::Schedule(given) => {
                write!(
                    f,
                    "`--schedule {given}`: expected a schedule such as `seed=17` or `choices=1,0x3,2`"
                )
            }
            Self::ScheduleWithoutSim => {
                write!(f, "`--schedule` requires `--runtime sim`")
            }
            Self::Timeout(given) => {
                write!(f, "`--timeout {given}`: expected a number of seconds greater than 0")
            }
            Self::BlessSelection => write!(
                f,
                "`--bless` requires all backends; it cannot be used with `--runtime` or `--schedule`"
            ),
            Self::Argument(error) => write!(f, "{error}; see `cargo xtask verify --help`"),
        }
    }
}

impl error::Error for UsageError {}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self::Argument(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        match parse(Parser::from_args(arguments)) {
            Ok(Request::Verify(options)) => options,
            other => panic!("{arguments:?}: {other:?}"),
        }
    }

    fn refused(arguments: &[&str]) -> String {
        parse(Parser::from_args(arguments)).expect_err("a usage error").to_string()
    }

    #[test]
    fn the_default_is_every_program_once_within_a_minute() {
        assert_eq!(options(&[]), Options::default());
    }

    #[test]
    fn runtimes_may_be_repeated_or_listed_and_are_sorted() {
        let named = options(&["--runtime", "asyncio,smol", "--runtime=tokio-multi-thread,smol"]);
        let expected = [Backend::Smol, Backend::TokioMultiThread, Backend::Asyncio];
        assert_eq!(named.runtimes, expected);
    }

    #[test]
    fn an_unknown_runtime_is_refused_with_the_known_names() {
        let message = refused(&["--runtime", "smol,glommio"]);
        assert!(message.contains("`glommio`"));
        assert!(Backend::ALL.iter().all(|backend| message.contains(backend.name())), "{message}");
    }

    #[test]
    fn a_time_limit_may_be_a_fraction_and_is_never_zero() {
        assert_eq!(options(&["--timeout", "0.25"]).timeout, Duration::from_millis(250));
        for bad in ["0", "0.0", "-1", "NaN", "inf", "1e40", "1e-30", "soon", ""] {
            assert!(refused(&[&format!("--timeout={bad}")]).contains(bad), "{bad}");
        }
    }

    #[test]
    fn zero_rounds_are_refused() {
        assert_eq!(options(&["--repeat", "3"]).rounds.get(), 3);
        for bad in ["0", "-1", "1.5", "many"] {
            assert!(refused(&["--repeat", bad]).contains(bad), "{bad}");
        }
    }

    #[test]
    fn bounds_may_be_zero() {
        let bounded = options(&["--seeds", "0", "--schedules=7"]);
        assert_eq!((bounded.seeds, bounded.schedules), (0, 7));
        for bad in ["-1", "1.5", "all"] {
            assert!(refused(&["--seeds", bad]).contains(bad), "{bad}");
            assert!(refused(&["--schedules", bad]).contains(bad), "{bad}");
        }
    }

    #[test]
    fn a_schedule_is_for_the_simulated_runtime() {
        let alone = options(&["--schedule", "seed=17"]);
        assert_eq!(
            (alone.schedule, alone.runtimes),
            (Some(Schedule::Seed(17)), vec![Backend::Sim])
        );
        let beside = options(&["--schedule=choices=", "--runtime", "sim,smol"]);
        assert_eq!(beside.schedule, Some(Schedule::FIRST));
        assert_eq!(beside.runtimes, [Backend::Smol, Backend::Sim]);
        assert!(refused(&["--schedule", "sed=17"]).contains("`--schedule sed=17`"));
        assert!(
            refused(&["--schedule", "seed=1", "--runtime", "smol"])
                .contains("requires `--runtime sim`")
        );
        assert!(refused(&["--schedule", "seed=1", "--bless"]).contains("`--schedule`"));
    }

    #[test]
    fn blessing_some_backends_is_refused() {
        assert!(options(&["--bless", "--example", "gather"]).bless);
        assert!(refused(&["--bless", "--runtime", "smol"]).contains("--runtime"));
    }

    #[test]
    fn an_unknown_argument_or_a_missing_value_is_refused() {
        assert!(refused(&["--fast"]).contains("--fast"));
        assert!(refused(&["gather"]).contains("gather"));
        assert!(refused(&["--runtime"]).contains("--runtime"));
        assert!(refused(&["--json=yes"]).contains("--json"));
    }
}
