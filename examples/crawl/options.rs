//! The command line.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use backon::ExponentialBuilder;
use lexopt::{Arg, Error, Parser, ValueExt};

use crate::{Hosts, Mix, Plan, Url};

/// What `--help` prints.
pub const HELP: &str = "\
usage: crawl [options] [FILE | -]

Fetches the pages of a list, one URL in a line, from a file or from standard input; without a list,
those of a site of its own on this machine, some of which are slow, fail or are flaky. Failures are
told on stderr, a summary on stdout. Only `http` is spoken. Ctrl-C finishes what runs and sums up; once
more, it stops that, too.

options:
  --limit N          so many pages at once (50)
  --per-host N       so many of one host at once (8)
  --timeout SECONDS  the time of each attempt (2)
  --retries N        how often what may pass is tried again (2)

for its own site:
  --count N          so many pages (1000)
  --mix KIND=PERCENT,...
                     how many of them are missing, error, flaky, slow, stalled, reset, half-closed,
                     refused or malformed; '' is none
  --panic            one page makes the body of the loop panic
  --soak N           N pages, many of them bad; fails if memory grows, a socket is left, or a page
                     does not end as it must
  --serve            be the site, print where its hosts are, and stay until standard input ends
  --hosts HOSTS      crawl the site of another process, whose `--serve` has printed HOSTS

  --measure          say on stderr how long it took, and how much memory
  --help             this
";

/// Where the URLs are from.
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
    /// Reads the URLs. Empty lines, and what begins with `#`, are none.
    ///
    /// # Errors
    ///
    /// The list that cannot be read, and why.
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
        // A line that is not UTF-8 is a URL that is none, and not the end of the others.
        let list = String::from_utf8_lossy(&list);
        let lines = list.lines().map(str::trim);
        Ok(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Url::new).collect())
    }
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Fetch pages.
    Crawl,
    /// Fetch very many, and see that nothing is left of it.
    Soak,
    /// Be fetched from.
    Serve,
    /// Say how it is used.
    Help,
}

/// What the command line says.
#[derive(Debug, Clone)]
pub struct Options {
    /// What to do.
    pub job: Job,
    /// Where the URLs are from.
    pub source: Source,
    /// So many pages at once.
    pub limit: usize,
    /// So many of one host at once.
    pub per_host: usize,
    /// The time of each attempt.
    pub timeout: Duration,
    /// How often to try again.
    pub retries: usize,
    /// A site that is there already.
    pub hosts: Option<Hosts>,
    /// Whether to say what it cost.
    pub measure: bool,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Errors
    ///
    /// What cannot be understood.
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
                return Err(format!("{}: a list is not for its own site", list.display()).into());
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

    /// How long to wait before each further attempt.
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
    fn what_makes_no_sense_is_refused() {
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
