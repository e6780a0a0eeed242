//! The tables and hooks of the options are complete.

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

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[test]
fn the_options_are_all_methods_of_loops() {
    for method in option_table() {
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
    for method in option_table() {
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
