//! Signals sent to child processes, each of which runs one of the functions below in this program.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Lines};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use forloop_core::{Cause, each};
use forloop_ctrl_c::ctrl_c;
use futures_lite::future;
use rustix::process::{Pid, Signal, kill_process};

/// The environment variable that selects the function.
const CHILD: &str = "FORLOOP_CTRL_C_CHILD";

/// A child process, and the lines that it prints.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(name: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        if ignores_interrupts() {
            let mut env = Command::new("env");
            env.arg("--default-signal=INT").arg(program);
            return Self::spawn(env, name);
        }
        Self::spawn(Command::new(program), name)
    }

    /// Starts a process whose parent ignores `signals`, as `nohup` and a shell's `&` do.
    fn start_ignoring(signals: &str, name: &str) -> Self {
        let mut shell = Command::new("sh");
        let script = format!("trap '' {signals}; exec \"$@\"");
        shell.args(["-c", &script, "sh"]).arg(std::env::current_exe().unwrap());
        Self::spawn(shell, name)
    }

    fn spawn(mut command: Command, name: &str) -> Self {
        command.args(["--exact", "children", "--nocapture"]).env(CHILD, name);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until the process has printed `text`.
    fn prints(&mut self, text: &str) {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        assert!(lines.any(|line| line.contains(text)), "`{text}` was not printed");
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn exit_status(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

/// Whether this process ignores SIGINT, as one does that was started in the background. Its children inherit that.
///
/// Only Linux says so. Elsewhere these tests need to run in the foreground.
fn ignores_interrupts() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    ignored & (1 << (Signal::INT.as_raw() - 1)) != 0
}

/// Runs the selected function in a child process; an empty test otherwise.
#[test]
fn children() {
    match std::env::var(CHILD).as_deref() {
        Ok("cancelled") => cancelled(),
        Ok("twice") => twice(),
        Ok("left_alone") => left_alone(),
        Ok("several") => several(),
        Ok("outlives_loops_int") => outlives_loops(Signal::INT),
        Ok("outlives_loops_term") => outlives_loops(Signal::TERM),
        Ok(other) => panic!("no function is called {other}"),
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
    // No future waits any more, so the next signal terminates the program.
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
    // A signal that arrived before the future was created does not count.
    let mut late = ctrl_c().unwrap();
    assert!(future::block_on(future::poll_once(&mut late)).is_none());
    println!("still waits");
    future::block_on(late);
}

/// Receives a signal after a loop that completed, one in a loop, and one after that loop.
fn outlives_loops(signal: Signal) {
    let completed = each(0..3).unbounded().cancel_on(ctrl_c().unwrap()).for_each(async |_| {});
    assert_eq!(future::block_on(completed), Ok(()));
    let received = Arc::new(AtomicBool::new(false));
    // Handlers are called in the order of their registration, so the flag is set after the default action.
    signal_hook::flag::register(signal.as_raw(), received.clone()).unwrap();
    let ignores = || {
        println!("no future waits");
        while !received.swap(false, Ordering::SeqCst) {
            thread::yield_now();
        }
    };
    ignores();
    cancelled();
    received.store(false, Ordering::SeqCst);
    ignores();
    println!("ignored");
}

#[test]
fn ctrl_c_and_sigterm_stop_a_loop() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut process = Process::start("cancelled");
        process.prints("runs");
        process.send(signal);
        process.prints("stopped");
        assert!(process.exit_status().success());
    }
}

#[test]
fn the_second_signal_is_received_and_the_third_terminates_the_program() {
    let mut process = Process::start("twice");
    process.prints("waits");
    process.send(Signal::INT);
    process.prints("once");
    process.send(Signal::INT);
    process.prints("twice");
    process.send(Signal::INT);
    assert_eq!(process.exit_status().signal(), Some(Signal::INT.as_raw()));
}

#[test]
fn a_signal_terminates_the_program_while_no_future_waits() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut process = Process::start("left_alone");
        process.prints("waits");
        process.send(signal);
        assert_eq!(process.exit_status().signal(), Some(signal.as_raw()));
    }
}

#[test]
fn each_future_receives_the_signals_after_its_creation() {
    let mut process = Process::start("several");
    process.prints("waits");
    process.send(Signal::INT);
    process.prints("still waits");
    process.send(Signal::INT);
    assert!(process.exit_status().success());
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn a_signal_that_the_parent_ignores_is_ignored_while_no_future_waits() {
    for (name, child, signal, other) in [
        ("INT", "outlives_loops_int", Signal::INT, Signal::TERM),
        ("TERM", "outlives_loops_term", Signal::TERM, Signal::INT),
    ] {
        let mut process = Process::start_ignoring(name, child);
        for text in ["no future waits", "runs", "no future waits"] {
            process.prints(text);
            process.send(signal);
        }
        process.prints("ignored");
        assert!(process.exit_status().success());

        let mut process = Process::start_ignoring(name, child);
        process.prints("no future waits");
        process.send(other);
        assert_eq!(process.exit_status().signal(), Some(other.as_raw()), "only {name} is ignored");
    }
}
