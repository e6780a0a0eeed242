//! `cargo xtask bench --compile-time`: what a program with a loop takes to compile, beside one with `buffered`.
//!
//! The programs are the examples of `forloop-bench`, each complete by itself as a user's would be. Their dependencies are
//! built first. Then each program is compiled several times, in turn with the others, and its figure is the lowest user
//! time of cargo, compiler and linker. Times depend on the machine, so the ratio to `buffered` is what counts, and nothing
//! is asserted.

use std::{fs, process::Command};

/// The examples, without the prefix `compile-`. The others are compared with the first.
const PROGRAMS: [&str; 8] = [
    "buffered",
    "gather",
    "gather-twice",
    "settle-with-timeout",
    "settle-with-retry",
    "reference-job",
    "spawned",
    "on-workers",
];

const ROUNDS: usize = 3;

const SELECTION: [&str; 6] =
    ["--release", "--locked", "--package", "forloop-bench", "--features", "compile-time"];

/// Measures every program with the `cargo` that it is given, and prints a table.
///
/// # Errors
///
/// If a program does not compile, or the system does not say what child processes have used.
pub(crate) fn run(cargo: fn() -> Command) -> Result<(), String> {
    user_seconds_of_children()?;
    let mut dependencies = cargo();
    dependencies.args(["build", "--quiet", "--examples"]).args(SELECTION);
    succeed(dependencies)?;
    let mut least = [f64::INFINITY; PROGRAMS.len()];
    for round in 0..ROUNDS {
        for (program, least) in PROGRAMS.iter().zip(&mut least) {
            *least = least.min(compile(cargo(), program, round)?);
        }
    }
    println!("release build of the program alone, its dependencies are built: lowest of {ROUNDS}");
    println!("{:<22}{:>14}{:>14}", "program", "user seconds", "to buffered");
    for (program, seconds) in PROGRAMS.iter().zip(least) {
        println!("{program:<22}{seconds:>14.2}{:>14.2}", seconds / least[0]);
    }
    Ok(())
}

/// Compiles a program, and returns the user time in seconds.
fn compile(mut command: Command, program: &str, round: usize) -> Result<f64, String> {
    command.args(["rustc", "--quiet"]).args(SELECTION);
    // Another argument for the compiler makes cargo compile what it has compiled before.
    let again = format!("compile_round=\"{round}-{}\"", std::process::id());
    command.arg(format!("--example=compile-{program}")).args(["--", "--cfg", &again]);
    let before = user_seconds_of_children()?;
    succeed(command)?;
    Ok(user_seconds_of_children()? - before)
}

fn succeed(mut command: Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// The user time of all child processes that have exited, with theirs.
fn user_seconds_of_children() -> Result<f64, String> {
    let path = "/proc/self/stat";
    let stat = fs::read_to_string(path).map_err(|error| {
        format!("compile times: not measured: {path} has them on Linux only: {error}")
    })?;
    children_user_seconds(&stat).ok_or_else(|| format!("{path} has an unknown form: {stat}"))
}

/// Reads the field `cutime`: see proc_pid_stat(5).
fn children_user_seconds(stat: &str) -> Option<f64> {
    // The second field is the name of the program in parentheses, and may contain spaces. The next one is the third.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: f64 = fields.split(' ').nth(16 - 3)?.parse().ok()?;
    // The kernel shows times to programs in hundredths of a second on every architecture that Rust supports.
    Some(ticks / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_time_of_children_is_the_sixteenth_field() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 2 3 4 11 12 250 14 20 0 1 0 5 6 7\n";
        assert_eq!(children_user_seconds(stat), Some(2.5));
        assert_eq!(children_user_seconds("7 (a) S 1"), None);
    }

    #[test]
    fn every_program_is_an_example_of_the_benchmarks() {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/forloop-bench/Cargo.toml");
        let manifest = fs::read_to_string(manifest).unwrap();
        let examples: Vec<_> = manifest
            .lines()
            .filter_map(|line| line.strip_prefix("name = \"compile-")?.strip_suffix('"'))
            .collect();
        assert_eq!(examples, PROGRAMS);
    }
}
