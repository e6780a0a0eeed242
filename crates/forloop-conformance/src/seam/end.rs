//! What a runtime promises of its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use super::observe::{
    Observed, TICKS, endless_task, happens_in, polls, spawn, task_of_polls, until, wake,
};
use super::{Notes, Verdict};
use crate::Backend;
use crate::tasks::Tasks;

/// SEAM-10: When the runtime ends, it drops the tasks that wait.
pub fn tasks_that_wait_are_dropped_when_the_runtime_ends(
    tasks: Tasks,
    notes: &mut Notes,
) -> Verdict {
    let all: [Arc<Observed>; 3] = Default::default();
    {
        let place = tasks.place();
        tasks.block_on(async {
            all.iter().for_each(|one| spawn(&place, endless_task(one)));
            let all = all.clone();
            until(move || all.iter().all(|one| 0 < one.polls())).await
        });
    }
    // One that is still woken, one whose waker is kept, and one that no task can wake.
    let [woken, _kept, forgotten] = &all;
    forgotten.forget_waker();
    let waker = woken.waker();
    drop(tasks);

    let before = woken.polls();
    let still_runs = || before + 10 < woken.polls();
    let are_dropped = || all.iter().all(|one| one.drops() == 1);
    happens_in(TICKS, || {
        are_dropped() || still_runs() || {
            waker.iter().for_each(Waker::wake_by_ref);
            false
        }
    });
    if are_dropped() {
        return Ok(());
    }
    if still_runs() {
        notes.push("it does not end with its last handle, so its end was not observed".to_owned());
        return Ok(());
    }
    Err("the runtime has ended, and a task that waited was not dropped".into())
}

/// SEAM-11: A waker may be used after its task and its runtime have ended.
pub fn a_waker_may_outlive_its_task_and_runtime(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let (waits, ends) = (Arc::<Observed>::default(), Arc::<Observed>::default());
    {
        let place = tasks.place();
        tasks.block_on(async {
            spawn(&place, endless_task(&waits));
            spawn(&place, task_of_polls(&ends, 1));
            polls(&waits, 1).await;
            polls(&ends, 1).await;
        });
    }
    drop(tasks);
    let wake_both = || {
        for one in [&waits, &ends] {
            one.waker().iter().for_each(Waker::wake_by_ref);
            wake(one);
            one.forget_waker();
        }
    };
    match catch_unwind(AssertUnwindSafe(wake_both)) {
        Ok(()) => Ok(()),
        Err(_) => Err("a waker panicked after its runtime had ended".into()),
    }
}
