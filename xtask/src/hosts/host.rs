//! The hosts, as their manifests describe them.

use std::{
    error, fmt, fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::requirements::Requirement;

/// A package in `examples/hosts` that has a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The package's name.
    pub name: String,
    /// The package's description.
    pub about: String,
    /// The folder of its manifest.
    pub folder: PathBuf,
    /// Its requirements that Cargo cannot fetch.
    pub needs: Vec<Requirement>,
    /// The expected exit status.
    pub exit: i32,
}

impl Host {
    /// The path of its expected standard output.
    pub(crate) fn expected_out(&self) -> PathBuf {
        self.folder.join("expected.out")
    }

    /// The path of its expected standard error. The file is optional.
    pub(crate) fn expected_err(&self) -> PathBuf {
        self.folder.join("expected.err")
    }
}

/// Returns the hosts among the packages of `cargo metadata`, sorted by name.
///
/// A package with a program is a host and has a table `[package.metadata.host]`, with the optional keys
/// `needs` and `exit`. A package without a program is a library that hosts use.
///
/// # Errors
///
/// [`ManifestError`] for a program without the table, a library with it, and a table with an unknown key or an
/// invalid value.
pub fn read(metadata: &Value) -> Result<Vec<Host>, ManifestError> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut hosts: Vec<Host> =
        packages.filter_map(|one| package(one).transpose()).collect::<Result<_, _>>()?;
    hosts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(hosts)
}

fn package(package: &Value) -> Result<Option<Host>, ManifestError> {
    let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let name = text("name");
    let bad = |why: String| ManifestError { name: name.clone(), why };

    let kinds = package["targets"].as_array().into_iter().flatten();
    let mut kinds = kinds.flat_map(|target| target["kind"].as_array().into_iter().flatten());
    let is_program = kinds.any(|kind| kind == "bin");
    let table = match (is_program, package["metadata"]["host"].as_object()) {
        (true, Some(table)) => table,
        (true, None) => {
            return Err(bad("missing table `[package.metadata.host]`".into()));
        }
        (false, Some(_)) => {
            return Err(bad(
                "table `[package.metadata.host]` in a package without a program".into()
            ));
        }
        (false, None) => return Ok(None),
    };

    let mut host = Host {
        about: text("description"),
        folder: Path::new(&text("manifest_path"))
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default(),
        needs: Vec::new(),
        exit: 0,
        name: name.clone(),
    };
    for (key, value) in table {
        match &key[..] {
            "needs" => {
                let entries = value.as_array();
                let entries = entries
                    .ok_or_else(|| bad(format!("`needs`: expected a list, found `{value}`")))?;
                let needs = entries.iter().map(Requirement::read).collect::<Result<_, _>>();
                host.needs = needs.map_err(|why| bad(format!("`needs`: {why}")))?;
            }
            "exit" => {
                let exit = value.as_i64().and_then(|exit| u8::try_from(exit).ok());
                let exit = exit.ok_or_else(|| {
                    bad(format!("`exit`: expected an exit status, found `{value}`"))
                })?;
                host.exit = exit.into();
            }
            other => {
                return Err(bad(format!("unknown key `{other}`, expected one of: needs, exit")));
            }
        }
    }
    Ok(Some(host))
}

/// Returns the hosts with these names, in the order of `hosts`, or all hosts if `names` is empty.
///
/// # Errors
///
/// The first name that is not the name of a host.
pub fn select(hosts: Vec<Host>, names: &[String]) -> Result<Vec<Host>, String> {
    if let Some(unknown) = names.iter().find(|&name| hosts.iter().all(|host| host.name != *name)) {
        return Err(unknown.clone());
    }
    Ok(hosts.into_iter().filter(|host| names.is_empty() || names.contains(&host.name)).collect())
}

/// Reads a file. Returns `None` if it does not exist.
pub(crate) fn read_optional(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The manifest of a host is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    name: String,
    why: String,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "examples/hosts, package `{}`: {}", self.name, self.why)
    }
}

impl error::Error for ManifestError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::requirements::RequirementKind, *};

    fn one(name: &str, kind: &str, host: Value) -> Value {
        json!({
            "name": name,
            "description": format!("the host {name}"),
            "manifest_path": format!("/hosts/{name}/Cargo.toml"),
            "targets": [{ "kind": [kind] }],
            "metadata": { "host": host },
        })
    }

    fn refused(package: Value) -> String {
        read(&json!({ "packages": [package] })).unwrap_err().to_string()
    }

    #[test]
    fn hosts_are_sorted_by_name_and_libraries_are_left_out() {
        let needs = json!({ "needs": [{ "program": "node" }], "exit": 3 });
        let library =
            json!({ "name": "library", "targets": [{ "kind": ["lib"] }], "metadata": null });
        let packages = [one("b", "bin", needs), library, one("a", "bin", json!({}))];
        let hosts = read(&json!({ "packages": packages })).unwrap();
        let names: Vec<_> = hosts.iter().map(|host| &host.name[..]).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!((hosts[0].exit, hosts[0].needs.len()), (0, 0));
        assert_eq!(hosts[0].folder, Path::new("/hosts/a"));
        assert_eq!((hosts[1].exit, &hosts[1].about[..]), (3, "the host b"));
        assert_eq!(hosts[1].needs[0].kind, RequirementKind::Program("node".to_owned()));

        let names = ["b".to_owned()];
        assert_eq!(select(hosts.clone(), &names).unwrap(), hosts[1..]);
        assert_eq!(select(hosts.clone(), &[]).unwrap(), hosts);
        assert_eq!(select(hosts, &["b".to_owned(), "c".to_owned()]), Err("c".to_owned()));
    }

    #[test]
    fn an_invalid_table_is_refused_with_the_name_of_its_package() {
        for (table, why) in [
            (json!({ "need": [] }), "unknown key `need`"),
            (json!({ "needs": "glib-2.0" }), "expected a list"),
            (json!({ "needs": [{ "lib": "glib-2.0" }] }), "`needs`: unknown key `lib`"),
            (json!({ "exit": "1" }), "expected an exit status"),
            (json!({ "exit": -1 }), "expected an exit status"),
            (json!({ "exit": 256 }), "expected an exit status"),
            (json!(null), "missing table"),
        ] {
            let error = refused(one("a", "bin", table.clone()));
            assert!(error.contains(why) && error.contains("package `a`"), "{table}: {error}");
        }
        assert!(refused(one("a", "lib", json!({}))).contains("without a program"));
    }
}
