//! The seam: what every other law takes for granted of a runtime's tasks and of its clock.
//!
//! [`suite!`](crate::suite) examines it first. The laws are run if every row holds. If one does not, what a law reported
//! would be a consequence: so the faults are printed, each in a sentence, and the laws fail without being run. The
//! environment variable `FORLOOP_SEAM=ignore` runs them even so.
//!
//! The rows use the runtime as it is, without any of forloop's code around its tasks. They order what they do by polls and
//! wakes. Where a row waits for something that a wrong runtime never does, it waits for half a second on an idle machine,
//! counted in ticks that take longer on a busy one.

mod clock;
mod end;
mod fairness;
mod observe;
mod tasks;

use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use crate::cases::CASES;
use crate::compiled::Erased;
use crate::tasks::Tasks;

pub use self::clock::{
    a_sleep_is_never_early, a_sleep_wakes_the_task_that_polled_it_last, now_never_goes_back,
};
pub use self::end::{
    a_waker_may_outlive_its_task_and_runtime, tasks_that_wait_are_dropped_when_the_runtime_ends,
};
pub use self::fairness::tasks_that_wake_themselves_starve_no_other;
pub use self::tasks::{
    a_completed_task_is_dropped_once, a_completed_task_is_not_polled_again,
    a_task_may_spawn_and_wake_while_it_is_polled_or_dropped, a_wake_during_a_poll_counts,
    a_woken_task_is_polled, block_on_polls_its_future_after_a_wake_from_another_thread,
    spawn_returns_before_the_first_poll, wake_returns_before_the_poll,
};

/// What is unusual about a runtime, and legal.
pub type Notes = Vec<String>;

/// Whether a row holds; if not, the fault in one sentence.
pub type Verdict = Result<(), String>;

/// A promise of a runtime, and the function that examines it.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its id in [the table](crate::table).
    pub id: &'static str,
    /// The name of the function, which is the promise.
    pub name: &'static str,
    examine: fn(Tasks, &mut Notes) -> Verdict,
    /// The fault if the function does not return.
    hung: &'static str,
    /// Whether the rows after this one are only examined if it holds.
    is_needed: bool,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Passes the names of the rows to a macro of this crate, after the other arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __seam {
    ($then:ident $($with:ident)*) => {
        $crate::$then! {
            $($with)*
            // What all other rows need, so that none of them is examined without these.
            needed block_on_polls_its_future_after_a_wake_from_another_thread: "SEAM-1",
                "`block_on` was woken from another thread, and did not poll its future again";
            needed spawn_returns_before_the_first_poll: "SEAM-2", "`spawn` did not return";
            needed wake_returns_before_the_poll: "SEAM-3", "`wake` did not return";
            needed a_woken_task_is_polled: "SEAM-4", "`wake` did not return";
            needed a_wake_during_a_poll_counts: "SEAM-5", "`wake` did not return during a poll";
            row a_completed_task_is_not_polled_again: "SEAM-6", "`block_on` did not return";
            row a_completed_task_is_dropped_once: "SEAM-7", "`block_on` did not return";
            row a_task_may_spawn_and_wake_while_it_is_polled_or_dropped: "SEAM-8",
                "`spawn` or `wake` did not return";
            row tasks_that_wake_themselves_starve_no_other: "SEAM-9",
                "tasks that wake themselves starve the future of `block_on`";
            row tasks_that_wait_are_dropped_when_the_runtime_ends: "SEAM-10",
                "the runtime did not end when its last handle was dropped";
            row a_waker_may_outlive_its_task_and_runtime: "SEAM-11",
                "a waker did not return after its runtime had ended";
            row now_never_goes_back: "SEAM-12", "a `sleep` of 3 ms did not wake `block_on`";
            row a_sleep_is_never_early: "SEAM-13", "a `sleep` of 10 ms did not wake `block_on`";
            row a_sleep_wakes_the_task_that_polled_it_last: "SEAM-14", "`block_on` did not return";
        }
    };
}

/// Makes the list of rows.
#[doc(hidden)]
#[macro_export]
macro_rules! __seam_list {
    ($($kind:ident $name:ident: $id:literal, $hung:literal;)*) => {
        /// The rows, in the order in which they are examined.
        pub const ROWS: &[Row] = &[$(Row {
            id: $id,
            name: stringify!($name),
            examine: $name,
            hung: $hung,
            is_needed: $crate::__seam_list!(@$kind),
        }),*];
    };
    (@needed) => { true };
    (@row) => { false };
}

crate::__seam! { __seam_list }

/// What is known of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It holds. What is unusual and legal is noted.
    Holds(Notes),
    /// It does not, for a reason in one sentence.
    Fault(String),
    /// It was not examined, because a row that it needs does not hold.
    NotExamined,
}

/// What was found about a runtime: for each of the [`ROWS`].
#[derive(Debug, Clone)]
pub struct Report {
    /// A finding for each of the [`ROWS`].
    pub findings: Vec<Finding>,
}

impl Report {
    /// The rows that do not hold, each with its fault.
    pub fn faults(&self) -> impl Iterator<Item = (&'static Row, &str)> {
        ROWS.iter().zip(&self.findings).filter_map(|(row, finding)| match finding {
            Finding::Fault(fault) => Some((row, &fault[..])),
            Finding::Holds(_) | Finding::NotExamined => None,
        })
    }

    /// Whether every row holds.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| matches!(finding, Finding::Holds(_)))
    }
}

/// Examines a runtime: each row on a fresh one, on a thread of its own.
///
/// It takes less than a second if the rows hold.
pub fn examine(runtime: impl Fn() -> Tasks + Send + Sync + 'static) -> Report {
    let runtime: Arc<MakeRuntime> = Arc::new(runtime);
    let mut findings = Vec::new();
    let mut is_over = false;
    for row in ROWS {
        let finding = if is_over { Finding::NotExamined } else { examine_row(row, &runtime) };
        is_over |= row.is_needed && matches!(finding, Finding::Fault(_));
        findings.push(finding);
    }
    Report { findings }
}

type MakeRuntime = dyn Fn() -> Tasks + Send + Sync;

/// How long a row may take: far longer than the patience of any.
const HUNG_AFTER: usize = 10 * observe::TICKS;

fn examine_row(row: &'static Row, runtime: &Arc<MakeRuntime>) -> Finding {
    let (found, finding) = mpsc::channel();
    let runtime = runtime.clone();
    thread::spawn(move || {
        let mut notes = Notes::new();
        let examine = AssertUnwindSafe(|| (row.examine)(runtime(), &mut notes));
        let verdict = catch_unwind(examine).unwrap_or_else(|payload| {
            Err(format!("a call of the runtime panicked: {}", message(&*payload)))
        });
        // The receiver was dropped if this took too long.
        let _ = found.send(verdict.map_or_else(Finding::Fault, |()| Finding::Holds(notes)));
    });
    for _ in 0..HUNG_AFTER {
        match finding.recv_timeout(Duration::from_millis(1)) {
            Ok(finding) => return finding,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Finding::Fault(row.hung.to_owned())
}

/// The message of a panic.
pub(crate) fn message(payload: &(dyn std::any::Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// The seam of one suite, which is examined once.
#[doc(hidden)]
#[derive(Debug)]
pub struct Seam {
    report: OnceLock<Report>,
    is_local: bool,
}

impl Seam {
    /// The seam of a suite whose tests have not begun.
    pub const fn spawned() -> Self {
        Self { report: OnceLock::new(), is_local: false }
    }

    /// The same for a runtime of one thread.
    pub const fn local() -> Self {
        Self { report: OnceLock::new(), is_local: true }
    }

    /// Examines the seam, unless another test has. The first test prints the faults.
    pub(crate) fn report(&self, suite: &str, backend: fn() -> Erased) -> &Report {
        self.report.get_or_init(|| {
            let report =
                examine(move || backend().into_tasks().expect("bodies are tasks on this backend"));
            if !report.holds() {
                print_now(&faults(suite, &report));
            }
            if self.is_local {
                let left_out = CASES.iter().filter(|case| case.needs_workers()).count();
                print_now(&format!(
                    "\n{suite}: {left_out} laws of worker pools are left out, because a pool needs a runtime \
                     that is `Spawn`\n"
                ));
            }
            report
        })
    }
}

/// Whether the laws are run on a runtime whose seam does not hold.
pub(crate) fn is_ignored() -> bool {
    std::env::var_os("FORLOOP_SEAM").is_some_and(|value| value == "ignore")
}

fn faults(suite: &str, report: &Report) -> String {
    let mut text = format!("\nthe seam of {suite} does not hold:\n");
    for (row, fault) in report.faults() {
        text += &format!("  {} {}: {fault}\n", row.id, row.name);
    }
    let not_examined = report.findings.iter().filter(|one| **one == Finding::NotExamined).count();
    if 0 < not_examined {
        text += &format!("  ({not_examined} rows need it, and were not examined)\n");
    }
    text + if is_ignored() {
        "The laws are run even so, as FORLOOP_SEAM=ignore says.\n\n"
    } else {
        "The laws fail without being run: what they reported would be a consequence. \
         FORLOOP_SEAM=ignore runs them.\n\n"
    }
}

/// Prints at once, although the harness keeps the output of a test until all have ended.
pub(crate) fn print_now(text: &str) {
    // Nothing can be done about a closed standard error.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
