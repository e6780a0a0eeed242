//! Which module takes which names from which other module of its crate.
//!
//! A path is followed to the module that *defines* what it names: through `use` declarations, through
//! re-exports such as those of a `lib.rs`, and through globs. Paths to other crates are not followed. Methods
//! and fields are not seen: a call `x.f()` names no module.

mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

use self::scan::{Child, ChildBody, Named, Scan};

/// The text of source files by their paths, with `/` between folders.
pub(crate) type Sources = BTreeMap<String, String>;

/// The modules of one crate.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    /// The root is the first.
    modules: Vec<Module>,
    /// The modules that define the macros at the root.
    macros: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Module {
    file: String,
    /// The path from the root: `["place", "pool"]`.
    path: Vec<String>,
    parent: usize,
    is_test: bool,
    children: BTreeMap<String, usize>,
    scan: Scan,
}

/// A name that one module takes from another.
#[derive(Debug)]
pub(crate) struct Reference<'a> {
    pub(crate) name: &'a str,
    /// The module that takes it: its path from the root, its file, and the line.
    pub(crate) by: &'a [String],
    pub(crate) file: &'a str,
    pub(crate) line: usize,
    /// The module that defines it.
    pub(crate) from: &'a [String],
    pub(crate) defined_in: &'a str,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A `use`, or a path in code.
    Use,
    /// A `pub use`, of any visibility, which only passes the name on.
    Reexport,
    /// A `use` of the module itself. The paths that begin with it are references of their own.
    Module,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy)]
enum Target {
    Module(usize),
    /// An item, and the module that defines it.
    Item(usize),
    /// Something in another crate.
    Elsewhere,
}

impl Module {
    fn new(file: &str, path: Vec<String>, parent: usize, is_test: bool, scan: Scan) -> Self {
        Self { file: file.to_owned(), path, parent, is_test, children: BTreeMap::new(), scan }
    }
}

impl Modules {
    /// Reads the crate that has this root file.
    pub(crate) fn of(sources: &Sources, root: &str) -> Self {
        let mut modules = Self::default();
        let scan = Scan::of(root, &sources[root]);
        modules.add(sources, parent_of(root), Module::new(root, Vec::new(), 0, false, scan));
        modules
    }

    /// The files of the crate.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(|module| &module.file[..])
    }

    /// The names of the modules in the root.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &str> {
        self.modules[0].children.keys().map(String::as_str)
    }

    /// Adds a module and those declared in it. `folder` is where their files are.
    fn add(&mut self, sources: &Sources, folder: &str, mut module: Module) -> usize {
        let number = self.modules.len();
        let declared = take(&mut module.scan.children);
        let (file, path, is_test) = (module.file.clone(), module.path.clone(), module.is_test);
        let macros = take(&mut module.scan.exported_macros);
        self.macros.extend(macros.into_iter().map(|name| (name, number)));
        self.modules.push(module);
        for Child { name, is_test: is_test_child, body } in declared {
            // Declared twice, under two conditions.
            if self.modules[number].children.contains_key(&name) {
                continue;
            }
            let mut inner = format!("{folder}/{name}");
            let (file, scan) = match body {
                ChildBody::Inline(scan) => (file.clone(), scan),
                ChildBody::File(at) => {
                    let beside = [format!("{inner}.rs"), format!("{inner}/mod.rs")];
                    let file = match at {
                        Some(at) => Some(format!("{}/{at}", parent_of(&file))),
                        None => beside.into_iter().find(|file| sources.contains_key(file)),
                    };
                    // Without a text: in the build output, or lifted from another package.
                    let Some((file, text)) = file.and_then(|file| sources.get_key_value(&file))
                    else {
                        continue;
                    };
                    if !file.starts_with(&inner) {
                        inner = parent_of(file).to_owned();
                    }
                    (file.clone(), Scan::of(file, text))
                }
            };
            let path = [&path[..], std::slice::from_ref(&name)].concat();
            let module = Module::new(&file, path, number, is_test || is_test_child, scan);
            let child = self.add(sources, &inner, module);
            self.modules[number].children.insert(name, child);
        }
        number
    }

    /// The names that modules take from other modules. Code under `cfg(test)` is left out: a test may use
    /// everything, and it is not built into the crate.
    pub(crate) fn references(&self) -> Vec<Reference<'_>> {
        let mut references = Vec::new();
        let modules = self.modules.iter().enumerate().filter(|(_, module)| !module.is_test);
        for (number, module) in modules {
            for import in module.scan.imports.iter().filter(|import| !import.named.is_test) {
                let named = &import.named;
                match self.resolve(number, &named.path, &mut BTreeSet::new()) {
                    Some(Target::Item(from)) => {
                        let kind = if import.is_reexport { Kind::Reexport } else { Kind::Use };
                        references.extend(self.reference(number, from, named, kind));
                    }
                    Some(Target::Module(from)) => {
                        let kind = if import.is_reexport { Kind::Reexport } else { Kind::Module };
                        references.extend(self.reference(number, from, named, kind));
                    }
                    _ => {}
                }
            }
            for named in module.scan.paths.iter().filter(|named| !named.is_test) {
                let target = self.resolve(number, &named.path, &mut BTreeSet::new());
                if let Some(Target::Item(from)) = target {
                    references.extend(self.reference(number, from, named, Kind::Use));
                }
            }
        }
        references
    }

    /// The reference, unless it is one of a module to itself.
    fn reference<'a>(
        &'a self,
        by: usize,
        from: usize,
        named: &'a Named,
        kind: Kind,
    ) -> Option<Reference<'a>> {
        let (by, from) = (&self.modules[by], &self.modules[from]);
        let name = named.path.last().expect("a path is not empty");
        (by.path != from.path).then_some(Reference {
            name,
            by: &by.path,
            file: &by.file,
            line: named.line,
            from: &from.path,
            defined_in: &from.file,
            kind,
        })
    }

    /// Follows a path that is written in this module. `seen` stops declarations that lead to each other.
    fn resolve(
        &self,
        module: usize,
        path: &[String],
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Option<Target> {
        let mut here = match &path[0][..] {
            "crate" => 0,
            "self" => module,
            "super" => self.modules[module].parent,
            name => match self.lookup(module, name, path.len() == 1, seen)? {
                Target::Module(child) => child,
                target => return Some(target),
            },
        };
        for (at, name) in path.iter().enumerate().skip(1) {
            here = match &name[..] {
                "super" => self.modules[here].parent,
                name => match self.lookup(here, name, at + 1 == path.len(), seen) {
                    Some(Target::Module(child)) => child,
                    Some(target) => return Some(target),
                    // Defined by a macro.
                    None => return Some(Target::Item(here)),
                },
            };
        }
        Some(Target::Module(here))
    }

    /// Finds what a name means in a module. Where an item and a module share the name, the end of a path is
    /// the item.
    fn lookup(
        &self,
        module: usize,
        name: &str,
        is_last: bool,
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Option<Target> {
        let Module { scan, children, .. } = &self.modules[module];
        let child = children.get(name).map(|&child| Target::Module(child));
        if let (Some(child), false) = (child, is_last) {
            return Some(child);
        }
        if scan.defined.contains(name) {
            return Some(Target::Item(module));
        }
        if let (0, Some(&definer)) = (module, self.macros.get(name)) {
            return Some(Target::Item(definer));
        }
        if !seen.insert((module, name.to_owned())) {
            return child;
        }
        let mut imports = scan.imports.iter();
        if let Some(import) = imports.find(|import| import.name.as_deref() == Some(name)) {
            let found = self.resolve(module, &import.named.path, seen);
            return found.or(child).or(Some(Target::Elsewhere));
        }
        let globs = scan.imports.iter().filter(|import| import.name.is_none());
        child.or_else(|| {
            let mut found =
                globs.filter_map(|glob| match self.resolve(module, &glob.named.path, seen)? {
                    Target::Module(from) => self.lookup(from, name, is_last, seen),
                    _ => None,
                });
            found.next()
        })
    }
}

fn parent_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}
