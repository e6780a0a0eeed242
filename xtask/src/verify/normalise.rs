//! Normalises an output: lines that may appear in any order are sorted.

/// For each prefix, sorts every maximal run of consecutive lines that start with it.
///
/// The bytes stay the same, and so does the final newline or its absence.
pub fn normalise(output: &[u8], any_order: &[String]) -> Vec<u8> {
    if any_order.is_empty() || output.is_empty() {
        return output.to_vec();
    }
    // Newlines are removed first: otherwise the last line, which may have none, would be moved without one.
    let body = output.strip_suffix(b"\n");
    let mut lines: Vec<&[u8]> = body.unwrap_or(output).split(|&byte| byte == b'\n').collect();
    for prefix in any_order {
        let begins = |line: &&[u8]| line.starts_with(prefix.as_bytes());
        lines.chunk_by_mut(|a, b| begins(a) && begins(b)).for_each(<[&[u8]]>::sort_unstable);
    }
    let mut normal = lines.join(&b'\n');
    if body.is_some() {
        normal.push(b'\n');
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(output: &str, any_order: &[&str]) -> String {
        let any_order: Vec<String> = any_order.iter().map(|&prefix| prefix.to_owned()).collect();
        String::from_utf8(normalise(output.as_bytes(), &any_order)).unwrap()
    }

    #[test]
    fn without_a_prefix_nothing_is_sorted() {
        for output in ["", "\n", "b\na", "b\na\n", "b\r\na\n\n"] {
            assert_eq!(normal(output, &[]), output);
        }
    }

    #[test]
    fn lines_are_sorted_within_one_run() {
        let output = "z\n>c\n>a\nm\n>b\n>a\na\n";
        assert_eq!(normal(output, &[">"]), "z\n>a\n>c\nm\n>a\n>b\na\n");
    }

    #[test]
    fn each_prefix_has_runs_of_its_own() {
        assert_eq!(normal("b2\nb1\na2\na1\nb0\n", &["a", "b"]), "b1\nb2\na1\na2\nb0\n");
    }

    #[test]
    fn a_missing_final_newline_stays_missing() {
        assert_eq!(normal(">b\n>a", &[">"]), ">a\n>b");
        assert_eq!(normal(">b\n>a\n", &[">"]), ">a\n>b\n");
        assert_eq!(normal(">b\n>a\n\n", &[">"]), ">a\n>b\n\n");
    }

    #[test]
    fn lines_that_only_contain_the_prefix_are_not_sorted() {
        assert_eq!(normal(" >b\n >a\n", &[">"]), " >b\n >a\n");
    }

    #[test]
    fn lines_that_are_not_utf_8_are_sorted() {
        assert_eq!(normalise(b">\xff\n>\xfe\n", &[">".to_owned()]), b">\xfe\n>\xff\n");
    }

    #[test]
    fn normalising_again_changes_nothing() {
        let once = normal(">b\n>a\nx\n>c\n>0", &[">", ">a"]);
        assert_eq!(normal(&once, &[">", ">a"]), once);
    }
}
