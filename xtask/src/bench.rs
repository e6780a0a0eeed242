//! `cargo xtask bench`: builds the benchmarks as users build programs, and runs them.

use std::{
    env,
    ffi::OsString,
    process::{Command, ExitCode},
};

const PACKAGE: &str = "forloop-bench";

/// Hands the rest of the command line to the benchmarks, and their exit code back: 0 measured, and
/// with `--check` nothing is worse; 1 something is; 2 could not measure.
pub fn main(mut arguments: lexopt::Parser) -> ExitCode {
    let rest: Vec<OsString> = match arguments.raw_args() {
        Ok(rest) => rest.collect(),
        Err(error) => return refuse(&error.to_string()),
    };
    // All programs of the package: the one that is run starts the other, which counts allocations.
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--locked", "--package", PACKAGE, "--bins"]);
    if let Err(why) = succeed(build) {
        return refuse(&why);
    }
    let mut run = cargo();
    run.args(["run", "--quiet", "--release", "--locked", "--package", PACKAGE]);
    run.args(["--bin", PACKAGE, "--"]).args(rest);
    match run.status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2).into(),
        Err(error) => refuse(&error.to_string()),
    }
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn succeed(mut command: Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the benchmarks could not be built: {status}")),
        Err(error) => Err(format!("the benchmarks could not be built: {error}")),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(2)
}
