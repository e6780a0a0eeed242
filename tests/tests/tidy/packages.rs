//! Packages: what they are built from, their manifests and versions, and the adapters.

use std::collections::BTreeSet;
use std::fs;

use crate::workspace::{cargo, read, root};

/// Returns the names of all packages that a package is built from.
fn built_from(package: &str, features: &[&str]) -> BTreeSet<String> {
    let mut arguments = vec![
        "tree",
        "--locked",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--package",
        package,
    ];
    arguments.extend(features);
    let tree = cargo(&arguments);
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn the_core_names_no_runtime() {
    let few = [
        "atomic-waker",
        "concurrent-queue",
        "crossbeam-utils",
        "event-listener",
        "forloop-budget",
        "forloop-core",
        "futures-core",
        "parking",
        "pin-project-lite",
        "try-lock",
    ];
    let mut few: BTreeSet<_> = few.map(str::to_owned).into();
    let with =
        |features| built_from("forloop-core", &["--no-default-features", "--features", features]);
    assert_eq!(with("std,simulation"), few);
    few.extend(["backon", "fastrand"].map(str::to_owned));
    assert_eq!(with("std,simulation,backon"), few);
    assert_eq!(built_from("forloop-core", &["--all-features"]), few);
}

#[test]
fn without_a_feature_no_runtime_is_built_and_with_one_no_other() {
    let runtimes = ["smol", "async-executor", "async-io", "async-std", "tokio"];
    let built = |features: &[&str]| {
        let names = built_from("forloop", features);
        runtimes.into_iter().filter(|&name| names.contains(name)).collect::<Vec<_>>()
    };
    assert_eq!(built(&["--no-default-features"]), [""; 0]);
    assert_eq!(built(&["--no-default-features", "--features", "tokio"]), ["tokio"]);
    assert!(!built(&["--no-default-features", "--features", "async-std"]).contains(&"tokio"));
    assert!(!built(&[]).contains(&"tokio") && !built(&[]).contains(&"async-std"));
}

#[test]
fn every_crate_is_in_a_folder_of_its_name() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name}");
        for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(folder.join(license).exists(), "{name} is published without {license}");
        }
    }
}

#[test]
fn every_published_crate_has_what_its_pages_need() {
    let manifests = fs::read_dir(root().join("crates")).unwrap();
    let mut published = 0;
    for folder in manifests.map(|entry| entry.unwrap().path()) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        if manifest.contains("\npublish = false\n") {
            continue;
        }
        published += 1;
        let documentation = format!("documentation = \"https://docs.rs/{name}\"");
        // docs.rs builds the default features unless a manifest names others.
        let tables = ["description = ", "keywords", "categories", "license", &documentation]
            .into_iter()
            .chain(["[package.metadata.docs.rs]\nall-features = true\n"]);
        for needed in tables {
            assert!(manifest.contains(&format!("\n{needed}")), "{name} has no `{needed}`");
        }
        let readme = match manifest.split_once("\nreadme = \"") {
            Some((_, rest)) => folder.join(rest.split('"').next().unwrap()),
            None => folder.join("README.md"),
        };
        assert!(readme.exists(), "{name} has no README.md");
        let library = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        let has_features = manifest.contains("\n[features]\n");
        let labels = library.contains("#![cfg_attr(docsrs, feature(doc_cfg))]");
        assert!(labels || !has_features, "docs.rs does not label the features of {name}");
    }
    assert!(published >= 14, "{published}");
}

#[test]
fn our_crates_depend_on_exactly_the_same_release_of_each_other() {
    let workspace = read("Cargo.toml");
    let version = workspace.split("\nversion = \"").nth(1).unwrap().split('"').next().unwrap();
    let dependencies: Vec<_> = workspace.lines().filter(|line| line.contains("path = ")).collect();
    assert!(!dependencies.is_empty());
    for line in dependencies {
        assert!(line.contains(&format!("version = \"={version}\"")), "{line}");
    }
}

#[test]
fn the_changelog_begins_with_this_version() {
    let workspace = read("Cargo.toml");
    let version = workspace.split("\nversion = \"").nth(1).unwrap().split('"').next().unwrap();
    let changelog = read("CHANGELOG.md");
    let newest = changelog.split("\n## [").nth(1).unwrap().split(']').next().unwrap();
    assert_eq!(newest, version);
}

#[test]
fn the_stated_rust_version_is_the_same_everywhere() {
    let workspace = read("Cargo.toml");
    let stated = workspace.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(read("README.md").contains(&format!("Rust {stated} or later")));
}

#[test]
fn adapters_mirror_each_other() {
    // The same impls in the same order, except for capabilities that a runtime lacks.
    let seam = ["Spawn", "Timer", "BlockOn"];
    let impls = |adapter: &str| -> Vec<String> {
        let text = read(format!("crates/forloop-{adapter}/src/runtime.rs"));
        let lines = text.lines().filter_map(|line| line.strip_prefix("impl "));
        let traits = lines.filter_map(|line| Some(line.split_once(" for ")?.0.to_owned()));
        traits.filter(|name| seam.contains(&name.as_str())).collect()
    };
    assert_eq!(impls("smol"), seam);
    assert_eq!(impls("async-std"), seam);
    assert_eq!(impls("tokio"), seam[..2]);
}

/// Returns the text of a manifest from one table to another.
fn between<'a>(manifest: &'a str, from: &str, to: &str) -> &'a str {
    let behind = manifest.split_once(from).unwrap_or_else(|| panic!("no {from}")).1;
    behind.split_once(to).unwrap_or_else(|| panic!("no {to}")).0
}

#[test]
fn the_workspace_of_the_hosts_has_the_same_lints() {
    let lints = |manifest: &str| {
        let manifest = read(manifest);
        between(&manifest, "\n[workspace.lints.rust]\n", "\n[profile.dev]\n").to_owned()
    };
    assert_eq!(lints("examples/hosts/Cargo.toml"), lints("Cargo.toml"));
}
