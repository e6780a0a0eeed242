//! Signals, each to a process of its own: this program again, as one of the children below.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Lines};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use forloop_core::{Cause, each};
use forloop_ctrl_c::ctrl_c;
use futures_lite::future;
use rustix::process::{Pid, Signal, kill_process};

/// Says which of the children a process is.
const CHILD: &str = "FORLOOP_CTRL_C_CHILD";

/// A child that was started, and what it prints.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(name: &str) -> Self {
        let this = std::env::current_exe().unwrap();
        let mut command = Command::new(this);
        command.args(["--exact", "children", "--nocapture"]).env(CHILD, name);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until it has printed this.
    fn says(&mut self, what: &str) {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        assert!(lines.any(|line| line.contains(what)), "it never said `{what}`");
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn ends(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

/// What a child does; a test without one.
#[test]
fn children() {
    match std::env::var(CHILD).as_deref() {
        Ok("cancelled") => cancelled(),
        Ok("twice") => twice(),
        Ok("left_alone") => left_alone(),
        Ok("several") => several(),
        Ok(other) => panic!("no child is called {other}"),
        Err(_) => {}
    }
}

fn cancelled() {
    let looping = each(0..).limit(2).unwrap().cancel_on(ctrl_c().unwrap());
    let interrupted = future::block_on(looping.for_each(async |n: u32| {
        if n == 1 {
            println!("runs");
        }
        future::pending::<()>().await;
    }));
    assert_eq!(interrupted.unwrap_err().cause, Cause::Cancelled);
    println!("stopped");
}

fn twice() {
    let (once, twice) = (ctrl_c().unwrap(), ctrl_c().unwrap().times(2));
    println!("waits");
    future::block_on(once);
    println!("once");
    future::block_on(twice);
    println!("twice");
    // Nobody waits any more.
    future::block_on(future::pending::<()>());
}

fn left_alone() {
    let dropped = ctrl_c().unwrap();
    assert!(future::block_on(future::poll_once(ctrl_c().unwrap().times(0))).is_some());
    drop(dropped);
    println!("waits");
    future::block_on(future::pending::<()>());
}

fn several() {
    let early = [ctrl_c().unwrap(), ctrl_c().unwrap()];
    println!("waits");
    for ctrl_c in early {
        future::block_on(ctrl_c);
    }
    // What came before it was made is not for this one.
    let mut late = ctrl_c().unwrap();
    assert!(future::block_on(future::poll_once(&mut late)).is_none());
    println!("still waits");
    future::block_on(late);
}

#[test]
fn ctrl_c_stops_a_loop_and_so_does_a_service_manager() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut process = Process::start("cancelled");
        process.says("runs");
        process.send(signal);
        process.says("stopped");
        assert!(process.ends().success());
    }
}

#[test]
fn the_second_is_another_and_the_third_ends_the_program() {
    let mut process = Process::start("twice");
    process.says("waits");
    process.send(Signal::INT);
    process.says("once");
    process.send(Signal::INT);
    process.says("twice");
    process.send(Signal::INT);
    assert_eq!(process.ends().signal(), Some(Signal::INT.as_raw()));
}

#[test]
fn while_nobody_waits_the_signal_ends_the_program() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut process = Process::start("left_alone");
        process.says("waits");
        process.send(signal);
        assert_eq!(process.ends().signal(), Some(signal.as_raw()));
    }
}

#[test]
fn each_hears_of_what_comes_after_it_was_made() {
    let mut process = Process::start("several");
    process.says("waits");
    process.send(Signal::INT);
    process.says("still waits");
    process.send(Signal::INT);
    assert!(process.ends().success());
}
