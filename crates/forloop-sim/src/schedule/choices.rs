//! What was chosen in a run, as a list that repeats it.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// What was chosen at each point of a run where there was a choice, in order.
///
/// 0 is what comes first, first in, first out, and a list that is at its end goes on with 0: so the empty
/// list is the run without any luck. As text it is numbers with commas between them, and `0x30` for
/// thirty zeros in a row.
///
/// # Examples
///
/// ```
/// use forloop_sim::Choices;
///
/// let choices: Choices = "1,0x3,2".parse()?;
/// assert_eq!(choices.as_slice(), [1, 0, 0, 0, 2]);
/// assert_eq!(choices.to_string(), "1,0x3,2");
/// # Ok::<(), forloop_sim::NoChoices>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Choices {
    list: Vec<u32>,
}

impl Choices {
    /// What was chosen, without the zeros behind the last other choice.
    pub fn as_slice(&self) -> &[u32] {
        &self.list
    }
}

impl From<Vec<u32>> for Choices {
    fn from(mut list: Vec<u32>) -> Self {
        let kept = list.iter().rposition(|&choice| choice != 0).map_or(0, |last| last + 1);
        list.truncate(kept);
        Self { list }
    }
}

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.list.as_slice();
        let mut comma = "";
        while let Some(&first) = rest.first() {
            let zeros = rest.iter().take_while(|&&choice| choice == 0).count().min(MOST_ZEROS);
            f.write_str(comma)?;
            comma = ",";
            if 1 < zeros {
                write!(f, "0x{zeros}")?;
                rest = &rest[zeros..];
            } else {
                write!(f, "{first}")?;
                rest = &rest[1..];
            }
        }
        Ok(())
    }
}

/// As many zeros are written as one: a typing error must not take all memory.
const MOST_ZEROS: usize = 65_535;

impl FromStr for Choices {
    type Err = NoChoices;

    fn from_str(text: &str) -> Result<Self, NoChoices> {
        let mut list = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = |_| NoChoices { part: part.to_owned() };
            match part.strip_prefix("0x") {
                Some(zeros) => {
                    let zeros: usize = zeros.parse().map_err(wrong)?;
                    if zeros > MOST_ZEROS {
                        return Err(NoChoices { part: part.to_owned() });
                    }
                    list.resize(list.len() + zeros, 0);
                }
                None => list.push(part.parse().map_err(wrong)?),
            }
        }
        Ok(list.into())
    }
}

/// This is no list of [`Choices`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoChoices {
    part: String,
}

impl fmt::Display for NoChoices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no choice: numbers with commas between them, as in `0,2,0x3,1`",
            self.part
        )
    }
}

impl Error for NoChoices {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let long = [vec![0; 200_000], vec![1]].concat();
        for list in [vec![], vec![0, 0, 3], vec![1, 0, 2], vec![7], vec![0, 1, 0, 0, 0, 4], long] {
            let choices = Choices::from(list);
            assert_eq!(choices.to_string().parse(), Ok(choices));
        }
    }

    #[test]
    fn zeros_at_the_end_are_the_same_as_none() {
        assert_eq!(Choices::from(vec![1, 0, 0]), Choices::from(vec![1]));
        assert_eq!("0,0,0".parse(), Ok(Choices::default()));
    }

    #[test]
    fn what_is_no_choice_is_refused_by_name() {
        let error = "1,two,3".parse::<Choices>().unwrap_err();
        assert!(error.to_string().contains("`two`"), "{error}");
        assert!("-1".parse::<Choices>().is_err());
        assert!("0x".parse::<Choices>().is_err());
        assert!("0x99999999999,1".parse::<Choices>().is_err());
    }
}
