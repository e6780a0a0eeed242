//! The command line of `cargo xtask hosts`.

use std::{error, fmt, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

/// What `--help` prints.
pub const HELP: &str = "\
Builds and runs the programs in examples/hosts and compares what they print.

usage: cargo xtask hosts [options] [NAME..]

Without a name, all of them run; what this machine has not the libraries for is
printed as not run.

options:
  --bless           write expected.out, and expected.err where there is one
  --list            say what there is and what each needs, and run nothing
  --timeout SECONDS the time limit of each program (60)
  --help            this text

exit codes:
  0 all agree    1 some differ    2 could not run    130 interrupted
";

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// To explain itself.
    Help,
    /// To say what there is.
    List(Vec<String>),
    /// To build and run.
    Run(Options),
}

/// Which hosts to run, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The hosts asked for by name; none means all.
    pub names: Vec<String>,
    /// Whether to write what they print.
    pub bless: bool,
    /// How long each program may take.
    pub limit: Duration,
}

impl Options {
    /// How long each program may take unless the command line says otherwise.
    pub const LIMIT: Duration = Duration::from_secs(60);
}

impl Default for Options {
    fn default() -> Self {
        Self { names: Vec::new(), bless: false, limit: Self::LIMIT }
    }
}

/// Reads what comes after `hosts`.
///
/// # Errors
///
/// [`BadUsage`] for anything that [`HELP`] does not promise.
pub fn parse(mut arguments: Parser) -> Result<Request, BadUsage> {
    let mut options = Options::default();
    let mut list = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            Arg::Long("list") => list = true,
            Arg::Long("bless") => options.bless = true,
            Arg::Long("timeout") => {
                let seconds = arguments.value()?.string()?;
                options.limit = limit(&seconds).ok_or(BadUsage::Timeout(seconds))?;
            }
            Arg::Value(name) => options.names.push(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match list {
        true if options.bless => Err(BadUsage::BlessList),
        true => Ok(Request::List(options.names)),
        false => Ok(Request::Run(options)),
    }
}

fn limit(seconds: &str) -> Option<Duration> {
    let limit = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    (!limit.is_zero()).then_some(limit)
}

/// What is wrong with the command line.
#[derive(Debug)]
#[non_exhaustive]
pub enum BadUsage {
    /// Not a time limit.
    Timeout(String),
    /// A list runs nothing, so there is nothing to bless.
    BlessList,
    /// Not an argument of this command.
    Argument(lexopt::Error),
}

impl fmt::Display for BadUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(given) => {
                write!(f, "`--timeout {given}`: needs a number of seconds greater than 0")
            }
            Self::BlessList => write!(f, "`--list` runs nothing; it cannot go with `--bless`"),
            Self::Argument(error) => write!(f, "{error}; see `cargo xtask hosts --help`"),
        }
    }
}

impl error::Error for BadUsage {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Argument(error) => Some(error),
            Self::Timeout(_) | Self::BlessList => None,
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

    fn request(arguments: &[&str]) -> Request {
        parse(Parser::from_args(arguments)).unwrap()
    }

    fn refused(arguments: &[&str]) -> String {
        parse(Parser::from_args(arguments)).expect_err("a bad usage").to_string()
    }

    #[test]
    fn nothing_asked_for_means_every_host_within_a_minute() {
        assert_eq!(request(&[]), Request::Run(Options::default()));
    }

    #[test]
    fn hosts_are_named_and_options_may_stand_between_them() {
        let named = Options {
            names: vec!["a".to_owned(), "b".to_owned()],
            bless: true,
            limit: Duration::from_millis(250),
        };
        assert_eq!(request(&["a", "--bless", "b", "--timeout=0.25"]), Request::Run(named));
        assert_eq!(request(&["--list", "a"]), Request::List(vec!["a".to_owned()]));
        assert_eq!(request(&["a", "--help"]), Request::Help);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for bad in ["0", "-1", "NaN", "inf", "1e40", "soon", ""] {
            assert!(refused(&[&format!("--timeout={bad}")]).contains(bad), "{bad}");
        }
        assert!(refused(&["--list", "--bless"]).contains("--list"));
        assert!(refused(&["--fast"]).contains("--fast"));
        assert!(refused(&["--list=yes"]).contains("--list"));
    }
}
