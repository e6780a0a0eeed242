//! The text that selects a run: `seed=42`, `choices=0,2,1`, `choices=1;drop=3`.

use std::fmt;
use std::str::FromStr;

use crate::runtime::Sim;
use crate::schedule::Choices;

/// The environment variable that selects a run; the report of a failure prints its value.
pub(crate) const VARIABLE: &str = "FORLOOP_SIM";

/// Describes one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunSpec {
    pub(crate) schedule: Scheduled,
    /// The number of polls after which the program is dropped, if it is.
    pub(crate) drop_after: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scheduled {
    Seed(u64),
    Choices(Choices),
}

impl RunSpec {
    pub(crate) fn sim(&self) -> Sim {
        match &self.schedule {
            Scheduled::Seed(seed) => Sim::random(*seed),
            Scheduled::Choices(choices) => Sim::replay(choices.clone()),
        }
    }

    /// Explains how the choices differ from those that the run made. They then belong to another program,
    /// or to an earlier version of this one, and the run took the nearest options.
    pub(crate) fn mismatch(&self, chosen: &[(u32, u32)]) -> Option<String> {
        let Scheduled::Choices(choices) = &self.schedule else { return None };
        let choices = choices.as_slice();
        let differ = |(&given, &(chosen, _)): (&u32, &(u32, u32))| given != chosen;
        let why = match choices.iter().zip(chosen).position(differ) {
            Some(at) => {
                format!(
                    "choice {at} is {}, but the run had {} options there",
                    choices[at], chosen[at].1
                )
            }
            // A program that is dropped early makes only some of the choices.
            None if choices.len() > chosen.len() && self.drop_after.is_none() => {
                format!("the list has {}, but the run made {}", choices.len(), chosen.len())
            }
            None => return None,
        };
        Some(format!("the choices do not fit this program: {why}"))
    }

    /// Prints a warning to stderr if the choices do not fit the run.
    pub(crate) fn warn_of_mismatch(&self, chosen: &[(u32, u32)]) {
        if let Some(mismatch) = self.mismatch(chosen) {
            eprintln!("forloop-sim: {mismatch}");
        }
    }

    /// Reads the run from the environment.
    ///
    /// # Panics
    ///
    /// Panics if the variable cannot be parsed.
    pub(crate) fn from_env() -> Option<Self> {
        let text = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty())?;
        match text.parse() {
            Ok(run_spec) => Some(run_spec),
            Err(error) => panic!("cannot parse {VARIABLE}: {error}"),
        }
    }
}

impl fmt::Display for RunSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schedule {
            Scheduled::Seed(seed) => write!(f, "seed={seed}")?,
            Scheduled::Choices(choices) => write!(f, "choices={choices}")?,
        }
        self.drop_after.map_or(Ok(()), |polls| write!(f, ";drop={polls}"))
    }
}

impl FromStr for RunSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut run_spec =
            Self { schedule: Scheduled::Choices(Choices::default()), drop_after: None };
        for part in text.split(';') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let number = || value.parse().map_err(|_| format!("`{value}` is not a number"));
            match name.trim() {
                "seed" => run_spec.schedule = Scheduled::Seed(number()?),
                "choices" => {
                    let choices = value.parse().map_err(|error| format!("{error}"))?;
                    run_spec.schedule = Scheduled::Choices(choices);
                }
                "drop" => run_spec.drop_after = Some(number()?),
                other => {
                    return Err(format!("`{other}` is not one of `seed=`, `choices=`, `drop=`"));
                }
            }
        }
        Ok(run_spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_that_do_not_fit_the_program_are_detected() {
        let mismatch =
            |text: &str, chosen: &[(u32, u32)]| text.parse::<RunSpec>().unwrap().mismatch(chosen);
        let chosen = [(0, 2), (2, 3)];
        for fits in ["choices=0,2", "choices=0", "choices=", "choices=0,2,1;drop=1", "seed=7"] {
            assert_eq!(mismatch(fits, &chosen), None, "{fits}");
        }
        assert_eq!(
            mismatch("choices=0,5", &chosen).unwrap(),
            "the choices do not fit this program: choice 1 is 5, but the run had 3 options there"
        );
        assert_eq!(
            mismatch("choices=0,2,1", &chosen).unwrap(),
            "the choices do not fit this program: the list has 3, but the run made 2"
        );
    }

    #[test]
    fn the_display_of_a_run_parses_to_the_same_run() {
        for text in ["seed=42", "choices=0,2,0x3,1", "choices=;drop=3", "seed=1;drop=0"] {
            assert_eq!(text.parse::<RunSpec>().unwrap().to_string(), text);
        }
        for wrong in ["seed=x", "sed=1", "choices=a", "drop=-1"] {
            assert!(wrong.parse::<RunSpec>().is_err(), "{wrong}");
        }
    }
}
