//! The command line.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use backon::ExponentialBuilder;
use lexopt::{Arg, Error, Parser, ValueExt};

use crate::hosts::Hosts;
use crate::plan::{Mix, Plan};
use crate::url::Url;

/// The output of `--help`.
pub const HELP: &str = "\
usage: crawl [options] [FILE | -]

Fetches the pages of a list, one URL per line, from a file or from standard input. Without a list,
fetches those of a local site, some of which are slow, fail or are flaky. Prints failures on stderr
and a summary on stdout. Only `http` is supported. Ctrl-C finishes the running pages and prints the
summary; a second Ctrl-C stops them.

options:
  --limit N          the most pages at once (50)
  --per-host N       the most pages of one host at once (8)
  --timeout SECONDS  the timeout of each attempt (2)
  --retries N        how often a transient failure is retried (2)

for its own site:
  --count N          the number of pages (1000)
  --mix KIND=PERCENT,...
                     the shares of missing, error, flaky, slow, stalled, reset, half-closed, refused
                     and malformed pages; '' is none
  --panic            one page makes the body of the loop panic
  --soak N           N pages, many of them bad; fails if memory grows, a socket is left open, or a
                     page ends in a wrong way
  --serve            serve the site, print its addresses, and exit when standard input ends
  --hosts HOSTS      crawl the site of another process, whose `--serve` printed HOSTS

  --measure          print the time and the peak memory on stderr
  --help             print this help
";

/// The source of the URLs.
#[derive(Debug, Clone)]
pub enum Source {
    /// The local site.
    Plan(Plan),
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// Reads the URLs. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    ///
    /// Returns the name of a list that cannot be read, and the reason.
    pub fn urls(&self) -> Result<Vec<Url>, String> {
        let list = match self {
            Self::Plan(plan) => return Ok(plan.urls().collect()),
            Self::File(path) => {
                fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?
            }
            Self::Stdin => {
                let mut list = Vec::new();
                let read = io::stdin().read_to_end(&mut list);
                read.map_err(|error| format!("standard input: {error}"))?;
                list
            }
        };
        // A line that is not UTF-8 is a malformed URL, and does not end the list.
        let list = String::from_utf8_lossy(&list);
        let lines = list.lines().map(str::trim);
        Ok(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Url::new).collect())
    }
}

/// The job of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Fetches pages.
    Crawl,
    /// Fetches very many pages, and checks that nothing is left behind.
    Soak,
    /// Serves the pages of the local site.
    Serve,
    /// Prints the help.
    Help,
}

/// The parsed command line.
#[derive(Debug, Clone)]
pub struct Options {
    /// The job.
    pub job: Job,
    /// The source of the URLs.
    pub source: Source,
    /// The most pages fetched at once.
    pub limit: usize,
    /// The most pages of one host fetched at once.
    pub per_host: usize,
    /// The timeout of each attempt.
    pub timeout: Duration,
    /// The number of retries.
    pub retries: usize,
    /// The addresses of a site in another process.
    pub hosts: Option<Hosts>,
    /// Whether to print the cost of the crawl.
    pub measure: bool,
}

impl Options {
    /// Parses the command line.
    ///
    /// # Errors
    ///
    /// Returns an error for arguments that are invalid or contradict each other.
    pub fn parse(mut parser: Parser) -> Result<Self, Error> {
        let mut options = Self {
            job: Job::Crawl,
            source: Source::Stdin,
            limit: 50,
            per_host: 8,
            timeout: Duration::from_secs(2),
            retries: 2,
            hosts: None,
            measure: false,
        };
        let mut list = None;
        let mut count = None;
        let mut mix = None;
        let mut panic = false;
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("limit") => options.limit = parser.value()?.parse()?,
                Arg::Long("per-host") => options.per_host = parser.value()?.parse()?,
                Arg::Long("timeout") => options.timeout = parser.value()?.parse_with(seconds)?,
                Arg::Long("retries") => options.retries = parser.value()?.parse()?,
                Arg::Long("count") => count = Some(parser.value()?.parse()?),
                Arg::Long("mix") => mix = Some(parser.value()?.parse_with(Mix::parse)?),
                Arg::Long("panic") => panic = true,
                Arg::Long("soak") => {
                    options.job = Job::Soak;
                    count = Some(parser.value()?.parse()?);
                }
                Arg::Long("serve") => options.job = Job::Serve,
                Arg::Long("hosts") => {
                    options.hosts = Some(parser.value()?.parse_with(Hosts::parse)?);
                }
                Arg::Long("measure") => options.measure = true,
                Arg::Long("help") | Arg::Short('h') => options.job = Job::Help,
                Arg::Value(path) if list.is_none() => list = Some(path),
                other => return Err(other.unexpected()),
            }
        }
        let is_local = count.is_some() || mix.is_some() || panic || options.job == Job::Serve;
        options.source = match list {
            Some(list) if is_local => {
                return Err(
                    format!("{}: a list cannot be used with its own site", list.display()).into()
                );
            }
            Some(list) if list == "-" => Source::Stdin,
            Some(list) => Source::File(list.into()),
            None => {
                let usual = if options.job == Job::Soak { Mix::hard() } else { Mix::default() };
                let (count, mix) = (count.unwrap_or(1000), mix.unwrap_or(usual));
                Source::Plan(Plan { count, mix, panic })
            }
        };
        Ok(options)
    }

    /// Returns the delays between attempts.
    pub fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_times(self.retries)
            .with_jitter()
    }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| !seconds.is_zero()).ok_or("not a number of seconds above zero")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Result<Options, String> {
        let parser = Parser::from_args(arguments.iter().copied());
        Options::parse(parser).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_a_file_or_standard_input() {
        assert!(matches!(options(&["-"]).unwrap().source, Source::Stdin));
        assert!(matches!(options(&["list.txt"]).unwrap().source, Source::File(_)));
        assert!(matches!(options(&[]).unwrap().source, Source::Plan(plan) if plan.count == 1000));
    }

    #[test]
    fn invalid_arguments_are_refused() {
        for bad in [
            &["--mix", "reset=200"][..],
            &["--timeout", "0"],
            &["--timeout", "soon"],
            &["--limit", "-1"],
            &["--limit"],
            &["a", "b"],
            &["a", "--mix", "reset=1"],
            &["a", "--soak", "5"],
            &["--hosts", "north.test"],
            &["--frobnicate"],
        ] {
            assert!(options(bad).is_err(), "{bad:?}");
        }
        assert!(options(&["--mix", "rest=1"]).unwrap_err().contains("half-closed"));
    }
}
