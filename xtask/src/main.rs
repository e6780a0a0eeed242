//! `cargo xtask`: dispatches to the command that the first argument names.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use lexopt::{Arg, Parser};

const COMMANDS: &str = "\
usage: cargo xtask <command>

commands:
  verify    run every example on every backend and compare the outputs
  hosts     build and run the programs in examples/hosts
  bench     run the benchmarks of forloop and its peers
  compare   run the crawl with several libraries and print a table

Run `cargo xtask <command> --help` for the options of a command.
";

fn main() -> ExitCode {
    let mut arguments = Parser::from_env();
    match arguments.next() {
        Ok(Some(Arg::Value(name))) if name == "verify" => xtask::verify::main(arguments),
        Ok(Some(Arg::Value(name))) if name == xtask::verify::remote::COMMAND => {
            xtask::verify::remote::main(arguments)
        }
        Ok(Some(Arg::Value(name))) if name == "hosts" => xtask::hosts::main(arguments),
        Ok(Some(Arg::Value(name))) if name == "bench" => xtask::bench::main(arguments),
        Ok(Some(Arg::Value(name))) if name == "compare" => xtask::compare::main(arguments),
        Ok(Some(Arg::Long("help") | Arg::Short('h'))) => {
            print!("{COMMANDS}");
            ExitCode::SUCCESS
        }
        Ok(Some(Arg::Value(name))) => refuse(&format!("unknown command `{}`", name.display())),
        Ok(Some(other)) => refuse(&other.unexpected().to_string()),
        Ok(None) => refuse("missing command"),
        Err(error) => refuse(&error.to_string()),
    }
}

fn refuse(error: &str) -> ExitCode {
    eprint!("error: {error}\n\n{COMMANDS}");
    ExitCode::from(2)
}
