//! What is listed of the strategies is complete: the laws' table, and the tables for users.
//!
//! The truth is in `crates/forloop-core/src/strategy`: the methods of `Loop` that take the body. A test that fails says
//! which file has no line for which of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use forloop_conformance::strategies::STRATEGIES;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package is in the workspace").to_path_buf()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The methods of `Loop` that take the body, as the sources have them, each with its documentation.
fn documented() -> BTreeMap<String, String> {
    let mut strategies = BTreeMap::new();
    for entry in fs::read_dir(root().join("crates/forloop-core/src/strategy")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let text = read(path);
        // From the line that opens an `impl` to the one that closes it.
        for text in text.split("\nimpl").skip(1) {
            let text = text.split("\n}\n").next().unwrap();
            // An impl without items is on one line.
            let Some((header, methods)) = text.split_once("{\n") else { continue };
            if !header.contains(" Loop<") || header.contains(" for ") {
                continue;
            }
            let mut above = "";
            for method in methods.split("\n    pub fn ") {
                let signature = method.split("\n    }").next().unwrap();
                let signature = signature.split("where\n").next().unwrap();
                if signature.contains("body: ") {
                    let name = signature.split(['<', '(']).next().unwrap();
                    let docs = above.rsplit("\n    }\n").next().unwrap().to_owned();
                    let before = strategies.insert(name.to_owned(), docs);
                    assert!(before.is_none(), "`{name}` is there twice");
                }
                above = method;
            }
        }
    }
    assert!(
        18 <= strategies.len(),
        "only {strategies:?} were found: is their form still as expected?"
    );
    strategies
}

fn strategies() -> BTreeSet<String> {
    documented().into_keys().collect()
}

/// The strategies that the rows of tables in this text link to, or have in code, as `written` says.
fn in_rows(text: &str, written: fn(&str) -> Vec<String>) -> BTreeSet<String> {
    let rows = text.lines().map(|line| line.trim_start_matches(['/', '!', ' ']));
    let rows: Vec<_> = rows.filter(|line| line.starts_with('|')).collect();
    let is_there =
        |name: &String| written(name).iter().any(|form| rows.iter().any(|row| row.contains(form)));
    strategies().into_iter().filter(is_there).collect()
}

fn assert_complete(path: &str, found: &BTreeSet<String>) {
    let all = strategies();
    let missing: Vec<_> = all.difference(found).collect();
    assert!(missing.is_empty(), "{path} has no row for the strategies {missing:?}: add them");
}

#[test]
fn every_strategy_says_what_a_panic_and_a_drop_do_and_has_an_example() {
    for (name, docs) in documented() {
        for part in ["```", "# Panics", "# Cancel safety"] {
            let has_part = docs.lines().any(|line| line == format!("    /// {part}"));
            assert!(has_part, "`{name}` in crates/forloop-core/src/strategy has no `{part}`");
        }
    }
}

#[test]
fn the_laws_run_every_strategy() {
    let listed: BTreeSet<_> = STRATEGIES.iter().map(|strategy| strategy.name.to_owned()).collect();
    assert_eq!(listed.len(), STRATEGIES.len(), "a strategy is in the table twice");
    let all = strategies();
    let missing: Vec<_> = all.difference(&listed).collect();
    let path = "crates/forloop-conformance/src/strategies.rs";
    assert!(missing.is_empty(), "{path} has no entry for the strategies {missing:?}: add them");
}

#[test]
fn the_page_of_loop_has_a_row_for_every_strategy() {
    let path = "crates/forloop-core/src/looping.rs";
    let found = in_rows(&read(path), |name| vec![format!("(Loop::{name})")]);
    assert_complete(path, &found);
}

#[test]
fn the_table_of_the_facade_and_the_chooser_has_a_row_for_every_strategy() {
    let path = "crates/forloop/src/guide/strategies.md";
    let found = in_rows(&read(path), |name| vec![format!("(crate::Loop::{name})")]);
    assert_complete(path, &found);
    for (page, include) in [
        ("crates/forloop/src/lib.rs", "\n#![doc = include_str!(\"guide/strategies.md\")]\n"),
        ("crates/forloop/src/guide.rs", "\n    #[doc = include_str!(\"guide/strategies.md\")]\n"),
    ] {
        assert!(read(page).contains(include), "{page} does not include {path}");
    }
}

#[test]
fn the_readme_has_rows_for_the_strategies_that_most_loops_use() {
    let written = |name: &str| vec![format!("`.{name}(body)`")];
    let found = in_rows(&read("README.md"), written);
    assert!(10 <= found.len(), "{found:?}");
    // What it has besides are groups, tasks and options.
    let is_call = |code: &&str| code.starts_with('.') && code.ends_with("(body)");
    for code in read("README.md").split('`').skip(1).step_by(2).filter(is_call) {
        let name = &code[1..code.len() - "(body)".len()];
        assert!(found.contains(name), "README.md names the strategy `{name}`, which is not there");
    }
}
