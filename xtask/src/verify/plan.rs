//! Decides which programs to run, and finds or builds them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use crate::processes::Processes;

use super::{
    backend::{Backend, Source},
    build::{Builder, Programs},
    error::VerifyError,
    example::Example,
    launch::Launch,
    options::Options,
    progress::Progress,
    remote, tools,
};

/// The matrix of examples and backends, before the runs.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The columns: every selected backend that at least one selected example runs on.
    pub(crate) backends: Vec<Backend>,
    pub(crate) rows: Vec<Row>,
    /// The backends that are not available on this machine, and what they require.
    pub(crate) unavailable: BTreeMap<Backend, String>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) example: Example,
    /// One slot for each column.
    pub(crate) slots: Vec<Slot>,
}

#[derive(Debug)]
pub(crate) enum Slot {
    /// The example does not run on this backend.
    DoesNotApply,
    /// The backend is not available on this machine.
    NotRun,
    Program(Launch),
}

impl Plan {
    pub(crate) fn make(
        root: &Path,
        examples: Vec<Example>,
        options: &Options,
        processes: &Processes,
        progress: &Progress,
    ) -> Result<Self, VerifyError> {
        let backends = columns(&examples, &options.runtimes);
        if backends.is_empty() {
            return Err(VerifyError::NothingToRun);
        }
        let (tools, unavailable) = find_tools(&backends, processes);
        if let Some(&backend) = options.runtimes.iter().find(|&name| unavailable.contains_key(name))
        {
            return Err(VerifyError::Unavailable {
                backend,
                reason: unavailable[&backend].clone(),
            });
        }
        let selected = match options.examples.is_empty() {
            true => None,
            false => Some(&examples[..]),
        };
        let builds = build(root, &backends, selected, processes, progress)?;
        let inputs = Inputs { root, tools, builds };
        let row = |example: Example| {
            let slots = backends.iter().map(|&backend| inputs.slot(&example, backend));
            Ok(Row { slots: slots.collect::<Result<_, _>>()?, example })
        };
        let rows = examples.into_iter().map(row).collect::<Result<_, VerifyError>>()?;
        let plan = Self { backends, rows, unavailable };
        if plan.launches().next().is_none() {
            return Err(VerifyError::NothingToRun);
        }
        Ok(plan)
    }

    pub(crate) fn launches(&self) -> impl Iterator<Item = &Launch> {
        self.rows.iter().flat_map(Row::launches)
    }
}

impl Row {
    pub(crate) fn launches(&self) -> impl Iterator<Item = &Launch> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Program(launch) => Some(launch),
            Slot::DoesNotApply | Slot::NotRun => None,
        })
    }
}

fn columns(examples: &[Example], wanted: &[Backend]) -> Vec<Backend> {
    let selected = |backend: &Backend| wanted.is_empty() || wanted.contains(backend);
    let used = |&backend: &Backend| examples.iter().any(|example| example.runs_on(backend));
    Backend::ALL.into_iter().filter(selected).filter(used).collect()
}

type Tools = BTreeMap<Backend, PathBuf>;

fn find_tools(backends: &[Backend], processes: &Processes) -> (Tools, BTreeMap<Backend, String>) {
    let (mut tools, mut unavailable) = (Tools::new(), BTreeMap::new());
    for &backend in backends {
        let found = match backend.source() {
            Source::Feature(_) => continue,
            Source::Python => tools::python(processes),
            Source::Sha256sum => tools::sha256sum(processes),
            Source::Redis => tools::redis_server(processes),
        };
        match found {
            Ok(tool) => drop(tools.insert(backend, tool)),
            Err(reason) => drop(unavailable.insert(backend, reason)),
        }
    }
    (tools, unavailable)
}

type Builds = BTreeMap<&'static str, Programs>;

fn build(
    root: &Path,
    backends: &[Backend],
    selected: Option<&[Example]>,
    processes: &Processes,
    progress: &Progress,
) -> Result<Builds, VerifyError> {
    let mut builds = Builds::new();
    let mut builder = None;
    for feature in backends.iter().flat_map(|backend| backend.features()) {
        if builds.contains_key(feature) {
            continue;
        }
        let builder = match &mut builder {
            Some(builder) => builder,
            none => none.insert(Builder::new(root, processes)?),
        };
        progress.phase(&format!("building the examples with {feature}"));
        let only = selected.map(|examples| examples_with(feature, examples));
        builds.insert(feature, builder.build(feature, only.as_deref().unwrap_or_default())?);
    }
    Ok(builds)
}

/// Returns the names of the examples that run on a backend with this feature. The other examples may require
/// another feature, and then `cargo build --bin` would refuse them.
fn examples_with(feature: &'static str, examples: &[Example]) -> Vec<String> {
    let with_it = |backend: &Backend| backend.features().contains(&feature);
    let is_for = |example: &&Example| {
        Backend::ALL.into_iter().filter(with_it).any(|backend| example.runs_on(backend))
    };
    examples.iter().filter(is_for).map(|example| example.name.clone()).collect()
}

/// The tools and builds that the programs come from.
struct Inputs<'a> {
    root: &'a Path,
    tools: Tools,
    builds: Builds,
}

impl Inputs<'_> {
    fn slot(&self, example: &Example, backend: Backend) -> Result<Slot, VerifyError> {
        if !example.runs_on(backend) {
            return Ok(Slot::DoesNotApply);
        }
        let own = example.directives.args.iter().map(OsString::from);
        let (program, arguments) = match backend.source() {
            Source::Feature(feature) => (self.built(example, feature)?.clone(), own.collect()),
            Source::Redis => {
                if !self.tools.contains_key(&backend) {
                    return Ok(Slot::NotRun);
                }
                let builds = backend.features().into_iter();
                let builds = builds.map(|feature| self.built(example, feature).map(OsString::from));
                let builds = builds.collect::<Result<Vec<_>, _>>()?;
                let unreadable = |source| VerifyError::Read { path: "xtask".into(), source };
                remote::launch(builds, own).map_err(unreadable)?
            }
            Source::Python | Source::Sha256sum => {
                let Some(tool) = self.tools.get(&backend) else { return Ok(Slot::NotRun) };
                let arguments = match &example.directives.sha256sum {
                    Some(folder) if backend.source() == Source::Sha256sum => {
                        self.files_below(folder)?.into_iter().map(OsString::from).collect()
                    }
                    _ => [OsString::from(example.twin_path())].into_iter().chain(own).collect(),
                };
                (tool.clone(), arguments)
            }
        };
        let folder = self.root.to_path_buf();
        Ok(Slot::Program(Launch { backend, program, arguments, folder }))
    }

    fn built(&self, example: &Example, feature: &str) -> Result<&PathBuf, VerifyError> {
        let built = self.builds.get(feature).and_then(|built| built.get(&example.name));
        built.ok_or_else(|| VerifyError::NotBuilt { example: example.name.clone() })
    }

    /// Returns every regular file below a folder, sorted by the bytes of its path.
    fn files_below(&self, folder: &str) -> Result<Vec<PathBuf>, VerifyError> {
        let mut files = Vec::new();
        let read = walk(self.root, Path::new(folder), &mut files);
        let read = read.and_then(|()| match files.is_empty() {
            // Without arguments the tool would hash its standard input.
            true => Err(io::Error::new(io::ErrorKind::NotFound, "no files to hash")),
            false => Ok(()),
        });
        read.map_err(|source| VerifyError::Read { path: folder.into(), source })?;
        files.sort_unstable_by(|a, b| bytes(a).cmp(bytes(b)));
        Ok(files)
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        // The type of the entry itself: a link may point to a parent folder.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(root, &path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The bytes of the whole path, not of its components: `a-b` sorts before `a/b`, as `sort` does it.
fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(name: &str, has_twin: bool, folder: Option<&str>) -> Example {
        let mut example = Example {
            name: name.to_owned(),
            directives: Default::default(),
            expected: None,
            has_twin,
        };
        example.directives.sha256sum = folder.map(str::to_owned);
        example
    }

    #[test]
    fn a_backend_without_an_example_has_no_column() {
        let examples = [example("a", false, None)];
        assert_eq!(columns(&examples, &[]), Backend::ALL[..5]);
        assert_eq!(columns(&examples, &[Backend::Asyncio]), []);
        let examples = [example("a", true, None), example("b", false, Some("tree"))];
        assert_eq!(columns(&examples, &[]), Backend::ALL[..7]);
        assert_eq!(columns(&examples, &[Backend::Sha256sum]), [Backend::Sha256sum]);
    }

    #[test]
    fn an_example_is_built_and_run_for_its_only_backends() {
        let mut before = example("before", true, None);
        before.directives.only = vec![Backend::TokioMultiThread, Backend::Asyncio];
        let own = columns(std::slice::from_ref(&before), &[]);
        assert_eq!(own, [Backend::TokioMultiThread, Backend::Asyncio]);
        assert_eq!(columns(std::slice::from_ref(&before), &[Backend::Smol]), []);
        let examples = [before, example("after", true, None)];
        assert_eq!(columns(&examples, &[]), Backend::ALL[..6]);
        assert_eq!(examples_with("tokio", &examples), ["before", "after"]);
        assert_eq!(examples_with("smol", &examples), ["after"]);
        let inputs = Inputs { root: Path::new(""), tools: Tools::new(), builds: Builds::new() };
        let smol = inputs.slot(&examples[0], Backend::Smol).unwrap();
        assert!(matches!(smol, Slot::DoesNotApply));
    }

    #[test]
    fn an_unavailable_backend_is_not_run_and_one_that_does_not_apply_has_no_run() {
        let inputs = Inputs { root: Path::new(""), tools: Tools::new(), builds: Builds::new() };
        let slot = |example: &Example| inputs.slot(example, Backend::Asyncio).unwrap();
        assert!(matches!(slot(&example("a", true, None)), Slot::NotRun));
        assert!(matches!(slot(&example("a", false, None)), Slot::DoesNotApply));
        let error = inputs.slot(&example("a", false, None), Backend::Smol).unwrap_err();
        assert!(error.to_string().contains("[[bin]]"), "{error}");
    }

    #[test]
    fn files_are_hashed_in_the_order_of_their_paths_bytes() {
        let root = tempfile::tempdir().unwrap();
        for file in ["tree/a/x", "tree/a-b", "tree/B", "tree/a/d/y"] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let tools = Tools::from([(Backend::Sha256sum, "sha256sum".into())]);
        let inputs = Inputs { root: root.path(), tools, builds: Builds::new() };
        match inputs.slot(&example("hash", false, Some("tree")), Backend::Sha256sum).unwrap() {
            Slot::Program(launch) => {
                assert_eq!(launch.arguments, ["tree/B", "tree/a-b", "tree/a/d/y", "tree/a/x"]);
            }
            other => panic!("{other:?}"),
        }
        for missing in ["tree/none", "tree/a/d/y"] {
            assert!(
                inputs.slot(&example("hash", false, Some(missing)), Backend::Sha256sum).is_err()
            );
        }
    }
}
