//! What the documents for contributors name is there.

use std::collections::BTreeSet;

use crate::workspace::{files, read, root, sources};

/// The pages that name files, functions and tests.
const PAGES: [&str; 3] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "RELEASING.md"];

/// The pages that are read to their end, and how many lines they may have.
const SHORT: [(&str, usize); 2] = [("README.md", 190), ("ARCHITECTURE.md", 150)];

/// What a page has in backticks, without its blocks of code.
fn quoted(page: &str) -> BTreeSet<String> {
    let text = read(page);
    let prose = text.split("```").step_by(2);
    prose.flat_map(|prose| prose.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_file_that_the_documents_name_exists() {
    let paths = [".rs", ".md", ".json", ".toml"].into_iter().flat_map(files);
    let paths: Vec<_> =
        paths.map(|path| path.strip_prefix(root()).unwrap().to_path_buf()).collect();
    let mut named = 0;
    for page in PAGES {
        // In `NAME.rs` the name is the reader's.
        let is_file = |name: &String| {
            let (stem, extension) = name.rsplit_once('.').unwrap_or_default();
            ["rs", "md", "json", "toml"].contains(&extension)
                && !stem.contains(|letter: char| " *{<".contains(letter))
                && !stem.ends_with("NAME")
        };
        for name in quoted(page).iter().filter(|name| is_file(name)) {
            assert!(paths.iter().any(|path| path.ends_with(name)), "{page}: there is no `{name}`");
            named += 1;
        }
    }
    assert!(named >= 40, "{named}");
}

#[test]
fn the_pages_that_are_read_first_are_short() {
    for (page, most) in SHORT {
        let lines = read(page).lines().count();
        assert!(lines <= most, "{page} has {lines} lines, and may have {most}");
    }
}

#[test]
fn every_test_that_the_documents_name_exists() {
    let sources: Vec<_> = sources().into_values().collect();
    let mut named = 0;
    for page in PAGES {
        // Of names in the code, only those of tests have so many words.
        let is_test = |name: &String| {
            name.matches('_').count() >= 3
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        for name in quoted(page).iter().filter(|name| is_test(name)) {
            let function = format!("fn {name}");
            let is_there = sources.iter().any(|text| text.contains(&function));
            assert!(is_there, "{page}: there is no test `{name}`");
            named += 1;
        }
    }
    assert!(named >= 10, "{named}");
}
