//! Programs that may open few files, each of which is a child process that runs one of the functions below.

#![cfg(all(unix, feature = "smol", feature = "timer", feature = "ctrl-c"))]

use std::io;
use std::process::Command;
use std::time::Duration;

use forloop::timer::SystemTimer;
use forloop::{NoRuntime, Timer};
use rustix::process::{Resource, Rlimit, setrlimit};

/// The environment variables that select the function and its number of file descriptors.
const CHILD: &str = "FORLOOP_FEW_DESCRIPTORS_CHILD";
const LIMIT: &str = "FORLOOP_FEW_DESCRIPTORS_LIMIT";

/// Standard input, output and error; and more than enough.
const STANDARD: u64 = 3;
const PLENTY: u64 = 64;

/// Runs the selected function in a child process; an empty test otherwise.
#[test]
fn children() {
    let Ok(child) = std::env::var(CHILD) else { return };
    let limit = std::env::var(LIMIT).unwrap().parse().unwrap();
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum: Some(limit) }).unwrap();
    let ended = match child.as_str() {
        "run" => run(),
        "ctrl_c" => forloop::ctrl_c().map(drop),
        "timer" => SystemTimer::start().map(|()| {
            forloop::block_on(SystemTimer.sleep(Duration::from_millis(1)));
        }),
        other => panic!("no function is called {other}"),
    };
    match ended {
        Ok(()) => println!("succeeded"),
        Err(error) => println!("refused: {error}"),
    }
}

/// A loop whose bodies are tasks that sleep.
fn run() -> io::Result<()> {
    let ran = forloop::run(async |runtime| {
        let naps = forloop::each(0..3).unbounded().on(&runtime);
        let sleeper = runtime.clone();
        naps.gather(move |_| sleeper.sleep(Duration::from_millis(1))).await
    });
    match ran {
        Ok(_) => Ok(()),
        Err(NoRuntime::Io(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

/// Runs a function with `limit` descriptors, and returns whether it was refused them.
fn is_refused(child: &str, runtime: &str, limit: u64) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "children", "--nocapture"]);
    command.env(CHILD, child).env(LIMIT, limit.to_string()).env("FORLOOP_RUNTIME", runtime);
    let output = command.output().unwrap();
    let (printed, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let ends_well = output.status.success() && !errors.contains("panicked");
    assert!(ends_well, "{child} {runtime} with {limit}: {printed}{errors}");
    let is_refused = printed.contains("refused: ");
    assert_eq!(printed.contains("(os error 24)"), is_refused, "{child} {limit}: {printed}");
    assert_ne!(printed.contains("succeeded"), is_refused, "{child} {limit}: {printed}");
    is_refused
}

#[test]
fn a_program_that_may_open_few_files_gets_an_error_or_runs() {
    let runtimes = [
        "smol",
        #[cfg(feature = "async-std")]
        "async-std",
        #[cfg(feature = "tokio")]
        "tokio-current-thread",
        #[cfg(feature = "tokio")]
        "tokio-multi-thread",
    ];
    for runtime in runtimes {
        let refused: Vec<_> =
            (STANDARD..=12).filter(|&limit| is_refused("run", runtime, limit)).collect();
        // tokio's timers need no descriptor; how many the others need depends on the system.
        assert_eq!(refused.contains(&STANDARD), !runtime.starts_with("tokio"), "{runtime}");
        assert!(!is_refused("run", runtime, PLENTY), "{runtime}");
    }
}

#[test]
fn ctrl_c_and_timers_are_refused_with_an_error() {
    for child in ["ctrl_c", "timer"] {
        let refused = (STANDARD..=12).filter(|&limit| is_refused(child, "", limit));
        assert!(refused.count() > 0, "{child}");
        assert!(!is_refused(child, "", PLENTY), "{child}");
    }
}
