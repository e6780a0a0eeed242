//! Formatting durations for people, and escaping names for XML and JSON.

use std::fmt::Write;
use std::time::Duration;

/// Units and their nanoseconds, the longest first.
pub(crate) const UNITS: [(&str, u128); 4] =
    [("s", 1_000_000_000), ("ms", 1_000_000), ("\u{b5}s", 1_000), ("ns", 1)];

/// Formats a duration in the unit that suits it, rounded to three significant digits if it has decimals.
pub(crate) fn short(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0 s".to_owned();
    }
    // 999.9 rounds to 1000, which belongs to the next unit.
    let rounded = (1..=4).rev().find_map(|back| {
        let (unit, size) = UNITS[4 - back];
        let decimals: u32 = match nanos / size {
            0..10 => 2,
            10..100 => 1,
            _ => 0,
        };
        let digits = 10_u128.pow(decimals);
        let scaled = (nanos * digits + size / 2) / size;
        (scaled >= digits).then(|| format!("{} {unit}", decimal(scaled, decimals)))
    });
    rounded.expect("the duration is at least a nanosecond")
}

/// Formats `scaled / 10^decimals`, without trailing zeros.
pub(crate) fn decimal(scaled: u128, decimals: u32) -> String {
    let digits = 10_u128.pow(decimals);
    let mut text = (scaled / digits).to_string();
    let rest = scaled % digits;
    if rest != 0 {
        let rest = format!("{rest:0width$}", width = decimals as usize);
        text.push('.');
        text.push_str(rest.trim_end_matches('0'));
    }
    text
}

/// Escapes a text for any place in XML.
pub(crate) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            // XML cannot represent these characters.
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Formats a JSON string, with its quotes.
pub(crate) fn json(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\0'..' ' => {
                let code = u32::from(letter);
                write!(quoted, "\\u{code:04x}").expect("writing to a string cannot fail");
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_digits_and_the_unit_that_suits_it() {
        let nanos = |nanos| short(Duration::from_nanos(nanos));
        assert_eq!(nanos(0), "0 s");
        assert_eq!(nanos(7), "7 ns");
        assert_eq!(nanos(1_234), "1.23 µs");
        assert_eq!(nanos(20_000_000), "20 ms");
        assert_eq!(nanos(127_600_000), "128 ms");
        assert_eq!(nanos(12_340_000), "12.3 ms");
        assert_eq!(nanos(3_600_000_000_000), "3600 s");
        assert_eq!(short(Duration::MAX), "18446744073709551616 s");
    }

    #[test]
    fn any_name_is_escaped_for_xml() {
        assert_eq!(xml("<a & \"b\">'\u{1}\n"), "&lt;a &amp; &quot;b&quot;&gt;&#39;\u{fffd} ");
    }

    #[test]
    fn any_name_is_escaped_for_json() {
        let name = "a\"b\\c\n\u{1}\u{7f}é😀";
        assert_eq!(serde_json::from_str::<String>(&json(name)).unwrap(), name);
    }
}
