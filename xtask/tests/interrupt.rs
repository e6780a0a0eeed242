//! An interrupted command leaves no process behind.
#![cfg(unix)]

#[path = "common/watch.rs"]
mod watch;
#[path = "common/workspace.rs"]
mod workspace;

use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use watch::{Watch, wait_for_exits};
use workspace::Workspace;

/// Starts the command, sends `signal` once `processes` run, and waits until all of them have exited.
fn interrupt(
    workspace: &Workspace,
    arguments: &[&str],
    watch: &Watch,
    processes: usize,
    signal: Signal,
) {
    let mut command = workspace.xtask(arguments);
    let mut command: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let processes = watch.wait_for_starts(processes);
    kill_process(Pid::from_child(&command), signal).unwrap();
    assert_eq!(command.wait().unwrap().code(), Some(130));
    wait_for_exits(processes);
}

#[test]
fn an_interrupt_kills_every_program_and_its_children() {
    for signal in [Signal::INT, Signal::TERM] {
        let watch = Watch::new();
        let header = format!("//! verify: args hang {}\n", watch.address);
        let workspace = Workspace::new(&[("hang", &header)]);
        // A program and its child on each of four runtimes. The simulation runs after them.
        interrupt(&workspace, &["verify"], &watch, 8, signal);
        interrupt(&workspace, &["verify", "--runtime", "sim"], &watch, 2, signal);
    }
}

#[test]
fn an_interrupt_kills_the_build() {
    let watch = Watch::new();
    let workspace = Workspace::new(&[("behave", "//! verify: args behave\n")]);
    let script = format!(
        "//! Waits for the test to end.\n\
         use std::{{io::Read, net::TcpStream}};\n\
         fn main() {{\n\
             TcpStream::connect({:?}).unwrap().read(&mut [0]).unwrap();\n\
         }}\n",
        watch.address
    );
    workspace.write("examples/scripts/build.rs", &script);
    let manifest = workspace.read("examples/Cargo.toml").unwrap();
    let manifest = manifest.replace("autobins", "build = \"scripts/build.rs\"\nautobins");
    workspace.write("examples/Cargo.toml", &manifest);
    interrupt(&workspace, &["verify"], &watch, 1, Signal::INT);
}
