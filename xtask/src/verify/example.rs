//! The examples: every `examples/NAME.rs`, with its expected output and its Python twin.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    backend::{Backend, Source},
    directive::{self, Directives},
    error::VerifyError,
};

/// The folder of the examples, relative to the workspace.
const FOLDER: &str = "examples";

/// An example program.
#[derive(Debug, Clone)]
pub struct Example {
    /// The name of its file and of its program.
    pub name: String,
    /// The directives in its header.
    pub directives: Directives,
    /// Its expected output, if it was blessed.
    pub expected: Option<Vec<u8>>,
    /// Whether it has a Python twin.
    pub has_twin: bool,
}

impl Example {
    /// The path of its expected output, relative to the workspace.
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
            Source::Redis => self.directives.remote,
        }
    }
}

/// Finds every example of the workspace, sorted by name.
///
/// # Errors
///
/// [`VerifyError`] if a file cannot be read or a header has an invalid directive.
pub fn discover(root: &Path) -> Result<Vec<Example>, VerifyError> {
    let folder = root.join(FOLDER);
    let names = names(&folder).map_err(|source| VerifyError::Read { path: folder, source })?;
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

fn read(root: &Path, name: String) -> Result<Example, VerifyError> {
    let path = PathBuf::from(format!("{FOLDER}/{name}.rs"));
    let source = match fs::read_to_string(root.join(&path)) {
        Ok(source) => source,
        Err(source) => return Err(VerifyError::Read { path, source }),
    };
    let directives =
        directive::parse(&source).map_err(|source| VerifyError::Directive { path, source })?;
    let mut example = Example { name, directives, expected: None, has_twin: false };
    example.has_twin = root.join(example.twin_path()).is_file();
    let path = root.join(example.expected_path());
    example.expected = match fs::read(&path) {
        Ok(expected) => Some(expected),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(VerifyError::Read { path, source }),
    };
    Ok(example)
}

/// Returns the examples with these names, or all examples if `wanted` is empty.
///
/// # Errors
///
/// [`VerifyError::UnknownExample`] for the first unknown name.
pub fn select(all: Vec<Example>, wanted: &[String]) -> Result<Vec<Example>, VerifyError> {
    if wanted.is_empty() {
        return Ok(all);
    }
    if let Some(name) = wanted.iter().find(|&name| all.iter().all(|known| known.name != *name)) {
        let known = all.into_iter().map(|example| example.name).collect();
        return Err(VerifyError::UnknownExample { name: name.clone(), known });
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
    fn every_source_file_is_an_example_with_its_output_and_twin() {
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
    fn an_example_may_run_on_some_backends_only() {
        let only = "//! verify: only async-std asyncio sha256sum\n";
        let root = workspace(&[("gather.rs", only), ("gather.py", ""), ("wait.rs", only)]);
        let found = discover(root.path()).unwrap();
        let runs_on = |example: &Example| {
            Backend::ALL.into_iter().filter(|&backend| example.runs_on(backend)).collect::<Vec<_>>()
        };
        assert_eq!(runs_on(&found[0]), [Backend::AsyncStd, Backend::Asyncio]);
        // Without a twin there is nothing for Python to run, even if the directive names asyncio.
        assert_eq!(runs_on(&found[1]), [Backend::AsyncStd]);
    }

    #[test]
    fn an_unknown_directive_is_reported_with_its_file_and_line() {
        let root = workspace(&[("gather.rs", "//! Title.\n//! verify: nothing\n")]);
        let message = discover(root.path()).unwrap_err().to_string();
        assert!(message.contains("gather.rs:2:"), "{message}");
    }

    #[test]
    fn no_selection_selects_all_and_an_unknown_name_lists_the_known() {
        let root = workspace(&[("a.rs", ""), ("b.rs", ""), ("c.rs", "")]);
        let all = discover(root.path()).unwrap();
        assert_eq!(names(&select(all.clone(), &[]).unwrap()), ["a", "b", "c"]);
        let some = select(all.clone(), &["c".to_owned(), "a".to_owned()]).unwrap();
        assert_eq!(names(&some), ["a", "c"]);
        let message = select(all, &["d".to_owned()]).unwrap_err().to_string();
        assert_eq!(message, "unknown example `d`, expected one of: a, b, c");
    }
}
