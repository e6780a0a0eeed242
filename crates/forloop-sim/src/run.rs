//! Running a program's `main` in a simulation.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fmt, fs, io};

use forloop_core::BlockOn;

use crate::run_spec::{RunSpec, VARIABLE};
use crate::runtime::Sim;

/// The environment variable that names the file to which the choices of a run are written.
const CHOICES: &str = "FORLOOP_SIM_CHOICES";

/// How long the simulation waits for a thread of the program to wake a task before it reports a deadlock.
const DEADLOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a program's `main` in a simulation, and returns its output.
///
/// Two environment variables control the run. `FORLOOP_SIM` selects the schedule: `seed=42` for a random
/// one, or `choices=1,0x3,2` to repeat one. If it is empty or not set, tasks run in the order in which they
/// were woken. `FORLOOP_SIM_CHOICES` names a file to which the choices are written, each as
/// `choice/options`, separated by spaces. To run every schedule, start with an empty list, and increase the
/// last choice that can be increased.
///
/// # Errors
///
/// Returns [`RunError`] if a variable cannot be used. The program has not started then, unless the error is
/// that the choices could not be written.
///
/// # Panics
///
/// Panics on a deadlock, see [`Sim`]: no task can run, no timer is set, and no thread of the program has
/// woken a task for ten seconds.
pub fn run<F: Future>(program: impl FnOnce(Sim) -> F) -> Result<F::Output, RunError> {
    let value = env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let run_spec = match value.map(|value| value.to_string_lossy().parse::<RunSpec>()) {
        None => None,
        Some(Ok(run_spec)) if run_spec.drop_after.is_none() => Some(run_spec),
        Some(Ok(_)) => {
            return Err(RunError::Schedule("a whole program cannot be dropped".to_owned()));
        }
        Some(Err(why)) => return Err(RunError::Schedule(why)),
    };
    let sim = run_spec.as_ref().map_or_else(|| Sim::replay(Default::default()), RunSpec::sim);
    let sim = sim.with_deadlock_timeout(DEADLOCK_TIMEOUT);
    let output = sim.block_on(async { program(sim.clone()).await });
    sim.settle();
    if let Some(run_spec) = run_spec {
        run_spec.warn_of_mismatch(&sim.world().chosen());
    }
    if let Some(path) = env::var_os(CHOICES).filter(|path| !path.is_empty()).map(PathBuf::from) {
        fs::write(path, as_text(&sim.world().chosen())).map_err(RunError::Choices)?;
    }
    sim.drop_tasks();
    Ok(output)
}

/// Each choice as `choice/options`, separated by spaces.
fn as_text(chosen: &[(u32, u32)]) -> Vec<u8> {
    let mut text = Vec::with_capacity(4 * chosen.len());
    for (at, &(choice, options)) in chosen.iter().enumerate() {
        if at != 0 {
            text.push(b' ');
        }
        push_number(&mut text, choice);
        text.push(b'/');
        push_number(&mut text, options);
    }
    text
}

/// A run may have 24,000 choices, most of one digit, for which `format!` takes an eighth of the run.
fn push_number(text: &mut Vec<u8>, number: u32) {
    if 10 <= number {
        push_number(text, number / 10);
    }
    text.push(b'0' + (number % 10) as u8);
}

/// A program could not be run in simulation as the environment asks for.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// `FORLOOP_SIM` cannot be parsed; the string is the reason.
    Schedule(String),
    /// The file named by `FORLOOP_SIM_CHOICES` cannot be written.
    Choices(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schedule(why) => write!(
                f,
                "cannot parse {VARIABLE}: {why}; use `seed=42` or `choices=1,0x3,2`, or leave it unset"
            ),
            Self::Choices(error) => {
                write!(f, "cannot write the file named by {CHOICES}")?;
                if f.alternate() { write!(f, ": {error}") } else { Ok(()) }
            }
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Schedule(_) => None,
            Self::Choices(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_written_as_pairs_with_spaces_between() {
        assert_eq!(as_text(&[(0, 2), (10, 99), (7, 100)]), b"0/2 10/99 7/100");
        assert_eq!(as_text(&[(u32::MAX - 1, u32::MAX)]), b"4294967294/4294967295");
        assert_eq!(as_text(&[]), b"");
    }
}
