//! The command line of the benchmarks.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::peers::Peer;
use crate::workloads::{BLOCKS, Block, Work};

pub(crate) const HELP: &str = "\
usage: cargo xtask bench [options]

Measures what a loop costs, beside its peers, and prints one table.

options:
  --only W1,W4-64     only these workloads, or these blocks of them
  --quick             fewer repetitions and items; instructions for our own loops only
  --no-instructions   count no instructions, which needs valgrind and most of the time
  --json FILE         write every figure
  --chart FILE.svg    write a chart of the times
  --check             measure our own exact figures only, and compare them with the baseline
  --bless             write the baseline instead
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

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Wanted {
    Help,
    Run(Options),
}

impl Options {
    pub(crate) fn parse(mut parser: Parser) -> Result<Wanted, lexopt::Error> {
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
                Arg::Long("help") | Arg::Short('h') => return Ok(Wanted::Help),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Wanted::Run(options))
    }

    pub(crate) fn wants(&self, block: &Block) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| is_of(block, name))
    }

    pub(crate) fn repetitions(&self) -> usize {
        if self.quick { 2 } else { 5 }
    }

    /// How long one measurement may take.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(if self.quick { 5 } else { 20 })
    }

    pub(crate) fn items(&self, block: &Block) -> usize {
        match block.work {
            Work::Lazy { .. } if self.quick => 100_000,
            Work::Compute if self.quick => 2000,
            _ => block.n,
        }
    }

    pub(crate) fn counts_instructions(&self, peer: Peer) -> bool {
        !self.quick || peer.is_ours()
    }
}

/// Whether a name means this block: its own name, or the beginning of it.
fn is_of(block: &Block, name: &str) -> bool {
    !name.is_empty() && block.name.starts_with(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Options, String> {
        match Options::parse(Parser::from_args(arguments)) {
            Ok(Wanted::Run(options)) => Ok(options),
            Ok(Wanted::Help) => Err("help".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_workload_means_all_its_blocks_and_a_block_itself() {
        let options = parsed(&["--only", "W3,W4-64"]).unwrap();
        let wanted = BLOCKS.iter().filter(|block| options.wants(block));
        let wanted: Vec<_> = wanted.map(|block| block.name).collect();
        assert_eq!(wanted, ["W3s-1k", "W3s-10k", "W3s-100k", "W3t-100k", "W4-64"]);
        assert!(BLOCKS.iter().all(|block| parsed(&[]).unwrap().wants(block)));
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        assert_eq!(parsed(&["--only", "W9"]).unwrap_err(), "no workload `W9`");
        assert!(parsed(&["--slow"]).is_err());
    }
}
