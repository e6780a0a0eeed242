//! No files of a crate import from each other in a cycle.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::{Kind, Modules, Sources};
use crate::workspace::sources;

/// The imports between files, and an example of each: the line and the name.
type Graph = BTreeMap<(String, String), String>;

/// Returns the imports between the files of a crate.
///
/// A file imports from another if it names an item that the other defines, in a `use` or in a path. Where the
/// item is re-exported does not matter. These are no imports:
///
/// - `mod name;`, because a module contains its children and does not need them;
/// - `pub use`, because it only passes names on, unless the file's own code has the name, too;
/// - what is under `cfg(test)`.
fn imports(modules: &Modules) -> Graph {
    let mut graph = Graph::new();
    for reference in modules.references() {
        if reference.kind == Kind::Use && reference.file != reference.defined_in {
            let edge = (reference.file.to_owned(), reference.defined_in.to_owned());
            let example = format!("`{}` in line {}", reference.name, reference.line);
            graph.entry(edge).or_insert(example);
        }
    }
    graph
}

/// The files that a file imports from, directly or through others.
fn reachable<'a>(graph: &'a Graph, file: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![file];
    while let Some(file) = next.pop() {
        let imported = graph.keys().filter(|(by, _)| by == file).map(|(_, from)| &from[..]);
        next.extend(imported.filter(|from| reached.insert(*from)));
    }
    reached
}

/// Returns the imports of the cycles in a crate, a line for each.
fn cycles(modules: &Modules) -> Vec<String> {
    let graph = imports(modules);
    let files: BTreeSet<_> = graph.keys().map(|(by, _)| &by[..]).collect();
    let reached: BTreeMap<_, _> =
        files.iter().map(|&file| (file, reachable(&graph, file))).collect();
    // An import is in a cycle if its end leads back to its beginning.
    let is_in_cycle = |by: &str, from: &str| reached.get(from).is_some_and(|all| all.contains(by));
    let cycles = graph.iter().filter(|((by, from), _)| is_in_cycle(by, from));
    cycles.map(|((by, from), what)| format!("{by} -> {from}: {what}")).collect()
}

/// The crates of the repository.
fn crates(sources: &Sources) -> Vec<Modules> {
    // The root of a crate is named by the manifest or by convention. Here every file is one that is not a module
    // of another. `lib.rs` and `main.rs` come before the files beside them, and those before files in folders.
    let mut roots: Vec<_> = sources.keys().collect();
    roots.sort_by_key(|file| {
        let name = file.rsplit('/').next().unwrap();
        (!["lib.rs", "main.rs"].contains(&name), file.matches('/').count())
    });
    let mut modules = BTreeSet::new();
    let mut crates = Vec::new();
    for root in roots {
        if !modules.contains(root) {
            crates.push(Modules::of(sources, root));
            modules.extend(crates.last().unwrap().files().map(str::to_owned));
        }
    }
    crates
}

#[test]
fn no_files_of_a_crate_import_from_each_other_in_a_cycle() {
    let crates = crates(&sources());
    assert!(crates.len() > 50, "only {} crates", crates.len());
    // A file may be in two crates.
    let cycles: BTreeSet<_> = crates.iter().flat_map(cycles).collect();
    let cycles: Vec<_> = cycles.into_iter().collect();
    assert!(cycles.is_empty(), "imports in a cycle:\n{}", cycles.join("\n"));
}

#[test]
fn a_cycle_of_two_files_is_found_and_a_folder_that_exports_its_children_is_none() {
    let mut sources: Sources = [
        ("src/lib.rs", "mod a; mod b;"),
        (
            "src/a/mod.rs",
            "mod part; mod tool; pub use self::part::{Part, Piece}; pub struct Whole;",
        ),
        ("src/a/part.rs", "pub struct Part(super::Whole); pub struct Piece; use crate::b::B;"),
        ("src/a/tool.rs", "use super::Piece; fn f() { Piece; Part; }"),
        ("src/b.rs", "pub struct B; #[cfg(test)] use crate::a::Part;"),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into();
    let found = |sources: &Sources| {
        let crates = crates(sources);
        assert_eq!(crates.len(), 1);
        cycles(&crates[0])
    };
    assert_eq!(found(&sources), [""; 0]);

    let b = "pub struct B;\nuse crate::a::Part;".to_owned();
    let b = sources.insert("src/b.rs".to_owned(), b).unwrap();
    let expected =
        ["src/a/part.rs -> src/b.rs: `B` in line 1", "src/b.rs -> src/a/part.rs: `Part` in line 2"];
    assert_eq!(found(&sources), expected);

    // A re-export that the folder's own code uses.
    sources.insert("src/b.rs".to_owned(), b);
    sources.get_mut("src/a/mod.rs").unwrap().push_str("\nfn f() -> Part { loop {} }");
    let expected = [
        "src/a/mod.rs -> src/a/part.rs: `Part` in line 2",
        "src/a/part.rs -> src/a/mod.rs: `Whole` in line 1",
    ];
    assert_eq!(found(&sources), expected);
}
