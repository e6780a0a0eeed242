//! The command line of the benchmarks.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::peers::{Kind, Peer};
use crate::workloads::{BLOCKS, Block, Work};

pub(crate) const HELP: &str = "\
usage: cargo xtask bench [options]

Measures what a loop costs, next to its peers, and prints a table.

options:
  --only W1,W4-64     run only these workloads or blocks
  --quick             fewer repetitions and items; instructions for our own loops and tasks only
  --no-instructions   do not count instructions, which needs valgrind and takes most of the time
  --json FILE         write all figures as JSON
  --chart FILE.svg    write a chart of the times
  --check             measure our own exact figures only, and compare them with the baseline
  --bless             measure them and write a new baseline
  --compile-time      measure what programs with one loop take to compile, and nothing else
  --remote            measure bodies on workers behind a redis-server; `--remote --help` has its options
";

#[derive(Debug, Default)]
pub(crate) struct Options {
    only: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) instructions: bool,
    pub(crate) json: Option<PathBuf>,
    pub(crate) chart: Option<PathBuf>,
    pub(crate) check: bool,
    pub(crate) bless: bool,
}

/// The result of parsing the command line.
#[derive(Debug)]
pub(crate) enum Invocation {
    Help,
    Run(Options),
}

impl Options {
    pub(crate) fn parse(mut parser: Parser) -> Result<Invocation, lexopt::Error> {
        let mut options = Self { instructions: true, ..Self::default() };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("only") => {
                    let names = parser.value()?.string()?;
                    for name in names.split(',') {
                        if !BLOCKS.iter().any(|block| is_of(block, name)) {
                            return Err(format!("no workload `{name}`").into());
                        }
                        options.only.push(name.to_owned());
                    }
                }
                Arg::Long("quick") => options.quick = true,
                Arg::Long("no-instructions") => options.instructions = false,
                Arg::Long("json") => options.json = Some(parser.value()?.into()),
                Arg::Long("chart") => options.chart = Some(parser.value()?.into()),
                Arg::Long("check") => options.check = true,
                Arg::Long("bless") => options.bless = true,
                Arg::Long("help") | Arg::Short('h') => return Ok(Invocation::Help),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Invocation::Run(options))
    }

    pub(crate) fn selects(&self, block: &Block) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| is_of(block, name))
    }

    pub(crate) fn repetitions(&self) -> usize {
        if self.quick { 2 } else { 5 }
    }

    /// Returns the time limit of one measurement.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(if self.quick { 5 } else { 20 })
    }

    pub(crate) fn items(&self, block: &Block) -> usize {
        match block.work {
            Work::Lazy { .. } if self.quick => 100_000,
            Work::Compute if self.quick => 2000,
            Work::Options(_) if self.quick => 20_000,
            _ => block.n,
        }
    }

    pub(crate) fn counts_instructions(&self, peer: Peer) -> bool {
        !self.quick || peer.is_ours() || peer.kind() == Kind::OneThread
    }
}

/// Whether a name selects this block: it is the name of the block, or that of its workload.
fn is_of(block: &Block, name: &str) -> bool {
    // `W1` is not the workload of `W10-all`, and `W3` is that of `W3s-1k`.
    let rest = block.name.strip_prefix(name).filter(|_| !name.is_empty());
    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Options, String> {
        match Options::parse(Parser::from_args(arguments)) {
            Ok(Invocation::Run(options)) => Ok(options),
            Ok(Invocation::Help) => Err("help".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_name_selects_all_blocks_of_a_workload_or_one_block() {
        let options = parsed(&["--only", "W3,W4-64"]).unwrap();
        let wanted = BLOCKS.iter().filter(|block| options.selects(block));
        let wanted: Vec<_> = wanted.map(|block| block.name).collect();
        assert_eq!(wanted, ["W3s-1k", "W3s-10k", "W3s-100k", "W3t-100k", "W4-64"]);
        assert!(BLOCKS.iter().all(|block| parsed(&[]).unwrap().selects(block)));
    }

    #[test]
    fn unknown_names_and_options_are_refused() {
        assert_eq!(parsed(&["--only", "W99"]).unwrap_err(), "no workload `W99`");
        assert!(parsed(&["--slow"]).is_err());
    }
}
