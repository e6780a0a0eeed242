//! Formats the output of a program, or the differences between two outputs.

use std::{fmt::Write, time::Duration};

use similar::{ChangeTag, TextDiff};

/// The maximum number of lines that are shown.
const MAX_LINES: usize = 100;

/// Returns the unified diff of two outputs. It is not empty if they differ.
pub(crate) fn unified(old: (&str, &[u8]), new: (&str, &[u8])) -> String {
    let (before, after) = (lines(old.1), lines(new.1));
    let diff = TextDiff::configure()
        // On time-out `similar` returns a valid diff that is not minimal.
        .timeout(Duration::from_secs(5))
        .diff_slices(&before, &after);
    let mut shown = vec![format!("--- {}", old.0), format!("+++ {}", new.0)];
    for hunk in diff.unified_diff().iter_hunks() {
        shown.push(hunk.header().to_string());
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let (line, has_newline) = match change.value().strip_suffix(b"\n") {
                Some(line) => (line, true),
                None => (change.value(), false),
            };
            shown.push(format!("{sign}{}", printable(line)));
            if !has_newline {
                shown.push("\\ no newline at end of output".to_owned());
            }
        }
    }
    truncate(shown)
}

/// Quotes an output, with a margin that separates it from the report.
pub(crate) fn quoted(output: &[u8]) -> String {
    let line =
        |line: &&[u8]| format!("  | {}", printable(line.strip_suffix(b"\n").unwrap_or(line)));
    truncate(lines(output).iter().map(line).collect())
}

fn lines(output: &[u8]) -> Vec<&[u8]> {
    output.split_inclusive(|&byte| byte == b'\n').collect()
}

fn truncate(mut lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(MAX_LINES);
    if more > 0 {
        lines.truncate(MAX_LINES);
        lines.push(format!("  ... and {more} more lines"));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Escapes control characters and bytes that are not UTF-8.
fn printable(line: &[u8]) -> String {
    let mut text = String::new();
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => text.push(c),
                c if c.is_control() => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: &[u8], new: &[u8]) -> String {
        unified(("a", old), ("b", new))
    }

    #[test]
    fn a_changed_line_is_shown_between_its_neighbours() {
        let shown = diff(b"1\n2\n3\n", b"1\nx\n3\n");
        assert_eq!(shown, "--- a\n+++ b\n@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n");
    }

    #[test]
    fn a_missing_final_newline_is_shown() {
        let shown = diff(b"1\n", b"1");
        assert_eq!(shown, "--- a\n+++ b\n@@ -1 +1 @@\n-1\n+1\n\\ no newline at end of output\n");
    }

    #[test]
    fn bytes_that_are_not_text_are_shown() {
        let shown = diff(b"\xff\x1b[2Jz\n", b"\xfe\r\n");
        assert!(shown.contains("-\\xff\\u{1b}[2Jz\n+\\xfe\\r\n"), "{shown}");
    }

    #[test]
    fn a_diff_is_not_empty_if_the_difference_is_invisible() {
        let shown = diff(b"\xff\n", b"\\xff\n");
        assert!(shown.contains("-\\xff\n+\\xff\n"), "{shown}");
    }

    #[test]
    fn a_long_output_is_truncated() {
        let shown = quoted(&b"again\n".repeat(1000));
        assert_eq!(shown.lines().count(), MAX_LINES + 1);
        assert!(shown.ends_with("  ... and 900 more lines\n"));
    }
}
