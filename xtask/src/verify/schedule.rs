//! The schedules of the simulated runtime, in the syntax of `FORLOOP_SIM`.

use std::{fmt, str::FromStr};

/// How a simulated run makes its choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Pseudo-random choices from this seed.
    Seed(u64),
    /// The choices in this list, then always the first option.
    Choices(Vec<u32>),
}

/// The choices of a run: the chosen option and the number of options, for each.
pub type ChoiceLog = Vec<(u32, u32)>;

impl Schedule {
    /// First in, first out.
    pub const FIRST: Self = Self::Choices(Vec::new());
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = match self {
            Self::Seed(seed) => return write!(f, "seed={seed}"),
            Self::Choices(list) => list,
        };
        // Zeros at the end are the default.
        let kept = list.iter().rposition(|&choice| choice != 0).map_or(0, |last| last + 1);
        let alike = list[..kept].chunk_by(|a, b| a == b && *a == 0);
        // The simulated runtime parses the number of zeros as a `u16`.
        let parts = alike.flat_map(|run| run.chunks(usize::from(u16::MAX)));
        let texts: Vec<String> = parts
            .map(|part| match part {
                [choice] => choice.to_string(),
                zeros => format!("0x{}", zeros.len()),
            })
            .collect();
        write!(f, "choices={}", texts.join(","))
    }
}

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let read = match text.split_once('=') {
            Some(("seed", seed)) => seed.parse().ok().map(Self::Seed),
            Some(("choices", list)) => parse_choices(list).map(Self::Choices),
            _ => None,
        };
        read.ok_or(InvalidSchedule)
    }
}

fn parse_choices(list: &str) -> Option<Vec<u32>> {
    let mut choices = Vec::new();
    for part in list.split(',').filter(|_| !list.is_empty()) {
        match part.strip_prefix("0x") {
            Some(zeros) => choices.extend((0..zeros.parse::<u16>().ok()?).map(|_| 0)),
            None => choices.push(part.parse().ok()?),
        }
    }
    Some(choices)
}

/// The text is not a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSchedule;

/// Parses the file `FORLOOP_SIM_CHOICES` that a program wrote. Returns `None` if it is malformed.
///
/// A run may have 24,000 choices, and there are thousands of runs, so this makes one pass over the bytes.
pub(crate) fn parse_choice_log(text: &[u8]) -> Option<ChoiceLog> {
    let mut log = ChoiceLog::new();
    let (mut choice, mut number) = (None, None);
    // The separator after the last pair is optional.
    for &byte in text.iter().chain(b" ") {
        match byte {
            b'0'..=b'9' => {
                let digit = u32::from(byte - b'0');
                number = Some(match number {
                    Some(number) => u32::checked_mul(number, 10)?.checked_add(digit)?,
                    None => digit,
                });
            }
            b'/' if choice.is_none() => choice = Some(number.take()?),
            b' ' => match (choice.take(), number.take()) {
                (Some(choice), Some(options)) if choice < options => log.push((choice, options)),
                (None, None) => {}
                _ => return None,
            },
            _ => return None,
        }
    }
    Some(log)
}

/// Returns a hash of the choices, to count distinct schedules.
pub(crate) fn fingerprint(log: &[(u32, u32)]) -> u64 {
    // The multiplication of FxHash: a SipHash of 24,000 pairs takes longer than the run itself.
    log.iter().fold(0, |hash: u64, &(choice, options)| {
        let pair = u64::from(choice) << 32 | u64::from(options);
        (hash.rotate_left(5) ^ pair).wrapping_mul(0x517c_c1b7_2722_0a95)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formatted_schedule_is_parsed_again() {
        for text in ["seed=17", "choices=", "choices=1,0x3,2", "choices=0,1,1,0x2,3"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        assert_eq!(Schedule::FIRST.to_string(), "choices=");
    }

    #[test]
    fn zeros_at_the_end_are_omitted_and_long_runs_are_split() {
        assert_eq!(Schedule::Choices(vec![0, 2, 0, 0]).to_string(), "choices=0,2");
        let mut many = vec![0; 70_000];
        many.push(1);
        let many = Schedule::Choices(many);
        assert_eq!(many.to_string(), "choices=0x65535,0x4465,1");
        assert_eq!(many.to_string().parse(), Ok(many));
    }

    #[test]
    fn an_invalid_schedule_is_refused() {
        for wrong in
            ["", "17", "sed=1", "seed=", "seed=-1", "choices=a", "choices=1,,2", "choices=0x"]
        {
            assert_eq!(wrong.parse::<Schedule>(), Err(InvalidSchedule), "{wrong}");
        }
    }

    #[test]
    fn a_choice_log_is_parsed_and_anything_else_is_refused() {
        assert_eq!(parse_choice_log(b"0/3 1/2"), Some(vec![(0, 3), (1, 2)]));
        assert_eq!(parse_choice_log(b"10/24000 "), Some(vec![(10, 24_000)]));
        assert_eq!(parse_choice_log(b""), Some(Vec::new()));
        for wrong in
            ["1", "a/b", "2/2", "0/3 1", "0/3 1/", "/3", "0//3", "0/3/4", "0/3,1/2", "0/4294967296"]
        {
            assert_eq!(parse_choice_log(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn different_choices_have_different_fingerprints() {
        let lists: [&[(u32, u32)]; 6] =
            [&[], &[(0, 2)], &[(1, 2)], &[(0, 3)], &[(0, 2), (1, 2)], &[(1, 2), (0, 2)]];
        let mut seen: Vec<u64> = lists.map(fingerprint).to_vec();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), lists.len());
    }
}
