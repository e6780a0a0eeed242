//! The command line of `cargo xtask hosts`.

use std::{error, fmt, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

/// What `--help` prints.
pub const HELP: &str = "\
Builds and runs the programs in examples/hosts and compares their outputs.

usage: cargo xtask hosts [options] [NAME..]

Without NAME, all hosts run. A host whose requirements this machine does not
meet is reported as not run.

options:
  --bless           write expected.out, and expected.err if it exists
  --list            list the hosts and their requirements
  --timeout SECONDS time limit of each program (60)
  --help            print this text

exit codes:
  0 all agree    1 some differ    2 error    130 interrupted
";

/// The request of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Print the help text.
    Help,
    /// List the hosts with these names.
    List(Vec<String>),
    /// Build and run hosts.
    Run(Options),
}

/// Which hosts to run, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The names of the selected hosts; empty for all.
    pub names: Vec<String>,
    /// Whether to write the expected outputs.
    pub bless: bool,
    /// The time limit of each program.
    pub timeout: Duration,
}

impl Options {
    /// The default time limit.
    pub const TIMEOUT: Duration = Duration::from_secs(60);
}

impl Default for Options {
    fn default() -> Self {
        Self { names: Vec::new(), bless: false, timeout: Self::TIMEOUT }
    }
}

/// Parses the arguments after `hosts`.
///
/// # Errors
///
/// [`UsageError`] for an unknown argument or an invalid value.
pub fn parse(mut arguments: Parser) -> Result<Request, UsageError> {
    let mut options = Options::default();
    let mut list = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            Arg::Long("list") => list = true,
            Arg::Long("bless") => options.bless = true,
            Arg::Long("timeout") => {
                let seconds = arguments.value()?.string()?;
                options.timeout = parse_timeout(&seconds).ok_or(UsageError::Timeout(seconds))?;
            }
            Arg::Value(name) => options.names.push(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match list {
        true if options.bless => Err(UsageError::BlessList),
        true => Ok(Request::List(options.names)),
        false => Ok(Request::Run(options)),
    }
}

fn parse_timeout(seconds: &str) -> Option<Duration> {
    let timeout = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    (!timeout.is_zero()).then_some(timeout)
}

/// An error in the command line.
#[derive(Debug)]
#[non_exhaustive]
pub enum UsageError {
    /// The time limit is invalid.
    Timeout(String),
    /// `--list` together with `--bless`.
    BlessList,
    /// An unknown argument, or one without its value.
    Argument(lexopt::Error),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(given) => {
                write!(f, "`--timeout {given}`: expected a number of seconds greater than 0")
            }
            Self::BlessList => write!(f, "`--list` cannot be used with `--bless`"),
            Self::Argument(error) => write!(f, "{error}; see `cargo xtask hosts --help`"),
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

    fn request(arguments: &[&str]) -> Request {
        parse(Parser::from_args(arguments)).unwrap()
    }

    fn refused(arguments: &[&str]) -> String {
        parse(Parser::from_args(arguments)).expect_err("a usage error").to_string()
    }

    #[test]
    fn the_default_is_every_host_within_a_minute() {
        assert_eq!(request(&[]), Request::Run(Options::default()));
    }

    #[test]
    fn options_may_appear_between_the_names_of_hosts() {
        let named = Options {
            names: vec!["a".to_owned(), "b".to_owned()],
            bless: true,
            timeout: Duration::from_millis(250),
        };
        assert_eq!(request(&["a", "--bless", "b", "--timeout=0.25"]), Request::Run(named));
        assert_eq!(request(&["--list", "a"]), Request::List(vec!["a".to_owned()]));
        assert_eq!(request(&["a", "--help"]), Request::Help);
    }

    #[test]
    fn invalid_arguments_are_refused() {
        for bad in ["0", "-1", "NaN", "inf", "1e40", "soon", ""] {
            assert!(refused(&[&format!("--timeout={bad}")]).contains(bad), "{bad}");
        }
        assert!(refused(&["--list", "--bless"]).contains("--list"));
        assert!(refused(&["--fast"]).contains("--fast"));
        assert!(refused(&["--list=yes"]).contains("--list"));
    }
}
