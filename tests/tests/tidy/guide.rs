//! The guide: its hosts, its guarantees, and what it quotes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use forloop_conformance::CASES;

use crate::conformance::TABLE;
use crate::workspace::{files, read, root};

/// The packages in `examples/hosts`, by name.
fn hosts() -> BTreeMap<String, PathBuf> {
    let folders =
        fs::read_dir(root().join("examples/hosts")).unwrap().map(|one| one.unwrap().path());
    let packages = folders.filter(|folder| folder.join("Cargo.toml").exists());
    let hosts: BTreeMap<_, _> =
        packages.map(|one| (one.file_name().unwrap().to_str().unwrap().to_owned(), one)).collect();
    assert!(12 <= hosts.len());
    hosts
}

/// Returns the guide's page on embedding.
fn embedding() -> String {
    let pages = files(".md").into_iter().filter(|page| {
        let name = page.file_name().unwrap().to_str().unwrap();
        page.parent().unwrap().ends_with("guide") && name.starts_with("embedding")
    });
    pages.map(|page| fs::read_to_string(page).unwrap()).collect()
}

#[test]
fn every_host_is_in_the_guide_and_has_its_expected_output() {
    let guide = embedding();
    for (name, folder) in hosts() {
        assert!(guide.contains(&format!("`{name}`")), "{name} is not in the guide");
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name}");
        let (runs, says) = ["src/main.rs", "expected.out"].map(|file| folder.join(file)).into();
        assert_eq!(runs.exists(), says.exists(), "{name}");
    }
}

#[test]
fn the_seams_that_the_guide_shows_are_those_of_the_hosts() {
    let guide = embedding();
    let shown = guide.split("\n```ignore\n").skip(1);
    let shown: BTreeSet<_> =
        shown.map(|block| block.split_once("\n```\n").unwrap().0.to_owned() + "\n").collect();
    let seams = hosts().into_values().map(|folder| folder.join("src/seam.rs"));
    let seams: BTreeSet<_> = seams.filter_map(|seam| fs::read_to_string(seam).ok()).collect();
    assert!(!seams.is_empty());
    assert!(seams.is_subset(&shown), "a host's seam is not in the guide as it is");
    assert!(shown.is_subset(&seams), "the guide shows a seam that no host has");
}

#[test]
fn the_guarantees_of_the_guide_are_the_twelve_laws_and_each_names_tests_that_prove_it() {
    let text = read("crates/forloop/src/guide/guarantees.md");
    let chapters: Vec<_> = text.split("\n# Law ").skip(1).collect();
    let named = |chapter: &str| -> Vec<String> {
        let spans = chapter.split('`').skip(1).step_by(2).filter_map(|span| span.split_once("::"));
        let spans = spans.filter(|(module, name)| {
            *module != "forloop" && name.contains('_') && !name.contains([':', '(', '!'])
        });
        spans.map(|(module, name)| format!("{module}::{name}")).collect()
    };
    for (number, chapter) in (1..).zip(&chapters) {
        assert!(chapter.starts_with(&format!("{number}: ")), "{chapter}");
        let id = format!("law {number}");
        let (_, proofs) = chapter.split_once("\nProved by ").expect("each law is proved");
        let proofs = named(proofs.split("```").next().unwrap());
        assert!(proofs.len() >= 2, "{id}");
        let row = |proof: &String| {
            let row = CASES.iter().find(|row| format!("{}::{}", row.module, row.name) == *proof);
            row.unwrap_or_else(|| panic!("{id}: there is no test {proof}"))
        };
        let rows: Vec<_> = proofs.iter().map(row).collect();
        assert!(rows.iter().any(|row| row.ids.contains(&&id[..])), "{id} names no test of its own");
    }
    let laws = TABLE.iter().find(|(kind, _)| *kind == "law ").unwrap().1;
    assert_eq!(chapters.len(), laws);
}

#[test]
fn each_silent_change_on_leaving_async_std_has_a_part_before_and_after() {
    let page = read("crates/forloop/src/guide/leaving_async_std.md");
    let table = page.split("# What changes silently").nth(1).unwrap().split("\n\n").nth(2).unwrap();
    let shown = |row: &str| row.rsplit('`').nth(1).map(str::to_owned).unwrap();
    let shown: BTreeSet<String> = table.lines().skip(2).map(shown).collect();
    for program in ["before", "after"] {
        let source = read(format!("examples/leaving_async_std_{program}.rs"));
        let parts: BTreeSet<_> = source
            .lines()
            .filter_map(|line| line.split_once("();").or(line.split_once(".await")))
            .filter_map(|(call, _)| call.trim().split_once('('))
            .filter(|(name, _)| source.contains(&format!("\nasync fn {name}(")))
            .map(|(name, _)| name.to_owned())
            .collect();
        assert_eq!(parts, shown, "{program}");
    }
}

#[test]
fn compiler_messages_quoted_in_the_guide_are_in_the_golden_files() {
    let mut said = String::new();
    for path in files(".stderr") {
        said += &fs::read_to_string(path).unwrap();
    }
    let chooser = read("crates/forloop/src/guide/chooser.md");
    let table = chooser.split("From the compiler:").nth(1).unwrap();
    let rows = table.trim_start().lines().take_while(|line| line.starts_with('|')).skip(2);
    let mut messages = 0;
    for row in rows {
        let cell = row.trim_start_matches("| ").split(" | ").next().unwrap();
        // A message that contains a backtick is quoted with two.
        let quotes = if cell.starts_with("``") { "``" } else { "`" };
        for message in cell.split(quotes).skip(1).step_by(2) {
            assert!(said.contains(message.trim()), "no golden file says: {message}");
            messages += 1;
        }
    }
    assert!(messages >= 12, "{messages}");
}
