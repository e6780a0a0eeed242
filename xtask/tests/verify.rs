//! Programs that misbehave in every way are caught by the code that runs and judges them.

#[path = "common/watch.rs"]
mod watch;

use std::{
    num::NonZeroU32,
    path::PathBuf,
    time::{Duration, Instant},
};

use watch::{LONG, Watch, have_ended};
use xtask::{
    processes::Processes,
    verify::{
        Launch,
        backend::Backend,
        bless::{self, Blessing},
        judge::{self, Judged, Reference, Verdict},
        run::{self, End, Run},
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

/// Runs one program on every runtime, side by side.
fn runs(arguments: &[&str], limit: Duration) -> Vec<(Backend, Run)> {
    let launches = RUNTIMES.map(|backend| launch(backend, arguments));
    let launches: Vec<&Launch> = launches.iter().collect();
    let processes = Processes::default();
    let runs = run::side_by_side(&launches, NonZeroU32::MIN, limit, &processes, |_| {});
    RUNTIMES.into_iter().zip(runs.into_iter().flatten()).collect()
}

fn judged(arguments: &[&str], reference: Reference<'_>, any_order: &[&str]) -> Vec<Judged> {
    let any_order: Vec<String> = any_order.iter().map(|&prefix| prefix.to_owned()).collect();
    judge::judge(runs(arguments, LONG), reference, &any_order)
}

fn verdicts(judged: &[Judged]) -> Vec<Verdict> {
    judged.iter().map(|one| one.verdict).collect()
}

#[test]
fn a_good_program_passes() {
    let judged = judged(&["behave"], Reference::File(GOOD), &[]);
    assert_eq!(verdicts(&judged), [Verdict::Ok; 4]);
}

#[test]
fn a_wrong_answer_is_caught() {
    for deed in ["answer-by-runtime", "print-bytes", "drop-the-newline", "order-by-runtime"] {
        let judged = judged(&[deed], Reference::File(GOOD), &[]);
        assert_eq!(verdicts(&judged), [Verdict::Differs; 4], "{deed}");
    }
}

#[test]
fn only_what_may_come_in_any_order_may() {
    let expected = Reference::File(b"begin\n>a\n>b\nend\n");
    assert_eq!(verdicts(&judged(&["order-by-runtime"], expected, &[">"])), [Verdict::Ok; 4]);
    let strict = verdicts(&judged(&["order-by-runtime"], expected, &[]));
    // The lengths of `smol` and `async-std` are even and odd.
    assert_eq!(strict[..2], [Verdict::Ok, Verdict::Differs]);
}

#[test]
fn a_failing_program_has_crashed_with_its_status_and_all_it_said() {
    let judged = judged(&["fail"], Reference::File(b"begin\n"), &[]);
    assert_eq!(verdicts(&judged), [Verdict::Crashed; 4]);
    for Judged { run, .. } in &judged {
        assert!(matches!(run.end, End::Crashed(status) if status.code() == Some(3)), "{run:?}");
        assert_eq!(run.stdout, b"begin\n");
        assert_eq!(run.stderr, b"no more of this\n");
    }
}

#[test]
fn an_aborting_program_has_crashed() {
    let judged = judged(&["abort"], Reference::File(b"begin\n"), &[]);
    assert_eq!(verdicts(&judged), [Verdict::Crashed; 4]);
    #[cfg(unix)]
    for Judged { run, .. } in &judged {
        use std::os::unix::process::ExitStatusExt;
        assert!(matches!(run.end, End::Crashed(status) if status.signal().is_some()), "{run:?}");
    }
}

#[test]
fn backends_that_disagree_are_told_apart_and_cannot_be_blessed() {
    let judged = judged(&["answer-by-runtime"], Reference::Missing, &[]);
    assert_eq!(verdicts(&judged), [Verdict::NoExpected; 4]);
    let parties = judge::parties(&judged);
    assert_eq!(parties.len(), 4);
    assert_eq!(parties[0].output, b"begin\nsmol\nend\n");
    assert!(matches!(bless::decide(None, &[], &judged), Blessing::Refused(_)));
}

#[test]
fn a_crash_on_one_runtime_is_caught_there() {
    let judged = judged(&["abort-on-tokio"], Reference::File(GOOD), &[]);
    let (ok, crashed) = (Verdict::Ok, Verdict::Crashed);
    assert_eq!(verdicts(&judged), [ok, ok, crashed, crashed]);
}

#[test]
fn a_missing_expected_output_is_said_and_can_be_blessed() {
    let judged = judged(&["behave"], Reference::Missing, &[]);
    assert_eq!(verdicts(&judged), [Verdict::NoExpected; 4]);
    assert_eq!(bless::decide(None, &[], &judged), Blessing::Write(GOOD.to_vec()));
}

#[test]
fn a_program_that_is_not_there_could_not_be_started() {
    let missing = Launch { program: PathBuf::from("/no/such/program"), ..launch(RUNTIMES[0], &[]) };
    let run = run::watch(missing.command(), LONG, &Processes::default());
    assert!(matches!(&run.end, End::NotStarted(why) if why.contains("/no/such/program")));
}

#[test]
fn a_hanging_program_is_killed_at_its_limit_with_what_it_started() {
    let watch = Watch::new();
    let address = watch.address.clone();
    let hanging = std::thread::spawn(move || {
        // Long enough for it to print and to start its child, which the test waits for.
        runs(&["hang", &address], Duration::from_secs(10))
    });
    // Each of the four with its child.
    let processes = watch.begin(8);
    let runs = hanging.join().unwrap();
    have_ended(processes);
    let judged = judge::judge(runs, Reference::File(GOOD), &[]);
    assert_eq!(verdicts(&judged), [Verdict::Hung; 4]);
    assert!(judged.iter().all(|one| one.run.stdout == b"begin\nheld\n"), "{judged:?}");
}

#[test]
fn what_a_finished_program_leaves_behind_is_ended_and_not_waited_for() {
    let watch = Watch::new();
    let judged = judged(&["leave-a-child", &watch.address], Reference::File(GOOD), &[]);
    assert_eq!(verdicts(&judged), [Verdict::Ok; 4]);
    have_ended(watch.begin(4));
}

#[test]
fn a_program_that_prints_for_ever_takes_little_memory() {
    let launch = launch(Backend::Smol, &["print-forever"]);
    let run = run::watch(launch.command(), LONG, &Processes::default());
    // It cannot print into a pipe that nobody reads any more.
    assert!(matches!(run.end, End::Crashed(_)), "{:?}", run.end);
    assert!(run.stdout.len() <= 8 << 20);
}

#[test]
fn every_round_of_every_program_runs_side_by_side() {
    let launches = RUNTIMES.map(|backend| launch(backend, &["hang"]));
    let launches: Vec<&Launch> = launches.iter().collect();
    let (rounds, limit) = (NonZeroU32::new(10).unwrap(), Duration::from_secs(2));
    let (begun, mut heard) = (Instant::now(), Vec::new());
    let runs = run::side_by_side(&launches, rounds, limit, &Processes::default(), |done| {
        heard.push(done);
    });
    // One after another they would take 80 seconds.
    assert!(begun.elapsed() < Duration::from_secs(40));
    assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), [10; 4]);
    assert!(heard.is_sorted() && heard.last() == Some(&40), "{heard:?}");
}
