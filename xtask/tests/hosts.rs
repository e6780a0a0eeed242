//! `cargo xtask hosts`, from its arguments to its exit code, on a workspace of its own.

#[path = "common/workspace.rs"]
mod workspace;

use std::process::Output;

use workspace::Workspace;

const GOOD: &str = "println!(\"good\");";

/// Packages by name: what is behind `[package.metadata.host]`, and what `main` does.
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
    let main = format!("//! Does as it is told.\n\nfn main() {{ {main} }}\n");
    workspace.write(&format!("examples/hosts/{name}/src/main.rs"), &main);
}

/// What the command answers: its exit code, stdout and stderr.
fn answer(workspace: &Workspace, arguments: &[&str]) -> (i32, String, String) {
    let mut command = workspace.xtask(&["hosts"]);
    let Output { status, stdout, stderr } = command.args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// What is said of a host.
fn said<'a>(out: &'a str, name: &str) -> &'a str {
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

    let (code, out, err) = answer(&workspace, &[]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(said(&out, "good").starts_with("agrees "), "{out}");
    assert!(said(&out, "fails").starts_with("agrees "), "{out}");
    assert!(said(&out, "dies").starts_with("crashed: exit status: 101, and not 0"), "{out}");
    assert!(out.contains("of fright\n"), "{out}");
    assert_eq!(said(&out, "other"), "differs");
    assert!(out.contains("\n-good\n+bad\n"), "{out}");
    assert!(said(&out, "new").contains("make it with `cargo xtask hosts new --bless`"), "{out}");
    let absent = "not run (pkg-config finds no no-such-library; Debian: libno)";
    assert_eq!(said(&out, "absent"), absent);
    assert_eq!(out.lines().last(), Some("hosts: 2 agree, 3 fail, 1 not run"));

    // What is asked for by name must be able to run.
    let (code, out, _) = answer(&workspace, &["absent", "good"]);
    assert_eq!((code, said(&out, "absent")), (2, absent), "{out}");

    let (code, out, err) = answer(&workspace, &["--bless"]);
    assert_eq!(code, 1, "{out}{err}");
    let read = |name: &str| workspace.read(&format!("examples/hosts/{name}/expected.out"));
    assert_eq!(read("new").as_deref(), Some("good\n"));
    assert_eq!(read("other").as_deref(), Some("bad\n"));
    assert_eq!(workspace.read("examples/hosts/new/expected.err"), None);
    let (code, out, err) = answer(&workspace, &["good", "new", "other"]);
    assert_eq!((code, out.lines().last()), (0, Some("hosts: 3 agree")), "{out}{err}");

    let (code, out, _) = answer(&workspace, &["--list", "absent", "good"]);
    let absent = "absent: about absent\n  needs no-such-library for pkg-config (Debian: libno)\n";
    assert_eq!((code, out), (0, format!("{absent}good: about good\n")));
}

#[test]
fn a_package_that_is_a_workspace_by_itself_is_a_host_too() {
    let workspace = hosts(&[("good", "", GOOD)]);
    write(&workspace, "board", "[package.metadata.host]\n\n[workspace]\n", GOOD);
    let root = workspace.read("examples/hosts/Cargo.toml").unwrap();
    workspace.write("examples/hosts/Cargo.toml", &format!("{root}exclude = [\"board\"]\n"));
    for name in ["good", "board"] {
        workspace.write(&format!("examples/hosts/{name}/expected.out"), "good\n");
    }
    let (code, out, err) = answer(&workspace, &[]);
    assert_eq!((code, out.lines().last()), (0, Some("hosts: 2 agree")), "{out}{err}");
}

#[test]
fn what_cannot_run_is_no_verdict() {
    let workspace = hosts(&[("broken", "", "this"), ("good", "", GOOD)]);
    workspace.write("examples/hosts/good/expected.out", "good\n");
    let (code, out, _) = answer(&workspace, &[]);
    assert_eq!(code, 2, "{out}");
    assert!(said(&out, "broken").starts_with("not built (`cargo build -p broken`: "), "{out}");
    assert!(said(&out, "good").starts_with("agrees "), "{out}");

    let (code, out, err) = answer(&workspace, &["goood"]);
    assert_eq!((code, &out[..]), (2, ""));
    assert_eq!(err, "error: no host `goood`; there are: broken, good\n");

    write(&workspace, "good", "[package.metadata.host]\nneed = []\n", GOOD);
    let (code, _, err) = answer(&workspace, &["good"]);
    assert_eq!(code, 2);
    assert!(err.contains("package `good`: no key `need`; there are: needs, exit"), "{err}");
    write(&workspace, "good", "", GOOD);
    let (code, _, err) = answer(&workspace, &["good"]);
    assert_eq!(code, 2);
    assert!(err.contains("package `good`: a program needs a table"), "{err}");
}

#[test]
fn a_host_that_does_not_end_is_ended() {
    let workspace = hosts(&[("stuck", "", "println!(\"good\"); loop { std::thread::park() }")]);
    workspace.write("examples/hosts/stuck/expected.out", "good\n");
    let (code, out, err) = answer(&workspace, &["--timeout", "0.5"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(said(&out, "stuck").starts_with("hung: killed after 0.5 s"), "{out}");
}

#[test]
fn nothing_around_it_tells_a_host_which_runtime_to_take() {
    let main = "println!(\"{:?}\", std::env::var_os(\"FORLOOP_RUNTIME\"));";
    let workspace = hosts(&[("free", "", main)]);
    workspace.write("examples/hosts/free/expected.out", "None\n");
    let output = workspace.xtask(&["hosts"]).env("FORLOOP_RUNTIME", "sim").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
