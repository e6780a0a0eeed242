//! Where unsafe code is allowed, and its reasons.

use std::fs;

use crate::workspace::{files, read, root};

/// The only files with unsafe code besides the engine: the interface to JavaScript, and the location of a
/// board's memory.
const FOREIGN: [&str; 3] = [
    "examples/hosts/bare_metal/board/src/heap.rs",
    "examples/hosts/wasm_host/module/src/exports.rs",
    "examples/hosts/wasm_host/module/src/page.rs",
];

#[test]
fn every_crate_shares_the_lints_and_every_one_but_the_core_forbids_unsafe_code() {
    let workspace = read("Cargo.toml");
    for lint in ["unsafe_code = \"deny\"", "undocumented_unsafe_blocks = \"deny\""] {
        assert!(workspace.contains(lint), "{lint}");
    }
    let foreign = FOREIGN.map(|file| root().join(file));
    let mut roots = 0;
    for path in files("Cargo.toml") {
        let text = fs::read_to_string(&path).unwrap();
        if text.contains("[package]") {
            assert!(text.contains("[lints]\nworkspace = true"), "{}", path.display());
        }
        let folder = path.parent().unwrap();
        for root in ["src/lib.rs", "src/main.rs"].map(|root| folder.join(root)) {
            let Ok(text) = fs::read_to_string(&root) else { continue };
            let forbids = text.contains("\n#![forbid(unsafe_code)]\n");
            let is_foreign = foreign.iter().any(|file| file.parent() == root.parent());
            // The second has the files of the first.
            let has_engine = ["crates/forloop-core", "tests/engine_alone"];
            let may_not = has_engine.iter().any(|path| folder.ends_with(path)) || is_foreign;
            assert_ne!(forbids, may_not, "{}", root.display());
            roots += 1;
        }
    }
    assert!(roots >= 9);
}

/// Returns the words of a line before its comment, without quoted text.
fn code(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    let unquoted = code.split('"').step_by(2);
    unquoted.flat_map(|code| code.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
}

#[test]
fn unsafe_code_is_in_the_engine_only_and_each_use_states_its_reason() {
    let engine = root().join("crates/forloop-core/src/engine");
    let mut pieces = 0;
    for path in files(".rs") {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let mut has_any = false;
        for (number, line) in lines.iter().enumerate() {
            if !code(line).any(|word| word == "unsafe") {
                continue;
            }
            has_any = true;
            pieces += 1;
            // A block or an impl states why it is sound; an unsafe function states its contract.
            let above = || lines[..=number].iter().rev().take(12);
            let is_reasoned = above().any(|line| line.contains("SAFETY: "));
            let is_called = ["unsafe fn", "unsafe extern"].iter().any(|what| line.contains(what));
            let is_explained = is_called && above().any(|line| line.contains("# Safety"));
            assert!(is_reasoned || is_explained, "{}:{}", path.display(), number + 1);
        }
        let allows = text.lines().flat_map(code).any(|word| word == "unsafe_code")
            && !text.contains("#![forbid(unsafe_code)]");
        let may_have = path.starts_with(&engine) || FOREIGN.iter().any(|file| path.ends_with(file));
        assert!(may_have || !has_any && !allows, "{} has unsafe code", path.display());
        assert_eq!(has_any, allows, "{} allows what it does not need", path.display());
    }
    assert!(pieces >= 20);
}
