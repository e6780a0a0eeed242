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
    for page in
        ["README.md", "crates/forloop/src/lib.rs", "crates/forloop-core/src/looping.rs", CHOOSER]
    {
        let text = read(page);
        let rows: Vec<_> = text.lines().filter(is_a_row).collect();
        for method in option_table() {
            let names = [format!(".{method}("), format!("`{method}("), format!("[`{method}`]")];
            let is_named = rows.iter().any(|row| names.iter().any(|name| row.contains(name)));
            assert!(is_named, "no table of {page} has `{method}`");
        }
    }
}

/// The page of the guide that has every option by what it is for.
const CHOOSER: &str = "crates/forloop/src/guide/chooser.md";

fn is_a_row(line: &&str) -> bool {
    line.trim_start_matches(['/', '!']).trim_start().starts_with('|')
}

#[test]
fn the_page_of_on_workers_names_every_option() {
    let list = read("crates/forloop-core/src/options/mod.rs");
    let list = list.split_once("\noptions! {").unwrap().1;
    let page = read("crates/forloop-core/src/builder.rs");
    let (_, table) = page.split_once("| option | on workers |").expect("the page of `on_workers`");
    let (table, _) = table.split_once("    ///\n").expect("an empty line after the table");
    for method in option_table() {
        let link = format!("[`{method}`](Self::{method})");
        let group = list.split(&format!("        {method}: ")).next().unwrap();
        let group = group.rsplit(" as ").next().unwrap().split(' ').next().unwrap();
        let is_named = table.contains(&link) || table.contains(&format!("{group}!()"));
        assert!(is_named, "the page of `on_workers` has no row for `{method}`");
    }
}

#[test]
fn every_option_is_among_those_whose_loops_are_send() {
    let text = read("tests/tests/auto_traits/options.rs");
    let test = text.split_once("fn loops_with_every_option_over_borrowed_items_are_send").unwrap();
    for method in option_table() {
        assert!(test.1.contains(&format!(".{method}(")), "the test of `Send` has no `{method}`");
    }
}

/// The hooks that the driver calls in a loop without an admission queue, too.
const HOOKS_OF_EVERY_LOOP: [&str; 4] =
    ["poll_interrupt", "on_start", "for_worker", "poll_timed_out"];

#[test]
fn an_option_is_in_the_group_that_its_hooks_need() {
    let list = read("crates/forloop-core/src/options/mod.rs");
    let list = list.split_once("\noptions! {").unwrap().1;
    for method in option_table() {
        let group = list.split(&format!("        {method}: ")).next().unwrap();
        let group = group.rsplit("    Adds").next().unwrap().split(' ').next().unwrap();
        let text = read(format!("crates/forloop-core/src/options/{method}.rs"));
        let has_queue = ["Rule", "Condition"].contains(&group);
        let may_stop = ["Interrupt", "Condition"].contains(&group);
        for (hook, _) in hooks() {
            if text.contains(&format!("    fn {hook}(")) {
                let is_called = has_queue || HOOKS_OF_EVERY_LOOP.contains(&hook.as_str());
                assert!(is_called, "`{method}` is in `Adds{group}`, so nothing calls its `{hook}`");
            }
        }
        assert!(
            may_stop || !text.contains("StopReason::"),
            "`{method}` is in `Adds{group}`, so its loop's result cannot say that it was stopped"
        );
        let is_polled =
            ["poll_interrupt(", "poll_timed_out("].iter().any(|hook| text.contains(hook));
        assert_eq!(
            is_polled,
            text.contains("const HAS_SIGNALS: bool = true;"),
            "`{method}` has a signal and does not say so, or says so and has none"
        );
    }
}

#[test]
fn every_option_has_a_law() {
    let laws = fs::read_dir(root().join("crates/forloop-conformance/src/laws")).unwrap();
    let laws: String = laws.map(|entry| read(entry.unwrap().path())).collect();
    for method in option_table() {
        assert!(laws.contains(&format!(".{method}(")), "no law has a loop with `{method}`");
    }
}

/// The hooks of options, each with the text of its declaration.
fn hooks() -> Vec<(String, String)> {
    let text = read("crates/forloop-core/src/options/hooks.rs");
    let hooks = text.split("\n    fn ").skip(1).map(|hook| {
        let name = &hook[..hook.find(|c: char| !is_of_a_name(c)).unwrap()];
        (name.to_owned(), hook.to_owned())
    });
    let hooks: Vec<_> = hooks.collect();
    assert!(hooks.len() > 9, "only {} hooks were found", hooks.len());
    hooks
}

#[test]
fn every_hook_reaches_all_options_of_a_loop() {
    for (name, hook) in hooks() {
        let wrapper = hook.split("    wrapper {").nth(1).expect("the macro demands it");
        for called in [format!("self.policy.{name}("), format!("self.option.{name}(")] {
            assert!(
                wrapper.contains(&called),
                "the wrapper of `{name}` does not call `{called}..)`"
            );
        }
    }
}

/// The driver, with the policy's own function that calls hooks.
fn callers() -> Vec<(String, String)> {
    let driver = root().join("crates/forloop-core/src/driver");
    let files = fs::read_dir(driver).unwrap().map(|entry| entry.unwrap().path());
    let files = files.chain([root().join("crates/forloop-core/src/options/policy.rs")]);
    let code = |path: PathBuf| {
        let lines: String = read(&path)
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(|line| format!("{line}\n"))
            .collect();
        (path.display().to_string(), lines)
    };
    files.map(code).collect()
}

#[test]
fn the_driver_calls_every_hook() {
    let callers = callers();
    for (name, _) in hooks() {
        let calls = [format!("policy.{name}("), format!("self.{name}("), format!("C::{name}")];
        let is_called =
            callers.iter().any(|(_, code)| calls.iter().any(|call| code.contains(call)));
        assert!(is_called, "nothing calls the hook `{name}`");
    }
}

/// A hook that changes something runs the code of users: a panic of it stops the loop, and does not leave it
/// where it is.
#[test]
fn the_driver_catches_the_panics_of_hooks() {
    let mut calls = 0;
    for (path, code) in callers() {
        for (name, hook) in hooks() {
            if !hook.contains("(&mut self") {
                continue;
            }
            for (at, call) in code.match_indices(&format!("policy.{name}(")) {
                let is_caught = is_caught(&code[..at]) || is_function_caught(&code, &code[..at]);
                assert!(is_caught, "{path}: `{call}..)` is not inside `catch(..)`");
                calls += 1;
            }
        }
    }
    assert!(calls > 9, "only {calls} calls were found");
}

/// Whether the function in which the text ends is called somewhere in the code, and only inside of `catch(`.
fn is_function_caught(code: &str, before: &str) -> bool {
    let (_, function) = before.rsplit_once("\n    fn ").expect("a hook is called in a function");
    let name = function.split(['<', '(']).next().expect("a function has a name");
    let calls: Vec<_> = code.match_indices(&format!("::{name}(")).collect();
    !calls.is_empty() && calls.iter().all(|&(at, _)| is_caught(&code[..at]))
}

/// Whether the text ends inside the parentheses of a `catch(`.
fn is_caught(before: &str) -> bool {
    let mut depth = 0;
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' if depth > 0 => depth -= 1,
            '(' if before[..at].ends_with("catch") => return true,
            _ => {}
        }
    }
    false
}
