//! Runtimes of one thread, whose tasks and sleeps stay there: an honest one, and some with one fault.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::OnceLock;
use std::task::Poll;
use std::time::{Duration, Instant};
use std::{future, thread};

use async_channel::{Receiver, Sender};
use async_task::{Runnable, Task};
use forloop_conformance::seam::{Report, examine};
use forloop_conformance::{Case, Erase, OneThread, Tasks};
use forloop_core::{BlockOn, LocalTimer, SpawnLocal};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// `spawn_local` polls the task.
    PolledInSpawn,
    /// `sleep_local` is a millisecond early.
    EarlySleep,
    /// A sleep counts from its first poll, so it is late if that is.
    LazySleep,
    /// A wake on another thread is lost.
    ForeignWakeLost,
    /// Tasks that wait are not dropped when the runtime ends.
    LeakedAtItsEnd,
}

/// It polls tasks in the order of their wakes. As that of a thread-per-core runtime, its `spawn_local` and its timers
/// panic outside of `block_on`.
struct Runtime {
    fault: Fault,
    ready: Sender<Runnable>,
    queue: Receiver<Runnable>,
    tasks: RefCell<Vec<Task<()>>>,
    is_blocking: Rc<RefCell<bool>>,
}

impl Runtime {
    fn new(fault: Fault) -> Self {
        let (ready, queue) = async_channel::unbounded();
        Self { fault, ready, queue, tasks: RefCell::default(), is_blocking: Rc::default() }
    }

    fn require_block_on(&self) {
        assert!(*self.is_blocking.borrow(), "it is not called in the runtime");
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.queue.close();
        while let Ok(task) = self.queue.try_recv() {
            drop(task);
        }
        for task in self.tasks.take() {
            match self.fault {
                Fault::LeakedAtItsEnd => task.detach(),
                _ => drop(task),
            }
        }
    }
}

impl SpawnLocal for Runtime {
    fn spawn_local(&self, future: impl Future<Output = ()> + 'static) {
        self.require_block_on();
        let (ready, fault, home) = (self.ready.clone(), self.fault, thread::current().id());
        let schedule = move |task| {
            if fault == Fault::ForeignWakeLost && thread::current().id() != home {
                return std::mem::forget(task);
            }
            // Dropped if the runtime has ended.
            drop(ready.try_send(task));
        };
        let (first, task) = async_task::spawn_local(future, schedule);
        match self.fault {
            Fault::PolledInSpawn => drop(first.run()),
            _ => first.schedule(),
        }
        self.tasks.borrow_mut().push(task);
    }
}

impl LocalTimer for Runtime {
    type Sleep = Pin<Box<dyn Future<Output = ()>>>;

    fn sleep_local(&self, duration: Duration) -> Self::Sleep {
        self.require_block_on();
        let duration = match self.fault {
            Fault::EarlySleep => duration.saturating_sub(Duration::from_millis(1)),
            _ => duration,
        };
        let stays = Rc::new(());
        let mut timer = match self.fault {
            Fault::LazySleep => None,
            _ => Some(async_io::Timer::after(duration)),
        };
        Box::pin(future::poll_fn(move |cx| {
            let _stays = &stays;
            pin!(timer.get_or_insert_with(|| async_io::Timer::after(duration))).poll(cx).map(drop)
        }))
    }

    fn now_local(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }
}

impl BlockOn for Runtime {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let is_blocking = self.is_blocking.clone();
        is_blocking.replace(true);
        let mut future = pin!(future);
        let mut next = pin!(self.queue.recv());
        let output = async_io::block_on(future::poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            if let Poll::Ready(Ok(task)) = next.as_mut().poll(cx) {
                next.set(self.queue.recv());
                task.run();
                // There may be another.
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }));
        is_blocking.replace(false);
        output
    }
}

fn tasks(fault: Fault) -> Tasks {
    Tasks::new(OneThread::new(Runtime::new(fault)))
}

fn examined(fault: Fault) -> Report {
    examine(move || tasks(fault))
}

#[test]
fn every_row_holds_on_an_honest_runtime() {
    let report = examined(Fault::None);
    assert!(report.holds(), "{report:?}");
}

#[test]
fn each_fault_is_named_by_its_row() {
    for (fault, id, said) in [
        (Fault::PolledInSpawn, "SEAM-2", "`spawn` polled the task before it returned"),
        (Fault::ForeignWakeLost, "SEAM-4", "a task was woken by `wake` on another thread, and was"),
        (Fault::LeakedAtItsEnd, "SEAM-10", "the runtime has ended, and a task that waited was not"),
        (Fault::EarlySleep, "SEAM-13", "a `sleep` of "),
    ] {
        let report = examined(fault);
        let faults: Vec<_> = report.faults().map(|(row, said)| (row.id, said)).collect();
        let [(row, found)] = faults[..] else { panic!("{fault:?}: {faults:?}") };
        assert_eq!(row, id, "{found}");
        assert!(found.starts_with(said), "{found}");
    }
}

#[test]
fn laws_that_spawn_and_sleep_outside_of_block_on_hold() {
    for (module, name) in [
        ("wait", "a_wait_that_times_out_loses_nothing"),
        ("task_list", "building_the_list_starts_every_task"),
        ("nested_tasks", "a_group_waits_for_the_groups_inside_its_children"),
        ("nested_tasks", "a_loop_dropped_outside_its_runtime_cancels_its_tasks"),
    ] {
        Case::named(module, name).run(OneThread::new(Runtime::new(Fault::None)).erase());
    }
}

#[test]
fn a_sleep_that_counts_from_its_first_poll_breaks_a_law() {
    let law = |fault| {
        let backend = OneThread::new(Runtime::new(fault)).erase();
        Case::named("times", "a_sleep_counts_from_its_call").run(backend);
    };
    law(Fault::None);
    assert!(std::panic::catch_unwind(|| law(Fault::LazySleep)).is_err());
}

#[test]
fn the_laws_of_worker_pools_are_left_out() {
    let erased = OneThread::new(Runtime::new(Fault::None)).erase();
    let left_out = |case: &Case| !case.holds_on(&erased) && case.module == "workers";
    assert!(forloop_conformance::CASES.iter().any(left_out));
    assert!(Case::named("task_list", "building_the_list_starts_every_task").holds_on(&erased));
}
