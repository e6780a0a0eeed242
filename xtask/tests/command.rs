//! `cargo xtask verify`, from its arguments to its exit code, in a temporary workspace.

#[path = "common/workspace.rs"]
mod workspace;

use std::process::{Command, Output};

use workspace::Workspace;

const ANSWER: &str = "//! verify: args answer-by-runtime\n";
const BEHAVE: &str = "//! verify: args behave\n";
const ORDER: &str = "//! verify: any-order \">\"\n//! verify: args order-by-runtime\n";
const FAIL: &str = "//! verify: args fail\n";
const RUNTIMES: &str = "smol,async-std,tokio-current-thread,tokio-multi-thread,sim";

/// Runs the command. Returns its exit code, stdout and stderr.
fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Returns the words of an example's row.
fn row<'a>(text: &'a str, example: &str) -> Vec<&'a str> {
    let words = |line: &'a str| line.split_whitespace().collect::<Vec<_>>();
    let mut rows = text.lines().map(words);
    rows.find(|words| words.first() == Some(&example)).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn examples_are_judged_blessed_and_verified() {
    let workspace =
        Workspace::new(&[("answer", ANSWER), ("behave", BEHAVE), ("fail", FAIL), ("order", ORDER)]);
    workspace.write("examples/behave.out", "begin\nend");

    let (code, out, err) = run(&mut workspace.xtask(&["verify"]));
    assert_eq!(code, 1, "{out}{err}");
    assert_eq!(row(&out, "behave")[1..], ["differs"; 5]);
    assert_eq!(row(&out, "fail")[1..], ["crashed"; 5]);
    assert_eq!(row(&out, "order")[1..], ["no", "expected"].repeat(5));
    assert!(out.contains("\n-end\n\\ no newline at end of output\n+end\n"), "{out}");
    let again = format!(
        "repeat with: cargo xtask verify --runtime {RUNTIMES} --example behave --schedule choices=\n"
    );
    assert!(out.contains(&again), "{out}");
    assert!(out.contains("create it with: cargo xtask verify --example order --bless\n"), "{out}");
    let against = "answer: the backends disagree: \
                   smol against async-std against tokio-current-thread against tokio-multi-thread \
                   against sim under choices=";
    assert!(out.contains(against), "{out}");
    assert!(out.contains("stderr:\n  | no more of this\n"), "{out}");
    assert!(out.lines().last().unwrap().starts_with("not verified: 4 of 4 examples on 5 backends"));

    let (code, out, err) = run(&mut workspace.xtask(&["verify", "--bless"]));
    assert_eq!(code, 1, "{out}{err}");
    assert_eq!(workspace.read("examples/behave.out").as_deref(), Some("begin\nend\n"));
    assert_eq!(workspace.read("examples/order.out").as_deref(), Some("begin\n>a\n>b\nend\n"));
    assert_eq!(workspace.read("examples/answer.out"), None);
    assert_eq!(workspace.read("examples/fail.out"), None);
    assert!(out.contains("examples/answer.out: not written: the backends disagree\n"));
    assert!(out.contains("examples/fail.out: not written: crashed on smol, "), "{out}");

    let (code, out, err) =
        run(&mut workspace.xtask(&["verify", "--example=behave,order", "--repeat=3", "--json"]));
    assert_eq!(code, 0, "{out}{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    // Three rounds on each of four runtimes, and one run per example in simulation, which has no choices.
    assert_eq!(report["runs"], 26);
    assert_eq!(report["examples"][1]["name"], "order");
    assert_eq!(report["examples"][1]["cells"][0]["verdict"], "ok");
    assert!(err.contains("verified: 2 examples on 5 backends agree (26 runs in "), "{err}");
}

#[test]
fn a_failure_that_depends_on_the_schedule_is_found_and_repeated() {
    let workspace = Workspace::new(&[
        ("order", "//! verify: args order-by-schedule\n"),
        ("stray", "//! verify: args stray\n"),
        ("threads", "//! verify: args stray\n//! verify: threads\n"),
    ]);
    for name in ["order", "stray", "threads"] {
        workspace.write(&format!("examples/{name}.out"), "begin\nend\n");
    }
    let (code, out, err) =
        run(&mut workspace.xtask(&["verify", "--runtime=sim", "--seeds=50", "--repeat=9"]));
    assert_eq!(code, 1, "{out}{err}");
    assert_eq!(row(&out, "order")[1..], ["differs"]);
    assert_eq!(row(&out, "stray")[1..], ["not", "deterministic"]);
    assert_eq!(row(&out, "threads")[1..], ["ok", "50", "seeds"]);
    assert!(out.contains("order: differs from examples/order.out on sim under seed=1\n"), "{out}");
    let repeat = "cargo xtask verify --runtime sim --example order --schedule seed=1";
    assert!(out.contains(&format!("repeat with: {repeat}\n")), "{out}");
    assert!(out.contains("it did not follow its schedule on sim under choices=1\n"), "{out}");
    let again = "repeat with: cargo xtask verify --runtime sim --example stray --seeds 50\n";
    assert!(out.contains(again), "{out}");
    let words = "sim: threads: sampled: 50 seeds; its own threads are not simulated\n";
    assert!(out.contains(words), "{out}");

    let repeat: Vec<&str> = repeat.split(' ').skip(2).collect();
    let (code, out, err) = run(&mut workspace.xtask(&repeat));
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("under seed=1\n") && out.contains("(1 run in "), "{out}");
    let (code, out, err) =
        run(&mut workspace.xtask(&["verify", "--example=order", "--schedule=seed=2"]));
    assert_eq!(code, 0, "{out}{err}");

    let (code, out, err) = run(&mut workspace.xtask(&["verify", "--bless"]));
    assert_eq!(code, 1, "{out}{err}");
    let why = "examples/order.out: not written: the backends disagree\n";
    assert!(out.contains(why), "{out}");
    assert_eq!(workspace.read("examples/order.out").as_deref(), Some("begin\nend\n"));
}

#[test]
fn a_sweep_disables_backtraces_and_one_schedule_respects_the_callers_setting() {
    let workspace = Workspace::new(&[("behave", "//! verify: args print-backtrace\n")]);
    for (expected, schedule) in [("0\n", None), ("full\n", Some("--schedule=seed=1"))] {
        workspace.write("examples/behave.out", expected);
        let mut command = workspace.xtask(&["verify", "--runtime=sim"]);
        let (code, out, err) = run(command.args(schedule).env("RUST_BACKTRACE", "full"));
        assert_eq!(code, 0, "{out}{err}");
    }
}

#[test]
fn an_example_for_one_backend_is_built_and_run_only_there() {
    let only = "//! verify: only async-std\n//! verify: args behave\n";
    let workspace = Workspace::new(&[("before", only), ("after", BEHAVE)]);
    for name in ["before", "after"] {
        workspace.write(&format!("examples/{name}.out"), "begin\nend\n");
    }
    let runtimes = ["verify", "--runtime", "smol,async-std"];
    for selected in [&[][..], &["--example", "before,after"]] {
        let (code, out, err) = run(&mut workspace.xtask(&[&runtimes[..], selected].concat()));
        assert_eq!(code, 0, "{out}{err}");
        assert_eq!(row(&out, "before")[1..3], ["-", "ok"]);
        assert_eq!(row(&out, "after")[1..2], ["ok"]);
        assert!(out.contains("\nonly for async-std: before\n"), "{out}");
    }
    let nowhere = ["verify", "--runtime", "smol", "--example", "before"];
    let (code, _, err) = run(&mut workspace.xtask(&nowhere));
    assert_eq!(code, 2);
    assert!(err.contains("no selected example runs on a selected backend"), "{err}");
}

#[test]
fn a_failed_build_is_an_error() {
    let workspace = Workspace::new(&[("behave", BEHAVE)]);
    workspace.write("examples/behave.rs", "//! Not Rust.\nfn main() { this }\n");
    let (code, out, err) = run(&mut workspace.xtask(&["verify"]));
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("error: `cargo build -p forloop-examples --bins "), "{err}");
}

#[test]
fn an_example_without_a_program_is_an_error() {
    let workspace = Workspace::new(&[("behave", BEHAVE)]);
    workspace.write("examples/forgotten.rs", "fn main() {}\n");
    let (code, _, err) = run(&mut workspace.xtask(&["verify"]));
    assert_eq!(code, 2);
    assert!(err.contains("examples/forgotten.rs was not built"), "{err}");
}

#[test]
fn usage_errors_are_reported_before_any_build() {
    // Without an examples/Cargo.toml, a build would fail with another message.
    let workspace = Workspace { root: tempfile::tempdir().unwrap() };
    workspace.write("examples/behave.rs", BEHAVE);
    for (arguments, why) in [
        (&["verify", "--runtime", "glommio"][..], "tokio-current-thread, tokio-multi-thread"),
        (&["verify", "--example", "b"], "unknown example `b`, expected one of: behave"),
        (&["verify", "--repeat", "0"], "at least 1"),
        (&["verify", "--timeout", "0"], "greater than 0"),
        (&["verify", "--bless", "--runtime", "smol"], "cannot be used with `--runtime`"),
        (&["verify", "--schedule", "17"], "expected a schedule such as `seed=17`"),
        (&["verify", "--seeds", "all"], "at least 0"),
        (&["verify", "--runtime", "asyncio"], "no selected example runs"),
        (&["verify", "--quick"], "--quick"),
        (&["prove"], "verify    run every example"),
        (&[], "verify    run every example"),
    ] {
        let (code, out, err) = run(&mut workspace.xtask(arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(why), "{arguments:?}: {err}");
        assert!(!err.contains("building"), "{arguments:?}: {err}");
    }
}

#[test]
fn an_unknown_directive_is_refused() {
    let workspace = Workspace::new(&[("behave", "//! verify: in-any-order\n")]);
    let (code, _, err) = run(&mut workspace.xtask(&["verify"]));
    assert_eq!(code, 2);
    assert!(err.contains("behave.rs:1: `verify: in-any-order`"), "{err}");
}

#[test]
fn help_succeeds() {
    for arguments in [&["--help"][..], &["verify", "--help"], &["verify", "-h"]] {
        let workspace = Workspace { root: tempfile::tempdir().unwrap() };
        let (code, out, err) = run(&mut workspace.xtask(arguments));
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        assert!(out.contains("usage: cargo xtask "), "{out}");
    }
}

#[cfg(unix)]
#[test]
fn a_python_that_is_too_old_is_not_run_and_an_error_if_selected() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let workspace = Workspace::new(&[("behave", BEHAVE)]);
    workspace.write("examples/behave.out", "begin\nend\n");
    workspace.write("examples/behave.py", "print('begin')\n");
    for name in ["python3", "python"] {
        workspace.write(&format!("bin/{name}"), "#!/bin/sh\necho 3.9.18\n");
        let path = workspace.root.path().join("bin").join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = vec![workspace.root.path().join("bin")];
    folders.extend(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).unwrap();

    let why = "requires python3 >= 3.11, found 3.9.18 and 3.9.18";
    let old = |arguments| run(workspace.xtask(arguments).env("PATH", &path));
    let (code, out, err) = old(&["verify"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(&format!("asyncio: not run ({why})\n")), "{out}");
    assert!(row(&out, "behave").ends_with(&["schedule", "not", "run"]), "{out}");
    let (code, _, err) = old(&["verify", "--runtime", "asyncio"]);
    assert_eq!(code, 2);
    assert!(err.contains(why), "{err}");
    let (code, out, err) = old(&["verify", "--bless"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("not written: asyncio did not run\n"), "{out}");
}
