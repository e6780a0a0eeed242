//! Runtimes with one fault each: the row of the seam that it breaks names it, and no other row does.

mod faults;

use std::time::Duration;

use forloop_conformance::Tasks;
use forloop_conformance::seam::{Finding, ROWS, Report, examine};

use self::faults::{Fault, Runtime};

fn examined(fault: Fault) -> Report {
    examine(move || Tasks::new(Runtime::new(fault)))
}

/// Checks that the row of this id alone does not hold, and returns its sentence.
fn broken(fault: Fault, id: &str) -> String {
    let report = examined(fault);
    let faults: Vec<_> = report.faults().map(|(row, said)| (row.id, said.to_owned())).collect();
    let [(row, said)] = &faults[..] else { panic!("{fault:?}: {faults:?}") };
    assert_eq!(*row, id, "{said}");
    said.clone()
}

fn notes(report: &Report) -> Vec<&str> {
    let notes = report.findings.iter().filter_map(|finding| match finding {
        Finding::Holds(notes) => Some(notes),
        _ => None,
    });
    notes.flatten().map(|note| &note[..]).collect()
}

#[test]
fn every_row_holds_on_an_honest_runtime() {
    let report = examined(Fault::None);
    assert_eq!(report.faults().count(), 0, "{report:?}");
    assert_eq!(notes(&report), [""; 0]);
    assert_eq!(report.findings.len(), ROWS.len());
}

#[test]
fn what_is_legal_is_no_fault() {
    let report = examined(Fault::SpuriousPolls);
    assert_eq!(report.faults().count(), 0, "{report:?}");
    assert_eq!(notes(&report), ["it polls tasks that were not woken, which is legal"]);
    for fault in [Fault::Late(Duration::from_secs(1)), Fault::Coarse(Duration::from_millis(20))] {
        let report = examined(fault);
        assert_eq!(report.faults().count(), 0, "{report:?}");
    }
}

#[test]
fn each_fault_of_a_task_is_named_by_its_row() {
    for (fault, id, said) in [
        (Fault::DeafBlockOn, "SEAM-1", "`block_on` was woken from another thread, and did not"),
        (Fault::PolledInSpawn, "SEAM-2", "`spawn` polled the task before it returned"),
        (Fault::PolledInBoth, "SEAM-2", "`spawn` polled the task before it returned"),
        (Fault::PolledInWake, "SEAM-3", "`wake` polled the task before it returned"),
        (Fault::ForeignWakeLost, "SEAM-4", "a task was woken by `wake` on another thread, and was"),
        (Fault::WakeInPollLost, "SEAM-5", "a task woke itself during a poll, and was not polled"),
        (Fault::PolledAfterItsEnd, "SEAM-6", "a task was polled again after it had completed"),
        (Fault::NeverDropped, "SEAM-7", "a task completed, and its future was not dropped"),
        (
            Fault::DroppedUnderLock,
            "SEAM-8",
            "`spawn` and `wake` do not return while a task is dropped",
        ),
    ] {
        let broken = broken(fault, id);
        assert!(broken.starts_with(said), "{broken}");
    }
}

#[test]
fn a_runtime_that_starves_tasks_is_named_by_its_row() {
    for fault in [Fault::LastWokenFirst, Fault::BusyTaskFirst] {
        let said = broken(fault, "SEAM-9");
        assert!(said.starts_with("8 tasks that wake themselves starve "), "{said}");
    }
}

#[test]
fn each_fault_at_the_end_of_a_runtime_is_named_by_its_row() {
    let said = broken(Fault::LeakedAtItsEnd, "SEAM-10");
    assert_eq!(said, "the runtime has ended, and a task that waited was not dropped");
    let said = broken(Fault::WakerPanics, "SEAM-11");
    assert_eq!(said, "a waker panicked after its runtime had ended");
}

#[test]
fn each_fault_of_a_clock_is_named_by_its_row() {
    let said = broken(Fault::ClockGoesBack, "SEAM-12");
    assert!(said.starts_with("`now` went back from 1"), "{said}");
    let said = broken(Fault::EarlySleep, "SEAM-13");
    assert!(said.starts_with("a `sleep` of ") && said.contains(" was ready after "), "{said}");
    let said = broken(Fault::SleepWakesTheFirst, "SEAM-14");
    assert_eq!(said, "a `sleep` of 10 ms did not wake the task that polled it last");
}
