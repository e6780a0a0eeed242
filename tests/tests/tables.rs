//! The tables of the documentation name every option of the code, and no other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use forloop::option_table;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package is in the workspace").to_path_buf()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The methods of `Loop` that a text links to.
fn linked(text: &str) -> BTreeSet<&str> {
    let links = text.split("Loop::").skip(1);
    links.map(|link| &link[..link.find(|c: char| !is_of_a_name(c)).unwrap_or(link.len())]).collect()
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The options that are sorted into this row of the table of `Policy`, by what they add to the results.
fn options_that(add: &[&str]) -> BTreeSet<&'static str> {
    let options = option_table().iter().filter(|(_, adds)| add.contains(adds));
    options.map(|&(method, _)| method).collect()
}

#[test]
fn the_table_of_policies_says_what_each_option_does_to_the_results() {
    let text = read("crates/forloop-core/src/options/policy.rs");
    let rows: Vec<Vec<_>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("/// | "))
        .map(|row| row.split(" | ").map(|cell| cell.trim_end_matches(" |")).collect())
        .collect();
    let row = |output: &str, result: &str| {
        let row = rows.iter().find(|row| row[1].contains(output) && row[2].contains(result));
        linked(row.unwrap_or_else(|| panic!("no row gives `{output}` and `{result}`"))[0])
    };
    assert_eq!(row("Outcome<T>", "unchanged"), options_that(&["AddsOutcomes"]));
    assert_eq!(row("unchanged", "Interrupted"), options_that(&["AddsInterrupt", "AddsCondition"]),);
    assert_eq!(row("unchanged", "unchanged"), options_that(&["AddsRule"]));
}

#[test]
fn the_options_are_all_methods_of_loops() {
    for &(method, _) in option_table() {
        let text = read(format!("crates/forloop-core/src/options/{method}.rs"));
        let sets = [format!("pub fn {method}<"), format!("pub fn {method}(self")];
        assert!(
            sets.iter().any(|set| text.contains(set)),
            "{method}.rs has no method of that name"
        );
    }
}

#[test]
fn a_table_for_users_has_a_row_for_every_option() {
    let pages = ["README.md", "crates/forloop/src/lib.rs", "crates/forloop/src/guide/chooser.md"];
    let pages = pages.map(read);
    let rows: Vec<_> = pages.iter().flat_map(|page| page.lines()).filter(is_a_row).collect();
    for &(method, _) in option_table() {
        let names = [format!(".{method}("), format!("`{method}("), format!("[`{method}`]")];
        let is_named = rows.iter().any(|row| names.iter().any(|name| row.contains(name)));
        assert!(is_named, "neither the README nor the chooser nor the crate's page has `{method}`");
    }
}

fn is_a_row(line: &&str) -> bool {
    line.trim_start_matches("//!").trim_start().starts_with('|')
}

#[test]
fn every_hook_reaches_all_options_of_a_loop() {
    let text = read("crates/forloop-core/src/options/hooks.rs");
    let hooks: Vec<_> = text.split("\n    fn ").skip(1).collect();
    assert!(!hooks.is_empty());
    for hook in hooks {
        let name = &hook[..hook.find(|c: char| !is_of_a_name(c)).unwrap()];
        let wrapper = hook.split("    wrapper {").nth(1).expect("the macro demands it");
        for called in [format!("self.policy.{name}("), format!("self.option.{name}(")] {
            assert!(
                wrapper.contains(&called),
                "the wrapper of `{name}` does not call `{called}..)`"
            );
        }
    }
}
