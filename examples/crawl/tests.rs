//! What `crawl` does, seen from outside.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn crawl(arguments: &[&str], list: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crawl"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(list.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn of_two_thousand_pages_each_ends_as_it_must_and_nothing_is_left_of_them() {
    let output = crawl(&["--soak", "2000", "--timeout", "3"], "");
    let (told, summary) = (text(&output.stderr), text(&output.stdout));
    assert!(output.status.success(), "{told}\n{summary}");
    assert!(summary.contains("pages                2000\n"), "{summary}");
}

#[test]
fn what_cannot_be_fetched_is_named_with_its_index_and_the_others_go_on() {
    let list =
        "# a list\n\nhttp://127.0.0.1:1/\nnonsense\n  https://127.0.0.1/ \nhttp://127.0.0.1:1/b\n";
    let output = crawl(&["-", "--retries", "0"], list);
    assert!(output.status.success());
    let told: Vec<_> = text(&output.stderr).lines().collect();
    let begins = [
        "0: http://127.0.0.1:1/: no connection: ",
        "1: nonsense: not a URL",
        "2: https://127.0.0.1/: `https` is not spoken here",
        "3: http://127.0.0.1:1/b: no connection: ",
    ];
    assert_eq!(told.len(), begins.len(), "{told:?}");
    assert!(told.iter().zip(begins).all(|(line, begin)| line.starts_with(begin)), "{told:?}");
    let summary = text(&output.stdout);
    assert!(
        summary.contains("  no URL                2\n  no connection         2\n"),
        "{summary}"
    );
}

#[test]
fn a_body_that_panics_is_the_end_of_its_page_alone() {
    let output = crawl(&["--count", "100", "--mix", "", "--panic"], "");
    assert!(output.status.success());
    let summary = text(&output.stdout);
    assert!(
        summary.contains("  fetched              99\n  panicked              1\n"),
        "{summary}"
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_fetched() {
    for (bad, why) in [
        (&["--mix", "resett=5"][..], "there are missing, error, flaky"),
        (&["--mix", "reset=99,slow=2"], "101 percent"),
        (&["--timeout", "0"], "above zero"),
        (&["list.txt", "--soak", "10"], "not for its own site"),
        (&["--limit", "none"], "none"),
    ] {
        let output = crawl(bad, "");
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
    // These are found out by the loop and by the operating system.
    for bad in [["--limit", "0"], ["--timeout=1", "no such list"]] {
        let output = crawl(&bad, "");
        assert_eq!(output.status.code(), Some(1), "{bad:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}
