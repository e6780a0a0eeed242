//! Source files and examples.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{files, read, root};

#[test]
fn every_file_has_a_module_comment() {
    for path in files(".rs") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not begin with `//! `", path.display());
    }
}

#[test]
fn every_file_has_at_most_600_lines() {
    for path in files(".rs") {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 600, "{} has {lines} lines: are these two files?", path.display());
    }
}

#[test]
fn every_example_has_its_expected_output_and_its_python_twin() {
    let manifest = read("examples/Cargo.toml");
    let mut examples = 0;
    for path in files(".rs").iter().filter(|path| path.parent() == Some(&root().join("examples"))) {
        for extension in ["out", "py"] {
            let beside = path.with_extension(extension);
            assert!(beside.exists(), "{} is missing", beside.display());
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(manifest.contains(&format!("path = \"{name}\"")), "{name} is no [[bin]]");
        examples += 1;
    }
    assert!(examples >= 12);
}

#[test]
fn a_before_and_after_pair_prints_the_same() {
    let mut pairs = 0;
    for path in files("_before.rs") {
        let before = path.with_extension("out");
        let after = PathBuf::from(before.to_str().unwrap().replace("_before.", "_after."));
        let printed = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!(printed(&before), printed(&after), "{}", after.display());
        pairs += 1;
    }
    assert!(pairs >= 1);
}
