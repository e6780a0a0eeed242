//! The layers of the core: a module imports only from its own layer and from those below.

use std::collections::BTreeMap;

use crate::imports::{Modules, Sources};
use crate::workspace::{read, sources};

/// The modules of the core, a layer in each row, from the bottom up. Between modules of one layer there may be
/// imports, but no cycle of them.
const LAYERS: &[&[&str]] = &[
    &[
        "body",
        "budget",
        "indices",
        "item_map",
        "outcome",
        "pace",
        "runtime",
        "simulation",
        "single",
        "wait_group",
    ],
    &["engine"],
    &["cancel_handle", "spawn_task", "task", "token", "with_item", "work_queue"],
    &["place"],
    &["looping"],
    &["admission"],
    &["options"],
    &["driver"],
    &["builder", "chunks"],
    &["strategy"],
];

/// Modules of the root that only export what others define.
const EXPORTS: &[&str] = &["places", "types"];

const CORE: &str = "crates/forloop-core/src/lib.rs";

/// Returns the imports from a higher layer, a line for each. The root is no layer: it exports the names of all
/// of them, and what a module takes from it counts as taken from the module that defines it.
fn upward_imports(sources: &Sources, root: &str, layers: &[&[&str]]) -> Vec<String> {
    let layer: BTreeMap<&str, usize> = layers
        .iter()
        .enumerate()
        .flat_map(|(height, layer)| layer.iter().map(move |&module| (module, height)))
        .collect();
    let modules = Modules::of(sources, root);
    for module in modules.roots() {
        let is_known = layer.contains_key(module) || EXPORTS.contains(&module);
        assert!(is_known, "`{module}` is in no layer");
    }
    let mut upward = Vec::new();
    for reference in modules.references() {
        let ([by, ..], [from, ..]) = (reference.by, reference.from) else { continue };
        if EXPORTS.contains(&&by[..]) {
            continue;
        }
        if layer[&by[..]] < layer[&from[..]] {
            let (file, line, name) = (reference.file, reference.line, reference.name);
            upward.push(format!("{file}:{line}: `{name}` of `{from}`, which is above `{by}`"));
        }
    }
    upward
}

#[test]
fn a_module_of_the_core_imports_only_from_its_layer_and_those_below() {
    let upward = upward_imports(&sources(), CORE, LAYERS);
    assert!(upward.is_empty(), "imports from a higher layer:\n{}", upward.join("\n"));
}

/// The blocks of `mod` lines in `lib.rs`.
fn declared() -> Vec<Vec<String>> {
    let text = read(CORE);
    let blocks = text.split("\n\n").map(|block| {
        let names = block.lines().filter_map(|line| {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
        });
        let mut names: Vec<_> = names.collect();
        names.dedup();
        names
    });
    blocks.filter(|block| !block.is_empty()).collect()
}

/// The rows of the table in ARCHITECTURE.md. A row without a name belongs to the layer of the row above it.
fn documented() -> Vec<Vec<String>> {
    let text = read("ARCHITECTURE.md");
    let (_, section) = text.split_once("\n## Layers of the core\n").expect("the section is there");
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let mut layers: Vec<Vec<String>> = Vec::new();
    for row in rows.map_while(|line| line.strip_prefix("| ")) {
        let mut columns = row.split('|').map(str::trim);
        let (layer, modules) = (columns.next().unwrap(), columns.next().unwrap());
        if !layer.is_empty() {
            layers.push(Vec::new());
        }
        let quoted = modules.split('`').skip(1).step_by(2);
        let names = quoted.map(|name| name.split('/').next().unwrap().to_owned());
        let rows = layers.last_mut().expect("the first row has a name");
        rows.extend(names);
        rows.sort_unstable();
        rows.dedup();
    }
    layers
}

#[test]
fn the_layers_are_the_same_in_this_test_in_lib_rs_and_in_the_architecture() {
    assert_eq!(declared(), LAYERS, "`lib.rs` declares the modules in another order");
    assert_eq!(documented(), LAYERS, "ARCHITECTURE.md has other layers");
}

#[test]
fn an_upward_import_is_found_through_a_reexport_a_path_and_a_macro() {
    let texts = [
        (
            "src/lib.rs",
            "mod low; mod middle; mod high; pub use crate::high::{High, make as build};",
        ),
        ("src/low.rs", "pub struct Low; #[cfg(test)] mod tests { use crate::High; }"),
        (
            "src/middle/mod.rs",
            "mod inner; pub use self::inner::Inner;\nuse crate::low::Low;\n\
             fn f(_: &'static build) -> impl Sized + use<> { crate::build::<u8>() }\n\
             use crate::high::deep;",
        ),
        (
            "src/middle/inner.rs",
            "use super::super::{High as Above, low::Low};\n\
             pin_project! { pub struct Inner { field: crate::high::deep::Deep } }",
        ),
        (
            "src/high/mod.rs",
            "pub mod deep; pub struct High; pub fn make() {} use crate::middle::*;",
        ),
        ("src/high/deep.rs", "pub struct Deep(super::High, Inner); use crate::middle::Inner;"),
    ];
    let sources = texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    let layers: &[&[&str]] = &[&["low"], &["middle"], &["high"]];
    let expected = [
        "src/middle/mod.rs:4: `deep` of `high`, which is above `middle`",
        "src/middle/mod.rs:3: `build` of `high`, which is above `middle`",
        "src/middle/inner.rs:1: `High` of `high`, which is above `middle`",
        "src/middle/inner.rs:2: `Deep` of `high`, which is above `middle`",
    ];
    assert_eq!(upward_imports(&sources, "src/lib.rs", layers), expected);
    let layers: &[&[&str]] = &[&["low"], &["middle", "high"]];
    assert_eq!(upward_imports(&sources, "src/lib.rs", layers), [""; 0]);
}
