//! Runtimes that are unusual and legal: a clock that is late, and a thread for each task.

mod faults;

use std::any::Any;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use forloop_conformance::seam::Seam;
use forloop_conformance::{Case, Erase, check};
use forloop_core::{BlockOn, Spawn, Timer};

use self::faults::{Fault, Runtime};

// No law depends on how late a timer is, or how often its clock ticks.
forloop_conformance::suite!(late: Runtime::new(Fault::Late(Duration::from_millis(200))));
forloop_conformance::suite!(coarse: Runtime::new(Fault::Coarse(Duration::from_millis(20))));

/// A thread for each task.
#[derive(Clone)]
struct Threads;

impl Spawn for Threads {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        thread::spawn(|| async_io::block_on(future));
    }
}

impl Timer for Threads {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let timer = async_io::Timer::after(duration);
        async {
            timer.await;
        }
    }

    fn now(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }
}

impl BlockOn for Threads {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        async_io::block_on(future)
    }
}

fn message(panic: Box<dyn Any + Send>) -> String {
    *panic.downcast().expect("an assertion with arguments panics with a string")
}

#[test]
fn a_law_with_more_tasks_than_a_system_has_threads_fails_alone_if_each_task_has_one() {
    for (module, name, many) in [
        ("large", "stopping_a_hundred_thousand_bodies_takes_linear_time", 100_000),
        ("interrupt", "cancelling_many_bodies_stops_them_all", 20_000),
    ] {
        let law = || Case::named(module, name).run(Threads.erase());
        let said = message(std::panic::catch_unwind(law).unwrap_err());
        let why = format!("each task has a thread of its own, and this law has {many} at once");
        assert!(said.starts_with(&why), "{said}");
    }
}

#[test]
fn a_law_is_not_run_on_a_runtime_whose_seam_does_not_hold() {
    let run = |fault: fn() -> forloop_conformance::Erased| {
        let law =
            || check("faulty", Some(&Seam::spawned()), "gather", "all_bodies_run_at_once", fault);
        std::panic::catch_unwind(law)
    };
    // The law itself would hold on it: it reads no clock.
    let not_run = run(|| Runtime::new(Fault::EarlySleep).erase()).unwrap_err();
    assert_eq!(not_run.downcast_ref(), Some(&"not run"));
    assert!(run(|| Runtime::new(Fault::None).erase()).is_ok());
}
