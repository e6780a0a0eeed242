//! The choices of a run, as a list that repeats it.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// The choices that a run made, in order.
///
/// 0 is the first option in first-in, first-out order. Behind the end of the list every choice is 0, so the
/// empty list is the first-in, first-out schedule. The text form is numbers separated by commas, with
/// `0x30` for thirty zeros in a row.
///
/// # Examples
///
/// ```
/// use forloop_sim::Choices;
///
/// let choices: Choices = "1,0x3,2".parse()?;
/// assert_eq!(choices.as_slice(), [1, 0, 0, 0, 2]);
/// assert_eq!(choices.to_string(), "1,0x3,2");
/// # Ok::<(), forloop_sim::ParseChoicesError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Choices {
    list: Vec<u32>,
}

impl Choices {
    /// Returns the choices without trailing zeros.
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
            let zeros = rest.iter().take_while(|&&choice| choice == 0).count().min(MAX_ZEROS);
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

/// The longest run of zeros in one part of the text: a typing error must not exhaust the memory.
const MAX_ZEROS: usize = 65_535;

impl FromStr for Choices {
    type Err = ParseChoicesError;

    fn from_str(text: &str) -> Result<Self, ParseChoicesError> {
        let mut list = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = |_| ParseChoicesError { part: part.to_owned() };
            match part.strip_prefix("0x") {
                Some(zeros) => {
                    let zeros: usize = zeros.parse().map_err(wrong)?;
                    if zeros > MAX_ZEROS {
                        return Err(ParseChoicesError { part: part.to_owned() });
                    }
                    list.resize(list.len() + zeros, 0);
                }
                None => list.push(part.parse().map_err(wrong)?),
            }
        }
        Ok(list.into())
    }
}

/// The error of parsing a text that is not a list of [`Choices`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseChoicesError {
    part: String,
}

impl fmt::Display for ParseChoicesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a choice: expected numbers separated by commas, as in `0,2,0x3,1`",
            self.part
        )
    }
}

impl Error for ParseChoicesError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_display_of_a_list_parses_to_the_same_list() {
        let long = [vec![0; 200_000], vec![1]].concat();
        for list in [vec![], vec![0, 0, 3], vec![1, 0, 2], vec![7], vec![0, 1, 0, 0, 0, 4], long] {
            let choices = Choices::from(list);
            assert_eq!(choices.to_string().parse(), Ok(choices));
        }
    }

    #[test]
    fn trailing_zeros_are_ignored() {
        assert_eq!(Choices::from(vec![1, 0, 0]), Choices::from(vec![1]));
        assert_eq!("0,0,0".parse(), Ok(Choices::default()));
    }

    #[test]
    fn an_invalid_choice_is_refused_by_name() {
        let error = "1,two,3".parse::<Choices>().unwrap_err();
        assert!(error.to_string().contains("`two`"), "{error}");
        assert!("-1".parse::<Choices>().is_err());
        assert!("0x".parse::<Choices>().is_err());
        assert!("0x99999999999,1".parse::<Choices>().is_err());
    }
}
