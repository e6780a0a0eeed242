//! Where a runtime sees a task being spawned: on the line of the program, as tokio-console shows it.

use std::cell::RefCell;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use forloop_core::{
    Spawn, SpawnBlocking, SpawnLocal, SpawnScoped, TaskSet, each, spawn, spawn_blocking,
    spawn_local, spawn_scoped, task_group, task_list,
};

/// Records where each task was spawned, and drops it.
#[derive(Default)]
struct Recorder {
    locations: RefCell<Vec<&'static Location<'static>>>,
}

impl Recorder {
    #[track_caller]
    fn record(&self) {
        self.locations.borrow_mut().push(Location::caller());
    }

    /// The lines of this file on which tasks were spawned since the last call.
    fn lines(&self) -> Vec<u32> {
        let locations = self.locations.take().into_iter();
        let here = locations.filter(|location| location.file() == file!());
        here.map(Location::line).collect()
    }
}

impl Spawn for Recorder {
    fn spawn(&self, _future: impl Future<Output = ()> + Send + 'static) {
        self.record();
    }
}

impl SpawnLocal for Recorder {
    fn spawn_local(&self, _future: impl Future<Output = ()> + 'static) {
        self.record();
    }
}

impl SpawnBlocking for Recorder {
    fn spawn_blocking(&self, _future: impl Future<Output = ()> + Send + 'static) {
        self.record();
    }
}

impl<'env> SpawnScoped<'env> for Recorder {
    fn spawn_scoped(&self, _future: impl Future<Output = ()> + Send + 'env) {
        self.record();
    }
}

fn poll_once(future: Pin<&mut impl Future>) {
    drop(future.poll(&mut Context::from_waker(Waker::noop())));
}

#[test]
fn a_task_is_spawned_on_the_line_of_the_program() {
    let recorder = Recorder::default();
    let line = line!() + 1;
    drop(spawn(&recorder, async {}));
    drop(spawn(&&recorder, async {}));
    drop(spawn_local(&recorder, async {}));
    drop(spawn_blocking(&recorder, || {}));
    drop(spawn_scoped(&recorder, async {}));
    drop(task_list(&recorder, [async {}]));
    drop(TaskSet::spawn(&recorder, [async {}]));
    assert_eq!(recorder.lines(), (line..line + 7).collect::<Vec<_>>());
}

#[test]
fn a_child_of_a_group_is_spawned_on_the_line_of_the_program() {
    let recorder = Recorder::default();
    let line = line!() + 2;
    let group = task_group(&recorder, |group| async move {
        drop(group.spawn(async { Ok(()) }));
        drop(group.try_spawn(async { Ok(()) }));
        Ok::<_, ()>(())
    });
    poll_once(pin!(group));
    assert_eq!(recorder.lines(), [line, line + 1]);
}

#[test]
fn a_body_of_a_loop_is_spawned_by_the_loop() {
    let recorder = Recorder::default();
    let looping = each(0..2).unbounded().on(&recorder).settle(async |_| Ok::<_, ()>(()));
    poll_once(pin!(looping));
    let locations = recorder.locations.take();
    assert_eq!(locations.len(), 2);
    assert!(
        locations.iter().all(|location| location.file().ends_with("spawned/mod.rs")),
        "{locations:?}"
    );
}
