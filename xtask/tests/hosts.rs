//! `cargo xtask hosts`, from its arguments to its exit code, in a temporary workspace.

#[path = "common/workspace.rs"]
mod workspace;

use std::process::Output;

use workspace::Workspace;

const GOOD: &str = "println!(\"good\");";

/// Creates hosts from their names, their tables `[package.metadata.host]` and the bodies of `main`.
fn hosts(packages: &[(&str, &str, &str)]) -> Workspace {
    let workspace = Workspace::new(&[]);
    let names: Vec<_> = packages.iter().map(|(name, ..)| format!("\"{name}\"")).collect();
    let members = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", names.join(", "));
    workspace.write("examples/hosts/Cargo.toml", &members);
    for (name, table, main) in packages {
        write(&workspace, name, &format!("[package.metadata.host]\n{table}\n"), main);
    }
    workspace
}

fn write(workspace: &Workspace, name: &str, more: &str, main: &str) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         description = \"about {name}\"\n\n{more}"
    );
    workspace.write(&format!("examples/hosts/{name}/Cargo.toml"), &manifest);
    let main = format!("//! A host.\n\nfn main() {{ {main} }}\n");
    workspace.write(&format!("examples/hosts/{name}/src/main.rs"), &main);
}

/// Runs the command. Returns its exit code, stdout and stderr.
fn run(workspace: &Workspace, arguments: &[&str]) -> (i32, String, String) {
    let mut command = workspace.xtask(&["hosts"]);
    let Output { status, stdout, stderr } = command.args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Returns the result in a host's line.
fn result<'a>(out: &'a str, name: &str) -> &'a str {
    let lines = || out.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    lines().next().unwrap_or_else(|| panic!("{name}: {out}")).trim_start()
}

#[test]
fn each_host_is_built_run_judged_and_blessed() {
    let fails = "println!(\"good\"); eprintln!(\"as it must\"); std::process::exit(3);";
    let workspace = hosts(&[
        ("good", "", GOOD),
        ("fails", "exit = 3", fails),
        ("dies", "", "println!(\"good\"); panic!(\"of fright\")"),
        ("new", "", GOOD),
        ("other", "", "println!(\"bad\");"),
        ("absent", "needs = [{ pkg-config = \"no-such-library\", debian = \"libno\" }]", "this"),
    ]);
    for name in ["good", "fails", "dies", "other"] {
        workspace.write(&format!("examples/hosts/{name}/expected.out"), "good\n");
    }
    workspace.write("examples/hosts/fails/expected.err", "as it must\n");

    let (code, out, err) = run(&workspace, &[]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(result(&out, "good").starts_with("agrees "), "{out}");
    assert!(result(&out, "fails").starts_with("agrees "), "{out}");
    assert!(result(&out, "dies").starts_with("crashed: exit status: 101, expected 0"), "{out}");
    assert!(out.contains("of fright\n"), "{out}");
    assert_eq!(result(&out, "other"), "differs");
    assert!(out.contains("\n-good\n+bad\n"), "{out}");
    assert!(
        result(&out, "new").contains("create it with `cargo xtask hosts new --bless`"),
        "{out}"
    );
    let absent = "not run (pkg-config does not find no-such-library; Debian: libno)";
    assert_eq!(result(&out, "absent"), absent);
    assert_eq!(out.lines().last(), Some("hosts: 2 agree, 3 fail, 1 not run"));

    // It is an error if a host that is selected by name cannot run.
    let (code, out, _) = run(&workspace, &["absent", "good"]);
    assert_eq!((code, result(&out, "absent")), (2, absent), "{out}");

    let (code, out, err) = run(&workspace, &["--bless"]);
    assert_eq!(code, 1, "{out}{err}");
    let read = |name: &str| workspace.read(&format!("examples/hosts/{name}/expected.out"));
    assert_eq!(read("new").as_deref(), Some("good\n"));
    assert_eq!(read("other").as_deref(), Some("bad\n"));
    assert_eq!(workspace.read("examples/hosts/new/expected.err"), None);
    let (code, out, err) = run(&workspace, &["good", "new", "other"]);
    assert_eq!((code, out.lines().last()), (0, Some("hosts: 3 agree")), "{out}{err}");

    let (code, out, _) = run(&workspace, &["--list", "absent", "good"]);
    let absent = "absent: about absent\n  needs library no-such-library (Debian: libno)\n";
    assert_eq!((code, out), (0, format!("{absent}good: about good\n")));
}

#[test]
fn a_package_that_is_its_own_workspace_is_a_host() {
    let workspace = hosts(&[("good", "", GOOD)]);
    write(&workspace, "board", "[package.metadata.host]\n\n[workspace]\n", GOOD);
    let root = workspace.read("examples/hosts/Cargo.toml").unwrap();
    workspace.write("examples/hosts/Cargo.toml", &format!("{root}exclude = [\"board\"]\n"));
    for name in ["good", "board"] {
        workspace.write(&format!("examples/hosts/{name}/expected.out"), "good\n");
    }
    let (code, out, err) = run(&workspace, &[]);
    assert_eq!((code, out.lines().last()), (0, Some("hosts: 2 agree")), "{out}{err}");
}

#[test]
fn a_host_that_cannot_run_is_an_error() {
    let workspace = hosts(&[("broken", "", "this"), ("good", "", GOOD)]);
    workspace.write("examples/hosts/good/expected.out", "good\n");
    let (code, out, _) = run(&workspace, &[]);
    assert_eq!(code, 2, "{out}");
    assert!(result(&out, "broken").starts_with("not built (`cargo build -p broken`: "), "{out}");
    assert!(result(&out, "good").starts_with("agrees "), "{out}");

    let (code, out, err) = run(&workspace, &["goood"]);
    assert_eq!((code, &out[..]), (2, ""));
    assert_eq!(err, "error: unknown host `goood`, expected one of: broken, good\n");

    write(&workspace, "good", "[package.metadata.host]\nneed = []\n", GOOD);
    let (code, _, err) = run(&workspace, &["good"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("package `good`: unknown key `need`, expected one of: needs, exit"),
        "{err}"
    );
    write(&workspace, "good", "", GOOD);
    let (code, _, err) = run(&workspace, &["good"]);
    assert_eq!(code, 2);
    assert!(err.contains("package `good`: missing table"), "{err}");
}

#[test]
fn a_host_that_does_not_exit_is_killed_at_its_time_limit() {
    let workspace = hosts(&[("stuck", "", "println!(\"good\"); loop { std::thread::park() }")]);
    workspace.write("examples/hosts/stuck/expected.out", "good\n");
    let (code, out, err) = run(&workspace, &["--timeout", "0.5"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(result(&out, "stuck").starts_with("timed out after 0.5 s"), "{out}");
}

#[test]
fn a_host_does_not_inherit_the_variable_that_selects_a_runtime() {
    let main = "println!(\"{:?}\", std::env::var_os(\"FORLOOP_RUNTIME\"));";
    let workspace = hosts(&[("free", "", main)]);
    workspace.write("examples/hosts/free/expected.out", "None\n");
    let output = workspace.xtask(&["hosts"]).env("FORLOOP_RUNTIME", "sim").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
