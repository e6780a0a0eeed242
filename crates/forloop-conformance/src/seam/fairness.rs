//! What a runtime promises to tasks beside those that are always ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;

use forloop_core::Spawn;

use super::observe::{Observed, TICKS, happens_in, polls, spawn, task, task_of_polls, wake};
use super::{Notes, Verdict};
use crate::tasks::Tasks;
use crate::{Backend, Spawning};

/// SEAM-9: Tasks that wake themselves in every poll starve no other task that was spawned or woken, nor one another.
pub fn tasks_that_wake_themselves_starve_no_other(tasks: Tasks, _notes: &mut Notes) -> Verdict {
    let place = tasks.place();
    // More than there are threads, so that a thread which stays with one task is noticed.
    let count = 8.max(2 * tasks.runtime().threads().get());
    let busy: Vec<Arc<Observed>> = (0..count).map(|_| Arc::default()).collect();
    let is_over = Arc::new(AtomicBool::new(false));
    let (waits, last) = (Arc::<Observed>::default(), Arc::<Observed>::default());
    let found = tasks.block_on(async {
        spawn(&place, task_of_polls(&waits, 2));
        polls(&waits, 1).await;
        for one in &busy {
            let is_over = is_over.clone();
            let wakes_itself = task(one, move |cx| {
                if is_over.load(Ordering::SeqCst) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            });
            spawn(&place, wakes_itself);
        }
        spawn(&place, task_of_polls(&last, 1));
        // A thread decides, and then ends the busy tasks, because they may also starve this future.
        let (decided, decision) = async_channel::bounded(1);
        thread::spawn(move || {
            happens_in(TICKS, || busy.iter().any(|one| 2 < one.polls()));
            wake(&waits);
            let found = || {
                let are_polled = busy.iter().all(|one| 2 < one.polls());
                [0 < last.polls(), 2 <= waits.polls(), are_polled]
            };
            happens_in(TICKS, || found() == [true; 3]);
            let _ = decided.try_send(found());
            is_over.store(true, Ordering::SeqCst);
        });
        decision.recv().await.expect("the thread sends")
    });
    let starved = match found {
        [true, true, true] => return Ok(()),
        [false, ..] => "a task that was spawned",
        [true, false, _] => "a task that another thread has woken",
        [true, true, false] => "one another",
    };
    Err(format!("{count} tasks that wake themselves starve {starved}: queue a woken task last"))
}
