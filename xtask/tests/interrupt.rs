//! Whoever interrupts the command finds no process left behind.
#![cfg(unix)]

#[path = "common/watch.rs"]
mod watch;
#[path = "common/workspace.rs"]
mod workspace;

use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use watch::{Watch, have_ended};
use workspace::Workspace;

/// Starts the command, sends the signal once so many processes run, and sees everything end.
fn interrupted(
    workspace: &Workspace,
    arguments: &[&str],
    watch: &Watch,
    processes: usize,
    signal: Signal,
) {
    let mut command = workspace.xtask(arguments);
    let mut command: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let processes = watch.begin(processes);
    kill_process(Pid::from_child(&command), signal).unwrap();
    assert_eq!(command.wait().unwrap().code(), Some(130));
    have_ended(processes);
}

#[test]
fn an_interrupt_ends_every_running_program_and_what_it_started() {
    for signal in [Signal::INT, Signal::TERM] {
        let watch = Watch::new();
        let header = format!("//! verify: args hang {}\n", watch.address);
        let workspace = Workspace::new(&[("hang", &header)]);
        // On each of four runtimes, with its child; the simulation comes behind them.
        interrupted(&workspace, &["verify"], &watch, 8, signal);
        interrupted(&workspace, &["verify", "--runtime", "sim"], &watch, 2, signal);
    }
}

#[test]
fn an_interrupt_ends_the_build() {
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
    interrupted(&workspace, &["verify"], &watch, 1, Signal::INT);
}
