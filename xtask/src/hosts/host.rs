//! A host: a program that runs loops inside something of its own, and what its manifest says of it.

use std::{
    error, fmt, fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::requirements::Requirement;

/// A package of a program in `examples/hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The package's name.
    pub name: String,
    /// Its description.
    pub about: String,
    /// The folder of its manifest.
    pub folder: PathBuf,
    /// What it needs and Cargo cannot fetch.
    pub needs: Vec<Requirement>,
    /// The exit status it is to end with.
    pub exit: i32,
}

impl Host {
    /// What it is to print.
    pub(crate) fn expected_out(&self) -> PathBuf {
        self.folder.join("expected.out")
    }

    /// What it is to print as errors, if anybody has said so.
    pub(crate) fn expected_err(&self) -> PathBuf {
        self.folder.join("expected.err")
    }
}

/// Finds the hosts in what `cargo metadata` says of some packages, in the order of their names.
///
/// A package with a program is a host and has a table `[package.metadata.host]`, with the keys `needs` and
/// `exit`, both of which may be left out. A package without a program is a library of theirs.
///
/// # Errors
///
/// [`BadHost`] for a program that has no such table, a library that has one, and a table that says what we
/// do not understand.
pub fn read(metadata: &Value) -> Result<Vec<Host>, BadHost> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut hosts: Vec<Host> =
        packages.filter_map(|one| package(one).transpose()).collect::<Result<_, _>>()?;
    hosts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(hosts)
}

fn package(package: &Value) -> Result<Option<Host>, BadHost> {
    let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let name = text("name");
    let bad = |why: String| BadHost { name: name.clone(), why };

    let kinds = package["targets"].as_array().into_iter().flatten();
    let mut kinds = kinds.flat_map(|target| target["kind"].as_array().into_iter().flatten());
    let is_program = kinds.any(|kind| kind == "bin");
    let table = match (is_program, package["metadata"]["host"].as_object()) {
        (true, Some(table)) => table,
        (true, None) => {
            return Err(bad("a program needs a table `[package.metadata.host]`".into()));
        }
        (false, Some(_)) => {
            return Err(bad("it has `[package.metadata.host]`, and no program".into()));
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
                let entries =
                    entries.ok_or_else(|| bad(format!("`needs` is `{value}` and not a list")))?;
                let needs = entries.iter().map(Requirement::read).collect::<Result<_, _>>();
                host.needs = needs.map_err(|why| bad(format!("`needs`: {why}")))?;
            }
            "exit" => {
                let exit = value.as_i64().and_then(|exit| u8::try_from(exit).ok());
                let exit =
                    exit.ok_or_else(|| bad(format!("`exit` is `{value}` and no exit status")))?;
                host.exit = exit.into();
            }
            other => return Err(bad(format!("no key `{other}`; there are: needs, exit"))),
        }
    }
    Ok(Some(host))
}

/// The hosts of these names, in their order; or all, if none is named.
///
/// # Errors
///
/// The first name that is none, if there is one.
pub fn select(hosts: Vec<Host>, names: &[String]) -> Result<Vec<Host>, String> {
    if let Some(unknown) = names.iter().find(|&name| hosts.iter().all(|host| host.name != *name)) {
        return Err(unknown.clone());
    }
    Ok(hosts.into_iter().filter(|host| names.is_empty() || names.contains(&host.name)).collect())
}

/// What a file has in it; nothing, if there is no such file.
pub(crate) fn expected(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A manifest says of a host what we do not understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadHost {
    name: String,
    why: String,
}

impl fmt::Display for BadHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "examples/hosts, package `{}`: {}", self.name, self.why)
    }
}

impl error::Error for BadHost {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::requirements::What, *};

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
    fn programs_are_hosts_in_the_order_of_their_names_and_libraries_are_none() {
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
        assert_eq!(hosts[1].needs[0].what, What::Program("node".to_owned()));

        let names = ["b".to_owned()];
        assert_eq!(select(hosts.clone(), &names).unwrap(), hosts[1..]);
        assert_eq!(select(hosts.clone(), &[]).unwrap(), hosts);
        assert_eq!(select(hosts, &["b".to_owned(), "c".to_owned()]), Err("c".to_owned()));
    }

    #[test]
    fn a_table_that_says_what_nobody_knows_is_refused_with_the_name_of_its_package() {
        for (table, why) in [
            (json!({ "need": [] }), "no key `need`"),
            (json!({ "needs": "glib-2.0" }), "not a list"),
            (json!({ "needs": [{ "lib": "glib-2.0" }] }), "`needs`: no key `lib`"),
            (json!({ "exit": "1" }), "no exit status"),
            (json!({ "exit": -1 }), "no exit status"),
            (json!({ "exit": 256 }), "no exit status"),
            (json!(null), "needs a table"),
        ] {
            let error = refused(one("a", "bin", table.clone()));
            assert!(error.contains(why) && error.contains("package `a`"), "{table}: {error}");
        }
        assert!(refused(one("a", "lib", json!({}))).contains("no program"));
    }
}
