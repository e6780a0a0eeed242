//! `cargo xtask`: hands the command line to the command it names.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use lexopt::{Arg, Parser};

const COMMANDS: &str = "\
usage: cargo xtask <command>

commands:
  verify    run every example on every backend and compare what they print
  hosts     build and run the programs in examples/hosts, each inside a host of its own
  bench     measure what a loop costs, beside its peers
  compare   crawl a thousand pages with loops written in several ways, side by side

`cargo xtask <command> --help` says more.
";

fn main() -> ExitCode {
    let mut arguments = Parser::from_env();
    match arguments.next() {
        Ok(Some(Arg::Value(name))) if name == "verify" => xtask::verify::main(arguments),
        Ok(Some(Arg::Value(name))) if name == "hosts" => xtask::hosts::main(arguments),
        Ok(Some(Arg::Value(name))) if name == "bench" => xtask::bench::main(arguments),
        Ok(Some(Arg::Value(name))) if name == "compare" => xtask::compare::main(arguments),
        Ok(Some(Arg::Long("help") | Arg::Short('h'))) => {
            print!("{COMMANDS}");
            ExitCode::SUCCESS
        }
        Ok(Some(Arg::Value(name))) => refuse(&format!("no command `{}`", name.display())),
        Ok(Some(other)) => refuse(&other.unexpected().to_string()),
        Ok(None) => refuse("which command?"),
        Err(error) => refuse(&error.to_string()),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprint!("error: {why}\n\n{COMMANDS}");
    ExitCode::from(2)
}
