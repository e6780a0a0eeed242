//! The command line of `cargo xtask verify`.

use std::{error, fmt, num::NonZeroU32, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

use super::{
    backend::{self, Backend},
    schedule::Schedule,
};

/// What `--help` prints.
pub const HELP: &str = "\
Runs every example on every backend and compares what they print.

usage: cargo xtask verify [options]

options:
  --runtime NAME    only this backend: smol, async-std, tokio-current-thread,
                    tokio-multi-thread, sim, asyncio, sha256sum (repeatable, comma
                    lists)
  --example NAME    only this example (repeatable, comma lists)
  --bless           write examples/NAME.out where all backends agree
  --repeat N        run each program N times; all must pass (sim: see below)
  --timeout SECONDS the time limit of each program (60)
  --seeds N         on sim, run under N random schedules (1000)
  --schedules N     on sim, search through at most N schedules (200)
  --schedule WAY    on sim, run under this schedule only: `seed=17`, or
                    `choices=1,0x3,2`; without --runtime, on sim only
  --json            the report as JSON on stdout, everything else on stderr
  --help            this text

sim runs each example in simulation: first in, first out, then under seeds, then
under one schedule after the other until there are no more or --schedules are
done. All must print the same, so there --repeat changes nothing.

exit codes:
  0 all agree    1 some differ    2 could not verify    130 interrupted
";

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// To explain itself.
    Help,
    /// To verify.
    Verify(Options),
}

/// What to verify, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The backends asked for by name; none means all.
    pub runtimes: Vec<Backend>,
    /// The examples asked for by name; none means all.
    pub examples: Vec<String>,
    /// Whether to write what all backends agree on.
    pub bless: bool,
    /// How often each program runs.
    pub rounds: NonZeroU32,
    /// How many seeds each program is simulated under.
    pub seeds: u32,
    /// How many schedules a search goes through at most.
    pub schedules: u32,
    /// The only schedule to simulate, if one is asked for.
    pub schedule: Option<Schedule>,
    /// How long each program may take.
    pub limit: Duration,
    /// Whether stdout is for a program to read.
    pub json: bool,
}

impl Options {
    /// How long each program may take unless the command line says otherwise.
    pub const LIMIT: Duration = Duration::from_secs(60);
    /// How many seeds there are unless the command line says otherwise.
    pub const SEEDS: u32 = 1000;
    /// How far a search goes unless the command line says otherwise.
    pub const SCHEDULES: u32 = 200;
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
            limit: Self::LIMIT,
            json: false,
        }
    }
}

/// Reads what comes after `verify`.
///
/// # Errors
///
/// [`BadUsage`] for anything that [`HELP`] does not promise.
pub fn parse(mut arguments: Parser) -> Result<Request, BadUsage> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            Arg::Long("runtime") => {
                for name in arguments.value()?.string()?.split(',') {
                    let named = Backend::named(name);
                    let backend = named.ok_or_else(|| BadUsage::UnknownRuntime(name.to_owned()))?;
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
                options.rounds = rounds.parse().map_err(|_| BadUsage::Repeat(rounds))?;
            }
            Arg::Long("seeds") => {
                let seeds = arguments.value()?.string()?;
                options.seeds = seeds.parse().map_err(|_| BadUsage::Bound("seeds", seeds))?;
            }
            Arg::Long("schedules") => {
                let most = arguments.value()?.string()?;
                options.schedules = most.parse().map_err(|_| BadUsage::Bound("schedules", most))?;
            }
            Arg::Long("schedule") => {
                let way = arguments.value()?.string()?;
                options.schedule = Some(way.parse().map_err(|_| BadUsage::Schedule(way))?);
            }
            Arg::Long("timeout") => {
                let seconds = arguments.value()?.string()?;
                options.limit = limit(&seconds).ok_or(BadUsage::Timeout(seconds))?;
            }
            Arg::Long("json") => options.json = true,
            other => return Err(other.unexpected().into()),
        }
    }
    if options.bless && !options.runtimes.is_empty() {
        return Err(BadUsage::BlessSelection);
    }
    if options.schedule.is_some() {
        if options.bless {
            return Err(BadUsage::BlessSelection);
        }
        if options.runtimes.is_empty() {
            options.runtimes.push(Backend::Sim);
        }
        if !options.runtimes.contains(&Backend::Sim) {
            return Err(BadUsage::ScheduleWithoutSim);
        }
    }
    options.runtimes.sort_unstable();
    Ok(Request::Verify(options))
}

fn limit(seconds: &str) -> Option<Duration> {
    let limit = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    (!limit.is_zero()).then_some(limit)
}

/// What is wrong with the command line.
#[derive(Debug)]
#[non_exhaustive]
pub enum BadUsage {
    /// There is no such backend.
    UnknownRuntime(String),
    /// Not a number of rounds.
    Repeat(String),
    /// Not a number of that.
    Bound(&'static str, String),
    /// Not a schedule.
    Schedule(String),
    /// A schedule, and nothing that follows it.
    ScheduleWithoutSim,
    /// Not a time limit.
    Timeout(String),
    /// What only some backends said is not to be expected of all.
    BlessSelection,
    /// Not an argument of this command.
    Argument(lexopt::Error),
}

impl fmt::Display for BadUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownRuntime(name) => {
                write!(f, "no runtime `{name}`; there are: {}", backend::names(&Backend::ALL, ", "))
            }
            Self::Repeat(given) => {
                write!(f, "`--repeat {given}`: needs a whole number of rounds, at least 1")
            }
            Self::Bound(what, given) => {
                write!(f, "`--{what} {given}`: needs a whole number, which may be 0")
            }
            Self::Schedule(given) => {
                write!(f, "`--schedule {given}`: needs `seed=17` or `choices=1,0x3,2`")
            }
            Self::ScheduleWithoutSim => {
                write!(f, "`--schedule` is for the simulated runtime: `--runtime` must name sim")
            }
            Self::Timeout(given) => {
                write!(f, "`--timeout {given}`: needs a number of seconds greater than 0")
            }
            Self::BlessSelection => write!(
                f,
                "`--bless` writes what all backends agree on; it cannot go with `--runtime` or \
                 `--schedule`"
            ),
            Self::Argument(error) => write!(f, "{error}; see `cargo xtask verify --help`"),
        }
    }
}

impl error::Error for BadUsage {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Argument(error) => Some(error),
            _ => None,
        }
    }
}

impl From<lexopt::Error> for BadUsage {
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
        parse(Parser::from_args(arguments)).expect_err("a bad usage").to_string()
    }

    #[test]
    fn nothing_asked_for_means_everything_once_within_a_minute() {
        assert_eq!(options(&[]), Options::default());
    }

    #[test]
    fn runtimes_are_named_again_or_in_a_list_and_come_in_the_order_of_the_columns() {
        let named = options(&["--runtime", "asyncio,smol", "--runtime=tokio-multi-thread,smol"]);
        let expected = [Backend::Smol, Backend::TokioMultiThread, Backend::Asyncio];
        assert_eq!(named.runtimes, expected);
    }

    #[test]
    fn an_unknown_runtime_is_refused_with_the_names_of_the_known() {
        let message = refused(&["--runtime", "smol,glommio"]);
        assert!(message.contains("`glommio`"));
        assert!(Backend::ALL.iter().all(|backend| message.contains(backend.name())), "{message}");
    }

    #[test]
    fn a_time_limit_may_be_a_fraction_and_is_never_zero() {
        assert_eq!(options(&["--timeout", "0.25"]).limit, Duration::from_millis(250));
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
        assert!(refused(&["--schedule", "seed=1", "--runtime", "smol"]).contains("name sim"));
        assert!(refused(&["--schedule", "seed=1", "--bless"]).contains("`--schedule`"));
    }

    #[test]
    fn blessing_what_only_some_backends_say_is_refused() {
        assert!(options(&["--bless", "--example", "gather"]).bless);
        assert!(refused(&["--bless", "--runtime", "smol"]).contains("--runtime"));
    }

    #[test]
    fn an_argument_nobody_knows_or_without_its_value_is_refused() {
        assert!(refused(&["--fast"]).contains("--fast"));
        assert!(refused(&["gather"]).contains("gather"));
        assert!(refused(&["--runtime"]).contains("--runtime"));
        assert!(refused(&["--json=yes"]).contains("--json"));
    }
}
