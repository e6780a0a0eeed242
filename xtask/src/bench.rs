//! `cargo xtask bench`: builds the benchmarks in release mode and runs them.

use std::{
    env,
    ffi::OsString,
    process::{Command, ExitCode},
};

use crate::compile_time;

const PACKAGE: &str = "forloop-bench";

/// Passes the remaining arguments to the benchmarks and returns their exit code: 0 on success, 1 if
/// `--check` found a regression, 2 if the benchmarks could not run.
pub fn main(mut arguments: lexopt::Parser) -> ExitCode {
    let rest: Vec<OsString> = match arguments.raw_args() {
        Ok(rest) => rest.collect(),
        Err(error) => return refuse(&error.to_string()),
    };
    if rest.iter().any(|argument| argument == "--compile-time") {
        if rest.len() > 1 {
            return refuse("`--compile-time` takes no other option");
        }
        return match compile_time::run(cargo) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&error),
        };
    }
    if rest.first().is_some_and(|first| first == "--remote") {
        return remote(&rest[1..]);
    }
    // All programs of the package: the main one starts a second one, which counts allocations.
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--locked", "--package", PACKAGE, "--bins"]);
    if let Err(error) = run_build(build) {
        return refuse(&error);
    }
    let mut run = cargo();
    run.args(["run", "--quiet", "--release", "--locked", "--package", PACKAGE]);
    run.args(["--bin", PACKAGE, "--"]).args(rest);
    exit_code(run)
}

/// Measures bodies on workers, in a build with a client of Redis.
fn remote(rest: &[OsString]) -> ExitCode {
    let mut run = cargo();
    run.args(["run", "--quiet", "--release", "--locked", "--package", PACKAGE]);
    run.args(["--features", "remote", "--bin", "forloop-bench-remote", "--"]).args(rest);
    exit_code(run)
}

fn exit_code(mut run: Command) -> ExitCode {
    match run.status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2).into(),
        Err(error) => refuse(&error.to_string()),
    }
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn run_build(mut command: Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cannot build the benchmarks: {status}")),
        Err(error) => Err(format!("cannot build the benchmarks: {error}")),
    }
}

fn refuse(error: &str) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}
