//! What the facade wraps is documented as in the core.

use crate::workspace::read;

/// The file in the facade, the one in the core, and the functions.
const WRAPPED: [(&str, &str, &[&str]); 4] = [
    ("begin.rs", "builder.rs", &["each", "each_stream", "try_each", "try_each_stream"]),
    ("begin.rs", "strategy/wait.rs", &["wait"]),
    ("groups.rs", "strategy/group/scope.rs", &["scope", "local_scope"]),
    ("groups.rs", "strategy/group/task_group.rs", &["task_group"]),
];

#[test]
fn what_the_facade_wraps_has_the_docs_of_the_core_and_a_word_on_its_clock() {
    for (facade, core, functions) in WRAPPED {
        let facade = read(format!("crates/forloop/src/{facade}"));
        let core = read(format!("crates/forloop-core/src/{core}"));
        for function in functions {
            let (mut wraps, of_core) = (docs(&facade, function), docs(&core, function));
            let has_clock = wraps.iter().any(|line| line.contains("[`Ambient`]"));
            assert!(has_clock || wraps.iter().any(|line| line.contains("see [`")), "{function}");
            for line in of_core.iter().filter(|line| !line.contains("use forloop_core as forloop"))
            {
                // In the same order: what is before it is the facade's own.
                let found = wraps.iter().position(|other| other == line);
                let found =
                    found.unwrap_or_else(|| panic!("`{function}` of the facade lacks: {line}"));
                wraps.drain(..=found);
            }
            assert!(wraps.is_empty(), "the docs of `{function}` in the core lack: {wraps:?}");
        }
    }
}

/// The lines of documentation above a function.
fn docs<'a>(source: &'a str, function: &str) -> Vec<&'a str> {
    let (above, _) = source.split_once(&format!("\npub fn {function}<")).expect("it is there");
    let lines =
        above.lines().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
    let mut lines: Vec<_> = lines.filter(|line| line.starts_with("///")).collect();
    lines.reverse();
    lines
}
