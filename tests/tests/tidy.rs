//! The rules of the repository, as tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use forloop_conformance::{Backends, CASES};

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package is in the workspace").to_path_buf()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file of the workspace with this ending, except build output.
fn files(ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if name != "target" && !name.starts_with('.') && name != "wip" {
                    folders.push(path);
                }
            } else if name.ends_with(ending) {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty());
    files
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

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
        "forloop-core",
        "futures-core",
        "parking",
        "pin-project-lite",
    ];
    let mut few: BTreeSet<_> = few.map(str::to_owned).into();
    let with =
        |features| built_from("forloop-core", &["--no-default-features", "--features", features]);
    assert_eq!(with("std,simulation"), few);
    few.extend(["backon", "fastrand"].map(str::to_owned));
    assert_eq!(with("std,simulation,retry"), few);
    // governor brings along neither a runtime nor a clock.
    let all = built_from("forloop-core", &["--all-features"]);
    assert!(few.is_subset(&all) && all.contains("governor"));
    for other in ["futures-timer", "futures-util", "parking_lot", "quanta", "smol", "tokio"] {
        assert!(!all.contains(other), "{other}");
    }
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
        for ending in ["out", "py"] {
            let beside = path.with_extension(ending);
            assert!(beside.exists(), "{} is missing", beside.display());
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(manifest.contains(&format!("path = \"{name}\"")), "{name} is no [[bin]]");
        examples += 1;
    }
    assert!(examples >= 12);
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

/// The only files with unsafe code besides the engine: the interface to JavaScript, and the location of a
/// board's memory.
const FOREIGN: [&str; 2] =
    ["examples/hosts/bare_metal/board/src/heap.rs", "examples/hosts/wasm_host/module/src/page.rs"];

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
            let may_not = folder.ends_with("forloop-core") || is_foreign;
            assert_ne!(forbids, may_not, "{}", root.display());
            roots += 1;
        }
    }
    assert!(roots >= 9);
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

/// The number of rows of each kind in the conformance table, repeated here so that none is dropped
/// unnoticed.
const TABLE: &[(&str, usize)] = &[
    ("SEQ", 2),
    ("GAT", 6),
    ("WAIT", 6),
    ("WRK", 11),
    ("ASC", 5),
    ("LST", 4),
    ("GRP", 9),
    ("BND", 9),
    ("CAN", 5),
    ("TMO", 3),
    ("PAN", 3),
    ("ORD", 1),
    ("NST", 2),
    ("EMP", 1),
    ("BIG", 2),
    ("RTN", 2),
    ("OPT", 11),
    ("FLD", 4),
    ("COL", 2),
    ("ITM", 1),
    ("law ", 12),
];

/// Returns the rows of the table: the columns after each id.
fn table() -> BTreeMap<String, Vec<String>> {
    let text = read("crates/forloop-conformance/CONFORMANCE.md");
    let mut table = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")) {
        let mut columns = line.split(" | ").map(str::to_owned);
        let id = columns.next().unwrap();
        if id.ends_with(|last: char| last.is_ascii_digit()) {
            assert!(table.insert(id.clone(), columns.collect()).is_none(), "{id} occurs twice");
        }
    }
    table
}

/// Returns the functions that a row of the table names: `module::name`.
fn proofs(columns: &[String]) -> BTreeSet<String> {
    let links = columns.last().unwrap().split(", ");
    let links =
        links.filter_map(|link| Some(link.strip_prefix("[`")?.strip_suffix("`]")?.to_owned()));
    links.collect()
}

#[test]
fn the_adapter_that_the_readme_of_conformance_shows_is_the_one_that_is_tested() {
    let adapter = read("crates/forloop-conformance/tests/pool.rs");
    assert!(read("crates/forloop-conformance/README.md").contains(&adapter));
}

#[test]
fn every_row_of_the_conformance_table_is_there() {
    let numbered = |&(kind, count): &(&str, usize)| {
        let kind = if kind.ends_with(' ') { kind.to_owned() } else { format!("{kind}-") };
        (1..=count).map(move |number| format!("{kind}{number}"))
    };
    let ids: BTreeSet<String> = TABLE.iter().flat_map(numbered).collect();
    assert_eq!(table().into_keys().collect::<BTreeSet<_>>(), ids);
}

#[test]
fn every_conformance_row_has_a_test_on_the_backends_it_names() {
    for (id, columns) in &table() {
        let id = &id[..];
        let tests: Vec<_> = CASES.iter().filter(|row| row.ids.contains(&id)).collect();
        let named = tests.iter().map(|row| format!("{}::{}", row.module, row.name)).collect();
        assert_eq!(proofs(columns), named, "{id}: the table and `CASES` differ");
        let on = |one: Backends| tests.iter().any(|row| row.on == one || row.on == Backends::Both);
        let (spawned, in_task) = (on(Backends::Spawned), on(Backends::Inline));
        match &columns[0][..] {
            "spawned" => assert!(spawned, "{id}"),
            "in-task" => assert!(in_task, "{id}"),
            "both" => assert!(spawned && in_task, "{id}"),
            _ => assert!(id.starts_with("law ") && !tests.is_empty(), "{id}"),
        }
    }
    let ids = table();
    for row in CASES {
        assert!(row.ids.iter().all(|&id| ids.contains_key(id)), "{row:?}: no such row");
    }
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
            assert!(said.contains(message.trim()), "no file in tests/ui says: {message}");
            messages += 1;
        }
    }
    assert!(messages >= 12, "{messages}");
}

#[test]
fn every_law_names_the_rows_that_it_proves() {
    let mut functions = BTreeSet::new();
    for path in files(".rs") {
        if !path.parent().unwrap().ends_with("forloop-conformance/src/laws") {
            continue;
        }
        let module = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(rest) = line.strip_prefix("pub fn ") else { continue };
            let name = rest.split(['<', '(']).next().unwrap();
            let row = CASES.iter().find(|row| (row.module, row.name) == (module, name));
            let row = row.unwrap_or_else(|| panic!("{module}::{name} is not in `rows.rs`"));
            let above = lines[..number].iter().rev();
            let docs = above.take_while(|line| line.starts_with("///"));
            let first = docs.last().unwrap().trim_start_matches("/// ").replace("Law", "law");
            let said: Vec<_> = first.split(':').next().unwrap().split(", ").collect();
            assert_eq!(said, row.ids, "{module}::{name}");
            functions.insert((row.module, row.name));
        }
    }
    assert_eq!(functions.len(), CASES.len());
}
