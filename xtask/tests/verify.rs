//! Programs that misbehave are detected when they are run and judged.

#[path = "common/watch.rs"]
mod watch;

use std::{
    num::NonZeroU32,
    path::PathBuf,
    time::{Duration, Instant},
};

use watch::{LONG, Watch, wait_for_exits};
use xtask::{
    processes::Processes,
    verify::{
        Launch,
        backend::Backend,
        bless::{self, Blessing},
        judge::{self, JudgedRun, Reference, Verdict},
        run::{self, Run, RunStatus},
    },
};

const GOOD: &[u8] = b"begin\nend\n";

const RUNTIMES: [Backend; 4] =
    [Backend::Smol, Backend::AsyncStd, Backend::TokioCurrentThread, Backend::TokioMultiThread];

fn launch(backend: Backend, arguments: &[&str]) -> Launch {
    Launch {
        backend,
        program: env!("CARGO_BIN_EXE_misbehave").into(),
        arguments: arguments.iter().map(Into::into).collect(),
        folder: std::env::current_dir().unwrap(),
    }
}

/// Runs one program on every runtime, concurrently.
fn runs(arguments: &[&str], timeout: Duration) -> Vec<(Backend, Run)> {
    let launches = RUNTIMES.map(|backend| launch(backend, arguments));
    let launches: Vec<&Launch> = launches.iter().collect();
    let processes = Processes::default();
    let runs = run::run_all(&launches, NonZeroU32::MIN, timeout, &processes, |_| {});
    RUNTIMES.into_iter().zip(runs.into_iter().flatten()).collect()
}

fn judged(arguments: &[&str], reference: Reference<'_>, any_order: &[&str]) -> Vec<JudgedRun> {
    let any_order: Vec<String> = any_order.iter().map(|&prefix| prefix.to_owned()).collect();
    judge::judge(runs(arguments, LONG), reference, &any_order)
}

fn verdicts(judged: &[JudgedRun]) -> Vec<Verdict> {
    judged.iter().map(|one| one.verdict).collect()
}

#[test]
fn a_good_program_passes() {
    let judged = judged(&["behave"], Reference::File(GOOD), &[]);
    assert_eq!(verdicts(&judged), [Verdict::Ok; 4]);
}

#[test]
fn a_wrong_output_is_detected() {
    for action in ["answer-by-runtime", "print-bytes", "drop-the-newline", "order-by-runtime"] {
        let judged = judged(&[action], Reference::File(GOOD), &[]);
        assert_eq!(verdicts(&judged), [Verdict::Differs; 4], "{action}");
    }
}

#[test]
fn only_lines_with_the_prefix_may_appear_in_any_order() {
    let expected = Reference::File(b"begin\n>a\n>b\nend\n");
    assert_eq!(verdicts(&judged(&["order-by-runtime"], expected, &[">"])), [Verdict::Ok; 4]);
    let strict = verdicts(&judged(&["order-by-runtime"], expected, &[]));
    // The order depends on the length of the name: `smol` is even, `async-std` odd.
    assert_eq!(strict[..2], [Verdict::Ok, Verdict::Differs]);
}

#[test]
fn a_failing_program_has_its_status_and_all_its_output() {
    let judged = judged(&["fail"], Reference::File(b"begin\n"), &[]);
    assert_eq!(verdicts(&judged), [Verdict::Crashed; 4]);
    for JudgedRun { run, .. } in &judged {
        assert!(
            matches!(run.status, RunStatus::Crashed(status) if status.code() == Some(3)),
            "{run:?}"
        );
        assert_eq!(run.stdout, b"begin\n");
        assert_eq!(run.stderr, b"no more of this\n");
    }
}

#[test]
fn an_aborting_program_is_a_crash() {
    let judged = judged(&["abort"], Reference::File(b"begin\n"), &[]);
    assert_eq!(verdicts(&judged), [Verdict::Crashed; 4]);
    #[cfg(unix)]
    for JudgedRun { run, .. } in &judged {
        use std::os::unix::process::ExitStatusExt;
        assert!(
            matches!(run.status, RunStatus::Crashed(status) if status.signal().is_some()),
            "{run:?}"
        );
    }
}

#[test]
fn backends_that_disagree_are_separate_groups_and_cannot_be_blessed() {
    let judged = judged(&["answer-by-runtime"], Reference::Missing, &[]);
    assert_eq!(verdicts(&judged), [Verdict::NoExpected; 4]);
    let output_groups = judge::output_groups(&judged);
    assert_eq!(output_groups.len(), 4);
    assert_eq!(output_groups[0].output, b"begin\nsmol\nend\n");
    assert!(matches!(bless::decide(None, &[], &judged), Blessing::Refused(_)));
}

#[test]
fn a_crash_on_one_runtime_is_detected_there() {
    let judged = judged(&["abort-on-tokio"], Reference::File(GOOD), &[]);
    let (ok, crashed) = (Verdict::Ok, Verdict::Crashed);
    assert_eq!(verdicts(&judged), [ok, ok, crashed, crashed]);
}

#[test]
fn a_missing_expected_output_is_reported_and_can_be_blessed() {
    let judged = judged(&["behave"], Reference::Missing, &[]);
    assert_eq!(verdicts(&judged), [Verdict::NoExpected; 4]);
    assert_eq!(bless::decide(None, &[], &judged), Blessing::Write(GOOD.to_vec()));
}

#[test]
fn a_missing_program_cannot_be_started() {
    let missing = Launch { program: PathBuf::from("/no/such/program"), ..launch(RUNTIMES[0], &[]) };
    let run = run::run_program(missing.command(), LONG, &Processes::default());
    assert!(matches!(&run.status, RunStatus::NotStarted(why) if why.contains("/no/such/program")));
}

#[test]
fn a_hanging_program_is_killed_with_its_children_at_its_time_limit() {
    let watch = Watch::new();
    let address = watch.address.clone();
    let hanging = std::thread::spawn(move || {
        // Long enough to print and to start a child, which the test waits for.
        runs(&["hang", &address], Duration::from_secs(10))
    });
    // Four programs, each with a child.
    let processes = watch.wait_for_starts(8);
    let runs = hanging.join().unwrap();
    wait_for_exits(processes);
    let judged = judge::judge(runs, Reference::File(GOOD), &[]);
    assert_eq!(verdicts(&judged), [Verdict::TimedOut; 4]);
    assert!(judged.iter().all(|one| one.run.stdout == b"begin\nheld\n"), "{judged:?}");
}

#[test]
fn a_child_that_a_program_leaves_behind_is_killed() {
    let watch = Watch::new();
    let judged = judged(&["leave-a-child", &watch.address], Reference::File(GOOD), &[]);
    assert_eq!(verdicts(&judged), [Verdict::Ok; 4]);
    wait_for_exits(watch.wait_for_starts(4));
}

#[test]
fn the_output_of_a_program_that_prints_forever_is_bounded() {
    let launch = launch(Backend::Smol, &["print-forever"]);
    let run = run::run_program(launch.command(), LONG, &Processes::default());
    // Its write fails once the pipe is no longer read.
    assert!(matches!(run.status, RunStatus::Crashed(_)), "{:?}", run.status);
    assert!(run.stdout.len() <= 8 << 20);
}

#[test]
fn all_rounds_of_all_programs_run_concurrently() {
    let launches = RUNTIMES.map(|backend| launch(backend, &["hang"]));
    let launches: Vec<&Launch> = launches.iter().collect();
    let (rounds, timeout) = (NonZeroU32::new(10).unwrap(), Duration::from_secs(2));
    let (started, mut progress) = (Instant::now(), Vec::new());
    let runs = run::run_all(&launches, rounds, timeout, &Processes::default(), |done| {
        progress.push(done);
    });
    // One after another they would take 80 seconds.
    assert!(started.elapsed() < Duration::from_secs(40));
    assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), [10; 4]);
    assert!(progress.is_sorted() && progress.last() == Some(&40), "{progress:?}");
}
