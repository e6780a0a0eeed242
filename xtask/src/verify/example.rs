//! The examples: every `examples/NAME.rs`, with what stands beside it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    backend::{Backend, Source},
    directive::{self, Directives},
    error::CannotVerify,
};

/// The folder of the examples, below the workspace.
const FOLDER: &str = "examples";

/// A program that every backend runs, and what is known about it.
#[derive(Debug, Clone)]
pub struct Example {
    /// The name of its file and of its program.
    pub name: String,
    /// What its header says.
    pub directives: Directives,
    /// What it is to print, once that has been blessed.
    pub expected: Option<Vec<u8>>,
    /// Whether a Python twin stands beside it.
    pub has_twin: bool,
}

impl Example {
    /// Where its expected output is, below the workspace.
    pub fn expected_path(&self) -> String {
        format!("{FOLDER}/{}.out", self.name)
    }

    pub(crate) fn twin_path(&self) -> String {
        format!("{FOLDER}/{}.py", self.name)
    }

    pub(crate) fn runs_on(&self, backend: Backend) -> bool {
        let only = &self.directives.only;
        let excluded = !only.is_empty() && !only.contains(&backend);
        match backend.source() {
            _ if excluded => false,
            Source::Feature(_) => true,
            Source::Python => self.has_twin,
            Source::Sha256sum => self.directives.sha256sum.is_some(),
        }
    }
}

/// Finds every example of the workspace, by name.
///
/// # Errors
///
/// [`CannotVerify`] if a file cannot be read, or if a header cannot be understood.
pub fn discover(root: &Path) -> Result<Vec<Example>, CannotVerify> {
    let folder = root.join(FOLDER);
    let names = names(&folder).map_err(|source| CannotVerify::Read { path: folder, source })?;
    names.into_iter().map(|name| read(root, name)).collect()
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") && path.is_file() {
            // A package cannot have a program whose name is not UTF-8.
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn read(root: &Path, name: String) -> Result<Example, CannotVerify> {
    let path = PathBuf::from(format!("{FOLDER}/{name}.rs"));
    let source = match fs::read_to_string(root.join(&path)) {
        Ok(source) => source,
        Err(source) => return Err(CannotVerify::Read { path, source }),
    };
    let directives =
        directive::parse(&source).map_err(|source| CannotVerify::Directive { path, source })?;
    let mut example = Example { name, directives, expected: None, has_twin: false };
    example.has_twin = root.join(example.twin_path()).is_file();
    let path = root.join(example.expected_path());
    example.expected = match fs::read(&path) {
        Ok(expected) => Some(expected),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(CannotVerify::Read { path, source }),
    };
    Ok(example)
}

/// Keeps the examples asked for; all of them if none is.
///
/// # Errors
///
/// [`CannotVerify::UnknownExample`] with the names of the known ones.
pub fn select(all: Vec<Example>, wanted: &[String]) -> Result<Vec<Example>, CannotVerify> {
    if wanted.is_empty() {
        return Ok(all);
    }
    if let Some(name) = wanted.iter().find(|&name| all.iter().all(|known| known.name != *name)) {
        let known = all.into_iter().map(|example| example.name).collect();
        return Err(CannotVerify::UnknownExample { name: name.clone(), known });
    }
    Ok(all.into_iter().filter(|example| wanted.contains(&example.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(FOLDER)).unwrap();
        for (name, text) in files {
            fs::write(root.path().join(FOLDER).join(name), text).unwrap();
        }
        root
    }

    fn names(examples: &[Example]) -> Vec<&str> {
        examples.iter().map(|example| example.name.as_str()).collect()
    }

    #[test]
    fn every_source_file_is_an_example_with_what_stands_beside_it() {
        let root = workspace(&[
            ("wait.rs", "//! verify: args 1\n"),
            ("gather.rs", ""),
            ("gather.out", "done\n"),
            ("gather.py", ""),
            ("README.md", ""),
        ]);
        let found = discover(root.path()).unwrap();
        assert_eq!(names(&found), ["gather", "wait"]);
        assert_eq!(found[0].expected.as_deref(), Some(&b"done\n"[..]));
        assert!(found[0].runs_on(Backend::Asyncio) && !found[0].runs_on(Backend::Sha256sum));
        assert_eq!(found[1].expected, None);
        assert!(found[1].runs_on(Backend::Smol) && !found[1].runs_on(Backend::Asyncio));
        assert_eq!(found[1].directives.args, ["1"]);
    }

    #[test]
    fn an_example_may_be_for_some_backends_only() {
        let only = "//! verify: only async-std asyncio sha256sum\n";
        let root = workspace(&[("gather.rs", only), ("gather.py", ""), ("wait.rs", only)]);
        let found = discover(root.path()).unwrap();
        let runs_on = |example: &Example| {
            Backend::ALL.into_iter().filter(|&backend| example.runs_on(backend)).collect::<Vec<_>>()
        };
        assert_eq!(runs_on(&found[0]), [Backend::AsyncStd, Backend::Asyncio]);
        // Without a twin there is nothing for Python to run, whoever says so.
        assert_eq!(runs_on(&found[1]), [Backend::AsyncStd]);
    }

    #[test]
    fn a_directive_nobody_knows_is_reported_with_its_file_and_line() {
        let root = workspace(&[("gather.rs", "//! Title.\n//! verify: nothing\n")]);
        let message = discover(root.path()).unwrap_err().to_string();
        assert!(message.contains("gather.rs:2:"), "{message}");
    }

    #[test]
    fn selecting_nothing_selects_all_and_an_unknown_name_lists_the_known() {
        let root = workspace(&[("a.rs", ""), ("b.rs", ""), ("c.rs", "")]);
        let all = discover(root.path()).unwrap();
        assert_eq!(names(&select(all.clone(), &[]).unwrap()), ["a", "b", "c"]);
        let some = select(all.clone(), &["c".to_owned(), "a".to_owned()]).unwrap();
        assert_eq!(names(&some), ["a", "c"]);
        let message = select(all, &["d".to_owned()]).unwrap_err().to_string();
        assert_eq!(message, "no example `d`; there are: a, b, c");
    }
}
