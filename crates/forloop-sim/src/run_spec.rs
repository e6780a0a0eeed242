//! A run as text: `seed=42`, `choices=0,2,1`, `choices=1;drop=3`.

use std::fmt;
use std::str::FromStr;

use crate::Sim;
use crate::schedule::Choices;

/// The environment variable that says how to run: of a test that has failed, what it printed.
pub(crate) const VARIABLE: &str = "FORLOOP_SIM";

/// How to run, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunSpec {
    pub(crate) schedule: Scheduled,
    /// After how many polls the program is dropped, if it is.
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

    /// Where the choices that were made are not these: they were those of another program, or of this one
    /// before it was changed. The run took what was nearest.
    pub(crate) fn misfit(&self, chosen: &[(u32, u32)]) -> Option<String> {
        let Scheduled::Choices(choices) = &self.schedule else { return None };
        let choices = choices.as_slice();
        let differ = |(&said, &(chosen, _)): (&u32, &(u32, u32))| said != chosen;
        let why = match choices.iter().zip(chosen).position(differ) {
            Some(at) => {
                format!(
                    "choice {at} is {}, and there were {} to choose from",
                    choices[at], chosen[at].1
                )
            }
            // Dropped early, a program does not make all of them.
            None if choices.len() > chosen.len() && self.drop_after.is_none() => {
                format!("there are {}, and {} were made", choices.len(), chosen.len())
            }
            None => return None,
        };
        Some(format!("the choices do not fit this program: {why}"))
    }

    /// Says so, if there is something to say.
    pub(crate) fn warn_of_misfit(&self, chosen: &[(u32, u32)]) {
        if let Some(misfit) = self.misfit(chosen) {
            eprintln!("forloop-sim: {misfit}");
        }
    }

    /// What the environment says.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub(crate) fn from_env() -> Option<Self> {
        let text = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty())?;
        match text.parse() {
            Ok(run_spec) => Some(run_spec),
            Err(error) => panic!("{VARIABLE} cannot be read: {error}"),
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
            let number = || value.parse().map_err(|_| format!("`{value}` is no number"));
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
    fn choices_that_do_not_fit_are_told_from_those_that_do() {
        let misfit =
            |text: &str, chosen: &[(u32, u32)]| text.parse::<RunSpec>().unwrap().misfit(chosen);
        let chosen = [(0, 2), (2, 3)];
        for fits in ["choices=0,2", "choices=0", "choices=", "choices=0,2,1;drop=1", "seed=7"] {
            assert_eq!(misfit(fits, &chosen), None, "{fits}");
        }
        assert_eq!(
            misfit("choices=0,5", &chosen).unwrap(),
            "the choices do not fit this program: choice 1 is 5, and there were 3 to choose from"
        );
        assert_eq!(
            misfit("choices=0,2,1", &chosen).unwrap(),
            "the choices do not fit this program: there are 3, and 2 were made"
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["seed=42", "choices=0,2,0x3,1", "choices=;drop=3", "seed=1;drop=0"] {
            assert_eq!(text.parse::<RunSpec>().unwrap().to_string(), text);
        }
        for wrong in ["seed=x", "sed=1", "choices=a", "drop=-1"] {
            assert!(wrong.parse::<RunSpec>().is_err(), "{wrong}");
        }
    }
}
